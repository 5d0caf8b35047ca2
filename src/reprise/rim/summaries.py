"""Tables of the study: both rankings beside the paper's, matching, solvers, and what questions the intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from reprise.numerals import MISSING, number, with_interval
from reprise.plots import defined, measured, printed
from reprise.rim.claims import FACTORS
from reprise.rim.comparisons import ITEM_REC, USER_REC, Resampled, by_user
from reprise.rim.data import EMBEDDED
from reprise.rim.data_sentences import span_in_words
from reprise.rim.figures import BOTH_AXES, COMPARED_FACTORS, PAPERS_SET, base_of, found, title_of
from reprise.rim.matched import EXACT, GREEDY, LOOP, OTHER_PRICES
from reprise.rim.matching_figures import sets_with_matching
from reprise.rim.matching_sentences import THIRDS
from reprise.rows import MissingRowsError, per_seed, select

if TYPE_CHECKING:
    from reprise.stats import Interval

LEVELS = (
    "Random", *BOTH_AXES[: BOTH_AXES.index("ItemPop × UserPop")], "ItemPop × UserPop", "ItemPop × EMA",
    "ItemPop × Hawkes", "ItemPop × HP", "ALS", "ALS × HP", "LogisticMF", "BPR, both kinds of negatives", "BPR-Item",
    "BPR-User", "GraphConv", "GraphConv-Extra", "LDA",
)  # fmt: skip
SPREAD = (
    "Random", "GRU", *(f"GRU × {factor}" for factor in FACTORS), "GRU × true counts", "ItemPop", "ItemPop × HP", "ALS",
    "ALS × HP", "LogisticMF", "BPR-Item", "BPR-User", "BPR, both kinds of negatives", "GraphConv", "GraphConv-Extra",
    "LDA",
)  # fmt: skip
FACTS = (
    "training events", "users", "items", "targets", "active users", "items for a user", "users for an item",
    "repeated targets (%)",
)  # fmt: skip


def _written(value: Interval | None) -> str:
    return MISSING if value is None else with_interval(value.estimate, value.low, value.high)


def _interval(value: Resampled | None) -> Interval | None:
    return None if value is None else value.interval()


def data_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return the sizes of each data set's split, means over seeds."""
    lines = []
    for name in data_sets:
        values = {f: float(per_seed(rows, dataset=name, part="data", metric=f).mean()) for f in FACTS}
        spans = per_seed(rows, dataset=name, part="data", metric="horizon")
        horizon = f"{spans.mean():g} (no unit)" if name == EMBEDDED else span_in_words(spans.to_numpy())
        line = {"data set": title_of(name), "horizon": horizon, **{f: number(v, 0) for f, v in values.items()}}
        lines.append(line)
    return pd.DataFrame(lines)


