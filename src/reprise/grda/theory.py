"""The adjacency game in closed form: the best discriminator, the bound on its loss, and what the graph leaves free.

Each domain is a distribution over M codes (the encoder's outputs, made discrete), so that nothing has to be trained.
The theory draws the two points of a pair independently; they may come from one domain, which then counts as
"not adjacent" (``self_pairs="nonedge"``). The released program never pairs a domain with itself (``"exclude"``), and
that changes which alignments are optimal.
"""

from typing import Literal

import numpy as np
from scipy.special import entr, xlogy

from reprise.errors import unknown_name
from reprise.grda.graphs import DomainsError, chain_graph, check_adjacency

SelfPairs = Literal["nonedge", "exclude", "edge"]

_SELF_PAIRS = ("nonedge", "exclude", "edge")
_RANK_TOLERANCE = 1e-9  # Relative to the largest eigenvalue; rounding leaves some 1e-14 on graphs of 100 domains.


def binary_entropy(probability: np.ndarray | float) -> np.ndarray:
    """Return the entropy of a coin in nats: ``-p log p - (1 - p) log(1 - p)``.

    Parameters
    ----------
    probability
        p in [0, 1], any shape.

    Returns
    -------
    ndarray
        Of the same shape; at most log 2.
    """
    probability = np.asarray(probability, dtype=np.float64)
    return entr(probability) + entr(1 - probability)


