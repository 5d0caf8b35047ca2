"""The search of learning rates: the same few rates for every model, judged on images held out of training.

Run: ``python -m reprise.in_domain.rates``. It writes ``rates.csv`` beside this module; `reprise.in_domain.models` holds
the best rate of each model. No test image of any split is looked at, and no systematic split.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from reprise.compute import numpy_generator, use_threads
from reprise.in_domain.evaluation import predict_points
from reprise.in_domain.grid import IntegerArray, find_grid
from reprise.in_domain.images import Images, RenderedGrid, render_points
from reprise.in_domain.models import APPROACHES, Approach
from reprise.in_domain.scores import mean_r2, r2_by_factor
from reprise.in_domain.settings import MAIN_DATA_SET, Settings
from reprise.in_domain.splits import make_split
from reprise.in_domain.study import renderer_of, train_model
from reprise.in_domain.training import TrainingOptions

if TYPE_CHECKING:
    import pandas as pd

RATES = (3e-4, 1e-3, 3e-3, 1e-2)
# Where the best of these is the smallest or the largest, the next one is tried, too.
SMALLER, LARGER = 1e-4, 3e-2
N_STEPS, READ_OUT_STEPS = 1000, 1000
N_VALIDATION = 3_000
SEED = 0
FILE = Path(__file__).with_name("rates.csv")


def searched_models() -> tuple[Approach, ...]:
    """Return the approaches whose rate is searched: those that a CPU can train, but for the remedies.

    A remedy is the CNN with a mechanism added; it keeps the CNN's rate.
    """
    return tuple(a for a in APPROACHES.values() if a.where == "CPU" and not a.is_remedy)


def validation_points(n_validation: int = N_VALIDATION) -> tuple[IntegerArray, IntegerArray]:
    """Return points to train on and to validate on; both are of the random split's training set."""
    train = make_split(find_grid(MAIN_DATA_SET), "random").train_index
    order = numpy_generator(SEED, "in_domain", "validation").permutation(train)
    return np.sort(order[n_validation:]), np.sort(order[:n_validation])


def trials(
    settings: Settings, approaches: Sequence[Approach] | None = None, n_validation: int = N_VALIDATION
) -> Iterator[dict[str, Any]]:
    """Train models with every rate and yield their validation R², mean over all factors.

    Parameters
    ----------
    settings
        Steps (the same for every model), batch and image side of the trials.
    approaches
        Which models; None: all.
    n_validation
        Images held out of the random split's training set.
    """
    train, validation = validation_points(n_validation)
    source = RenderedGrid(renderer_of(MAIN_DATA_SET, settings.image_side), find_grid(MAIN_DATA_SET))
    images = render_points(source, np.concatenate([train, validation]))
    for approach in searched_models() if approaches is None else approaches:
        found: dict[float, float] = {}
        while rate := next_rate(found):
            options = TrainingOptions(settings.n_steps, settings.batch_size, rate)
            model = train_model(settings, approach.name, images, train, SEED, options)
            found[rate] = _score(model, images, validation)
            common = {"model": approach.name, "learning_rate": rate, "steps": settings.n_steps}
            yield {**common, "validation_r2": round(found[rate], 4)}


def next_rate(found: Mapping[float, float]) -> float | None:
    """Return the rate to try next, given the scores of those tried; None where the search ends.

    All of ``RATES`` first, then one beyond the end that is best. A score that is no number counts as the worst.
    """
    for rate in RATES:
        if rate not in found:
            return rate
    best = max(found, key=lambda rate: np.nan_to_num(found[rate], nan=-np.inf))
    beyond = {RATES[0]: SMALLER, RATES[-1]: LARGER}.get(best)
    return None if beyond in found else beyond


def _score(model: nn.Module, images: Images, validation: IntegerArray) -> float:
    grid = images.grid
    predicted = predict_points(model, images, validation, checked=False)
    return float(mean_r2(grid, r2_by_factor(grid, validation, predicted))[0])


def read_trials(path: Path = FILE) -> "pd.DataFrame":
    """Return the trials on record: model, learning_rate, steps, validation_r2."""
    import pandas as pd

    return pd.read_csv(path)


def best_rates(found: "pd.DataFrame") -> dict[str, float]:
    """Return the rate of each model with the highest validation R²; of equal ones the smaller."""
    ordered = found.sort_values(["validation_r2", "learning_rate"], ascending=[False, True], kind="stable")
    return {str(name): float(rate) for name, rate in ordered.groupby("model")["learning_rate"].first().items()}


def main() -> None:
    """Run the search and write its table."""
    import pandas as pd

    use_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    settings = Settings(n_steps=N_STEPS, read_out_steps=READ_OUT_STEPS)
    found = []
    for line in trials(settings):
        found.append(line)
        print(line, flush=True)
    pd.DataFrame(found).to_csv(FILE, index=False)


if __name__ == "__main__":
    main()
