"""The checks of features, labels, weights and penalty, each with a remedy in its message."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from reprise.diva.ridge import RidgeError


class DivaInputError(RidgeError):
    """Input that DIVA cannot use; the message says what to change."""


def check_features(features: Any) -> np.ndarray:
    """Return features as float64 of shape (N, m).

    Raises
    ------
    DivaInputError
        If they are no numbers in two dimensions, or not finite.
    """
    array = np.asarray(features)
    if array.ndim > 2:
        raise DivaInputError(
            f"expected features (N, m), got {array.shape}: extract features first, see "
            "reprise.diva.encoders.encode_images()."
        )
    if array.ndim < 2:
        raise DivaInputError(
            f"expected features (N, m), got {array.shape}. Reshape your data: reshape(-1, 1) for a single feature, "
            "reshape(1, -1) for a single sample."
        )
    if np.iscomplexobj(array):
        raise DivaInputError("Complex data not supported: features have an imaginary part.")
    if 0 in array.shape:
        what = "sample" if array.shape[0] == 0 else "feature"
        raise DivaInputError(f"Found array with 0 {what}(s) (shape={array.shape}) while a minimum of 1 is required.")
    array = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if bad.size:
        raise DivaInputError(
            f"features contain {bad.size} non-finite rows (NaN or infinity), first at index {bad[0]}; remove or fill "
            "them."
        )
    return array


def check_labels(labels: Any, n_rows: int, name: str = "y") -> np.ndarray:
    """Return labels as a vector of the features' length.

    Raises
    ------
    DivaInputError
        If the numbers of rows and labels differ.
    """
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        from sklearn.exceptions import DataConversionWarning

        warnings.warn(
            "A column-vector y was passed when a 1d array was expected; use y.ravel().",
            DataConversionWarning,
            stacklevel=3,
        )
        array = array.ravel()
    if array.ndim != 1:
        raise DivaInputError(f"{name} has the shape {array.shape}; labels are a vector, one a sample.")
    if len(array) != n_rows:
        features = name.upper().replace("Y", "X", 1) if name == "y" else name.replace("y", "X", 1)
        raise DivaInputError(f"{features} has {n_rows} rows but {name} has {len(array)} labels.")
    return array


def check_weights(alpha: Any, n_rows: int) -> np.ndarray:
    """Return weights, ones if None, as float64 of shape (N,).

    Raises
    ------
    DivaInputError
        If one is negative or not finite, or their number is wrong.
    """
    if alpha is None:
        return np.ones(n_rows)
    array = np.asarray(alpha, dtype=np.float64)
    if array.shape != (n_rows,):
        raise DivaInputError(f"alpha has the shape {array.shape}; give one weight for each of {n_rows} samples.")
    if not np.isfinite(array).all() or array.min() < 0:
        worst = int(np.argmin(np.where(np.isfinite(array), array, -np.inf)))
        raise DivaInputError(f"alpha must be >= 0; got min {array[worst]:g} at index {worst}.")
    return array


def check_penalty(lam: Any, n_rows: int, n_features: int) -> float:
    """Return λ as a float.

    Raises
    ------
    DivaInputError
        If it is no number, negative, or 0 where there are at least as many features as samples.
    """
    try:
        value = float(lam)
    except (TypeError, ValueError):
        value = np.nan
    if not value >= 0 or not np.isfinite(value):
        raise DivaInputError(f"lam must be a number > 0, or 'loo' to choose it; got {lam!r}.")
    if value == 0 and n_features >= n_rows:
        raise DivaInputError(
            f"lam must be > 0: {n_features} features for {n_rows} samples make the normal matrix singular."
        )
    return value


def check_mask(mask: Any, n_rows: int) -> np.ndarray | None:
    """Return the mask as float64 of shape (N,), or None.

    Raises
    ------
    DivaInputError
        If it has another length, or leaves nothing.
    """
    if mask is None:
        return None
    array = np.asarray(mask, dtype=np.float64)
    if array.shape != (n_rows,):
        raise DivaInputError(f"mask has the shape {array.shape}; give one 0 or 1 for each of {n_rows} samples.")
    if not array.any():
        raise DivaInputError("no sample left in the leave-one-out loss: mask is all zero; set some to 1.")
    return array


def check_loss(loss: str, temperature: float) -> None:
    """Refuse an unknown outer loss or a temperature that is not positive."""
    if loss not in ("ce", "squared"):
        raise DivaInputError(f"loss={loss!r} is unknown; use 'ce' or 'squared'.")
    if not temperature > 0:
        raise DivaInputError(
            f"temperature={temperature} is not positive; use 10 on clean labels, 1 to find wrong ones."
        )


def mask_of_single_samples(codes: np.ndarray, classes: Sequence[Any]) -> np.ndarray | None:
    """Warn of classes with a single sample and return a mask without them; None if there are none."""
    counts = np.bincount(codes, minlength=len(classes))
    single = np.flatnonzero(counts == 1)
    if not single.size or single.size == len(codes):
        return None
    for place in single.tolist():
        warnings.warn(
            f"class {classes[place]!r} has 1 sample; its leave-one-out prediction cannot know the class; excluded from "
            "the LOO loss.",
            stacklevel=3,
        )
    return (counts[codes] > 1).astype(np.float64)


def warn_of_duplicates(features: np.ndarray, groups: Any) -> None:
    """Warn of equal rows that may be left out while their twin stays."""
    if groups is not None:
        return
    n_duplicates = len(features) - len(np.unique(features, axis=0))
    if n_duplicates:
        warnings.warn(f"{n_duplicates} exact duplicates: use groups= or the LOO error is optimistic.", stacklevel=3)
