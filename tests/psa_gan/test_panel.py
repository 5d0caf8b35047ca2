import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reprise.compute import torch_generator
from reprise.psa_gan.generators import KINDS, make_panel
from reprise.psa_gan.input_checks import PSAGANInputError, check_window
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.scaling import MinMaxScaler
from reprise.psa_gan.time_features import feature_names, time_features
from reprise.psa_gan.windows import WindowSampler

HOURLY = pd.date_range("2000-01-03", periods=100, freq="h")


@pytest.fixture
def ragged():
    generator = np.random.default_rng(0)
    return TimeSeriesPanel([generator.random(30), generator.random(50)], "2000-01-03", "h")


def test_hourly_features_are_the_formulas_of_the_specification():
    found = time_features(pd.DatetimeIndex(["2001-03-04 23:00", "2001-12-31 05:00"]), "h", first_index=8)
    sunday, last = found.T
    np.testing.assert_allclose(sunday, [0.5, 0.5, 3 / 30 - 0.5, 62 / 365 - 0.5, 1.0], rtol=1e-6)
    np.testing.assert_allclose(last, [5 / 23 - 0.5, -0.5, 0.5, 364 / 365 - 0.5, np.log10(11)], rtol=1e-6)


@pytest.mark.parametrize(("freq", "n"), [("5min", 6), ("h", 5), ("D", 4), ("B", 4), ("MS", 2)])
def test_finer_frequencies_have_more_features(freq, n):
    assert len(feature_names(freq)) == n
    assert time_features(pd.date_range("2000-01-03", periods=7, freq=freq), freq).shape == (n, 7)


@pytest.mark.parametrize(("freq", "words"), [("fortnight", "unknown to pandas"), ("s", "no calendar features")])
def test_other_frequencies_are_refused(freq, words):
    with pytest.raises(PSAGANInputError, match=words):
        TimeSeriesPanel(np.zeros((1, 4)), "2000-01-03", freq)


def test_windows_equal_slices(ragged):
    series, start = torch.tensor([1, 0, 1]), torch.tensor([0, 7, 42])
    found = ragged.windows(series, start, 8)
    features = ragged.window_features(series, start, 8)
    for row, i, t, feature in zip(found, series, start, features, strict=True):
        assert torch.equal(row, ragged.values[i, t : t + 8])
        assert torch.equal(feature, ragged.features[:, t : t + 8])


def test_series_with_different_starts_have_features_of_their_own():
    panel = TimeSeriesPanel(np.zeros((2, 30)), ["2000-01-03", "2000-01-03 05:00"], "h")
    assert panel.features.shape == (2, 5, 30)
    assert torch.equal(panel.features[1, :4, :25], panel.features[0, :4, 5:])
    found = panel.window_features(torch.tensor([1]), torch.tensor([3]), 4)
    assert torch.equal(found[0], panel.features[1, :, 3:7])


def test_known_features_follow_the_calendar_for_shared_and_own_features():
    known = np.arange(20.0).reshape(1, 20)
    panel = TimeSeriesPanel(np.zeros((2, 20)), "2000-01-03", "h", feat_dynamic=known)
    assert panel.n_features == 6
    assert torch.equal(panel.features[5], torch.arange(20.0))
    own = TimeSeriesPanel(np.zeros((2, 20)), "2000-01-03", "h", feat_dynamic=np.stack([known, -known]))
    assert torch.equal(own.features[1, 5], -torch.arange(20.0))


def test_a_part_keeps_its_calendar_and_hides_what_comes_later(ragged):
    part = ragged.until(torch.tensor([20, 25]))
    assert part.lengths.tolist() == [20, 25]
    assert part.values.shape == (2, 25)
    assert torch.isnan(part.values[0, 20:]).all()
    assert torch.equal(part.features, ragged.features[:, :25])
    longer = part.extended(25)
    assert torch.equal(longer.features, ragged.features)


def test_a_panel_is_left_as_it_was(ragged):
    before, features = ragged.values.clone(), ragged.features
    ragged.until(torch.tensor([3, 3]))
    ragged.extended(4)
    MinMaxScaler.fit(ragged).transform(ragged)
    assert torch.equal(ragged.values.nan_to_num(), before.nan_to_num())
    assert ragged.features is features


