"""Sentences on both rankings, computed from the rows of the run: orders, oracles, rivals, and what they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reprise.numerals import difference, number
from reprise.plots import measured
from reprise.rim.claims import FACTORISATIONS, FACTORS, NETWORKS
from reprise.rim.comparisons import ITEM_REC, USER_REC, Resampled, by_user, ranked
from reprise.rim.figures import found, share_of_longest, title_of
from reprise.rim.kernel_features import LONGER_SCALES, SCALES
from reprise.rows import MissingRowsError, per_seed

if TYPE_CHECKING:
    import pandas as pd

    from reprise.stats import Interval

DIFFERENCES = (
    ("GRU × HP", "GRU"),
    ("GRU × EMA", "GRU × UserPop"),
    ("GRU × HP", "GRU × EMA"),
    ("GRU × HP", "GRU × Hawkes"),
)
GRAPHS = ("GraphConv", "GraphConv-Extra")


def _users(rows: pd.DataFrame, data_set: str, factor: str) -> Resampled:
    return ranked(rows, data_set, USER_REC, f"GRU × {factor}")


def _ends(interval: Interval) -> str:
    return f"{number(interval.estimate, 2)} [{number(interval.low, 2)}, {number(interval.high, 2)}]"


def _standing(gain: Interval) -> str:
    return "ahead of" if gain.above(0) else "behind" if gain.below(0) else "level with"


def where_the_order_breaks(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say for each data set which steps of none < UserPop < EMA < Hawkes < HP hold, are reversed, or are open.

    Users are resampled: intervals from resampled items are narrower and leave out how much hangs on a few users.
    """
    words = []
    for name in data_sets:
        try:
            level = {"none": by_user(rows, name, "GRU"), **{f: by_user(rows, name, f"GRU × {f}") for f in FACTORS}}
        except MissingRowsError:
            continue
        kinds: dict[str, list[str]] = {"holds": [], "is reversed": [], "is open": []}
        for lower, higher in zip(level, list(level)[1:], strict=False):
            gain = (level[higher] - level[lower]).interval()
            kind = "holds" if gain.above(0) else "is reversed" if gain.below(0) else "is open"
            kinds[kind].append(f"{lower} < {higher}")
        parts = [
            f"{', '.join(steps)} {kind if len(steps) == 1 else _plural(kind)}" for kind, steps in kinds.items() if steps
        ]
        best = max(FACTORS, key=lambda f: float(level[f].values[0]))
        words.append(f"**{title_of(name)}**: {'; '.join(parts)}; the best factor is {best}")
    return f"With users resampled: {'. '.join(words)}." if words else "This run has no ranking of users."


def _plural(kind: str) -> str:
    return {"holds": "hold", "is reversed": "are reversed", "is open": "are open"}[kind]


