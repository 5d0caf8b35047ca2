"""The decision rules of the claims, fixed before the first published run.

Every rule reads the clean protocol only (``mode`` is ``paper10``, dropout off at evaluation); differences are taken
seed by seed and in points of accuracy. A seed is a split, a draw of the groups and an initialisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reprise.claims import Finding, Outcome
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, paired_differences, pearson_interval, seeds_to_settle, spearman_interval, t_interval

if TYPE_CHECKING:
    import pandas as pd

STUDENT, TEACHER, GCN, MLP = "Cold Brew student", "Cold Brew teacher", "GCN", "MLP"
GENERATOR = "sub-topics"
MAIN_SETS = ("cora", "citeseer", "chameleon")
RATIO_SETS = (*MAIN_SETS, "texas", "wisconsin", "cornell", "actor", "dblp")
CELLS = tuple((data_set, split) for data_set in MAIN_SETS for split in ("tail", "head", "overall"))
AS_GOOD_POINTS = -1.0
CELLS_FOR_PARTLY = 5
LEAST_DEPTH = 32
RESCUE_POINTS = 10.0
PRICE_POINTS = -5.0
RANK_CORRELATION = -0.5
SETS_FOR_BLOG = 2
DISTILLED_ON = {
    "connected": "ẽ and ê, SE teacher",
    "train": "distilled on training nodes, SE teacher",
}


def scores(rows: pd.DataFrame, method: str, data_set: str, split: str, metric: str = "accuracy") -> pd.Series:
    """Return one value per seed in the clean protocol."""
    return per_seed(rows, metric=metric, dataset=data_set, split=split, method=method, mode="paper10", setting=None)


def lead(
    rows: pd.DataFrame, first: str, second: str, data_set: str, split: str = "isolation", metric: str = "accuracy"
) -> np.ndarray:
    """Return first − second, paired by seed."""
    return paired_differences(
        scores(rows, first, data_set, split, metric), scores(rows, second, data_set, split, metric)
    )


def points(interval: Interval) -> str:
    """Write a difference with its interval."""
    if interval.n == 1:
        return f"{interval.estimate:+.1f} points (one seed, no interval)"
    return f"{interval.estimate:+.1f} [{interval.low:.1f}, {interval.high:.1f}]"


def _over_sets(
    rows: pd.DataFrame, others: Sequence[str]
) -> tuple[dict[str, bool], dict[str, bool], str, dict[tuple[str, str], np.ndarray]]:
    """Whether the student beats all others on isolation, whether that is excluded, words, and the differences."""
    leads = {(name, other): lead(rows, STUDENT, other, name) for name in MAIN_SETS for other in others}
    intervals = {key: t_interval(found) for key, found in leads.items()}
    better = {name: all(intervals[name, other].above(0) for other in others) for name in MAIN_SETS}
    worse = {name: any(intervals[name, other].below(0) for other in others) for name in MAIN_SETS}
    words = "; ".join(
        f"{name}: " + ", ".join(f"student − {other} {points(intervals[name, other])}" for other in others)
        for name in MAIN_SETS
    )
    return better, worse, words, leads


def student_beats_on_isolation(rows: pd.DataFrame, others: tuple[str, ...]) -> Finding:
    """Decide C1 (against GCN) and C2 (against MLP and GraphMLP).

    Accuracy on isolated test nodes, student minus each other method, paired by seed, dropout off; a data set counts if
    all its intervals lie above 0. Cora, Citeseer and Chameleon: reproduced; one or two of them: partly; none, and on
    each of them an interval lies below 0: not reproduced; else inconclusive.
    """
    better, worse, words, leads = _over_sets(rows, others)
    evidence = f"On isolation, {words}.{_beside_plain_distillation(rows) if MLP in others else ''}"
    smallest = min(leads, key=lambda key: t_interval(leads[key]).low)
    interval = t_interval(leads[smallest])
    quantity = f"smallest lead: student − {smallest[1]} on {smallest[0]}, points of accuracy in isolation"
    if any(better.values()):
        outcome: Outcome = "reproduced" if all(better.values()) else "partly reproduced"
        return Finding(outcome, evidence, interval, quantity=quantity)
    if all(worse.values()):
        return Finding("not reproduced", evidence, interval, quantity=quantity)
    open_ones = [seeds_to_settle(found) for (name, _), found in leads.items() if not worse[name]]
    numbers = [number for number in open_ones if number is not None]
    return Finding("inconclusive", evidence, interval, max(numbers) if numbers else None, quantity)


def _beside_plain_distillation(rows: pd.DataFrame) -> str:
    """The student against GLNN, which the paper does not compare and no verdict rests on."""
    try:
        gains = {name: t_interval(lead(rows, STUDENT, "GLNN", name)) for name in MAIN_SETS}
    except MissingRowsError:
        return ""
    return " Student − GLNN: " + ", ".join(f"{name} {points(gain)}" for name, gain in gains.items()) + "."


def teacher_is_as_good(rows: pd.DataFrame) -> Finding:
    """Decide C3.

    Teacher minus GCN on tail, head and all nodes of Cora, Citeseer and Chameleon: all nine intervals above −1 point,
    and Chameleon overall above 0: reproduced; at least five of nine above −1: partly; at least five of nine wholly
    below −1: not reproduced; else inconclusive.
    """
    gains = {cell: t_interval(lead(rows, TEACHER, GCN, *cell)) for cell in CELLS}
    as_good = sum(gain.above(AS_GOOD_POINTS) for gain in gains.values())
    worse = sum(gain.below(AS_GOOD_POINTS) for gain in gains.values())
    largest = gains["chameleon", "overall"]
    evidence = f"Teacher − GCN is above −1 point in {as_good} of {len(CELLS)} cells: " + "; ".join(
        f"{name} {split} {points(gain)}" for (name, split), gain in gains.items()
    )
    outcome: Outcome = "inconclusive"
    if as_good == len(CELLS) and largest.above(0):
        outcome = "reproduced"
    elif as_good >= CELLS_FOR_PARTLY:
        outcome = "partly reproduced"
    elif worse >= CELLS_FOR_PARTLY:
        outcome = "not reproduced"
    quantity = "teacher − GCN on chameleon, all nodes, points of accuracy"
    return Finding(outcome, evidence + ".", largest, quantity=quantity)


def embeddings_prevent_collapse(rows: pd.DataFrame) -> Finding:
    """Decide C4.

    Cora, the deepest networks of the run (32 layers or more), teacher minus GCN: overall, the interval lies above 10
    points, and on isolation the mean gain is less than half of the overall one: reproduced; only the first: partly;
    overall interval below 10: not reproduced; else inconclusive.
    """
    depths = select(rows, dataset="cora", method=TEACHER, mode="paper10", metric="mean pairwise cosine")["at"]
    depth = int(depths.max())
    if depth < LEAST_DEPTH:
        raise MissingRowsError(f"the deepest network of this run has {depth} layers; the rule needs {LEAST_DEPTH}.")
    metric = f"accuracy at {depth} layers"
    overall = lead(rows, TEACHER, GCN, "cora", "overall", metric)
    gain = t_interval(overall)
    cold = t_interval(lead(rows, TEACHER, GCN, "cora", "isolation", metric))
    evidence = f"{depth} layers, with − without SE: overall {points(gain)}, isolation {points(cold)}."
    quantity = f"teacher − GCN on cora at {depth} layers, points of accuracy"
    if gain.above(RESCUE_POINTS):
        outcome: Outcome = "reproduced" if cold.estimate < gain.estimate / 2 else "partly reproduced"
        return Finding(outcome, evidence, gain, quantity=quantity)
    if gain.below(RESCUE_POINTS):
        return Finding("not reproduced", evidence, gain, quantity=quantity)
    return Finding("inconclusive", evidence, gain, seeds_to_settle(overall, RESCUE_POINTS), quantity)


def _price(rows: pd.DataFrame, setting: str) -> dict[str, Interval]:
    """Student − GCN on head and tail of Cora for one way of distilling, from the teacher with embeddings."""
    how = {"metric": "accuracy on the ladder", "dataset": "cora", "method": STUDENT, "mode": "paper10"}
    return {
        split: t_interval(
            paired_differences(per_seed(rows, **how, split=split, setting=setting), scores(rows, GCN, "cora", split))
        )
        for split in ("head", "tail")
    }


def student_pays_on_head_and_tail(rows: pd.DataFrame) -> Finding:
    """Decide C5.

    Cora, student of the SE teacher minus GCN on head and tail, judged for distillation on the training nodes (the
    released code) and on all connected nodes (the paper's text): both intervals below −5 points for both ways:
    reproduced; for one way: partly; for each way an interval wholly above −5: not reproduced; else inconclusive.
    """
    prices = {way: _price(rows, setting) for way, setting in DISTILLED_ON.items()}
    pays = {way: all(price.below(PRICE_POINTS) for price in found.values()) for way, found in prices.items()}
    spared = {way: any(price.above(PRICE_POINTS) for price in found.values()) for way, found in prices.items()}
    evidence = "Student − GCN, " + "; ".join(
        f"distilled on {'training' if way == 'train' else way} nodes: "
        + ", ".join(f"{split} {points(price)}" for split, price in found.items())
        for way, found in prices.items()
    )
    outcome: Outcome = "inconclusive"
    if any(pays.values()):
        outcome = "reproduced" if all(pays.values()) else "partly reproduced"
    elif all(spared.values()):
        outcome = "not reproduced"
    quantity = "student − GCN on cora's head, distilled on connected nodes, points of accuracy"
    return Finding(outcome, evidence + ".", prices["connected"]["head"], quantity=quantity)


def _ratios(rows: pd.DataFrame, data_sets: Sequence[str]) -> dict[str, float]:
    """Mean ratio over the seeds in which it is defined, by data set; undefined ones are left out."""
    how = {"split": "original graph", "method": "graph", "mode": "paper10", "metric": "fcr"}
    means = {name: float(per_seed(rows, dataset=name, **how).mean()) for name in data_sets}
    return {name: mean for name, mean in means.items() if not np.isnan(mean)}


def _left_out(kept: Sequence[str]) -> str:
    missing = [name for name in RATIO_SETS if name not in kept]
    return f" Undefined and left out: {', '.join(missing)}." if missing else ""


def ratio_falls_with_homophily(rows: pd.DataFrame) -> Finding:
    """Decide C6.

    Pearson's correlation of feature contribution ratio (mean over the seeds in which it is defined) and node homophily
    over the eight real data sets of the standard profile, undefined ratios left out, Fisher's 95 % interval: below 0:
    reproduced; above 0: not reproduced; else, or with fewer than four data sets, inconclusive.
    """
    ratios = _ratios(rows, RATIO_SETS)
    how = {"metric": "homophily", "split": "original graph", "method": "graph", "mode": "paper10"}
    homophily = [float(per_seed(rows, dataset=name, **how).mean()) for name in ratios]
    notes = _left_out(list(ratios)) + _generator_sweep(rows)
    if len(ratios) < 4:
        return Finding("inconclusive", f"The ratio is defined on {len(ratios)} data sets only.{notes}")
    r = pearson_interval(list(ratios.values()), homophily)
    evidence = f"r = {r.estimate:.2f} [{r.low:.2f}, {r.high:.2f}] over {r.n} data sets.{notes}"
    outcome: Outcome = "reproduced" if r.below(0) else "not reproduced" if r.above(0) else "inconclusive"
    return Finding(outcome, evidence, r, quantity="Pearson's correlation of ratio and homophily")


def _generator_sweep(rows: pd.DataFrame) -> str:
    """The second line of evidence: the ratio on the generator, in which nothing but homophily changes."""
    try:
        ratio = select(rows, dataset=GENERATOR, metric="fcr of the sweep")
    except MissingRowsError:
        return ""
    means = ratio.groupby("at")["value"].mean().dropna()
    path = ", ".join(f"{mean:.0f} % at h = {at:g}" for at, mean in means.items())
    return f" On the generator, where only homophily h changes: {path}."


def _gap(rows: pd.DataFrame, data_set: str, method: str = TEACHER) -> pd.Series:
    """Head − isolation, one value per seed."""
    return scores(rows, method, data_set, "head") - scores(rows, method, data_set, "isolation")


def low_ratio_means_a_wide_gap(rows: pd.DataFrame) -> Finding:
    """Decide C7.

    The gap is the teacher's head minus isolation accuracy, as in the paper's table. (a) Gap of Cora minus gap of
    Chameleon, by seed, has its interval above 0; (b) Spearman's correlation of ratio and mean gap over the eight data
    sets is below −0.5. Both: reproduced; one: partly; neither, and (a) below 0: not reproduced; else inconclusive.
    """
    differences = paired_differences(_gap(rows, "cora"), _gap(rows, "chameleon"))
    interval = t_interval(differences)
    ratios = _ratios(rows, RATIO_SETS)
    gaps = {name: float(_gap(rows, name).mean()) for name in ratios}
    both = [name for name in ratios if not np.isnan(gaps[name])]
    enough = len(both) >= 4
    rank = spearman_interval([ratios[n] for n in both], [gaps[n] for n in both]).estimate if enough else np.nan
    evidence = (
        f"Gap of Cora − gap of Chameleon {points(interval)}; Spearman {rank:.2f} over {len(both)} data sets: "
        + ", ".join(f"{name} {gaps[name]:.0f} points at {ratios[name]:.0f} %" for name in both)
        + f".{_left_out(both)}"
    )
    holds = (interval.above(0), bool(rank < RANK_CORRELATION))
    quantity = "gap of cora − gap of chameleon, points of accuracy"
    if any(holds):
        outcome: Outcome = "reproduced" if all(holds) else "partly reproduced"
        return Finding(outcome, evidence, interval, quantity=quantity)
    if interval.below(0):
        return Finding("not reproduced", evidence, interval, quantity=quantity)
    return Finding("inconclusive", evidence, interval, seeds_to_settle(differences), quantity)


def fewer_nodes_in_wrong_clusters(rows: pd.DataFrame) -> Finding:
    """Decide C9.

    Cora: share of isolated, and of tail, test nodes whose ten nearest connected nodes (cosine, last hidden layer) have
    the node's label as majority; student minus GCN and minus MLP, paired by seed. All intervals above 0 in both
    groups: reproduced; in one group: partly; in each group one below 0: not reproduced; else inconclusive.
    """
    metric = "label agreement with the 10 nearest"
    leads = {
        split: {other: t_interval(lead(rows, STUDENT, other, "cora", split, metric)) for other in (GCN, MLP)}
        for split in ("isolation", "tail")
    }
    better = [all(gain.above(0) for gain in found.values()) for found in leads.values()]
    worse = [any(gain.below(0) for gain in found.values()) for found in leads.values()]
    evidence = "Label agreement, " + "; ".join(
        f"{split}: " + ", ".join(f"student − {other} {points(gain)}" for other, gain in found.items())
        for split, found in leads.items()
    )
    outcome: Outcome = "inconclusive"
    if any(better):
        outcome = "reproduced" if all(better) else "partly reproduced"
    elif all(worse):
        outcome = "not reproduced"
    quantity = "student − GCN on cora's isolated nodes, points of label agreement"
    return Finding(outcome, evidence + ".", leads["isolation"][GCN], quantity=quantity)


def improves_on_existing_ways(rows: pd.DataFrame) -> Finding:
    """Decide C10.

    That a prediction reads no edge is checked by a test, bit for bit; this rule decides the improvement. On isolated
    nodes the student is better than GCN on at least two of Cora, Citeseer and Chameleon, and better than both MLP and
    GraphMLP on at least two: reproduced; one of the two: partly; worse on at least two in both comparisons: not
    reproduced; else inconclusive.
    """
    graph = _over_sets(rows, (GCN,))
    features = _over_sets(rows, (MLP, "GraphMLP"))
    holds = [sum(better.values()) >= SETS_FOR_BLOG for better, *_ in (graph, features)]
    fails = [sum(worse.values()) >= SETS_FOR_BLOG for _, worse, *_ in (graph, features)]
    better_words = (
        f"Better than GCN on {sum(graph[0].values())} of {len(MAIN_SETS)} data sets, than MLP and GraphMLP on "
        f"{sum(features[0].values())}. On isolation, {graph[2]}; {features[2]}."
    )
    outcome: Outcome = "inconclusive"
    if any(holds):
        outcome = "reproduced" if all(holds) else "partly reproduced"
    elif all(fails):
        outcome = "not reproduced"
    return Finding(outcome, better_words)
