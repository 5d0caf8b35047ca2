"""Computed sentences on how far the chapter's comparisons carry: seeds behind them, rivals left out, confounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reprise.giant_xrt.claims import CLAIMS
from reprise.giant_xrt.figures import title_of
from reprise.giant_xrt.rules import (
    FEW,
    MOST_REWIRED,
    PLAIN,
    REGIMES,
    ablated,
    accuracy,
    gap,
    neighbours_beat_links,
    planted_gain,
)
from reprise.giant_xrt.structure_figures import over_svd
from reprise.numerals import difference, number
from reprise.plots import measured
from reprise.rows import MissingRowsError, select
from reprise.stats import paired_differences, seeds_to_settle, t_interval

if TYPE_CHECKING:
    import pandas as pd

NETWORKS = ("SGC", "SIGN", "RevGAT-like")
# What C1, C3 and C7 compare GIANT under an MLP with; the first has binary words, too.
RIVALS = (("TF-IDF", "MLP"), ("SVD", "MLP"), ("Link prediction", "MLP"), ("SVD", "GraphSAGE"))


def best_rates(rows: pd.DataFrame, model: str = "ridge") -> pd.DataFrame:
    """Return the row of the learning rate that validation chose, by data set and pre-training.

    Columns ``lowest`` and ``highest`` say whether the rate is one of the ends of those tried, ``margin`` by how many
    points it is ahead of the second best. Ridge chooses; with ``model`` another one would have. Raises MissingRowsError
    if no rates were recorded.
    """
    groups = select(rows, experiment="rates", model=model).groupby(["dataset", "method"], sort=False)
    best = rows.loc[groups["value"].idxmax()]
    ends = {"lowest": groups["at"].min(), "highest": groups["at"].max()}
    margins = groups["value"].agg(lambda of: of.nlargest(2).iloc[0] - of.nlargest(2).iloc[-1])
    marks = {name: best["at"].to_numpy() == of.to_numpy() for name, of in ends.items()}
    return best.assign(**marks, margin=margins.to_numpy())


def rates_sentence(rows: pd.DataFrame, tried: Sequence[float]) -> str:
    """Say which of the learning rates tried validation chose."""
    if len(tried) == 1:
        return f"This run has a single learning rate, {number(tried[0])}, for GIANT and for link prediction."
    try:
        best = best_rates(rows)
    except MissingRowsError:
        return "Validation, by ridge, chose the learning rates; this run has no record of which."
    words = [
        f"{number(line.at)} for {line.method} on {title_of(line.dataset)} (by {number(line.margin, 1)}"
        + ("; the lowest tried)" if line.lowest else "; the highest tried)" if line.highest else ")")
        for line in best.itertuples()
    ]
    edge = " A rate at the edge may have a better one beyond it." if best[["lowest", "highest"]].any(axis=None) else ""
    grid = ", ".join(number(rate) for rate in tried)
    chosen = (
        "Validation, by ridge on one split, chose the learning rates (in brackets how many points ahead of the second "
        f"best) {'; '.join(words)}, from the same grid ({grid})."
    )
    return f"{chosen}{edge}{_other_choice(rows, best)}"


def _other_choice(rows: pd.DataFrame, best: pd.DataFrame) -> str:
    """Say where an MLP on the same validation nodes would have chosen another rate."""
    try:
        others = best_rates(rows, "MLP").set_index(["dataset", "method"])["at"]
    except MissingRowsError:
        return ""
    chosen = best.set_index(["dataset", "method"])["at"]
    words = [
        f"{number(rate)} for {method} on {title_of(name)}"
        for (name, method), rate in others.items()
        if rate != chosen[name, method]
    ]
    return f" An MLP would have chosen {', '.join(words)}." if words else " An MLP would have chosen the same."


def rate_of(rows: pd.DataFrame, data_set: str, tried: Sequence[float]) -> float:
    """Return the learning rate of GIANT in a run: the only one, or what validation chose on the data set.

    A cell of a run that has no record of the choice, which is made once, gets the middle one of those tried.
    """
    try:
        chosen = select(best_rates(rows), dataset=data_set, method="GIANT")["at"]
    except MissingRowsError:
        return sorted(tried)[len(tried) // 2]
    return float(chosen.iloc[0])


def seeds_sentence(rows: pd.DataFrame, data_set: str) -> str:
    """Say on how many seeds each comparison of a data set rests, as the recorded rows have it."""
    here = select(rows, dataset=data_set)
    here = here[here["experiment"] != "rates"]
    what = here["experiment"].where(here["experiment"] != "comparison", "comparison with " + here["labels"].astype(str))
    telling = [column for column in ("method", "model", "labels", "at", "level") if column in here]
    counts = {}
    for name, group in here.groupby(what, sort=False):
        found = group.groupby(telling, dropna=False)["seed"].nunique()
        counts[name] = _from_to(found)
    words = "; ".join(f"{name} {count}" for name, count in counts.items())
    fewer = " Where two numbers stand, slower methods have fewer." if " to " in words else ""
    return f"Seeds behind each mean on {title_of(data_set)}: {words}.{fewer}"


def _from_to(counts: Sequence[int] | pd.Series) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def networks_sentence(rows: pd.DataFrame, data_set: str) -> str:
    """Say how the claim on graph networks depends on the plain features, and which network gains most."""
    how = {"dataset": data_set}
    best = max(PLAIN, key=lambda name: _mean(rows, name, "MLP", data_set))
    try:
        sage = accuracy(rows, "GIANT", "GraphSAGE", FEW, **how) - accuracy(rows, "SVD", "GraphSAGE", FEW, **how)
    except MissingRowsError:
        return ""
    less = {}
    for name in ("SVD", best):
        mlp = accuracy(rows, "GIANT", "MLP", FEW, **how) - accuracy(rows, name, "MLP", FEW, **how)
        less[name] = difference(t_interval(paired_differences(mlp, sage)))
    first = (
        f"The MLP's gain minus GraphSAGE's hangs on the plain features: {less['SVD']} points with SVD under both, as "
        f"the rule says, {less[best]} with {best} under the MLP, its best plain features."
    )
    gains = {"GraphSAGE": t_interval(sage)}
    for model in NETWORKS:
        try:
            gains[model] = gap(rows, ("GIANT", model), ("SVD", model), FEW, experiment="networks", **how)
        except MissingRowsError:
            continue
    if len(gains) == 1:
        return first
    ordered = sorted(gains, key=lambda model: -gains[model].estimate)
    words = ", ".join(f"{model} {difference(gains[model])} (n = {gains[model].n})" for model in ordered)
    return f"{first} Gains of the networks over SVD, largest first: {words}."


def _mean(rows: pd.DataFrame, name: str, model: str, data_set: str) -> float:
    values = measured(rows, method=name, model=model, labels=FEW, dataset=data_set, experiment="comparison")
    return float("-inf") if values is None else float(values.mean())


def rivals_sentence(rows: pd.DataFrame, data_set: str) -> str:
    """Say which rivals that read the graph at prediction do better than the one that the rule names."""
    words = []
    for labels in REGIMES:
        for method, model in (("SVD, one hop", "ridge"), ("DGI", "ridge"), ("MiniLM, frozen", "GraphSAGE")):
            try:
                one = gap(rows, ("GIANT", "MLP"), (method, model), labels, dataset=data_set)
            except (MissingRowsError, ValueError):
                continue
            words.append(f"{method} with {model} {difference(one)} ({labels}, n = {one.n})")
    if not words:
        return ""
    return f"GIANT with an MLP minus other rivals that read the graph at prediction, points: {'; '.join(words)}."


def links_sentence(rows: pd.DataFrame, data_set: str) -> str:
    """Say what the comparison with link prediction hangs on: reading-out, rate, and seeds of both amounts of labels."""
    names = ("Link prediction", "GIANT")
    try:
        losses = {name: gap(rows, (name, "MLP"), (name, "ridge"), FEW, dataset=data_set) for name in names}
    except MissingRowsError:
        return ""
    words = ", ".join(f"{name} {difference(one)}" for name, one in losses.items())
    text = f"What an MLP reads out of the same features beyond ridge, points ({FEW}): {words}."
    if _lowest_rate_was_best(rows, data_set, "Link prediction"):
        text += (
            " The rates were chosen by ridge, and link prediction's lies on the lower edge of the grid, so that a "
            "better one may exist below: that favours GIANT."
        )
    return text


def _lowest_rate_was_best(rows: pd.DataFrame, data_set: str, method: str) -> bool:
    try:
        return bool(select(best_rates(rows), dataset=data_set, method=method)["lowest"].all())
    except MissingRowsError:
        return False


def settling_sentence(rows: pd.DataFrame) -> str:
    """Say how many seeds each amount of labels would need for C3, since the verdict asks for both."""
    try:
        if neighbours_beat_links(rows).outcome != "inconclusive":
            return ""
        wanted = {}
        for labels in REGIMES:
            pairs = (accuracy(rows, name, "MLP", labels) for name in ("GIANT", "Link prediction"))
            wanted[labels] = seeds_to_settle(paired_differences(*pairs))
    except MissingRowsError:
        return ""
    words = ", ".join(f"{labels} {'over 100,000' if n is None else f'{n:,}'}" for labels, n in wanted.items())
    return f"C3 asks for both amounts of labels; seeds that would settle each, if mean and spread stay: {words}."


def controls_sentence(rows: pd.DataFrame) -> str:
    """Say how to read the two controls."""
    try:
        planted, rewired = planted_gain(rows, "GIANT"), planted_gain(rows, "GIANT, rewired graph")
    except MissingRowsError:
        return ""
    if rewired.below(0):
        reading = "there the effect does not merely vanish: pre-training on a meaningless graph makes features worse"
    elif rewired.above(0):
        reading = "there a gain remains, which the graph cannot explain"
    else:
        reading = "there the interval contains 0"
    controlled = ", ".join(claim.id for claim in CLAIMS if claim.controls)
    return (
        f"Controls, GIANT minus SVD: {difference(planted)} points where only links reveal the class, "
        f"{difference(rewired)} (n = {rewired.n}) with the same edges rewired at random; {reading}. The second is "
        f"one-sided: it asks that no gain above {number(MOST_REWIRED)} points remain. Both use one drawn graph: their "
        f"intervals leave out the draw of the graph. They stand behind {controlled}; the other claims have none."
    )


def few_labels_sentence(rows: pd.DataFrame) -> str:
    """Say the seeds behind the two amounts of labels of the claims that ask for both."""
    try:
        ns = {labels: [gap(rows, ("GIANT", "MLP"), rival, labels).n for rival in RIVALS] for labels in REGIMES}
    except MissingRowsError:
        return ""
    words = ", ".join(f"{_from_to(n)} with {labels}" for labels, n in ns.items())
    return f"Seeds behind C1, C3 and C7: {words}; the table's interval is that of the first, the verdict uses both."


def tree_sentence(rows: pd.DataFrame, data_set: str) -> str:
    """Say, beside the verdict on C5, what a tree made from texts alone is worth."""
    try:
        one = ablated(rows, "Text tree", data_set=data_set)
    except MissingRowsError:
        return ""
    if one.n == 1:
        tail = "which one seed cannot decide"
    elif one.low <= 0 <= one.high:
        tail = "so that the links inside PIFA are not shown to add anything"
    else:
        tail = "beyond doubt"
    return (
        f"C5 does not compare with a tree on texts alone. On {title_of(data_set)}, PIFA tree minus text tree: "
        f"{difference(one)} points (n = {one.n}), {tail}."
    )


def neighbours_sentence(rows: pd.DataFrame, data_set: str) -> str:
    """Say where GIANT stands among the methods that rank held-out neighbours, and what it was trained on."""
    try:
        here = select(rows, dataset=data_set, experiment="neighbours")
    except MissingRowsError:
        return ""
    places = {}
    for k in (1, 5):
        means = select(here, metric=f"precision@{k}").groupby("method")["value"].mean().sort_values(ascending=False)
        places[k] = (list(means.index).index("GIANT") + 1, len(means))
    words = ", ".join(f"{place} of {of} at {k}" for k, (place, of) in places.items())
    text = f"GIANT's place by precision on {title_of(data_set)}: {words}."
    try:
        levels = sorted({int(level) for level in select(rows, dataset=data_set, experiment="clusters")["level"]})
    except MissingRowsError:
        return text
    clusters = []
    for method in ("GIANT", "GIANT, own heads", "Link prediction"):
        found = [over_svd(rows, data_set, level, method) for level in levels]
        better, worse = sum(one.above(0) for one in found), sum(one.below(0) for one in found)
        undecided = "one seed decides nothing" if found[0].n == 1 else f"above SVD at {better}, below it at {worse}"
        clusters.append(f"{method} {undecided}")
    return (
        f"{text} Its finest targets are {number(levels[-1])} clusters of nodes, never single nodes: ranking nodes asks "
        "for more than was trained. Of clusters that hold held-out neighbours, by precision at 1 and beyond doubt, "
        f"over {len(levels)} levels: {'; '.join(clusters)}."
    )
