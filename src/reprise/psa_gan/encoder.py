"""The encoder behind Context-FID: causal dilated convolutions, trained without labels by time-based negatives.

Franceschi, Dieuleveut and Jaggi (2019) proposed network and loss; the paper adds a third term to the loss, takes means
over negatives where they take sums, and draws negatives from other series only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from reprise.compute import seed_sequence, torch_generator

WINDOWS_AT_ONCE = 4096


@dataclass(frozen=True)
class EncoderRecipe:
    """Size and training of an encoder; the defaults are those of the paper's code.

    Attributes
    ----------
    dim
        Length of an embedding.
    depth
        Number of blocks before the last one; their dilations are 1, 2, 4, ….
    channels
        Channels of these blocks.
    reduced
        Channels of the last block, over which the maximum in time is taken.
    kernel_size
        Points that a convolution sees.
    batch_size
        Series a step; all series where there are fewer.
    n_negatives
        Negatives a reference, K.
    max_length
        Windows of training are shorter than this many steps.
    learning_rate
        Of Adam. For 1000 steps or fewer, 1e-3.
    n_steps
        Steps of training; None: 600 epochs of one sample a series, as in the paper's code.
    """

    dim: int = 80
    depth: int = 10
    channels: int = 40
    reduced: int = 160
    kernel_size: int = 3
    batch_size: int = 32
    n_negatives: int = 20
    max_length: int = 300
    learning_rate: float = 1e-4
    n_steps: int | None = None

    def steps(self, n_series: int) -> int:
        """Return the number of steps for a panel of so many series."""
        return 600 * -(-n_series // self.batch_size) if self.n_steps is None else self.n_steps


class CausalBlock(nn.Module):
    """Two weight-normalised causal convolutions, LeakyReLU after each, and a residual connection.

    Parameters
    ----------
    n_in, n_out
        Channels; where they differ, the residual passes a 1×1 convolution.
    kernel_size, dilation
        Of both convolutions.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.past = (kernel_size - 1) * dilation
        self.first = weight_norm(nn.Conv1d(n_in, n_out, kernel_size, dilation=dilation))
        self.second = weight_norm(nn.Conv1d(n_out, n_out, kernel_size, dilation=dilation))
        self.skip = nn.Identity() if n_in == n_out else nn.Conv1d(n_in, n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(n, n_in, length)`` to ``(n, n_out, length)``; no output depends on later inputs."""
        y = functional.leaky_relu(self.first(functional.pad(x, (self.past, 0))))
        y = functional.leaky_relu(self.second(functional.pad(y, (self.past, 0))))
        return y + self.skip(x)


class CausalEncoder(nn.Module):
    """Maps windows of any length to vectors.

    Blocks with dilations 1, 2, …, 2^depth, the maximum over time, a linear map. With the default recipe it has 209,080
    weights.
    """

    def __init__(self, recipe: EncoderRecipe) -> None:
        super().__init__()
        widths = [1, *[recipe.channels] * recipe.depth, recipe.reduced]
        self.blocks = nn.Sequential(
            *(
                CausalBlock(n_in, n_out, recipe.kernel_size, 2**place)
                for place, (n_in, n_out) in enumerate(pairwise(widths))
            )
        )
        self.out = nn.Linear(recipe.reduced, recipe.dim)

    def forward(self, windows: Tensor) -> Tensor:
        """Map windows ``(n, length)`` to embeddings ``(n, dim)``."""
        return self.out(self.blocks(windows[:, None]).amax(2))

    @torch.no_grad()
    def embed(self, windows: Tensor) -> Tensor:
        """Return embeddings ``(n, dim)`` without gradients, in chunks that fit the memory."""
        return torch.cat([self(part) for part in windows.split(WINDOWS_AT_ONCE)])


def triplet_loss(reference: Tensor, positive: Tensor, negatives: Tensor) -> Tensor:
    """Return the loss of time-based negative sampling, averaged over the batch.

    With ``s(a, b) = log σ(aᵀb)``: ``−s(ref, pos) − mean_k s(−ref, neg_k) − mean_k s(−pos, neg_k)``.

    Parameters
    ----------
    reference, positive
        Embeddings ``(batch, dim)`` of a window and of a window inside it.
    negatives
        Embeddings ``(batch, K, dim)`` of windows of other series.
    """
    near = functional.logsigmoid((reference * positive).sum(1))
    anchors = torch.stack([reference, positive], 1)  # the second term is Franceschi's, the third the paper's
    far = functional.logsigmoid(-(anchors @ negatives.mT)).mean(2).sum(1)
    return -(near + far).mean()


@dataclass(frozen=True)
class Triplets:
    """Windows of one training step, ``(batch, length)`` and ``(batch × K, length)``; the lengths are the batch's."""

    reference: Tensor
    positive: Tensor
    negatives: Tensor


class TripletSampler:
    """Draws references, windows inside them, and windows of other series.

    Parameters
    ----------
    values
        Shape ``(n_series, n_times)``, NaN after the end of a shorter series.
    recipe
        Gives batch size, number of negatives and largest length.
    generator
        Source of all draws.
    """

    def __init__(self, values: Tensor, recipe: EncoderRecipe, generator: torch.Generator) -> None:
        self.values = values
        self.lengths = (~values.isnan()).sum(1)
        self.longest = min(int(self.lengths.min()), recipe.max_length - 1)
        self.batch_size = min(recipe.batch_size, len(values))
        self.n_negatives = recipe.n_negatives
        self.generator = generator
        self._order: Tensor = torch.empty(0, dtype=torch.long)

    def draw(self) -> Triplets:
        """Return the windows of the next step: each series once an epoch, but for an incomplete last batch."""
        series = self._next_series()
        inner = self._integer(1, self.longest)
        outer = self._integer(inner, self.longest)
        start = self._starts(self.lengths[series] - outer)
        inside = start + self._starts(torch.full_like(start, outer - inner))
        other = series.repeat_interleave(self.n_negatives)
        other = (other + 1 + self._starts(torch.full_like(other, len(self.values) - 2))) % len(self.values)
        length = self._integer(1, self.longest)
        return Triplets(
            cut(self.values, series, start, outer),
            cut(self.values, series, inside, inner),
            cut(self.values, other, self._starts(self.lengths[other] - length), length),
        )

    def _next_series(self) -> Tensor:
        if len(self._order) < self.batch_size:
            self._order = torch.randperm(len(self.values), generator=self.generator)
        series, self._order = self._order[: self.batch_size], self._order[self.batch_size :]
        return series

    def _integer(self, low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def _starts(self, last: Tensor) -> Tensor:
        """Draw an integer from 0 to ``last`` (inclusive) each."""
        return (torch.rand(last.shape, generator=self.generator, dtype=torch.float64) * (last + 1)).long()


def cut(values: Tensor, series: Tensor, start: Tensor, length: int) -> Tensor:
    """Return the windows ``(n, length)`` of the given series that begin at the given times."""
    return values[series[:, None], start[:, None] + torch.arange(length)]


def train_encoder(values: Tensor, recipe: EncoderRecipe, seed: int) -> tuple[CausalEncoder, list[float]]:
    """Train an encoder on a panel.

    Parameters
    ----------
    values
        Scaled series ``(n_series, n_times)``, float32, NaN after the end of a shorter one; at least two series.
    recipe
        Size and training.
    seed
        Of first weights and draws.

    Returns
    -------
    (CausalEncoder, list of float)
        The encoder in evaluation mode, and the loss of each step.
    """
    encoder = new_encoder(recipe, seed).to(values.device)
    sampler = TripletSampler(values.cpu(), recipe, torch_generator(seed, "psa-gan", "encoder", "triplets"))
    optimizer = torch.optim.Adam(encoder.parameters(), lr=recipe.learning_rate)
    losses = []
    for _ in range(recipe.steps(len(values))):
        drawn = sampler.draw()
        reference, positive, negatives = (
            encoder(part.to(values.device)) for part in (drawn.reference, drawn.positive, drawn.negatives)
        )
        loss = triplet_loss(reference, positive, negatives.view(len(reference), recipe.n_negatives, -1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return encoder.eval().requires_grad_(False), losses


def new_encoder(recipe: EncoderRecipe, seed: int) -> CausalEncoder:
    """Return an untrained encoder, whose weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(seed_sequence(seed, "psa-gan", "encoder", "weights").generate_state(1)[0]))
        return CausalEncoder(recipe)
