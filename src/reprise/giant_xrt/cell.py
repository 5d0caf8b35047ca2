"""What all parts of the study share: one data set with its features, each made once, and the first columns of a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from reprise.compute import numpy_generator, torch_generator
from reprise.giant_xrt.baselines import closed_form_features, link_prediction_features, mean_over_neighbours
from reprise.giant_xrt.data import REGIMES, Split, TextGraph, load, split_of
from reprise.giant_xrt.downstream import Scores, Training, ridge_scores, trained_scores
from reprise.giant_xrt.encoders import LinearEncoder, encode
from reprise.giant_xrt.estimators import MAX_DEGREE, TREE_DIMENSIONS
from reprise.giant_xrt.input_checks import check_instances
from reprise.giant_xrt.label_vectors import label_vectors, reduced, tree_vectors
from reprise.giant_xrt.pretraining import LINEAR_RECIPE, Level, Pretraining
from reprise.giant_xrt.settings import Settings
from reprise.giant_xrt.targets import level_targets
from reprise.giant_xrt.tfidf import plain_words
from reprise.giant_xrt.trees import LabelTree, label_tree, random_tree

Row = dict[str, Any]
WIDTH = 128
TREES = {"PIFA tree": "pifa", "PII tree": "pii", "Text tree": "text", "Random tree": "random"}
FEW, MANY = REGIMES


class Cell:
    """One graph of a run, with the TF-IDF of its texts.

    Parameters
    ----------
    settings
        Of the run.
    graph
        The data set.
    """

    def __init__(self, settings: Settings, graph: TextGraph) -> None:
        self.settings, self.graph = settings, graph
        embedded = graph.name == "text-blocks"
        self.depths = settings.embedded_depths if embedded else settings.depths
        epochs = settings.embedded_epochs if embedded else settings.epochs_per_level
        self.recipe = replace(LINEAR_RECIPE, epochs_per_level=epochs)
        self.is_full = graph.name in settings.full_study_datasets
        self._made: dict[tuple[Any, ...], Any] = {}

    @classmethod
    def of(cls, settings: Settings, name: str) -> Cell:
        """Load a data set."""
        return cls(settings, load(name))

    def like(self, graph: TextGraph) -> Cell:
        """Return the cell of a changed graph: learning rates and updates are those of this one, whatever its size."""
        other = Cell(self.settings, graph)
        n_steps = self.recipe.steps(len(self.instances))
        other.recipe = replace(self.recipe, steps_per_level=n_steps, epochs_per_level=None)
        other.__dict__["learning_rate"] = self.learning_rate
        return other

    def with_graph(self, adjacency: sparse.csr_array) -> Cell:
        """Return the same texts on another graph; classes and splits stay, rates and updates as in `like`."""
        other = self.like(replace(self.graph, adjacency=adjacency))
        other.__dict__["tfidf"] = self.tfidf
        other._made = {key: value for key, value in self._made.items() if key[0] == "SVD"}
        return other

    @cached_property
    def tfidf(self) -> sparse.csr_array:
        """TF-IDF words of the texts, ``(n, d)``."""
        return sparse.csr_array(plain_words().fit_transform(self.graph.texts))

    @cached_property
    def learning_rate(self) -> dict[str, float]:
        """The rate of each pre-training: best on the validation nodes of split 0 by ridge, the same grid for all."""
        if len(self.settings.learning_rates) == 1:
            return dict.fromkeys(("GIANT", "Link prediction"), self.settings.learning_rates[0])
        split = self.split(FEW, 0)
        return {
            name: max(of, key=lambda rate: ridge_scores(of[rate], self.graph.labels, split).validation)
            for name, of in self.features_by_rate.items()
        }

    @cached_property
    def features_by_rate(self) -> dict[str, dict[float, np.ndarray]]:
        """Features of seed 0 with each rate tried, by pre-training."""
        rates = self.settings.learning_rates
        return {
            "GIANT": {rate: self.giant(0, lr=rate) for rate in rates},
            "Link prediction": {rate: self.link_prediction(0, rate) for rate in rates},
        }

    def once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """Return what was made under a key, or make it."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def forget(self) -> None:
        """Drop what was made, but for label vectors: the features of a seed are of use to that seed only."""
        self._made = {key: value for key, value in self._made.items() if key[0] in ("vectors", "SVD")}

    # ---- the pipeline --------------------------------------------------------------------------------------------

    @cached_property
    def instances(self) -> np.ndarray:
        """Nodes that pre-training learns from."""
        return check_instances(self.graph.adjacency, MAX_DEGREE)

    def vectors(self, kind: str) -> np.ndarray:
        """Return the label vectors of a kind in 64 dimensions."""
        own = self.instances
        parts = (self.graph.adjacency[own], self.tfidf[own], self.tfidf)
        return self.once(("vectors", kind), lambda: tree_vectors(label_vectors(kind, *parts), TREE_DIMENSIONS, 0))  # type: ignore[arg-type]

    def tree(self, kind: str, seed: int) -> LabelTree:
        """Return the label tree of one of ``TREES``' kinds."""
        if kind == "random":
            return random_tree(self.tree("pifa", seed), seed)
        return self.once(("tree", kind, seed), lambda: label_tree(self.vectors(kind), seed=seed, depths=self.depths))

    def giant(
        self,
        seed: int,
        *,
        kind: str = "pifa",
        after_level: Callable[[Level, Callable[[], np.ndarray]], None] | None = None,
        **changes: Any,
    ) -> np.ndarray:
        """Return GIANT's features with the linear encoder, ``(n, 128)``.

        Parameters
        ----------
        seed
            Of tree, encoder, heads and batches.
        kind
            Of the label tree.
        after_level
            Called with the level just trained and a function that gives the features so far.
        **changes
            Of the recipe.
        """
        if "lr" not in changes:
            changes["lr"] = self.learning_rate["GIANT"]
        encoder = LinearEncoder(WIDTH, generator=torch_generator(seed, "giant-xrt", "encoder"))
        texts = encoder.prepare_matrix(self.tfidf)
        recipe = replace(self.recipe, **changes)
        targets = self.graph.adjacency[self.instances]

        def done(levels: list[Level]) -> None:
            if after_level is not None:
                after_level(levels[-1], lambda: encode(encoder, texts))

        Pretraining(encoder, texts, targets, self.instances, self.tree(kind, seed), recipe, seed).run(done)
        return encode(encoder, texts)

    @property
    def n_updates(self) -> int:
        """Optimiser steps of a pre-training over all levels; link prediction gets as many."""
        return self.recipe.steps(len(self.instances)) * len(self.depths)

    def link_prediction(self, seed: int, rate: float | None = None) -> np.ndarray:
        """Return the features of the same encoder fine-tuned by link prediction."""
        chosen = self.learning_rate["Link prediction"] if rate is None else rate
        options = {"n_steps": self.n_updates, "learning_rate": chosen, "seed": seed}
        return link_prediction_features(self.tfidf, self.graph.adjacency, **options)  # type: ignore[arg-type]

    def untrained(self, seed: int) -> np.ndarray:
        """Return the features of the encoder from which the pre-trainings of a seed start."""
        encoder = LinearEncoder(WIDTH, generator=torch_generator(seed, "giant-xrt", "encoder"))
        return encode(encoder, encoder.prepare_matrix(self.tfidf))

    def closed_form(self, seed: int) -> np.ndarray:
        """Return the features of reduced-rank ridge regression on the same targets."""
        return closed_form_features(self.tfidf, level_targets(self.graph.adjacency, self.tree("pifa", seed)), dim=WIDTH)

    def features(self, name: str, seed: int) -> Any:
        """Return the features of a name, made once a seed."""
        makers: dict[str, Callable[[], Any]] = {
            "TF-IDF": lambda: self.tfidf,
            "SVD": lambda: reduced(self.tfidf, WIDTH, 0),
            "Binary words": lambda: self.graph.words,
            "GIANT": lambda: self.giant(seed),
            "Link prediction": lambda: self.link_prediction(seed),
            "Untrained encoder": lambda: self.untrained(seed),
            "GIANT, closed form": lambda: self.closed_form(seed),
            "SVD, one hop": lambda: mean_over_neighbours(self.graph.adjacency, self.features("SVD", seed)),
            "GIANT, one hop": lambda: mean_over_neighbours(self.graph.adjacency, self.features("GIANT", seed)),
            "SVD + GIANT": lambda: np.hstack([unit_scale(self.features(one, seed)) for one in ("SVD", "GIANT")]),
        }
        depends = name not in ("TF-IDF", "SVD", "Binary words", "SVD, one hop")
        return self.once((name, seed if depends else None), makers[name])

    # ---- rows ----------------------------------------------------------------------------------------------------

    def split(self, regime: str, seed: int) -> Split:
        """Return a split of the nodes."""
        return split_of(self.graph, regime, seed)

    def generator(self, seed: int, *names: object) -> np.random.Generator:
        """Return the random stream of this data set and purpose."""
        return numpy_generator(seed, "giant-xrt", self.graph.name, *names)

    def row(
        self, experiment: str, seed: int, method: str, value: float, *, metric: str = "accuracy", **columns: Any
    ) -> Row:
        """Return one tidy row."""
        return {
            "dataset": self.graph.name,
            "split": columns.pop("split", "test"),
            "method": method,
            "seed": seed,
            "metric": metric,
            "value": float(value),
            "experiment": experiment,
            **columns,
        }

    def ridge(self, experiment: str, seed: int, method: str, features: Any, regime: str, **columns: Any) -> Row:
        """Return the row of a ridge classifier on features."""
        scores = ridge_scores(features, self.graph.labels, self.split(regime, seed))
        return self.row(experiment, seed, method, scores.test, model="ridge", labels=regime, **columns)

    def network(self, experiment: str, seed: int, method: str, model: str, features: Any, regime: str) -> Row:
        """Return the row of a network trained on features."""
        scores = self.network_scores(seed, model, features, regime)
        return self.row(experiment, seed, method, scores.test, model=model, labels=regime)

    def network_scores(self, seed: int, model: str, features: Any, regime: str) -> Scores:
        """Train a network on features; return its scores."""
        training = Training(max_epochs=self.settings.downstream_epochs, patience=self.settings.downstream_patience)
        parts = (self.graph.labels, self.graph.adjacency, self.split(regime, seed))
        return trained_scores(model, features, *parts, seed=seed, training=training)

    def regimes(self, seed: int) -> tuple[str, ...]:
        """Return the amounts of labels compared: both, or only few where that is all there is time for."""
        return (FEW, MANY) if self.is_full and seed in self.settings.many_label_seeds else (FEW,)


def unit_scale(features: np.ndarray) -> np.ndarray:
    """Return features divided by their root mean square row length, so that two kinds can stand side by side."""
    return features / np.sqrt((features**2).sum(axis=1).mean())
