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
    blocks: list[tuple[str, tuple[str, ...], tuple[Kind, ...]]] = []
    if "comparison" in settings.experiments and dataset == MAIN_DATA_SET:
        blocks += [
            ("comparison", settings.models, settings.splits),
            ("comparison", settings.slower_models, TWO_SPLITS),
        ]
    elif "comparison" in settings.experiments:
        blocks += [
            ("comparison", (name,), _splits_beside(settings, dataset, name))
            for name in dict.fromkeys((*settings.other_models, *settings.composition_models))
        ]
    if "remedies" in settings.experiments and dataset == MAIN_DATA_SET:
        blocks.append(("remedies", settings.remedies, TWO_SPLITS))
    planned = (
        Run(experiment, model, kind, seeds_of(settings, dataset, model))
        for experiment, models, kinds in blocks
        for model in models
        for kind in kinds
        if kind in settings.splits
    )
    return tuple(run for run in planned if run.seeds)


def seeds_of(settings: Settings, dataset: str, model: str) -> tuple[int, ...]:
    """Return the run's seeds without those that the model or the data set is not run with."""
    allowed = [settings.fewer_seeds[name] for name in (dataset, model) if name in settings.fewer_seeds]
    return tuple(seed for seed in settings.seeds if all(seed in seeds for seeds in allowed))


def _splits_beside(settings: Settings, dataset: str, model: str) -> tuple[Kind, ...]:
    """Return the splits that a model is trained on, on a data set other than the main one."""
    wanted: set[Kind] = set()
    if model in settings.other_models and dataset != ALL_ORIENTATIONS:
        wanted.update(TWO_SPLITS)
    if model in settings.composition_models and dataset in COMPOSED:
        wanted.update(CONTROL_AND_COMPOSITION)
    return tuple(kind for kind in KINDS if kind in wanted)


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
