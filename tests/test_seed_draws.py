import itertools

import numpy as np
import pytest

from reprise.claims import Claim, Finding
from reprise.judging import judge
from reprise.rows import per_seed, select, tidy
from reprise.seed_draws import seed_draws
from reprise.stats import t_interval


def rows_of(seeds_by_result):
    """One row for each (data set, method) and seed, whose value is the seed."""
    return tidy(
        [
            {"dataset": dataset, "split": "t", "method": method, "seed": seed, "metric": "m", "value": seed}
            for (dataset, method), seeds in seeds_by_result.items()
            for seed in seeds
        ]
    )


def drawn_seeds(draw, **conditions):
    """The seeds that were drawn, by their new numbers."""
    return per_seed(draw, **conditions).astype(int)


def draws_of(seeds_by_result, n_draws=50):
    return list(seed_draws(rows_of(seeds_by_result), n_draws, np.random.default_rng(0)))


def test_seeds_are_drawn_with_replacement_and_numbered_anew():
    draws = [drawn_seeds(draw) for draw in draws_of({("first", "ours"): range(5)})]
    assert all(list(draw.index) == list(range(5)) for draw in draws)
    assert any(draw.nunique() < 5 for draw in draws)
    assert set(itertools.chain(*draws)) == set(range(5))


def test_pairs_stay_pairs():
    for draw in draws_of({("first", "ours"): range(5), ("first", "theirs"): range(5)}):
        assert drawn_seeds(draw, method="ours").equals(drawn_seeds(draw, method="theirs"))


def test_data_sets_that_share_their_seeds_share_the_draw():
    for draw in draws_of({("first", "ours"): range(6), ("second", "ours"): range(6)}):
        assert drawn_seeds(draw, dataset="first").equals(drawn_seeds(draw, dataset="second"))


def test_data_sets_with_seeds_of_their_own_are_drawn_apart():
    draws = draws_of({("first", "ours"): range(6), ("second", "ours"): range(6, 12)})
    assert any(not drawn_seeds(draw, dataset="second").equals(drawn_seeds(draw, dataset="first") + 6) for draw in draws)


@pytest.mark.parametrize("few", [(0, 1), (4, 5, 6)])
def test_a_result_with_fewer_seeds_has_a_spread_in_every_draw(few):
    for draw in draws_of({("first", "ours"): range(10), ("first", "costly"): few}):
        assert drawn_seeds(draw, method="costly").nunique() > 1


def test_a_result_with_one_seed_asks_nothing_of_the_draws():
    draws = draws_of({("first", "ours"): range(5), ("first", "once"): (3,)})
    assert any("once" not in set(draw["method"]) for draw in draws)


def test_rows_without_randomness_are_in_every_draw():
    for draw in draws_of({("first", "ours"): range(5), ("first", "fixed"): (-1,), ("theory", "bound"): (-1,)}):
        assert len(select(draw, method="fixed", seed=-1)) == len(select(draw, dataset="theory", seed=-1)) == 1


def test_a_mean_over_data_sets_of_a_costly_variant_is_as_stable_as_it_is():
    """With a draw for each data set, hardly a seed of the variant would be left that both of them have."""

    def rule(rows):
        """Decide C1.

        The interval of the mean over both data sets lies above zero.
        """
        values = sum(per_seed(rows, method="costly", dataset=dataset) for dataset in ("first", "second")).dropna() / 2
        interval = t_interval(values)
        return Finding(
            "reproduced" if interval.above(0) else "inconclusive", f"{interval}", interval, quantity="points"
        )

    claim = Claim(
        id="C1", text="It is above 0.", source="Table 1", kind="ordering", paper_value="1", rule=rule,
        data_sets=("first", "second"),
    )  # fmt: skip
    rows = rows_of(
        {(dataset, method): seeds for dataset in ("first", "second") for method, seeds in
         (("ours", range(1, 11)), ("costly", (7, 8, 9)))}
    )  # fmt: skip
    rows["value"] = 100 + rows["value"] / 100
    (verdict,) = judge([claim], rows, reduced_scale=False)
    assert verdict.outcome == "reproduced"
    assert verdict.stability == 1.0
