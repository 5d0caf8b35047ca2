"""Every rule on made-up rows: each outcome that it can give, and its controls."""

import numpy as np
import pytest

from reprise.rim import claims
from reprise.rim.comparisons import ITEM_REC, USER_REC, Resampled
from reprise.rim.measures import N_BLOCKS
from reprise.rows import tidy

SEEDS = range(3)
COMMON = {"split": "test", "part": None, "task": None, "multiplier": None, "served": None, "solver": None, "at": None}
SHOWN = 20.0


def row(method, metric, value, seed, data_set=claims.MOVIES, block=None, **columns):
    one = {**COMMON, "dataset": data_set, "method": method, "metric": metric, "seed": seed, "value": value}
    return {**one, "block": block, **columns}


def blocks(method, metric, level, data_set=claims.MOVIES, noise=0.0, **columns):
    """Return rows of all seeds and blocks; noise is shared by all methods of a block, so that pairs cancel."""
    draw = np.random.default_rng(0)
    wobble = noise * draw.normal(size=(len(SEEDS), N_BLOCKS))
    return [
        row(method, metric, level * (1 + wobble[seed, block]), seed, data_set, block, **columns)
        for seed in SEEDS
        for block in range(N_BLOCKS)
    ]


def rankings(levels, task=USER_REC, data_set=claims.MOVIES, noise=0.1):
    how = {"part": "ranking", "task": task, "data_set": data_set}
    records = blocks("data", "recommended", SHOWN, **how)
    for method, level in levels.items():
        records += blocks(method, "hits", SHOWN * level / 100, noise=noise, **how)
    return records


def outcome(rule, records):
    return rule(tidy(records)).outcome


@pytest.mark.parametrize(("share", "expected"), [(100.0, "reproduced"), (99.9, "not reproduced")])
def test_identity_needs_every_user(share, expected):
    same = {"part": "identity"}
    records = [row("GRU × HP", "users with the same items (%)", v, s, **same) for s, v in enumerate((100.0, share))]
    records += [row("GRU × HP", "items with the same users (%)", 10.0, s, **same) for s in (0, 1)]
    assert outcome(claims.a_factor_per_user_changes_no_items, records) == expected
    assert claims._users_do_change(tidy(records))[0]
    records[-1]["value"] = 90.0
    assert not claims._users_do_change(tidy(records))[0]


@pytest.mark.parametrize(
    ("lift", "noise", "expected"),
    [
        (2.5, 0.1, "reproduced"),
        (1.5, 0.1, "partly reproduced"),
        (5.0, 0.1, "partly reproduced"),
        (0.5, 0.1, "not reproduced"),
        (1.0, 0.0, "inconclusive"),
    ],
)
def test_the_lift_is_judged_by_its_interval(lift, noise, expected):
    records = rankings({"GRU": 2.0, "GRU × HP": 2.0 * lift}, noise=noise)
    assert outcome(claims.intensity_lifts_user_recommendation, records) == expected


def test_the_transformer_is_told_where_it_was_run():
    records = rankings({"GRU": 2.0, "GRU × HP": 5.0, "Transformer": 2.0, "Transformer × HP": 6.0})
    assert (
        "Transformer × HP over Transformer: 3.00" in claims.intensity_lifts_user_recommendation(tidy(records)).evidence
    )


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((1, 2, 3, 4, 4), "reproduced"),
        ((1, 2, 3, 4, 3.7), "partly reproduced"),
        ((1, 3, 2, 4, 4), "partly reproduced"),
        ((3, 2, 3, 4, 4), "not reproduced"),
        ((1, 4, 3, 3, 3), "not reproduced"),
        ((1, 1, 1, 1, 1), "inconclusive"),
    ],
)
def test_the_order_is_judged_step_by_step(levels, expected):
    names = ("GRU", *(f"GRU × {factor}" for factor in claims.FACTORS))
    records = rankings(dict(zip(names, levels, strict=True)))
    assert outcome(claims.activity_models_are_ordered, records) == expected


