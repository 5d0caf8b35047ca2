"""Readers of the files of sentence pairs: STS 2012 to 2016, the STS benchmark, SICK and MRPC.

Texts are split at newlines only: sentences hold characters that other splitters take for line ends.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from reprise.data import DataError, fetch, select
from reprise.trans_encoder.input_checks import Pair

YEARS = (2012, 2013, 2014, 2015, 2016)
BENCHMARK_PARTS = ("train", "dev", "test")
SICK_FILES = {"train": "SICK_train.txt", "trial": "SICK_trial.txt", "test": "SICK_test_annotated.txt"}
MRPC_PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class PairSet:
    """Sentence pairs with gold scores.

    Attributes
    ----------
    pairs
        Sentences, stripped of outer blanks.
    gold
        Shape ``(n,)``; NaN for a pair without gold.
    source
        Sub-set that each pair comes from.
    """

    pairs: tuple[Pair, ...]
    gold: NDArray[np.float64]
    source: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pairs)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> PairSet:
        """Return some of the pairs, by position or mask."""
        places = np.arange(len(self))[rows].tolist()
        return PairSet(tuple(self.pairs[p] for p in places), self.gold[places], tuple(self.source[p] for p in places))

    def with_gold(self) -> PairSet:
        """Return the pairs that have a gold score."""
        return self.take(np.isfinite(self.gold))


def joined(sets: list[PairSet]) -> PairSet:
    """Return several sets as one."""
    return PairSet(
        tuple(pair for one in sets for pair in one.pairs),
        np.concatenate([one.gold for one in sets]),
        tuple(source for one in sets for source in one.source),
    )


def _lines(path: str) -> list[str]:
    lines = [line.rstrip("\r") for line in _text(path).split("\n")]
    return lines[:-1] if lines and not lines[-1] else lines


def _text(path: str) -> str:
    return fetch(path).read_bytes().decode("utf-8-sig")


def _number(text: str) -> float:
    return float(text) if text.strip() else float("nan")


@cache
def sts_year(year: int) -> PairSet:
    """Return all pairs of one year's STS task, sub-sets in alphabetical order; NaN where there is no gold.

    Raises
    ------
    DataError
        If a sub-set has not as many scores as pairs.
    """
    inputs = sorted(e.path for e in select(f"sts-semeval/{year}/*") if ".input." in e.path)
    return joined([_sub_set(path) for path in inputs])


def _sub_set(path: str) -> PairSet:
    lines, scores = _lines(path), _lines(path.replace(".input.", ".gs."))
    if len(lines) != len(scores):
        raise DataError(f"{path} has {len(lines)} pairs and {len(scores)} scores; fetch the data again.")
    pairs = tuple((cells[0].strip(), cells[1].strip()) for cells in (line.split("\t") for line in lines))
    name = path.split(".input.")[1].removesuffix(".txt")
    return PairSet(pairs, np.array([_number(s) for s in scores]), (name,) * len(pairs))


@cache
def sts_benchmark(part: str) -> PairSet:
    """Return the STS benchmark's ``"train"``, ``"dev"`` or ``"test"`` pairs; gold 0 to 5."""
    reader = csv.reader(io.StringIO(_text(f"stsb/stsb-en-{part}.csv"), newline=""))
    rows = [row for row in reader if row]
    pairs = tuple((row[0].strip(), row[1].strip()) for row in rows)
    return PairSet(pairs, np.array([float(row[2]) for row in rows]), (f"STS-B {part}",) * len(pairs))


@cache
def sick(part: str) -> PairSet:
    """Return SICK's ``"train"``, ``"trial"`` or ``"test"`` pairs; relatedness 1 to 5."""
    lines = [line.split("\t") for line in _lines(f"sick2014/{SICK_FILES[part]}")]
    columns = {name: place for place, name in enumerate(lines[0])}
    first, second, score = (columns[name] for name in ("sentence_A", "sentence_B", "relatedness_score"))
    rows = [cells for cells in lines[1:] if len(cells) == len(columns)]
    pairs = tuple((cells[first].strip(), cells[second].strip()) for cells in rows)
    return PairSet(pairs, np.array([float(cells[score]) for cells in rows]), (f"SICK {part}",) * len(pairs))


@cache
def mrpc(part: str) -> PairSet:
    """Return MRPC's ``"train"``, ``"val"`` or ``"test"`` pairs; gold 1 for a paraphrase, else 0."""
    rows = [line.split("\t") for line in _lines(f"mrpc/msr-para-{part}.tsv")[1:]]
    pairs = tuple((cells[3].strip(), cells[4].strip()) for cells in rows)
    return PairSet(pairs, np.array([float(cells[0]) for cells in rows]), (f"MRPC {part}",) * len(pairs))
