"""Checks of what a search is given, before any work starts; each names the argument, its value and the remedy."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from reprise.deep_aa.image_checks import DeepAAInputError

if TYPE_CHECKING:
    from torch import Tensor


def check_labels(labels: Tensor, n_images: int, n_classes: int | None = None, argument: str = "labels") -> Tensor:
    """Return labels as integers ``(B,)``.

    Raises
    ------
    DeepAAInputError
        If they are no integers, not one an image, or outside [0, n_classes); names the first bad place.
    """
    import torch

    labels = torch.as_tensor(labels)
    if labels.is_floating_point() or labels.dtype == torch.bool or labels.is_complex():
        raise DeepAAInputError(f"{argument} are of dtype {labels.dtype}; give class numbers as integers.")
    if tuple(labels.shape) != (n_images,):
        raise DeepAAInputError(f"{argument} has the shape {tuple(labels.shape)} for {n_images} images; give one each.")
    labels = labels.long()
    bad = (labels < 0) if n_classes is None else (labels < 0) | (labels >= n_classes)
    if bool(bad.any()):
        place = int(bad.nonzero()[0])
        bound = "0 or more" if n_classes is None else f"in [0, {n_classes})"
        raise DeepAAInputError(f"{argument}[{place}] = {int(labels[place])}; class numbers must be {bound}.")
    return labels


def check_class_counts(y_search: Tensor, y_validation: Tensor, n_validation: int) -> list[int]:
    """Return the classes to search on: those of the search images.

    Raises
    ------
    DeepAAInputError
        If a class has fewer validation images than one batch of them needs, or none to search on.
    """
    import torch

    n_classes = int(max(y_search.max(), y_validation.max())) + 1
    to_search = torch.bincount(y_search, minlength=n_classes)
    to_validate = torch.bincount(y_validation, minlength=n_classes)
    present = [c for c in range(n_classes) if to_search[c] or to_validate[c]]
    for c in present:
        if not to_search[c]:
            raise DeepAAInputError(
                f"class {c} has {int(to_validate[c])} validation images but no image to search on; add some, or leave "
                "the class out of both."
            )
        if to_validate[c] < n_validation:
            raise DeepAAInputError(
                f"class {c} has {int(to_validate[c])} validation images, and n_validation={n_validation} are drawn for "
                f"each gradient; add some, or set n_validation to at most {int(to_validate[c])}."
            )
    return present


def warn_of_overlap(search: Tensor, validation: Tensor) -> int:
    """Warn of images that stand in both sets, and return their number: they inflate the cosine."""
    known = {row.tobytes() for row in _rows(search)}
    shared = sum(row.tobytes() in known for row in _rows(validation))
    if shared:
        warnings.warn(
            f"{shared} of the {len(validation)} validation images are among the {len(search)} search images; cos(v, g) "
            "is inflated by them. Keep the two sets apart.",
            stacklevel=3,
        )
    return shared


def _rows(images: Tensor) -> np.ndarray:
    return images.flatten(1).cpu().numpy()


def check_positive(**values: float) -> None:
    """Refuse numbers that are not above zero.

    Raises
    ------
    DeepAAInputError
        For the first one; names it.
    """
    for name, value in values.items():
        if not value > 0:
            raise DeepAAInputError(f"{name}={value!r} must be above 0.")


def check_finite(**values: float) -> None:
    """Refuse what is no finite number.

    Raises
    ------
    DeepAAInputError
        For the first one; names it.
    """
    for name, value in values.items():
        if not np.isfinite(value):
            raise DeepAAInputError(f"{name}={value!r} must be a finite number.")


def check_counts(least: int = 1, /, **values: int) -> None:
    """Refuse numbers that are not whole, or below the least one that makes sense.

    Raises
    ------
    DeepAAInputError
        For the first one; names it.
    """
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            bound = "above 0" if least == 1 else f", {least} or more"
            raise DeepAAInputError(f"{name}={value!r} must be a whole number {bound}.".replace(" ,", ","))


def check_spread(units: int) -> None:
    """Refuse a single unit: the penalty is a standard deviation over units.

    Raises
    ------
    DeepAAInputError
        If there is one only.
    """
    if units < 2:
        raise DeepAAInputError(
            f"units={units!r} leaves no spread to penalise; give 2 or more (the paper: 16), each an image with a "
            "gradient of its own."
        )


def check_threshold(stop_identity: float) -> None:
    """Refuse a probability of identity that no layer can pass, or every one does.

    Raises
    ------
    DeepAAInputError
        If it is not above 0 and at most 1.
    """
    if not 0 < stop_identity <= 1:
        raise DeepAAInputError(
            f"stop_identity={stop_identity!r} is a probability: give a number above 0 and up to 1 (the paper: 0.9; 1 "
            "never stops)."
        )


def warn_if_identity_stays(steps: int, lr: float, init_identity: float) -> None:
    """Warn of a search too short to leave its start: Adam moves a logit by hardly more than its rate a step."""
    if 2 * lr * steps < init_identity:
        enough = int(np.ceil(init_identity / (2 * lr)))
        warnings.warn(
            f"steps={steps} at lr={lr:g} cannot take identity from its start at init_identity={init_identity:g}: every "
            f"layer will look like doing nothing. Give at least {enough} steps, a larger lr, or a smaller "
            "init_identity.",
            stacklevel=4,
        )


def check_model(model: Any, images: Tensor) -> int:
    """Return how many classes a model tells apart, by one trial.

    Raises
    ------
    DeepAAInputError
        If it is no torch module, fails on such images, or gives no logits ``(B, n_classes)``.
    """
    import torch

    from reprise.deep_aa.training import as_floats

    tried = as_floats(images[:1])
    try:
        with torch.no_grad():
            logits = model(tried)
    except (RuntimeError, ValueError, TypeError) as error:
        raise DeepAAInputError(
            f"the model fails on images {tuple(tried.shape)} of {tried.dtype} in [0, 1] ({str(error).splitlines()[0]})"
            "; it has to take such images and to normalise inside."
        ) from error
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or len(logits) != 1:
        shape = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise DeepAAInputError(f"the model gives {shape} for one image; it has to give logits (B, n_classes).")
    return int(logits.shape[1])
