"""RIM's closed forms and solvers against the plain formulations, on the same input; equal results asserted.

Run: ``python benchmarks/rim.py``
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.integrate import quad_vec
from scipy.optimize import minimize
from scipy.special import expit

from reprise.compute import use_threads
from reprise.rim.data import EMBEDDED, load_split
from reprise.rim.events import Requests, requests_at
from reprise.rim.hawkes import RIDGE, STRENGTH, contrast, fit_hawkes, fit_poisson, poisson_loss
from reprise.rim.kernel_features import SCALES, Moments, features, moments
from reprise.rim.linear_programme import best_assignment
from reprise.rim.matching import Bounds, alternate, certify, solve
from reprise.rim.roots import one_sided_root
from reprise.rim.splits import Split

N_USERS = 40


def seconds(function: Callable[[], object]) -> float:
    """Return the least time of three calls."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def state(times: np.ndarray, at: float, horizon: float) -> np.ndarray:
    """Return the state by its definition, event by event."""
    rates, s, now = 1 / SCALES, (times - times[0]) / horizon, (at - times[0]) / horizon
    found = np.zeros(len(rates))
    for event in s[1:][s[1:] < now]:
        found += rates * np.exp(-rates * (now - event))
    return np.concatenate([found, rates * np.exp(-rates * now), [1.0]])


def gram_by_pairs(requests: Requests) -> np.ndarray:
    """Return the Gram matrix of the excited part by the closed integral of every pair of events."""
    rates = 1 / SCALES
    sums = rates[:, None] + rates
    gram = np.zeros((len(rates), len(rates)))
    for place in range(len(requests)):
        t = requests.time[requests.indptr[place] : requests.indptr[place + 1]]
        s, end = (t[1:] - t[0]) / requests.horizon, (requests.end[place] - t[0]) / requests.horizon
        for one in s:
            for other in s:
                later = max(one, other)
                start = np.exp(-np.outer(rates * (later - one), np.ones(len(rates))) - rates * (later - other))
                stop = np.exp(-np.outer(rates * (end - one), np.ones(len(rates))) - rates * (end - other))
                gram += np.outer(rates, rates) * (start - stop) / sums
    return gram


def time_gram(split: Split) -> None:
    """Time the telescoping Gram matrix against the sum over pairs, and check single users by quadrature."""
    test = split.test
    few = test.only(np.argsort(test.n_past, kind="stable")[len(test) // 2 : len(test) // 2 + N_USERS])
    ours = moments(few).gram[:50, :50]
    np.testing.assert_allclose(ours, gram_by_pairs(few), rtol=1e-6, atol=1e-9 * ours.max())
    times = few.time[: few.indptr[1]]
    total = 0.0
    for low, high in zip(times, [*times[1:], few.end[0]], strict=True):
        total += quad_vec(lambda t: state(times, t, few.horizon)[45] ** 2, low, high, epsrel=1e-10)[0]
    np.testing.assert_allclose(moments(few.only(np.array([0]))).gram[45, 45], total / few.horizon, rtol=1e-6)
    fast, slow = seconds(lambda: moments(few)), seconds(lambda: gram_by_pairs(few))
    print(
        f"Gram matrix, {len(few)} users, {len(few.time)} events: one pass {fast * 1e3:.1f} ms, all pairs "
        f"{slow * 1e3:.0f} ms, ratio {slow / fast:.0f}; equal to 1e-6, and to quadrature"
    )


def by_proximal_steps(found: Moments, n_steps: int) -> np.ndarray:
    """Return the least-squares intensity by accelerated proximal gradient steps, in scaled coordinates."""
    quadratic = found.gram / found.weight + np.eye(len(found.gram)) / (2 * STRENGTH)
    scale = 1 / np.sqrt(np.diag(quadratic))
    scaled, target = scale[:, None] * quadratic * scale, scale * found.jumps / found.weight
    rate = 1 / np.linalg.eigvalsh(scaled).max()
    now = ahead = np.zeros(len(found.gram))
    for step in range(n_steps):
        new = np.maximum(ahead - rate * (scaled @ ahead - target), 0)
        ahead = new + step / (step + 3) * (new - now)
        now = new
    return now * scale


def time_fits(split: Split) -> None:
    """Time non-negative least squares against 1000 proximal steps, and the Poisson fit against finite differences."""
    everybody = np.flatnonzero(np.isfinite(split.ends))
    found = moments(requests_at(split.train, everybody, split.ends, split.horizon))
    exact, steps = fit_hawkes(found), by_proximal_steps(found, 1000)
    assert contrast(found, exact) <= contrast(found, steps) + 1e-9
    fast, slow = seconds(lambda: fit_hawkes(found)), seconds(lambda: by_proximal_steps(found, 1000))
    print(
        f"Hawkes fit: NNLS {fast * 1e3:.1f} ms, contrast {contrast(found, exact):.6f}; 1000 proximal steps "
        f"{slow * 1e3:.1f} ms, contrast {contrast(found, steps):.6f}; ratio {slow / fast:.1f}"
    )
    phi = np.concatenate([features(window) for window in split.validation])
    counts = np.concatenate([window.n_future for window in split.validation])

    def loss(w: np.ndarray) -> float:
        return poisson_loss(phi, counts, w)[0] + RIDGE / 2 * float(w @ w)

    def plain() -> np.ndarray:
        start = np.zeros(phi.shape[1])
        found = minimize(lambda theta: loss(np.logaddexp(0, theta)), start, method="BFGS", options={"maxiter": 100})
        return np.logaddexp(0, found.x)

    ours, theirs = fit_poisson(phi, counts), plain()
    value = [loss(w) for w in (ours, theirs)]
    assert value[0] <= value[1] + 1e-6
    fast, slow = seconds(lambda: fit_poisson(phi, counts)), seconds(plain)
    print(
        f"Hawkes–Poisson fit: bounded, analytic gradient {fast * 1e3:.0f} ms, loss {value[0]:.5f}; softplus, finite "
        f"differences {slow * 1e3:.0f} ms, loss {value[1]:.5f}; ratio {slow / fast:.0f}"
    )


def bisected(scores: np.ndarray, bound: float, smoothing: float) -> np.ndarray:
    """Return the roots by up to 100 halvings, all rows until the last one delivers the bound to 1e-4."""
    low, high = scores.min(1) - 40 * smoothing - 0.01, scores.max(1) + 40 * smoothing + 0.01
    for _ in range(100):
        middle = (low + high) / 2
        total = expit((scores - middle[:, None]) / smoothing).sum(1)
        low, high = np.where(total > bound, middle, low), np.where(total > bound, high, middle)
        if np.abs(total - bound).max() < 1e-4:
            break
    return middle


def random_scores(n_users: int, n_items: int) -> np.ndarray:
    """Return softmax rows of rank eight times Gamma activity, divided by the largest."""
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(n_users, 8)) @ draw.normal(size=(8, n_items))
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True) * draw.gamma(0.7, 1.0, (n_users, 1))
    return scores / scores.max()


