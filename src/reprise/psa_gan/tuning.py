"""The search for a learning rate: one grid for all models, on the training range of a seed that is in no run.

The training part's own last weeks are held out once more; scorer and models see what comes before. The held-out range
of the study is never touched. Run as ``python -m reprise.psa_gan.tuning MODEL RATE …``; what it found for the published
run, with half of its steps, is in ``tuning.csv``, beside this module.
"""

from __future__ import annotations

import sys
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from reprise.compute import use_threads
from reprise.psa_gan.cell import Cell
from reprise.psa_gan.data import HELD_OUT, SplitPanel, load
from reprise.psa_gan.models import main_model
from reprise.psa_gan.names import EBGAN, TIMEGAN
from reprise.psa_gan.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

RATES = (1e-3, 2e-3, 4e-3, 8e-3)
SEED = 100
ENCODER_STEPS = 300
_RATE_OF = {EBGAN: "ebgan_lr", TIMEGAN: "timegan_lr"}  # which setting; PSA-GAN-C and the variants follow PSA-GAN


class TuningCell(Cell):
    """A cell whose panel ends where the study's training part does."""

    @cached_property
    def split(self) -> SplitPanel:
        """The training part, with as much held out at its end as the study holds out after it."""
        return shortened(load(self.dataset, self.seed))


def shortened(split: SplitPanel) -> SplitPanel:
    """Return the training part as a panel of its own, whose last steps are held out.

    Raises
    ------
    ValueError
        If less than half of the shortest series would be left to train on.
    """
    shortest = int(split.train_lengths.min())
    if shortest < 2 * HELD_OUT:
        raise ValueError(f"{split.name} trains on {shortest} steps, too few to hold out another {HELD_OUT}.")
    return SplitPanel(split.name, split.train, HELD_OUT)


def correlation_with_real(fake: torch.Tensor, real: torch.Tensor) -> float:
    """Return the median over windows of Pearson's correlation with the real window of the same series and hours.

    Parameters
    ----------
    fake, real
        Windows ``(n, τ)``, pair by pair; a constant window correlates by 0.
    """
    one, other = (windows.double() - windows.double().mean(1, keepdim=True) for windows in (fake, real))
    scale = (one.square().sum(1) * other.square().sum(1)).sqrt()
    return float((one * other).sum(1).div(scale.clamp(min=1e-12)).median())


def tried(settings: Settings, model: str, rates: Sequence[float] = RATES, seed: int = SEED) -> list[dict[str, Any]]:
    """Train a model at each rate, and score it on what was held out of the training range.

    Parameters
    ----------
    settings
        Of the run that is tuned for; its seeds do not count.
    model
        One of `reprise.psa_gan.names.MODELS`.
    rates
        Learning rates.
    seed
        A seed that the run does not have.

    Raises
    ------
    ValueError
        If the run has the seed.
    """
    if seed in settings.seeds:
        raise ValueError(f"seed={seed} is one of the run's ({settings.seeds}); tune on another.")
    found = []
    judge = TuningCell(settings, settings.datasets[0], seed)
    for rate in rates:
        changed = settings.model_copy(update={_RATE_OF.get(model, "lr"): rate})
        began = time.process_time()
        source = main_model(TuningCell(changed, judge.dataset, seed), model, settings.window).source
        seconds = time.process_time() - began
        result, fake = judge.score(source, settings.window)
        likeness = correlation_with_real(fake, judge.real(settings.window))
        found.append(
            {"model": model, "rate": rate, "context FID": result.mean, "floor": result.floor,
             "correlation": likeness, "CPU seconds": seconds}
        )  # fmt: skip
    return found


def found_rates() -> pd.DataFrame:
    """Return what was tried for the published run, one line a model and rate, from ``tuning.csv``."""
    import pandas as pd

    return pd.read_csv(Path(__file__).with_name("tuning.csv"), comment="#")


def _main(model: str, *rates: str) -> None:
    from reprise.catalogue import find_paper
    from reprise.parameters import profile_parameters

    use_threads(1)
    given = profile_parameters(find_paper("psa-gan"), "standard")
    shorter = {name: given[name] // 2 for name in ("steps", "timegan_steps")}
    settings = Settings.checked({**given, **shorter, "encoder_steps": ENCODER_STEPS})
    for line in tried(settings, model, [float(rate) for rate in rates] or RATES):
        print(",".join(str(value) for value in line.values()), flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
