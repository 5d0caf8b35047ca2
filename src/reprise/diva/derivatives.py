"""The closed forms for NumPy arrays: leave-one-out predictions, dataset derivatives, wrong labels, augmentation.

>>> import numpy as np
>>> Z = np.array([[1.0, 1.0], [0.9, 1.0], [-1.0, 1.0], [-1.1, 1.0]])
>>> found = loo_derivative(Z, np.array([0, 0, 1, 1]), lam=0.1)
>>> found.grad.shape, found.predictions.shape, float(found.error)
((4,), (4, 2), 0.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from reprise.diva.data import one_hot, prepared
from reprise.diva.input_checks import (
    DivaInputError,
    check_features,
    check_labels,
    check_loss,
    check_mask,
    check_penalty,
    check_weights,
    warn_of_duplicates,
)
from reprise.diva.leave_one_out import leave_one_out, stacked_groups
from reprise.diva.leave_one_out import validation_derivative as _validation_derivative
from reprise.diva.outer_loss import LossName
from reprise.diva.ridge import PrimalRidge, solve
from reprise.diva.weighting import Objective, Step, choose_penalty, follow, shares_of_copies

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LooResult:
    """What leaving out each sample says.

    Attributes
    ----------
    loss
        Sum of the outer loss over the samples that count.
    grad
        Its derivative with respect to every weight, (N,): negative where more weight would lower the loss.
    predictions
        Of each sample by the model trained without it, (N, k).
    error
        Share of samples whose class is then not predicted.
    """

    loss: float
    grad: np.ndarray
    predictions: np.ndarray
    error: float


def targets_of(Y: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return one-hot or given targets (N, k), and the classes; ``Y`` holds labels (N,) or targets (N, k)."""
    array = np.asarray(Y)
    if array.ndim == 2 and array.shape[1] > 1:
        if len(array) != n_rows:
            raise DivaInputError(f"X has {n_rows} rows but y has {len(array)} labels.")
        return array.astype(np.float64), np.arange(array.shape[1])
    classes, codes = np.unique(check_labels(array, n_rows), return_inverse=True)
    return one_hot(codes, len(classes)), classes


def loo_predictions(Z: Any, Y: Any, alpha: Any = None, lam: float = 1.0) -> np.ndarray:
    """Return each sample's prediction by ridge regression trained without it (Prop. 3).

    Parameters
    ----------
    Z
        Features, (N, m); append a constant column for an intercept.
    Y
        Labels (N,), or targets (N, k).
    alpha
        Weights >= 0, (N,); None: ones.
    lam
        Penalty λ > 0.

    Returns
    -------
    numpy.ndarray
        (N, k).

    Raises
    ------
    DivaInputError, RidgeError
        For input that cannot be used; says what to change.
    """
    return loo_derivative(Z, Y, alpha, lam).predictions


def loo_derivative(
    Z: Any,
    Y: Any,
    alpha: Any = None,
    lam: float = 1.0,
    loss: LossName = "ce",
    temperature: float = 1.0,
    mask: Any = None,
    groups: Any = None,
) -> LooResult:
    """Return the leave-one-out loss and its derivative with respect to every sample's weight.

    Parameters
    ----------
    Z, Y, alpha, lam
        As in `loo_predictions`.
    loss, temperature
        Outer loss: ``"ce"`` at temperature τ, or ``"squared"``. Use τ = 1 to find wrong labels, τ = 10 to reweight
        clean data. With about ten classes one value does not serve both; with fifty and more τ = 10 finds them, too.
    mask
        1 for samples that count, 0 for those that only train, (N,).
    groups
        Group of each sample; equal ones (copies, patients, duplicates) are left out together, (N,).
    """
    features = check_features(Z)
    targets, _ = targets_of(Y, len(features))
    weights = check_weights(alpha, len(features))
    penalty = check_penalty(lam, *features.shape)
    check_loss(loss, temperature)
    kept = check_mask(mask, len(features))
    warn_of_duplicates(features, groups)
    stacked = None if groups is None else stacked_groups(_group_numbers(groups, len(features)))
    ridge = solve(torch.from_numpy(features), torch.from_numpy(targets), torch.from_numpy(weights), penalty)
    counting = None if kept is None else torch.from_numpy(kept)
    found = leave_one_out(ridge, loss, temperature, mask=counting, groups=stacked)
    assert found.gradient is not None
    wrong = found.predictions.numpy().argmax(1) != targets.argmax(1)
    error = float(wrong.mean() if kept is None else wrong[kept > 0].mean())
    return LooResult(float(found.loss), found.gradient.numpy(), found.predictions.numpy(), error)


def _group_numbers(groups: Any, n_rows: int) -> Tensor:
    array = np.asarray(groups)
    if array.shape != (n_rows,):
        raise DivaInputError(f"groups has the shape {array.shape}; give one group for each of {n_rows} samples.")
    return torch.from_numpy(np.unique(array, return_inverse=True)[1])


