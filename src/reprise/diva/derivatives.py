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
    check_groups,
    check_labels,
    check_loss,
    check_mask,
    check_targets,
    check_weights,
    check_whole,
    classes_of,
    mask_of_single_samples,
    warn_of_duplicates,
)
from reprise.diva.leave_one_out import leave_one_out, stacked_groups
from reprise.diva.leave_one_out import validation_derivative as _validation_derivative
from reprise.diva.outer_loss import LossName
from reprise.diva.penalties import penalty_of
from reprise.diva.ridge import PrimalRidge, solve
from reprise.diva.weighting import Objective, Step, follow, shares_of_copies

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
        Share of samples whose class is then not predicted; NaN where a single column of targets has no classes.
    """

    loss: float
    grad: np.ndarray
    predictions: np.ndarray
    error: float


def targets_of(
    Y: Any, n_rows: int, loss: LossName = "ce", names: tuple[str, str] = ("Y", "Z")
) -> tuple[np.ndarray, np.ndarray]:
    """Return one-hot or given targets (N, k), and the classes.

    ``Y`` holds labels (N,) or targets (N, k); a single column of floats is one of targets under the squared loss.
    ``names`` are those of ``Y`` and of the features in messages.
    """
    array = Y.detach().cpu().numpy() if isinstance(Y, Tensor) else np.asarray(Y)
    single = array.ndim == 2 and array.shape[1] == 1 and loss == "squared" and array.dtype.kind == "f"
    if single or (array.ndim == 2 and array.shape[1] > 1):
        return check_targets(array, n_rows, loss, *names), np.arange(array.shape[1])
    classes, codes = classes_of(check_labels(array, n_rows, *names), names[0])
    return one_hot(codes, len(classes)), classes


def loo_predictions(Z: Any, Y: Any, alpha: Any = None, lam: float | str = 1.0) -> np.ndarray:
    """Return each sample's prediction by ridge regression trained without it (Prop. 3).

    Parameters
    ----------
    Z
        Features, (N, m), used as given: scale them, and append a constant column for an intercept.
    Y
        Labels (N,), or targets (N, k).
    alpha
        Weights >= 0, (N,); None: ones.
    lam
        Penalty λ > 0, or ``"loo"``: the one with the least squared leave-one-out error (see `penalty_of`).

    Returns
    -------
    numpy.ndarray
        (N, k).

    Raises
    ------
    DivaInputError, RidgeError
        For input that cannot be used; says what to change.
    """
    features = check_features(Z, "Z")
    targets, _ = targets_of(Y, len(features), "squared")
    weights = check_weights(alpha, len(features))
    own, wanted = torch.from_numpy(features), torch.from_numpy(targets)
    ridge = solve(own, wanted, torch.from_numpy(weights), penalty_of(lam, own, wanted))
    return leave_one_out(ridge, "squared", gradient=False).predictions.numpy()


def loo_derivative(
    Z: Any,
    Y: Any,
    alpha: Any = None,
    lam: float | str = 1.0,
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
        1 for samples that count, 0 for those that only train, (N,). A class with a single sample never counts: without
        it the class is unknown; a warning says so.
    groups
        Group of each sample; equal ones (copies, patients, duplicates) are left out together, (N,).
    """
    check_loss(loss, temperature)
    features = check_features(Z, "Z")
    targets, classes = targets_of(Y, len(features), loss)
    codes = check_groups(groups, len(features), "Z")
    warn_of_duplicates(features, codes)
    kept = check_mask(mask, len(features))
    if _one_hot_rows(targets):
        kept = _both(kept, mask_of_single_samples(targets.argmax(1), classes.tolist(), codes))
    weights = check_weights(alpha, len(features))
    own, wanted = torch.from_numpy(features), torch.from_numpy(targets)
    ridge = solve(own, wanted, torch.from_numpy(weights), penalty_of(lam, own, wanted))
    found = leave_one_out(
        ridge,
        loss,
        temperature,
        mask=None if kept is None else torch.from_numpy(kept),
        groups=None if codes is None else stacked_groups(torch.from_numpy(codes)),
    )
    assert found.gradient is not None
    wrong = found.predictions.numpy().argmax(1) != targets.argmax(1)
    error = float("nan") if targets.shape[1] == 1 else float(wrong.mean() if kept is None else wrong[kept > 0].mean())
    return LooResult(float(found.loss), found.gradient.numpy(), found.predictions.numpy(), error)


def _one_hot_rows(targets: np.ndarray) -> bool:
    return targets.shape[1] > 1 and bool(((targets == 0) | (targets == 1)).all() and (targets.sum(1) == 1).all())


