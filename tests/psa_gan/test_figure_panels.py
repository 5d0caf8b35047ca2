"""What figures share, on drawn rows: panels in their order, intervals on ln, and how they are written."""

import numpy as np
import pandas as pd
import pytest

from reprise import rows as tidy_rows
from reprise.psa_gan import figure_panels as panels
from reprise.psa_gan.names import EBGAN, PSA
from reprise.rows import MissingRowsError
from reprise.stats import Interval


def row(dataset, method, window, seed=0, value=1.0, **columns):
    common = {"part": "level", "split": "test", "metric": "context FID"}
    return {**common, "dataset": dataset, "method": method, "window": window, "seed": seed, "value": value, **columns}


@pytest.fixture(scope="module")
def rows():
    found = [row(name, PSA, window) for name in ("exchange-rate", "m4-hourly") for window in (32, 64)]
    return tidy_rows.tidy([*found, row("m4-hourly", EBGAN, 64), row("exchange-rate", EBGAN, 64)])


def test_the_chapters_own_panel_comes_first(rows):
    found = panels.figure_panels(rows, **panels.LEVEL)
    assert [(one.dataset, one.window) for one in found] == [
        ("m4-hourly", 32), ("m4-hourly", 64), ("exchange-rate", 32), ("exchange-rate", 64)
    ]  # fmt: skip
    assert [one.window for one in panels.longest(rows, **panels.LEVEL)] == [64, 64]
    assert all(set(one.rows["dataset"]) == {one.dataset} for one in found)
    assert set(panels.first_panel(rows)["dataset"]) == {"m4-hourly"}


def test_the_main_panels_are_those_with_a_rival(rows):
    assert [one.window for one in panels.main_panels(rows)] == [64, 64]
    alone = rows[rows["method"] == PSA]
    assert [one.window for one in panels.main_panels(alone)] == [32, 64, 32, 64]


def test_titles_name_what_tells_panels_apart(rows):
    every = panels.figure_panels(rows, **panels.LEVEL)
    assert every[0].title(every) == "m4-hourly, τ = 32"
    assert every[0].title(every[:2]) == "τ = 32"
    assert every[1].title([every[1], every[3]]) == "m4-hourly"


def test_panels_without_rows_are_missing(rows):
    with pytest.raises(MissingRowsError):
        panels.figure_panels(rows, part="curve")
    with pytest.raises(MissingRowsError):
        panels.shown_seed(rows.iloc[:0])


def test_intervals_on_ln_stay_above_0_and_hold_the_geometric_mean():
    values = [0.02, 0.5, 3.0]
    found = panels.log_interval(values)
    assert found.estimate == pytest.approx(np.prod(values) ** (1 / 3))
    assert 0 < found.low < found.estimate < found.high
    assert found.estimate / found.low == pytest.approx(found.high / found.estimate)
    one = panels.log_interval([2.0])
    assert (one.estimate, one.high) == (pytest.approx(2.0), np.inf)
    assert panels.band_ends(one) == (one.estimate, one.estimate)
    assert panels.band_ends(Interval(1, 0, 2, 3)) == (0, 2)


def test_correlations_keep_within_1():
    assert panels.correlation_in_words([0.99, 0.99, 0.2]) == "0.95 [−0.93, 1.00]"
    assert panels.correlation_in_words([0.4]) == "0.40"
    assert panels.correlation_in_words([1.0, 1.0]) == "1.00 [1.00, 1.00]"


def test_what_is_said_of_the_first_panel_is_apart_from_the_others(rows):
    main = panels.main_panels(rows)
    first, others = panels.of_first(main, lambda one: f"says {one.dataset[0]}")
    assert (first, others) == ("says m (m4-hourly)", " exchange-rate: says e.")
    assert panels.of_first(main[:1], lambda one: "alone") == ("alone", "")


def test_panels_stand_three_in_a_row_without_empty_axes():
    figure, axes = panels.new_panels(4, height=2.0)
    assert len(axes) == len(figure.axes) == 4
    assert figure.get_size_inches()[1] == 4.0
    with pytest.raises(MissingRowsError):
        panels.new_panels(0, height=2.0)


def test_frames_are_those_of_pandas(rows):
    assert isinstance(panels.figure_panels(rows, **panels.LEVEL)[0].rows, pd.DataFrame)
