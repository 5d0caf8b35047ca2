"""Mark models p(y | x): training on sequences in buckets of equal length, and scores kept in factors."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from reprise.compute import numpy_generator, torch_generator
from reprise.rim.events import Codes, Events, Numbers, Requests
from reprise.rim.networks import GRUMark, MarkNetwork, TransformerMark

Network = Literal["GRU", "Transformer"]
LONGEST = 256
CHUNK = 32
VALIDATION_SHARE = 0.2
EPSILON = 1e-3
CUT, PATIENCE, THRESHOLD = 0.25, 4, 1e-4
RATES: dict[str, float] = {"GRU": 0.1, "Transformer": 0.025}
NETWORKS: dict[str, type[MarkNetwork]] = {"GRU": GRUMark, "Transformer": TransformerMark}


@dataclass(frozen=True)
class MarkOptions:
    """How a mark model is built and trained; the defaults are the paper's.

    Attributes
    ----------
    network
        ``"GRU"`` or ``"Transformer"``.
    width
        d.
    epochs, batch
        Passes over the users, and users a step.
    """

    network: Network = "GRU"
    width: int = 128
    epochs: int = 20
    batch: int = 64


@dataclass(frozen=True)
class MarkScores:
    """log p(y | x) of N requests and M items in factors of rank d + 2: never the dense matrix, until it is asked for.

    Attributes
    ----------
    states
        h, (N, d).
    log_normaliser
        log Σ exp over *all* tokens, (N,); without it rows could not be compared.
    items, bias
        e and b of the candidates, (M, d) and (M,); b is −∞ for an item without a token.
    """

    states: Numbers
    log_normaliser: Numbers
    items: Numbers
    bias: Numbers

    def probabilities(self) -> Numbers:
        """Return p(y | x), float64 (N, M): rows sum to less than 1 where not all items are candidates."""
        return np.exp(self.states @ self.items.T + self.bias - self.log_normaliser[:, None])


@dataclass(frozen=True)
class MarkModel:
    """A trained network with what its tokens mean.

    Attributes
    ----------
    network
        The network with the weights of the best epoch.
    token_of
        Token of each item code, (n_items,); 0 for items without training events.
    path
        Validation loss after each epoch.
    """

    network: MarkNetwork
    token_of: Codes
    path: tuple[float, ...]

    @torch.no_grad()
    def scores(self, requests: Requests, candidates: Codes) -> MarkScores:
        """Return p of requests over candidate items; the state is that at the last event of the history."""
        device = self.network.bias.device
        states, normalisers = [], []
        for start in range(0, len(requests), 256):
            places = range(start, min(start + 256, len(requests)))
            sequences = [_inputs(self.token_of[_items_of(requests, place)]) for place in places]
            tokens, lengths = _padded(sequences)
            hidden, _ = self.network(tokens.to(device))
            last = hidden[torch.arange(len(lengths)), lengths.to(device) - 1]
            states.append(last.cpu())
            normalisers.append(torch.logsumexp(self.network.logits(last), 1).cpu())
        tokens_of_candidates = self.token_of[candidates]
        bias = self.network.bias.detach().cpu().numpy()[tokens_of_candidates].astype(np.float64)
        return MarkScores(
            torch.cat(states).numpy().astype(np.float64),
            torch.cat(normalisers).numpy().astype(np.float64),
            self.network.embedding.weight.detach().cpu().numpy()[tokens_of_candidates].astype(np.float64),
            np.where(tokens_of_candidates > 0, bias, -np.inf),
        )


def _items_of(requests: Requests, place: int) -> Codes:
    return requests.item[requests.indptr[place] : requests.indptr[place + 1]]


def _inputs(tokens: Codes) -> Codes:
    """Return the start token and the known items, the last 256 of these."""
    return np.concatenate([[0], tokens[tokens > 0]])[-LONGEST:]


def _padded(sequences: Sequence[Codes]) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(s) for s in sequences])
    tokens = torch.zeros(len(sequences), int(lengths.max()), dtype=torch.long)
    for row, sequence in enumerate(sequences):
        tokens[row, : len(sequence)] = torch.from_numpy(sequence)
    return tokens, lengths


def train_mark(
    events: Events, options: MarkOptions, seed: int, *names: object, device: str | torch.device = "cpu"
) -> MarkModel:
    """Train a mark model on all events given, one sequence a user.

    Parameters
    ----------
    events
        Training events; items without one get no token.
    options
        Network, width, epochs and batch.
    seed, names
        Name the random streams: initialisation, validation users, order of batches.
    device
        Where to train.

    Returns
    -------
    MarkModel
        With the weights of the epoch whose validation loss is least.
    """
    seen = np.unique(events.item)
    token_of = np.zeros(len(events.items), dtype=np.int64)
    token_of[seen] = 1 + np.arange(len(seen))
    starts = events.indptr
    sequences = [
        np.concatenate([[0], token_of[events.item[low:high]]])[-(LONGEST + 1) :]
        for low, high in pairwise(starts)
        if high > low
    ]
    stream = ("rim", *names, options.network)
    order = numpy_generator(seed, *stream, "validation users").permutation(len(sequences))
    n_validation = max(1, round(VALIDATION_SHARE * len(sequences)))
    held_out = [sequences[place] for place in order[:n_validation]]
    training = [sequences[place] for place in order[n_validation:]] or held_out
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_generator(seed, *stream, "initialisation").initial_seed())
        network = NETWORKS[options.network](len(seen) + 1, options.width).to(device)
    draw = numpy_generator(seed, *stream, "batches")
    batches = buckets(training, options.batch, draw)
    validation = buckets(held_out, 256, draw)
    path = _fit(network, batches, validation, options, draw)
    return MarkModel(network.eval(), token_of, path)


def buckets(sequences: Sequence[Codes], batch: int, draw: np.random.Generator) -> list[Tensor]:
    """Return batches of sequences of about equal length, each padded with 0 on the right, the longest row first.

    Users are sorted by length, random within ties, and cut: hardly anything is computed on padding. The composition of
    the batches differs from the paper's random one, the model and the loss do not.
    """
    chance = draw.permutation(len(sequences))
    lengths = np.array([len(s) for s in sequences])
    order = chance[np.argsort(-lengths[chance], kind="stable")]
    return [
        _padded([sequences[place] for place in order[start : start + batch]])[0]
        for start in range(0, len(order), batch)
    ]


def _fit(
    network: MarkNetwork,
    batches: list[Tensor],
    validation: list[Tensor],
    options: MarkOptions,
    draw: np.random.Generator,
) -> tuple[float, ...]:
    """Train by Adagrad; at the fifth epoch without progress cut the rate to a quarter, and go back to the best."""
    optimiser = torch.optim.Adagrad(network.parameters(), lr=RATES[options.network], eps=EPSILON)
    device = network.bias.device
    best, best_weights, since, path = math.inf, copy.deepcopy(network.state_dict()), 0, []
    steps = _chunks_of if options.network == "GRU" else _whole
    for _ in range(options.epochs):
        network.train()
        for place in draw.permutation(len(batches)):
            for loss in steps(network, batches[place].to(device)):
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        path.append(validation_loss(network, validation))
        since = 0 if path[-1] < best * (1 - THRESHOLD) else since + 1
        if path[-1] < best:
            best, best_weights = path[-1], copy.deepcopy(network.state_dict())
        if since > PATIENCE:
            since = 0
            network.load_state_dict(best_weights)
            for group in optimiser.param_groups:
                group["lr"] *= CUT
    network.load_state_dict(best_weights)
    return tuple(path)


def _chunks_of(network: nn.Module, tokens: Tensor) -> Iterator[Tensor]:
    """Yield the loss of each chunk of 32 steps, state carried and detached; rows that ended drop out.

    The rows lie longest first, so that those still running are the first ones. Targets are never 0, except as padding.
    """
    memory: Tensor | None = None
    for start in range(0, tokens.shape[1] - 1, CHUNK):
        inputs, targets = tokens[:, start : start + CHUNK], tokens[:, start + 1 : start + CHUNK + 1]
        running = int((targets[:, 0] > 0).sum())
        inputs, targets = inputs[:running, : targets.shape[1]], targets[:running]
        memory = None if memory is None else memory[:, :running].detach().contiguous()
        states, memory = network(inputs, memory)
        there = targets > 0
        yield cross_entropy(network.logits(states[there]), targets[there])  # type: ignore[operator]


def _whole(network: nn.Module, tokens: Tensor) -> Iterator[Tensor]:
    """Yield the loss of the whole batch."""
    targets = tokens[:, 1:]
    there = targets > 0
    states, _ = network(tokens[:, :-1])
    yield cross_entropy(network.logits(states[there]), targets[there])  # type: ignore[operator]


@torch.no_grad()
def validation_loss(network: MarkNetwork, batches: Sequence[Tensor]) -> float:
    """Return the mean loss over all positions, each sequence read as a whole."""
    network.eval()
    total, n = 0.0, 0
    for batch in batches:
        tokens = batch.to(network.bias.device)
        targets = tokens[:, 1:]
        there = targets > 0
        states, _ = network(tokens[:, :-1])
        total += float(cross_entropy(network.logits(states[there]), targets[there], reduction="sum"))
        n += int(there.sum())
    return total / max(n, 1)
