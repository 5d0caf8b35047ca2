"""The claims of the paper and the rules that decide them, fixed before the first published run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reprise.claims import Claim, Control, Finding, Outcome
from reprise.numerals import difference, number
from reprise.rim.comparisons import ITEM_REC, USER_REC, Resampled, matched, ranked
from reprise.rows import MissingRowsError, per_seed, select

if TYPE_CHECKING:
    import pandas as pd

    from reprise.stats import Interval

MOVIES, RETAIL = "movielens-100k", "online-retail"
NETWORKS = ("GRU", "Transformer")
FACTORS = ("UserPop", "EMA", "Hawkes", "HP")
FACTORISATIONS = ("ALS", "BPR-Item", "BPR-User", "LogisticMF")
LEAST_LIFT, LARGEST_LIFT = 2.0, 3.2
LEAST_SHARE_OF_HAWKES = 0.95
HALF = 0.5
LARGEST_SHORTFALL_PERCENT = 1.0
LEAST_SHARE_OF_OFFLINE = 0.95
JUDGED = (0.7, 1.0)


def _users(rows: pd.DataFrame, method: str, data_set: str = MOVIES) -> Resampled:
    return ranked(rows, data_set, USER_REC, method)


def _joined(words: list[str]) -> str:
    return "; ".join(words) + "."


def _ends(interval: Interval, decimals: int = 2) -> str:
    """Write a ratio or level with its interval."""
    ends = f"[{number(interval.low, decimals)}, {number(interval.high, decimals)}]"
    return f"{number(interval.estimate, decimals)} {ends}"


def a_factor_per_user_changes_no_items(rows: pd.DataFrame) -> Finding:
    """Judge the identity.

    Multiplying by each of UserPop, EMA, Hawkes and HP leaves each user's set of items as it is, for all users, mark
    models and seeds: reproduced; else not reproduced.
    """
    same = select(rows, part="identity", metric="users with the same items (%)", dataset=MOVIES)["value"]
    outcome: Outcome = "reproduced" if bool((same == 100).all()) else "not reproduced"
    least = number(float(same.min()), 1)
    return Finding(outcome, f"At least {least} % of the users keep their items, over {len(same)} comparisons.")


def intensity_lifts_user_recommendation(rows: pd.DataFrame) -> Finding:
    """Judge the lift of UserRec.

    Ratio of UserRec precision, GRU × HP over GRU, with the 95 % interval from resampled items over the paired seeds.
    Above 1 and meeting [2, 3.2]: reproduced; above 1 only: partly; below 1: not reproduced; else inconclusive.
    """
    found = {
        network: _users(rows, f"{network} × HP").over(_users(rows, network)).interval()
        for network in NETWORKS
        if _is_there(rows, network)
    }
    ratio = found["GRU"]
    outcome: Outcome = "inconclusive"
    if ratio.above(1):
        meets = ratio.high >= LEAST_LIFT and ratio.low <= LARGEST_LIFT
        outcome = "reproduced" if meets else "partly reproduced"
    elif ratio.below(1):
        outcome = "not reproduced"
    words = [f"{network} × HP over {network}: {_ends(one)}" for network, one in found.items()]
    return Finding(outcome, _joined(words), ratio, quantity="UserRec precision of GRU × HP over that of GRU, ratio")


def _is_there(rows: pd.DataFrame, network: str) -> bool:
    return bool(((rows["method"] == network) & (rows["task"] == USER_REC)).any())


def activity_models_are_ordered(rows: pd.DataFrame) -> Finding:
    """Judge the ordering of the activity models.

    Paired differences of the GRU's UserRec precision: UserPop − none, EMA − UserPop, Hawkes − EMA, with 95 % intervals
    from resampled items, and HP over Hawkes. All three above 0 and HP at least 0.95 of Hawkes: reproduced; UserPop −
    none and HP − UserPop above 0: partly; one of these two below 0: not reproduced; else inconclusive.
    """
    level = {"none": _users(rows, "GRU"), **{factor: _users(rows, f"GRU × {factor}") for factor in FACTORS}}
    steps = [("UserPop", "none"), ("EMA", "UserPop"), ("Hawkes", "EMA")]
    found = {f"{a} − {b}": (level[a] - level[b]).interval() for a, b in steps}
    hp = (level["HP"] - level["UserPop"]).interval()
    share = level["HP"].over(level["Hawkes"]).interval()
    outcome: Outcome = "inconclusive"
    if all(one.above(0) for one in found.values()) and share.estimate >= LEAST_SHARE_OF_HAWKES:
        outcome = "reproduced"
    elif found["UserPop − none"].above(0) and hp.above(0):
        outcome = "partly reproduced"
    elif found["UserPop − none"].below(0) or hp.below(0):
        outcome = "not reproduced"
    words = [f"{what}: {difference(one, 2)}" for what, one in {**found, "HP − UserPop": hp}.items()]
    evidence = f"Points of precision. {'; '.join(words)}; HP over Hawkes: {_ends(share)}."
    return Finding(outcome, evidence, hp, quantity="UserRec precision, GRU × HP − GRU × UserPop, points")


def both_factors_are_needed(rows: pd.DataFrame) -> Finding:
    """Judge the product against its factors.

    UserRec precision of GRU × HP minus ItemPop × HP, and minus GRU, with 95 % intervals from resampled items. Both
    above 0: partly; and both ratios to GRU × HP below 0.5 as well: reproduced; one difference below 0: not reproduced;
    else inconclusive.
    """
    whole, parts = _users(rows, "GRU × HP"), {"ItemPop × HP": _users(rows, "ItemPop × HP"), "GRU": _users(rows, "GRU")}
    gains = {name: (whole - part).interval() for name, part in parts.items()}
    shares = {name: part.over(whole).interval() for name, part in parts.items()}
    outcome: Outcome = "inconclusive"
    if all(one.above(0) for one in gains.values()):
        outcome = "reproduced" if all(one.below(HALF) for one in shares.values()) else "partly reproduced"
    elif any(one.below(0) for one in gains.values()):
        outcome = "not reproduced"
    words = [f"{name}: {_ends(shares[name])} of GRU × HP" for name in parts]
    return Finding(outcome, _joined(words), shares["ItemPop × HP"], quantity="ItemPop × HP over GRU × HP, ratio")


def the_product_beats_factorisations(rows: pd.DataFrame) -> Finding:
    """Judge RIM against matrix factorisations on both axes.

    Precision of a network × HP minus that of ALS, BPR-Item, BPR-User and LogisticMF on ItemRec and on UserRec, with 95
    % intervals. All eight above 0 for the GRU or for the Transformer: partly (GraphConv, the strongest rival in the
    paper, is not built, so no more can be said); one below 0 for each network: not reproduced; else inconclusive.
    """
    behind, ahead, words, gains = [], [], [], {}
    for network in (n for n in NETWORKS if _is_there(rows, n)):
        own = {ITEM_REC: ranked(rows, MOVIES, ITEM_REC, network), USER_REC: _users(rows, f"{network} × HP")}
        gains[network] = {
            (task, name): (own[task] - ranked(rows, MOVIES, task, name)).interval()
            for task in own
            for name in FACTORISATIONS
        }
        behind.append(any(one.below(0) for one in gains[network].values()))
        ahead.append(all(one.above(0) for one in gains[network].values()))
        for task in own:
            rival, least = min(
                ((name, gains[network][task, name]) for name in FACTORISATIONS), key=lambda pair: pair[1].estimate
            )
            words.append(f"{network}, {task}, minus {rival}, its nearest rival: {difference(least, 2)}")
    outcome: Outcome = "inconclusive"
    if any(ahead):
        outcome = "partly reproduced"
    elif all(behind):
        outcome = "not reproduced"
    quantity = "ItemRec precision, GRU − ALS, points"
    return Finding(outcome, f"Points. {_joined(words)}", gains["GRU"][ITEM_REC, "ALS"], quantity=quantity)


def exposure_is_cheaper_with_the_intensity(rows: pd.DataFrame) -> Finding:
    """Judge the price of a minimal exposure.

    Relative loss of ItemRec precision at m = 0.7 against m = 0, served online, without the intensity minus with HP, in
    points, with the 95 % interval from resampled users over the paired seeds; exact solver, at a shortfall of at most 1
    % on the fitting matrix. Above 0: reproduced; below 0: not reproduced; else, or with a larger shortfall,
    inconclusive.
    """
    losses = {method: _loss(rows, method, "exact") for method in ("GRU", "GRU × HP")}
    saved = (losses["GRU"] - losses["GRU × HP"]).interval()
    shortfall = max(_shortfall(rows, method, "exact") for method in losses)
    outcome: Outcome = "inconclusive"
    if shortfall <= LARGEST_SHORTFALL_PERCENT and (saved.above(0) or saved.below(0)):
        outcome = "reproduced" if saved.above(0) else "not reproduced"
    words = [f"loss {_ends(one.interval(), 1)} % ({method})" for method, one in losses.items()]
    evidence = f"Exact: {', '.join(words)}, shortfall at most {number(shortfall, 2)} %."
    try:
        loops = {method: _loss(rows, method, "released loop") for method in losses}
        lost = max(_shortfall(rows, method, "released loop") for method in losses)
        words = [f"loss {_ends(one.interval(), 1)} % ({method})" for method, one in loops.items()]
        evidence += f" Released loop: {', '.join(words)}, shortfall up to {number(lost, 1)} %."
    except MissingRowsError:
        pass
    return Finding(outcome, evidence, saved, quantity="loss without the intensity − loss with HP, points of per cent")


def _loss(rows: pd.DataFrame, method: str, solver: str) -> Resampled:
    free = matched(rows, MOVIES, method, 0.0, served="offline", solver="none")
    return matched(rows, MOVIES, method, 0.7, solver=solver).lost_from(free)


def _shortfall(rows: pd.DataFrame, method: str, solver: str) -> float:
    how = {"part": "matching", "multiplier": 0.7, "served": "online", "split": "fitted", "metric": "shortfall (%)"}
    return float(per_seed(rows, dataset=MOVIES, method=method, solver=solver, **how).max())


def online_prices_are_nearly_as_good(rows: pd.DataFrame) -> Finding:
    """Judge prices from validation requests against prices from the test's own scores.

    Precision online over offline with HP at m = 0.7 and at m = 1, with 95 % intervals from resampled users. Both
    intervals at or above 0.95: reproduced; one: partly; both below 0.95: not reproduced; else inconclusive.
    """
    found = {
        m: matched(rows, MOVIES, "GRU × HP", m).over(matched(rows, MOVIES, "GRU × HP", m, served="offline")).interval()
        for m in JUDGED
    }
    met = [one.low >= LEAST_SHARE_OF_OFFLINE for one in found.values()]
    outcome: Outcome = "inconclusive"
    if any(met):
        outcome = "reproduced" if all(met) else "partly reproduced"
    elif all(one.below(LEAST_SHARE_OF_OFFLINE) for one in found.values()):
        outcome = "not reproduced"
    short, over = (
        _off_bounds(rows, m, metric) for m, metric in zip(JUDGED, ("shortfall (%)", "excess (%)"), strict=True)
    )
    words = [f"m = {m:g}: {_ends(one)}" for m, one in found.items()]
    evidence = (
        f"Online over offline, {'; '.join(words)}. On the test, prices from others leave {number(short, 1)} % of the "
        f"lower bounds undelivered at m = 0.7, and exceed the upper bounds by {number(over, 1)} % at m = 1."
    )
    return Finding(outcome, evidence, found[0.7], quantity="precision online over offline at m = 0.7 with HP, ratio")


def _off_bounds(rows: pd.DataFrame, multiplier: float, metric: str, solver: str = "exact") -> float:
    how = {"part": "matching", "served": "online", "split": "test", "method": "GRU × HP", "solver": solver}
    return float(per_seed(rows, dataset=MOVIES, multiplier=multiplier, metric=metric, **how).mean())


def activity_improves_prediction_on_several_sets(rows: pd.DataFrame) -> Finding:
    """Judge the claim of the blog post.

    UserRec precision of GRU × HP minus GRU on MovieLens-100K and on Online Retail, with 95 % intervals from resampled
    items. Both above 0: reproduced; one: partly; none above and one below 0: not reproduced; else inconclusive.
    """
    found = {name: (_users(rows, "GRU × HP", name) - _users(rows, "GRU", name)).interval() for name in (MOVIES, RETAIL)}
    n_above = sum(one.above(0) for one in found.values())
    outcome: Outcome = "inconclusive"
    if n_above:
        outcome = "reproduced" if n_above == len(found) else "partly reproduced"
    elif any(one.below(0) for one in found.values()):
        outcome = "not reproduced"
    words = [f"{name}: {difference(one, 2)} points" for name, one in found.items()]
    evidence = f"{_joined(words)} Netflix, Yoochoose and MovieLens 1M are not among the data."
    return Finding(outcome, evidence, found[MOVIES], quantity="UserRec precision, GRU × HP − GRU on MovieLens, points")


def _users_do_change(rows: pd.DataFrame) -> tuple[bool, str]:
    """The same factors must change which users an item gets."""
    same = select(rows, part="identity", metric="items with the same users (%)", dataset=MOVIES)["value"]
    return bool((same < 50).all()), f"At most {number(float(same.max()), 1)} % of the items keep their users."


def _activity_of_others_does_not_help(rows: pd.DataFrame) -> tuple[bool, str]:
    """HP handed to other users must not lift UserRec."""
    ratio = _users(rows, "GRU × HP of other users").over(_users(rows, "GRU")).interval()
    return not ratio.above(1), f"GRU × HP of other users over GRU: {_ends(ratio)}."


def _true_counts_help_most(rows: pd.DataFrame) -> tuple[bool, str]:
    """The true future counts must beat every model of them."""
    gain = (_users(rows, "GRU × true counts") - _users(rows, "GRU × HP")).interval()
    return gain.above(0), f"GRU × true counts − GRU × HP: {difference(gain, 2)} points."


def _nothing_helps_on_any_set(rows: pd.DataFrame) -> tuple[bool, str]:
    """HP handed to other users must not lift UserRec, on either data set."""
    found = {
        name: _users(rows, "GRU × HP of other users", name).over(_users(rows, "GRU", name)).interval()
        for name in (MOVIES, RETAIL)
    }
    words = [f"{name}: {_ends(ratio)}" for name, ratio in found.items()]
    return not any(r.above(1) for r in found.values()), f"GRU × HP of other users over GRU, {_joined(words)}"


def _order_vanishes_for_others(rows: pd.DataFrame) -> tuple[bool, str]:
    """Where HP goes to other users, the last step of the order must be reversed."""
    gain = (_users(rows, "GRU × HP of other users") - _users(rows, "GRU × UserPop")).interval()
    return gain.below(0), f"GRU × HP of other users − GRU × UserPop: {difference(gain, 2)} points."


def _true_factors_add(rows: pd.DataFrame) -> tuple[bool, str]:
    """True marks must add to HP what popularity does not, and true counts must add to the GRU."""
    pairs = (("True marks × HP", "ItemPop × HP"), ("GRU × true counts", "GRU"))
    gains = {f"{whole} − {part}": (_users(rows, whole) - _users(rows, part)).interval() for whole, part in pairs}
    words = [f"{what}: {difference(gain, 2)} points" for what, gain in gains.items()]
    return all(gain.above(0) for gain in gains.values()), _joined(words)


def _prices_of_other_items_fail(rows: pd.DataFrame) -> tuple[bool, str]:
    """Prices handed to other items must leave more undelivered than the items' own."""
    other, own = (_off_bounds(rows, 0.7, "shortfall (%)", s) for s in ("exact, prices of other items", "exact"))
    words = (
        f"Undelivered at m = 0.7: {number(other, 1)} % with prices of other items, {number(own, 1)} % with their own."
    )
    return other > 1.5 * own, words


