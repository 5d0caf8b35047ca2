"""The state, its Gram matrix, and both fits against integrals, loops, simulation and other solvers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.optimize import minimize

from reprise.rim import hawkes
from reprise.rim.events import make_events, requests_at
from reprise.rim.kernel_features import SCALES, features, moments

FEW = np.array([0.05, 0.4, 3.0])


def requests_of(histories, end=5.0, horizon=1.0):
    """Return requests of users with given times; the item is always the same."""
    user = np.repeat(np.arange(len(histories)), [len(h) for h in histories])
    time = np.concatenate([np.asarray(h, dtype=float) for h in histories])
    events = make_events(user, np.zeros(len(user), dtype=int), time)
    ends = np.broadcast_to(np.asarray(end, dtype=float), (len(histories),))
    return requests_at(events, np.arange(len(histories)), ends, horizon)


def state(times, at, scales, horizon=1.0):
    """Compute φ by its definition, event by event."""
    rates, s = 1 / scales, (np.asarray(times) - times[0]) / horizon
    now = (at - times[0]) / horizon
    excited = sum((rates * np.exp(-rates * (now - e)) for e in s[1:] if e < now), np.zeros(len(scales)))
    return np.concatenate([excited, rates * np.exp(-rates * now), [1.0]])


HISTORIES = ([0.0, 0.3, 0.3, 1.1, 4.0], [2.0], [1.0, 1.0, 1.0, 2.5])


def test_features_are_the_sums_of_their_definition():
    found = features(requests_of(HISTORIES, horizon=0.7), FEW)
    expected = [state(times, 5.0, FEW, 0.7) for times in HISTORIES]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_request_that_is_never_cut_has_the_baseline_only():
    found = features(requests_of(HISTORIES, end=np.array([np.inf, 5.0, 5.0])), FEW)
    assert found[0].tolist() == [0] * 6 + [1]


def test_the_gram_matrix_is_the_integral_of_the_states_products():
    requests = requests_of(HISTORIES)
    total = np.zeros((7, 7))
    for times in HISTORIES:
        for low, high in zip(sorted(set(times)), [*sorted(set(times))[1:], 5.0], strict=True):
            value, _ = integrate.quad_vec(
                lambda t, times=times: np.outer(state(times, t, FEW), state(times, t, FEW)), low, high, epsrel=1e-11
            )
            total += value
    # quad_vec never asks at the ends, so events at `low` count
    np.testing.assert_allclose(moments(requests, FEW).gram, total, rtol=1e-7)


def test_jumps_are_the_states_before_each_later_event():
    expected = sum(state(times, t, FEW) for times in HISTORIES for t in times if t > times[0])
    found = moments(requests_of(HISTORIES), FEW)
    np.testing.assert_allclose(found.jumps, expected, rtol=1e-12)
    assert found.weight == sum(len(h) for h in HISTORIES) + 2 * 3


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=9), min_size=1, max_size=6))
def test_moments_of_many_users_are_the_sums_of_single_ones(histories):
    histories = [sorted(h / 4 for h in history) for history in histories]
    whole = moments(requests_of(histories), SCALES)
    single = [moments(requests_of([history]), SCALES) for history in histories]
    np.testing.assert_allclose(whole.gram, sum(one.gram for one in single), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(whole.jumps, sum(one.jumps for one in single), rtol=1e-9)
    # A Gram matrix has no direction with a negative square.
    there = np.diag(whole.gram) > 0
    root = np.sqrt(np.diag(whole.gram)[there])
    normed = whole.gram[np.ix_(there, there)] / np.outer(root, root)
    assert np.linalg.eigvalsh(normed).min(initial=0.0) > -1e-9


def test_chunks_change_nothing(monkeypatch):
    histories = [sorted(np.random.default_rng(i).uniform(0, 4, 3 + i)) for i in range(20)]
    whole = moments(requests_of(histories), FEW)
    monkeypatch.setattr("reprise.rim.kernel_features.CHUNK_JUMPS", 30)
    parts = moments(requests_of(histories), FEW)
    np.testing.assert_allclose(parts.gram, whole.gram, rtol=1e-12)
    np.testing.assert_allclose(parts.jumps, whole.jumps, rtol=1e-12)


def simulated(n_users=300, seed=0):
    """Simulate users with base rate 0.5 whose events each trigger Poisson(0.5) children at scale 0.4, on [0, 6]."""
    draw = np.random.default_rng(seed)
    histories = []
    for _ in range(n_users):
        times = [0.0, *draw.uniform(0, 6, draw.poisson(3.0))]
        waiting = list(times)
        while waiting:
            start = waiting.pop()
            children = start + draw.exponential(0.4, draw.poisson(0.5))
            children = [c for c in children if c < 6]
            times += children
            waiting += children
        histories.append(sorted(times))
    return histories


def test_a_planted_process_is_found():
    scales = np.array([0.1, 0.4, 1.6])
    weights = hawkes.fit_hawkes(moments(requests_of(simulated(), end=6.0), scales), strength=1e6)
    assert weights[-1] == pytest.approx(0.5, abs=0.08)
    assert weights[:3].sum() == pytest.approx(0.5, abs=0.08)
    assert weights[1] > weights[[0, 2]].sum()


def test_nonnegative_least_squares_and_a_general_solver_agree():
    found = moments(requests_of(simulated(60), end=6.0))
    weights = hawkes.fit_hawkes(found)
    quadratic = found.gram / found.weight + np.eye(101) / 2e3
    scale = 1 / np.sqrt(np.diag(quadratic))
    other = minimize(
        lambda v: (
            hawkes.contrast(found, v * scale),
            2 * scale * (quadratic @ (v * scale) - found.jumps / found.weight),
        ),
        np.full(101, 0.1),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * 101,
        options={"maxiter": 20_000, "maxfun": 100_000, "ftol": 1e-15, "gtol": 1e-10, "maxcor": 50},
    )
    assert (weights >= 0).all()
    assert hawkes.contrast(found, weights) <= other.fun + 1e-9
    assert hawkes.contrast(found, weights) == pytest.approx(other.fun, rel=1e-4)


def test_the_poisson_fit_is_no_worse_than_the_papers_softplus_and_meets_the_optimality_conditions():
    requests = requests_of(simulated(200), end=4.0, horizon=1.0)
    phi, counts = features(requests), requests.n_future
    weights = hawkes.fit_poisson(phi, counts)

    def objective(w):
        return hawkes.poisson_loss(phi, counts, w)[0] + 1e-3 / 2 * w @ w

    def softplus(theta):
        w = np.logaddexp(0, theta)
        value, gradient = hawkes.poisson_loss(phi, counts, w)
        return value + 1e-3 / 2 * w @ w, (gradient + 1e-3 * w) / (1 + np.exp(-theta))

    other = minimize(softplus, np.zeros(101), jac=True, method="BFGS", options={"maxiter": 500})
    assert objective(weights) <= other.fun + 1e-6
    gradient = hawkes.poisson_loss(phi, counts, weights)[1] + 1e-3 * weights
    scale = np.sqrt(phi.mean(0) ** 2 + 1e-3)
    reduced = np.where(weights > 0, gradient, np.minimum(gradient, 0)) / scale
    assert np.abs(reduced).max() < 1e-4


def test_the_poisson_gradient_is_that_of_the_loss():
    draw = np.random.default_rng(0)
    phi, counts, w = draw.uniform(size=(30, 5)), draw.poisson(2.0, 30).astype(float), draw.uniform(size=5)
    _, gradient = hawkes.poisson_loss(phi, counts, w)
    step = 1e-6
    for k in range(5):
        moved = w + step * (np.arange(5) == k)
        rise = (hawkes.poisson_loss(phi, counts, moved)[0] - hawkes.poisson_loss(phi, counts, w)[0]) / step
        assert rise == pytest.approx(gradient[k], rel=1e-4, abs=1e-6)


def test_the_expected_count_is_the_integral_of_the_mean_intensity():
    scales = np.array([0.2, 1.0])
    a = np.array([0.3, 0.2, 0.1, 0.05, 0.7])
    weights = hawkes.expected_count_weights(a, scales, length=1.5)
    phi = state([0.0, 0.5, 1.2], 2.0, scales)

    def move(_, z):
        rate = a @ z[:5]
        rates = 1 / scales
        return np.concatenate([-rates * z[:2] + rates * rate, -rates * z[2:4], [0.0, rate]])

    solved = integrate.solve_ivp(move, (0, 1.5), [*phi, 0.0], rtol=1e-10, atol=1e-12)
    assert phi @ weights == pytest.approx(solved.y[5, -1], rel=1e-8)


def test_without_excitation_the_expected_count_is_rate_times_time():
    a = np.zeros(101)
    a[-1] = 2.0
    np.testing.assert_allclose(hawkes.expected_count_weights(a)[-1], 2.0, rtol=1e-9)


def test_an_intensity_of_zero_is_lifted():
    found = hawkes.positive(np.array([0.0, 2.0]))
    assert found.tolist() == [2e-10, 2.0]
    assert (hawkes.positive(np.zeros(3)) > 0).all()