def test_long_wide_and_gluonts_give_the_same_panel():
    values = np.random.default_rng(1).random((3, 100)).astype(np.float32)
    wide = pd.DataFrame(values, index=["a", "b", "c"], columns=HOURLY)
    long = wide.reset_index(names="item").melt(id_vars="item", var_name="time", value_name="z")
    panels = [
        TimeSeriesPanel(values, "2000-01-03", "h"),
        TimeSeriesPanel.from_wide(wide),
        TimeSeriesPanel.from_long(long, "item", "time", "z"),
    ]
    panels.append(TimeSeriesPanel.from_gluonts(panels[1].to_gluonts()))
    for panel in panels:
        assert torch.equal(panel.values, panels[0].values)
        assert torch.equal(panel.features, panels[0].features)
    assert panels[2].item_ids == panels[3].item_ids == ("a", "b", "c")
    pd.testing.assert_frame_equal(panels[1].to_frame(), wide, check_freq=False)


def test_the_age_of_series_may_differ():
    panel = TimeSeriesPanel(np.zeros((2, 9)), "2000-01-03", "h", first_index=[0, 7])
    alone = [TimeSeriesPanel(np.zeros((1, 9)), "2000-01-03", "h", first_index=age) for age in (0, 7)]
    for features, one in zip(panel.features, alone, strict=True):
        assert torch.equal(features, one.features)
    assert torch.equal(panel.of_series(torch.tensor([1])).features, alone[1].features)


def test_equal_frequencies_have_one_name():
    assert TimeSeriesPanel(np.zeros((1, 9)), "2000-01-03", "1h").freq == "h"
    assert TimeSeriesPanel(np.zeros((1, 9)), "2000-01-03", pd.offsets.Minute(5)).freq == "5min"


@pytest.mark.parametrize(("value", "warned"), [(1e6, True), (1e3, False), (0.0, False)])
def test_series_of_which_32_bits_keep_little_are_named(value, warned):
    values = [np.sin(np.arange(50)) * 0.05 + value, np.full(50, 1e9)]
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        TimeSeriesPanel(values, "2000-01-03", "h", item_ids=["a", "constant"])
    assert [("'a' (2)" in str(one.message)) for one in found] == [True] * warned


def test_infinite_values_at_the_end_of_a_row_are_no_end():
    frame = pd.DataFrame(np.ones((2, 100)), columns=HOURLY)
    frame.iloc[1, -5:] = np.inf
    with pytest.raises(PSAGANInputError, match="5 infinite values"):
        TimeSeriesPanel.from_wide(frame)


ENTRIES = [{"target": np.ones(9), "start": pd.Period("2000-01-03", freq="h"), "item_id": name} for name in "ab"]


def told(**fields):
    return [{**ENTRIES[0], **fields}, ENTRIES[1]]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (told(feat_static_cat=[0]), "1 of 2 entries have no feat_static_cat: series 'b'"),
        (told(feat_dynamic_real=np.ones((1, 9))), "1 of 2 entries have no feat_dynamic_real: series 'b'"),
        ([{**one, "feat_static_cat": ["x"]} for one in ENTRIES], "series 'a' is .*counted from 0"),
        ([{**one, "feat_static_cat": [10**9]} for one in ENTRIES], "static_cat reaches 1000000000"),
        (
            [{**one, "feat_dynamic_real": np.ones((1, n))} for one, n in zip(ENTRIES, (9, 8), strict=True)],
            r"shape \(1, 9\) in series 'a' and other ones in 'b' \(1, 8\)",
        ),
        ([ENTRIES[0], ENTRIES[0]], "item_ids has 'a' twice; names must differ"),
    ],
)
def test_entries_that_do_not_fit_together_are_refused(entries, words):
    with pytest.raises(PSAGANInputError, match=words):
        TimeSeriesPanel.from_gluonts(entries)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.assign(item=["a"] * 9 + [np.nan]), "1 rows have no name in 'item'"),
        (lambda frame: frame.assign(z=["1"] * 9 + ["n/a"]), "series 'a', column 'z' holds what is no number"),
        (lambda frame: frame.assign(time=np.arange(10) * 3600), "'time' holds numbers, not times"),
        (lambda frame: frame.set_axis(["item", "time", "time"], axis=1), "'time' more than once"),
        (lambda frame: frame.assign(time=HOURLY[[0, 1, 2, 3, 4, 4, 5, 6, 7, 8]]), "05:00:00|04:00:00.*twice"),
    ],
)
def test_long_frames_that_are_none_are_refused_with_the_remedy(change, words):
    frame = pd.DataFrame({"item": "a", "time": HOURLY[:10], "z": 1.0})
    with pytest.raises(PSAGANInputError, match=words):
        TimeSeriesPanel.from_long(change(frame), "item", "time", "z")


