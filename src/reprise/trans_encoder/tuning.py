"""The search for learning rates: equal tries for four methods, on development pairs and the pool of a seed in no run.

Other losses and labels, chained and mutual distillation, other pools, the whole model and MRPC take
these rates as they are.

Rates are judged by those development pairs of the STS benchmark that the run tests nowhere; no test pair is read. Run
as ``python -m reprise.trans_encoder.tuning METHOD …``; what it found for the published run is in ``tuning.csv``,
beside this module.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reprise.compute import resolve_device, use_threads
from reprise.trans_encoder import baselines
from reprise.trans_encoder.cell import Cell
from reprise.trans_encoder.data import development_pairs, key
from reprise.trans_encoder.distillation import Scores, train_student
from reprise.trans_encoder.encoders import BiEncoder, CrossEncoder, Encoder
from reprise.trans_encoder.names import BI_TO_BI, SELF_BI, SELF_CROSS, SIMCSE, START
from reprise.trans_encoder.objectives import prepared
from reprise.trans_encoder.pair_files import PairSet
from reprise.trans_encoder.settings import Settings
from reprise.trans_encoder.training import Recipe, Training
from reprise.trans_encoder.variants import SIMCSE_BATCH

if TYPE_CHECKING:
    import pandas as pd

METHODS = (SELF_CROSS, SELF_BI, BI_TO_BI, SIMCSE)
RATES = (5e-5, 1e-4, 2e-4, 4e-4)
SEED = 100


@dataclass(frozen=True)
class Tuning:
    """What is tuned for: a run's settings, and a seed that the run does not have."""

    settings: Settings
    seed: int = SEED
    family: str = "sts"

    def __post_init__(self) -> None:
        """Refuse a seed of the run.

        Raises
        ------
        ValueError
            If the run has the seed.
        """
        if self.seed in self.settings.seeds:
            raise ValueError(f"seed={self.seed} is one of the run's ({self.settings.seeds}); tune on another.")

    @cached_property
    def cell(self) -> Cell:
        """The study's cell of that seed: its pool, recipe and random streams."""
        return Cell(self.settings, self.family, self.seed, resolve_device(self.settings.device))

    @cached_property
    def judges(self) -> PairSet:
        """Development pairs that are among no tested pairs of the run, in either order."""
        tested = {key(pair) for one in self.cell.problem.tests.values() for pair in one.pairs}
        pairs = development_pairs(self.family)
        return pairs.take(np.array([key(pair) not in tested for pair in pairs.pairs]))

    @cached_property
    def start_labels(self) -> Scores:
        """The start's cosines of the pool."""
        return self.cell.backbone.bi().score(self.cell.problem.pool)

    @cached_property
    def cross_labels(self) -> Scores:
        """Scores of the pool by a cross-encoder that was trained at the rate of the settings."""
        model, _ = self.trained(SELF_CROSS, self.settings.cross_lr)
        assert isinstance(model, CrossEncoder)
        return model.score(self.cell.problem.pool)

    def trained(self, method: str, rate: float) -> tuple[Encoder, Training]:
        """Train a method at a rate as the study does in its first cycle; return the model and what training showed."""
        cell, pool = self.cell, self.cell.problem.pool
        config = replace(cell.config, cross=replace(cell.config.cross, lr=rate), bi=replace(cell.config.bi, lr=rate))
        looks: dict[str, Any] = {"evaluate": cell.evaluate}
        if method == SIMCSE:
            recipe = Recipe(rate, SIMCSE_BATCH)
            return baselines.simcse(cell.backbone, cell.problem.sentences(), recipe, config, names=cell.names, **looks)
        if method == BI_TO_BI:
            return baselines.bi_to_bi(cell.backbone, pool, self.start_labels, config, names=cell.names, **looks)
        form = "cross" if method == SELF_CROSS else "bi"
        stream = (*cell.names, 1, form, 0)
        student: Encoder = cell.backbone.cross(self.seed, *stream) if form == "cross" else cell.backbone.bi()
        if form == "cross":
            targets, _ = prepared(self.start_labels, config.cross_loss, stretch=config.label_stretch)
        else:
            targets, _ = prepared(self.cross_labels, config.bi_loss)
        return student, train_student(student, pool, targets, config, stream=stream, **looks)

    def tried(self, method: str, rates: Sequence[float] = RATES) -> Iterator[dict[str, Any]]:
        """Yield, of each rate, steps and development score; for the start, which has no rate, one line.

        Parameters
        ----------
        method
            One of ``METHODS``, or the start.
        rates
            Learning rates.
        """
        if method == START:
            model: Encoder = self.cell.backbone.bi()
            assert isinstance(model, BiEncoder)
            yield {"method": START, "rate": None, "steps": None, "score": self.cell.measured(model, self.judges)}
            return
        for rate in rates:
            began = time.process_time()
            model, training = self.trained(method, rate)
            score = self.cell.measured(model, self.judges)
            seconds = round(time.process_time() - began)
            print(f"# {method} {rate:g}: {seconds} CPU seconds, kept step {training.best_step}", file=sys.stderr)
            yield {"method": method, "rate": rate, "steps": len(training.losses), "score": score}


def how_they_were_tried() -> str:
    """Return the sentence at the head of ``tuning.csv``: how many tries, on which seed, judged by which pairs."""
    text = Path(__file__).with_name("tuning.csv").read_text(encoding="utf-8")
    return text.partition("\n")[0].removeprefix("#").partition(":")[0].strip()


def found_rates() -> pd.DataFrame:
    """Return what was tried for the published run, one line a method and rate, from ``tuning.csv``."""
    import pandas as pd

    return pd.read_csv(Path(__file__).with_name("tuning.csv"), comment="#", dtype={"steps": "Int64"})


def _main(*methods: str) -> None:
    from reprise.catalogue import find_paper
    from reprise.parameters import profile_parameters

    use_threads(1)
    tuning = Tuning(Settings.checked(profile_parameters(find_paper("trans-encoder"), "standard")))
    print(f"# {len(tuning.judges)} development pairs", flush=True)
    for method in methods or (START, *METHODS):
        for line in tuning.tried(method):
            print(",".join("" if value is None else f"{value}" for value in line.values()), flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
