"""Tables: levels beside the paper's, what is in the data, selections, pairs in and out of the pool, and costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from reprise.numerals import MISSING, difference, number, with_interval
from reprise.plots import measured, printed
from reprise.rows import MissingRowsError
from reprise.stats import paired_differences, t_interval
from reprise.trans_encoder.comparisons import chosen_cycles, cycles_of
from reprise.trans_encoder.lookups import AVERAGE, home_of, levels, name_of_average, sets_of
from reprise.trans_encoder.names import (
    BASE,
    BI_TO_BI,
    FORMS,
    MRPC,
    MUTUAL_BI,
    MUTUAL_CROSS,
    SEVEN_SETS,
    SHARED_WORDS,
    SHORT_NAMES,
    SIMCSE,
    START,
    SUPERVISED,
    TFIDF,
    WORD_EMBEDDINGS,
)  # fmt: skip
from reprise.trans_encoder.tuning import found_rates

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES = (
    (SHARED_WORDS, 0), (TFIDF, 0), (WORD_EMBEDDINGS, 0), (START, 0), (SIMCSE, 0), (BI_TO_BI, 0),
    *((method, cycle) for cycle in (1, 2, 3) for method in FORMS),
    *((method, cycle) for cycle in (1, 2, 3) for method in (MUTUAL_CROSS, MUTUAL_BI)),
    (SUPERVISED, 0),
)  # fmt: skip
PAPERS_BACKBONES = ("BERT-base", "RoBERTa-base", "BERT-large", "RoBERTa-large")
SELECTIONS = {"development": "validation", "development without test pairs": "validation, leak-free"}


def _written(values: pd.Series | None) -> str:
    if values is None:
        return MISSING
    found = t_interval(values)
    if math.isclose(found.low, found.high):  # what no seed changes has no interval over seeds
        return number(found.estimate, 1)
    return with_interval(found.estimate, found.low, found.high, 1)


def data_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return what is tested on: pairs with gold, those of the run, and sentences that are cut."""
    lines = []
    for name in data_sets:
        how = {"dataset": name, "method": "data"}
        whole, own = (
            measured(rows, metric="test pairs with gold", **how),
            measured(rows, metric="pairs", split="test", **how),
        )
        cut = measured(rows, metric="cut sentences (%)", split="test", **how)
        if whole is not None and own is not None and cut is not None:
            lines.append(
                {
                    "data set": SHORT_NAMES[name],
                    "test pairs with gold": number(float(whole.mean()), 0),
                    "of these tested": number(float(own.mean()), 0),
                    "sentences longer than 32 word pieces (%)": number(float(cut.mean()), 1),
                }
            )
    return pd.DataFrame(lines)


def levels_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return Spearman × 100 of all methods by set, ± half-width of the interval over seeds where they change it."""
    sets = sets_of(rows)
    lines = []
    for method, cycle in LINES:
        if levels(rows, method, cycle=cycle) is None:
            continue
        line: dict[str, Any] = {"method": f"{method}, cycle {cycle}" if cycle else method}
        line |= {SHORT_NAMES[name]: _written(levels(rows, method, cycle=cycle, sets=[name])) for name in sets}
        if len(sets) > 1:
            line[name_of_average(sets)] = _written(levels(rows, method, cycle=cycle))
        lines.append(line)
    return pd.DataFrame(lines)


def papers_table(published: pd.DataFrame) -> pd.DataFrame:
    """Return the paper's levels on the seven sets and their average."""
    lines = []
    for backbone in PAPERS_BACKBONES:
        for method in (START, "Mirror-BERT", *FORMS, MUTUAL_CROSS, MUTUAL_BI):
            how = {"method": method, "backbone": backbone, "metric": "spearman"}
            values = {name: printed(published, dataset=name, **how) for name in (*SEVEN_SETS, AVERAGE)}
            if any(value is not None for value in values.values()):
                written = {SHORT_NAMES.get(n, n): MISSING if v is None else number(v, 2) for n, v in values.items()}
                lines.append({"backbone": backbone, "method": method, **written})
    return pd.DataFrame(lines)


