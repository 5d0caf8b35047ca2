"""The search of learning rates: the same few rates for every model, judged on images held out of training.

Run: ``python -m reprise.in_domain.rates``. It writes ``rates.csv`` beside this module; `reprise.in_domain.models` holds
the best rate of each model. No test image of any split is looked at, and no systematic split.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reprise.compute import numpy_generator, use_threads
from reprise.in_domain.evaluation import predict_points
from reprise.in_domain.grid import IntegerArray, find_grid
from reprise.in_domain.images import RenderedGrid, render_points
from reprise.in_domain.models import APPROACHES, Approach
from reprise.in_domain.scores import mean_r2, r2_by_factor
from reprise.in_domain.settings import MAIN_DATA_SET, Settings
from reprise.in_domain.splits import make_split
from reprise.in_domain.study import renderer_of, train_model
from reprise.in_domain.training import TrainingOptions

if TYPE_CHECKING:
    import pandas as pd

RATES = (1e-3, 2e-3, 3e-3)
# A small share of the standard profile's steps.
N_STEPS, READ_OUT_STEPS = 250, 500
N_VALIDATION = 3_000
SEED = 0
FILE = Path(__file__).with_name("rates.csv")


def searched_models() -> tuple[Approach, ...]:
    """Return the approaches whose rate is searched: those of the benchmark that a CPU can train."""
    return tuple(a for a in APPROACHES.values() if a.in_benchmark and a.where == "CPU")


def validation_points(n_validation: int = N_VALIDATION) -> tuple[IntegerArray, IntegerArray]:
    """Return points to train on and to validate on; both are of the random split's training set."""
    train = make_split(find_grid(MAIN_DATA_SET), "random").train_index
    order = numpy_generator(SEED, "in_domain", "validation").permutation(train)
    return np.sort(order[n_validation:]), np.sort(order[:n_validation])


def trials(settings: Settings, n_validation: int = N_VALIDATION) -> Iterator[dict[str, Any]]:
    """Train every searched model with every rate and yield its validation R², mean over all factors.

    Parameters
    ----------
    settings
        Steps, batch and image side of the trials.
    n_validation
        Images held out of the random split's training set.
    """
    grid = find_grid(MAIN_DATA_SET)
    train, validation = validation_points(n_validation)
    source = RenderedGrid(renderer_of(MAIN_DATA_SET, settings.image_side), grid)
    images = render_points(source, np.concatenate([train, validation]))
    for approach in searched_models():
        n_steps = round(settings.n_steps * approach.slowness)
        for rate in RATES:
            options = TrainingOptions(n_steps, settings.batch_size, rate)
            model = train_model(settings, approach.name, images, train, SEED, options)
            predicted = predict_points(model, images, validation, checked=False)
            score = mean_r2(grid, r2_by_factor(grid, validation, predicted))[0]
            yield {"model": approach.name, "learning_rate": rate, "steps": n_steps, "validation_r2": round(score, 4)}


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
