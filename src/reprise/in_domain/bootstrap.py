"""Intervals of one training's score: what other values of the factors might have given.

Images of a grid are not independent: all that show the same place share it. So values of the factors are resampled, not
images (the bootstrap of crossed factors of Owen, 2007): an image weighs the product of its values' counts.
"""

import numpy as np

from reprise.compute import numpy_generator
from reprise.in_domain.grid import Factors, IntegerArray
from reprise.in_domain.scores import Floats

N_DRAWS = 200
LEVEL = 0.95


def mean_r2_interval(
    grid: Factors, index: IntegerArray, predicted: Floats, *, n_draws: int = N_DRAWS, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % percentile interval of R², mean over all factors, of one model on these points.

    Parameters
    ----------
    grid
        The factors. Categorical ones are kept as they are: their few kinds are no sample of anything.
    index
        Points, shape (n,).
    predicted
        Predictions for them, shape (n, n_factors).
    n_draws
        Bootstrap draws.
    seed
        Of the draws: the same for every model, so that models are compared on the same draws.

    Returns
    -------
    tuple
        Lower and upper end; NaN where a prediction is.
    """
    generator = numpy_generator(seed, "in_domain", "bootstrap")
    values = grid.factors(index)
    weights = np.ones((n_draws, len(index)))
    for place, name in enumerate(grid.names):
        if name not in grid.categorical:
            known, which = np.unique(values[:, place], return_inverse=True)
            weights *= generator.multinomial(len(known), np.full(len(known), 1 / len(known)), n_draws)[:, which]
    errors = np.square(predicted - grid.targets(index))
    usable = weights.sum(1) > 0
    mse = weights[usable] @ errors / weights[usable].sum(1, keepdims=True)
    scores = (1 - mse / grid.variances).mean(1)
    low, high = np.quantile(scores, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
