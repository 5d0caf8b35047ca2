"""Checks of what a search is given, before any work starts; each names the argument, its value and the remedy."""

from __future__ import annotations

import warnings
from numbers import Real
from pathlib import Path
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

    try:
        labels = torch.as_tensor(labels)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DeepAAInputError(
            f"{argument} must be class numbers, integers from 0; number the names of classes first."
        ) from error
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
        if isinstance(value, bool) or not isinstance(value, Real) or not np.isfinite(value):
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
    if isinstance(stop_identity, bool) or not isinstance(stop_identity, Real) or not 0 < stop_identity <= 1:
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
    """Return how many classes a model tells apart, by a trial with two images: together, once more, and each alone.

    Raises
    ------
    DeepAAInputError
        If it is no torch module, fails on such images, gives no finite logits ``(B, n_classes)`` of two classes or
        more, draws random numbers, or lets the images of a batch change one another.
    """
    import torch

    from reprise.deep_aa.training import as_floats

    tried = as_floats(torch.cat([images[:1], images[-1:]]))
    try:
        with torch.no_grad():
            logits, again, *alone = model(tried), model(tried), model(tried[:1]), model(tried[1:])
    except Exception as error:  # a model may fail in any way
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DeepAAInputError(
            f"the model fails on images {tuple(tried.shape)} of {tried.dtype} in [0, 1] ({reason}); it has to take "
            "such images and to normalise inside."
        ) from error
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or len(logits) != 2 or logits.shape[1] < 2:
        shape = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise DeepAAInputError(
            f"the model gives {shape} for two images; it has to give logits (B, n_classes) of two classes or more."
        )
    if not bool(torch.isfinite(logits).all()):
        raise DeepAAInputError("the model gives logits that are not finite; train it with a smaller learning rate.")
    if not _near(logits, again):
        raise DeepAAInputError("the model draws random numbers in evaluation mode; take its dropout or noise out.")
    if not _near(logits, torch.cat(alone)):
        raise DeepAAInputError(
            "the images of a batch change one another's logits; give batch normalisation running statistics."
        )
    return int(logits.shape[1])


def _near(first: Tensor, second: Tensor) -> bool:
    import torch

    share = 1e-3 if first.dtype in (torch.float32, torch.float64) else 3e-2
    return bool((first - second).abs().max() <= share * first.abs().max())


def check_finite_gradient(*norms: Tensor) -> None:
    """Refuse gradients with infinite or undefined entries, by their norms.

    Raises
    ------
    DeepAAInputError
        If there is one.
    """
    for norm in norms:
        if not np.isfinite(float(norm)):
            raise DeepAAInputError(
                "a gradient is not finite: the network overflows on these images, or the loss on its logits; use "
                "model.float(), or a network trained with a smaller learning rate."
            )


def check_checkpoint(checkpoint: Any) -> Path | None:
    """Return where the state of a search is kept.

    Raises
    ------
    DeepAAInputError
        If it is no path of a file.
    """
    if checkpoint is None:
        return None
    if not isinstance(checkpoint, str | Path) or Path(checkpoint).is_dir():
        raise DeepAAInputError(f"checkpoint={checkpoint!r} must be the path of a file, such as 'search.pt'.")
    return Path(checkpoint)


def warn_of_darkness(images: Tensor) -> None:
    """Warn of 8-bit images that hold 0 and 1 only: nearly black, since 8-bit images run to 255."""
    if int(images.max()) <= 1:
        warnings.warn(
            "the search images run from 0 to 1 of 255, nearly black; give images of 0 and 1 as floats "
            "(images.float()).",
            stacklevel=4,
        )
