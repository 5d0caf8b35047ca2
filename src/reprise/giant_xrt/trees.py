"""The hierarchical label tree (Step 3): balanced spherical 2-means, all splits of a level at once."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from reprise.giant_xrt.input_checks import GiantInputError, check_matrix, check_number, check_power_of_two

MOST_CENTROID_NUMBERS = 2**24  # of one block of splits of sparse vectors: 64 MiB
LEAST_MOVING = 0.5  # share of segments that still change below which the others are dropped


@dataclass(frozen=True)
class LabelTree:
    """A balanced binary tree over labels, read off at some depths.

    Attributes
    ----------
    leaf
        Number of each label's leaf, int64 ``(n_labels,)``; leaves count from left to right, 0 .. 2^depth − 1.
    depth
        Splits from the root to a leaf.
    shifts
        For each level, coarse to fine, the binary digits of a leaf's number that it leaves out.
    """

    leaf: np.ndarray
    depth: int
    shifts: tuple[int, ...]

    @property
    def levels(self) -> list[int]:
        """Number of clusters of each level, coarse to fine: K_1 < … < K_T."""
        return [-(-(2**self.depth) // 2**shift) for shift in self.shifts]

    def codes(self, level: int) -> np.ndarray:
        """Return the cluster of each label at a level, counted from 0, coarse to fine; int64 ``(n_labels,)``."""
        return self.leaf >> self.shifts[level]

    def parents(self, level: int) -> np.ndarray:
        """Return the cluster one level above of each cluster, ``(K_t,)``; zeros at the top, below the root."""
        clusters = np.arange(self.levels[level])
        return clusters >> (self.shifts[level - 1] - self.shifts[level]) if level else np.zeros_like(clusters)

    @property
    def chain(self) -> list[sparse.csc_array]:
        """Return the 0/1 matrices C^(1) (K_1 x 1) … C^(T+1) (n_labels x K_T), child to parent."""
        joined = [_membership(self.parents(t), self.levels[t - 1] if t else 1) for t in range(len(self.levels))]
        return [*joined, _membership(self.codes(len(self.levels) - 1), self.levels[-1])]


def _membership(parents: np.ndarray, n_parents: int) -> sparse.csc_array:
    ones = np.ones(len(parents), dtype=np.float32)
    return sparse.csc_array((ones, (np.arange(len(parents)), parents)), shape=(len(parents), n_parents))


def label_tree(
    Z: Any,
    max_leaf: int = 100,
    nr_splits: int = 4,
    min_codes: int = 32,
    seed: int = 0,
    n_iter: int = 20,
    *,
    depths: Sequence[int] | None = None,
) -> LabelTree:
    """Cluster labels into a balanced tree.

    Parameters
    ----------
    Z
        Label vectors, sparse or dense ``(n_labels, d)``; rows of length 1 or 0.
    max_leaf
        Largest leaf (paper: 100); sets the depth, max(1, ⌈log2(n_labels/max_leaf)⌉), unless ``depths`` does.
    nr_splits, min_codes
        Levels merge ``nr_splits`` clusters while more than ``min_codes`` are at the top (paper: 4; 32 or 128).
    seed
        Of the starting pairs.
    n_iter
        Most iterations of each split (paper: 20).
    depths
        Read the levels off at these depths instead: (3, 5, 7, 8) gives 8, 32, 128 and 256 clusters.

    Raises
    ------
    GiantInputError
        If a label vector is not finite, or the tree would have more leaves than labels, or levels that a binary tree
        has not.
    """
    Z = check_matrix("Z", Z, rows="each label")
    check_number("n_iter", n_iter, least=1, whole=True)
    n_labels = Z.shape[0]
    depth, shifts = tree_shape(n_labels, max_leaf, nr_splits, min_codes, depths)
    order = balanced_order(Z, depth, np.random.default_rng(seed), n_iter)
    leaf = np.empty(n_labels, dtype=np.int64)
    leaf[order] = np.repeat(np.arange(2**depth), np.diff(_bounds(n_labels, depth)))
    return LabelTree(leaf, depth, shifts)


def random_tree(tree: LabelTree, seed: int) -> LabelTree:
    """Return a tree of the same shape with the labels in random places: the ablation without any clustering."""
    return LabelTree(np.random.default_rng(seed).permutation(tree.leaf), tree.depth, tree.shifts)


def tree_shape(
    n_labels: int,
    max_leaf: int = 100,
    nr_splits: int = 4,
    min_codes: int = 32,
    depths: Sequence[int] | None = None,
) -> tuple[int, tuple[int, ...]]:
    """Return depth and shifts of `label_tree` for a number of labels; the arguments, and what is refused, are its.

    Examples
    --------
    >>> tree_shape(169343)
    (11, (6, 4, 2, 0))
    """
    if depths is not None:
        depth, shifts = _read_off(depths)
    else:
        check_power_of_two("nr_splits", nr_splits)
        check_power_of_two("min_codes", min_codes)
        check_number("max_leaf", max_leaf, least=1, whole=True)
        if max_leaf >= n_labels:
            warnings.warn(
                f"max_leaf={max_leaf} holds all {n_labels} labels: the tree is a single leaf, there is nothing to "
                f"learn; try max_leaf={max(1, n_labels // 8)}.",
                stacklevel=3,
            )
            return 0, (0,)
        depth, shifts = _merged(n_labels, max_leaf, nr_splits, min_codes)
    deepest = int(math.log2(n_labels)) if n_labels else 0
    if depth > deepest:
        raise GiantInputError(
            f"a tree of depth {depth} has {2**depth} leaves but there are {n_labels} labels; use a depth from 1 to "
            f"{deepest} (with max_leaf: at least {math.ceil(n_labels / 2**deepest)})."
        )
    return depth, shifts


def _read_off(depths: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    try:
        wanted = [operator.index(one) for one in depths]
    except TypeError:
        wanted = []
    if not wanted or wanted != sorted(set(wanted)) or wanted[0] < 1:
        raise GiantInputError(f"depths={depths!r} must be rising whole numbers from 1 on, such as (3, 5, 7, 8).")
    return wanted[-1], tuple(wanted[-1] - one for one in wanted)


def _merged(n_labels: int, max_leaf: int, nr_splits: int, min_codes: int) -> tuple[int, tuple[int, ...]]:
    depth = max(1, math.ceil(math.log2(n_labels / max_leaf)))
    step, n_merges = nr_splits.bit_length() - 1, 0
    while 2 ** (depth - step * n_merges) > min_codes:
        n_merges += 1
    return depth, tuple(step * merge for merge in range(n_merges, -1, -1))


def _bounds(n_labels: int, level: int) -> np.ndarray:
    """Return where each segment of a level begins, ``(2^level + 1,)``: the left half gets ⌊m/2⌋ members."""
    sizes = np.array([n_labels], dtype=np.int64)
    for _ in range(level):
        sizes = np.stack([sizes // 2, sizes - sizes // 2], axis=1).ravel()
    return np.concatenate([[0], np.cumsum(sizes)])


def balanced_order(Z: Any, depth: int, generator: np.random.Generator, n_iter: int = 20) -> np.ndarray:
    """Return the labels in the order of the leaves, ``(n_labels,)``: segments of `_bounds` are the clusters.

    Splitting a set of unit vectors (all sets of a level together): two members a, b at random give the direction
    z_a − z_b; sort by ⟨direction, z⟩, ties by index; the lower half is left. Then the direction is the difference of
    the halves' normalised sums, right − left, until the left half stays as it is.
    """
    vectors = _Sparse(Z) if sparse.issparse(Z) else _Dense(Z)
    order = np.arange(Z.shape[0])
    for level in range(depth):
        bounds = _bounds(len(order), level)
        order = _split_level(vectors, order, bounds, generator, n_iter)
    return order


def starting_pairs(sizes: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw two distinct places in each segment; both are 0 in a segment of one member."""
    first = (generator.random(len(sizes)) * sizes).astype(np.int64)
    further = 1 + (generator.random(len(sizes)) * (sizes - 1)).astype(np.int64)
    return first, np.where(sizes > 1, (first + further) % sizes, 0)


