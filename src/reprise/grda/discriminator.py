"""GRDA's graph discriminator: which domains a step compares, and the loss over their pairs of rows."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad, softplus

from reprise.grda.networks import seedwise

SelfPairs = Literal["exclude", "nonedge"]
PairedRows = Literal["matched", "crossed"]

# Zeros up to a whole cache line: the last bits of a small matrix product depend on where its operands begin.
ALIGNED_COORDINATES = 16


def sample_domains(adjacency: np.ndarray, n_sampled: int, generator: np.random.Generator) -> np.ndarray:
    """Choose the domains that one step compares, as the official code does.

    A fair coin decides: heads, uniformly without replacement; tails, by random walks: start at a random unvisited
    domain, go on to a random unvisited neighbour, start again when there is none.

    Parameters
    ----------
    adjacency
        0/1 array of shape (N, N).
    n_sampled
        Number of domains, from 1 to N.
    generator
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        Different domains, int64 of shape (n_sampled,), in the order visited.

    Raises
    ------
    ValueError
        If there are fewer domains than asked for.
    """
    n_domains = len(adjacency)
    if not 1 <= n_sampled <= n_domains:
        raise ValueError(f"n_sampled={n_sampled} is not between 1 and the number of domains, {n_domains}.")
    if n_sampled == n_domains:
        return np.arange(n_domains)
    if generator.random() < 0.5:
        return generator.permutation(n_domains)[:n_sampled]
    return _random_walks([np.flatnonzero(row).tolist() for row in adjacency], n_sampled, generator)


def _random_walks(neighbours: list[list[int]], n_sampled: int, generator: np.random.Generator) -> np.ndarray:
    draws = generator.random(n_sampled).tolist()
    unvisited = set(range(len(neighbours)))
    visited: list[int] = []
    while len(visited) < n_sampled:
        near = [domain for domain in neighbours[visited[-1]] if domain in unvisited] if visited else []
        choices = near or sorted(unvisited)
        domain = choices[int(draws[len(visited)] * len(choices))]
        unvisited.discard(domain)
        visited.append(domain)
    return np.array(visited, dtype=np.int64)


@dataclass(frozen=True)
class PairWeights:
    """What each pair of domains counts in the loss, and which of the two answers is right.

    Attributes
    ----------
    answers
        +1 for an edge, -1 for a non-edge; (..., m, m).
    weights
        Weight of the pair, over all ordered pairs; (..., m, m); they sum to one.
    with_self
        Whether a domain is paired with itself.
    """

    answers: Tensor
    weights: Tensor
    with_self: bool = False

    def to(self, device: torch.device) -> "PairWeights":
        """Return the same weights on a device."""
        return PairWeights(self.answers.to(device), self.weights.to(device), self.with_self)

    def at(self, index: int) -> "PairWeights":
        """Return the weights at one index of the first axis."""
        return PairWeights(self.answers[index], self.weights[index], self.with_self)


def pair_weights(adjacency: Tensor, *, balance: bool = True, self_pairs: SelfPairs = "exclude") -> PairWeights:
    """Weigh the pairs of domains: edges together ½ and non-edges together ½, or all alike.

    Parameters
    ----------
    adjacency
        0/1 tensor of shape (..., m, m) between the domains compared.
    balance
        Whether edges and non-edges weigh the same together. If one kind is missing (a clique, an empty graph, or an
        unlucky subset), the other one gets the whole weight instead of a 0/0.
    self_pairs
        ``"exclude"``: a domain is not compared with itself (the official code); ``"nonedge"``: it is, as a non-edge
        (the theory, with A_ii = 0).

    Returns
    -------
    PairWeights
        Answers and weights; the weights sum to one (to zero if there is no pair at all).

    Raises
    ------
    ValueError
        If ``self_pairs`` is unknown.
    """
    if self_pairs not in ("exclude", "nonedge"):
        raise ValueError(f"self_pairs={self_pairs!r} is unknown; use 'exclude' or 'nonedge'.")
    adjacency = adjacency if adjacency.is_floating_point() else adjacency.to(torch.get_default_dtype())
    counted = torch.ones_like(adjacency)
    if self_pairs == "exclude":
        counted = counted - torch.eye(adjacency.shape[-1], dtype=adjacency.dtype, device=adjacency.device)
    kinds = (adjacency * counted, (1 - adjacency) * counted) if balance else (counted,)
    n_pairs = [kind.sum((-2, -1), keepdim=True) for kind in kinds]
    n_kinds = torch.stack([(number > 0).to(adjacency.dtype) for number in n_pairs]).sum(0)
    shares = [kind / number.clamp(min=1) for kind, number in zip(kinds, n_pairs, strict=True)]
    weights = torch.stack(shares).sum(0) / n_kinds.clamp(min=1)
    return PairWeights(2 * adjacency - 1, weights, self_pairs == "nonedge")


def weighted_pair_loss(codes: Tensor, pairs: PairWeights, rows: PairedRows = "matched") -> Tensor:
    """Return the weighted mean of ``softplus(∓ẑ·ẑ')`` over pairs of domains and of their rows.

    Parameters
    ----------
    codes
        ẑ, shape (..., m, B, k).
    pairs
        Weights of shape (..., m, m).
    rows
        ``"matched"``: row b of one domain with row b of the other; ``"crossed"``: all B² pairs of rows.

    Returns
    -------
    torch.Tensor
        Shape (...).

    Notes
    -----
    Where domains are paired with themselves, it is row b with row b + 1: never a row with itself.
    """
    if rows not in ("matched", "crossed"):
        raise ValueError(f"pairing of rows {rows!r} is unknown; use 'matched' or 'crossed'.")
    lead, (n_compared, n_rows, _) = codes.shape[:-3], codes.shape[-3:]
    codes = pad(codes.reshape(-1, *codes.shape[-3:]), (0, -codes.shape[-1] % ALIGNED_COORDINATES))
    answers, weights = (
        part.expand(*lead, n_compared, n_compared).reshape(-1, 1, n_compared, n_compared)
        for part in (pairs.answers, pairs.weights)
    )
    if rows == "crossed":
        scores = torch.einsum("sibk,sjck->sbcij", codes, codes).flatten(1, 2)
    else:
        scores = torch.einsum("sibk,sjbk->sbij", codes, codes)
    if pairs.with_self:
        own = (codes * codes.roll(1, 2)).sum(-1).mT
        own = own.repeat_interleave(n_rows, 1) if rows == "crossed" else own
        scores = torch.diagonal_scatter(scores, own, dim1=-2, dim2=-1)
    costs = seedwise(softplus, -answers * scores)
    return ((costs * weights).sum((1, 2, 3)) / costs.shape[1]).view(lead)


def graph_discriminator_loss(
    domain_codes: Tensor,
    adjacency: Tensor,
    *,
    subset: Tensor | None = None,
    balance: bool = True,
    self_pairs: SelfPairs = "exclude",
    pairing: PairedRows = "matched",
) -> Tensor:
    """Return L_d of a batch: N times the (balanced) mean binary cross-entropy of ``ẑ·ẑ'`` against adjacency.

    An uninformative discriminator (all ẑ = 0) has exactly ``N log 2``, whatever the graph.

    Parameters
    ----------
    domain_codes
        ẑ = D(e): B rows of every domain, shape (..., N, B, k).
    adjacency
        0/1 tensor of shape (N, N) or (..., N, N).
    subset
        Indices of the domains compared, shape (m,); all if None.
    balance, self_pairs
        As in `pair_weights`.
    pairing
        As ``rows`` in `weighted_pair_loss`.

    Returns
    -------
    torch.Tensor
        Shape (...).
    """
    n_domains = adjacency.shape[-1]
    if subset is not None:
        domain_codes = domain_codes[..., subset, :, :]
        adjacency = adjacency[..., subset, :][..., :, subset]
    pairs = pair_weights(adjacency.to(domain_codes.dtype), balance=balance, self_pairs=self_pairs)
    return n_domains * weighted_pair_loss(domain_codes, pairs, pairing)
