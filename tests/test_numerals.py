import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprise import numerals
from reprise.stats import Interval


@given(st.floats(1e-6, 1e4))
def test_the_half_width_is_shown_with_two_significant_digits_at_least(half):
    shown = f"{half:.{numerals.decimals_for(half)}f}"
    assert float(shown) == pytest.approx(half, rel=0.05) or half >= 100


@pytest.mark.parametrize("value", [-0.04, 0.04, -0.0, 0.0])
@pytest.mark.parametrize("signed", [True, False])
def test_what_rounds_to_zero_has_no_sign(value, signed):
    assert numerals.number(value, 1, signed=signed) == "0.0"


def test_a_negative_number_has_a_minus_sign_and_no_hyphen():
    assert numerals.number(-1.5, 1) == "−1.5"
    assert numerals.number(-1.5e-7) == "−1.5e−07"
    assert numerals.number(1.5, 1, signed=True) == "+1.5"


def test_an_equal_interval_is_shown_as_such():
    assert numerals.with_interval(5.0, 5.0, 5.0) == "5.00 ± 0"


def test_one_seed_is_shown_without_an_interval():
    assert numerals.with_interval(5.0, None, None) == "5.00"
    assert numerals.with_interval(5.0, float("-inf"), float("inf")) == "5.00"


def test_what_diverged_and_what_was_not_measured_are_told_apart():
    assert numerals.with_interval(float("nan"), None, None) == "diverged"
    assert numerals.with_interval(None, None, None) == "—"


def test_a_difference_has_a_sign_and_an_interval_where_there_is_one():
    assert numerals.difference(Interval(-0.01, -0.3, 0.28, 5)) == "0.0 [−0.3, 0.3]"
    assert numerals.difference(Interval(1.5, float("-inf"), float("inf"), 1)) == "+1.5 (one seed, no interval)"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(10.1, 14.7, "12.3 [10.1, 14.7]"), (12.3, 12.4, "12.346 [12.300, 12.400]"), (-400.0, 500.0, "12 [−400, 500]")],
)
def test_digits_follow_the_uncertainty(low, high, expected):
    assert numerals.estimate(12.3456, low, high) == expected


def test_an_interval_without_length_does_not_invent_digits():
    assert numerals.estimate(0.123456, 0.123456, 0.123456) == "0.1235"
