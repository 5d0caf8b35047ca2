"""Tables of the chapter that are more than the paper beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reprise.cold_brew.audit_figures import ON, dropout_lines, switch_gain
from reprise.cold_brew.figures import CLEAN, GROUPS, METHODS, PAPERS_DEPTH, group_size
from reprise.numerals import MISSING, number, with_interval
from reprise.plots import defined, printed
from reprise.rows import MissingRowsError, select
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
                    "bootstrap over test nodes, mean ends": f"[{number(low.mean(), 1)}, {number(high.mean(), 1)}]",
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
                "test nodes, head / isolation": " / ".join(group_size(rows, name, s) for s in ("head", "isolation")),
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


def groups_table(
    rows: pd.DataFrame, published: pd.DataFrame, data_sets: Sequence[str], mode: str = "paper10"
) -> pd.DataFrame:
    """Return one line a method and one column a group: ours, the paper's number in brackets; first the group sizes."""
    import pandas as pd

    lines = []
    for name in data_sets:
        found = {
            method: {
                split: defined(
                    rows, dataset=name, split=split, method=method, metric="accuracy", mode=mode, setting=None
                )
                for split in GROUPS
            }
            for method in METHODS
        }
        found = {method: cells for method, cells in found.items() if any(v is not None for v in cells.values())}
        if not found:
            continue
        sizes = {split: group_size(rows, name, split, mode) for split in GROUPS}
        lines.append({"data set": name, "method": "(test nodes)", **sizes})
        for method, cells in found.items():
            shown = {split: _beside(values, published, name, split, method) for split, values in cells.items()}
            lines.append({"data set": name, "method": method, **shown})
        lines += _quoted(published, name)
    return pd.DataFrame(lines)


QUOTED = ("TailGCN", "Meta-tail2vec")  # the paper's Table 5; neither is run here


def _quoted(published: pd.DataFrame, name: str) -> list[dict[str, str]]:
    """Return the lines of the methods that are quoted and not run, where the paper prints a number."""
    lines = []
    for method in QUOTED:
        figures = {
            split: printed(published, dataset=name, split=split, method=method, metric="accuracy") for split in GROUPS
        }
        if any(value is not None for value in figures.values()):
            shown = {split: MISSING if v is None else f"not run ({v:g})" for split, v in figures.items()}
            lines.append({"data set": name, "method": f"{method}, quoted", **shown})
    return lines


def _beside(values: pd.Series | None, published: pd.DataFrame, name: str, split: str, method: str) -> str:
    ours = "no test node" if values is None else _cell(values)
    paper = printed(published, dataset=name, split=split, method=method, metric="accuracy")
    return ours if paper is None else f"{ours} ({paper:g})"


