"""The Fréchet distance against closed forms and scipy; its floor and its extrapolation against simulation."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from reprise.psa_gan.frechet import (
    Moments,
    block_distances,
    expected_floor,
    extrapolated_distance,
    floor_distances,
    frechet_distance,
    frechet_of_moments,
    moments,
)


def normal(n, dim, seed, scale=1.0):
    return scale * torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariance(dim, seed):
    factor = normal(dim, dim, seed)
    return factor @ factor.T + 0.1 * torch.eye(dim, dtype=torch.float64)


def test_gaussians_of_one_dimension_have_the_closed_form():
    a, b = (
        Moments(torch.tensor([m], dtype=torch.float64), torch.tensor([[s**2]], dtype=torch.float64))
        for m, s in ((1.0, 2.0), (-2.0, 0.5))
    )
    assert frechet_of_moments(a, b) == pytest.approx(3**2 + 1.5**2)


def test_commuting_covariances_have_the_closed_form():
    basis = torch.linalg.qr(normal(4, 4, 0)).Q
    roots = torch.tensor([[1.0, 2.0, 3.0, 0.0], [2.0, 2.0, 0.5, 1.0]], dtype=torch.float64)
    a, b = (Moments(torch.zeros(4, dtype=torch.float64), (basis * root**2) @ basis.T) for root in roots)
    assert frechet_of_moments(a, b) == pytest.approx(float((roots[0] - roots[1]).square().sum()))


@pytest.mark.parametrize("dim", [2, 7])
def test_the_trace_is_that_of_scipys_matrix_root(dim):
    a, b = covariance(dim, 1), covariance(dim, 2)
    zero = torch.zeros(dim, dtype=torch.float64)
    plain = a.trace() + b.trace() - 2 * np.trace(sqrtm((a @ b).numpy())).real
    assert frechet_of_moments(Moments(zero, a), Moments(zero, b)) == pytest.approx(float(plain), rel=1e-8)


def test_it_is_symmetric_zero_for_equal_samples_and_a_shift_squared():
    a, b = normal(60, 5, 0), normal(60, 5, 1, scale=2)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-10)
    assert frechet_distance(a, a + 0.3) == pytest.approx(5 * 0.09)


def test_it_does_not_change_with_rotation_and_grows_with_the_square_of_the_scale():
    a, b = normal(60, 5, 0), normal(60, 5, 1, scale=2)
    turn = torch.linalg.qr(normal(5, 5, 2)).Q
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(frechet_distance(a, b))
    assert frechet_distance(3 * a, 3 * b) == pytest.approx(9 * frechet_distance(a, b))


def test_fewer_points_than_dimensions_do_not_break_it():
    assert frechet_distance(normal(5, 20, 0), normal(5, 20, 1)) > 0
    assert moments(normal(9, 1, 0)).covariance.shape == (1, 1)


def test_the_floors_formula_is_what_simulation_finds():
    lengths = torch.tensor([3.0, 1.0, 0.5, 0.2, 0.05, 0.0], dtype=torch.float64)
    found = [
        frechet_distance(normal(400, 6, 2 * k) * lengths.sqrt(), normal(400, 6, 2 * k + 1) * lengths.sqrt())
        for k in range(200)
    ]
    error = np.std(found) / len(found) ** 0.5
    assert np.mean(found) == pytest.approx(expected_floor(torch.diag(lengths), 400), abs=4 * error)


def test_with_80_dimensions_and_512_points_the_floor_is_above_six():
    expected = expected_floor(torch.eye(80), 512)
    assert expected == pytest.approx(80**2 / 1024 + 160 / 512 + 80 / 1024)
    assert frechet_distance(normal(512, 80, 0), normal(512, 80, 1)) == pytest.approx(expected, rel=0.08)


def test_blocks_are_consecutive_and_floors_go_around():
    real, fake = normal(60, 3, 0), normal(60, 3, 1)
    parts = [frechet_distance(real[20 * k : 20 * k + 20], fake[20 * k : 20 * k + 20]) for k in range(3)]
    assert block_distances(real, fake, 3) == pytest.approx(parts)
    around = [frechet_distance(real[20 * k : 20 * k + 20], real.roll(-20, 0)[20 * k : 20 * k + 20]) for k in range(3)]
    assert floor_distances(real, 3) == pytest.approx(around)
    assert len(floor_distances(real, 2)) == 1


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_extrapolation_takes_the_bias_away(shift):
    dim, truth = 10, 10 * shift**2
    found = [
        extrapolated_distance(normal(2000, dim, 2 * k), normal(2000, dim, 2 * k + 1) + shift, 10, 4 * dim)
        for k in range(30)
    ]
    biased = np.mean(block_distances(normal(2000, dim, 0), normal(2000, dim, 1) + shift, 10))
    error = np.std(found) / len(found) ** 0.5
    assert np.mean(found) == pytest.approx(truth, abs=4 * error)
    assert biased - truth > 10 * abs(np.mean(found) - truth)


def test_extrapolation_needs_two_sizes():
    assert np.isnan(extrapolated_distance(normal(50, 10, 0), normal(50, 10, 1), 10, 40))