def binary_table(rows: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return the area under the curve on MRPC, ours and the paper's with BERT-base."""
    lines = []
    for method, cycle in LINES:
        own = measured(
            rows, dataset=MRPC, part="levels", metric="auc", split="test", method=method, cycle=cycle, variant=BASE
        )
        if own is None:
            continue
        paper = printed(published, dataset=MRPC, metric="auc", method=method, backbone="BERT-base")
        name = f"{method}, cycle {cycle}" if cycle else method
        lines.append(
            {"method": name, "ours": _written(own), "paper (BERT-base)": MISSING if paper is None else number(paper, 2)}
        )
    if not lines:
        raise MissingRowsError("this run has no binary task.")
    return pd.DataFrame(lines)


def tried_table() -> pd.DataFrame:
    """Return what was tried before the run, of each method and rate: steps, development score, best of its method."""
    tried = found_rates()
    start = float(tried.loc[tried["method"] == START, "score"].iloc[0])
    best = tried.groupby("method")["score"].transform("max")
    lines = []
    for entry, highest in zip(tried.itertuples(), best, strict=True):
        lines.append(
            {
                "method": entry.method,
                "rate": MISSING if pd.isna(entry.rate) else f"{entry.rate:.0e}".replace("e-0", "e−"),
                "steps": MISSING if pd.isna(entry.steps) else str(entry.steps),
                "development": number(float(entry.score), 1),
                "minus start": number(float(entry.score) - start, 1, signed=True),
                "chosen": "yes" if entry.method != START and entry.score == highest else "",
            }
        )
    return pd.DataFrame(lines)


def pool_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the gain over the start on test pairs that are in the pool and on those that are held out."""
    lines = []
    for method in FORMS:
        for cycle in cycles_of(rows, method):
            line: dict[str, Any] = {"method": f"{method}, cycle {cycle}"}
            gains = {}
            for split in ("test, in the pool", "test, held out"):
                after, before = (levels(rows, m, cycle=c, split=split) for m, c in ((method, cycle), (START, 0)))
                if after is not None and before is not None:
                    gains[split] = after - before
                    line[split.removeprefix("test, ")] = difference(t_interval(gains[split]))
            if len(gains) == 2:
                line["difference"] = difference(t_interval(paired_differences(*gains.values())))
                lines.append(line)
    if not lines:
        raise MissingRowsError("this run has no held-out pairs.")
    return pd.DataFrame(lines)


def selection_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what each way of choosing the cycle costs against the best cycle on the test, means over seeds."""
    home, lines = home_of(rows), []
    for method in FORMS:
        cycles = cycles_of(rows, method)
        by_cycle = {cycle: levels(rows, method, cycle=cycle) for cycle in cycles}
        test = pd.concat({c: v for c, v in by_cycle.items() if v is not None}, axis=1)
        choices = {"last cycle": pd.Series(cycles[-1], index=test.index)}
        for name, split in SELECTIONS.items():
            try:
                choices[name] = chosen_cycles(rows, method, split=split, home=home)
            except MissingRowsError:
                continue
        agreement = _by_cycle(
            rows, cycles, part="training", metric="rank correlation with the teacher", method=method, dataset=home
        )
        if not agreement.empty:
            choices["agreement with the teacher (no labels)"] = agreement.idxmax(axis=1)
        swapped = _by_cycle(
            rows, cycles, part="selection", metric="difference of both orders", method=method, dataset=home
        )
        if not swapped.empty:
            choices["agreement of both orders (no labels)"] = swapped.idxmin(axis=1)
        for name, chosen in choices.items():
            value = pd.Series({seed: test.loc[seed, cycle] for seed, cycle in chosen.items()})
            lines.append(
                {
                    "form": method,
                    "chosen by": name,
                    "cycles chosen (seeds)": _counted(chosen),
                    "level": number(float(value.mean()), 2),
                    "below the best": number(float((test.max(axis=1) - value).mean()), 2),
                }
            )
    return pd.DataFrame(lines)


def _counted(chosen: pd.Series) -> str:
    return ", ".join(f"{cycle} ({n})" for cycle, n in chosen.value_counts().sort_index().items())


def _by_cycle(rows: pd.DataFrame, cycles: Sequence[int], **how: Any) -> pd.DataFrame:
    found = {cycle: measured(rows, cycle=cycle, **how) for cycle in cycles}
    there = {cycle: values for cycle, values in found.items() if values is not None}
    return pd.concat(there, axis=1) if there else pd.DataFrame()


def cost_table(n_layers: int, width: int, sentence_length: int = 14) -> pd.DataFrame:
    """Return multiplications to compare all pairs of n sentences in both forms (see `multiplications`)."""
    lines = []
    for n in (1_000, 100_000):
        bi, cross = (multiplications(form, n, n_layers, width, sentence_length) for form in ("bi", "cross"))
        lines.append(
            {
                "sentences": f"{n:,}",
                "bi-encoder (multiplications)": f"{bi:.1e}",
                "cross-encoder": f"{cross:.1e}",
                "ratio": f"{cross / bi:,.0f}",
            }
        )
    return pd.DataFrame(lines)


def multiplications(form: str, n: int, n_layers: int, width: int, sentence_length: int = 14) -> float:
    """Return how many multiplications comparing all pairs of n sentences takes, by the transformer's sizes alone.

    A layer takes 12 d² weights a word piece and 2 L d for attention over L pieces; a cosine takes d. A bi-encoder
    encodes each sentence once, a cross-encoder each pair.
    """
    pairs = n * (n - 1) / 2
    if form == "bi":
        return n * _one_pass(n_layers, width, sentence_length) + pairs * width
    return pairs * _one_pass(n_layers, width, 2 * sentence_length - 1)


def _one_pass(n_layers: int, width: int, length: int) -> float:
    return n_layers * length * (12 * width**2 + 2 * length * width)
