"""The look-up of latent neighbours (Eq. 4): the K rows of a bank most similar to a query, and their weights."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from reprise.cold_brew.checks import check_choice

Similarity = Literal["dot", "cosine"]
Input = Literal["neighbours", "guess"]
BLOCK_ROWS = 4096


def attend(
    guess: Tensor,
    bank: Tensor,
    k: int,
    *,
    temperature: float = 1.0,
    similarity: Similarity = "dot",
    forbidden: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return, for each query, its k most similar rows of the bank and their attention, Eq. 4.

    Parameters
    ----------
    guess
        Queries ê ``(M, D)``.
    bank
        Ē ``(B, D)``.
    k
        K, from 1 to B.
    temperature
        τ > 0 divides the similarities before the softmax; ``inf`` gives the plain mean of the k rows.
    similarity
        ``"dot"``: the dot product divided by √D, so that it does not saturate; ``"cosine"``.
    forbidden
        ``(M,)`` row of the bank that a query must not find (itself), −1 for none.

    Returns
    -------
    index : Tensor
        ``(M, K)`` rows of the bank, most similar first.
    weight : Tensor
        ``(M, K)``, rows summing to 1.

    Notes
    -----
    Memory is ``BLOCK_ROWS × B``, never M × B.
    """
    keys = functional.normalize(bank, dim=1) if similarity == "cosine" else bank / bank.shape[1] ** 0.5
    queries = functional.normalize(guess, dim=1) if similarity == "cosine" else guess
    indices, weights = [], []
    for start in range(0, max(guess.shape[0], 1), BLOCK_ROWS):
        scores = queries[start : start + BLOCK_ROWS] @ keys.T
        if forbidden is not None:
            own = forbidden[start : start + BLOCK_ROWS]
            rows = torch.nonzero(own >= 0).flatten()
            scores[rows, own[rows]] = -torch.inf
        largest, index = scores.topk(k, dim=1)
        indices.append(index)
        # τ = ∞ is written as 0 · score, and not score / ∞, for clarity: every weight is 1 / K.
        sharpness = 0.0 if temperature == float("inf") else 1.0 / temperature
        weights.append(torch.softmax(sharpness * largest, dim=1))
    return torch.cat(indices), torch.cat(weights)


def check_student_options(*, k: int, temperature: float, similarity: Similarity, inputs: Sequence[Input]) -> None:
    """Refuse options of the look-up that mean nothing.

    Raises
    ------
    ValueError
        Names the option, its value and the range.
    """
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise ValueError(f"k={k!r}; give at least 1 latent neighbour (and at most the size of the bank).")
    if isinstance(temperature, bool) or not isinstance(temperature, Real) or not temperature > 0:
        raise ValueError(f"temperature={temperature!r}; give a number above 0 (inf for the plain mean).")
    check_choice("similarity", similarity, get_args(Similarity))
    if isinstance(inputs, str) or set(inputs) - set(get_args(Input)) or len(set(inputs)) < len(inputs):
        raise ValueError(f"inputs={inputs!r} are unknown or given twice; use a tuple of 'neighbours' and 'guess'.")
