"""Problems as tensors, and the rows and domains that each training step uses, drawn beforehand in NumPy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from reprise.compute import numpy_generator
from reprise.grda.data import GraphDomains
from reprise.grda.discriminator import PairWeights, SelfPairs, pair_weights, sample_domains
from reprise.grda.objectives import Shape, Task

Pairing = Literal["independent", "row", "crossed"]
PAIRINGS: tuple[Pairing, ...] = ("independent", "row", "crossed")


@dataclass(frozen=True, eq=False)
class Problem:
    """One seed's training problem, as plain arrays.

    Attributes
    ----------
    features
        Inputs that training may use, (n, d); see `standardisation`.
    targets
        (n,) classes or (n, h) floats; only those of source domains are read.
    domain
        (n,) domain of each row.
    adjacency
        (N, N), the graph that D is asked about.
    source
        (N,) whether a domain has labels.
    embedding
        z, (N, k), for the encoder.
    n_outputs
        Number of classes, or of regression outputs.
    task
        Classification or regression.
    seed, stream
        Seed and names of the random streams. The streams know neither method nor pairing: methods are paired.
    """

    features: np.ndarray
    targets: np.ndarray
    domain: np.ndarray
    adjacency: np.ndarray
    source: np.ndarray
    embedding: np.ndarray
    n_outputs: int
    task: Task
    seed: int
    stream: tuple[str, ...] = ()

    @property
    def order(self) -> np.ndarray:
        """Domains with the sources first: the order inside the tensors, (N,)."""
        return np.argsort(~self.source, kind="stable")

    @property
    def standardisation(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the inputs over all domains' training rows, targets' too."""
        deviation = self.features.std(0)
        return self.features.mean(0), np.where(deviation > 0, deviation, 1)


def problem_of(
    domains: GraphDomains,
    embedding: np.ndarray,
    seed: int,
    *,
    adjacency: np.ndarray | None = None,
    stream: tuple[str, ...] | None = None,
) -> Problem:
    """Make a problem of a data set: the rows that training may use, and nothing of the target labels.

    Parameters
    ----------
    domains
        The data set.
    embedding
        z, (N, k).
    seed
        Seed of all streams.
    adjacency
        Another graph for D than the data set's (an ablation).
    stream
        Names of the streams; the data set's name if None.

    Returns
    -------
    Problem
        Targets of unlabelled domains are replaced by zeros.
    """
    rows = domains.adaptation
    targets = domains.targets[rows].copy()
    targets[~domains.source[domains.domain[rows]]] = 0
    return Problem(
        features=domains.features[rows],
        targets=targets,
        domain=domains.domain[rows],
        adjacency=domains.adjacency if adjacency is None else adjacency,
        source=domains.source,
        embedding=embedding,
        n_outputs=domains.n_outputs,
        task=domains.task,
        seed=seed,
        stream=(domains.name,) if stream is None else stream,
    )


def shape_of(problems: Sequence[Problem]) -> Shape:
    """Return the common sizes of problems that are trained together.

    Raises
    ------
    ValueError
        If there is none, or their sizes differ.
    """
    shapes = {
        Shape(
            len(problems),
            len(problem.source),
            int(problem.source.sum()),
            problem.features.shape[1],
            problem.n_outputs,
            problem.embedding.shape[1],
        )
        for problem in problems
    }
    if len(shapes) != 1:
        raise ValueError(f"problems have {len(shapes)} different sizes; train only problems of one size together.")
    return shapes.pop()


@dataclass(frozen=True, eq=False)
class Tables:
    """All problems' rows by domain, sources first, padded to the largest domain.

    Attributes
    ----------
    features
        Standardised, (S, N, M, d) float32.
    targets
        Of the sources, (S, n_sources, M) int64 or (S, n_sources, M, h) float32.
    embedding
        (S, N, k) float32.
    adjacency
        (S, N, N) float32.
    n_rows
        Number of real rows, (S, N).
    """

    features: Tensor
    targets: Tensor
    embedding: Tensor
    adjacency: Tensor
    n_rows: np.ndarray


