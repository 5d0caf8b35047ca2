"""One step with fused attention and resident windows against the published formulation; equal results asserted.

Run: ``python benchmarks/psa_gan.py``; ``--store`` keeps the seconds for the chapter's page, which says the ratios.
"""

import argparse
import csv
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

import reprise.psa_gan
from reprise.compute import use_threads
from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.blocks import LEAK, SelfAttention
from reprise.psa_gan.generators import make_panel
from reprise.psa_gan.losses import discriminator_loss, generator_loss, moment_loss
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.scaling import MinMaxScaler
from reprise.psa_gan.training import drawn_networks
from reprise.psa_gan.windows import WindowSampler
from reprise.timing import seconds_per_call

CHANNELS = 32
N_CRITIC = 2
STORED = Path(reprise.psa_gan.__file__).with_name("benchmark.csv")
Batch = dict[str, Tensor]


class PlainAttention(nn.Module):
    """Attention as published: three layers, a product of l × l numbers, its softmax, another product."""

    def __init__(self, ours: SelfAttention) -> None:
        super().__init__()
        weight, bias = (getattr(ours.projections[0], name) for name in ("weight", "bias"))
        self.layers = nn.ModuleList(nn.Conv1d(weight.shape[1], ours.key_dim, 1) for _ in range(3))
        for layer, own, add in zip(self.layers, weight.chunk(3), bias.chunk(3), strict=True):
            layer.weight.data, layer.bias.data = own.detach().clone(), add.detach().clone()
        self.output, self.gamma, self.key_dim = ours.output, ours.gamma, ours.key_dim

    def forward(self, values: Tensor) -> Tensor:
        """Return γ Wₒ SA(y) + y."""
        query, key, value = (layer(values) for layer in self.layers)
        weights = torch.softmax(query.transpose(1, 2) @ key / self.key_dim**0.5, dim=-1)
        return self.gamma * self.output(value @ weights.transpose(1, 2)) + values


def plain(network: Any) -> Any:
    """Return a copy of a network whose attention is the published one."""
    copied = deepcopy(network)
    for block in copied.blocks:
        block.attention = PlainAttention(block.attention)
    return copied


