import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from reprise.compute import DeviceError
from reprise.psa_gan import PSAGAN, PSAGANInputError, TimeSeriesPanel, make_panel
from reprise.psa_gan.filling import fill_gaps

SMALL = {"window": 16, "channels": 4, "embed_dim": 3, "batch_size": 8, "max_steps": 6, "device": "cpu"}
PANEL = make_panel(4, days=10)


@pytest.fixture(scope="module")
def plain():
    return PSAGAN(**SMALL).fit(PANEL)


@pytest.fixture(scope="module")
def with_context():
    return PSAGAN(**SMALL, context=8).fit(PANEL)


def with_gap(series, first, stop):
    values = PANEL.values.clone()
    values[series, first:stop] = float("nan")
    return PANEL.with_values(values)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"window": 48}, r"window must be a power of two ≥ 8 \(got 48\); try 32 or 64"),
        ({"max_steps": 1}, "ends before the last of 2 stages begins"),
        ({"lr": 0}, "lr=0 must be a number above 0"),
        ({"context": -2}, "context=-2"),
        ({"clip_quantile": 0.7}, "clip_quantile=0.7"),
        ({"upsample": "cubic"}, "nearest or linear"),
        ({"max_steps": 4.5}, "max_steps=4.5 must be a whole number"),
        ({"batch_size": 8.0}, "batch_size=8.0 must be a whole number"),
        ({"lr": "1e-3"}, "lr='1e-3' must be a number"),
        ({"lr": float("inf")}, "lr=inf must be a number"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_training(changes, words):
    with pytest.raises(PSAGANInputError, match=words):
        PSAGAN(**{**SMALL, **changes})


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_device_that_is_not_there_is_refused_at_construction():
    with pytest.raises(DeviceError, match="use device='auto' or 'cpu'"):
        PSAGAN(device="cuda")


def test_samples_are_on_the_original_scale_and_follow_the_seed(plain):
    first = plain.sample(3, series=[0, 2], start=[24, 48])
    assert first.shape == (3, 2, 16)
    np.testing.assert_array_equal(first, plain.sample(3, series=[0, 2], start=[24, 48]))
    assert not np.array_equal(first, plain.sample(3, series=[0, 2], start=[24, 48], seed=9))
    large = TimeSeriesPanel(PANEL.values * 1000 + 5, PANEL.starts, "h")
    model = PSAGAN(**SMALL).fit(large)
    np.testing.assert_allclose(model.sample(3, series=[0, 2], start=[24, 48]), first * 1000 + 5, rtol=1e-3)


def test_times_and_steps_name_the_same_windows(plain):
    by_step = plain.sample(1, series=1, start=30)
    np.testing.assert_array_equal(by_step, plain.sample(1, series=1, start="2000-01-04 06:00"))
    with pytest.raises(PSAGANInputError, match="is no step of series 1"):
        plain.sample(1, series=1, start="2000-01-04 06:30")
    assert plain.sample().shape == (1, 4, 16)
    assert plain.sample(1, series=0, start=10_000).shape == (1, 1, 16)


def test_unseen_series_and_starts_without_context_are_refused(plain, with_context):
    with pytest.raises(PSAGANInputError, match="series 17 was not seen in fit"):
        plain.sample(1, series=17)
    with pytest.raises(PSAGANInputError, match="series 4 was not seen in fit"):
        plain.forecast(make_panel(5, days=10))
    with pytest.raises(PSAGANInputError, match="leaves fewer than the 8 values of context"):
        with_context.sample(1, series=0, start=4)
    with pytest.raises(PSAGANInputError, match=r"of 0 \(240 steps\) does; .* use forecast"):
        with_context.sample(1, series=0, start=300)
    with pytest.raises(PSAGANInputError, match=r"of 3 \(7 steps\) does"):
        with_context.sample(panel=PANEL.until(torch.tensor([240, 240, 240, 7])))
    with pytest.raises(PSAGANInputError, match="start=-1 lies before the series"):
        plain.sample(1, series=0, start=-1)
    with pytest.raises(PSAGANInputError, match=r"series=\[\] names no series"):
        plain.sample(1, series=[])
    with pytest.raises(PSAGANInputError, match="n=-1 must be a whole number of at least 1"):
        plain.sample(-1)
    for ask in (PSAGAN.sample, lambda one: one.save("model.pt"), lambda one: one.history_):
        with pytest.raises(PSAGANInputError, match="not fitted"):
            ask(PSAGAN(**SMALL))
    with pytest.raises(PSAGANInputError, match="freq='D'"):
        plain.sample(panel=TimeSeriesPanel(PANEL.values, "2000-01-03", "D"))
    with pytest.raises(PSAGANInputError, match="2 entries for 1 series"):
        plain.sample(1, series=0, start=[3, 4])


def test_the_context_changes_what_is_generated(with_context):
    first = with_context.sample(1, series=0, start=48)
    raised = PANEL.with_values(PANEL.values + 0.5)
    assert not np.allclose(first, with_context.sample(1, series=0, start=48, panel=raised), atol=1e-4)


def test_series_and_starts_are_taken_in_the_containers_that_readers_have(plain):
    pairs = [("x", 1), ("x", 2), ("y", 1), ("y", 2)]
    frame = PANEL.to_frame().set_axis(pd.MultiIndex.from_tuples(pairs), axis=0)
    model = PSAGAN(**SMALL).fit(frame)
    wanted = plain.sample(1, series=[0, 1], start=[24, 48])
    times = frame.columns[[24, 48]]
    for series, start in (
        (frame.index[:2], times),
        (pairs[:2], pd.Series(times)),
        (pd.Series(pairs[:2]), times.to_numpy()),
        (frame.index[:2], times.to_period("h")),
        (frame.index[:2], torch.tensor([24, 48])),
    ):
        np.testing.assert_array_equal(model.sample(1, series=series, start=start), wanted)
    one = plain.sample(1, series=1, start=48)
    np.testing.assert_array_equal(model.sample(1, series=("x", 2), start=48), one)
    for start in ("foo", True, 24.0, None.__class__):
        with pytest.raises(PSAGANInputError, match="is no time"):
            model.sample(1, series=("x", 2), start=start)


def test_the_age_of_a_step_counts_from_the_beginning_of_the_fit(plain, with_context):
    frame = PANEL.to_frame()
    start = frame.columns[120]
    latest = frame.iloc[:, 100:]
    for model in (plain, with_context):
        np.testing.assert_array_equal(model.sample(2, panel=latest, start=start), model.sample(2, start=start))
    known = with_context._aligned(latest)[0]
    torch.testing.assert_close(known.features, PANEL.features[:, 100:])
    # Series may begin at different times, and some may be missing.
    ragged = TimeSeriesPanel(
        [row[:100] for row in frame.iloc[[2, 0], 100:].to_numpy()], [frame.columns[100], frame.columns[130]], "h",
        item_ids=[2, 0],
    )  # fmt: skip
    features = plain._aligned(ragged)[0].features
    torch.testing.assert_close(features[0], PANEL.features[:, 100:200])
    torch.testing.assert_close(features[1], PANEL.features[:, 130:230])
    with pytest.raises(PSAGANInputError, match=r"series 0 begins at 2000-01-02 .* before its beginning in the fit"):
        plain.sample(panel=TimeSeriesPanel(PANEL.values, "2000-01-02", "h"))


def test_a_panel_between_the_steps_of_the_fit_is_refused(plain):
    words = r"series 0 begins at 2000-01-04 00:30:00, which is no step of the fit .* it is 2000-01-04 00:00:00"
    with pytest.raises(PSAGANInputError, match=words):
        plain.sample(panel=TimeSeriesPanel(PANEL.values, "2000-01-04 00:30", "h"))


def test_another_time_zone_than_that_of_the_fit_is_refused(plain):
    frame = PANEL.to_frame()
    model = PSAGAN(**SMALL).fit(frame.tz_localize("UTC", axis=1))
    with pytest.raises(PSAGANInputError, match="has the time zone Asia/Tokyo, and the fit had UTC"):
        model.sample(panel=frame.tz_localize("UTC", axis=1).tz_convert("Asia/Tokyo", axis=1))
    with pytest.raises(PSAGANInputError, match="has the time zone UTC, and the fit had None"):
        plain.impute(frame.tz_localize("UTC", axis=1))
    in_another_zone = pd.Timestamp("2000-01-04 15:00", tz="Asia/Tokyo")
    np.testing.assert_array_equal(model.sample(1, start=in_another_zone), model.sample(1, start=30))


def test_a_gap_in_the_context_is_refused_by_name(plain, with_context):
    broken = with_gap(2, 42, 45)
    with pytest.raises(PSAGANInputError, match=r"series 2 \(3 before step 48\); fill them by `impute`"):
        with_context.sample(1, start=48, panel=broken)
    with pytest.raises(PSAGANInputError, match=r"series 2 \(2 before step 44\)"):
        with_context.sample(1, series=2, start=44, panel=broken)
    # Windows beside the gap, windows without context, and what impute has filled are as good as ever.
    for windows in (
        with_context.sample(1, start=53, panel=broken),
        with_context.sample(1, series=[0, 1, 3], start=48, panel=broken),
        plain.sample(1, start=48, panel=broken),
        with_context.sample(1, start=48, panel=with_context.impute(broken, n_samples=1)[0]),
    ):
        assert np.isfinite(windows).all()


def test_frames_and_gluonts_are_taken_as_they_are(plain):
    frame = PANEL.to_frame()
    np.testing.assert_array_equal(PSAGAN(**SMALL).fit(frame).sample(2, start=24), plain.sample(2, start=24))
    model = PSAGAN(**SMALL).fit(PANEL.to_gluonts())
    np.testing.assert_array_equal(model.sample(2, start=24), plain.sample(2, start=24))


@pytest.mark.parametrize("model", ["plain", "with_context"])
@pytest.mark.parametrize("gap", [(30, 35), (30, 90), (0, 3), (232, 240)])
def test_gaps_are_filled_and_everything_else_is_left(model, gap, request):
    fitted = request.getfixturevalue(model)
    broken = with_gap(2, *gap)
    fillings = fitted.impute(broken, n_samples=3)
    assert len(fillings) == 3
    missing = torch.isnan(broken.values)
    for one in fillings:
        assert torch.isfinite(one.values).all()
        assert torch.equal(one.values[~missing], broken.values[~missing])
    assert not torch.equal(fillings[0].values, fillings[1].values)
    assert torch.isnan(broken.values).sum() == gap[1] - gap[0]


def test_a_frame_is_filled_up_to_its_last_column(plain, with_context):
    frame = PANEL.to_frame()
    frame.iloc[1, 220:] = np.nan  # a sensor that died
    frame.iloc[:, -1] = np.nan
    for model in (plain, with_context):
        filled = model.impute(frame, n_samples=2)[1].to_frame()
        assert filled.shape == frame.shape
        assert np.isfinite(filled.to_numpy()).all()
        pd.testing.assert_frame_equal(filled.where(frame.notna()), frame.astype("float32"), check_freq=False)


def test_filling_goes_from_left_to_right_over_what_was_filled():
    values = torch.arange(20.0).repeat(2, 1)
    values[0, 5:14] = float("nan")
    values[1, 17:] = float("nan")
    panel = TimeSeriesPanel(values, "2000-01-03", "h").with_values(values, torch.tensor([20, 19]))
    seen = []

    def last_value_plus_one(series, start, seed=0, context=None):
        seen.append((series.tolist(), start.tolist()))
        return context[:, -1:] + torch.arange(1.0, 5)

    filled = fill_gaps(panel, last_value_plus_one, 4, 2, n_samples=1)
    assert torch.equal(filled[0, 0], torch.arange(20.0))
    assert torch.equal(filled[0, 1, :19], torch.arange(19.0))
    assert torch.isnan(filled[0, 1, 19])
    assert seen == [([0, 1], [5, 17]), ([0], [9]), ([0], [13])]


def test_forecasts_continue_each_series_from_its_own_end(with_context):
    ragged = PANEL.until(torch.tensor([240, 200, 240, 240]))
    paths = with_context.forecast(ragged, horizon=40, n_samples=5)
    assert paths.shape == (5, 4, 40)
    assert np.isfinite(paths).all()
    # Series 1 ends earlier: its forecast is the one of the panel that is cut there.
    early = with_context.forecast(PANEL.until(torch.full((4,), 200)), horizon=40, n_samples=5)
    np.testing.assert_allclose(paths[:, 1].mean(0), early[:, 1].mean(0), rtol=0.2)
    with pytest.raises(PSAGANInputError, match="horizon=0"):
        with_context.forecast(horizon=0)
    with pytest.raises(PSAGANInputError, match="n_samples=0"):
        with_context.impute(n_samples=0)


def test_a_forecast_beyond_known_features_asks_for_them():
    panel = TimeSeriesPanel(PANEL.values, "2000-01-03", "h", feat_dynamic=np.zeros((1, 240)))
    model = PSAGAN(**SMALL).fit(panel)
    with pytest.raises(PSAGANInputError, match="give feat_dynamic"):
        model.forecast(horizon=20, n_samples=2)
    assert model.forecast(horizon=20, n_samples=2, feat_dynamic=np.ones((1, 36))).shape == (2, 4, 20)
    with pytest.raises(PSAGANInputError, match=r"shape \(1, 20\); give \(1, 36\)"):
        model.forecast(horizon=20, n_samples=2, feat_dynamic=np.ones((1, 20)))
    with pytest.raises(PSAGANInputError, match=r"shape \(2, 36\); give \(1, 36\), as many features as the panel has"):
        model.forecast(horizon=20, n_samples=2, feat_dynamic=np.ones((2, 36)))
    with pytest.raises(PSAGANInputError, match="or a panel that reaches further"):
        model.sample(1, start=235)


def test_a_panel_with_known_features_is_filled_to_its_end():
    features = np.arange(240.0)[None] / 240
    panel = TimeSeriesPanel(PANEL.values, "2000-01-03", "h", feat_dynamic=features)
    values = panel.values.clone()
    values[1, 100:104] = values[2, 230:] = float("nan")
    model = PSAGAN(**SMALL).fit(panel)
    for one in model.impute(panel.with_values(values), n_samples=2):
        assert torch.isfinite(one.values).all()


def test_missing_values_are_refused_or_trained_around():
    broken = with_gap(1, 50, 60)
    with pytest.raises(PSAGANInputError, match=r"1 \(10\)"):
        PSAGAN(**SMALL).fit(broken)
    model = PSAGAN(**SMALL, allow_nan=True).fit(broken)
    assert np.isfinite(model.history_.to_numpy()).all()


def test_a_training_that_diverges_stops_and_says_so(tmp_path):
    path = tmp_path / "training.pt"
    with pytest.raises(
        PSAGANInputError, match=r"diverged at step \d+ \(losses: .*nan\); take a lower rate than lr=10000000000"
    ):
        PSAGAN(**{**SMALL, "max_steps": 40, "lr": 1e10}).fit(PANEL, checkpoint=path, checkpoint_every=1)
    assert not path.exists()


def test_constant_series_are_scaled_to_zero_with_a_warning():
    with pytest.warns(UserWarning, match="constant series are scaled to 0"):
        model = PSAGAN(**SMALL).fit(make_panel(3, days=5, kind="constant"))
    assert np.isfinite(model.sample()).all()


def test_a_stored_model_is_the_same_model(with_context, tmp_path):
    path = tmp_path / "model.pt"
    with_context.save(path)
    loaded = PSAGAN.load(path, device="cpu")
    np.testing.assert_array_equal(loaded.sample(2, start=48), with_context.sample(2, start=48))
    pd.testing.assert_frame_equal(loaded.history_, with_context.history_)
    assert loaded.get_params() == with_context.get_params()
    assert [one.name for one in tmp_path.iterdir()] == ["model.pt"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "+05:30", None])
