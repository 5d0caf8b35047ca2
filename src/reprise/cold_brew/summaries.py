"""Tables of the chapter that are more than the paper beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reprise.cold_brew.figures import CLEAN
from reprise.numerals import MISSING, with_interval
from reprise.plots import defined, printed
from reprise.rows import select
from reprise.stats import t_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def _cell(values: pd.Series | None) -> str:
    """Write a mean with its interval; a dash where nothing is defined."""
    if values is None:
        return MISSING
    interval = t_interval(values)
    return with_interval(interval.estimate, interval.low, interval.high, 1)


def differences_on_isolation(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return the student minus each other method on isolated nodes, with both kinds of uncertainty.

    Over seeds: 95 % t interval. Over test nodes: the mean ends of the paired bootstrap within each seed.
    """
    import pandas as pd

    how = {"split": "isolation", "method": "Cold Brew student", "mode": "paper10"}
    lines = []
    for name in data_sets:
        part = select(rows, dataset=name, **how)
        for setting in sorted(set(select(part, metric="difference")["setting"])):
            low, high = (
                part[(part.setting == setting) & (part.metric == f"difference, {end} end over test nodes")]["value"]
                for end in ("low", "high")
            )
            lines.append(
                {
                    "data set": name,
                    "student": str(setting),
                    "points (mean ± half-width over seeds)": _cell(defined(part, metric="difference", setting=setting)),
                    "interval over test nodes": f"[{low.mean():.1f}, {high.mean():.1f}]",
                }
            )
    return pd.DataFrame(lines)


def ratio_table(rows: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return the three accuracies behind the ratio, the ratio, and the gap, ours and (relabelled) the paper's."""
    import pandas as pd

    split = "original graph"
    lines = []
    for name in sorted(set(select(rows, metric="fcr")["dataset"])):
        accuracy = {"dataset": name, "split": split, "metric": "accuracy on the original graph"}
        ratio = {"dataset": name, "split": split, "method": "graph", "metric": "fcr"}
        ours = defined(rows, mode="paper10", **ratio)
        paper = printed(published, **ratio)
        lines.append(
            {
                "data set": name,
                **{
                    short: _cell(defined(rows, method=method, mode="paper10", **accuracy))
                    for short, method in (("GNN", "GNN"), ("MLP", "MLP"), ("LP", "Label propagation"))
                },
                "ratio (%)": "undefined" if ours is None else _cell(ours),
                "paper's ratio": MISSING if paper is None else f"{paper:g}",
                "head − isolation": _cell(_gap(rows, name)),
                "defined in": f"{0 if ours is None else len(ours)} of {len(select(rows, **ratio))} seeds",
            }
        )
    return pd.DataFrame(lines)


def _gap(rows: pd.DataFrame, name: str) -> pd.Series | None:
    head, cold = (
        defined(rows, dataset=name, split=split, method="Cold Brew teacher", metric="accuracy", **CLEAN)
        for split in ("head", "isolation")
    )
    if head is None or cold is None:
        return None
    gap = (head - cold).dropna()
    return gap if len(gap) else None


def link_table(rows: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return the mean reciprocal rank of removed edges, beside the paper's and its figures for other methods."""
    import pandas as pd

    metric = "mean reciprocal rank"
    lines = []
    for name in sorted(set(select(rows, metric=metric)["dataset"])):
        for method in ("GCN", "Cold Brew teacher", "Cold Brew student", "TailGCN", "Meta-tail2vec"):
            ours = defined(rows, dataset=name, method=method, metric=metric)
            paper = printed(published, dataset=name, method=method, metric=metric)
            if ours is None and paper is None:
                continue
            lines.append(
                {
                    "data set": name,
                    "method": method,
                    "paper (Table 4)": MISSING if paper is None else f"{paper:g}",
                    "ours": "not run" if ours is None else _cell(ours),
                    "seeds": 0 if ours is None else len(ours),
                }
            )
    return pd.DataFrame(lines)


def cluster_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the share of isolated and tail nodes that lie among connected nodes of their own label, by method."""
    import pandas as pd

    part = select(rows, metric="label agreement with the 10 nearest", mode="paper10")
    keys = part[["dataset", "method"]].drop_duplicates().itertuples(index=False)
    return pd.DataFrame(
        [
            {
                "data set": name,
                "method": method,
                **{s: _cell(defined(part, dataset=name, method=method, split=s)) for s in ("isolation", "tail")},
            }
            for name, method in keys
        ]
    )
