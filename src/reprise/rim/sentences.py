"""Sentences of the chapter whose numbers, and whose direction, are computed from the rows of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reprise.numerals import difference, number
from reprise.plots import measured
from reprise.rim.claims import FACTORISATIONS, FACTORS
from reprise.rim.comparisons import ITEM_REC, USER_REC, Resampled, by_user, ranked
from reprise.rim.figures import found, title_of
from reprise.rows import MissingRowsError, per_seed

if TYPE_CHECKING:
    import pandas as pd


def _users(rows: pd.DataFrame, data_set: str, factor: str) -> Resampled:
    return ranked(rows, data_set, USER_REC, f"GRU × {factor}")


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
        verdict = (
            "recency tells what the count does not"
            if mean["HP"] > mean["UserPop"] + 0.05
            else "the count alone says nearly as much"
        )
        words.append(
            f"on {title_of(name)} the future count correlates with the past one at {number(mean['UserPop'], 2)}, with "
            f"the moving average at {number(mean['EMA'], 2)}, with HP at {number(mean['HP'], 2)}: {verdict}"
        )
    return f"The data decide: {'; '.join(words)}." if words else "This run has no correlations."


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
            f"on {title_of(name)} {number(levels[0], 1)} hits in a hundred recommendations become "
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


def loop_against_exact(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what the released loop leaves undelivered on its own fitting matrix, beside the exact solver."""
    for name in data_sets:
        how = {
            "dataset": name, "part": "matching", "split": "fitted", "metric": "shortfall (%)", "multiplier": 0.7,
            "method": "GRU × HP", "served": "online",
        }  # fmt: skip
        loop, exact = (measured(rows, solver=s, **how) for s in ("released loop", "exact"))
        if loop is None or exact is None:
            continue
        return (
            f"On {title_of(name)} at m = 0.7 the released loop leaves {number(float(loop.mean()), 1)} % of the lower "
            "bounds undelivered on the very matrix that it was fitted on, the exact solver "
            f"{number(float(exact.mean()), 2)} %."
        )
    return "This run has no matching with both solvers."


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
            how = "ahead of" if gain.above(0) else "behind" if gain.below(0) else "level with"
            parts.append(f"in {task} {how} {best} ({difference(gain, 2)} points)")
        if parts:
            words.append(f"on {title_of(name)} GRU × HP is {', '.join(parts)}")
    return f"Against the best factorisation, {'; '.join(words)}." if words else "This run has no factorisations."


def where_cheap_exposure_goes(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what an exposure of the rarest third of the items hits, without a bound and with a minimal exposure."""
    for name in data_sets:
        how = {"dataset": name, "part": "matching", "method": "GRU × HP", "at": 1.0}
        free = {"multiplier": 0.0, "served": "offline", "solver": "none"}
        bound = {"multiplier": 0.7, "served": "online", "solver": "exact"}
        if measured(rows, metric="exposures", **free, **how) is None:
            continue
        hits = "hits per exposure (%)"
        before, after = (measured(rows, metric=hits, **side, **how) for side in (free, bound))
        return (
            f"On {title_of(name)} an exposure of the rarest third of the items hits {_hits(before)} without a bound, "
            f"and {_hits(after)} when every item must get its minimum."
        )
    return "This run has no matching."


def _hits(values: pd.Series | None) -> str:
    """Write hits per exposure; a third of the items that nobody is shown has none."""
    return "nobody (there is none)" if values is None else f"{number(float(values.mean()), 2)} times in a hundred"