def test_a_stored_model_keeps_its_time_zone(zone, tmp_path):
    times = pd.date_range("2020-03-28", periods=60, freq="h", tz=zone)
    frame = pd.DataFrame(PANEL.values[:, :60].numpy(), index=list("abcd"), columns=times)
    model = PSAGAN(**SMALL).fit(frame)
    model.save(tmp_path / "model.pt")
    loaded = PSAGAN.load(tmp_path / "model.pt")
    pd.testing.assert_frame_equal(loaded.panel_.to_frame(), frame)
    assert [str(one.tz) for one in loaded.panel_.starts] == [str(times[0].tz)] * 4
    # Behind the hour that a spring leaves out, too, times name the same windows as before.
    for start in (times[40], "2020-03-29 17:00", 40):
        np.testing.assert_array_equal(loaded.sample(1, start=start), model.sample(1, start=start))
    by_clock = loaded.sample(1, start="2020-03-29 17:00")
    np.testing.assert_array_equal(by_clock, loaded.sample(1, start=40 if zone == "Europe/Berlin" else 41))


def test_a_time_with_a_zone_is_none_of_a_panel_without(plain):
    with pytest.raises(PSAGANInputError, match="has a time zone and the panel has none"):
        plain.sample(1, series=0, start="2000-01-04 06:00+01:00")


