"""Which trainings the study consists of: plain data, made from the settings."""

from dataclasses import dataclass

from reprise.in_domain.models import Approach, find_approach
from reprise.in_domain.settings import MAIN_DATA_SET, Kind, Settings
from reprise.in_domain.training import TrainingOptions

TWO_SPLITS: tuple[Kind, ...] = ("random", "extrapolation")
IMAGE_DATA_SETS = (MAIN_DATA_SET, "rooms", "turntable")


@dataclass(frozen=True)
class Run:
    """One training setting, for all its seeds.

    Attributes
    ----------
    experiment
        ``"comparison"`` or ``"remedies"``.
    model
        Name of the approach.
    kind
        The split.
    seeds
        Seeds of training.
    """

    experiment: str
    model: str
    kind: Kind
    seeds: tuple[int, ...]


def plan(settings: Settings, dataset: str) -> tuple[Run, ...]:
    """List the trainings on one data set."""
    if dataset not in IMAGE_DATA_SETS:
        return ()
    once = tuple(seed for seed in settings.seeds if seed in settings.single_seeds)
    two = tuple(kind for kind in settings.splits if kind in TWO_SPLITS)
    blocks: list[tuple[str, tuple[str, ...], tuple[Kind, ...], tuple[int, ...]]] = []
    if "comparison" in settings.experiments and dataset == MAIN_DATA_SET:
        blocks += [
            ("comparison", settings.models, settings.splits, settings.seeds),
            ("comparison", settings.models_two_splits, two, settings.seeds),
            ("comparison", settings.models_once, two, once),
        ]
    elif "comparison" in settings.experiments:
        blocks.append(("comparison", settings.other_models, two, settings.seeds))
    if "remedies" in settings.experiments and dataset == MAIN_DATA_SET:
        blocks.append(("remedies", settings.remedies, two, settings.seeds))
    return tuple(
        Run(experiment, model, kind, seeds)
        for experiment, models, kinds, seeds in blocks
        for model in models
        for kind in kinds
        if seeds
    )


def options_of(settings: Settings, approach: Approach) -> TrainingOptions:
    """Return how an approach is trained in the comparison."""
    n_steps = round(settings.n_steps * approach.slowness)
    return TrainingOptions(n_steps, settings.batch_size, approach.learning_rate)


def blog_options(settings: Settings, model: str) -> TrainingOptions:
    """Return how a model is trained in the blog's case."""
    approach = find_approach(model)
    n_steps = round(settings.blog_steps * approach.slowness)
    return TrainingOptions(n_steps, settings.batch_size, approach.learning_rate)
