"""Evaluation of anything that predicts factors from images: by factor, and by what is out of distribution."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reprise.compute import numpy_generator
from reprise.in_domain.grid import IntegerArray
from reprise.in_domain.images import Images
from reprise.in_domain.scores import Floats, check_finite, check_range, check_shape, mean_r2, rho
from reprise.in_domain.splits import Split

if TYPE_CHECKING:
    import pandas as pd

Predict = Callable[[Tensor], Any]
BATCH = 500
MEAN, MEAN_ORDERED = "mean", "mean without categorical"


@dataclass(frozen=True)
class Evaluation:
    """Predictions on a sample of the training and of the test points.

    Attributes
    ----------
    split
        The split.
    train_index, test_index
        The points that were predicted.
    train_predicted, test_predicted
        Predictions, shape (n, n_factors).
    """

    split: Split
    train_index: IntegerArray
    test_index: IntegerArray
    train_predicted: Floats
    test_predicted: Floats

    def subsets(self) -> Iterator[tuple[str, IntegerArray, Floats]]:
        """Yield the parts that are scored: train, test, "only FACTOR" out of distribution, and by number of those."""
        yield "train", self.train_index, self.train_predicted
        yield "test", self.test_index, self.test_predicted
        if not self.split.ood_values:
            return
        outside = self.split.is_ood(self.test_index)
        numbers = outside.sum(1)
        for place, name in enumerate(self.split.grid.cut_factors):
            yield self._part(f"only {name}", (numbers == 1) & outside[:, place])
        for number in np.unique(numbers).tolist():
            yield self._part(f"{number} out", numbers == number)

    def _part(self, name: str, chosen: NDArray[np.bool_]) -> tuple[str, IntegerArray, Floats]:
        return name, self.test_index[chosen], self.test_predicted[chosen]

    def table(self) -> "pd.DataFrame":
        """Return subset, factor, n, mse, r2 and the median of rho (see `reprise.in_domain.scores.rho`)."""
        import pandas as pd

        return pd.DataFrame([line for part in self.subsets() if len(part[1]) for line in self._lines(*part)])

    def _lines(self, subset: str, index: IntegerArray, predicted: Floats) -> Iterator[dict[str, Any]]:
        grid = self.split.grid
        targets = grid.targets(index)
        errors = np.square(predicted - targets).mean(0)
        scores = 1 - errors / grid.variances
        for place, name in enumerate(grid.names):
            ratios = rho(targets[:, place], predicted[:, place], self.split.train_mean[place])
            line = {"subset": subset, "factor": name, "n": len(index), "mse": errors[place], "r2": scores[place]}
            yield {**line, "rho_median": float(np.median(ratios)) if len(ratios) else float("nan")}
        for name, value in zip((MEAN, MEAN_ORDERED), mean_r2(grid, scores), strict=True):
            yield {"subset": subset, "factor": name, "n": len(index), "r2": value}

    def summary(self) -> "pd.Series":
        """Return mean R² by subset, all factors weighing the same."""
        table = self.table()
        return table[table["factor"] == MEAN].set_index("subset")["r2"]

    def curve(self, factor: str) -> "pd.DataFrame":
        """Return mean and spread of the prediction by true value, where no other factor is out of distribution."""
        import pandas as pd

        grid, place = self.split.grid, self.split.grid.position(factor)
        parts = [(self.train_index, self.train_predicted)]
        parts += [(index, predicted) for name, index, predicted in self.subsets() if name == f"only {factor}"]
        index, predicted = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        frame = pd.DataFrame({"true": grid.targets(index)[:, place], "predicted": predicted[:, place]})
        return frame.groupby("true")["predicted"].agg(["mean", "std", "size"]).reset_index()


def evaluate(
    predict: Predict,
    images: Images,
    split: Split,
    *,
    n_test: int | None = 15_000,
    n_train: int | None = 5_000,
    seed: int = 0,
    checked: bool = True,
) -> Evaluation:
    """Predict a sample of the training and test points of a split.

    Parameters
    ----------
    predict
        Any callable of images, float32 in [0, 1], shape (n, channels, side, side), to (n, n_factors): targets in
        [0, 1], which are index / (size - 1) on a grid and (value - min) / (max - min) on a `FactorTable` (its ``scale``
        does it). It may return a tensor or anything that NumPy takes. A torch module is put into evaluation mode.
    images
        The images.
    split
        The split.
    n_test, n_train
        Points drawn without replacement; None: all.
    seed
        Of the draw; the same points for every model.
    checked
        Refuse NaN and values that look like indices. False: a diverged model is scored as it is, with NaN.

    Returns
    -------
    Evaluation
        With tables by subset and factor.

    Raises
    ------
    ValueError
        If predictions have the wrong shape, hold NaN, or are in other units; if images and split are of different
        factors; if no image is to be scored.
    """
    if not hasattr(images, "batch"):
        raise ValueError(f"images is a {type(images).__name__}; wrap arrays: GridImages(array, grid).")
    if not isinstance(split, Split):
        raise ValueError(f"split is a {type(split).__name__}; give what make_split(grid, kind) returns.")
    if images.grid is not split.grid and images.grid != split.grid:
        raise ValueError("images and split are of different factors; make both from the same grid or table.")
    for name, number in (("n_test", n_test), ("n_train", n_train)):
        if number is not None and number < 1:
            raise ValueError(f"{name}={number}: score at least one image, or None for all.")
    train, test = evaluation_points(split, n_train=n_train, n_test=n_test, seed=seed)
    found = (predict_points(predict, images, part, checked=checked) for part in (train, test))
    return Evaluation(split, train, test, *found)


def evaluation_points(
    split: Split, *, n_train: int | None, n_test: int | None, seed: int = 0
) -> tuple[IntegerArray, IntegerArray]:
    """Return the training and test points of an evaluation, ascending."""
    generator = numpy_generator(seed, "in_domain", "evaluation", split.kind)
    return tuple(  # type: ignore[return-value]
        index if n is None or n >= len(index) else np.sort(generator.choice(index, n, replace=False))
        for index, n in ((split.train_index, n_train), (split.test_index, n_test))
    )


def predict_points(predict: Predict, images: Images, index: IntegerArray, *, checked: bool = True) -> Floats:
    """Return the predictions for some grid points, shape (n, n_factors); the shape is checked always."""
    parts = []
    if isinstance(predict, nn.Module):
        predict.eval()
    with torch.no_grad():
        for part in torch.from_numpy(index).to(images.device).split(BATCH):
            found = predict(images.batch(part))
            parts.append(found.detach().cpu().numpy() if isinstance(found, Tensor) else np.asarray(found))
            check_shape(parts[-1], len(part), len(images.grid.names))
            if checked:
                check_finite(parts[-1])
    predicted = np.concatenate(parts).astype(np.float64)
    if checked:
        check_range(predicted)
    return predicted
