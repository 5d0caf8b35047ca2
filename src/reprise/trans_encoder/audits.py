"""What of the data alone questions the protocol: development pairs among the tests, and repeated sentences."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from reprise.trans_encoder import pair_files
from reprise.trans_encoder.cell import Cell, Row
from reprise.trans_encoder.data import development_pairs, key, shared_with_tests, unlabelled_pool, whole_test_set


@cache
def _facts(family: str) -> dict[str, float]:
    pool = unlabelled_pool(family)
    slots = [sentence for pair in pool for sentence in pair]
    repeated = 100 * (1 - len(set(slots)) / len(slots))
    facts = {"pairs of the whole pool": float(len(pool)), "share of repeated sentences (%)": repeated}
    if family == "sts":
        for part in pair_files.BENCHMARK_PARTS:
            pairs = pair_files.sts_benchmark(part)
            facts[f"benchmark {part} pairs"] = len(pairs)
            facts[f"benchmark {part} pairs in gold-scored STS 2012 to 2016"] = int(shared_with_tests(pairs).sum())
    development, pooled = development_pairs(family), {key(pair) for pair in pool}
    facts["development pairs in the whole pool"] = sum(key(pair) in pooled for pair in development.pairs)
    return facts


def audit_rows(cell: Cell) -> Iterator[Row]:
    """Yield counts that depend on no seed."""
    for metric, value in _facts(cell.family).items():
        yield cell.row("data", metric, value, split="all", seed=-1, part="audit", variant=None, backbone=None)
    for name in cell.tests:
        whole = whole_test_set(name)
        yield cell.row(
            "data", "test pairs with gold", len(whole), dataset=name, split="all", seed=-1, part="audit", variant=None,
            backbone=None,
        )  # fmt: skip