def validation_derivative(
    Z: Any,
    Y: Any,
    Zv: Any,
    Yv: Any,
    alpha: Any = None,
    lam: float = 1.0,
    loss: LossName = "ce",
    temperature: float = 1.0,
) -> tuple[float, np.ndarray]:
    """Return the loss on a validation set and its derivative with respect to every training weight (Prop. 2).

    Parameters
    ----------
    Z, Y, alpha, lam, loss, temperature
        As in `loo_derivative`.
    Zv, Yv
        Features (n, m) and labels (n,), or targets (n, k), of the validation set; its classes must occur in Y.

    Returns
    -------
    tuple
        Sum of the loss over the validation set, and derivative (N,).
    """
    features, new = check_features(Z), check_features(Zv)
    if features.shape[1] != new.shape[1]:
        raise DivaInputError(f"Zv has {new.shape[1]} features but Z has {features.shape[1]}; they must be the same.")
    targets, classes = targets_of(Y, len(features))
    labels = np.asarray(Yv)
    if labels.ndim == 1:
        labels = check_labels(labels, len(new), "yv")
        if unknown := sorted(set(labels.tolist()) - set(classes.tolist())):
            raise DivaInputError(f"Yv contains labels that are not in Y: {unknown}; drop these rows.")
        labels = one_hot(np.searchsorted(classes, labels), len(classes))
    check_loss(loss, temperature)
    weights = check_weights(alpha, len(features))
    penalty = check_penalty(lam, *features.shape)
    own, answers = torch.from_numpy(features), torch.from_numpy(targets)
    ridge = PrimalRidge(own, answers, torch.from_numpy(weights), penalty)
    wanted = torch.from_numpy(labels.astype(np.float64))
    total, gradient = _validation_derivative(ridge, torch.from_numpy(new), wanted, loss, temperature)
    return float(total), gradient.numpy()


def find_detrimental(
    X: Any,
    y: Any,
    *,
    lam: float | str = "loo",
    temperature: float = 1.0,
    threshold: float = 0.0,
    normalise: bool = True,
) -> pd.DataFrame:
    """Return the samples whose derivative is at or above a threshold, the most detrimental first (Sec. 3.3).

    .. warning::
        It is a list to look at, not to delete. Right labels of odd samples are on it as well, and dropping every sample
        of it often raises the test error (see the chapter's table of what acting on it does).

    Parameters
    ----------
    X, y
        Features (N, m) and labels (N,).
    lam
        λ, or ``"loo"``: chosen by squared leave-one-out error.
    temperature
        Of the outer cross-entropy; at 10, with about ten classes, wrong labels among the validation samples dominate
        and the sign turns.
    threshold
        ε; 0 as in the paper.
    normalise
        Whether rows are scaled to length 1, as in `DivaReweight`. A constant is appended in any case.

    Returns
    -------
    pandas.DataFrame
        Columns ``index``, ``derivative``, ``loo_residual`` (its length alone ranks about as well), ``loo_label``,
        ``given_label``.
    """
    import pandas as pd

    given = check_features(X)
    features = prepared(given) if normalise else np.hstack([given, np.ones((len(given), 1))])
    targets, classes = targets_of(y, len(features))
    first, wanted = torch.from_numpy(features), torch.from_numpy(targets)
    chosen = choose_penalty(first, wanted) if lam == "loo" else check_penalty(lam, *features.shape)
    found = loo_derivative(features, targets, lam=chosen, temperature=temperature)
    frame = pd.DataFrame(
        {
            "index": np.arange(len(features)),
            "derivative": found.grad,
            "loo_residual": np.linalg.norm(targets - found.predictions, axis=1),
            "loo_label": classes[found.predictions.argmax(1)],
            "given_label": classes[targets.argmax(1)],
        }
    )
    frame = frame[frame.derivative >= threshold]
    return frame.sort_values("derivative", ascending=False, kind="stable").reset_index(drop=True)


def augmentation_weights(
    Z_list: Sequence[Any], y: Any, *, lam: float | str = "loo", temperature: float = 1.0, n_steps: int = 3
) -> np.ndarray:
    """Return the share of weight that each transform of the data earns: its probability (Sec. 3.4).

    Parameters
    ----------
    Z_list
        Features of the originals, then of each transformed copy, all (N, m) in the same order; used as given, so
        that an intercept needs a column of ones.
    y
        Labels of the originals, (N,).
    lam
        λ, or ``"loo"``: chosen on the originals.
    temperature, n_steps
        Outer cross-entropy and number of steps.

    Returns
    -------
    numpy.ndarray
        Shares, summing to 1, (number of copies,). Only originals count in the loss, each left out with its copies.
    """
    copies = [check_features(Z) for Z in Z_list]
    if len({copy.shape for copy in copies}) != 1:
        raise DivaInputError(f"copies have the shapes {[copy.shape for copy in copies]}; they must be the same.")
    n_rows = len(copies[0])
    targets, _ = targets_of(y, n_rows)
    first, wanted = torch.from_numpy(copies[0]), torch.from_numpy(targets)
    penalty = choose_penalty(first, wanted) if lam == "loo" else check_penalty(lam, *copies[0].shape)
    numbers = torch.arange(len(copies) * n_rows)
    mask = (numbers < n_rows).double()
    objective = Objective("ce", temperature, mask, stacked_groups(numbers % n_rows))
    stacked = torch.from_numpy(np.concatenate(copies))
    *_, (ridge, _) = follow(stacked, wanted.repeat(len(copies), 1), penalty, objective, Step(number=n_steps))
    return shares_of_copies(ridge.weights, len(copies)).numpy()
