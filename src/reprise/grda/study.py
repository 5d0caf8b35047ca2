"""The study: settings in, tidy rows out.

Beyond the common columns, rows have

- ``experiment``: the part of the study (``"comparison"``, ``"row order"``, ``"graph"``, ``"weights"``,
  ``"selection"``, ``"embedding scale"``, ``"yardsticks"``, ``"theory"``), and the setting's columns (see
  `reprise.grda.plan.Run`);
- ``split``: ``"target"`` (mean over the target domains), ``"source"`` (mean over the source domains' training rows),
  ``"hop 1"``, … (DG, digits) or ``"level 1"`` … (TPT-48), ``"domain"`` (one domain: columns ``domain``, ``hop``),
  ``"pseudo-target"`` (mean over the source states held out by the selection: column ``selection_seed``, and seed -1,
  because it serves all seeds of the comparison), ``"training"`` (not a score: losses and the probe; a history has
  the column ``step``);
- ``metric``: ``accuracy`` in percent; ``mse_sum`` (summed over six months), ``mse_month`` (per month),
  ``mse_fahrenheit`` (per month, °F²); ``prediction_loss``; ``discriminator_loss_ratio`` (of the game's own D, over
  N log 2 for GRDA);
  ``probe_ratio`` (of a fresh graph discriminator).

A yardstick has no randomness: its value stands once for every seed, so that it can be paired.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from reprise import rows
from reprise.compute import numpy_generator, resolve_device, use_threads
from reprise.grda.batches import Problem, problem_of
from reprise.grda.coral import coral_predictions
from reprise.grda.data import GraphDomains, hold_out_sources, levels, load, permute_rows_within_domains
from reprise.grda.domain_embedding import fit_domain_embedding, scale_embedding
from reprise.grda.generators import make_dg
from reprise.grda.graphs import clique_graph, empty_graph, rewired_graph, standard_graphs
from reprise.grda.plan import (
    N_SAMPLED,
    NAMES,
    Run,
    is_states,
    lowest,
    plan,
    seeds_of,
    selection_runs,
    with_selected,
)
from reprise.grda.probe import fresh_discriminator_ratio
from reprise.grda.scores import accuracy_by_domain, squared_error_by_domain
from reprise.grda.seasonal import YARDSTICKS
from reprise.grda.self_training import self_train, source_only_linear
from reprise.grda.settings import Settings
from reprise.grda.theory import (
    alignment_freedom,
    entropy_bound,
    optimal_alignment,
    optimal_discriminator_loss,
)
from reprise.grda.training import Trained, TrainingOptions, train

if TYPE_CHECKING:
    import pandas as pd

N_HISTORY_POINTS = 50
N_LAST_STEPS = 50
STATE_EMBEDDING_WIDTH = 4
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
        Tidy rows. Those of one data set and seed do not depend on which others are run (on the CPU bit for bit).
    """
    use_threads(settings.threads)
    records = [record for dataset in settings.datasets for record in _dataset_records(settings, dataset)]
    if "theory" in settings.experiments:
        records += _theory_records()
    return rows.tidy(records)


def load_domains(dataset: str, data_seed: int = 0) -> GraphDomains:
    """Load a data set as the study uses it: generated DG sets are sorted by label, as the published files are."""
    if dataset in ("dg-15-generated", "dg-60-generated"):
        return make_dg(15 if "15" in dataset else 60, ordered=True, seed=data_seed)
    return load(dataset, seed=data_seed)


def options_of(settings: Settings, dataset: str, run: Run, n_domains: int) -> TrainingOptions:
    """Return the training options of one run."""
    state_batch = settings.selection_batch_per_state if run.experiment == "selection" else settings.batch_per_state
    return TrainingOptions(
        method=NAMES[run.method],  # type: ignore[arg-type]
        hidden_width=settings.hidden_width,
        discriminator_width=settings.discriminator_width,
        adversarial_weight=run.adversarial_weight or 0.0,
        learning_rate=run.learning_rate,
        half_life_steps=settings.half_life_steps,
        n_steps=settings.n_steps,
        batch_per_domain=state_batch if is_states(dataset) else settings.batch_per_domain,
        n_sampled_domains=N_SAMPLED.get(n_domains),
        pairing=run.pairing or "independent",  # type: ignore[arg-type]
        initialisation=settings.initialisation,
    )