def levels_table(rows: pd.DataFrame, published: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return both precisions of all methods, ours with intervals and the paper's on MovieLens 1M."""
    how = {"dataset": PAPERS_SET, "part": "ranking", "metric": "precision (%)"}
    lines = []
    for method in LEVELS:
        line: dict[str, Any] = {"method": method}
        for name in data_sets:
            for task in (ITEM_REC, USER_REC):
                own = method if task == USER_REC else base_of(method)
                line[f"{title_of(name)}, {task}"] = _written(_interval(found(rows, name, task, own)))
        for task in (ITEM_REC, USER_REC):
            value = printed(published, method=method if task == USER_REC else base_of(method), task=task, **how)
            line[f"paper (MovieLens 1M), {task}"] = MISSING if value is None else number(value, 2)
        lines.append(line)
    return pd.DataFrame(lines)


def spread_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return over how many items and users recommendations are spread: perplexities, the histories' in the first line.

    The items of a method are those of its mark model, and stand in that one's line alone.
    """
    histories: dict[str, Any] = {"method": "histories of the test users"}
    lines: dict[str, dict[str, Any]] = {method: {"method": method} for method in SPREAD}
    for name in data_sets:
        for task, side in ((ITEM_REC, "item perplexity"), (USER_REC, "user perplexity")):
            column = f"{title_of(name)}, {side} of {task}"
            histories[column] = _rounded(measured(rows, dataset=name, part="data", metric=f"{side} of histories"))
            for method, line in lines.items():
                line[column] = _rounded(
                    measured(rows, dataset=name, part="ranking", task=task, method=method, metric=side)
                )
    return pd.DataFrame([histories, *lines.values()])


def _rounded(values: pd.Series | None) -> str:
    return MISSING if values is None else number(float(values.mean()), 0)


def matching_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return precision, delivery and certificate of each solver at the judged points, means over seeds."""
    name = sets_with_matching(rows, data_sets)[0]
    chosen = select(rows, dataset=name, part="matching")
    lines = []
    for method in ("GRU", "GRU × HP"):
        for multiplier in (0.7, 1.0):
            for solver in (EXACT, LOOP, GREEDY, OTHER_PRICES):
                for served in ("offline", "online"):
                    how = {"method": method, "multiplier": multiplier, "solver": solver, "served": served}
                    line = _matching_line(chosen, how)
                    if line:
                        lines.append({**how, **line})
    return pd.DataFrame(lines)


def _matching_line(rows: pd.DataFrame, how: dict[str, Any]) -> dict[str, str]:
    columns = {
        "precision (%)": ("test", "precision (%)"),
        "item perplexity": ("test", "item perplexity"),
        "undelivered, fitted (%)": ("fitted", "shortfall (%)"),
        "gap (%)": ("fitted", "gap (%)"),
        "undelivered, served (%)": ("test", "shortfall (%)"),
        "too much, served (%)": ("test", "excess (%)"),
    }
    values = {label: measured(rows, split=split, metric=metric, **how) for label, (split, metric) in columns.items()}
    if values["precision (%)"] is None:
        return {}
    decimals = {"precision (%)": 2, "item perplexity": 0}
    return {
        label: MISSING if value is None else number(float(value.mean()), decimals.get(label, 2))
        for label, value in values.items()
    }


def programme_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return what each solver reaches of the linear programme's optimum on the test's own scores."""
    lines = []
    for name in data_sets:
        how = {"dataset": name, "part": "matching", "metric": "objective"}
        if measured(rows, solver="linear programme", **how) is None:
            continue
        best = select(rows, solver="linear programme", **how)
        for (method, multiplier), group in best.groupby(["method", "multiplier"], sort=False):
            line: dict[str, Any] = {"data set": title_of(name), "scores": method, "m": f"{multiplier:g}"}
            for solver in ("exact", "released loop"):
                own = {"method": method, "multiplier": multiplier, "solver": solver, "served": "offline"}
                value = measured(rows, **own, **how)
                short = measured(rows, **own, dataset=name, part="matching", metric="shortfall (%)", split="fitted")
                # The programme is solved on some of the seeds; only these are compared.
                share = None if value is None else (value / group.set_index("seed")["value"]).dropna()
                line[f"{solver}, of the optimum (%)"] = (
                    MISSING if share is None or share.empty else number(100 * float(share.mean()), 2)
                )
                line[f"{solver}, undelivered (%)"] = MISSING if short is None else number(float(short.mean()), 2)
            lines.append(line)
    if not lines:
        raise MissingRowsError("no linear programme in this run")
    return pd.DataFrame(lines)


def recall_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return ItemRec recall as defined and as the released code computes it, with their ratio."""
    lines = []
    for name in data_sets:
        for method in ("GRU", "Transformer", "ALS", "ItemPop"):
            how = {"dataset": name, "part": "ranking", "task": ITEM_REC, "method": method}
            right, wrong = (measured(rows, metric=m, **how) for m in ("recall (%)", "recall as released (%)"))
            if right is None or wrong is None:
                continue
            lines.append(
                {
                    "data set": title_of(name),
                    "method": method,
                    "recall (%)": number(float(right.mean()), 2),
                    "as released (%)": number(float(wrong.mean()), 2),
                    "ratio": number(float((wrong / right).mean()), 1),
                }
            )
    return pd.DataFrame(lines)


def resampling_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return lifts over the plain GRU with items resampled, as the rules do, and with users resampled."""
    lines = []
    for name in data_sets:
        for factor in FACTORS:
            method = f"GRU × {factor}"
            items, plain = found(rows, name, USER_REC, method), found(rows, name, USER_REC, "GRU")
            if items is None or plain is None:
                continue
            users = by_user(rows, name, method).over(by_user(rows, name, "GRU")).interval()
            lines.append(
                {
                    "data set": title_of(name),
                    "method": method,
                    "over GRU, items resampled": _written(items.over(plain).interval()),
                    "over GRU, users resampled": f"[{number(users.low, 2)}, {number(users.high, 2)}]",
                }
            )
    return pd.DataFrame(lines)


def new_pairs_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return the GRU's precision with and without items that a user took before."""
    lines = []
    for name in data_sets:
        for task, method in (
            (ITEM_REC, "GRU"),
            *((USER_REC, f"GRU × {factor}") for factor in FACTORS),
        ):
            how = {"dataset": name, "task": task, "method": method, "metric": "precision (%)"}
            whole, new = measured(rows, part="ranking", **how), measured(rows, part="new pairs", **how)
            if whole is None or new is None:
                continue
            lines.append(
                {
                    "data set": title_of(name),
                    "task": task,
                    "method": method,
                    "all pairs (%)": number(float(whole.mean()), 2),
                    "new pairs (%)": number(float(new.mean()), 2),
                }
            )
    if not lines:
        raise MissingRowsError("every data set of this run leaves out items that a user took before")
    return pd.DataFrame(lines)


def activity_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return how each activity model goes with the future count: correlation, and correlation of ranks."""
    lines = []
    for model in COMPARED_FACTORS:
        line: dict[str, Any] = {"activity model": model}
        for name in data_sets:
            for metric in ("correlation", "rank correlation"):
                how = {"dataset": name, "part": "activity", "method": model}
                value = defined(rows, metric=f"{metric} with the future count", **how)
                line[f"{title_of(name)}, {metric}"] = MISSING if value is None else number(float(value.mean()), 2)
        lines.append(line)
    return pd.DataFrame(lines)


def rarity_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return who gets exposures, by popularity of the item, without and with a minimal exposure, and what they hit."""
    name = sets_with_matching(rows, data_sets)[0]
    lines = []
    cases = [(m, *bound) for bound in ((0.0, "offline", "none"), (0.7, "online", "exact")) for m in ("GRU", "GRU × HP")]
    for method, multiplier, served, solver in cases:
        how = {
            "dataset": name, "part": "matching", "method": method, "multiplier": multiplier, "served": served,
            "solver": solver,
        }  # fmt: skip
        shown = select(rows, metric="exposures", **how)
        total = shown["value"].sum()
        for third, label in THIRDS.items():
            hits = defined(rows, metric="hits per exposure (%)", at=third, **how)
            share = 100 * float(shown.loc[shown["at"] == third, "value"].sum()) / total
            lines.append(
                {
                    "scores": method,
                    "items": f"{label} third",
                    "bound": "none" if multiplier == 0 else f"m = {multiplier:g}, online",
                    "share of exposures (%)": number(share, 1),
                    "hits per exposure (%)": MISSING if hits is None else number(float(hits.mean()), 2),
                }
            )
    return pd.DataFrame(lines)