def _split_level(
    vectors: Any, order: np.ndarray, bounds: np.ndarray, generator: np.random.Generator, n_iter: int
) -> np.ndarray:
    """Halve all segments; return the labels with every left half before its right one.

    Segments differ in size by one at most, so that a level fits in one array, a segment a row, with little padding. A
    half that has stopped changing stays as it is when computed again; such segments are dropped when they are many.
    """
    sizes = np.diff(bounds)
    real = np.arange(sizes.max()) < sizes[:, None]
    # Ascending within a segment: a stable sort of scores then breaks ties by index.
    members = np.full(real.shape, order[0])
    members[real] = order[np.lexsort((order, np.repeat(np.arange(len(sizes)), sizes)))]
    block, moving, own = vectors.block(members, real), np.arange(len(sizes)), real
    direction = block.differences(*starting_pairs(sizes, generator))
    lower, left = np.zeros_like(real), None
    for _ in range(n_iter):
        now = _lower_halves(block.scores(direction), own)
        lower[moving] = now
        if left is not None:
            changed = (now != left).any(axis=1)
            if not changed.any():
                break
            if changed.mean() < LEAST_MOVING:
                moving, own, now, block = moving[changed], own[changed], now[changed], block.kept(changed)
        left = now
        direction = block.directions(now)
    halves = np.where(real, np.where(lower, 0, 1), 2)
    return np.take_along_axis(members, np.argsort(halves, axis=1, kind="stable"), axis=1)[real]


