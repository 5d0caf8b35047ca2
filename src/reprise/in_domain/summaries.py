"""Tables of the study: each takes tidy rows, or the printed numbers, and returns a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from reprise.in_domain.convergence import CONVERGED
from reprise.in_domain.figures import MEAN_SCORE, TITLES, clamp_score, conditions, has_scores, methods_of
from reprise.in_domain.grid import GRIDS
from reprise.in_domain.models import APPROACHES, Approach
from reprise.in_domain.settings import MAIN_DATA_SET
from reprise.in_domain.splits import KINDS
from reprise.numerals import with_interval
from reprise.rows import per_seed, select
from reprise.stats import t_interval


def score_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return R² by data set, model and split with intervals; models that cannot run here are listed as such."""
    lines = []
    for dataset in data_sets:
        present = methods_of(rows, dataset)
        for name, approach in APPROACHES.items():
            if name not in present and not approach.in_benchmark:
                continue
            line: dict[str, Any] = {"data set": dataset, "model": name}
            for kind in KINDS:
                line[kind] = "—"
                if name in present and has_scores(rows, dataset, name, kind):
                    values = per_seed(rows, **conditions(dataset, name, kind), **MEAN_SCORE)
                    interval = t_interval(values)
                    finite = len(values) > 1
                    low, high = (interval.low, interval.high) if finite else (None, None)
                    line[kind] = f"{with_interval(interval.estimate, low, high, 3)} (n = {interval.n})"
            line["remark"] = _remark(rows, dataset, name) if name in present else _why_not_run(approach)
            lines.append(line)
    return pd.DataFrame(lines)


def _remark(rows: pd.DataFrame, dataset: str, name: str) -> str:
    score = per_seed(rows, **conditions(dataset, name, "random"), **MEAN_SCORE).mean()
    return "" if score >= CONVERGED else "not converged"


def _why_not_run(approach: Approach) -> str:
    return "not run" if approach.where == "CPU" else approach.where


def published_table(published: pd.DataFrame) -> pd.DataFrame:
    """Return the printed scores beside the clamp oracle of their data set; no number of ours belongs there."""
    lines = []
    for row in published.itertuples(index=False):
        clamp = clamp_score(str(row.dataset), "extrapolation")
        lines.append(
            {
                "data set": TITLES[str(row.dataset)],
                "model": row.method,
                "paper, R² in extrapolation": row.value,
                "clamp oracle": round(clamp, 3),
                "paper − clamp": round(float(row.value) - clamp, 3),  # type: ignore[arg-type]
                "printed in": row.source,
            }
        )
    return pd.DataFrame(lines)


def remedy_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return R² by factor of the plain CNN and of the remedies, random and extrapolation split."""
    lines = []
    for experiment, method in [
        ("comparison", "CNN"),
        *(("remedies", m) for m in methods_of(rows, MAIN_DATA_SET, "remedies")),
    ]:
        for kind in ("random", "extrapolation"):
            where = conditions(MAIN_DATA_SET, method, kind, experiment)
            found = select(rows, **where, subset="test", metric="r2").groupby("factor")["value"].mean()
            names = (*GRIDS[MAIN_DATA_SET].names, "mean")
            n = select(rows, **where)["seed"].nunique()
            lines.append({"model": method, "split": kind, **{f: round(float(found[f]), 3) for f in names}, "seeds": n})
    return pd.DataFrame(lines)


def realism_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return the CNN's loss and its distance from the clamp oracle in extrapolation, by data set."""
    lines = []
    for dataset in data_sets:
        random, extrapolation = (
            float(per_seed(rows, **conditions(dataset, "CNN", kind), **MEAN_SCORE).mean())
            for kind in ("random", "extrapolation")
        )
        clamp = clamp_score(dataset, "extrapolation")
        lines.append(
            {
                "data set": TITLES[dataset],
                "R² random": round(random, 3),
                "R² extrapolation": round(extrapolation, 3),
                "loss": round(random - extrapolation, 3),
                "clamp oracle": round(clamp, 3),
                "clamp − model": round(clamp - extrapolation, 3),
            }
        )
    return pd.DataFrame(lines)


def dci_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return DCI of the representations beside their R² in extrapolation."""
    found = rows[rows["metric"].str.startswith("dci_")]
    lines = []
    for method in [name for name in APPROACHES if name in set(found["method"])]:
        scores = found[found.method == method].groupby("metric")["value"].mean()
        line = {"model": method, **{k.removeprefix("dci_"): round(float(v), 3) for k, v in scores.items()}}
        for kind in ("random", "extrapolation"):
            line[f"R² {kind}"] = round(
                float(per_seed(rows, **conditions(MAIN_DATA_SET, method, kind), **MEAN_SCORE).mean()), 3
            )
        lines.append(line)
    return pd.DataFrame(lines)
