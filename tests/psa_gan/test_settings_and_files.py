"""Settings, seeds, files, names and time zones that cannot work are refused, and what was fitted stays whole."""

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reprise.psa_gan import (
    PSAGAN,
    ContextFID,
    PSAGANInputError,
    TimeSeriesPanel,
    context_fid,
    make_panel,
    paired_windows,
)
from reprise.psa_gan.fid import NotFittedError

SMALL = {"window": 16, "channels": 4, "embed_dim": 3, "batch_size": 8, "max_steps": 6, "device": "cpu"}
PANEL = make_panel(4, days=10)
SWITCHES = ("attention", "progressive", "condition", "spectral_attention", "allow_nan")


@pytest.fixture(scope="module")
def model():
    return PSAGAN(**SMALL).fit(PANEL)


def fitted():
    return PSAGAN(**SMALL).fit(PANEL)


def named(names):
    return TimeSeriesPanel(PANEL.values, "2000-01-03", "h", item_ids=names)


def larger_with_gap():
    values = 1000 * PANEL.values
    values[0, 5] = float("nan")
    return PANEL.with_values(values)


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("value", ["no", None, 0])
def test_switches_are_true_or_false(name, value):
    with pytest.raises(PSAGANInputError, match=f"{name}={value!r} must be True or False"):
        PSAGAN(**SMALL, **{name: value})
    PSAGAN(**SMALL, **{name: np.bool_(True)})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": -1}, "seed=-1 must be a whole number of at least 0"),
        ({"seed": 1.5}, "seed=1.5"),
        ({"seed": "a"}, "seed='a'"),
        ({"seed": None}, "seed=None"),
        ({"fade": "a"}, "fade='a' must be a number"),
        ({"fade": None}, "fade=None must be a number"),
        ({"fade": -0.1}, "fade=-0.1"),
        ({"early_share": "x"}, "early_share='x' must be a number"),
        ({"device": None}, "device=None is unknown; use 'auto'"),
        ({"device": 1.5}, "device=1.5 is unknown; use 'auto'"),
        ({"upsample": "cubic"}, "upsample='cubic' is unknown; use nearest or linear"),
        ({"fade_kind": "x"}, "fade_kind='x' is unknown; use identity or official"),
        ({"window": "16"}, "window='16' must be a whole number"),
        ({"window": 16.0}, "window=16.0 must be a whole number"),
    ],
)
def test_messages_name_the_argument_as_it_was_given(changes, words):
    with pytest.raises(PSAGANInputError, match=words):
        PSAGAN(**{**SMALL, **changes})


def test_settings_changed_before_a_fit_are_checked_by_it():
    with pytest.raises(PSAGANInputError, match="attention='no' must be True or False"):
        PSAGAN(**SMALL).set_params(attention="no").fit(PANEL)


def test_seeds_of_a_call_are_checked(model):
    for call in (model.sample, model.impute, model.forecast):
        for seed in (-1, 1.5, "a", True):
            with pytest.raises(PSAGANInputError, match=f"seed={seed!r} must be a whole number of at least 0"):
                call(seed=seed)


def test_a_callback_that_cannot_be_called_is_refused_before_the_first_step():
    one = PSAGAN(**SMALL)
    with pytest.raises(PSAGANInputError, match="callback=3 cannot be called"):
        one.fit(PANEL, callback=3)


