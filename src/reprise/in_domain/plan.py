"""Which trainings the study consists of: plain data, made from the settings."""

from dataclasses import dataclass

from reprise.in_domain.models import Approach, find_approach
from reprise.in_domain.settings import ALL_ORIENTATIONS, MAIN_DATA_SET, Kind, Settings
from reprise.in_domain.splits import KINDS
from reprise.in_domain.training import TrainingOptions

TWO_SPLITS: tuple[Kind, ...] = ("random", "extrapolation")
CONTROL_AND_COMPOSITION: tuple[Kind, ...] = ("random", "composition")
IMAGE_DATA_SETS = (MAIN_DATA_SET, ALL_ORIENTATIONS, "rooms", "turntable")
# Data sets whose composition split is run beside that of the main one.
COMPOSED = (ALL_ORIENTATIONS, "rooms")


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
    blocks: list[tuple[str, dict[str, tuple[int, ...]], tuple[Kind, ...]]] = []
    if "comparison" in settings.experiments and dataset == MAIN_DATA_SET:
        blocks += [
            ("comparison", dict.fromkeys(settings.models, settings.seeds), settings.splits),
            ("comparison", seeds_in_turn(settings, settings.models_once), TWO_SPLITS),
        ]
    elif "comparison" in settings.experiments:
        blocks += [
            ("comparison", dict.fromkeys((name,), settings.seeds), _splits_beside(settings, dataset, name))
            for name in dict.fromkeys((*settings.other_models, *settings.composition_models))
        ]
    if "remedies" in settings.experiments and dataset == MAIN_DATA_SET:
        blocks.append(("remedies", seeds_in_turn(settings, settings.remedies), TWO_SPLITS))
    return tuple(
        Run(experiment, model, kind, seeds)
        for experiment, models, kinds in blocks
        for model, seeds in models.items()
        for kind in kinds
        if seeds and kind in settings.splits
    )


def _splits_beside(settings: Settings, dataset: str, model: str) -> tuple[Kind, ...]:
    """Return the splits that a model is trained on, on a data set other than the main one."""
    wanted: set[Kind] = set()
    if model in settings.other_models and dataset != ALL_ORIENTATIONS:
        wanted.update(TWO_SPLITS)
    if model in settings.composition_models and dataset in COMPOSED:
        wanted.update(CONTROL_AND_COMPOSITION)
    return tuple(kind for kind in KINDS if kind in wanted)


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


def read_out_options(settings: Settings) -> TrainingOptions:
    """Return how the read-out of a representation is trained."""
    return TrainingOptions(settings.read_out_steps, settings.read_out_batch_size, settings.read_out_rate)