def why_it_breaks(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how past counts and recency go with future counts, which decides what an intensity adds."""
    words = []
    for name in data_sets:
        how = {"dataset": name, "part": "activity", "metric": "correlation with the future count"}
        value = {f: measured(rows, method=f, **how) for f in ("UserPop", "EMA", "HP")}
        if any(v is None for v in value.values()):
            continue
        mean = {f: float(v.mean()) for f, v in value.items() if v is not None}
        words.append(
            f"on {title_of(name)} the future count correlates with the past one at {number(mean['UserPop'], 2)}, with "
            f"the moving average at {number(mean['EMA'], 2)}, with HP at {number(mean['HP'], 2)}"
        )
    return f"What recency adds to the count: {'; '.join(words)}." if words else "This run has no correlations."


def how_much_is_activity(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how far true activity, and true marks, would lift UserRec beyond GRU × HP."""
    words = []
    for name in data_sets:
        try:
            hp, counts = _users(rows, name, "HP"), _users(rows, name, "true counts")
            marks = ranked(rows, name, USER_REC, "True marks × HP")
        except MissingRowsError:
            continue
        levels = [float(r.values[0]) for r in (hp, counts, marks)]
        words.append(
            f"on {title_of(name)} {number(levels[0], 1)} hits (events) in a hundred recommendations become "
            f"{number(levels[1], 1)} with true counts, {number(levels[2], 1)} with true marks"
        )
    joined = "; ".join(words)
    return f"What an oracle would add: {joined}." if words else "This run has no oracle."


def how_few_are_addressed(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say over how many users the user recommendation of the GRU is spread, without and with HP."""
    words = []
    for name in data_sets:
        how = {"dataset": name, "part": "ranking", "task": USER_REC, "metric": "user perplexity"}
        alone, product = (measured(rows, method=method, **how) for method in ("GRU", "GRU × HP"))
        users = measured(rows, dataset=name, part="data", metric="users")
        if alone is None or product is None or users is None:
            continue
        levels = [number(float(values.mean()), 0) for values in (alone, product, users)]
        words.append(f"on {title_of(name)} from {levels[0]} to {levels[1]}, of {levels[2]} users")
    return f"HP takes the user perplexity of the GRU {'; '.join(words)}." if words else ""


def overconfidence(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how much surer the GRU is of validation targets, which it was trained on, than of test targets."""
    words = []
    for name in data_sets:
        how = {"dataset": name, "part": "activity", "method": "GRU", "metric": "mean log probability of targets"}
        test, validation = (measured(rows, split=s, **how) for s in ("test", "validation"))
        if test is None or validation is None:
            continue
        gap = float((validation - test).mean())
        words.append(f"{number(gap, 2, signed=True)} nats a target on {title_of(name)}")
    if not words:
        return "This run has no validation requests."
    return f"Mean log probability of validation targets minus that of test targets: {', '.join(words)}."


def recall_is_overstated(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say by how much the released recall exceeds the recall."""
    words = []
    for name in data_sets:
        how = {"dataset": name, "part": "ranking", "task": "ItemRec", "method": "GRU"}
        right, wrong = (per_seed(rows, metric=m, **how) for m in ("recall (%)", "recall as released (%)"))
        words.append(f"{number(float((wrong / right).mean()), 1)}-fold on {title_of(name)}")
    return f"For the GRU it comes out {', '.join(words)}."


def against_factorisations(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say for each data set how GRU × HP stands to the best factorisation on both axes."""
    words = []
    for name in data_sets:
        parts = []
        for task, own in ((ITEM_REC, "GRU"), (USER_REC, "GRU × HP")):
            rivals = {rival: found(rows, name, task, rival) for rival in FACTORISATIONS}
            present = {rival: value for rival, value in rivals.items() if value is not None}
            ours = found(rows, name, task, own)
            if not present or ours is None:
                continue
            best = max(present, key=lambda rival: float(present[rival].values[0]))
            gain = (ours - present[best]).interval()
            parts.append(f"in {task} {_standing(gain)} {best} ({difference(gain, 2)} points)")
        if parts:
            words.append(f"on {title_of(name)} GRU × HP is {', '.join(parts)}")
    return f"Against the best factorisation, {'; '.join(words)}." if words else "This run has no factorisations."


def what_activity_does_to_others(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what HP does to the user recommendation of ALS, and how the GRU's product stands to that of popularity."""
    words = []
    for name in data_sets:
        methods = ("ALS × HP", "ALS", "GRU × HP", "ItemPop × HP")
        level = {method: found(rows, name, USER_REC, method) for method in methods}
        als, als_hp, gru, popular = (level[m] for m in ("ALS", "ALS × HP", "GRU × HP", "ItemPop × HP"))
        if als is None or als_hp is None or gru is None or popular is None:
            continue
        ratio, gain = als_hp.over(als).interval(), (gru - popular).interval()
        verb = "raises" if ratio.above(1) else "lowers" if ratio.below(1) else "leaves open"
        words.append(
            f"on {title_of(name)} HP {verb} the UserRec precision of ALS (ratio {_ends(ratio)}), and GRU × HP is "
            f"{_standing(gain)} ItemPop × HP ({difference(gain, 2)} points)"
        )
    if not words:
        return ""
    return f"C2, C4 and C8 are judged on the GRU. By items resampled, {'; '.join(words)}."


def differences_by_user(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say which differences of UserRec precision stand when users are resampled instead of items."""
    words = []
    for name in data_sets:
        try:
            parts = [
                f"{a} − {b} {difference((by_user(rows, name, a) - by_user(rows, name, b)).interval(), 2)}"
                for a, b in DIFFERENCES
            ]
        except MissingRowsError:
            continue
        words.append(f"On {title_of(name)}: {'; '.join(parts)}.")
    return f"Differences in points with users resampled. {' '.join(words)}" if words else ""


def beside_graph_convolution(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how each mark model × HP stands to both graph convolutions, which the rule of C5 leaves out."""
    words = []
    for name in data_sets:
        for network in NETWORKS:
            gains = []
            for task, own in ((ITEM_REC, network), (USER_REC, f"{network} × HP")):
                levels = [found(rows, name, task, method) for method in (own, *GRAPHS)]
                value, rivals = levels[0], [rival for rival in levels[1:] if rival is not None]
                if value is not None and len(rivals) == len(GRAPHS):
                    parts = [difference((value - rival).interval(), 2) for rival in rivals]
                    gains.append(f"{task} {' and '.join(parts)}")
            if gains:
                words.append(f"{network} × HP on {title_of(name)}: {', '.join(gains)}")
    if not words:
        return ""
    return (
        'C5 was locked before GraphConv was built and cannot say more than "partly". Points of precision over '
        f"{' and '.join(GRAPHS)}: {'; '.join(words)}."
    )


def where_the_grid_ends(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how much of HP's weight lies on the longest scale, and what a longer grid changes, on users left out."""
    words = []
    for name in data_sets:
        how = {"dataset": name, "part": "kernel", "split": "validation", "metric": "held-out Poisson loss"}
        losses = [measured(rows, method=method, **how) for method in ("HP", "HP, longer scales")]
        longer, usual = (found(rows, name, USER_REC, f"GRU × {f}") for f in ("HP, longer scales", "HP"))
        if longer is None or usual is None or losses[0] is None or losses[1] is None:
            continue
        share, change = 100 * share_of_longest(rows, name), float((losses[1] - losses[0]).mean())
        words.append(
            f"on {title_of(name)} {number(share, 0)} % of HP's kernel weight lies on the longest scale; a longer grid "
            f"changes the loss on users left out by {number(change, 4, signed=True)}, and UserRec precision by the "
            f"factor {_ends(longer.over(usual).interval())}"
        )
    if not words:
        return ""
    return (
        f"The paper's scales end at {SCALES[-1]:g} horizons. With further ones up to {LONGER_SCALES[-1]:g}, for Hawkes "
        f"and HP alike: {'; '.join(words)}."
    )