def _checked(adjacency: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    checked = check_adjacency(adjacency).astype(np.float64)
    if weights is None:
        return checked, np.full(len(checked), 1 / len(checked))
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (len(checked),) or not np.isfinite(weights).all() or (weights <= 0).any():
        raise DomainsError(
            f"weights must be {len(checked)} positive numbers, one per domain; got the shape {weights.shape} with the "
            f"minimum {weights.min(initial=np.inf):g}."
        )
    return checked, weights / weights.sum()


def _pairs(adjacency: np.ndarray, weights: np.ndarray, self_pairs: SelfPairs) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of drawing each pair of domains, and that of drawing it as an edge, both (N, N)."""
    if self_pairs not in _SELF_PAIRS:
        raise unknown_name("self_pairs", self_pairs, list(_SELF_PAIRS))
    drawn = np.outer(weights, weights)
    edge = drawn * (adjacency + np.eye(len(weights)) if self_pairs == "edge" else adjacency)
    if self_pairs == "exclude":
        np.fill_diagonal(drawn, 0.0)
    return drawn / drawn.sum(), edge / drawn.sum()


def _balanced(drawn: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give edges and non-edges half of the pairs each; where a half is missing the other one takes all."""
    other = drawn - edge
    halves = [part / part.sum() if part.sum() > 0 else part for part in (edge, other)]
    n_present = sum(part.sum() > 0 for part in halves)
    return (halves[0] + halves[1]) / n_present, halves[0] / n_present


def edge_probability(
    adjacency: np.ndarray, weights: np.ndarray | None = None, self_pairs: SelfPairs = "nonedge"
) -> float:
    """Return E[A]: the probability that the two domains of a pair are adjacent.

    Parameters
    ----------
    adjacency
        Domain graph, shape ``(N, N)``.
    weights
        Probability of each domain, p(u), shape ``(N,)``, rescaled to sum 1; ``None``: equal.
    self_pairs
        What a pair from one domain is: ``"nonedge"`` (theory), ``"exclude"`` (never drawn), or ``"edge"``.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> round(edge_probability(chain_graph(3)), 4)
    0.4444
    """
    # Rounding may leave a sum a hair above 1.
    return min(float(_pairs(*_checked(adjacency, weights), self_pairs)[1].sum()), 1.0)


def entropy_bound(
    adjacency: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    self_pairs: SelfPairs = "nonedge",
    balance: bool = False,
) -> float:
    """Return the largest loss that any encoder can force on the best discriminator: H(E[A]), by Jensen.

    Parameters
    ----------
    adjacency, weights, self_pairs
        As in :func:`edge_probability`.
    balance
        Whether edges and non-edges have half of the weight each, as in the released loss; the bound is log 2 then.

    Returns
    -------
    float
        In nats per pair.

    Examples
    --------
    >>> round(entropy_bound(chain_graph(3)), 4)
    0.687
    """
    drawn, edge = _pairs(*_checked(adjacency, weights), self_pairs)
    if balance:
        edge = _balanced(drawn, edge)[1]
    return float(binary_entropy(min(edge.sum(), 1.0)))


def optimal_discriminator_loss(
    code_distributions: np.ndarray,
    adjacency: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    self_pairs: SelfPairs = "nonedge",
    balance: bool = False,
) -> float:
    """Return the loss of the best discriminator for fixed codes, exactly.

    It answers every pair of codes (e, e') with the probability that their domains are adjacent,
    ``π(e)ᵀ A π(e')``, where ``π_i(e) = p(u = i | e)``.

    Parameters
    ----------
    code_distributions
        Probability of each code in each domain, p(e | u), shape ``(N, M)``, rows sum to 1.
    adjacency, weights, self_pairs
        As in :func:`edge_probability`.
    balance
        Whether edges and non-edges have half of the weight each, as in the released loss.

    Returns
    -------
    float
        In nats per pair, at most :func:`entropy_bound`.

    Raises
    ------
    DomainsError
        If a row is not a distribution or the shapes disagree.

    Examples
    --------
    >>> averaged = [[1, 0], [0.5, 0.5], [0, 1]]
    >>> round(optimal_discriminator_loss(averaged, chain_graph(3)), 4)
    0.687
    """
    checked, weights = _checked(adjacency, weights)
    codes = np.asarray(code_distributions, dtype=np.float64)
    if codes.ndim != 2 or len(codes) != len(checked):
        raise DomainsError(f"code_distributions has the shape {codes.shape}; expected ({len(checked)}, M).")
    if not np.isfinite(codes).all() or (codes < -1e-12).any() or not np.allclose(codes.sum(axis=1), 1, atol=1e-9):
        raise DomainsError("code_distributions has a row that is not a distribution; each row must sum to 1.")
    codes = np.clip(codes, 0.0, None)
    drawn, edge = _pairs(checked, weights, self_pairs)
    if balance:
        drawn, edge = _balanced(drawn, edge)
    total, adjacent = codes.T @ drawn @ codes, codes.T @ edge @ codes
    # Differences of rounded sums may fall a hair below zero.
    other = np.clip(total - adjacent, 0.0, None)
    return float((xlogy(total, total) - xlogy(adjacent, adjacent) - xlogy(other, other)).sum())


def _deviation_form(
    adjacency: np.ndarray, weights: np.ndarray, self_pairs: SelfPairs
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Diagonalise the form on the admissible deviations: eigenvalues (m,), eigenvectors (N, m), sign (m,)."""
    n_domains = len(adjacency)
    share = {"nonedge": 0.0, "exclude": edge_probability(adjacency, weights, self_pairs), "edge": 1.0}
    form = adjacency + share[self_pairs] * np.eye(n_domains)
    scale = max(float(np.abs(np.linalg.eigvalsh(form)).max()), 1.0)
    ones = np.ones(n_domains) / np.sqrt(n_domains)
    gradient = form @ weights
    gradient = gradient - ones * (ones @ gradient)
    length = np.linalg.norm(gradient)
    # Where all domains have equally many neighbours the second condition repeats the first.
    normals = [ones, gradient / length] if length > _RANK_TOLERANCE * scale else [ones]
    basis = np.linalg.svd(np.array(normals), full_matrices=True)[2][len(normals) :].T
    values, vectors = np.linalg.eigh(basis.T @ form @ basis)
    sign = np.where(np.abs(values) <= _RANK_TOLERANCE * scale, 0, np.sign(values)).astype(int)
    return values, basis @ vectors, sign


def alignment_freedom(
    adjacency: np.ndarray, weights: np.ndarray | None = None, *, self_pairs: SelfPairs = "nonedge"
) -> int:
    """Return how many dimensions of non-uniform alignment the graph leaves optimal (0: alignment must be uniform).

    Write ``π(e) = w + δ(e)``. The bound is attained exactly where ``δ(e)ᵀ A δ(e') = 0`` for all codes, with
    ``1ᵀδ = 0`` and ``wᵀAδ = 0``: the deviations span a totally isotropic subspace of the quadratic form A on that
    space, and the largest has the dimension ``n₀ + min(n₊, n₋)`` of its inertia (its Witt index with the radical).

    Parameters
    ----------
    adjacency, weights, self_pairs
        As in :func:`edge_probability`.

    Returns
    -------
    int
        Between 0 and N - 1.

    Notes
    -----
    Leaving pairs within a domain out adds E[A] times the identity to the form, calling them edges adds the identity.
    Balancing edges against non-edges changes the bound but not the set of optimal alignments, hence not this number.
    Ranks are decided at 1e-9 of the largest eigenvalue; the cost is that of an (N, N) eigenproblem.

    Examples
    --------
    >>> alignment_freedom(chain_graph(3)), alignment_freedom(chain_graph(3), self_pairs="exclude")
    (1, 0)
    """
    checked, weights = _checked(adjacency, weights)
    _pairs(checked, weights, self_pairs)
    sign = _deviation_form(checked, weights, self_pairs)[2]
    return int((sign == 0).sum() + min((sign > 0).sum(), (sign < 0).sum()))


def free_directions(
    adjacency: np.ndarray, weights: np.ndarray | None = None, *, self_pairs: SelfPairs = "nonedge"
) -> np.ndarray:
    """Return a basis of a largest totally isotropic subspace of deviations.

    Parameters
    ----------
    adjacency, weights, self_pairs
        As in :func:`edge_probability`.

    Returns
    -------
    ndarray of float64, shape (freedom, N)
        Deviations δ of the posterior over domains from p(u); ``freedom`` as in :func:`alignment_freedom`.
    """
    checked, weights = _checked(adjacency, weights)
    _pairs(checked, weights, self_pairs)
    values, vectors, sign = _deviation_form(checked, weights, self_pairs)
    n_mixed = min((sign > 0).sum(), (sign < 0).sum())
    scaled = vectors / np.sqrt(np.where(sign == 0, 1.0, np.abs(values)))
    mixed = scaled[:, sign > 0][:, :n_mixed] + scaled[:, sign < 0][:, :n_mixed]
    return np.concatenate([vectors[:, sign == 0], mixed], axis=1).T


def optimal_alignment(
    adjacency: np.ndarray, weights: np.ndarray | None = None, *, self_pairs: SelfPairs = "nonedge"
) -> np.ndarray:
    """Return code distributions that attain the bound although they differ between domains.

    Every direction of :func:`free_directions` gets two equally likely codes, whose posteriors deviate from p(u) by
    plus and minus that direction, as far as probabilities stay non-negative.

    Parameters
    ----------
    adjacency, weights, self_pairs
        As in :func:`edge_probability`.

    Returns
    -------
    ndarray of float64, shape (N, 2 * freedom)
        Probability of each code in each domain; rows sum to 1.

    Raises
    ------
    DomainsError
        If the graph forces uniform alignment.
    """
    checked, shares = _checked(adjacency, weights)
    directions = free_directions(checked, shares, self_pairs=self_pairs)
    if not len(directions):
        raise DomainsError(
            f"adjacency leaves no freedom with self_pairs={self_pairs!r}: only the uniform alignment is optimal."
        )
    reach = 1 / (np.abs(directions) / shares).max(axis=1, keepdims=True)
    posterior = shares + np.concatenate([directions * reach, -directions * reach])
    return np.clip(posterior / shares, 0.0, None).T / len(posterior)


def domain_information(code_distributions: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return the mutual information of code and domain in nats (0: uniform alignment).

    Parameters
    ----------
    code_distributions
        Probability of each code in each domain, shape ``(N, M)``, rows sum to 1.
    weights
        Probability of each domain, shape ``(N,)``; ``None``: equal.

    Returns
    -------
    float
        At most the entropy of ``weights``.
    """
    codes = np.asarray(code_distributions, dtype=np.float64)
    shares = np.full(len(codes), 1 / len(codes)) if weights is None else np.asarray(weights) / np.sum(weights)
    return float(entr(shares @ codes).sum() - shares @ entr(codes).sum(axis=1))


def chain_mixture(first_share: float, last_share: float) -> np.ndarray:
    """Return codes of a chain of three whose middle domain mixes the outer two: ``p₂ = a p₁ + b p₃`` (Figure 5).

    Parameters
    ----------
    first_share, last_share
        a and b, non-negative, sum at most 1; the rest goes to a code that only the middle domain has.

    Returns
    -------
    ndarray of float64, shape (3, 3)
        Probability of each code in each domain; domains 1 and 3 have one code each.
    """
    rest = 1 - first_share - last_share
    if min(first_share, last_share, rest) < -1e-12:
        raise DomainsError(f"first_share={first_share} and last_share={last_share} must be ≥ 0 and sum to at most 1.")
    return np.array([[1, 0, 0], [first_share, last_share, max(rest, 0.0)], [0, 1, 0]], dtype=np.float64)


def chain_mixture_losses(shares: np.ndarray, self_pairs: SelfPairs = "nonedge") -> np.ndarray:
    """Return the best discriminator's loss on a chain of three for all mixtures of the middle domain.

    Parameters
    ----------
    shares
        Values of a and of b, shape ``(g,)``.
    self_pairs
        As in :func:`edge_probability`.

    Returns
    -------
    ndarray of float64, shape (g, g)
        Entry ``[i, j]`` is the loss at a = ``shares[i]``, b = ``shares[j]``; NaN where they sum to more than 1.
    """
    losses = np.full((len(shares), len(shares)), np.nan)
    for i, first in enumerate(shares):
        for j, last in enumerate(shares):
            if first + last <= 1 + 1e-12:
                codes = chain_mixture(float(first), float(last))
                losses[i, j] = optimal_discriminator_loss(codes, chain_graph(3), self_pairs=self_pairs)
    return losses
