from dataclasses import replace

import numpy as np
import pytest

from reprise.grda.data import load
from reprise.grda.generators import make_dg
from reprise.grda.graphs import DomainsError
from reprise.grda.scores import squared_error_by_domain
from reprise.grda.seasonal import YARDSTICKS, seasonal_linear_map, source_climatology
from reprise.grda.self_training import source_only_linear


@pytest.fixture
def toy():
    """A task of two phases, each with a linear rule of its own, exact in every domain."""
    domains = make_dg(6, n_sources=3, seed=0)
    phase = np.arange(domains.n_rows) % 2
    rules = np.array([[[1.0, 2.0], [0.5, -1.0]], [[-1.0, 0.0], [2.0, 3.0]]])
    outputs = np.einsum("nd,ndh->nh", domains.features, rules[phase]) + phase[:, None]
    return replace(domains, task="regression", targets=outputs, phase=phase)


def test_a_rule_per_phase_is_found_exactly_by_the_seasonal_map_only(toy):
    seasonal = squared_error_by_domain(toy, seasonal_linear_map(toy))[~toy.source]
    assert seasonal == pytest.approx(0, abs=1e-20)
    assert (squared_error_by_domain(toy, source_only_linear(toy))[~toy.source] > 0.01).all()


def test_with_one_phase_the_two_maps_are_the_same(toy):
    one = replace(toy, phase=np.zeros(toy.n_rows, dtype=int))
    np.testing.assert_allclose(source_only_linear(one), seasonal_linear_map(one))


def test_the_climatology_is_the_sources_mean_of_the_phase(toy):
    predictions = source_climatology(toy)
    rows = toy.labelled & (toy.phase == 1)
    np.testing.assert_allclose(predictions[toy.phase == 1][0], toy.targets[rows].mean(axis=0))


@pytest.mark.parametrize("name", list(YARDSTICKS))
def test_target_outputs_are_never_read(toy, name):
    blind = replace(toy, targets=np.where(toy.evaluation[:, None], 99.0, toy.targets))
    np.testing.assert_array_equal(YARDSTICKS[name](toy), YARDSTICKS[name](blind))


@pytest.mark.parametrize("name", ["Seasonal linear map", "Climatology"])
def test_a_task_without_phases_is_refused(name):
    with pytest.raises(DomainsError, match="need a regression task with phases"):
        YARDSTICKS[name](make_dg(6, n_sources=3))


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("task", "yardstick", "per_month", "square_degrees"),
    [
        ("east-west", "Linear map", 0.131, 40.2),
        ("north-south", "Linear map", 0.610, 182.3),
        ("east-west", "Seasonal linear map", 0.047, 14.4),
        ("north-south", "Seasonal linear map", 0.039, 11.6),
        ("east-west", "Climatology", 0.259, 79.3),
        ("north-south", "Climatology", 0.519, 155.0),
    ],
)
def test_the_yardsticks_have_their_known_errors(task, yardstick, per_month, square_degrees):
    domains = load(f"tpt-48-{task}")
    predictions = YARDSTICKS[yardstick](domains)
    assert np.nanmean(squared_error_by_domain(domains, predictions)) == pytest.approx(per_month, abs=0.0006)
    in_degrees = np.nanmean(squared_error_by_domain(domains, predictions, degrees=True))
    assert in_degrees == pytest.approx(square_degrees, abs=0.06)


@pytest.mark.real_data
@pytest.mark.parametrize(("task", "lowest_printed"), [("east-west", 1.297), ("north-south", 1.165)])
def test_the_seasonal_map_is_far_below_every_printed_overall_error(task, lowest_printed):
    domains = load(f"tpt-48-{task}")
    summed = np.nanmean(squared_error_by_domain(domains, seasonal_linear_map(domains), summed=True))
    assert summed < lowest_printed / 4