@pytest.mark.parametrize(
    ("pop", "mark", "expected"),
    [
        (2.0, 2.0, "reproduced"),
        (3.0, 2.0, "partly reproduced"),
        (6.0, 2.0, "not reproduced"),
        (5.0, 2.0, "inconclusive"),
    ],
)
def test_both_factors_are_judged_against_the_product(pop, mark, expected):
    records = rankings({"GRU × HP": 5.0, "ItemPop × HP": pop, "GRU": mark})
    assert outcome(claims.both_factors_are_needed, records) == expected


@pytest.mark.parametrize(
    ("rival", "expected"),
    [
        ((1.0, 1.0), "partly reproduced"),
        ((9.0, 1.0), "not reproduced"),
        ((2.0, 1.0), "inconclusive"),
    ],
)
def test_rivals_are_judged_on_both_axes(rival, expected):
    others = {name: 1.0 for name in claims.FACTORISATIONS}
    records = rankings({"GRU": 2.0, **others, "ALS": rival[0]}, ITEM_REC)
    records += rankings({"GRU": 1.5, "GRU × HP": 4.0, **others, "ALS": rival[1]}, USER_REC)
    assert outcome(claims.the_product_beats_factorisations, records) == expected


def points(method, multiplier, level, served="online", solver="exact", delivered=SHOWN, noise=0.1):
    how = {"part": "matching", "multiplier": multiplier, "served": served, "solver": solver}
    records = blocks(method, "hits", SHOWN * level / 100, noise=noise, **how)
    records += blocks(method, "delivered", delivered, **how)
    return [*records, *(row(method, "asked", SHOWN * N_BLOCKS, seed, **how) for seed in SEEDS)]


def exposures(losses, shortfall=0.1, noise=0.1):
    records = []
    for method, loss in zip(("GRU", "GRU × HP"), losses, strict=True):
        records += points(method, 0.0, 5.0, "offline", "none", noise=noise)
        records += points(method, 0.7, 5.0 * (1 - loss), noise=noise)
        how = {"part": "matching", "multiplier": 0.7, "served": "online", "split": "fitted", "solver": "exact"}
        records += [row(method, "shortfall (%)", shortfall, seed, **how) for seed in SEEDS]
    return records


@pytest.mark.parametrize(
    ("losses", "shortfall", "expected"),
    [
        ((0.15, 0.02), 0.1, "reproduced"),
        ((0.02, 0.15), 0.1, "not reproduced"),
        ((0.1, 0.1), 0.1, "inconclusive"),
        ((0.15, 0.02), 3.0, "inconclusive"),
    ],
)
def test_exposure_is_judged_by_what_it_saves_at_a_small_shortfall(losses, shortfall, expected):
    assert outcome(claims.exposure_is_cheaper_with_the_intensity, exposures(losses, shortfall)) == expected


def served(ratios):
    records = []
    for m, ratio, metric in zip(claims.JUDGED, ratios, ("shortfall (%)", "excess (%)"), strict=True):
        records += points("GRU × HP", m, 5.0, "offline") + points("GRU × HP", m, 5.0 * ratio, "online")
        how = {"part": "matching", "multiplier": m, "served": "online"}
        for solver, value in (("exact", 5.0), ("exact, prices of other items", 20.0)):
            records += [row("GRU × HP", metric, value, seed, solver=solver, **how) for seed in SEEDS]
    return records


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ((1.0, 0.97), "reproduced"),
        ((1.0, 0.9), "partly reproduced"),
        ((0.8, 0.9), "not reproduced"),
    ],
)
def test_online_prices_are_judged_at_both_points(ratios, expected):
    assert outcome(claims.online_prices_are_nearly_as_good, served(ratios)) == expected


def test_online_prices_with_wide_intervals_decide_nothing():
    records = served((0.95, 0.95))
    draw = np.random.default_rng(1)
    for record in records:
        if record["metric"] == "hits" and record["served"] == "online":
            record["value"] *= 1 + 0.5 * draw.normal()
    assert outcome(claims.online_prices_are_nearly_as_good, records) == "inconclusive"


