"""XR-Transformer's fine-tuning recursion (Step 4): from a node's text, predict the clusters of its neighbours."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from reprise.compute import numpy_generator, torch_generator
from reprise.giant_xrt.bootstrap import BOOTSTRAPS, first_head
from reprise.giant_xrt.encoders import Prepared, TrainedRows, encode
from reprise.giant_xrt.input_checks import GiantInputError, check_name, check_number
from reprise.giant_xrt.neighbours import precision_at
from reprise.giant_xrt.targets import (
    active_clusters,
    at_most,
    level_targets,
    path_scores,
    shortlist,
    weighted_squared_hinge,
)
from reprise.giant_xrt.trees import LabelTree

NEGATIVES = ("tfn+man", "tfn", "man", "all")
LOSSES = ("weighted-squared-hinge", "squared-hinge")
SCHEDULES = ("linear", "constant")
LONGEST_WARMUP = 0.1  # share of the steps of a level


@dataclass(frozen=True)
class Recipe:
    """How a level is trained; the defaults are the paper's for ogbn-arxiv.

    Attributes
    ----------
    negatives, top_k, max_active
        Shortlist, how many predicted clusters it opens, and the most clusters in an instance's loss.
    loss
        ``"weighted-squared-hinge"``, or ``"squared-hinge"``, which forgets counts.
    lr, head_lr
        Learning rates of encoder and head; the head's is the encoder's if None.
    steps_per_level, epochs_per_level
        Optimiser steps of each level; with epochs, as many as these passes over the instances take.
    warmup
        Steps of linear warm-up, at most a tenth of a level's.
    schedule
        ``"linear"`` decay to 0, restarted at each level, or ``"constant"``.
    clip_norm
        Largest norm of the gradient, of encoder and head separately; None: as it is.
    batch_size
        Instances a step (paper: 32 on each of several devices).
    max_clusters
        Levels with more clusters are left out.
    bootstrap
        How heads after the first begin: ``"linear"`` (support vector machines), ``"ridge"``, ``"inherit"``, ``"none"``.
    all_levels
        Whether all levels are trained, or with False only the finest, with as many steps as all of them (the ablation).
    amp
        Whether the encoder runs in bfloat16.
    """

    negatives: str = "tfn+man"
    top_k: int = 20
    max_active: int = 1000
    loss: str = "weighted-squared-hinge"
    lr: float = 6e-5
    head_lr: float | None = None
    steps_per_level: int = 2500
    epochs_per_level: int | None = None
    warmup: int = 200
    schedule: str = "linear"
    clip_norm: float | None = 1.0
    batch_size: int = 32
    max_clusters: int = 2048
    bootstrap: str = "linear"
    all_levels: bool = True
    amp: bool = False

    def __post_init__(self) -> None:
        check_name("negatives", self.negatives, NEGATIVES)
        check_name("loss", self.loss, LOSSES)
        check_name("schedule", self.schedule, SCHEDULES)
        check_name("bootstrap", self.bootstrap, BOOTSTRAPS)
        for name in ("lr", "head_lr", "clip_norm"):
            if name == "lr" or getattr(self, name) is not None:
                check_number(name, getattr(self, name), above=0)
        for name in ("steps_per_level", "batch_size", "top_k", "max_active", "max_clusters"):
            check_number(name, getattr(self, name), least=1, whole=True)
        check_number("warmup", self.warmup, least=0, whole=True)
        if self.epochs_per_level is not None:
            check_number("epochs_per_level", self.epochs_per_level, least=1, whole=True)

    def steps(self, n_instances: int) -> int:
        """Return the steps of one level."""
        if self.epochs_per_level is None:
            return self.steps_per_level
        return self.epochs_per_level * -(-n_instances // self.batch_size)


LINEAR_RECIPE = Recipe(
    negatives="all",
    lr=2e-3,
    epochs_per_level=3,
    warmup=0,
    schedule="constant",
    clip_norm=None,
    batch_size=128,
    bootstrap="none",
)
"""The defaults of the linear encoder: what a small graph needs when the encoder starts from nothing."""


@dataclass
class Level:
    """One level as trained: its head, and what the training looked like.

    ``precision``: share (%) of instances whose likeliest cluster holds a neighbour. The mean loss says less, since easy
    negatives dominate it.
    """

    head: nn.Linear
    loss: float
    seconds: float
    n_clusters: int
    precision: float = float("nan")


@dataclass
class Pretraining:
    """One run of the recursion over the levels of a tree.

    Attributes
    ----------
    encoder, prepared
        The text encoder and all nodes' texts.
    targets
        Rows of the adjacency matrix of the instances, ``(n_instances, n_labels)``.
    instances
        Node number of each instance.
    tree, recipe
        Label tree, and how levels are trained.
    seed
        Of heads, batches and dropped negatives.
    """

    encoder: Any
    prepared: Prepared
    targets: sparse.csr_array
    instances: np.ndarray
    tree: LabelTree
    recipe: Recipe
    seed: int = 0

    def run(self, after_level: Callable[[list[Level]], None] | None = None) -> list[Level]:
        """Train level after level; return what each became.

        Parameters
        ----------
        after_level
            Called with the levels so far, when a level is done.
        """
        counts = level_targets(self.targets, self.tree)
        wanted = [t for t, k in enumerate(self.tree.levels) if k <= self.recipe.max_clusters]
        if not wanted:
            raise GiantInputError(
                f"max_clusters={self.recipe.max_clusters} leaves no level: the coarsest has {self.tree.levels[0]}."
            )
        n_steps = self.recipe.steps(len(self.instances))
        if not self.recipe.all_levels:
            wanted, n_steps = wanted[-1:], n_steps * len(wanted)
        rows = TrainedRows(self.prepared, self.instances)
        levels: list[Level] = []
        scores: sparse.csr_array | None = None
        for place, t in enumerate(wanted):
            opened = shortlist(self.recipe.negatives, counts[t - 1], scores) if place else None
            levels.append(self._train(rows, t, counts[t], opened, n_steps, levels[-1] if levels else None))
            logits = level_logits(levels[-1], encode(self.encoder, rows))
            levels[-1].precision = precision_at(logits.numpy(), counts[t], 1)
            if place + 1 < len(wanted) and "man" in self.recipe.negatives:
                scores = path_scores(logits, scores, self.tree.parents(t), self.recipe.top_k)
            if after_level is not None:
                after_level(levels)
        return levels

    def _train(
        self,
        rows: TrainedRows,
        t: int,
        counts: sparse.csr_array,
        opened: sparse.csr_array | None,
        n_steps: int,
        before: Level | None,
    ) -> Level:
        started = time.perf_counter()
        name = str(counts.shape[1])
        device = next(self.encoder.parameters()).device
        parents = self.tree.parents(t)
        head = first_head(
            self.recipe.bootstrap if before is not None else "none",
            self.encoder.dim,
            counts,
            lambda: encode(self.encoder, rows),
            opened=opened,
            parents=parents,
            above=None if before is None else before.head,
            generator=torch_generator(self.seed, "giant-xrt", "head", name),
        ).to(device)
        groups, schedulers = self._optimisers(head, n_steps)
        batches = _batches(
            len(rows), self.recipe.batch_size, n_steps, numpy_generator(self.seed, "giant-xrt", "batches", name)
        )
        drops = numpy_generator(self.seed, "giant-xrt", "negatives", name)
        self.encoder.train()
        total = 0.0
        for batch in batches:
            loss = self._loss(rows, batch, counts, opened, parents, head, drops)
            for group in groups:
                group.zero_grad(set_to_none=True)
            loss.backward()
            if self.recipe.clip_norm is not None:
                for module in (self.encoder, head):
                    nn.utils.clip_grad_norm_(module.parameters(), self.recipe.clip_norm)
            for group in groups:
                group.step()
            for scheduler in schedulers:
                scheduler.step()
            total += float(loss.detach())
        self.encoder.eval()
        return Level(head, total / n_steps, time.perf_counter() - started, counts.shape[1])

    def _loss(
        self,
        rows: TrainedRows,
        batch: np.ndarray,
        counts: sparse.csr_array,
        opened: sparse.csr_array | None,
        parents: np.ndarray,
        head: nn.Linear,
        drops: np.random.Generator,
    ) -> Tensor:
        device = head.weight.device
        here = counts[batch].toarray()
        active = None
        if opened is not None:
            positive = here > 0
            mask = active_clusters(opened[batch].toarray() > 0, parents, positive)
            active = torch.from_numpy(at_most(mask, positive, self.recipe.max_active, drops)).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.recipe.amp):
            logits = head(self.encoder(rows[batch]))
        # All logits of the level in one product, masked by the shortlist: nothing is gathered.
        weighted = self.recipe.loss == "weighted-squared-hinge"
        return weighted_squared_hinge(logits.float(), torch.from_numpy(here).to(device), active, weighted).mean()

    def _optimisers(self, head: nn.Linear, n_steps: int) -> tuple[list[Any], list[Any]]:
        """AdamW without decay for both. The code's SparseAdam for later heads differs only in rows without gradient."""
        trained = [value for value in self.encoder.parameters() if value.requires_grad]
        options: dict[str, Any] = {"weight_decay": 0.0, "eps": 1e-8, "fused": True}
        head_lr = self.recipe.lr if self.recipe.head_lr is None else self.recipe.head_lr
        groups = [
            torch.optim.AdamW(trained, lr=self.recipe.lr, **options),
            torch.optim.AdamW(head.parameters(), lr=head_lr, **options),
        ]
        if self.recipe.schedule == "constant":
            return groups, []
        warmup = min(self.recipe.warmup, int(LONGEST_WARMUP * n_steps))
        return groups, [
            torch.optim.lr_scheduler.LambdaLR(group, lambda step: warmup_then_decay(step, warmup, n_steps))
            for group in groups
        ]


def warmup_then_decay(step: int, warmup: int, n_steps: int) -> float:
    """Return the share of the learning rate at a step: linear up over the warm-up, then linear down to 0."""
    if step < warmup:
        return step / warmup
    return max(0.0, (n_steps - step) / max(1, n_steps - warmup))


def level_logits(level: Level, embeddings: np.ndarray) -> Tensor:
    """Return the logits of all clusters of a level, ``(n, K_t)``."""
    with torch.no_grad():
        return level.head(torch.from_numpy(embeddings).to(level.head.weight.device)).cpu()


def _batches(n: int, size: int, n_steps: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Return batches of shuffled passes over the instances, as many as steps; the last of a pass may be smaller."""
    found: list[np.ndarray] = []
    while len(found) < n_steps:
        order = generator.permutation(n)
        found += [order[start : start + size] for start in range(0, n, size)]
    return found[:n_steps]
