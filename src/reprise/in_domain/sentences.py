"""Sentences with computed numbers, for the text of the chapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reprise.in_domain.convergence import CONVERGED, converged_scores, convergence
from reprise.in_domain.grid import GRIDS
from reprise.in_domain.lookups import clamp_score, conditions, methods_of
from reprise.in_domain.settings import MAIN_DATA_SET
from reprise.numerals import number
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, t_interval

if TYPE_CHECKING:
    import pandas as pd

    from reprise.in_domain.settings import Settings

NO_CNN = "The CNN of this run has not converged; there is nothing to say about its loss."


def _words(interval: Interval, decimals: int = 2) -> str:
    ends = f" [{number(interval.low, decimals)}, {number(interval.high, decimals)}]" if interval.n > 1 else ""
    return f"{number(interval.estimate, decimals)}{ends}"


def two_parts_of_the_loss(rows: pd.DataFrame) -> str:
    """Say how the CNN's loss in extrapolation divides into what the oracle loses, too, and the rest."""
    try:
        random, extrapolation = (converged_scores(rows, "CNN", kind) for kind in ("random", "extrapolation"))
    except MissingRowsError:
        return NO_CNN
    loss, clamp = t_interval(random - extrapolation), clamp_score(MAIN_DATA_SET, "extrapolation")
    beyond = t_interval(clamp - extrapolation)
    return (
        f"On the re-rendered sprites the CNN loses {_words(loss)} of R² between the random split and extrapolation "
        f"({_seeds(loss)}). The clamp oracle loses {number(1 - clamp, 2)}, for it cannot say what it never saw; the "
        f"CNN lies another {_words(beyond)} below the oracle."
    )


def _seeds(interval: Interval) -> str:
    return "one seed" if interval.n == 1 else f"95 % interval over {interval.n} seeds"


def who_converged(rows: pd.DataFrame) -> str:
    """Say how many of the models that were trained on the sprites have converged, and which have not."""
    try:
        converged, others = convergence(rows)
    except MissingRowsError:
        return f"No model of this run reaches R² {number(CONVERGED)} on the random split."
    failed = f" Not converged: {', '.join(others)}; they are shown in grey and judged by no rule." if others else ""
    return (
        f"Models trained on the sprites that reach R² {number(CONVERGED)} on the random split, in some training at "
        f"least: {len(converged)} of {len(converged) + len(others)}.{failed}"
    )


def which_factor_breaks(rows: pd.DataFrame) -> str:
    """Say which factor the CNN loses most where another one is out of distribution, and which stays."""
    try:
        names, cut = GRIDS[MAIN_DATA_SET].names, GRIDS[MAIN_DATA_SET].cut_factors
        loss = {
            (out, factor): float(
                (
                    converged_scores(rows, "CNN", "random", factor=factor)
                    - converged_scores(rows, "CNN", "extrapolation", subset=f"only {out}", factor=factor)
                ).mean()
            )
            for out in cut
            for factor in names
            if factor != out
        }
    except MissingRowsError:
        return NO_CNN
    (out, factor), worst = max(loss.items(), key=lambda item: item[1])
    spared = sum(value < 0.1 for value in loss.values())
    return (
        f"Of {len(loss)} pairs of a factor that is out and another one that is read, the CNN loses less than 0.1 of R² "
        f"in {spared}; the worst pair is {factor} where {out} is out, {number(worst, 2)} lower than on the random "
        "split."
    )


def what_the_remedies_buy(rows: pd.DataFrame) -> str:
    """Say how R² of position, and of all factors, changes by each remedy in extrapolation."""
    words = []
    plain = _positions(rows, "CNN", "comparison")
    for method in methods_of(rows, MAIN_DATA_SET, "remedies"):
        found = _positions(rows, method, "remedies")
        position, everything = (f"{number(a, 2)} instead of {number(b, 2)}" for a, b in zip(found, plain, strict=True))
        words.append(f"with {method.removeprefix('CNN, ')}, {position} for position and {everything} for all factors")
    return f"R² in extrapolation: {'; '.join(words)}."


def _positions(rows: pd.DataFrame, method: str, experiment: str) -> tuple[float, float]:
    where = conditions(MAIN_DATA_SET, method, "extrapolation", experiment)
    found = select(rows, **where, subset="test", metric="r2")
    position = float(per_seed(found, factor=["x", "y"]).mean())
    return position, float(per_seed(found, factor="mean").mean())


def scale_of_this_run(settings: Settings) -> str:
    """Say by how much this run is smaller than the paper's."""
    pixels = f"{settings.image_side} pixels a side instead of 64"
    if settings.image_side == 64:
        pixels = "64 pixels a side, as in the paper"
    return (
        f"This run: {pixels}; {settings.n_steps} training steps of {settings.batch_size} images (the paper: about "
        f"500 000 of 64); at most {settings.n_train_images} training images of a split; {settings.n_test_images} test "
        "images of a split are scored, the same for all models."
    )
