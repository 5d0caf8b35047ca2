"""A generated task with known ground truth: which labels are wrong, which rows are near-duplicates, what is off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GeneratedTask:
    """A training set and a pool.

    Attributes
    ----------
    features, labels
        Of the training set, (n, m) and (n,).
    true_labels
        Before labels were made wrong, (n,).
    original
        Of each row the row that it is a near-duplicate of; its own number otherwise, (n,): serves as ``groups``.
    pool_features, pool_labels
        Of the pool.
    pool_is_shifted
        Pool rows that follow no class, (n_pool,).
    """

    features: np.ndarray
    labels: np.ndarray
    true_labels: np.ndarray
    original: np.ndarray
    pool_features: np.ndarray
    pool_labels: np.ndarray
    pool_is_shifted: np.ndarray


def make_task(
    n: int = 300,
    m: int = 20,
    k: int = 4,
    *,
    noise: float = 0.0,
    imbalance: float = 1.0,
    duplicates: float = 0.0,
    pool_shift: float = 0.0,
    random_state: int = 0,
) -> GeneratedTask:
    """Draw Gaussian classes on a random subspace, with wrong labels, near-duplicates and a pool that is partly off.

    Parameters
    ----------
    n, m, k
        Numbers of rows (of the training set and of the pool), features and classes.
    noise
        Share of wrong labels in the training set.
    imbalance
        How much more frequent the first class is than the last, >= 1; frequencies fall geometrically.
    duplicates
        Share of training rows that repeat another row but for a thousandth of its noise.
    pool_shift
        Share of the pool that lies off the subspace, with labels drawn at random.
    random_state
        Seed.

    Examples
    --------
    >>> task = make_task(100, 10, 3, noise=0.2)
    >>> task.features.shape, int((task.labels != task.true_labels).sum())
    ((100, 10), 20)
    """
    generator = np.random.default_rng(random_state)
    centres = generator.normal(size=(k, k)) @ np.linalg.qr(generator.normal(size=(m, k)))[0].T * 5
    frequencies = imbalance ** -np.linspace(0, 1, k)
    labels = generator.choice(k, 2 * n, p=frequencies / frequencies.sum())
    rows = centres[labels] + generator.normal(size=(2 * n, m))
    features, true_labels = rows[:n], labels[:n]
    original = np.arange(n)
    copies = generator.choice(np.arange(1, n), round(duplicates * n), replace=False)
    sources = np.setdiff1d(np.arange(n), copies)
    original[copies] = generator.choice(sources, len(copies))
    features[copies] = features[original[copies]] + 1e-3 * generator.normal(size=(len(copies), m))
    true_labels = true_labels[original]
    given = true_labels.copy()
    wrong = generator.choice(n, round(noise * n), replace=False)
    given[wrong] = (given[wrong] + generator.integers(1, k, len(wrong))) % k
    pool_features, pool_labels = rows[n:], labels[n:]
    shifted = np.zeros(n, dtype=bool)
    shifted[generator.choice(n, round(pool_shift * n), replace=False)] = True
    pool_features[shifted] = 3 * generator.normal(size=(int(shifted.sum()), m))
    pool_labels[shifted] = generator.integers(0, k, int(shifted.sum()))
    return GeneratedTask(features, given, true_labels, original, pool_features, pool_labels, shifted)