def test_categories_without_rows_are_no_series():
    frame = pd.DataFrame({"item": pd.Categorical(["a"] * 10, ["a", "b"]), "time": HOURLY[:10], "z": 1.0})
    assert TimeSeriesPanel.from_long(frame, "item", "time", "z").item_ids == ("a",)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (HOURLY.astype(str), r"pd\.to_datetime\(frame\.columns\)"),
        (HOURLY.to_period("h"), r"frame\.columns\.to_timestamp\(\)"),
    ],
)
def test_wide_frames_whose_columns_are_nearly_times_are_told_how_to_make_them(columns, words):
    with pytest.raises(PSAGANInputError, match=words):
        TimeSeriesPanel.from_wide(pd.DataFrame(np.ones((2, 100)), columns=columns))


@pytest.mark.parametrize(
    ("start", "freq", "words"),
    [
        ("2000-01-15", "MS", "is no step at freq='MS'; the next one is 2000-02-01"),
        ("2000-01-01", "B", "the next one is 2000-01-03"),
        (20000103, "h", "start=20000103 is no time"),
        (None, "h", "start=None is no time"),
        ("2000-01-03", "-1h", "is no step forward"),
        ("2000-01-03", None, "freq=None"),
    ],
)
def test_starts_and_frequencies_that_are_none_are_refused(start, freq, words):
    with pytest.raises(PSAGANInputError, match=words):
        TimeSeriesPanel(np.zeros((1, 9)), start, freq)


def test_a_gluonts_data_set_has_one_frequency():
    entries = [
        {"target": np.ones(9), "start": pd.Period("2000-01-03", freq=freq), "item_id": name}
        for name, freq in (("a", "h"), ("b", "h"), ("c", "D"))
    ]
    assert TimeSeriesPanel.from_gluonts(entries[:2]).freq == "h"
    with pytest.raises(PSAGANInputError, match=r"one frequency, here freq='h', .* series 'c' \(D\); make one panel"):
        TimeSeriesPanel.from_gluonts(entries)
    with pytest.raises(PSAGANInputError, match=r"freq='D', and 2 of 2 entries have another: series 'a' \(h\), 'b'"):
        TimeSeriesPanel.from_gluonts(entries[:2], freq="D")


@pytest.mark.parametrize("freq", ["5min", "h", "2h", "D", "B", "W", "W-WED", "MS", "ME", "QS", "QE", "QS-NOV", "3MS"])
def test_every_frequency_goes_to_gluonts_and_back(freq):
    times = pd.date_range("2001-02-01", periods=12, freq=freq)
    panel = TimeSeriesPanel.from_wide(pd.DataFrame([np.arange(12.0)], index=["a"], columns=times))
    entry = panel.to_gluonts()[0]
    assert entry["start"].start_time <= times[0] <= entry["start"].end_time
    assert (entry["start"] + 1).start_time <= times[1] <= (entry["start"] + 1).end_time
    back = TimeSeriesPanel.from_gluonts(panel.to_gluonts(), freq=freq)
    assert torch.equal(back.values, panel.values)


def test_frames_and_entries_have_memory_of_their_own():
    panel = TimeSeriesPanel(np.zeros((2, 9)), "2000-01-03", "h")
    frame = panel.to_frame()
    frame.iloc[0, 0] = 1.0
    panel.to_gluonts()[0]["target"][0] = 1.0
    assert not panel.values.any()