def _both(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    if one is None or other is None:
        return other if one is None else one
    return check_mask(one * other, len(one))


def validation_derivative(
    Z: Any,
    Y: Any,
    Zv: Any,
    Yv: Any,
    alpha: Any = None,
    lam: float | str = 1.0,
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
    check_loss(loss, temperature)
    features, new = check_features(Z, "Z"), check_features(Zv, "Zv")
    if features.shape[1] != new.shape[1]:
        raise DivaInputError(f"Zv has {new.shape[1]} features but Z has {features.shape[1]}; they must be the same.")
    targets, classes = targets_of(Y, len(features), loss)
    wanted = torch.from_numpy(_validation_targets(Yv, len(new), classes, loss))
    weights = torch.from_numpy(check_weights(alpha, len(features)))
    own, answers = torch.from_numpy(features), torch.from_numpy(targets)
    ridge = PrimalRidge(own, answers, weights, penalty_of(lam, own, answers))
    total, gradient = _validation_derivative(ridge, torch.from_numpy(new), wanted, loss, temperature)
    return float(total), gradient.numpy()


def _validation_targets(Yv: Any, n_rows: int, classes: np.ndarray, loss: LossName) -> np.ndarray:
    array = np.asarray(Yv)
    if array.ndim == 1:
        labels = check_labels(array, n_rows, "Yv", "Zv")
        if unknown := sorted(set(labels.tolist()) - set(classes.tolist())):
            raise DivaInputError(f"Yv contains labels that are not in Y: {unknown}; drop these rows.")
        return one_hot(np.searchsorted(classes, labels), len(classes))
    if array.ndim != 2 or array.shape[1] != len(classes):
        raise DivaInputError(f"Yv has the shape {array.shape}, but Y has {len(classes)} classes or columns.")
    return check_targets(array, n_rows, loss, "Yv", "Zv")


def find_detrimental(
    X: Any,
    y: Any,
    *,
    lam: float | str = "loo",
    temperature: float = 1.0,
    threshold: float = 0.0,
    normalise: bool = True,
    groups: Any = None,
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
    groups
        Group of each sample; equal ones are left out together, (N,). Copies with one wrong label vouch for each other
        without it.

    Returns
    -------
    pandas.DataFrame
        Columns ``index`` (the row's label in ``X.index`` for a DataFrame, else its position), ``derivative``,
        ``loo_residual`` (its length alone ranks about as well), ``loo_label``, ``given_label``, ``position`` (from 0).
    """
    import pandas as pd

    given = check_features(X)
    codes = check_groups(groups, len(given))
    features = prepared(given) if normalise else np.hstack([given, np.ones((len(given), 1))])
    warn_of_duplicates(given, codes, features if normalise else None)
    classes, numbers = classes_of(check_labels(y, len(features)))
    targets = one_hot(numbers, len(classes))
    check_loss("ce", temperature)
    mask = mask_of_single_samples(numbers, classes.tolist(), codes)
    own, wanted = torch.from_numpy(features), torch.from_numpy(targets)
    ridge = solve(own, wanted, torch.ones_like(own[:, 0]), penalty_of(lam, own, wanted))
    counting = None if mask is None else torch.from_numpy(mask)
    stacked = None if codes is None else stacked_groups(torch.from_numpy(codes))
    found = leave_one_out(ridge, "ce", temperature, mask=counting, groups=stacked)
    assert found.gradient is not None
    frame = pd.DataFrame(
        {
            "index": X.index if isinstance(X, pd.DataFrame) else np.arange(len(features)),
            "derivative": found.gradient.numpy(),
            "loo_residual": found.residuals.norm(dim=1).numpy(),
            "loo_label": classes[found.predictions.argmax(1).numpy()],
            "given_label": classes[numbers],
            "position": np.arange(len(features)),
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
    check_loss("ce", temperature)
    check_whole("n_steps", n_steps, 1)
    copies = [check_features(Z, f"Z_list[{place}]") for place, Z in enumerate(Z_list)]
    if len(copies) < 2:
        raise DivaInputError(f"Z_list has {len(copies)} entries; give the originals and at least one copy.")
    if len({copy.shape for copy in copies}) != 1:
        raise DivaInputError(f"copies have the shapes {[copy.shape for copy in copies]}; they must be the same.")
    n_rows = len(copies[0])
    targets, _ = targets_of(y, n_rows, names=("y", "Z_list[0]"))
    first, wanted = torch.from_numpy(copies[0]), torch.from_numpy(targets)
    penalty = penalty_of(lam, first, wanted)
    places = torch.arange(len(copies) * n_rows)
    mask = (places < n_rows).double()
    objective = Objective("ce", temperature, mask, stacked_groups(places % n_rows))
    stacked = torch.from_numpy(np.concatenate(copies))
    *_, (ridge, _) = follow(stacked, wanted.repeat(len(copies), 1), penalty, objective, Step(number=n_steps))
    return shares_of_copies(ridge.weights, len(copies)).numpy()
