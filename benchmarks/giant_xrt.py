"""Level-parallel clustering and masked dense logits against the plain formulations; equal results asserted.

Run: ``python benchmarks/giant_xrt.py``
"""

import argparse
import math
from functools import partial

import numpy as np
import torch
from sklearn.preprocessing import normalize
from torch import Tensor

from reprise.compute import use_threads
from reprise.giant_xrt.targets import weighted_squared_hinge
from reprise.giant_xrt.trees import balanced_order, starting_pairs
from reprise.timing import seconds_per_call

DIMENSIONS, LARGEST_LEAF = 64, 16
BATCH, WIDTH = 256, 768


def vectors(n: int) -> np.ndarray:
    """Return unit vectors in some clusters."""
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(50, DIMENSIONS))
    drawn = centres[generator.integers(0, 50, n)] + generator.normal(size=(n, DIMENSIONS))
    return np.asarray(normalize(drawn), dtype=np.float32)


def depth_for(n: int) -> int:
    """Return the depth of a tree whose leaves hold 16 labels, as the chapter's do."""
    return math.ceil(math.log2(n / LARGEST_LEAF))


def all_splits_of_a_level(z: np.ndarray) -> np.ndarray:
    """Cluster as the chapter does."""
    return balanced_order(z, depth_for(len(z)), np.random.default_rng(0))


def split_by_split(z: np.ndarray) -> np.ndarray:
    """Cluster with one loop over the splits of each level, each on its own members."""
    generator = np.random.default_rng(0)
    segments = [np.arange(len(z))]
    for _ in range(depth_for(len(z))):
        pairs = starting_pairs(np.array([len(one) for one in segments]), generator)
        halves: list[np.ndarray] = []
        for members, first, second in zip(segments, *pairs, strict=True):
            ordered = _one_split(z, members, first, second)
            halves += [ordered[: len(members) // 2], ordered[len(members) // 2 :]]
        segments = [np.sort(one) for one in halves]
    return np.concatenate(segments)


def _one_split(z: np.ndarray, members: np.ndarray, first: int, second: int) -> np.ndarray:
    own, left = z[members], None
    direction = own[first] - own[second]
    order = np.arange(len(members))
    for _iteration in range(20):
        order = np.argsort(own @ direction, kind="stable")
        now = np.zeros(len(members), dtype=bool)
        now[order[: len(members) // 2]] = True
        if left is not None and (now == left).all():
            break
        left = now
        sums = np.stack([own[now].sum(axis=0), own[~now].sum(axis=0)])
        sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-30)
        direction = sums[1] - sums[0]
    return members[order]


def shortlisted(n_clusters: int, n_active: int) -> tuple[Tensor, ...]:
    """Return embeddings, head, counts and a shortlist as mask."""
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(BATCH, WIDTH, generator=generator)
    head = 0.02 * torch.randn(n_clusters, WIDTH, generator=generator)
    active = torch.zeros(BATCH, n_clusters, dtype=torch.bool)
    places = torch.stack([torch.randperm(n_clusters, generator=generator)[:n_active] for _ in range(BATCH)])
    active.scatter_(1, places, True)
    counts = torch.where(active, torch.poisson(torch.full(active.shape, 0.05), generator=generator), 0.0)
    return embeddings, head, counts, active


def masked(embeddings: Tensor, head: Tensor, counts: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
    """Return loss and gradient of the head: all logits in one product, masked."""
    weights = head.clone().requires_grad_(True)
    loss = weighted_squared_hinge(embeddings @ weights.T, counts, active).mean()
    (gradient,) = torch.autograd.grad(loss, weights)
    return loss.detach(), gradient


def gathered(embeddings: Tensor, head: Tensor, counts: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same by looking up the weights of every active cluster of every text, as the released program does."""
    weights = head.clone().requires_grad_(True)
    places = active.nonzero()[:, 1].view(len(embeddings), -1)
    logits = torch.einsum("bd,bad->ba", embeddings, weights[places])
    loss = weighted_squared_hinge(logits, counts.gather(1, places)).mean()
    (gradient,) = torch.autograd.grad(loss, weights)
    return loss.detach(), gradient


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, nargs="+", default=[2000, 8000, 32000], help="numbers of labels")
    parser.add_argument("--clusters", type=int, nargs="+", default=[512, 2048], help="clusters of a level")
    parser.add_argument("--active", type=int, default=400, help="clusters in the shortlist of a text")
    wanted = parser.parse_args()
    use_threads(1)
    print(f"leaves of {LARGEST_LEAF} labels, vectors of {DIMENSIONS} dimensions, one thread")
    for n in wanted.labels:
        z = vectors(n)
        same = (_clusters(all_splits_of_a_level(z)) == _clusters(split_by_split(z))).mean()
        # The two sum in different orders; a score that ties up to rounding may fall to either side.
        assert same > 0.98, same
        ours, plain = (seconds_per_call(partial(one, z)) for one in (all_splits_of_a_level, split_by_split))
        print(
            f"{n} labels: {ours * 1e3:.0f} ms; split by split {plain * 1e3:.0f} ms, ratio {plain / ours:.1f}; "
            f"{same:.2%} of labels in the same leaf"
        )
    for n_clusters in wanted.clusters:
        parts = shortlisted(n_clusters, min(wanted.active, n_clusters))
        for one, other in zip(masked(*parts), gathered(*parts), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
        ours, plain = (seconds_per_call(partial(one, *parts)) for one in (masked, gathered))
        print(
            f"{n_clusters} clusters, {BATCH} texts, {int(parts[3].sum()) // BATCH} active: masked {ours * 1e3:.0f} ms; "
            f"gathered {plain * 1e3:.0f} ms, ratio {plain / ours:.1f}"
        )


def _clusters(order: np.ndarray) -> np.ndarray:
    """Return the leaf of each label from the labels in the order of the leaves."""
    from reprise.giant_xrt.trees import _bounds

    leaf = np.empty(len(order), dtype=np.int64)
    depth = depth_for(len(order))
    leaf[order] = np.repeat(np.arange(2**depth), np.diff(_bounds(len(order), depth)))
    return leaf


if __name__ == "__main__":
    main()