def test_what_is_not_delivered_lowers_the_precision():
    full, half = (tidy(points("GRU × HP", 0.7, 5.0, delivered=d, noise=0)) for d in (SHOWN, SHOWN / 2))
    found = [claims.matched(rows, claims.MOVIES, "GRU × HP", 0.7).values[0] for rows in (full, half)]
    assert found == pytest.approx([5.0, 5.0])


def test_prices_of_other_items_must_fail():
    records = served((1.0, 1.0))
    assert claims._prices_of_other_items_fail(tidy(records))[0]
    for record in records:
        if record["solver"] != "exact" and record["metric"] == "shortfall (%)":
            record["value"] = 5.0
    assert not claims._prices_of_other_items_fail(tidy(records))[0]


@pytest.mark.parametrize(
    ("movies", "retail", "expected"),
    [
        (5.0, 5.0, "reproduced"),
        (5.0, 2.0, "partly reproduced"),
        (1.0, 2.0, "not reproduced"),
        (2.0, 2.0, "inconclusive"),
    ],
)
def test_the_blogs_claim_needs_both_sets(movies, retail, expected):
    records = rankings({"GRU": 2.0, "GRU × HP": movies}) + rankings(
        {"GRU": 2.0, "GRU × HP": retail}, data_set=claims.RETAIL
    )
    assert outcome(claims.activity_improves_prediction_on_several_sets, records) == expected


def test_controls_of_the_lift():
    levels = {"GRU": 2.0, "GRU × HP": 5.0, "GRU × HP of other users": 1.0, "GRU × true counts": 8.0}
    rows = tidy(rankings(levels))
    assert claims._activity_of_others_does_not_help(rows)[0]
    assert claims._true_counts_help_most(rows)[0]
    rows = tidy(rankings({**levels, "GRU × HP of other users": 3.0, "GRU × true counts": 4.0}))
    assert not claims._activity_of_others_does_not_help(rows)[0]
    assert not claims._true_counts_help_most(rows)[0]


def test_controls_of_order_factors_and_several_sets():
    levels = {"GRU": 2.0, "GRU × UserPop": 3.0, "GRU × HP of other users": 1.0, "GRU × true counts": 8.0}
    levels |= {"True marks × HP": 9.0, "ItemPop × HP": 3.0}
    both = rankings(levels) + rankings(levels, data_set=claims.RETAIL)
    checks = (
        claims._order_vanishes_for_others, claims._true_factors_add, claims._nothing_helps_on_any_set,
    )  # fmt: skip
    for check in checks:
        assert check(tidy(both))[0]
    odd = {**levels, "GRU × HP of other users": 4.0, "True marks × HP": 2.0}
    for check in checks[:2]:
        assert not check(tidy(rankings(odd)))[0]
    assert not claims._nothing_helps_on_any_set(tidy(rankings(levels) + rankings(odd, data_set=claims.RETAIL)))[0]


def test_intervals_are_those_of_a_plain_bootstrap():
    hits = np.random.default_rng(0).poisson(4.0, (1, N_BLOCKS)).astype(float)
    records = [row("GRU", "hits", h, 0, block=b, part="ranking", task=USER_REC) for b, h in enumerate(hits[0])]
    shown = [row("data", "recommended", SHOWN, 0, block=b, part="ranking", task=USER_REC) for b in range(N_BLOCKS)]
    found = claims.ranked(tidy(records + shown), claims.MOVIES, USER_REC, "GRU").interval()
    draw = np.random.default_rng(1)
    plain = [100 * draw.choice(hits[0], N_BLOCKS).mean() / SHOWN for _ in range(4000)]
    assert found.estimate == pytest.approx(100 * hits.mean() / SHOWN)
    np.testing.assert_allclose([found.low, found.high], np.quantile(plain, [0.025, 0.975]), rtol=0.03)


def test_a_ratio_to_nothing_is_infinite():
    one, none = Resampled(np.ones(3), 2), Resampled(np.zeros(3), 3)
    assert np.isinf(one.over(none).values).all()
    assert one.over(none).n_seeds == 2
    assert (one.lost_from(one).values == 0).all()