CLAIMS = (
    Claim(
        id="C1",
        text="Multiplying by any activity λ(x) > 0 leaves item recommendation unchanged.",
        source="Section 3",
        kind="theory",
        paper_value="unchanged",
        rule=a_factor_per_user_changes_no_items,
        data_sets=(MOVIES,),
        controls=(Control("must change: users recommended for an item", _users_do_change),),
        always_full_scale=True,
    ),
    Claim(
        id="C2",
        text="The intensity lifts user recommendation by a sequence model two- to threefold.",
        source="released figure, MovieLens 1M",
        kind="effect size",
        paper_value="2.75 (GRU), 2.8 (Transformer)",
        rule=intensity_lifts_user_recommendation,
        data_sets=(MOVIES,),
        controls=(
            Control("must vanish: HP of other users", _activity_of_others_does_not_help),
            Control("must be larger: true future counts", _true_counts_help_most),
        ),
    ),
    Claim(
        id="C3",
        text="Activity models are ordered: none < user popularity < moving average < Hawkes, and HP about as Hawkes.",
        source="released figure, MovieLens 1M",
        kind="ordering",
        paper_value="1.71 < 3.06 < 3.43 < 4.66 < 4.71 %",
        rule=activity_models_are_ordered,
        data_sets=(MOVIES,),
        controls=(
            Control("must be reversed: HP of other users", _order_vanishes_for_others),
            Control("must be higher than HP: true future counts", _true_counts_help_most),
        ),
    ),
    Claim(
        id="C4",
        text="Both factors are needed: each alone gives less than half of the product's user recommendation.",
        source="released figure, MovieLens 1M",
        kind="effect size",
        paper_value="2.10 and 1.76 of 4.92 %",
        rule=both_factors_are_needed,
        data_sets=(MOVIES,),
        controls=(
            Control("must not be needed: HP of other users", _activity_of_others_does_not_help),
            Control("must be needed: true marks, and true counts", _true_factors_add),
        ),
    ),
    Claim(
        id="C5",
        text="RIM beats ALS, LogisticMF, BPR and GraphConv in recommending items and users at once.",
        source="released figure, MovieLens 1M",
        kind="ordering",
        paper_value="2.57 and 4.92 % against at most 1.81 and 2.85 %",
        rule=the_product_beats_factorisations,
        data_sets=(MOVIES,),
    ),
    Claim(
        id="C6",
        text="A minimal exposure of every item costs little precision with the intensity, and much more without.",
        source="released figure, MovieLens 1M",
        kind="effect size",
        paper_value="2 % with, 15 % without",
        rule=exposure_is_cheaper_with_the_intensity,
        data_sets=(MOVIES,),
    ),
    Claim(
        id="C7",
        text="Prices learnt from earlier users serve new ones nearly as well as prices fitted on their own scores.",
        source="released figure, earlier version",
        kind="effect size",
        paper_value="",
        rule=online_prices_are_nearly_as_good,
        data_sets=(MOVIES,),
        controls=(Control("must fail: prices of other items", _prices_of_other_items_fail),),
    ),
    Claim(
        id="C8",
        text="Taking relevance and activity together improves prediction on several data sets.",
        source="Amazon Science blog",
        kind="effect size",
        paper_value="",
        rule=activity_improves_prediction_on_several_sets,
        data_sets=(MOVIES, RETAIL),
        controls=(Control("must vanish: HP of other users", _nothing_helps_on_any_set),),
    ),
)
