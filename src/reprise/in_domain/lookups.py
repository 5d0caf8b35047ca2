"""Looking scores up for figures and tables: of which trainings there are rows, and their R² with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reprise.in_domain.convergence import CONVERGED
from reprise.in_domain.grid import GRIDS
from reprise.in_domain.models import APPROACHES
from reprise.in_domain.oracles import CLAMP, oracle_scores
from reprise.method_styles import MethodStyle, style_of
from reprise.plots import measured
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, t_interval

if TYPE_CHECKING:
    import pandas as pd

TITLES = {
    "sprites-rot90": "sprites (re-rendered dSprites)",
    "rooms": "Rooms (for Shapes3D)",
    "turntable": "Turntable (for MPI3D)",
    "dsprites": "dSprites",
    "shapes3d": "Shapes3D",
    "mpi3d": "MPI3D-real",
}
MEAN_SCORE = {"subset": "test", "factor": "mean", "metric": "r2"}
OVER_SEEDS, OVER_VALUES = "seeds", "factor values"
LOWEST_R2 = -0.5  # where axes and colours of R² end


@dataclass(frozen=True)
class Score:
    """R² of a model on the test images of a split.

    Attributes
    ----------
    interval
        Mean over seeds with the 95 % interval of ``over``.
    values
        One value a seed.
    over
        What the interval stands for: ``"seeds"``, or with a single one ``"factor values"`` (see
        `reprise.in_domain.bootstrap`).
    """

    interval: Interval
    values: tuple[float, ...]
    over: str


def methods_of(rows: pd.DataFrame, dataset: str, experiment: str = "comparison") -> list[str]:
    """Return the models of an experiment, in the order of the registry."""
    present = set(select(rows, dataset=dataset, experiment=experiment)["method"])
    return [name for name in APPROACHES if name in present]


def conditions(dataset: str, method: str, kind: str, experiment: str = "comparison") -> dict[str, str]:
    """Return what the rows of a model on a split have in common."""
    return {"dataset": dataset, "method": method, "split": kind, "experiment": experiment}


def score(rows: pd.DataFrame, dataset: str, method: str, kind: str, experiment: str = "comparison") -> Score | None:
    """Return R² of a model on a split, mean over factors; None if it was not trained on it."""
    where = conditions(dataset, method, kind, experiment)
    values = measured(rows, **where, **MEAN_SCORE)
    if values is None:
        return None
    if len(values) > 1:
        return Score(t_interval(values), tuple(values), OVER_SEEDS)
    low, high = (
        float(per_seed(rows, **where, **{**MEAN_SCORE, "metric": f"r2_{end}"}).iloc[0]) for end in ("low", "high")
    )
    return Score(Interval(float(values.iloc[0]), low, high, 1), tuple(values), OVER_VALUES)


def has_converged(rows: pd.DataFrame, dataset: str, method: str, experiment: str = "comparison") -> bool:
    """Tell whether any training of a model reaches the R² on the random split that counts as converged."""
    values = measured(rows, **conditions(dataset, method, "random", experiment), **MEAN_SCORE)
    return values is not None and bool((values >= CONVERGED).any())


def converged_seeds(rows: pd.DataFrame, dataset: str, method: str, experiment: str = "comparison") -> tuple[int, int]:
    """Return how many trainings of a model reach that R² on the random split, and how many there are."""
    values = measured(rows, **conditions(dataset, method, "random", experiment), **MEAN_SCORE)
    return (0, 0) if values is None else (int((values >= CONVERGED).sum()), len(values))


def look_of(rows: pd.DataFrame, dataset: str, method: str) -> MethodStyle:
    """Return how a model is drawn: in its own style, or grey with its own marker if it has not converged."""
    own = style_of(method)
    if has_converged(rows, dataset, method):
        return own
    grey = style_of("not converged")
    return MethodStyle(grey.colour, own.marker, grey.dash)


def clamp_score(dataset: str, kind: str, subset: str = "test", factor: str = "mean") -> float:
    """Return what the clamp oracle scores on a subset of a data set's split."""
    table = oracle_scores(GRIDS[dataset], kind)
    found = table[(table.oracle == CLAMP) & (table.subset == subset) & (table.factor == factor)]
    return float(found["r2"].iloc[0])


def require(data_sets: tuple[str, ...]) -> None:
    """Raise if there is no data set to draw."""
    if not data_sets:
        raise MissingRowsError("none of the data sets of this run is trained on.")
