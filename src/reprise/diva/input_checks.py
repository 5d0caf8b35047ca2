"""The checks of features, labels, weights, groups and numbers, each with a remedy in its message."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from reprise.diva.ridge import RidgeError

NOTHING_LEFT = "no sample left in the leave-one-out loss"


class DivaInputError(RidgeError):
    """Input that DIVA cannot use; the message says what to change."""


# ---- features --------------------------------------------------------------------------------------------------------


def check_features(features: Any, name: str = "X") -> np.ndarray:
    """Return features as float64 of shape (N, m).

    Raises
    ------
    DivaInputError
        If they are sparse, no numbers in two dimensions, or not finite.
    """
    if hasattr(features, "toarray"):
        raise DivaInputError(f"{name} is sparse; give a dense array: {name}.toarray().")
    array = features.detach().cpu().numpy() if isinstance(features, Tensor) else np.asarray(features)
    if array.ndim > 2:
        raise DivaInputError(
            f"expected features (N, m), got {array.shape}: extract features first, see reprise.diva.extract_features()."
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
    array = _as_numbers(array, features, name)
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if bad.size:
        whose = "features" if name == "X" else f"features {name}"
        raise DivaInputError(
            f"{whose} contain {bad.size} non-finite rows (NaN or infinity), first at index {bad[0]}; remove or fill "
            "them."
        )
    return array


def _as_numbers(array: np.ndarray, features: Any, name: str) -> np.ndarray:
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        if hasattr(features, "select_dtypes"):
            words = features.select_dtypes(exclude=["number", "bool"]).columns.tolist()
            raise DivaInputError(f"{name} has columns that are no numbers: {words}; encode or drop them.") from error
        raise DivaInputError(f"{name} holds values that are no numbers ({error}); encode or drop them.") from error


def warn_of_duplicates(features: np.ndarray, groups: Any, scaled: np.ndarray | None = None) -> None:
    """Warn of equal rows that may be left out while their twin stays, and of rows that only scaling makes equal.

    Parameters
    ----------
    features
        As given, (N, m).
    groups
        Given with them; None: each row is left out alone.
    scaled
        The same rows after scaling to length 1, where that is done.
    """
    n_duplicates = _repeated(features)
    if n_duplicates and groups is None:
        warnings.warn(f"{n_duplicates} exact duplicates: use groups= or the LOO error is optimistic.", stacklevel=3)
    n_alike = 0 if scaled is None else _repeated(scaled) - n_duplicates
    if n_alike > 0:
        warnings.warn(
            f"{n_alike} rows differ from another only by their length, which normalise=True takes away: for tables of "
            "measurements, standardise the columns and set normalise=False.",
            stacklevel=3,
        )


def _repeated(rows: np.ndarray) -> int:
    return len(rows) - len(np.unique(rows, axis=0))


# ---- labels, targets, groups, masks, weights -------------------------------------------------------------------------


def check_labels(labels: Any, n_rows: int, name: str = "y", rows: str = "X") -> np.ndarray:
    """Return labels as a vector of the features' length.

    Raises
    ------
    DivaInputError
        If the numbers of rows and labels differ, or labels are missing.
    """
    array = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        from sklearn.exceptions import DataConversionWarning

        message = f"A column-vector {name} was passed when a 1d array was expected; use {name}.ravel()."
        warnings.warn(message, DataConversionWarning, stacklevel=3)
        array = array.ravel()
    if array.ndim != 1:
        raise DivaInputError(f"{name} has the shape {array.shape}; labels are a vector, one a sample.")
    if len(array) != n_rows:
        raise DivaInputError(f"{rows} has {n_rows} rows but {name} has {len(array)} labels.")
    _refuse_missing(array, name, "labels")
    return array


def _refuse_missing(array: np.ndarray, name: str, what: str) -> None:
    import pandas as pd

    missing = np.flatnonzero(pd.isna(array))
    if missing.size:
        raise DivaInputError(f"{name} has {missing.size} missing {what}, first at index {missing[0]}; drop these rows.")


def classes_of(labels: np.ndarray, name: str = "y") -> tuple[np.ndarray, np.ndarray]:
    """Return the classes, sorted, and each label's place among them.

    Raises
    ------
    DivaInputError
        If there is one class only, or labels are of mixed types or continuous.
    """
    from sklearn.utils.multiclass import check_classification_targets

    try:
        classes, codes = np.unique(labels, return_inverse=True)
    except TypeError as error:
        kinds = ", ".join(sorted({type(label).__name__ for label in labels.tolist()}))
        raise DivaInputError(f"{name} mixes labels of the types {kinds}; give all of one type.") from error
    try:
        check_classification_targets(labels)
    except ValueError as error:
        raise DivaInputError(f"{name}: {error}") from error
    if len(classes) < 2:
        raise DivaInputError(f"{name} has one class, {classes.tolist()[0]!r}; give samples of at least two classes.")
    return classes, codes


def check_targets(targets: Any, n_rows: int, loss: str, name: str = "Y", rows: str = "Z") -> np.ndarray:
    """Return targets as float64 of shape (N, k).

    Raises
    ------
    DivaInputError
        If their number is wrong, one is not finite, or the loss is cross-entropy and they are no probabilities.
    """
    array = np.asarray(targets, dtype=np.float64)
    if len(array) != n_rows:
        raise DivaInputError(f"{rows} has {n_rows} rows but {name} has {len(array)}.")
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if bad.size:
        raise DivaInputError(f"{name} has {bad.size} non-finite rows, first at index {bad[0]}; drop them.")
    if loss == "ce":
        wrong = np.flatnonzero((array < 0).any(axis=1) | (np.abs(array.sum(axis=1) - 1) > 1e-6))
        if wrong.size:
            raise DivaInputError(
                f"{name} has {wrong.size} rows that are no probabilities (first: {wrong[0]}), as cross-entropy needs; "
                "use loss='squared' for other targets."
            )
    return array


def check_groups(groups: Any, n_rows: int, rows: str = "X") -> np.ndarray | None:
    """Return the groups as integers of shape (N,), or None.

    Raises
    ------
    DivaInputError
        If their number is wrong, one is missing, or all samples are in one group.
    """
    if groups is None:
        return None
    array = np.asarray(groups)
    if array.shape != (n_rows,):
        raise DivaInputError(
            f"groups has the shape {array.shape}; give one group for each of {n_rows} samples of {rows}."
        )
    _refuse_missing(array, "groups", "entries")
    codes = np.unique(array, return_inverse=True)[1]
    if codes.max() == 0:
        raise DivaInputError("groups has one group; at least two are needed, since each is left out in turn.")
    return codes


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


def check_mask(mask: Any, n_rows: int) -> np.ndarray | None:
    """Return the mask as float64 of shape (N,), or None.

    Raises
    ------
    DivaInputError
        If it has another length or other values than 0 and 1, or leaves nothing.
    """
    if mask is None:
        return None
    array = np.asarray(mask, dtype=np.float64)
    if array.shape != (n_rows,):
        raise DivaInputError(f"mask has the shape {array.shape}; give one 0 or 1 for each of {n_rows} samples.")
    other = np.flatnonzero((array != 0) & (array != 1))
    if other.size:
        raise DivaInputError(f"mask must hold 0 and 1 only; got {array[other[0]]:g} at index {other[0]}.")
    if not array.any():
        raise DivaInputError(f"{NOTHING_LEFT}: mask is all zero; set some to 1.")
    return array


def mask_of_single_samples(
    codes: np.ndarray, classes: Sequence[Any], groups: np.ndarray | None = None
) -> np.ndarray | None:
    """Warn of classes that leave together, sample or group, and return a mask without them; None if there are none.

    Raises
    ------
    DivaInputError
        If nothing would be left.
    """
    units = np.arange(len(codes)) if groups is None else groups
    counts = np.array([len(np.unique(units[codes == place])) for place in range(len(classes))])
    single = np.flatnonzero(counts == 1)
    if not single.size:
        return None
    what = "sample" if groups is None else "group"
    if not (counts[codes] > 1).any():
        raise DivaInputError(f"{NOTHING_LEFT}: every class has 1 {what}; give at least two of some.")
    for place in single.tolist():
        warnings.warn(
            f"class {classes[place]!r} has 1 {what}; its leave-one-out prediction cannot know the class; excluded from "
            "the LOO loss.",
            stacklevel=3,
        )
    return (counts[codes] > 1).astype(np.float64)


# ---- numbers and names -----------------------------------------------------------------------------------------------


def check_penalty(lam: Any, n_rows: int, n_features: int) -> float:
    """Return λ as a float.

    Raises
    ------
    DivaInputError
        If it is no number, negative, or 0 where there are at least as many features as samples.
    """
    value = float(lam) if isinstance(lam, numbers.Real) and not isinstance(lam, bool) else np.nan
    if not value >= 0 or not np.isfinite(value):
        raise DivaInputError(f"lam must be a number > 0, or 'loo' to choose it; got {lam!r}.")
    if value == 0 and n_features >= n_rows:
        raise DivaInputError(
            f"lam must be > 0: {n_features} features for {n_rows} samples make the normal matrix singular."
        )
    return value


def check_loss(loss: str, temperature: float) -> None:
    """Refuse an unknown outer loss or a temperature that is not positive."""
    if loss not in ("ce", "squared"):
        raise DivaInputError(f"loss={loss!r} is unknown; use 'ce' or 'squared'.")
    check_positive("temperature", temperature, "use 10 on clean labels, 1 to find wrong ones")


def check_positive(name: str, value: Any, remedy: str) -> None:
    """Refuse what is no finite number above 0."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not 0 < float(value) < np.inf:
        raise DivaInputError(f"{name} must be a number > 0; got {value!r}: {remedy}.")


def check_whole(name: str, value: Any, least: int, *, optional: bool = False) -> None:
    """Refuse what is no whole number of at least some size, or None where that is allowed."""
    if optional and value is None:
        return
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
        also = " or None" if optional else ""
        raise DivaInputError(f"{name} must be a whole number >= {least}{also}; got {value!r}.")
