import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprise.record import rows_from_columns, rows_to_columns
from reprise.rows import MissingRowsError, RowsError, concatenate, per_seed, select, tidy


def row(**changes):
    return {"dataset": "d", "split": "t", "method": "m", "seed": 0, "metric": "a", "value": 1.0, **changes}


def test_rows_are_sorted_the_same_whatever_their_order():
    records = [row(seed=s, method=m, hop=h) for s in (2, 0, 1) for m in "ba" for h in (None, 3)]
    pd.testing.assert_frame_equal(tidy(records), tidy(records[::-1]))


def test_the_common_columns_come_first_and_the_value_last():
    assert list(tidy([row(zebra=1, hop=2)]).columns) == [
        "dataset", "split", "method", "seed", "metric", "hop", "zebra", "value",
    ]  # fmt: skip


def test_a_missing_column_is_named():
    with pytest.raises(RowsError, match="metric"):
        tidy([{k: v for k, v in row().items() if k != "metric"}])


def test_two_rows_of_the_same_identity_are_refused():
    with pytest.raises(RowsError, match="same identity"):
        tidy([row(), row(value=2.0)])


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(RowsError, match="number"):
        tidy([row(value="many")])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.sampled_from("abc"), st.sampled_from([None, 1, 2]), st.floats(-9, 9) | st.just(np.nan)
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda t: t[:3],
    )
)
@settings(max_examples=50)
def test_rows_survive_the_way_into_a_record_and_back(cells):
    rows = tidy([row(seed=s, method=m, hop=h, value=v) for s, m, h, v in cells])
    back = rows_from_columns(rows_to_columns(rows))
    assert rows_to_columns(back) == rows_to_columns(rows)


def test_joined_parts_equal_the_whole():
    whole = tidy([row(seed=s, hop=h, value=s / 3) for s in range(4) for h in (None, 1, 2)])
    parts = [whole[whole.seed == s] for s in (3, 1, 0, 2)]
    assert rows_to_columns(concatenate(parts)) == rows_to_columns(whole)


def test_selecting_nothing_names_what_was_looked_for():
    with pytest.raises(MissingRowsError, match="method = GRDA"):
        select(tidy([row()]), method="GRDA")


def test_selection_admits_lists_and_missing_values():
    rows = tidy([row(hop=None), row(hop=1), row(hop=2)])
    assert len(select(rows, hop=[1, 2])) == 2
    assert len(select(rows, hop=None)) == 1


def test_values_are_averaged_within_a_seed():
    rows = tidy([row(seed=s, domain=d, value=s + d) for s in (0, 1) for d in (0, 2)])
    assert per_seed(rows, metric="a").to_dict() == {0: 1.0, 1: 2.0}


def test_equal_rows_without_randomness_may_stand_in_every_part():
    part = tidy([row(seed=-1, metric="exact"), row()])
    other = tidy([row(seed=-1, metric="exact"), row(seed=1)])
    assert len(concatenate([part, other])) == 3


def test_random_rows_that_stand_twice_are_refused():
    with pytest.raises(RowsError, match="same identity"):
        concatenate([tidy([row()]), tidy([row()])])


def test_a_run_without_rows_has_the_common_columns():
    assert list(tidy([]).columns) == ["dataset", "split", "method", "seed", "metric", "value"]


def test_several_rows_of_a_seed_are_averaged_and_seeds_are_in_order():
    rows = tidy([row(seed=s, hop=h, value=s + h) for s in (2, 0) for h in (1, 3)])
    assert per_seed(rows).to_dict() == {0: 2.0, 2: 4.0}
    assert list(per_seed(rows[::-1], hop=3).index) == [0, 2]


def test_a_diverged_run_stays_in_the_values_per_seed():
    values = per_seed(tidy([row(seed=0, value=float("nan")), row(seed=1)]))
    assert values.isna().to_dict() == {0: True, 1: False}