def test_a_refused_fit_leaves_the_fitted_model_as_it_was(tmp_path):
    one = fitted()
    before = one.sample(2, start=48)
    PSAGAN(**SMALL).fit(PANEL, checkpoint=tmp_path / "training.pt")

    def stop(trainer):
        raise KeyboardInterrupt

    with pytest.raises(PSAGANInputError, match="missing"):
        one.fit(larger_with_gap())
    with pytest.raises(PSAGANInputError, match="other values"):
        one.fit(PANEL.with_values(1000 * PANEL.values), checkpoint=tmp_path / "training.pt")
    with pytest.raises(KeyboardInterrupt):
        one.fit(PANEL.with_values(1000 * PANEL.values), stop)
    np.testing.assert_array_equal(one.sample(2, start=48), before)
    assert one.panel_ is PANEL
    fresh = PSAGAN(**SMALL)
    with pytest.raises(PSAGANInputError, match="missing"):
        fresh.fit(larger_with_gap())
    assert not hasattr(fresh, "panel_")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("window", 32, "window=32 was set after the fit, which had 16"),
        ("context", 8, "context=8 was set after the fit, which had 0"),
        ("channels", 8, "channels=8 was set after the fit, which had 4"),
        ("attention", False, "attention=False was set after the fit, which had True"),
        ("upsample", "linear", "upsample='linear' was set after the fit, which had 'nearest'"),
        ("fade_kind", "official", "fade_kind='official' was set after the fit, which had 'identity'"),
    ],
)
def test_settings_changed_after_the_fit_are_refused(name, value, words, tmp_path):
    one = fitted().set_params(**{name: value})
    for ask in (one.sample, one.impute, lambda: paired_windows(one), lambda: one.save(tmp_path / "model.pt")):
        with pytest.raises(PSAGANInputError, match=f"{words}; set it back, or fit anew"):
            ask()
    assert not list(tmp_path.iterdir())
    one.set_params(**{name: SMALL.get(name, getattr(PSAGAN(), name))}).sample()