def time_roots() -> None:
    """Time Newton's safeguarded roots against bisection."""
    scores = random_scores(471, 1556)
    tensor = torch.from_numpy(scores)
    for smoothing in (4.0**-3, 4.0**-7):
        ours = one_sided_root(tensor, 16.0, smoothing).numpy()
        theirs = bisected(scores, 16.0, smoothing)
        for root in (ours, theirs):
            assert np.abs(expit((scores - root[:, None]) / smoothing).sum(1) - 16).max() < 1e-3
        fast = seconds(lambda e=smoothing: one_sided_root(tensor, 16.0, e))  # type: ignore[misc]
        slow = seconds(lambda e=smoothing: bisected(scores, 16.0, e))  # type: ignore[misc]
        print(
            f"roots of 471 × 1556 at ε = {smoothing:.1e}: Newton {fast * 1e3:.0f} ms, bisection {slow * 1e3:.0f} ms, "
            f"ratio {slow / fast:.1f}; both deliver the bound"
        )


def time_solvers() -> None:
    """Time the exact solver against the released loop, with what each delivers, and the linear programme as judge."""
    scores = random_scores(300, 120)
    bounds = Bounds(3, least=0.9 * 3 * 300 / 120)
    _, best = best_assignment(scores, bounds)
    start = -np.random.default_rng(0).uniform(size=120)
    calls = {
        "exact": lambda: solve(scores, bounds),
        "released loop": lambda: alternate(scores, bounds, start),
    }
    took = {}
    for name, call in calls.items():
        found, took[name] = call(), seconds(call)
        served = found.serve(scores)
        certificate = certify(scores, served, found.values * found.scale, bounds)
        # Both keep the users' bound, and the dual of either is above the optimum; the exact one alone reaches it.
        assert served.sum(1).max() < bounds.per_user + 1e-3
        assert certificate.bound >= best * (1 - 1e-9)
        if name == "exact":
            np.testing.assert_allclose(certificate.objective, best, rtol=5e-3)
        print(
            f"matching 300 × 120, {name}: {took[name]:.2f} s, {certificate.objective / best:.4f} of the linear "
            f"programme, {100 * certificate.shortfall:.2f} % of the bounds undelivered"
        )
    print(f"matching 300 × 120: ratio {took['released loop'] / took['exact']:.1f}, loop over exact")


def main() -> None:
    """Print times, ratios and what was checked."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    use_threads(1)
    split = load_split(EMBEDDED, 0)
    time_gram(split)
    time_fits(split)
    time_roots()
    time_solvers()


if __name__ == "__main__":
    main()
