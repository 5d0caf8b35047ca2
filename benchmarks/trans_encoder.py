"""Labelling a pool: distinct sentences once and batches by length, against the plain loop; equal scores asserted.

Run: ``python benchmarks/trans_encoder.py``
"""

import argparse
from functools import partial

import numpy as np
import torch
from torch import Tensor

from reprise.compute import numpy_generator, use_threads
from reprise.timing import seconds_per_call
from reprise.trans_encoder.encoders import BATCH, BiEncoder, CrossEncoder
from reprise.trans_encoder.generators import templated_pairs

Pairs = list[tuple[str, str]]


def pool(n: int) -> Pairs:
    """Return drawn pairs whose sentences repeat and differ in length, as those of real pools do."""
    generator = numpy_generator(0, "benchmark", "pool")
    sentences = sorted({sentence for pair in templated_pairs(n // 2, 0)[0] for sentence in pair})
    longer = [" and ".join([s] * int(generator.choice([1, 1, 1, 2, 3]))) for s in sentences]
    places = generator.integers(0, len(longer), (n, 2))
    return [(longer[a], longer[b]) for a, b in places]


@torch.inference_mode()
def plain_bi(model: BiEncoder, pairs: Pairs) -> np.ndarray:
    """Return the cosines: both sentences of each pair tokenised, encoded and padded to the full length, in order."""
    found: list[Tensor] = []
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        sides = [
            model(
                dict(
                    model.tokenizer(
                        [pair[side] for pair in batch],
                        padding="max_length",
                        truncation=True,
                        max_length=model.max_length,
                        return_tensors="pt",
                    )
                )
            )
            for side in (0, 1)
        ]
        found.append((sides[0] * sides[1]).sum(1))
    return torch.cat(found).double().numpy()


@torch.inference_mode()
def plain_cross(model: CrossEncoder, pairs: Pairs) -> np.ndarray:
    """Return the scores of pairs in order, each batch tokenised anew and padded to the full length."""
    found = []
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        tokens = model.tokenizer(
            [a for a, _ in batch],
            [b for _, b in batch],
            padding="max_length",
            truncation=True,
            max_length=model.max_length,
            return_tensors="pt",
        )
        found.append(torch.sigmoid(model(dict(tokens)).double()))
    return torch.cat(found).numpy()


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100, help="pairs to label")
    parser.add_argument("--layers", type=int, default=5, help="layers of MiniLM")
    wanted = parser.parse_args()
    use_threads(1)
    pairs = pool(wanted.pairs)
    distinct = len({sentence for pair in pairs for sentence in pair})
    print(f"{len(pairs)} pairs, {distinct} distinct sentences in {2 * len(pairs)} places, one thread")
    bi = BiEncoder.from_pretrained("minilm", wanted.layers, pooling="mean").eval()
    cross = CrossEncoder.from_pretrained("minilm", wanted.layers, pooling="mean").eval()
    for name, ours, plain in (
        ("bi-encoder", bi.score, partial(plain_bi, bi)),
        ("cross-encoder", cross.score, partial(plain_cross, cross)),
    ):
        np.testing.assert_allclose(ours(pairs), plain(pairs), atol=1e-5)
        fast, slow = (seconds_per_call(partial(one, pairs)) for one in (ours, plain))
        print(f"{name}: {fast * 1e3:.0f} ms; plain loop {slow * 1e3:.0f} ms, ratio {slow / fast:.1f}")


if __name__ == "__main__":
    main()
