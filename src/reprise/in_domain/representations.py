"""Representations without factor values: BetaVAE, Ada-GVAE, SlowVAE, PCL, behind the same encoder and read-out.

Batches of pairs are interleaved: a0, b0, a1, b1, …. Losses follow the authors' supplementary code, with its weights.
"""

import math
from abc import abstractmethod
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from reprise.in_domain.networks import FLATTENED_SIDE, WIDTHS, check_side, strided_convolutions
from reprise.in_domain.pairs import interleave, separate

N_LATENTS = 10
READ_OUT_WIDTH, READ_OUT_DEPTH = 256, 5
KL_SCALE = 4.0
SLOW_GAMMA, SLOW_LAMBDA = 10.0, 6.0


class Representation(nn.Module):
    """An encoder whose codes a read-out maps to the factors; the read-out is trained afterwards, on frozen codes.

    Parameters
    ----------
    in_channels, n_factors, image_side
        As everywhere.
    n_codes
        Numbers that the encoder puts out; the first ten of them are the representation.
    """

    pairs: str | None = None

    def __init__(self, in_channels: int, n_factors: int, image_side: int, n_codes: int = N_LATENTS) -> None:
        super().__init__()
        features, width = strided_convolutions(in_channels, image_side)
        self.encoder = nn.Sequential(features, nn.Linear(width, n_codes))
        self.read_out = read_out(n_factors)

    def codes(self, images: Tensor) -> Tensor:
        """Return the representation, shape (n, 10)."""
        return self.encoder(images)[:, :N_LATENTS]

    @abstractmethod
    def loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss of a batch (interleaved pairs where ``pairs`` is set)."""

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, channels, side, side) to (n, n_factors)."""
        return self.read_out(self.codes(images))


def read_out(n_factors: int) -> nn.Sequential:
    """Return the read-out of the paper: five hidden layers of 256 on ten codes."""
    layers: list[nn.Module] = []
    width = N_LATENTS
    for _ in range(READ_OUT_DEPTH):
        layers += [nn.Linear(width, READ_OUT_WIDTH), nn.ReLU()]
        width = READ_OUT_WIDTH
    return nn.Sequential(*layers, nn.Linear(width, n_factors))


class BetaVAE(Representation):
    """Bernoulli reconstruction plus beta times KL(q || N(0, I)).

    The reconstruction is summed over pixels and channels and averaged over the batch: beta = 1 is weak beside it.
    """

    def __init__(self, in_channels: int, n_factors: int, image_side: int, *, beta: float = 1.0) -> None:
        super().__init__(in_channels, n_factors, image_side, 2 * N_LATENTS)
        self.beta = beta
        self.decoder = decoder(in_channels, image_side)
        self.apply(_initialise)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the posterior, each (n, 10)."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance

    def loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the negative evidence bound, per image."""
        mean, log_variance = self.encode(images)
        return self.reconstruction(images, mean, log_variance, generator) + self.beta * normal_kl(mean, log_variance)

    def reconstruction(self, images: Tensor, mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
        """Return the Bernoulli reconstruction loss of a sample, per image."""
        noise = torch.randn(mean.shape, generator=generator).to(mean.device)
        logits = self.decoder(mean + noise * torch.exp(log_variance / 2))
        return binary_cross_entropy_with_logits(logits, images, reduction="sum") / len(images)


class AdaGVAE(BetaVAE):
    """Ada-GVAE: in a pair that differs in one factor, dimensions that hardly differ share their posterior.

    Parameters
    ----------
    in_channels, n_factors, image_side, beta
        As in `BetaVAE`.
    kl_scale
        1: the textbook's KL. 4: the supplementary code's, which lacks the factor 1/2 and adds both images of a pair
        while the reconstruction is averaged per image.
    """

    pairs = "one factor"

    def __init__(
        self, in_channels: int, n_factors: int, image_side: int, *, beta: float = 1.0, kl_scale: float = KL_SCALE
    ) -> None:
        super().__init__(in_channels, n_factors, image_side, beta=beta)
        self.kl_scale = kl_scale

    def loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss of interleaved pairs, per image."""
        mean, log_variance = share_posterior(*self.encode(images))
        kl = self.kl_scale * normal_kl(mean, log_variance)
        return self.reconstruction(images, mean, log_variance, generator) + self.beta * kl


