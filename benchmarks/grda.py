"""The fast GRDA against the plain published formulation, on the same input, as ratios; equal results are asserted.

Run: ``python benchmarks/grda.py``
"""

import argparse
import time

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from reprise.compute import use_threads
from reprise.grda.batches import problem_of
from reprise.grda.discriminator import pair_weights, sample_domains, weighted_pair_loss
from reprise.grda.domain_embedding import fit_domain_embedding
from reprise.grda.generators import make_dg
from reprise.grda.training import TrainingOptions, train
from reprise.timing import seconds_per_call


def published_loss(codes: Tensor, adjacency: Tensor, subset: list[int]) -> Tensor:
    """Compute L_d as published: a loop over the pairs of sampled domains, with one loss call each."""
    edges, others = [], []
    for place, i in enumerate(subset):
        for j in subset[place + 1 :]:
            scores = (codes[i] * codes[j]).sum(-1)
            loss = binary_cross_entropy_with_logits(scores, adjacency[i, j].expand_as(scores))
            (edges if adjacency[i, j] > 0 else others).append(loss)
    return len(adjacency) * 0.5 * (torch.stack(edges).mean() + torch.stack(others).mean())


def compare_losses(n_domains: int, n_sampled: int) -> tuple[float, float]:
    """Return seconds of loss and gradient: published, fast. The weights are drawn beforehand, as in training."""
    domains = make_dg(n_domains, seed=0)
    subset = sample_domains(domains.adjacency, n_sampled, np.random.default_rng(0))
    adjacency = torch.from_numpy(domains.adjacency).float()
    pairs = pair_weights(adjacency[subset][:, subset])
    chosen = torch.from_numpy(subset)
    codes = torch.randn(n_domains, 10, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)

    def plain() -> tuple[Tensor, Tensor]:
        loss = published_loss(codes, adjacency, subset.tolist())
        return loss, torch.autograd.grad(loss, codes)[0]

    def fast() -> tuple[Tensor, Tensor]:
        loss = n_domains * weighted_pair_loss(codes[chosen], pairs)
        return loss, torch.autograd.grad(loss, codes)[0]

    for one, other in zip(plain(), fast(), strict=True):
        torch.testing.assert_close(one, other)
    return seconds_per_call(plain), seconds_per_call(fast)


def compare_seeds(n_seeds: int, n_steps: int) -> tuple[float, float]:
    """Return seconds of training: seed by seed, all at once. The networks must have the same bits."""
    domains = make_dg(15, seed=0)
    embedding = fit_domain_embedding(domains.adjacency)
    problems = [problem_of(domains, embedding, seed) for seed in range(n_seeds)]
    options = TrainingOptions(n_steps=n_steps)
    train(problems, TrainingOptions(n_steps=5))
    start = time.perf_counter()
    alone = [train([problem], options) for problem in problems]
    middle = time.perf_counter()
    together = train(problems, options)
    end = time.perf_counter()
    rows = (domains.features, domains.domain)
    assert np.array_equal(together.predict(*rows), np.concatenate([one.predict(*rows) for one in alone]))
    return middle - start, end - middle


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200, help="training steps of the comparison by seeds")
    n_steps = parser.parse_args().steps
    use_threads(1)
    for n_domains, n_sampled in ((15, 10), (60, 30)):
        plain, fast = compare_losses(n_domains, n_sampled)
        print(
            f"loss and gradient, {n_sampled} of {n_domains} domains: published {plain * 1e3:.2f} ms, "
            f"fast {fast * 1e3:.2f} ms, ratio {plain / fast:.0f}"
        )
    for n_seeds in (3, 10):
        alone, together = compare_seeds(n_seeds, n_steps)
        step = 1e3 / n_steps / n_seeds
        print(
            f"training step and seed, {n_seeds} seeds: one by one {alone * step:.2f} ms, "
            f"together {together * step:.2f} ms, ratio {alone / together:.2f}, equal bits"
        )


if __name__ == "__main__":
    main()