def _lower_halves(scores: np.ndarray, real: np.ndarray) -> np.ndarray:
    scores[~real] = np.inf
    ranking = np.argsort(scores, axis=1, kind="stable")
    lower = np.zeros_like(real)
    np.put_along_axis(lower, ranking, np.arange(real.shape[1]) < (real.sum(axis=1) // 2)[:, None], axis=1)
    return lower


class _Dense:
    """Dense label vectors."""

    def __init__(self, Z: Any) -> None:
        self.Z = np.ascontiguousarray(Z, dtype=np.float32)

    def block(self, members: np.ndarray, real: np.ndarray) -> _DenseBlock:
        rows = self.Z[members]
        rows[~real] = 0
        return _DenseBlock(rows)


class _DenseBlock:
    """The vectors of all segments of a level, ``(n_segments, size, d)``, zeros where a segment is padded."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows, self.total = rows, rows.sum(axis=1)

    def kept(self, segments: np.ndarray) -> _DenseBlock:
        return _DenseBlock(self.rows[segments])

    def differences(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        segments = np.arange(len(self.rows))
        return self.rows[segments, first] - self.rows[segments, second]

    def scores(self, direction: np.ndarray) -> np.ndarray:
        return np.matmul(self.rows, direction[:, :, None])[:, :, 0]

    def directions(self, left: np.ndarray) -> np.ndarray:
        """Return the normalised sum of each right half minus that of the left one, ``(n_segments, d)``."""
        lower = np.matmul(left[:, None, :].astype(np.float32), self.rows)[:, 0]
        return _unit(self.total - lower) - _unit(lower)


class _Sparse:
    """Sparse label vectors."""

    def __init__(self, Z: Any) -> None:
        self.Z = sparse.csr_array(Z).astype(np.float32)

    def block(self, members: np.ndarray, real: np.ndarray) -> _SparseBlock:
        return _SparseBlock(self.Z[members[real]], real)


class _SparseBlock:
    """The same for sparse vectors, padding left out; the directions of some segments are dense, the vectors never."""

    def __init__(self, rows: Any, real: np.ndarray) -> None:
        self.rows, self.real = rows, real
        self.segment = np.nonzero(real)[0]
        self.of_entry = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))

    def kept(self, segments: np.ndarray) -> _SparseBlock:
        return _SparseBlock(self.rows[segments[self.segment]], self.real[segments])

    def differences(self, first: np.ndarray, second: np.ndarray) -> Any:
        starts = np.searchsorted(self.segment, np.arange(len(self.real)))
        return self.rows[starts + first] - self.rows[starts + second]

    def scores(self, direction: Any) -> np.ndarray:
        found = np.zeros(self.rows.shape[0])
        owner = self.segment[self.of_entry]
        step = max(1, MOST_CENTROID_NUMBERS // self.rows.shape[1])
        for start in range(0, len(self.real), step):
            dense = direction[start : start + step].toarray()
            here = slice(*np.searchsorted(owner, [start, start + step]))
            products = self.rows.data[here] * dense[owner[here] - start, self.rows.indices[here]]
            found += np.bincount(self.of_entry[here], weights=products, minlength=len(found))
        scores = np.full(self.real.shape, np.inf, dtype=np.float32)
        scores[self.real] = found
        return scores

    def directions(self, left: np.ndarray) -> Any:
        halves = 2 * self.segment + ~left[self.real]
        ones = np.ones(len(halves), dtype=np.float32)
        shape = (2 * len(self.real), len(halves))
        sums = sparse.csr_array(sparse.csr_array((ones, (halves, np.arange(len(halves)))), shape=shape) @ self.rows)
        lengths = np.sqrt(sums.power(2).sum(axis=1))
        unit = sparse.csr_array(sparse.diags_array(1 / np.where(lengths > 0, lengths, 1.0)) @ sums)
        return sparse.csr_array(unit[1::2] - unit[::2]).astype(np.float32)


def _unit(sums: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return sums / np.where(lengths > 0, lengths, 1.0)  # a cluster of isolated nodes only has no direction