def train_run(settings: Settings, dataset: str, run: Run) -> tuple[Trained, list[GraphDomains]]:
    """Train one run's seeds together; return the networks and each seed's data."""
    domains = load_domains(dataset, settings.data_seed)
    if run.experiment == "selection":
        domains = hold_out_sources(domains)
    data = [_reordered(domains, run, seed) for seed in run.seeds]
    problems = [_problem(settings, own, run, seed) for own, seed in zip(data, run.seeds, strict=True)]
    options = options_of(settings, dataset, run, domains.n_domains)
    return train(problems, options, resolve_device(settings.device)), data


def _reordered(domains: GraphDomains, run: Run, seed: int) -> GraphDomains:
    if run.row_order == "given":
        return domains
    return permute_rows_within_domains(domains, numpy_generator(seed, "grda", domains.name, "row order"))


def _problem(settings: Settings, domains: GraphDomains, run: Run, seed: int) -> Problem:
    embedding = domains.embedding
    if run.embedding != "shipped" or embedding is None:
        width = STATE_EMBEDDING_WIDTH if is_states(domains.name) else 2
        embedding = fit_domain_embedding(_graph(domains.adjacency, run.graph_in_embedding, seed), width)
    scale = settings.state_embedding_scale if run.embedding == "scaled" else None
    return problem_of(
        domains,
        scale_embedding(embedding, scale),
        seed,
        adjacency=_graph(domains.adjacency, run.graph_in_discriminator or "true", seed),
    )


def _graph(adjacency: np.ndarray, kind: str, seed: int) -> np.ndarray:
    if kind == "true":
        return adjacency
    if kind == "rewired":
        return rewired_graph(adjacency, seed)
    return clique_graph(len(adjacency)) if kind == "clique" else empty_graph(len(adjacency))


def _dataset_records(settings: Settings, dataset: str) -> Records:
    runs = plan(settings, dataset)
    if "selection" in settings.experiments and is_states(dataset):
        runs, tried = _select(settings, dataset, runs)
        yield from tried
    for planned in runs:
        trained, data = train_run(settings, dataset, planned)
        yield from _run_records(settings, planned, trained, data)
    if "yardsticks" in settings.experiments:
        yield from _yardstick_records(settings, dataset)


def _select(settings: Settings, dataset: str, runs: tuple[Run, ...]) -> tuple[tuple[Run, ...], list[dict[str, Any]]]:
    """Give each run the rate and λ_d with the lowest error on held-out sources; return also the rows of all tried."""
    selected, records = {}, []
    for method in dict.fromkeys(run.method for run in runs):
        tried = selection_runs(settings, dataset, method)
        errors = [_pseudo_target_errors(settings, dataset, run) for run in tried]
        selected[method] = lowest(tried, [float(of_seeds.mean()) for of_seeds in errors])
        for run, of_seeds in zip(tried, errors, strict=True):
            common = {"dataset": dataset, "seed": -1, **run.columns(), "split": "pseudo-target", "metric": "mse_sum"}
            for seed, error in zip(run.seeds, of_seeds, strict=True):
                records.append({**common, "selection_seed": seed, "value": error})
    return tuple(with_selected(run, selected[run.method]) for run in runs), records


def _pseudo_target_errors(settings: Settings, dataset: str, run: Run) -> np.ndarray:
    """Return each seed's squared error, summed over six months, as mean over the held-out source states."""
    trained, (domains, *_) = train_run(settings, dataset, run)
    outputs = trained.predict(domains.features, domains.domain)
    held_out = np.unique(domains.domain[domains.evaluation])
    errors = [squared_error_by_domain(domains, predictions, summed=True)[held_out] for predictions in outputs]
    return np.mean(errors, axis=1)


def _run_records(settings: Settings, run: Run, trained: Trained, data: list[GraphDomains]) -> Records:
    outputs = trained.predict(
        np.stack([domains.features for domains in data]), np.stack([domains.domain for domains in data])
    )
    probed = settings.probe_steps > 0 and run.experiment == "comparison" and data[0].task == "classification"
    ratios = fresh_discriminator_ratio(trained, n_steps=settings.probe_steps) if probed else None
    for s, (seed, domains) in enumerate(zip(run.seeds, data, strict=True)):
        common = {"dataset": domains.name, "seed": seed, **run.columns()}
        predictions = outputs[s].argmax(-1) if domains.task == "classification" else outputs[s]
        for record in (*_scores(domains, predictions), *_training_records(trained, s)):
            yield {**common, **record}
        if ratios is not None:
            yield {**common, "split": "training", "metric": "probe_ratio", "value": ratios[s]}