def test_stored_models_keep_names_and_settings_of_other_libraries(tmp_path):
    names = [np.int64(7), "a", ("b", np.int64(2)), 1.5]
    model = PSAGAN(**{**SMALL, "lr": np.float64(0.002)})
    model.fit(TimeSeriesPanel(PANEL.values, "2000-01-03", "h", item_ids=names)).save(tmp_path / "model.pt")
    loaded = PSAGAN.load(tmp_path / "model.pt")
    assert loaded.panel_.item_ids == (7, "a", ("b", 2), 1.5)
    assert loaded.lr == 0.002
    np.testing.assert_array_equal(loaded.sample(1, series=[7, 1.5]), model.sample(1, series=[7, 1.5]))


def test_other_files_are_no_models(tmp_path):
    path = tmp_path / "model.pt"
    with pytest.raises(PSAGANInputError, match="there is no file"):
        PSAGAN.load(path)
    path.write_bytes(b"no model")
    with pytest.raises(PSAGANInputError, match="holds no stored PSA-GAN"):
        PSAGAN.load(path)


def test_a_fit_that_was_killed_goes_on_from_its_checkpoint(tmp_path, plain):
    path = tmp_path / "training.pt"

    class KilledError(Exception):
        pass

    def kill(trainer):
        if trainer.step == 5:
            raise KilledError

    with pytest.raises(KilledError):
        PSAGAN(**SMALL).fit(PANEL, kill, checkpoint=path, checkpoint_every=2)
    steps = []
    resumed = PSAGAN(**SMALL).fit(PANEL, lambda one: steps.append(one.step), checkpoint=path, checkpoint_every=2)
    assert steps == [5, 6]
    np.testing.assert_array_equal(resumed.sample(2, start=24), plain.sample(2, start=24))
    pd.testing.assert_frame_equal(resumed.history_, plain.history_)
    with pytest.raises(PSAGANInputError, match=r"made with lr=0\.001, not 0\.01"):
        PSAGAN(**SMALL, lr=0.01).fit(PANEL, checkpoint=path)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("training") / "training.pt"
    PSAGAN(**SMALL).fit(PANEL, checkpoint=path)
    return path


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        (PANEL.with_values(PANEL.values + 0.5), "with other values;"),
        (PANEL.until(torch.full((4,), 239)), "with other values;"),
        (PANEL.of_series(torch.tensor([1, 0, 2, 3])), "with other values, series, categories;"),
        (TimeSeriesPanel(PANEL.values, "2000-01-04", "h"), "with other times;"),
        (TimeSeriesPanel(PANEL.values, "2000-01-03", "2h"), "with other times;"),
        (TimeSeriesPanel(PANEL.values, "2000-01-03", "h", first_index=3), "with other times;"),
        (
            TimeSeriesPanel(PANEL.values, "2000-01-03", "h", feat_dynamic=np.ones((1, 240))),
            "with other known features;",
        ),
        (TimeSeriesPanel(PANEL.values, "2000-01-03", "h", static_cat=[0, 0, 1, 1]), "with other categories;"),
        (TimeSeriesPanel(PANEL.values, "2000-01-03", "h", item_ids="abcd"), "with other series;"),
    ],
)
def test_a_checkpoint_of_another_panel_is_refused_before_training(checkpoint, panel, words):
    steps = []
    with pytest.raises(PSAGANInputError, match=words) as refused:
        PSAGAN(**SMALL).fit(panel, lambda one: steps.append(one.step), checkpoint=checkpoint)
    assert "training.pt" in str(refused.value)
    assert "delete it or name another" in str(refused.value)
    assert not steps


