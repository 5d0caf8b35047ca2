"""The study: settings in, tidy rows out.

Beyond the common columns, rows have

- ``experiment``: ``"accuracy"`` (whole test set; ``neighbours`` says ``with``, ``without`` or ``phantom``),
  ``"accuracy by cluster"`` (the same, mean of one ``cluster`` of so many ``windows``), ``"attribution"`` (one
  ``target``, its cluster, and the ``loss`` that is shared out), ``"roles"`` and ``"arrows"`` (share of one
  ``player``), or an audit: ``"estimator"``, ``"stranger masked"``, ``"leak"``, ``"fresh noise"``
  (``variant``: as released, corrected; of the estimator also exact Banzhaf, so that weights and noise are apart);
- ``metric``: ``ade``, ``fde``, ``min_ade``, ``min_fde`` (of 20), ``nll``; ``past``, ``interaction``, ``random``,
  ``random max``, ``real over random``, ``few over others``, ``leader is first``, ``leader over others``; ``share``.

Targets, strangers and noise are the same for all seeds and networks. Audits, displacement shares, arrows and the
trainings with cut neighbours are made with seed 0 only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reprise import rows
from reprise.compute import resolve_device, torch_generator, use_threads
from reprise.walk_alone.coalitions import Numbers
from reprise.walk_alone.constant_velocity import constant_velocity_errors, standing_still_errors
from reprise.walk_alone.games import Noise, errors_of, phantom_neighbour
from reprise.walk_alone.measures import (
    MakeGame,
    by_role,
    coin_flips,
    enumerated,
    groups,
    pecnet_game,
    per_target,
    shares_of,
    trajectron_game,
)
from reprise.walk_alone.pecnet import Groups, PECNetGame, PECNetOptions, train_pecnet
from reprise.walk_alone.problems import Problem, chosen_targets, load_problems, shown_windows
from reprise.walk_alone.settings import Settings
from reprise.walk_alone.states import States
from reprise.walk_alone.training import TrainingOptions, train
from reprise.walk_alone.trajectron import Shape, TrajectronCVAE

if TYPE_CHECKING:
    import pandas as pd

Records = Iterator[dict[str, Any]]
METHODS = {"sum": "Trajectron++", "edge": "Trajectron++Edge"}
ONCE_SEED = 0
SHOWN_PAIRS = 4
NEVER_ALONE = ("nba-sportvu", "follow", "repel", "alone")  # where every training window has all its neighbours


def run(settings: Settings) -> pd.DataFrame:
    """Run the study.

    Parameters
    ----------
    settings
        What to run.

    Returns
    -------
    pandas.DataFrame
        Tidy rows; those of one data set and seed do not depend on which others are run.
    """
    use_threads(settings.threads)
    # Filling memory that is about to be overwritten costs a sixth of a training step, and changes no result.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    problems = (problem for dataset in settings.datasets for problem in load_problems(settings, dataset))
    return rows.tidy(record for problem in problems for record in _problem_records(settings, problem))


def train_network(settings: Settings, problem: Problem, mode: str, seed: int, **changes: Any) -> TrajectronCVAE:
    """Train one network of the study; ``changes`` to `TrainingOptions`."""
    shape = Shape(
        mode=mode,  # type: ignore[arg-type]
        n_kinds=len(problem.train.kinds),
        latents=settings.latents,
        decoder_width=settings.decoder_width,
        scale=problem.scale,
        seconds=problem.train.seconds,
    )
    options = TrainingOptions(
        epochs=settings.epochs if mode == "edge" else settings.sum_epochs,
        batch=settings.batch,
        learning_rate=settings.learning_rate,
        symmetry=problem.symmetry,
    )
    states = States.of(problem.train, resolve_device(settings.device))
    return train(shape, states, replace(options, **changes), seed, f"{problem.name} {problem.split}")


def _problem_records(settings: Settings, problem: Problem) -> Records:
    common = {"dataset": problem.name, "split": problem.split}
    baselines = {
        "Constant velocity": constant_velocity_errors(problem.test),
        "Standing still": standing_still_errors(problem.test, problem.train),
    }
    for method, errors in baselines.items():
        line = {"method": method, "seed": -1, "experiment": "accuracy", "neighbours": "with"}
        for metric, values in errors.items():
            yield {**common, **line, "metric": metric, "value": values.mean()}
    for seed in settings.seeds:
        if problem.name == "sdd":
            yield from _pecnet_records(settings, problem, {**common, "method": "PECNet", "seed": seed})
            continue
        for mode in settings.modes:
            line = {**common, "method": METHODS[mode], "seed": seed}
            model = train_network(settings, problem, mode, seed)
            yield from _network_records(settings, problem, model, line)
            if seed == ONCE_SEED:
                yield from _once_records(settings, problem, model, line)
        once = seed == ONCE_SEED and "dropout" in settings.experiments and "edge" in settings.modes
        if once and problem.name in NEVER_ALONE:
            yield from _dropout_records(settings, problem, {**common, "seed": seed})


def _network_records(settings: Settings, problem: Problem, model: TrajectronCVAE, line: dict[str, Any]) -> Records:
    yield from _accuracy_records(problem, model, line, ("with", "without", "phantom"))
    places = chosen_targets(problem, settings.n_targets)
    yield from _attribution_records(settings, problem, trajectron_game(model), places, {**line, "loss": "nll"})


def _accuracy_records(problem: Problem, model: TrajectronCVAE, line: dict[str, Any], how: tuple[str, ...]) -> Records:
    device = next(model.parameters()).device
    states = States.of(problem.test, device)
    noise = Noise.draw(len(states), torch_generator(0, "walk_alone", problem.name, "test noise"), device)
    shown = {"with": lambda: states, "without": states.without_neighbours, "phantom": lambda: phantom_neighbour(states)}
    for neighbours in how:
        errors = errors_of(model, shown[neighbours](), noise)
        yield from _error_records(problem, errors, {**line, "neighbours": neighbours})


def _error_records(problem: Problem, errors: dict[str, Numbers], line: dict[str, Any]) -> Records:
    clusters, place, sizes = np.unique(problem.test.cluster, return_inverse=True, return_counts=True)
    for metric, values in errors.items():
        yield {**line, "experiment": "accuracy", "metric": metric, "value": values.mean()}
        if line["neighbours"] == "phantom" or metric == "nll":
            continue
        means = np.bincount(place, values) / sizes
        for cluster, size, mean in zip(clusters, sizes, means, strict=True):
            detail = {"experiment": "accuracy by cluster", "cluster": int(cluster), "windows": int(size)}
            yield {**line, **detail, "metric": metric, "value": mean}


def _attribution_records(
    settings: Settings, problem: Problem, make: MakeGame, places: np.ndarray, line: dict[str, Any]
) -> Records:
    roles: dict[str, list[Numbers]] = {}
    for chosen, windows, shares in shares_of(make, problem, places, pairs=settings.pairs):
        for metric, values in per_target(shares, windows).items():
            for target, cluster, value in zip(places[chosen], windows.cluster, values, strict=True):
                detail = {"experiment": "attribution", "target": int(target), "cluster": int(cluster)}
                yield {**line, **detail, "metric": metric, "value": value}
        if len(windows.kinds) > 1:
            for role, values in by_role(shares.neighbours, windows).items():
                roles.setdefault(role, []).append(values)
    for role, parts in roles.items():
        yield {**line, "experiment": "roles", "player": role, "metric": "share", "value": np.concatenate(parts).mean()}


def _pecnet_records(settings: Settings, problem: Problem, line: dict[str, Any]) -> Records:
    device = resolve_device(settings.device)
    options = PECNetOptions(settings.pecnet_width, settings.pecnet_epochs, settings.pecnet_batch, settings.pecnet_rate)
    model = train_pecnet(problem.train, options, line["seed"], device)
    errors = {how: {m: np.empty(len(problem.test)) for m in ("min_ade", "min_fde")} for how in ("with", "without")}
    for chosen, windows in groups(problem.test, np.arange(len(problem.test))):
        masks = np.ones((len(windows), 2, 1 + windows.present.shape[1]), dtype=bool)
        masks[:, 1, 1:] = False
        for metric in ("min_ade", "min_fde"):
            values = PECNetGame(model, Groups.of(windows, device), 0, metric)(masks)
            errors["with"][metric][chosen], errors["without"][metric][chosen] = -values.T
    for neighbours, found in errors.items():
        yield from _error_records(problem, found, {**line, "neighbours": neighbours})
    places = chosen_targets(problem, settings.n_targets)
    yield from _attribution_records(settings, problem, pecnet_game(model), places, {**line, "loss": "min_ade"})


def _once_records(settings: Settings, problem: Problem, model: TrajectronCVAE, line: dict[str, Any]) -> Records:
    places = chosen_targets(problem, settings.n_targets)
    few = places[:: max(1, len(places) // settings.n_few)][: settings.n_few]
    if "displacement" in settings.experiments:
        game = trajectron_game(model, loss="min_ade")
        yield from _attribution_records(settings, problem, game, few, {**line, "loss": "min_ade"})
    shown, pairs = shown_windows(problem), SHOWN_PAIRS * settings.pairs
    for chosen, _, shares in shares_of(trajectron_game(model), problem, shown, pairs=pairs, strangers=False):
        for place, past, others in zip(chosen, shares.past, shares.neighbours, strict=True):
            for player, value in enumerate([past, *others]):
                detail = {"experiment": "arrows", "target": int(shown[place]), "player": str(player), "loss": "nll"}
                yield {**line, **detail, "metric": "share", "value": value}
    if "audits" in settings.experiments:
        yield from _audit_records(settings, problem, model, few, line)


def _audit_records(
    settings: Settings, problem: Problem, model: TrajectronCVAE, few: np.ndarray, line: dict[str, Any]
) -> Records:
    def means(make: MakeGame, metrics: tuple[str, ...]) -> dict[str, float]:
        parts = [per_target(s, w) for _, w, s in shares_of(make, problem, few, pairs=settings.pairs)]
        return {metric: float(np.concatenate([part[metric] for part in parts]).mean()) for metric in metrics}

    both = ("past", "interaction")
    game = trajectron_game(model)
    corrected = means(game, (*both, "random"))
    estimators = {"as released": coin_flips(game, problem, few), **enumerated(game, problem, few)}
    audits = {
        "estimator": {name: {m: float(v.mean()) for m, v in found.items()} for name, found in estimators.items()},
        "leak": _two(means(trajectron_game(model, leak=True), both), {metric: corrected[metric] for metric in both}),
        "fresh noise": _two(
            means(trajectron_game(model, loss="min_ade", fresh=True), ("interaction", "random", "random max")),
            means(trajectron_game(model, loss="min_ade"), ("interaction", "random", "random max")),
        ),
    }
    if model.shape.mode == "edge":
        masked = [
            s.random
            for n in np.unique(problem.test.counts[few])
            for _, _, s in shares_of(
                trajectron_game(model, mask_strangers_from=int(n)),
                problem,
                few[problem.test.counts[few] == n],
                pairs=settings.pairs,
            )
        ]
        hidden = {"random": float(np.concatenate(masked).mean())}
        audits["stranger masked"] = _two(hidden, {"random": corrected["random"]})
    for audit, variants in audits.items():
        loss = "min_ade" if audit == "fresh noise" else "nll"
        for variant, values in variants.items():
            for metric, value in values.items():
                detail = {"experiment": audit, "variant": variant, "loss": loss}
                yield {**line, **detail, "metric": metric, "value": value}


def _two(released: dict[str, float], corrected: dict[str, float]) -> dict[str, dict[str, float]]:
    return {"as released": released, "corrected": corrected}


def _dropout_records(settings: Settings, problem: Problem, line: dict[str, Any]) -> Records:
    """Train with neighbours cut at random, and without any: separates shock from reliance, and use from usefulness."""
    cut = train_network(settings, problem, "edge", line["seed"], neighbour_dropout=True)
    method = f"{METHODS['edge']}, neighbours cut"
    yield from _accuracy_records(problem, cut, {**line, "method": method}, ("with", "without"))
    places = chosen_targets(problem, settings.n_targets)
    labelled = {**line, "method": method, "loss": "nll"}
    yield from _attribution_records(settings, problem, trajectron_game(cut), places, labelled)
    alone = train_network(settings, problem, "edge", line["seed"], neighbours=False)
    method = f"{METHODS['edge']}, trained alone"
    yield from _accuracy_records(problem, alone, {**line, "method": method}, ("without",))