def plain_windows(panel: TimeSeriesPanel, series: Tensor, start: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Return windows and features as the published loader makes them: sliced window by window, then stacked."""
    values, features = [], []
    for place, first in zip(series.tolist(), start.tolist(), strict=True):
        values.append(panel.values[place, first : first + length])
        features.append(panel.features[:, first : first + length])
    return torch.stack(values), torch.stack(features)


def resident_windows(panel: TimeSeriesPanel, series: Tensor, start: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Return windows and features in one gather each."""
    return panel.windows(series, start, length), panel.window_features(series, start, length)


def step(networks: tuple[Any, Any], batches: list[tuple[Tensor, Batch, Tensor]], *, joint: bool) -> Tensor:
    """Return the gradients' norms of one generator step after the discriminator's, without changing any weight.

    Parameters
    ----------
    networks
        Generator and discriminator.
    batches
        Real windows, conditions and noise of each step; the last one is the generator's.
    joint
        Whether the discriminator sees real and synthetic windows in one batch.
    """
    generator, discriminator = networks
    losses = []
    for real, told, noise in batches[:-1]:
        with torch.no_grad():
            fake = generator(noise, **told)
        scores = (
            discriminator(torch.cat([real, fake]), **told).chunk(2)
            if joint
            else (discriminator(real, **told), discriminator(fake, **told))
        )
        loss = discriminator_loss(*scores)
        loss.backward()
        losses.append(loss.detach())
    real, told, noise = batches[-1]
    fake = generator(noise, **told)
    loss = generator_loss(discriminator(fake, **told)) + moment_loss(fake, real)
    loss.backward()
    norms = [network_norm(network) for network in networks]
    for network in networks:
        network.zero_grad()
    return torch.stack([*losses, loss.detach(), *norms])


def network_norm(network: nn.Module) -> Tensor:
    """Return the norm of a network's gradients."""
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    return torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()


Call = Callable[[], Any]


def compare(name: str, fast: Call, slow: Call, rtol: float = 1e-4) -> tuple[str, float, float]:
    """Assert that both give the same, print times and ratio, and return the name with the seconds of both."""
    for ours, theirs in zip(fast(), slow(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=rtol, atol=1e-5)
    times = [seconds_per_call(one, least_seconds=0.8, clock=time.process_time) for one in (fast, slow)]
    print(f"{name}: {times[0] * 1e3:.2f} ms; published {times[1] * 1e3:.2f} ms, ratio {times[1] / times[0]:.1f}")
    return name, times[0], times[1]


def store(found: list[tuple[str, float, float]], where: str) -> None:
    """Write the seconds of both beside the package, from where the chapter's page reads them."""
    with STORED.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# {where}; seconds of processor time a call. Written by benchmarks/psa_gan.py --store.\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["what", "ours", "published"])
        writer.writerows([name, f"{ours:.4g}", f"{published:.4g}"] for name, ours, published in found)


def attend(layer: nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return a layer's output and the gradient with respect to its input."""
    values = values.detach().requires_grad_()
    output = layer(values)
    (gradient,) = torch.autograd.grad(output.square().sum(), values)
    return output.detach(), gradient


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--window", type=int, default=256, help="τ, a power of two")
    parser.add_argument("--batch", type=int, default=32, help="windows of a batch")
    parser.add_argument("--store", action="store_true", help="keep the seconds for the chapter's page")
    wanted = parser.parse_args()
    use_threads(1)
    panel = make_panel(48, days=60)
    panel = MinMaxScaler.fit(panel).transform(panel)
    architecture = Architecture(wanted.window, panel.n_features, panel.n_series, channels=CHANNELS)
    networks: tuple[Any, Any] = drawn_networks(architecture, seed=0)
    generator = torch.Generator().manual_seed(0)
    for network in networks:
        for block in network.blocks:
            block.attention.gamma.data.fill_(0.5)  # at 0, where training starts, attention would not count
        network.eval()  # the power iteration advances in training, so that two calls would differ
    published = plain(networks[0]), plain(networks[1])
    where = f"τ = {wanted.window}, {wanted.batch} windows a batch, {CHANNELS} channels, one thread"
    print(where)

    values = leaky_relu(torch.randn(wanted.batch, CHANNELS, wanted.window, generator=generator), LEAK)
    ours, theirs = (partial(attend, one[1].blocks[-1].attention, values) for one in (networks, published))
    found = [compare("attention, forward and backward", ours, theirs)]

    series, start = WindowSampler(panel, wanted.window).draw(4 * wanted.batch, generator)
    wanted_windows = panel, series, start, wanted.window
    found.append(
        compare(
            f"{len(series)} windows with features",
            partial(resident_windows, *wanted_windows),
            partial(plain_windows, *wanted_windows),
        )
    )

    batches = [batch(panel, architecture, wanted.batch, generator) for _ in range(N_CRITIC + 1)]
    found.append(
        compare(
            f"a generator step with {N_CRITIC} discriminator steps",
            partial(step, networks, batches, joint=True),
            partial(step, published, batches, joint=False),
        )
    )
    if wanted.store:
        store(found, where)


def batch(
    panel: TimeSeriesPanel, architecture: Architecture, n: int, generator: torch.Generator
) -> tuple[Tensor, Batch, Tensor]:
    """Return real windows, what the networks are told of them, and noise."""
    series, start = WindowSampler(panel, architecture.window).draw(n, generator)
    real, features = resident_windows(panel, series, start, architecture.window)
    noise = torch.randn(n, architecture.noise_size, generator=generator)
    return real, {"category": panel.static_cat[series], "features": features}, noise


if __name__ == "__main__":
    main()