def test_files_that_cannot_be_gone_on_with_or_written_are_refused_before_training(checkpoint, plain, tmp_path):
    with pytest.raises(PSAGANInputError, match="state of a training, not a model"):
        PSAGAN.load(checkpoint)
    plain.save(tmp_path / "model.pt")
    with pytest.raises(PSAGANInputError, match="no training to go on with"):
        PSAGAN(**SMALL).fit(PANEL, checkpoint=tmp_path / "model.pt")
    with pytest.raises(PSAGANInputError, match="there is no folder"):
        plain.save(tmp_path / "nowhere" / "model.pt")
    with pytest.raises(PSAGANInputError, match="there is no folder"):
        PSAGAN(**SMALL).fit(PANEL, checkpoint=tmp_path / "nowhere" / "training.pt")
    with pytest.raises(PSAGANInputError, match="checkpoint_every=0"):
        PSAGAN(**SMALL).fit(PANEL, checkpoint=tmp_path / "other.pt", checkpoint_every=0)


def test_a_fitted_model_can_be_pickled_and_copied(with_context):
    for one in (pickle.loads(pickle.dumps(with_context)), copy.deepcopy(with_context)):
        np.testing.assert_array_equal(one.sample(2, start=48), with_context.sample(2, start=48))
        pd.testing.assert_frame_equal(one.history_, with_context.history_)
    assert pickle.loads(pickle.dumps(PSAGAN(**SMALL))).get_params() == PSAGAN(**SMALL).get_params()


def test_models_can_be_cloned_and_show_their_history(plain):
    assert clone(plain).get_params() == plain.get_params()
    assert list(plain.history_["depth"]) == [0, 0, 0, 1, 1, 1]
    assert {"alpha", "generator", "gamma_0", "gamma_1"} <= set(plain.history_.columns)