def tables_of(problems: Sequence[Problem], device: torch.device) -> Tables:
    """Lay problems of one shape out as tensors on a device."""
    shape = shape_of(problems)
    counts = np.stack([np.bincount(p.domain, minlength=shape.n_domains)[p.order] for p in problems])
    largest = int(counts.max())
    features = np.zeros((shape.n_seeds, shape.n_domains, largest, shape.n_features), np.float32)
    wide = problems[0].targets.shape[1:]
    kind = np.int64 if problems[0].task == "classification" else np.float32
    targets = np.zeros((shape.n_seeds, shape.n_sources, largest, *wide), kind)
    for s, problem in enumerate(problems):
        mean, deviation = problem.standardisation
        for position, domain in enumerate(problem.order):
            rows = np.flatnonzero(problem.domain == domain)
            features[s, position, : len(rows)] = (problem.features[rows] - mean) / deviation
            if position < shape.n_sources:
                targets[s, position, : len(rows)] = problem.targets[rows]
    embedding = np.stack([p.embedding[p.order] for p in problems]).astype(np.float32)
    adjacency = np.stack([p.adjacency[np.ix_(p.order, p.order)] for p in problems]).astype(np.float32)
    on_device = [torch.from_numpy(array).to(device) for array in (features, targets, embedding, adjacency)]
    return Tables(on_device[0], on_device[1], on_device[2], on_device[3], counts)


def draw_rows(
    n_rows: np.ndarray, batch_size: int, n_steps: int, generator: np.random.Generator, *, paired: bool = False
) -> np.ndarray:
    """Draw the rows of every step: per domain without replacement, epoch by epoch, as a data loader does.

    Parameters
    ----------
    n_rows
        Rows of each domain, (N,).
    batch_size
        B; a domain with fewer rows is sampled with replacement.
    n_steps
        Number of steps.
    generator
        Source of randomness.
    paired
        Whether all domains use the same row numbers (the released loader; for a smaller domain modulo its size),
        instead of a draw of their own (the formula).

    Returns
    -------
    numpy.ndarray
        Row numbers, int64 of shape (n_steps, N, B).
    """
    if paired:
        drawn = _draw(int(n_rows.max()), batch_size, n_steps, generator)
        return drawn[:, None, :] % n_rows[None, :, None]
    return np.stack([_draw(int(n), batch_size, n_steps, generator) for n in n_rows], axis=1)


def _draw(n_rows: int, batch_size: int, n_steps: int, generator: np.random.Generator) -> np.ndarray:
    if batch_size > n_rows:
        return generator.integers(n_rows, size=(n_steps, batch_size))
    per_epoch = n_rows // batch_size
    n_epochs = -(-n_steps // per_epoch)
    epochs = generator.permuted(np.tile(np.arange(n_rows), (n_epochs, 1)), axis=1)
    return epochs[:, : per_epoch * batch_size].reshape(-1, batch_size)[:n_steps]


@dataclass(frozen=True, eq=False)
class Schedule:
    """What every step uses: rows (n_steps, S, N, B); for GRDA the domains compared (n_steps, S, m) and weights."""

    rows: Tensor
    subsets: Tensor | None = None
    pairs: PairWeights | None = None


def draw_batches(
    problems: Sequence[Problem],
    n_rows: np.ndarray,
    batch_size: int,
    n_steps: int,
    *,
    paired: bool,
    stream: str = "batches",
) -> Tensor:
    """Draw all steps' rows for all problems, each from its own stream: int64 of shape (n_steps, S, N, B)."""
    drawn = []
    for counts, problem in zip(n_rows, problems, strict=True):
        generator = numpy_generator(problem.seed, *problem.stream, stream)
        drawn.append(draw_rows(counts, batch_size, n_steps, generator, paired=paired))
    return torch.from_numpy(np.stack(drawn, axis=1))


def draw_subsets(problems: Sequence[Problem], n_sampled: int, n_steps: int) -> Tensor:
    """Draw all steps' compared domains, as positions with the sources first: int64 of shape (n_steps, S, m)."""
    drawn = []
    for problem in problems:
        generator = numpy_generator(problem.seed, *problem.stream, "domain subsets")
        adjacency = problem.adjacency[np.ix_(problem.order, problem.order)]
        drawn.append(np.stack([sample_domains(adjacency, n_sampled, generator) for _ in range(n_steps)]))
    return torch.from_numpy(np.stack(drawn, axis=1))


def weigh_subsets(subsets: Tensor, adjacency: Tensor, *, balance: bool, self_pairs: SelfPairs) -> PairWeights:
    """Weigh the pairs of every step's domains, (n_steps, S, m, m)."""
    seeds = torch.arange(subsets.shape[1]).view(1, -1, 1, 1)
    between = adjacency.cpu()[seeds, subsets.unsqueeze(-1), subsets.unsqueeze(-2)]
    return pair_weights(between, balance=balance, self_pairs=self_pairs)