def test_settings_that_a_loaded_model_would_refuse_are_not_stored(tmp_path):
    with pytest.raises(PSAGANInputError, match="lr=-1"):
        fitted().set_params(lr=-1).save(tmp_path / "model.pt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (3, "=3 is no path of a file"),
        (b"model.pt", r"=b'model.pt' is no path of a file"),
        ("", "='' is no path of a file"),
        ("/proc/model.pt", "='/proc/model.pt' cannot be written"),
        ("/dev/null", "='/dev/null' cannot be written: it is no file"),
        (Path("/tmp"), "='/tmp' cannot be written: it is no file"),
        ("a\0b", "is no path of a file"),
        ("x" * 300, "cannot be written"),
        ("/tmp/nowhere/at/all.pt", "there is no folder"),
    ],
)
def test_paths_that_cannot_be_written_are_refused_before_training(path, words, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    steps = []
    with pytest.raises(PSAGANInputError, match=f"checkpoint{words}" if words.startswith("=") else words):
        PSAGAN(**SMALL).fit(PANEL, lambda one: steps.append(one.step), checkpoint=path)
    with pytest.raises(PSAGANInputError, match=f"path{words}" if words.startswith("=") else words):
        model.save(path)
    assert not steps
    assert not list(tmp_path.iterdir())


def test_a_failed_storing_leaves_the_old_file_and_no_other(model, tmp_path, monkeypatch):
    model.save(tmp_path / "model.pt")
    before = (tmp_path / "model.pt").read_bytes()

    def fail(state, path):
        Path(path).write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr("torch.save", fail)
    with pytest.raises(OSError, match="no space left"):
        model.save(tmp_path / "model.pt")
    assert [one.name for one in tmp_path.iterdir()] == ["model.pt"]
    assert (tmp_path / "model.pt").read_bytes() == before


@pytest.mark.parametrize(
    "names",
    [
        pd.date_range("2024-01-01", periods=4),
        pd.period_range("2024-01", periods=4, freq="M"),
        pd.interval_range(0, 4),
        [None, "b", "c", "d"],
        [float("nan"), 1.0, 2.0, 3.0],
        [("a", None), ("a", 1), ("a", 2), ("a", 3)],
        list(np.arange("2024-01-01", "2024-01-05", dtype="datetime64[D]").astype("datetime64[ns]")),
    ],
    ids=["times", "periods", "intervals", "None", "NaN", "pairs", "NumPy's times"],
)
def test_names_that_would_change_are_told_at_the_fit_and_refused_at_storing(names, tmp_path):
    with pytest.warns(UserWarning, match="this model cannot be saved: series .* neither text nor"):
        one = PSAGAN(**SMALL).fit(named(names), checkpoint=tmp_path / "training.pt")
    one.sample(series=[list(names)[1]])
    with pytest.raises(PSAGANInputError, match="neither text nor a whole or real number; rename"):
        one.save(tmp_path / "model.pt")
    assert [file.name for file in tmp_path.iterdir()] == ["training.pt"]


@pytest.mark.parametrize(
    "names",
    [["a", 1, 1.5, ("b", 2)], [np.str_("a"), np.int64(3), np.float32(0.1), (np.int8(1), "x")], [True, 2, "c", -3]],
)
def test_names_of_text_and_numbers_are_found_again(names, tmp_path):
    one = PSAGAN(**SMALL).fit(named(names))
    one.save(tmp_path / "model.pt")
    loaded = PSAGAN.load(tmp_path / "model.pt", device="cpu")
    assert loaded.panel_.item_ids == tuple(names)
    for name in names:
        np.testing.assert_array_equal(loaded.sample(series=[name]), one.sample(series=[name]))


def hours(zone):
    times = pd.date_range("2024-06-01", periods=60, freq="h", tz=zone)
    return pd.DataFrame(PANEL.values[:, :60].numpy(), index=list("abcd"), columns=times)


@pytest.mark.parametrize(
    ("zone", "stored"),
    [
        (datetime.timezone(datetime.timedelta(minutes=90), "here"), "UTC+01:30"),
        (datetime.timezone(datetime.timedelta(hours=1), "EST"), "UTC+01:00"),
        (datetime.timezone(datetime.timedelta(minutes=-90)), "UTC-01:30"),
        ("dateutil/UTC", "UTC"),
    ],
)
def test_fixed_zones_are_stored_by_their_distance_from_universal_time(zone, stored, tmp_path):
    one = PSAGAN(**SMALL).fit(hours(zone))
    one.save(tmp_path / "model.pt")
    loaded = PSAGAN.load(tmp_path / "model.pt", device="cpu")
    assert str(loaded.panel_.starts[0].tz) == stored
    assert loaded.panel_.starts == one.panel_.starts
    np.testing.assert_array_equal(loaded.sample(start="2024-06-02 06:00"), one.sample(start="2024-06-02 06:00"))


def test_a_zone_that_cannot_be_read_back_is_told_at_the_fit_and_refused_at_storing(tmp_path, monkeypatch):
    monkeypatch.setattr("reprise.psa_gan.stored._is_readable", lambda time, zone: False)
    with pytest.warns(UserWarning, match="this model cannot be saved: the time zone Europe/Berlin"):
        one = PSAGAN(**SMALL).fit(hours("Europe/Berlin"))
    with pytest.raises(PSAGANInputError, match="time zone Europe/Berlin of series 'a' cannot be read back; bring the"):
        one.save(tmp_path / "model.pt")
    assert not list(tmp_path.iterdir())


def test_a_scorers_arguments_are_checked():
    windows = np.random.default_rng(0).random((300, 16)).astype("float32")
    for seed in (-1, None, 1.5):
        with pytest.raises(PSAGANInputError, match=f"seed={seed!r} must be a whole number"):
            ContextFID(seed=seed)
    with pytest.raises(PSAGANInputError, match="device=None is unknown"):
        ContextFID(device=None)
    for n_draws in (2.5, "2", None, True, 1):
        with pytest.raises(PSAGANInputError, match=f"n_draws={n_draws!r} must be a whole number of at least 2"):
            context_fid(windows, windows, n_draws=n_draws)
    with pytest.raises(PSAGANInputError, match="scorer='x' is no ContextFID"):
        context_fid(windows, windows, n_draws=2, scorer="x")
    with pytest.raises(NotFittedError) as refused:
        context_fid(windows, windows, n_draws=2, scorer=ContextFID())
    assert isinstance(refused.value, PSAGANInputError)
