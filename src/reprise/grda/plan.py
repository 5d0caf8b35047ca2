"""Which trainings the study consists of: plain data, made from the settings."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reprise.grda.settings import RIVALS, Settings

NAMES = {
    "Source-only": "source-only",
    "DANN": "dann",
    "ADDA": "adda",
    "CDANN": "cdann",
    "MDD": "mdd",
    "GRDA": "grda",
}
# In z and in D. Pairs of rows with equal labels ask whether the graph matters at all, so there both are replaced too.
GRAPHS = (
    ("true", "true"), ("rewired", "true"), ("clique", "true"), ("empty", "true"),
    ("true", "rewired"), ("true", "clique"), ("true", "empty"),
)  # fmt: skip
GRAPHS_OF_EQUAL_LABELS = (("true", "true"), ("rewired", "true"), ("true", "rewired"), ("rewired", "rewired"))
# Compared by the discriminator in a step: the official settings, for TPT-48 and the digits (as CompCars) the sibling's.
N_SAMPLED = {15: 10, 60: 30, 48: 27, 30: 15}


@dataclass(frozen=True)
class Run:
    """One training setting on one data set, for all its seeds together.

    Attributes
    ----------
    experiment
        The part of the study it belongs to.
    method
        The method's name as shown.
    pairing
        Which rows GRDA pairs; None for methods without pairs.
    row_order
        ``"given"``: as in the file (DG: sorted by label); ``"permuted"``: rows permuted once inside every domain.
    learning_rate
        Adam's, at the start.
    adversarial_weight
        λ_d; None for Source-only.
    graph_in_embedding, graph_in_discriminator
        The graph that z is fitted to, and the one that D is asked about; None in methods whose D sees no graph.
    embedding
        ``"shipped"``, ``"raw"`` (our own) or ``"scaled"`` (our own, standardised).
    seeds
        Seeds of training.
    """

    experiment: str
    method: str
    seeds: tuple[int, ...]
    learning_rate: float
    adversarial_weight: float | None
    pairing: str | None = None
    row_order: str = "given"
    graph_in_embedding: str = "true"
    graph_in_discriminator: str | None = None
    embedding: str = "raw"

    def columns(self) -> dict[str, object]:
        """Return the identifying columns of its rows, without the seed."""
        names = (
            "experiment",
            "method",
            "learning_rate",
            "adversarial_weight",
            "pairing",
            "row_order",
            "graph_in_embedding",
            "graph_in_discriminator",
            "embedding",
        )
        return {name: getattr(self, name) for name in names}


def is_states(dataset: str) -> bool:
    """Say whether a data set is one of the TPT-48 tasks."""
    return dataset.startswith("tpt-48")


def seeds_of(settings: Settings, dataset: str) -> tuple[int, ...]:
    """Return the seeds that are run on a data set; what one seed computes does not depend on the others."""
    is_small = dataset.startswith("dg-15")
    return settings.seeds if is_small else _among(settings.seeds, settings.large_seeds)


def _among(seeds: tuple[int, ...], chosen: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(seed for seed in seeds if seed in chosen)


def plan(settings: Settings, dataset: str) -> tuple[Run, ...]:
    """List the trainings on one data set.

    Parameters
    ----------
    settings
        The chapter's settings.
    dataset
        Name of a data set.

    Returns
    -------
    tuple of Run
        Those with at least one seed. On TPT-48 their learning rate and λ_d are the first of those that the selection
        tries; see `with_selected`.
    """
    parts = {
        "comparison": _comparison,
        "row order": _row_order,
        "graph": _graphs,
        "weights": _weights,
        "embedding scale": _embedding_scale,
    }
    runs = (run for name, part in parts.items() if name in settings.experiments for run in part(settings, dataset))
    return tuple(run for run in runs if run.seeds)


def selection_runs(settings: Settings, dataset: str, method: str) -> tuple[Run, ...]:
    """List the combinations of learning rate and λ_d that are tried for one method on a TPT-48 task.

    Source-only has no λ_d; it gets as many rates, evenly spaced in their logarithm between the highest and the lowest.
    """
    run = replace(_run(settings, dataset, method, "selection"), seeds=settings.selection_seeds)
    rates, weights = settings.state_learning_rates, settings.state_adversarial_weights
    if method == "Source-only":
        spaced = np.geomspace(max(rates), min(rates), len(rates) * len(weights))
        # Two digits: readers see them in the table of the selection.
        return tuple(replace(run, learning_rate=rate) for rate in dict.fromkeys(float(f"{r:.2g}") for r in spaced))
    return tuple(replace(run, learning_rate=rate, adversarial_weight=weight) for rate in rates for weight in weights)


def lowest(tried: Sequence[Run], errors: Sequence[float]) -> Run:
    """Return the run with the lowest error; one that diverged (NaN, infinite) loses, a tie goes to the first."""
    return min(zip(tried, errors, strict=True), key=lambda pair: pair[1] if math.isfinite(pair[1]) else math.inf)[0]


def with_selected(run: Run, selected: Run) -> Run:
    """Return a run with the learning rate and λ_d of the one that was selected for its method."""
    return replace(run, learning_rate=selected.learning_rate, adversarial_weight=selected.adversarial_weight)


def _learning_rate(settings: Settings, dataset: str) -> float:
    if is_states(dataset):
        return settings.state_learning_rates[0]
    return settings.large_learning_rate if dataset.startswith("dg-60") else settings.learning_rate


def _run(settings: Settings, dataset: str, method: str, experiment: str = "comparison") -> Run:
    weight = settings.state_adversarial_weights[0] if is_states(dataset) else settings.adversarial_weight
    is_shipped = dataset in ("dg-15", "dg-60")
    return Run(
        experiment=experiment,
        method=method,
        seeds=seeds_of(settings, dataset),
        learning_rate=_learning_rate(settings, dataset),
        adversarial_weight=None if method == "Source-only" else weight,
        pairing="independent" if method == "GRDA" else None,
        graph_in_discriminator="true" if method == "GRDA" else None,
        embedding="shipped" if is_shipped else "scaled" if is_states(dataset) else "raw",
    )


def _comparison(settings: Settings, dataset: str) -> Iterator[Run]:
    for method in settings.methods:
        run = _run(settings, dataset, method)
        if method in RIVALS:
            run = replace(run, seeds=_among(run.seeds, settings.rival_seeds))
        if method != "GRDA":
            yield run
            continue
        # Only the DG files order their rows by label; elsewhere there is no leak to compare with.
        pairings = settings.pairings if dataset.startswith("dg-") else ("independent",)
        yield from (replace(run, pairing=pairing) for pairing in pairings)


def _row_order(settings: Settings, dataset: str) -> Iterator[Run]:
    if dataset.startswith("dg-") and "GRDA" in settings.methods and "row" in settings.pairings:
        run = _run(settings, dataset, "GRDA", "row order")
        yield replace(run, pairing="row", row_order="permuted")


def _graphs(settings: Settings, dataset: str) -> Iterator[Run]:
    if not dataset.startswith("dg-"):
        return
    run = _run(settings, dataset, "GRDA", "graph")
    run = replace(run, embedding="raw", seeds=_among(run.seeds, settings.large_seeds))
    by_pairing = {"independent": GRAPHS if dataset.startswith("dg-15") else (), "row": GRAPHS_OF_EQUAL_LABELS}
    for pairing in settings.pairings:
        for in_embedding, in_discriminator in by_pairing.get(pairing, ()):
            yield replace(
                run, pairing=pairing, graph_in_embedding=in_embedding, graph_in_discriminator=in_discriminator
            )


def _weights(settings: Settings, dataset: str) -> Iterator[Run]:
    if is_states(dataset):
        return
    rivals = [m for m in settings.methods if m not in ("Source-only", "GRDA")] if dataset.startswith("dg-15") else []
    for method in (*rivals, "GRDA"):
        run = _run(settings, dataset, method, "weights")
        run = replace(run, seeds=_among(run.seeds, settings.ablation_seeds))
        yield from (replace(run, adversarial_weight=weight) for weight in settings.searched_weights)


def _embedding_scale(settings: Settings, dataset: str) -> Iterator[Run]:
    if not is_states(dataset):
        return
    for method in ("Source-only", "DANN", "GRDA"):
        run = _run(settings, dataset, method, "embedding scale")
        yield replace(run, embedding="raw", seeds=_among(run.seeds, settings.ablation_seeds))
