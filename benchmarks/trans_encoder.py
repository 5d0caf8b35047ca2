"""Labelling a pool: distinct sentences once, tokenised once, batches by length, against the published loop.

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
    # Two sentences a pair, drawn with replacement: about 37 % of the places repeat one, as in the pool of the STS sets.
    sentences = sorted({sentence for pair in templated_pairs(n, 0)[0] for sentence in pair})
    longer = [" and ".join([s] * int(generator.choice([1, 1, 1, 2, 3]))) for s in sentences]
    places = generator.integers(0, len(longer), (n, 2))
    return [(longer[a], longer[b]) for a, b in places]


@torch.inference_mode()
def plain_bi(model: BiEncoder, pairs: Pairs) -> np.ndarray:
    """Return the cosines as the published code has them: all first and all second sentences, sorted by length."""
    first, second = (_encoded_plainly(model, [pair[side] for pair in pairs]) for side in (0, 1))
    return (first * second).sum(1).double().numpy()


def _encoded_plainly(model: BiEncoder, sentences: list[str]) -> Tensor:
    order = np.argsort([-len(sentence) for sentence in sentences], kind="stable")
    found = torch.empty(len(sentences), model.trunk.config.hidden_size)
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH].tolist()
        found[places] = model(_tokens(model, [sentences[place] for place in places]))
    return found


@torch.inference_mode()
def plain_cross(model: CrossEncoder, pairs: Pairs) -> np.ndarray:
    """Return the scores of pairs in the order given, each batch tokenised anew and padded to its longest pair."""
    found = []
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        found.append(torch.sigmoid(model(_tokens(model, *map(list, zip(*batch, strict=True)))).double()))
    return torch.cat(found).numpy()


def _tokens(model: BiEncoder | CrossEncoder, *texts: list[str]) -> dict[str, Tensor]:
    return dict(
        model.tokenizer(*texts, padding="longest", truncation=True, max_length=model.max_length, return_tensors="pt")
    )


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
