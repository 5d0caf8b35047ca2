import sys
import types

import pandas as pd
import pytest
import torch

from reprise.data.entries import DataError
from reprise.errors import UnknownNameError
from reprise.psa_gan import data
from reprise.psa_gan.data import HELD_OUT, load

real = pytest.mark.real_data


@pytest.mark.parametrize(
    ("name", "shape", "held_out", "n_features"),
    [
        ("daily-panel", (48, 1440), 224, 5),
        pytest.param("m4-hourly", (414, 1008), 224, 5, marks=real),
        pytest.param("exchange-rate", (8, 7588), 224, 4, marks=real),
        pytest.param("ett-small", (7, 17420), 1344, 5, marks=real),
        pytest.param("los-loop", (207, 2016), 288, 6, marks=real),
        pytest.param("gefcom2014-solar", (1, 19704), 1344, 5, marks=real),
    ],
)
def test_panels_have_the_documented_size(name, shape, held_out, n_features):
    split = load(name)
    assert tuple(split.panel.values.shape) == shape
    assert split.held_out == held_out
    assert split.panel.n_features == n_features
    assert split.panel.features.shape[-1] == shape[1]
    scaled, _ = split.scaled()
    inside = scaled.values[:, : int(split.train_lengths.min())]
    assert inside.min() >= 0
    assert inside.max() <= 1
    assert split.train.values.shape[1] == int(split.train_lengths.max())


@real
def test_m4_joins_both_official_files():
    panel = load("m4-hourly").panel
    assert sorted(set(panel.lengths.tolist())) == [748, 1008]
    assert int((panel.lengths == 748).sum()) == 169
    assert panel.item_ids[:2] == ("H1", "H2")
    # First and last printed value of the first series, from the official files.
    assert panel.values[0, 0] == 605
    assert panel.values[0, 700] == 619
    assert panel.values[~panel.values.isnan()].min() >= 10
    assert panel.values[~panel.values.isnan()].max() == 703008


def test_a_part_of_the_series_keeps_their_lengths():
    part = load("daily-panel", n_series=3)
    assert torch.equal(part.panel.values, load("daily-panel").panel.values[:3])
    assert part.train_lengths.tolist() == [1440 - HELD_OUT] * 3


def test_unknown_data_sets_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'm4-hourly'"):
        load("m4_hourly")
    with pytest.raises(UnknownNameError, match="data set of GluonTS"):
        load("gluonts:weather")


@real
def test_the_registered_set_of_gluonts_keeps_its_own_split():
    split = load("gluonts:exchange_rate_nips")
    assert tuple(split.panel.values.shape) == (8, 6221)
    assert split.held_out == 150
    assert split.panel.freq == "B"
    # The same rates, from 1990 on, as in the other file, which has more digits behind the point.
    plain = load("exchange-rate").panel.values[:, :6221]
    assert torch.allclose(split.panel.values, plain, rtol=1e-5)


def test_the_held_out_part_of_a_gluonts_set_is_what_its_training_part_lacks(monkeypatch):
    def entries(*lengths):
        return [{"target": torch.arange(float(n)).numpy() + place, "start": pd.Period("2000-01-03", "h"),
                 "item_id": str(place % 2)} for place, n in enumerate(lengths)]  # fmt: skip

    def downloaded(name):
        return entries(100, 90), entries(132, 122, 164, 154), "h"

    monkeypatch.setattr(data, "_download_gluonts", downloaded)
    split = load("gluonts:solar_nips")
    assert split.held_out == 64
    assert split.panel.lengths.tolist() == [164, 154]
    assert split.train_lengths.tolist() == [100, 90]
    monkeypatch.setattr(data, "_download_gluonts", lambda name: (entries(100, 90), entries(110, 95), "h"))
    with pytest.raises(DataError, match=r"'solar_nips' holds out \[5, 10\] steps"):
        load("gluonts:solar_nips")


def test_without_a_network_the_sets_of_gluonts_say_what_to_do(monkeypatch):
    repository = types.ModuleType("gluonts.dataset.repository")

    def get_dataset(name):
        raise OSError("no route to host")

    repository.get_dataset = get_dataset
    for name in ("gluonts", "gluonts.dataset"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "gluonts.dataset.repository", repository)
    with pytest.raises(DataError, match=r"no route to host.*'m4-hourly'"):
        load("gluonts:solar_nips")
