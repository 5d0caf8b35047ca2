"""What readers give as a panel: what is kept of it, and what is refused with its name, its value and the remedy."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from reprise.psa_gan import PSAGAN, PSAGANInputError, TimeSeriesPanel, make_panel
from reprise.psa_gan.scaling import MinMaxScaler
from reprise.psa_gan.time_features import feature_names

SMALL = {"window": 16, "channels": 4, "batch_size": 8, "max_steps": 4, "device": "cpu"}
HOURLY = pd.date_range("2000-01-03", periods=100, freq="h")
BERLIN = pd.date_range("2024-10-20", periods=240, freq="h", tz="Europe/Berlin")
VALUES = make_panel(3, days=10).values.numpy()


def wide(times=HOURLY, names=("a", "b", "c")):
    return pd.DataFrame(VALUES[:, : len(times)].astype(float), index=list(names), columns=times)


def long(**changes):
    return pd.DataFrame({"item": "a", "time": HOURLY[:10], "z": 1.0}).assign(**changes)


def plain(**changes):
    return TimeSeriesPanel(**{"values": np.zeros((3, 9)), "start": "2000-01-03", "freq": "h", **changes})


def entries(freq="h", **fields):
    start = pd.Period("2001-02-01", freq=freq)
    return [
        {"target": row[:40], "start": start, "item_id": name, **fields} for name, row in zip("abc", VALUES, strict=True)
    ]


@pytest.fixture(scope="module")
def model():
    return PSAGAN(**SMALL).fit(wide())


@pytest.fixture(scope="module")
def with_features():
    return PSAGAN(**SMALL).fit(TimeSeriesPanel(VALUES, "2000-01-03", "h", feat_dynamic=np.zeros((2, 240))))


@pytest.mark.parametrize("freq", ["Q-DEC", "Q-JAN", "Q-FEB", "2Q-DEC", "2Q-JAN"])
def test_quarters_of_gluonts_are_taken_whatever_month_they_end_in(freq):
    panel = TimeSeriesPanel.from_gluonts(entries(freq))
    assert panel.starts[0] == pd.Period("2001-02-01", freq=freq).start_time
    again = TimeSeriesPanel.from_gluonts(panel.to_gluonts())
    assert (again.freq, again.starts) == (panel.freq, panel.starts)
    assert torch.equal(again.values, panel.values)
    assert PSAGAN(**SMALL).fit(entries(freq)).sample().shape == (1, 3, 16)


def test_quarters_that_end_in_different_months_of_a_quarter_are_two_frequencies():
    mixed = [entries("Q-DEC")[0], entries("Q-SEP")[1], entries("Q-JAN")[2]]
    assert TimeSeriesPanel.from_gluonts(mixed[:2]).freq == "QS-JAN"
    with pytest.raises(PSAGANInputError, match=r"one frequency.* 1 of 3 .* series 'c' \(Q-JAN\)"):
        TimeSeriesPanel.from_gluonts(mixed)
    with pytest.raises(PSAGANInputError, match=r"series 'a' \(2Q-DEC\)"):
        TimeSeriesPanel.from_gluonts(entries("2Q-DEC"), freq="QS")


def test_equal_frequencies_of_gluonts_may_have_two_names():
    assert TimeSeriesPanel.from_gluonts(entries("60min"), freq="h").freq == "h"


@pytest.mark.parametrize("value", [1e39, -1e39])
def test_values_beyond_32_bits_are_refused_with_their_series_and_size(value):
    frame = wide()
    frame.iloc[1, 50:] = value
    with pytest.raises(PSAGANInputError, match=r"series 'b' reaches -?1e\+39, .*32 bits.*; divide"):
        PSAGAN(**SMALL, allow_nan=True).fit(frame)
    with pytest.raises(PSAGANInputError, match=r"values\[1\] reaches"):
        TimeSeriesPanel(frame.to_numpy(), "2000-01-03", "h")


def test_a_range_beyond_32_bits_is_refused():
    frame = wide()
    frame.iloc[2, :2] = [-3e38, 3e38]
    with pytest.raises(PSAGANInputError, match=r"series 'c' spans 6e\+38.*divide"):
        MinMaxScaler.fit(TimeSeriesPanel.from_wide(frame))


def test_too_short_a_past_is_warned_of_by_name():
    fitted = PSAGAN(**SMALL, context=8).fit(wide())
    with pytest.warns(UserWarning, match=r"3 series .* 8 values of context: 'a' \(5\), 'b' \(5\).*repeated"):
        fitted.forecast(wide().iloc[:, :5], 5, n_samples=2)
    broken = wide()
    broken.iloc[1, 3:6] = np.nan
    with pytest.warns(UserWarning, match=r"1 series .* context: 'b' \(3\)"):
        fitted.impute(broken, 2)
    broken.iloc[1] = wide().iloc[1].mask(np.arange(100) == 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.forecast(wide(), 5, n_samples=2)
        fitted.impute(broken, 2)


def test_forecast_says_at_once_how_many_known_features_it_needs(with_features, model):
    with pytest.raises(PSAGANInputError, match=r"give feat_dynamic of the shape \(2, 21\)"):
        with_features.forecast(horizon=5)
    assert with_features.forecast(horizon=5, n_samples=2, feat_dynamic=np.zeros((2, 21))).shape == (2, 3, 5)
    with pytest.raises(PSAGANInputError, match=r"fitted without known features.*leave feat_dynamic out"):
        model.forecast(horizon=5, feat_dynamic=np.zeros((2, 21)))
    panel = TimeSeriesPanel(VALUES, "2000-01-03", "h", feat_dynamic=np.zeros((2, 240)))
    with pytest.raises(PSAGANInputError, match=r"give as many features, \(2, 5\)"):
        panel.extended(5, np.zeros((1, 5)))
    with pytest.raises(PSAGANInputError, match="not finite in 32 bits"):
        panel.extended(5, np.full((2, 5), 1e39))
    with pytest.raises(PSAGANInputError, match=r"has no known features.*leave feat_dynamic out"):
        TimeSeriesPanel.from_wide(wide()).extended(5, np.zeros((2, 5)))


def test_known_features_beyond_the_targets_are_cut_as_gluonts_does():
    features = np.arange(122.0).reshape(2, 61) / 122
    panel = TimeSeriesPanel.from_gluonts(entries(feat_dynamic_real=features))
    assert panel.feat_dynamic.shape == (3, 2, 40)
    assert torch.equal(panel.feat_dynamic[1], torch.tensor(features[:, :40], dtype=torch.float32))
    fitted = PSAGAN(**SMALL).fit(panel)
    rest = np.stack([features[:, 40:]] * 3)
    assert fitted.forecast(horizon=5, n_samples=2, feat_dynamic=rest).shape == (2, 3, 5)
    with pytest.raises(PSAGANInputError, match=r"give feat_dynamic of the shape \(3, 2, 21\)"):
        fitted.forecast(horizon=5)
    with pytest.raises(PSAGANInputError, match=r"shape \(2, 21\); give \(3, 2, 21\)"):
        fitted.forecast(horizon=5, feat_dynamic=features[:, 40:])
    with pytest.raises(PSAGANInputError, match=r"feat_dynamic_real of series 'a' has the shape \(40,\).*\(features"):
        TimeSeriesPanel.from_gluonts(entries(feat_dynamic_real=np.zeros(40)))


@pytest.mark.parametrize("features", [3, [[1], [1, 2]], [["x"]]])
def test_known_features_of_gluonts_are_arrays_of_numbers(features):
    with pytest.raises(PSAGANInputError, match="feat_dynamic_real of series 'a'"):
        TimeSeriesPanel.from_gluonts(entries(feat_dynamic_real=features))


def test_a_panel_without_the_fits_known_features_is_told_to_give_them(with_features):
    with pytest.raises(PSAGANInputError, match=r"2 of them known ones.*give as many in feat_dynamic"):
        with_features.impute(TimeSeriesPanel(VALUES, "2000-01-03", "h"))


def test_a_frame_keeps_the_names_of_its_axes_and_its_index_of_pairs(model):
    frame = wide().rename_axis(index="shop", columns="time")
    found = model.impute(frame, 1)[0].to_frame()
    assert (found.index.name, found.columns.name) == ("shop", "time")
    pairs = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["shop", "till"])
    panel = TimeSeriesPanel.from_wide(frame.set_axis(pairs, axis=0))
    pd.testing.assert_index_equal(panel.to_frame().index, pairs)
    pd.testing.assert_index_equal(panel.of_series(torch.tensor([2, 0])).to_frame().index, pairs[[2, 0]])
    assert TimeSeriesPanel(VALUES, "2000", "h", item_ids=list(pairs)).to_frame().index.nlevels == 1


def test_a_series_without_any_value_is_imputed_by_a_fit_that_knows_it(model):
    broken = wide()
    broken.iloc[1] = np.nan
    found = model.impute(broken, 2)[0].to_frame()
    assert np.isfinite(found.to_numpy()).all()
    low, high = wide().loc["b"].min(), wide().loc["b"].max()
    span = high - low
    assert found.loc["b"].between(low - span, high + span).all()
    pd.testing.assert_frame_equal(found.drop(index="b"), wide().drop(index="b").astype("float32"), check_freq=False)
    with pytest.raises(PSAGANInputError, match="series 'b' has no value to scale by; drop it"):
        PSAGAN(**SMALL).fit(broken)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (wide().iloc[:0], "frame has no rows"),
        (wide().iloc[:, :0], "frame has no columns"),
        (None, "expected a panel, a frame.*not NoneType"),
        (3, "expected a panel, a frame.*not int"),
        (wide().iloc[:, ::-1], r"not sorted; .*sort_index\(axis=1\)"),
        (wide(HOURLY[:3].insert(2, pd.NaT)), r"1 missing times \(NaT\)"),
        (wide().mask(wide() == wide().loc["b"].max(), np.inf), "series 'b' holds 1 infinite"),
        (wide() + 0j, "series 'a' holds .*complex"),
        (wide().astype("datetime64[ns]"), "series 'a' holds .*datetime64"),
    ],
)
def test_frames_that_are_none_are_refused(frame, words):
    with pytest.raises(PSAGANInputError, match=words):
        PSAGAN(**SMALL).fit(frame)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ([1, 2], "frame is a list.*pandas"),
        (long(time=HOURLY[:10].to_period("h")), r"'time' holds periods.*\.dt\.to_timestamp\(\)"),
        (long(time=["2000-01-03"] * 9 + ["soon"]), "'time'.*soon"),
        (long()[::-1], "not sorted"),
        (long(time=[*HOURLY[:9], pd.NaT]), r"1 missing times \(NaT\)"),
    ],
)
def test_long_frames_that_are_none_are_refused(frame, words):
    with pytest.raises(PSAGANInputError, match=words):
        TimeSeriesPanel.from_long(frame, "item", "time", "z")


def test_a_wide_frame_must_be_one():
    with pytest.raises(PSAGANInputError, match=r"frame is a list.*pandas"):
        TimeSeriesPanel.from_wide([1, 2])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"values": wide()}, r"values is a frame.*from_wide"),
        ({"values": 5}, "values=5"),
        ({"values": [["x", "y"]]}, r"values\[0\] holds what is no number"),
        ({"values": [["x", "y"]], "item_ids": ["a"]}, "series 'a' holds what is no number"),
        ({"values": [["1", "2"]]}, r"values\[0\] holds what is no number \(text\)"),
        ({"values": torch.tensor(1.0)}, "values=tensor"),
        ({"values": np.zeros((3, 9), complex)}, r"values\[0\] holds .*complex"),
        ({"values": np.zeros((3, 9), "M8[s]")}, r"values\[0\] holds .*datetime64"),
        ({"static_cat": 1}, "static_cat=1"),
        ({"static_cat": [[1], [1, 2], 3]}, "static_cat=.* integers"),
        ({"static_cat": [0, -1, 1]}, "static_cat.*-1"),
        ({"feat_dynamic": "x"}, "feat_dynamic holds what is no number"),
        ({"feat_dynamic": [[1], [1, 2]]}, "feat_dynamic holds what is no number .*rows of one length"),
        ({"feat_dynamic": np.zeros((1, 9), complex)}, "feat_dynamic.*complex"),
        ({"first_index": 1.5}, "first_index=1.5"),
        ({"first_index": "x"}, "first_index='x'"),
        ({"first_index": True}, "first_index=True"),
        ({"first_index": [0, 0.5, 1]}, "first_index"),
        ({"item_ids": [["a"], ["b"], ["c"]]}, r"item_ids.*\['a'\].*tuple"),
        ({"item_ids": 5}, "item_ids=5"),
        ({"freq": pd.DateOffset(months=1)}, "DateOffset.*'MS'"),
        ({"start": "2262-04-11 20:00"}, "start.*2262"),
    ],
)
def test_arguments_that_are_none_are_refused(changes, words):
    with pytest.raises(PSAGANInputError, match=words):
        _ = plain(**changes).features


@pytest.mark.parametrize("first_index", [3, np.array(3), [3, 3, 3], np.array([3, 3, 3]), torch.tensor([3, 3, 3])])
def test_ages_are_given_in_any_form_of_whole_numbers(first_index):
    assert plain(first_index=first_index).first_index == (3, 3, 3)


def test_categories_of_gluonts_are_whole_numbers():
    assert TimeSeriesPanel.from_gluonts(entries(feat_static_cat=[2.0])).static_cat.tolist() == [2, 2, 2]
    with pytest.raises(PSAGANInputError, match=r"feat_static_cat of series 'a' is \[1\.5\]"):
        TimeSeriesPanel.from_gluonts(entries(feat_static_cat=[1.5]))


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("2024-10-27 02:00", r"there twice.*2024-10-27 02:00:00\+02:00"),
        ("2024-03-31 02:00", "does not exist"),
    ],
)
def test_hours_that_the_clock_skips_or_repeats_are_refused(start, words):
    panel = TimeSeriesPanel(VALUES, pd.Timestamp("2024-03-20", tz="Europe/Berlin"), "h")
    with pytest.raises(PSAGANInputError, match=words):
        panel.step_of(0, start)
    repeated = TimeSeriesPanel(VALUES, BERLIN[0], "h")
    assert repeated.step_of(0, "2024-10-27 02:00+01:00") - repeated.step_of(0, "2024-10-27 02:00+02:00") == 1


def test_business_days_with_holidays_have_no_period():
    panel = TimeSeriesPanel(VALUES, "2000-01-03", "C")
    with pytest.raises(PSAGANInputError, match=r"freq='C'.*freq='B'"):
        panel.to_gluonts()


def test_a_frequency_without_a_name_is_refused_with_one_that_has():
    with pytest.raises(PSAGANInputError, match="'MS'"):
        feature_names(pd.DateOffset(months=1))
