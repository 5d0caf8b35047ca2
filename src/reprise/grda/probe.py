"""Is the encoding aligned? A fresh graph discriminator on frozen encodings answers; the game's own D does not.

The logits ẑ·ẑ' have zero gradient at ẑ = 0, and the game's D settles near it, with a loss of N log 2 whatever the
encoding. A discriminator trained anew, without an opponent, finds what there is to find.
"""

import math

import numpy as np
import torch
from torch import Tensor

from reprise.compute import numpy_generator, torch_generator
from reprise.grda.batches import draw_batches, shape_of
from reprise.grda.discriminator import pair_weights, weighted_pair_loss
from reprise.grda.networks import Discriminator, initialise
from reprise.grda.training import FlatAdam, Trained

N_PAIRINGS = 10
LEARNING_RATE = 1e-3


def fresh_discriminator_ratio(trained: Trained, *, n_steps: int = 600, n_restarts: int = 2) -> np.ndarray:
    """Train new graph discriminators on frozen encodings and return the lowest loss over N log 2.

    The encodings are standardised first: what can be told from them does not depend on their scale, but how soon a
    new discriminator leaves its plateau at ẑ = 0 does. Some never leave it; hence the restarts.

    Parameters
    ----------
    trained
        Networks of any method; their encoder is used as it is.
    n_steps
        Number of Adam steps (learning rate 1e-3); each compares all domains, with independently drawn rows.
    n_restarts
        Number of new discriminators per seed; each gives an upper bound of the lowest possible loss.

    Returns
    -------
    numpy.ndarray
        (S,); 1: the encoding tells nothing about adjacency. The loss is that of the balanced pairs without
        self-pairs, over the rows it was trained on, paired anew 10 times.
    """
    codes, n_rows = _frozen_codes(trained)
    ratios = [_fitted_ratio(trained, codes, n_rows, n_steps, f"probe {n}") for n in range(n_restarts)]
    return np.min(ratios, axis=0)


def _fitted_ratio(trained: Trained, codes: Tensor, n_rows: np.ndarray, n_steps: int, stream: str) -> np.ndarray:
    problems, options, shape = trained.problems, trained.options, shape_of(trained.problems)
    adjacency = torch.from_numpy(np.stack([p.adjacency for p in problems]).astype(np.float32))
    pairs = pair_weights(adjacency).to(codes.device)
    discriminator = Discriminator(shape.n_seeds, options.hidden_width, options.discriminator_width)
    initialise(discriminator, [torch_generator(p.seed, *p.stream, stream) for p in problems])
    discriminator.to(codes.device)
    optimiser = FlatAdam(list(discriminator.parameters()), LEARNING_RATE, math.inf)
    for rows in draw_batches(problems, n_rows, options.batch_per_domain, n_steps, paired=False, stream=stream):
        optimiser.step(weighted_pair_loss(discriminator(_rows_of(codes, rows)), pairs).sum())
    with torch.no_grad():
        losses = [
            weighted_pair_loss(discriminator(_rows_of(codes, rows)), pairs) for rows in _new_pairings(trained, n_rows)
        ]
    return torch.stack(losses).mean(0).cpu().numpy().astype(np.float64) / math.log(2)


def _rows_of(codes: Tensor, rows: Tensor) -> Tensor:
    rows = rows.to(codes.device).unsqueeze(-1).expand(-1, -1, -1, codes.shape[-1])
    return codes.gather(2, rows)


def _frozen_codes(trained: Trained) -> tuple[Tensor, np.ndarray]:
    device = next(trained.networks.encoder.parameters()).device
    counts = np.stack([np.bincount(p.domain, minlength=len(p.source)) for p in trained.problems])
    features = np.stack([p.features for p in trained.problems])
    domain = np.stack([p.domain for p in trained.problems])
    encoded = trained.encode(features, domain)
    codes = np.zeros((*counts.shape, counts.max(), encoded.shape[-1]), np.float32)
    for s in range(len(codes)):
        deviation = encoded[s].std(0)
        encoded[s] = (encoded[s] - encoded[s].mean(0)) / np.where(deviation > 0, deviation, 1)
        for index in range(codes.shape[1]):
            codes[s, index, : counts[s, index]] = encoded[s, domain[s] == index]
    return torch.from_numpy(codes).to(device), counts


def _new_pairings(trained: Trained, n_rows: np.ndarray) -> list[Tensor]:
    # As many rows per domain as the smallest has: every pairing uses each row at most once.
    n_paired = int(n_rows.min())
    pairings: list[np.ndarray] = []
    for s, problem in enumerate(trained.problems):
        generator = numpy_generator(problem.seed, *problem.stream, "probe evaluation")
        drawn = [[generator.permutation(n)[:n_paired] for n in n_rows[s]] for _ in range(N_PAIRINGS)]
        pairings.append(np.array(drawn))
    return list(torch.from_numpy(np.stack(pairings, axis=1)))
