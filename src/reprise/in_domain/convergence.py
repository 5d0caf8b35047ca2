"""Which trainings have converged: rules and figures that compare models leave the others out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reprise.in_domain.settings import MAIN_DATA_SET
from reprise.rows import MissingRowsError, per_seed, select

if TYPE_CHECKING:
    import pandas as pd

CONVERGED = 0.9
CONTROL_SCORE = {"split": "random", "subset": "test", "factor": "mean", "metric": "r2"}


def converged_runs(rows: pd.DataFrame, dataset: str = MAIN_DATA_SET, experiment: str = "comparison") -> pd.MultiIndex:
    """Return the (method, seed) whose R² on the random split reaches 0.9; a NaN does not."""
    import pandas as pd

    control = select(rows, dataset=dataset, experiment=experiment, **CONTROL_SCORE)
    reached = control[control["value"] >= CONVERGED]
    if reached.empty:
        tried = ", ".join(sorted(control["method"].unique()))
        raise MissingRowsError(f"no model reaches R² = {CONVERGED} on the random split: {tried}.")
    return pd.MultiIndex.from_frame(reached[["method", "seed"]])


def of_converged(rows: pd.DataFrame, runs: pd.MultiIndex) -> pd.DataFrame:
    """Return the rows of these (method, seed), or raise if there are none."""
    import pandas as pd

    chosen = pd.MultiIndex.from_frame(rows[["method", "seed"]]).isin(runs)
    if not chosen.any():
        raise MissingRowsError(f"no training that reaches R² = {CONVERGED} on the random split has such rows.")
    return rows[chosen]


def converged_scores(
    rows: pd.DataFrame, method: str, split: str, *, subset: str = "test", factor: str = "mean", metric: str = "r2"
) -> pd.Series:
    """Return one value per converged seed of a model in the comparison on sprites-rot90."""
    how = {"dataset": MAIN_DATA_SET, "experiment": "comparison", "method": method}
    control = per_seed(rows, **how, **CONTROL_SCORE)
    found = per_seed(rows, **how, split=split, subset=subset, factor=factor, metric=metric)
    found = found[found.index.isin(control.index[control >= CONVERGED])]
    if found.empty:
        raise MissingRowsError(f"no training of {method} reaches R² = {CONVERGED} on the random split.")
    return found


def convergence(rows: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the models of the comparison of which some training has converged, and those of which none has."""
    compared = select(rows, dataset=MAIN_DATA_SET, experiment="comparison")
    converged = sorted(set(converged_runs(rows).get_level_values("method")))
    return converged, sorted(set(compared["method"]) - set(converged))