class SlowVAE(BetaVAE):
    """SlowVAE: the change between the images of a pair follows a Laplace distribution of rate lambda.

    Loss: 2 reconstruction + beta KL + gamma (cross-entropy to the transition prior - entropy), beta = 1, gamma = 10,
    lambda = 6. The cross-entropy is summed over both directions and averaged over pairs; the entropy is averaged over
    single images.
    """

    pairs = "laplace"

    def loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss of interleaved pairs."""
        mean, log_variance = self.encode(images)
        reconstruction = self.reconstruction(images, mean, log_variance, generator)
        (m0, m1), (s0, s1) = separate(mean), separate(torch.exp(log_variance / 2))
        cross_entropy = (laplace_cross_entropy(m0 - m1, s0) + laplace_cross_entropy(m1 - m0, s1)).sum(1).mean()
        entropy = (0.5 * (math.log(2 * math.pi) + 1 + log_variance)).sum(1).mean()
        slowness = SLOW_GAMMA * (cross_entropy - entropy)
        return 2 * reconstruction + self.beta * normal_kl(mean, log_variance) + slowness


class PCL(Representation):
    """Permutation contrastive learning: tell pairs in order from pairs whose second image is another pair's.

    Logit: -sum_i |a_i h_i(x_t) + b_i h_i(x_{t-1}) + c_i| + sum_i h_i(x_t)² + m; at the start a = 1, b = -1, c = m = 0.
    """

    pairs = "laplace"

    def __init__(self, in_channels: int, n_factors: int, image_side: int) -> None:
        super().__init__(in_channels, n_factors, image_side)
        self.a, self.b = nn.Parameter(torch.ones(N_LATENTS)), nn.Parameter(-torch.ones(N_LATENTS))
        self.c, self.m = nn.Parameter(torch.zeros(N_LATENTS)), nn.Parameter(torch.zeros(1))

    def loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the binary cross-entropy of true against shifted pairs."""
        now, before = separate(self.codes(images))
        logits = torch.cat([self.logit(now, before), self.logit(now, before.roll(1, 0))])
        truth = torch.cat([torch.ones(len(now)), torch.zeros(len(now))]).to(logits)
        return binary_cross_entropy_with_logits(logits, truth)

    def logit(self, now: Tensor, before: Tensor) -> Tensor:
        """Return the score of pairs of codes, shape (n,)."""
        return -(self.a * now + self.b * before + self.c).abs().sum(1) + now.square().sum(1) + self.m


def decoder(out_channels: int, image_side: int) -> nn.Sequential:
    """Return the mirror image of the encoder, from ten latents to logits."""
    check_side(image_side)
    *strided, top = WIDTHS[image_side]
    widths = [*reversed(strided), out_channels]
    layers: list[nn.Module] = [nn.Linear(N_LATENTS, top), nn.Unflatten(1, (top, 1, 1)), nn.ReLU()]
    layers += [nn.ConvTranspose2d(top, widths[0], FLATTENED_SIDE)]
    for a, b in pairwise(widths):
        layers += [nn.ReLU(), nn.ConvTranspose2d(a, b, 4, stride=2, padding=1)]
    return nn.Sequential(*layers)


def _initialise(module: nn.Module) -> None:
    """Kaiming-normal weights and zero biases in convolutions and linear layers; transposed ones keep PyTorch's."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def normal_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, I)), summed over dimensions, averaged over the batch."""
    return 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(1).mean()


def share_posterior(mean: Tensor, log_variance: Tensor) -> tuple[Tensor, Tensor]:
    """Average the posteriors of a pair in the dimensions that the images share.

    d_i is twice the KL from the first to the second posterior; shared is what lies at or below the mean of the
    smallest and the largest d_i of the pair. Means and variances are averaged there.
    """
    (m0, m1), (l0, l1) = separate(mean), separate(log_variance)
    d = (l0 - l1).exp() + (m1 - m0).square() / l1.exp() - 1 + l1 - l0
    shared = d <= 0.5 * (d.amax(1, keepdim=True) + d.amin(1, keepdim=True))
    means = [torch.where(shared, (m0 + m1) / 2, own) for own in (m0, m1)]
    logs = [torch.where(shared, torch.log((l0.exp() + l1.exp()) / 2), own) for own in (l0, l1)]
    return interleave(*means), interleave(*logs)


def laplace_cross_entropy(m: Tensor, sigma: Tensor, rate: float = SLOW_LAMBDA) -> Tensor:
    """Return E[-log Laplace(z; 0, 1 / rate)] for z ~ N(m, sigma²), elementwise.

    -log(rate/2) + rate sigma sqrt(2/pi) exp(-m²/(2 sigma²)) + rate m (1 - 2 Phi(-m/sigma)): the folded normal's mean.
    """
    folded = sigma * math.sqrt(2 / math.pi) * torch.exp(-m.square() / (2 * sigma.square()))
    folded = folded + m * torch.erf(m / (sigma * math.sqrt(2)))
    return rate * folded - math.log(rate / 2)