def test_a_wide_frame_with_missing_ends_is_ragged():
    frame = pd.DataFrame(np.ones((2, 100)), columns=HOURLY)
    frame.iloc[1, 60:] = np.nan
    frame.iloc[0, 3] = np.nan
    assert TimeSeriesPanel.from_wide(frame).lengths.tolist() == [100, 60]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TimeSeriesPanel(np.zeros((2, 8, 3)), "2000", "h"), "reshape M channels into M series"),
        (lambda: TimeSeriesPanel([np.zeros((8, 3))], "2000", "h"), "reshape M channels into M series"),
        (lambda: TimeSeriesPanel([], "2000", "h"), "no series"),
        (lambda: TimeSeriesPanel([[1.0], []], "2000", "h"), r"values\[1\] is empty"),
        (lambda: TimeSeriesPanel([[1.0, np.inf]], "2000", "h"), "1 infinite"),
        (
            lambda: TimeSeriesPanel(np.zeros((1, 120)), "2000", "h", feat_dynamic=np.zeros((1, 100))),
            "feat_dynamic has T=100, target has T=120",
        ),
        (lambda: TimeSeriesPanel(np.zeros((2, 9)), ["2000"], "h"), "1 times for 2 series"),
        (lambda: TimeSeriesPanel(np.zeros((2, 9)), "2000", "h", static_cat=[0.5, 1]), "integers"),
        (lambda: TimeSeriesPanel(np.zeros((2, 9)), "2000", "h", item_ids=["a"]), "1 names for 2 series"),
        (lambda: TimeSeriesPanel.of(np.zeros((2, 9))), "no calendar"),
        (lambda: TimeSeriesPanel.of([1, 2]), "'target' and"),
        (lambda: TimeSeriesPanel.from_gluonts([{"target": [1.0], "start": "2000"}]), "give freq"),
        (lambda: TimeSeriesPanel.from_wide(pd.DataFrame(np.zeros((100, 2)), index=HOURLY)), r"transpose it, frame\.T"),
    ],
)
def test_bad_input_is_refused_with_the_remedy(make, words):
    with pytest.raises(PSAGANInputError, match=words):
        make()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([3, 1, 2, 0], "not sorted"),
        ([0, 1, 1, 2], "stands where"),
        ([0, 1, 3, 4], "put missing steps in"),
    ],
)
def test_irregular_times_are_refused(rows, words):
    frame = pd.DataFrame({"item": "a", "time": HOURLY[rows], "z": 1.0})
    with pytest.raises(PSAGANInputError, match=words):
        TimeSeriesPanel.from_long(frame, "item", "time", "z", freq="h")
    with pytest.raises(PSAGANInputError, match="no column 'value'"):
        TimeSeriesPanel.from_long(frame, "item", "time", "value")


def test_future_of_known_features_must_be_given():
    panel = TimeSeriesPanel(np.zeros((2, 20)), "2000-01-03", "h", feat_dynamic=np.zeros((1, 20)))
    with pytest.raises(PSAGANInputError, match="give feat_dynamic"):
        panel.extended(4)
    assert panel.extended(4, np.ones((1, 4))).features[-1, -4:].tolist() == [1, 1, 1, 1]


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=40))
def test_scaling_reaches_zero_and_one_and_returns(values):
    panel = TimeSeriesPanel([values, [0.0, 1.0, *values]], "2000-01-03", "h")
    scaler = MinMaxScaler(torch.tensor([0.0, 1.0]), torch.tensor([2.0, 4.0]))
    series = torch.tensor([0, 1])
    back = scaler.inverse_transform(scaler.transform(panel).values[series], series)
    torch.testing.assert_close(back, panel.values[series], equal_nan=True)


def test_each_series_is_scaled_by_itself_and_constants_become_zero(ragged):
    scaled = MinMaxScaler.fit(ragged).transform(ragged)
    for row, length in zip(scaled.values, scaled.lengths, strict=True):
        assert row[:length].min() == 0
        assert row[:length].max() == 1
    constant = TimeSeriesPanel([[5.0, 5.0], [1.0, 2.0]], "2000-01-03", "h")
    with pytest.warns(UserWarning, match="1 constant series are scaled to 0: 0"):
        assert MinMaxScaler.fit(constant).transform(constant).values[0].tolist() == [0, 0]


def test_clipping_keeps_a_spike_from_squeezing_a_series():
    values = np.concatenate([np.linspace(0, 1, 200), [1000.0]])
    panel = TimeSeriesPanel([values], "2000-01-03", "h")
    assert MinMaxScaler.fit(panel, clip_quantile=0.01).scale.item() < 1.1 < MinMaxScaler.fit(panel).scale.item()
    with pytest.raises(PSAGANInputError, match="clip_quantile"):
        MinMaxScaler.fit(panel, clip_quantile=0.5)


