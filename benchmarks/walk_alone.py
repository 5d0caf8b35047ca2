"""Attribution with cached encoders against a loop over coalitions, on the same targets; equal values are asserted.

Run: ``python benchmarks/walk_alone.py``
"""

import argparse
import time
from dataclasses import replace

import numpy as np
import torch

from reprise.compute import use_threads
from reprise.walk_alone.coalitions import all_coalitions
from reprise.walk_alone.games import TrajectronGame
from reprise.walk_alone.states import States
from reprise.walk_alone.training import last_features
from reprise.walk_alone.trajectron import Shape, TrajectronCVAE
from reprise.walk_alone.worlds import world_windows


@torch.inference_mode()
def looped(model: TrajectronCVAE, states: States, masks: np.ndarray) -> np.ndarray:
    """Evaluate coalitions as published: for each target and coalition an input through the whole network."""
    values = np.empty(masks.shape[:2])
    for target in range(len(states)):
        one = states.take(torch.tensor([target]))
        for place, mask in enumerate(masks[target]):
            cut = replace(one, present=torch.from_numpy(mask[None, 1:]))
            values[target, place] = model.nll(*inputs_of(model, cut if mask[0] else cut.with_static_past()))
    return -values


def inputs_of(model: TrajectronCVAE, states: States) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Encode a batch from the beginning."""
    return model.context(states), last_features(model, states), states.future


def compare(mode: str, n_targets: int) -> tuple[float, float]:
    """Return seconds per target: looped, cached. The values must agree to single precision."""
    torch.manual_seed(0)
    model = TrajectronCVAE(Shape(mode=mode, latents=8, decoder_width=64)).eval()  # type: ignore[arg-type]
    states = States.of(world_windows("follow", n_targets // 4, split="benchmark"))
    masks = np.tile(all_coalitions(6), (len(states), 1, 1))
    start = time.perf_counter()
    plain = looped(model, states, masks)
    middle = time.perf_counter()
    fast = TrajectronGame(model, states)(masks)
    end = time.perf_counter()
    np.testing.assert_allclose(fast, plain, rtol=2e-4, atol=2e-4)
    return (middle - start) / len(states), (end - middle) / len(states)


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, default=8, help="targets attributed, with all 64 coalitions each")
    n_targets = parser.parse_args().targets
    use_threads(1)
    compare("edge", 4)
    for mode in ("edge", "sum"):
        plain, fast = compare(mode, n_targets)
        print(
            f"all 64 coalitions of a target, {mode}, NLL: loop {1e3 * plain:.0f} ms, cached {1e3 * fast:.1f} ms, "
            f"ratio {plain / fast:.0f}, equal values"
        )


if __name__ == "__main__":
    main()
