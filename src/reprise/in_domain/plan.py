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
    two = tuple(kind for kind in settings.splits if kind in TWO_SPLITS)
    blocks: list[tuple[str, dict[str, tuple[int, ...]], tuple[Kind, ...]]] = []
    if "comparison" in settings.experiments and dataset == MAIN_DATA_SET:
        blocks += [
            ("comparison", dict.fromkeys(settings.models, settings.seeds), settings.splits),
            ("comparison", dict.fromkeys(settings.models_two_splits, settings.seeds), two),
            ("comparison", seeds_in_turn(settings, settings.models_once), two),
        ]
    elif "comparison" in settings.experiments:
        blocks.append(("comparison", dict.fromkeys(settings.other_models, settings.seeds), two))
    if "remedies" in settings.experiments and dataset == MAIN_DATA_SET:
        blocks.append(("remedies", seeds_in_turn(settings, settings.remedies), two))
    return tuple(
        Run(experiment, model, kind, seeds)
        for experiment, models, kinds in blocks
        for model, seeds in models.items()
        for kind in kinds
        if seeds
    )


def seeds_in_turn(settings: Settings, models: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Give each model one of the single seeds in turn, so that cells of a fan-out by seed take equally long.

    A model whose seed is not among the run's seeds has none.
    """
    single = settings.single_seeds
    return {
        model: tuple(seed for seed in settings.seeds if seed == single[place % len(single)])
        for place, model in enumerate(models)
    }


def options_of(settings: Settings, approach: Approach) -> TrainingOptions:
    """Return how an approach is trained in the comparison."""
    n_steps = round(settings.n_steps * approach.slowness)
    return TrainingOptions(n_steps, settings.batch_size, approach.learning_rate)


def blog_options(settings: Settings, model: str) -> TrainingOptions:
    """Return how a model is trained in the blog's case."""
    approach = find_approach(model)
    n_steps = round(settings.blog_steps * approach.slowness)
    return TrainingOptions(n_steps, settings.batch_size, approach.learning_rate)