@pytest.mark.parametrize("context", [0, 5])
def test_admissible_windows_are_those_of_a_plain_loop(context):
    values = np.random.default_rng(2).random((3, 40))
    values[0, 17] = np.nan
    panel = TimeSeriesPanel([values[0], values[1, :33], values[2, :18]], "2000-01-03", "h")
    sampler = WindowSampler(panel, 8, context, first=3, allow_nan=True)
    expected = [
        (i, t)
        for i in range(3)
        for t in range(max(3, context), int(panel.lengths[i]) - 7)
        if not torch.isnan(panel.values[i, t - context : t + 8]).any()
    ]
    assert list(zip(*(one.tolist() for one in sampler.all()), strict=True)) == expected


def test_draws_are_uniform_over_series_then_starts(ragged):
    sampler = WindowSampler(ragged, 8)
    series, start = sampler.draw(20_000, torch_generator(0, "test"))
    assert abs(series.double().mean() - 0.5) < 0.02
    for i, n_starts in ((0, 23), (1, 43)):
        shares = torch.bincount(start[series == i], minlength=n_starts) / (series == i).sum()
        assert len(shares) == n_starts
        assert (shares - 1 / n_starts).abs().max() < 0.02
    again = sampler.draw(20_000, torch_generator(0, "test"))
    assert torch.equal(again[0], series)
    assert torch.equal(again[1], start)


def test_short_series_are_named_and_left_out(ragged):
    with pytest.warns(UserWarning, match=r"1 of 2 series have no 36 steps .*: 0\."):
        assert WindowSampler(ragged, 32, 4).series.tolist() == [1]
    with pytest.raises(PSAGANInputError, match="no series has 64 steps"):
        WindowSampler(ragged, 64)


def test_missing_values_are_named_unless_allowed():
    panel = TimeSeriesPanel([[1.0, np.nan, 3.0] * 10], "2000-01-03", "h", item_ids=["meter"])
    with pytest.raises(PSAGANInputError, match=r"'meter' \(10\).*allow_nan=True"):
        WindowSampler(panel, 8)
    with pytest.raises(PSAGANInputError, match="without a gap"):
        WindowSampler(panel, 8, allow_nan=True)


@pytest.mark.parametrize(("window", "hint"), [(48, "32 or 64"), (4, "8 or 16"), (8.0, "8"), (True, "8")])
def test_windows_are_powers_of_two(window, hint):
    with pytest.raises(PSAGANInputError, match=f"power of two ≥ 8 .*{hint}"):
        check_window(window)
    assert check_window(64) == 64


@pytest.mark.parametrize("kind", KINDS)
def test_embedded_panels_are_the_same_for_the_same_seed(kind):
    first, second, other = (make_panel(5, 14, seed, kind).values for seed in (3, 3, 4))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.isfinite(first).all()
    assert first.shape == (5, 336)


def test_the_embedded_panel_has_days_and_weekends():
    values = make_panel(48, 56).values.reshape(48, 8, 7, 24)
    by_hour = values.mean(dim=(0, 1, 2))
    assert by_hour.argmax() in (11, 12, 13)
    assert by_hour[0] < 0.6 * by_hour.max()
    assert (values[:, :, 5:].mean(dim=(1, 2, 3)) < values[:, :, :5].mean(dim=(1, 2, 3))).double().mean() > 0.9


def test_some_series_keep_all_that_belongs_to_them():
    known = np.random.default_rng(0).random((3, 2, 5))
    panel = TimeSeriesPanel(
        [[1.0, 2, 3, 4, 5], [6.0, np.nan, 8], [9.0, 10, 11, 12]], ["2000-01-03", "2000-01-04", "2000-01-05"], "h",
        static_cat=[7, 5, 3], feat_dynamic=known, item_ids=["a", "b", "c"],
    )  # fmt: skip
    found = panel.of_series(torch.tensor([2, 1]))
    assert (found.item_ids, found.lengths.tolist(), found.static_cat.tolist()) == (("c", "b"), [4, 3], [3, 5])
    assert torch.equal(found.values.nan_to_num(-1), panel.values[[2, 1]].nan_to_num(-1))
    assert [str(start)[:10] for start in found.starts] == ["2000-01-05", "2000-01-04"]
    series, start = torch.tensor([0, 1]), torch.tensor([1, 0])
    own = found.window_features(series, start, 2)
    assert torch.equal(own, panel.window_features(torch.tensor([2, 1]), start, 2))
    assert panel.n_series == 3
