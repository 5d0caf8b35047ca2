"""Embedded data: a block model with texts whose synonyms only the links reveal, and large graphs for scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from reprise.compute import numpy_generator

N_CLASSES, N_SUPER = 8, 2
WORDS_PER_CLASS, WORDS_PER_SUPER, VOCABULARY = 40, 60, 3000
OWN_WORDS = 8
SUPER_SHARE = 0.10
DRAWS_PER_NODE = 5.0
INSIDE_CLASS, INSIDE_SUPER = 0.60, 0.25
PARETO, LEAST_WEIGHT = 2.5, 0.3


@dataclass(frozen=True)
class TextBlocks:
    """A drawn graph with texts.

    Attributes
    ----------
    texts
        One a node.
    adjacency
        Undirected, 0/1, ``(n, n)``.
    labels
        Class of each node, ``(n,)``.
    """

    texts: tuple[str, ...]
    adjacency: sparse.csr_array
    labels: np.ndarray


def text_blocks(
    n: int = 2000,
    homophily: float = INSIDE_CLASS,
    mean_degree: float | None = None,
    words_per_doc: int = 30,
    class_share: float = 0.06,
    random_state: int = 0,
) -> TextBlocks:
    """Draw a block model of eight classes in two super-classes, with a text for each node.

    A text has words of its class (6 %), of its super-class (10 %) and common ones (Zipf's law). The class words of one
    text come from 8 of the class's 40, so that two texts of a class rarely share one: words of a class are synonyms
    that only the links reveal.

    Parameters
    ----------
    n
        Number of nodes.
    homophily
        Share of edge draws inside the class; a quarter goes inside the super-class (less where nothing is left), the
        rest anywhere.
    mean_degree
        Twice the edge draws a node; None: 10, of which duplicates leave some 9.
    words_per_doc
        Words of each text.
    class_share
        Share of class words; the difficulty: 4 % is hard, at 15 % words alone solve it.
    random_state
        Seed.
    """
    generator = numpy_generator(random_state, "giant-xrt", "text-blocks")
    labels = generator.permutation(np.arange(n) % N_CLASSES)
    texts = _texts(labels, words_per_doc, class_share, generator)
    n_draws = round(n * (DRAWS_PER_NODE if mean_degree is None else mean_degree / 2))
    return TextBlocks(texts, _edges(labels, homophily, n_draws, generator), labels)


def _texts(labels: np.ndarray, n_words: int, class_share: float, generator: np.random.Generator) -> tuple[str, ...]:
    first_super = N_CLASSES * WORDS_PER_CLASS
    first_common = first_super + N_SUPER * WORDS_PER_SUPER
    ranks = 1 / np.arange(1, VOCABULARY - first_common + 1)
    shares = [class_share, SUPER_SHARE, 1 - class_share - SUPER_SHARE]
    numbers = generator.multinomial(n_words, shares, size=len(labels))
    found = []
    for label, (n_class, n_super, n_common) in zip(labels, numbers, strict=True):
        own = generator.choice(WORDS_PER_CLASS, OWN_WORDS, replace=False)
        words = np.concatenate([
            label * WORDS_PER_CLASS + generator.choice(own, n_class),
            first_super + label % N_SUPER * WORDS_PER_SUPER + generator.integers(0, WORDS_PER_SUPER, n_super),
            first_common + generator.choice(len(ranks), n_common, p=ranks / ranks.sum()),
        ])  # fmt: skip
        found.append(" ".join(f"w{word:04d}" for word in generator.permutation(words)))
    return tuple(found)


def _edges(labels: np.ndarray, homophily: float, n_draws: int, generator: np.random.Generator) -> sparse.csr_array:
    n = len(labels)
    weights = generator.pareto(PARETO, n) + LEAST_WEIGHT
    source = generator.choice(n, n_draws, p=weights / weights.sum())
    target = generator.choice(n, n_draws, p=weights / weights.sum())
    kind = generator.random(n_draws)
    inside_super = min(INSIDE_SUPER, 1 - homophily)
    for groups, low, high in (
        (labels, 0.0, homophily),
        (labels % N_SUPER, homophily, homophily + inside_super),
    ):
        for group in np.unique(groups):
            members = np.flatnonzero(groups == group)
            chosen = np.flatnonzero((groups[source] == group) & (kind >= low) & (kind < high))
            share = weights[members] / weights[members].sum()
            target[chosen] = generator.choice(members, len(chosen), p=share)
    return _undirected(source, target, n)


def _undirected(source: np.ndarray, target: np.ndarray, n: int) -> sparse.csr_array:
    kept = source != target
    ones = np.ones(int(kept.sum()), dtype=np.float32)
    directed = sparse.csr_array((ones, (source[kept], target[kept])), shape=(n, n))
    both = directed.maximum(directed.T).tocsr()
    both.data = np.ones_like(both.data)
    both.sort_indices()
    return both


def rewired(adjacency: sparse.csr_array, generator: np.random.Generator) -> sparse.csr_array:
    """Return a random graph with nearly the same degrees: all ends of edges are shuffled; loops and doubles vanish."""
    upper = sparse.triu(adjacency).tocoo()
    ends = generator.permutation(np.concatenate([upper.coords[0], upper.coords[1]]))
    half = len(ends) // 2
    return _undirected(ends[:half], ends[half:], adjacency.shape[0])


def without_edges(
    adjacency: sparse.csr_array, share: float, generator: np.random.Generator, *, spare_last: bool = False
) -> tuple[sparse.csr_array, np.ndarray]:
    """Take a share of the edges away at random; return the graph left and the edges taken, ``(n_taken, 2)``.

    Parameters
    ----------
    spare_last
        Whether an edge is kept that is the last one of a node.
    """
    upper = sparse.triu(adjacency).tocoo()
    edges = np.stack(upper.coords, axis=1)
    order = generator.permutation(len(edges))
    degrees = np.diff(adjacency.indptr).astype(np.int64)
    wanted, taken = round(share * len(edges)), list[int]()
    for place in order:
        if len(taken) == wanted:
            break
        source, target = edges[place]
        if spare_last and min(degrees[source], degrees[target]) < 2:
            continue
        degrees[source] -= 1
        degrees[target] -= 1
        taken.append(place)
    kept = np.setdiff1d(np.arange(len(edges)), taken)
    left = _undirected(edges[kept, 0], edges[kept, 1], adjacency.shape[0])
    return left, edges[taken]


def large_text_graph(
    n: int, seed: int, words_per_doc: int = 30, edges_per_node: int = 5
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Draw word counts and a graph of any size without making strings: for measuring time and memory only.

    One class for each hundred nodes has 50 words of its own; a third of the words of a text and two thirds of its
    edges are the class's.

    Returns
    -------
    tuple
        Counts, float32 ``(n, d)`` with d = 50 words a class, at most 200,000, and the adjacency matrix ``(n, n)``.
    """
    generator = numpy_generator(seed, "giant-xrt", "large", n)
    n_classes, n_own = max(2, n // 100), 50
    n_words = min(200_000, n_classes * n_own)
    labels = (np.arange(n, dtype=np.int64) * n_classes) // n
    words = (n_words * generator.random((n, words_per_doc), dtype=np.float32) ** 3).astype(np.int32)
    n_class = words_per_doc // 3
    own = labels[:, None] * n_own + generator.integers(0, n_own, (n, n_class))
    words[:, :n_class] = own % n_words
    indptr = np.arange(n + 1, dtype=np.int32) * words_per_doc
    ones = np.ones(words.size, dtype=np.float32)
    counts = sparse.csr_array((ones, np.minimum(words.ravel(), n_words - 1), indptr), shape=(n, n_words))
    counts.sum_duplicates()
    source = np.repeat(np.arange(n, dtype=np.int64), edges_per_node)
    target = generator.integers(0, n, len(source))
    inside = generator.random(len(source), dtype=np.float32) < 2 / 3
    size = n // n_classes
    target[inside] = np.minimum(source[inside] // size * size + generator.integers(0, size, int(inside.sum())), n - 1)
    return counts, _undirected(source, target, n)
