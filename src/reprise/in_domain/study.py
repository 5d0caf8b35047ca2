"""The study: settings in, tidy rows out.

Beyond the common columns, rows have

- ``experiment``: ``"comparison"``, ``"remedies"``, ``"blog"``, ``"oracles"``, ``"renderer"``;
- ``subset``: ``"train"``, ``"test"``, ``"only FACTOR"`` (test images where it alone is out of distribution),
  ``"2 out"`` (number of factors out of distribution); in the blog's case the training set;
- ``factor``: a factor, ``"mean"`` over all, or ``"mean without categorical"``;
- ``true``: the true target of a point of a curve (metrics ``predicted`` and ``predicted_spread``);
- ``ratio``: the middle of a bar of the histogram of signed rho (metric ``rho_share``).

``split`` is the kind of split. ``metric``: ``r2`` (over the full grid's variance), ``r2_low`` and ``r2_high`` (its
interval over factor values, one training), ``rho_median`` and ``rho_share_below_1`` (of the ratio's size),
``rho_signed_median``, ``rho_share``, ``predicted`` and ``predicted_spread`` (mean and deviation over images), the three
``dci_…``, ``shape_accuracy``, ``parameters``, ``wrong_pixels``, ``overlap``.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from reprise import rows
from reprise.compute import numpy_generator, resolve_device, use_threads
from reprise.in_domain.blog_case import GRID as BLOG_GRID
from reprise.in_domain.blog_case import blog_images, make_blog_case, shape_accuracy
from reprise.in_domain.bootstrap import mean_r2_interval
from reprise.in_domain.disentanglement import dci
from reprise.in_domain.evaluation import Evaluation, evaluate, evaluation_points, predict_points
from reprise.in_domain.frames import agreement, frame_factors, read_frames
from reprise.in_domain.grid import IntegerArray, find_grid
from reprise.in_domain.images import Images, Render, RenderedGrid, render_points
from reprise.in_domain.models import APPROACHES, build_model
from reprise.in_domain.oracles import oracle_scores
from reprise.in_domain.plan import IMAGE_DATA_SETS, Run, blog_options, options_of, plan, read_out_options, seeds_of
from reprise.in_domain.remedies import MoveAndZoom
from reprise.in_domain.representations import Representation
from reprise.in_domain.rooms import room_renderer
from reprise.in_domain.scores import r2_by_factor, rho, rho_histogram
from reprise.in_domain.settings import MAIN_DATA_SET, Settings
from reprise.in_domain.splits import SYSTEMATIC, Split, SplitKind, make_split
from reprise.in_domain.sprites import render_sprites, sprite_renderer
from reprise.in_domain.training import (
    TrainingOptions,
    encode,
    initial_weights,
    train_regressor,
    train_representation,
    train_stacked,
)
from reprise.in_domain.turntable import read_photographs, turntable_renderer

if TYPE_CHECKING:
    import pandas as pd

N_TRAIN_SCORED = 5_000
N_DCI = 3_000
N_BLOG_TEST = 2_000
Records = Iterator[dict[str, Any]]


def run(settings: Settings) -> "pd.DataFrame":
    """Run the study.

    Parameters
    ----------
    settings
        What to run.

    Returns
    -------
    pandas.DataFrame
        Tidy rows. Those of one data set and seed do not depend on which others are run.
    """
    use_threads(settings.threads)
    records = [record for dataset in settings.datasets for record in _dataset_records(settings, dataset)]
    return rows.tidy(records)


def renderer_of(dataset: str, image_side: int) -> Render:
    """Return the renderer of a data set."""
    if dataset == "rooms":
        return room_renderer(image_side)
    if dataset == "turntable":
        return turntable_renderer(read_photographs(), image_side)
    return sprite_renderer(image_side)


def _dataset_records(settings: Settings, dataset: str) -> Records:
    if dataset == "dsprites-frames" and "renderer" in settings.experiments:
        yield from _renderer_records()
    if dataset in IMAGE_DATA_SETS and "oracles" in settings.experiments:
        yield from _oracle_records(dataset)
    runs = plan(settings, dataset)
    if runs:
        yield from _training_records(settings, dataset, runs)
    if dataset == MAIN_DATA_SET and "blog" in settings.experiments:
        yield from _blog_records(settings)


def _training_records(settings: Settings, dataset: str, runs: tuple[Run, ...]) -> Records:
    grid = find_grid(dataset)
    splits = {kind: make_split(grid, kind) for kind in dict.fromkeys(run.kind for run in runs)}
    training = {kind: training_points(settings, dataset, split) for kind, split in splits.items()}
    scored = [point for split in splits.values() for point in _scored_points(settings, split)]
    source = RenderedGrid(renderer_of(dataset, settings.image_side), grid, resolve_device(settings.device))
    images = render_points(source, np.concatenate([*training.values(), *scored]))
    for (experiment, name, seed), kinds in _by_training(runs).items():
        models = _train_on_splits(settings, name, images, [training[kind] for kind in kinds], seed)
        for kind, model in zip(kinds, models, strict=True):
            common = {"dataset": dataset, "split": kind, "method": name, "seed": seed, "experiment": experiment}
            for record in _model_records(settings, model, images, splits[kind]):
                yield {**common, **record}


def _by_training(runs: tuple[Run, ...]) -> dict[tuple[str, str, int], list[SplitKind]]:
    """Return the splits that one model is trained on with one seed."""
    found: dict[tuple[str, str, int], list[SplitKind]] = {}
    for planned in runs:
        for seed in planned.seeds:
            found.setdefault((planned.experiment, planned.model, seed), []).append(planned.kind)
    return found


def _train_on_splits(
    settings: Settings, name: str, images: Images, train_indices: list[IntegerArray], seed: int
) -> list[nn.Module]:
    """Train a model on each split: in one pass where a single network is too small for the device."""
    if APPROACHES[name].stacked_on is None or images.device.type not in (APPROACHES[name].stacked_on, "cuda"):
        return [train_model(settings, name, images, index, seed) for index in train_indices]
    models = [_build(settings, name, images, train_indices[0], seed) for _ in train_indices]
    seeds = [seed] * len(models)
    return train_stacked(models, images, train_indices, options_of(settings, APPROACHES[name]), seeds)


def training_points(settings: Settings, dataset: str, split: Split) -> IntegerArray:
    """Return the points that are trained on: all, or the same random ones for every model and seed."""
    if settings.n_train_images >= len(split.train_index):
        return split.train_index
    generator = numpy_generator(0, "in_domain", "training subset", dataset, split.kind)
    return np.sort(generator.choice(split.train_index, settings.n_train_images, replace=False))


def _scored_points(settings: Settings, split: Split) -> tuple[IntegerArray, IntegerArray]:
    return evaluation_points(split, **_sample_sizes(settings))


def _sample_sizes(settings: Settings) -> dict[str, int]:
    n_test = settings.n_test_images
    return {"n_train": min(N_TRAIN_SCORED, n_test), "n_test": n_test}


def train_model(
    settings: Settings,
    name: str,
    images: Images,
    train_index: IntegerArray,
    seed: int,
    options: TrainingOptions | None = None,
) -> nn.Module:
    """Build and train one model of the study."""
    options = options or options_of(settings, APPROACHES[name])
    model = _build(settings, name, images, train_index, seed)
    if isinstance(model, Representation):
        read_out = read_out_options(settings)
        return train_representation(model, images, train_index, options, read_out=read_out, seed=seed)
    augment = MoveAndZoom(images.grid) if name == "CNN, augmented" else None
    return train_regressor(model, images, train_index, options, seed=seed, augment=augment)


def _build(settings: Settings, name: str, images: Images, train_index: IntegerArray, seed: int) -> nn.Module:
    channels, side = images.batch(torch.from_numpy(train_index[:1]).to(images.device)).shape[1:3]
    further: dict[str, Any] = {}
    if name == "SetEncoder":
        further = {"width": settings.set_encoder_width}
    with initial_weights(seed, "initial weights", name):
        return build_model(name, channels, len(images.grid.names), side, **further)


def _model_records(settings: Settings, model: nn.Module, images: Images, split: Split) -> Records:
    # Not checked: a model that diverged has a bad score, which is a result; it must not end the cell.
    found = evaluate(model, images, split, checked=False, **_sample_sizes(settings))
    yield from _score_records(found)
    yield from _curve_records(found)
    size = sum(parameter.numel() for parameter in model.parameters())
    yield {"metric": "parameters", "value": size}
    if isinstance(model, Representation) and split.kind == "random":
        yield from _dci_records(model, images, found)


def _dci_records(model: Representation, images: Images, found: Evaluation) -> Records:
    generator = numpy_generator(0, "in_domain", "dci points")
    points = generator.permutation(found.train_index)[:N_DCI]
    codes = encode(model, images, points).cpu().numpy()
    scores = dci(codes, found.split.grid.targets(points)) if np.isfinite(codes).all() else None
    for metric in ("disentanglement", "completeness", "informativeness"):
        yield {"metric": f"dci_{metric}", "value": getattr(scores, metric, float("nan"))}


def _score_records(found: Evaluation) -> Records:
    for line in found.table().itertuples(index=False):
        yield {"subset": line.subset, "factor": line.factor, "metric": "r2", "value": line.r2}
    ends = mean_r2_interval(found.split.grid, found.test_index, found.test_predicted)
    for end, value in zip(("low", "high"), ends, strict=True):
        yield {"subset": "test", "factor": "mean", "metric": f"r2_{end}", "value": value}
    yield from _rho_records(found)


def _rho_records(found: Evaluation) -> Records:
    for subset, index, predicted in found.subsets():
        factor = subset.removeprefix("only ")
        if factor == subset:
            continue
        place = found.split.grid.position(factor)
        true = found.split.grid.targets(index)[:, place]
        ratio = rho(true, predicted[:, place], found.split.train_mean[place])
        if not len(ratio):
            continue
        common = {"subset": subset, "factor": factor}
        yield {**common, "metric": "rho_median", "value": float(np.median(np.abs(ratio)))}
        yield {**common, "metric": "rho_signed_median", "value": float(np.median(ratio))}
        yield {**common, "metric": "rho_share_below_1", "value": float(np.mean(np.abs(ratio) < 1))}
        for middle, share in zip(*rho_histogram(ratio), strict=True):
            yield {**common, "metric": "rho_share", "ratio": middle, "value": share}


def _curve_records(found: Evaluation) -> Records:
    if not found.split.ood_values:
        return
    for factor in found.split.grid.cut_factors:
        for line in found.curve(factor).itertuples(index=False):
            point = {"factor": factor, "true": round(line.true, 6)}
            yield {**point, "metric": "predicted", "value": line.mean}
            if line.size > 1:
                yield {**point, "metric": "predicted_spread", "value": line.std}


def _blog_records(settings: Settings) -> Records:
    case = make_blog_case(settings.blog_images, N_BLOG_TEST)
    source = blog_images(settings.image_side, resolve_device(settings.device))
    images = render_points(source, np.concatenate([case.held_out, case.control, case.test]))
    for name in settings.models:
        for seed in seeds_of(settings, MAIN_DATA_SET, name):
            for subset, train_index in case.training_sets().items():
                model = train_model(settings, name, images, train_index, seed, blog_options(settings, name))
                predicted = predict_points(model, images, case.test, checked=False)
                common = {"dataset": MAIN_DATA_SET, "split": "blog", "method": name, "seed": seed}
                common |= {"experiment": "blog", "subset": subset}
                yield {**common, "metric": "shape_accuracy", "value": 100 * shape_accuracy(case.test, predicted)}
                for factor, value in zip(BLOG_GRID.names, r2_by_factor(BLOG_GRID, case.test, predicted), strict=True):
                    yield {**common, "factor": factor, "metric": "r2", "value": value}


def _oracle_records(dataset: str) -> Records:
    """Yield what the oracles score: exact, so without a seed."""
    for kind in SYSTEMATIC:
        for line in oracle_scores(find_grid(dataset), kind).itertuples(index=False):
            yield {
                "dataset": dataset,
                "split": kind,
                "method": line.oracle,
                "seed": -1,
                "experiment": "oracles",
                "subset": line.subset,
                "factor": line.factor,
                "metric": "r2",
                "value": line.r2,
            }


def _renderer_records() -> Records:
    """Yield how the re-rendered sprites agree with the 320 original frames."""
    factors = frame_factors()
    wrong, overlap = agreement(render_sprites(torch.from_numpy(factors))[:, 0].numpy(), read_frames())
    common = {
        "dataset": "dsprites-frames",
        "split": "frames",
        "method": "renderer",
        "seed": -1,
        "experiment": "renderer",
    }
    for frame, values in enumerate(zip(wrong, overlap, strict=True)):
        for metric, value in zip(("wrong_pixels", "overlap"), values, strict=True):
            yield {**common, "frame": frame, "metric": metric, "value": float(value)}
