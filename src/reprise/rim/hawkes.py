"""Two intensities on one state φ: a Hawkes process by least squares, and a Poisson regression of the future count."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cholesky, expm, solve_triangular
from scipy.optimize import minimize, nnls

from reprise.rim.events import Numbers
from reprise.rim.kernel_features import SCALES, Moments, n_features

STRENGTH = 1e3
RIDGE = 1e-3
FLOOR = 1e-10


def fit_hawkes(found: Moments, strength: float = STRENGTH) -> Numbers:
    """Return a ≥ 0 that minimises (1/n)(aᵀGa − 2rᵀa) + |a|²/2C: the least-squares contrast of the intensity φᵀa.

    Parameters
    ----------
    found
        G, r and n.
    strength
        C; the paper: 10³.

    Notes
    -----
    With H = G/n + I/2C = LLᵀ it is the non-negative least-squares problem min |Lᵀa − L⁻¹r/n|², solved with coordinates
    divided by √H_kk.
    """
    quadratic = found.gram / found.weight + np.eye(len(found.jumps)) / (2 * strength)
    scale = 1 / np.sqrt(np.diag(quadratic))
    lower = cholesky(scale[:, None] * quadratic * scale, lower=True)
    target = solve_triangular(lower, scale * found.jumps / found.weight, lower=True)
    solution, _ = nnls(lower.T, target, maxiter=100 * len(target))
    return solution * scale


def contrast(found: Moments, weights: Numbers, strength: float = STRENGTH) -> float:
    """Return the objective of `fit_hawkes`."""
    squares = weights @ found.gram @ weights - 2 * found.jumps @ weights
    return float(squares / found.weight + weights @ weights / (2 * strength))


def fit_poisson(features: Numbers, counts: Numbers, ridge: float = RIDGE) -> Numbers:
    """Return w ≥ 0 of the Hawkes–Poisson model: a Poisson regression of future counts on the state, identity link.

    Minimises −(1/|V|) Σ [Y log(1e-10 + φᵀw) − φᵀw] + (ridge/2)|w|². The paper writes w = softplus(θ) and starts from
    θ = 0; in w itself the problem is convex, so that bounds w ≥ 0 give the same minimum without a start to choose.
    Columns are scaled to a mean near 1 while fitting, the ridge stays on w.

    Parameters
    ----------
    features
        φ of the validation requests, (|V|, 2K + 1).
    counts
        Y, events within their horizons, (|V|,).
    ridge
        The paper: 10⁻³.
    """
    # A column that is nearly 0 is held by the ridge alone.
    scale = 1 / np.sqrt(features.mean(0) ** 2 + ridge)
    scaled = features * scale

    def objective(v: Numbers) -> tuple[float, Numbers]:
        value, gradient = poisson_loss(scaled, counts, v)
        w = v * scale
        return value + ridge / 2 * float(w @ w), gradient + ridge * w * scale

    start = np.full(len(scale), max(float(counts.mean()), 1e-6) / len(scale))
    options = {"maxiter": 5000, "maxfun": 20_000, "ftol": 1e-13, "gtol": 1e-9, "maxcor": 30}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start), options=options)
    return np.asarray(found.x * scale, dtype=np.float64)


def poisson_loss(features: Numbers, counts: Numbers, weights: Numbers) -> tuple[float, Numbers]:
    """Return the mean negative log-likelihood of Poisson counts without the constant, and its gradient."""
    rate = features @ weights
    safe = FLOOR + rate
    value = float(np.mean(rate - counts * np.log(safe)))
    return value, features.T @ (1 - counts / safe) / len(counts)


def expected_count_weights(weights: Numbers, scales: Numbers = SCALES, length: float = 1.0) -> Numbers:
    """Return c such that φᵀc is a Hawkes process' mean number of events within a time after the request.

    The mean excitation obeys linear equations, x' = −βx + βm with m = aᵀφ the mean intensity (events of the future
    excite, too), the impulse decays, the constant stays; the integral of m is one more coordinate of the same matrix
    exponential.

    Parameters
    ----------
    weights
        a, (2K + 1,).
    scales
        τ of the kernels.
    length
        Length of the window in horizons.
    """
    size, k = n_features(scales), len(scales)
    rates = 1 / scales
    generator = np.zeros((size + 1, size + 1))
    generator[np.arange(2 * k), np.arange(2 * k)] = -np.concatenate([rates, rates])
    # The state x_k holds a factor β_k, so that one event adds β_k.
    generator[:k, :size] += rates[:, None] * weights
    generator[size, :size] = weights
    return np.asarray(expm(generator * length)[size, :size])


def positive(intensity: Numbers) -> Numbers:
    """Return an intensity that is nowhere 0: multiplying by it then leaves the order of items as it is."""
    largest = float(intensity.max(initial=0.0))
    return np.maximum(intensity, FLOOR * (largest if largest > 0 else 1.0))