def dropout_table(rows: pd.DataFrame, published: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return every cell of Table 3 twice, dropout off and on, in both protocols, the paper's number in brackets."""
    import pandas as pd

    lines = []
    for name in data_sets:
        for mode in ("paper10", "code"):
            part = rows[(rows["dataset"] == name) & (rows["mode"] == mode)]
            for label, method, how, metric_off in dropout_lines(part, name, mode) if ON in set(part["metric"]) else ():
                cells = {}
                for split in GROUPS:
                    off, on = (defined(part, method=method, split=split, metric=m, **how) for m in (metric_off, ON))
                    shown = f"{_mean(off)} → {_mean(on)}"
                    paper = printed(published, dataset=name, split=split, method=method, metric="accuracy")
                    cells[split] = shown if paper is None else f"{shown} ({paper:g})"
                lines.append({"data set": name, "protocol": mode, "method": label, **cells})
    return pd.DataFrame(lines)


def _mean(values: pd.Series | None) -> str:
    return MISSING if values is None else number(float(values.mean()), 1)


def retrieval_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return accuracy and purity on isolated nodes by K, and accuracy by temperature, a column a data set."""
    import pandas as pd

    part = select(rows, method="Cold Brew student", split="isolation", mode="paper10", dataset=list(data_sets))
    here = [name for name in data_sets if name in set(part["dataset"])]
    lines = []
    for metric, label in (
        ("accuracy by number of latent neighbours", "accuracy"),
        ("purity of latent neighbours", "purity"),
    ):
        for at in sorted(select(part, metric=metric)["at"].unique()):
            cells = {name: _cell(defined(part, dataset=name, metric=metric, at=at)) for name in here}
            lines.append({"what": f"{label}, K = {at:g}", **cells})
    by_temperature = select(part, metric="accuracy by temperature")
    for setting in sorted(set(by_temperature["setting"])):
        cells = {name: _cell(defined(by_temperature, dataset=name, setting=setting)) for name in here}
        lines.append({"what": f"accuracy, {'plain mean' if setting == 'mean' else setting}", **cells})
    return pd.DataFrame(lines)


def switch_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return what choosing graph network or student by degree gains over each alone, by graph and group.

    The oracle knows, in each seed and group, which of the two is better on the test nodes: nothing can beat it by
    choosing one of them for the whole group.
    """
    import pandas as pd

    select(rows, method="Degree switch", mode="paper10")
    lines = []
    for name in data_sets:
        part = rows[(rows["dataset"] == name) & (rows["mode"] == "paper10")]
        degree = defined(part, method="Degree switch", metric="degree of the switch")
        if degree is None:
            continue
        chosen = ", ".join(f"{value:g}" for value in degree)
        for label, other in SWITCH_AGAINST.items():
            cells = {split: _cell(switch_gain(part, split, **other)) for split in GROUPS}
            lines.append({"data set": name, "switch minus": label, **cells, "degree, by seed": chosen})
            chosen = ""
    return pd.DataFrame(lines)


SWITCH_AGAINST = {
    "student alone": {"method": "Cold Brew student", "metric": "accuracy"},
    "GCN alone": {"method": "GCN", "metric": "accuracy"},
    "SE teacher alone": {"method": "Cold Brew teacher", "metric": "accuracy"},
    "oracle": {"method": "Degree switch", "metric": "accuracy of the better of the two"},
}


SHARE, CHANGED = "embedding share", "test predictions that change without embeddings"


def chosen_penalties(penalty: pd.Series) -> str:
    """Write the penalties that validation chose, each with the number of seeds if they differ."""
    counts = penalty.value_counts().sort_index()
    return ", ".join(f"{value:g}" + (f" ({count})" if len(counts) > 1 else "") for value, count in counts.items())


def embeddings_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return how active structural embeddings are: η, their size and effect where measured, the student's teacher."""
    import pandas as pd

    measured = {"size of E over that of XW": SHARE, "test predictions changed without E (%)": CHANGED}
    lines = []
    for name in data_sets:
        penalty = defined(rows, dataset=name, method="Cold Brew teacher", metric="structural penalty", mode="paper10")
        if penalty is None:
            continue
        chosen = defined(rows, dataset=name, metric="teacher has structural embeddings", mode="paper10")
        line = {"data set": name, "η chosen (seeds)": chosen_penalties(penalty)}
        for label, metric in measured.items():
            if metric in set(rows["metric"]):
                values = defined(rows, dataset=name, metric=metric, mode="paper10")
                line[label] = MISSING if values is None else _cell(values)
        seeds = MISSING if chosen is None else f"{int(chosen.sum())} of {len(chosen)}"
        lines.append({**line, "student learns from the SE teacher (seeds)": seeds})
    if not lines:
        raise MissingRowsError("no teacher with structural embeddings was trained in this run.")
    return pd.DataFrame(lines)


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


def depth_table(rows: pd.DataFrame, published: pd.DataFrame, data_set: str) -> pd.DataFrame:
    """Return accuracy without → with structural embeddings by depth and group, the difference, and the paper's last."""
    import pandas as pd

    part = select(rows, dataset=data_set, mode="paper10")
    lines = []
    for at in sorted(select(part, metric="mean pairwise cosine")["at"].unique()):
        cells = {}
        for split in GROUPS:
            how = {"split": split, "metric": f"accuracy at {int(at)} layers"}
            plain, rich = (defined(part, method=method, **how) for method in ("GCN", "Cold Brew teacher"))
            gain = MISSING if plain is None or rich is None else _cell((rich - plain).dropna())
            cells[split] = f"{_mean(plain)} → {_mean(rich)}: {gain}"
        lines.append({"layers": f"{at:g}", **cells})
    paper = {}
    for split in GROUPS:
        how = {"dataset": data_set, "split": split, "metric": f"accuracy at {PAPERS_DEPTH} layers"}
        plain, rich = (printed(published, method=method, **how) for method in ("GCN", "Cold Brew teacher"))
        if plain is not None and rich is not None:
            paper[split] = f"{plain:g} → {rich:g}: {number(rich - plain, 1)}"
    if paper:
        lines.append({"layers": f"{PAPERS_DEPTH}, paper", **{split: paper.get(split, MISSING) for split in GROUPS}})
    return pd.DataFrame(lines)