def _training_records(trained: Trained, s: int) -> Records:
    loss, ratio = trained.prediction_loss[:, s], trained.discriminator_loss_ratio[:, s]
    last = slice(-min(N_LAST_STEPS, len(loss)), None)
    yield {"split": "training", "metric": "prediction_loss", "value": loss[last].mean()}
    if np.isnan(ratio).any() and not np.isfinite(ratio).any():
        return
    yield {"split": "training", "metric": "discriminator_loss_ratio", "value": ratio[last].mean()}
    for step in np.unique(np.linspace(0, len(ratio) - 1, N_HISTORY_POINTS).astype(int)):
        yield {
            "split": "training",
            "metric": "discriminator_loss_ratio_at_step",
            "step": int(step),
            "value": ratio[step],
        }


def _scores(domains: GraphDomains, predictions: np.ndarray) -> Records:
    hops = domains.hops
    for metric, by_domain in _metrics(domains, predictions).items():
        targets = ~domains.source
        yield {"split": "target", "metric": metric, "value": by_domain[targets].mean()}
        for split, members in _groups(domains).items():
            yield {"split": split, "metric": metric, "value": by_domain[members].mean()}
        for index in np.flatnonzero(targets):
            name = domains.domain_names[index]
            place = {"split": "domain", "domain": name, "hop": int(hops[index])}
            yield {**place, "metric": metric, "value": by_domain[index]}
    yield {"split": "source", **_source_score(domains, predictions)}


def _metrics(domains: GraphDomains, predictions: np.ndarray) -> dict[str, np.ndarray]:
    if domains.task == "classification":
        return {"accuracy": accuracy_by_domain(domains, predictions)}
    return {
        "mse_sum": squared_error_by_domain(domains, predictions, summed=True),
        "mse_month": squared_error_by_domain(domains, predictions),
        "mse_fahrenheit": squared_error_by_domain(domains, predictions, degrees=True),
    }


def _groups(domains: GraphDomains) -> dict[str, np.ndarray]:
    is_level = domains.task == "regression"
    distance = levels(domains.adjacency, domains.source) if is_level else domains.hops
    word = "level" if is_level else "hop"
    return {f"{word} {d}": distance == d for d in np.unique(distance[distance > 0]).tolist()}


def _source_score(domains: GraphDomains, predictions: np.ndarray) -> dict[str, Any]:
    rows_ = domains.labelled
    if domains.task == "classification":
        hits = predictions[rows_] == domains.targets[rows_]
        return {"metric": "accuracy", "value": 100 * float(hits.mean())}
    errors = np.square(predictions[rows_] - domains.targets[rows_]).sum(1)
    return {"metric": "mse_sum", "value": float(errors.mean())}


def _yardstick_records(settings: Settings, dataset: str) -> Records:
    seeds = seeds_of(settings, dataset)
    if not seeds:
        return
    domains = load_domains(dataset, settings.data_seed)
    for method, predictions in _yardsticks(settings, domains):
        scores = list(_scores(domains, predictions))
        for seed in seeds:
            common = {"dataset": dataset, "seed": seed, "experiment": "yardsticks", "method": method}
            yield from ({**common, **score} for score in scores)


def _yardsticks(settings: Settings, domains: GraphDomains) -> Iterator[tuple[str, np.ndarray]]:
    if "Linear" in settings.yardsticks:
        if domains.phase is None:
            yield "Logistic regression", source_only_linear(domains)
        else:
            yield from ((name, predict(domains)) for name, predict in YARDSTICKS.items())
    if "CORAL" in settings.yardsticks:
        yield "CORAL", coral_predictions(domains)
    if "Self-training" in settings.yardsticks:
        yield "Hop-by-hop self-training", self_train(domains).predictions


def _theory_records() -> Records:
    """Yield what linear algebra says about small graphs: exact, so without a seed."""
    for name, graph in standard_graphs().items():
        common = {"dataset": "theory", "split": name, "method": "GRDA", "seed": -1, "experiment": "theory"}
        freedom = alignment_freedom(graph)
        n_domains = len(graph)
        uniform = np.full((n_domains, 1), 1.0)
        codes = optimal_alignment(graph) if freedom else uniform
        gap = entropy_bound(graph) - optimal_discriminator_loss(codes, graph)
        released = alignment_freedom(graph, self_pairs="exclude")
        yield {**common, "metric": "alignment freedom", "value": freedom}
        yield {**common, "metric": "alignment freedom without self-pairs", "value": released}
        yield {**common, "metric": "distance from the bound", "value": gap}
