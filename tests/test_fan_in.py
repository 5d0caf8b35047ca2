"""Which pairs of data set and seed a run computes, and so which records it needs."""

from reprise.catalogue import find_paper
from reprise.fan_in import cells_of
from reprise.parameters import profile_parameters


def test_every_data_set_has_every_seed_by_default():
    assert cells_of({"datasets": ["a", "b"], "seeds": [1, 0]}) == [("a", 1), ("a", 0), ("b", 1), ("b", 0)]
    assert cells_of({}) == []


def test_a_data_set_may_have_some_of_the_seeds():
    parameters = {"datasets": ("a", "b"), "seeds": (0, 1, 2), "fewer_seeds": {"b": (2, 5), "a method": (0,)}}
    assert cells_of(parameters) == [("a", 0), ("a", 1), ("a", 2), ("b", 2)]


def test_side_panels_have_no_cells_without_rows():
    found = cells_of(profile_parameters(find_paper("psa-gan"), "standard"))
    assert [sum(dataset == name for dataset, _ in found) for name in ("m4-hourly", "los-loop", "exchange-rate")] == [
        6,
        3,
        3,
    ]
