"""The problems of the study: pool, development and test pairs of a family of data sets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reprise.compute import numpy_generator
from reprise.trans_encoder import pair_files
from reprise.trans_encoder.generators import templated_pairs
from reprise.trans_encoder.input_checks import Pair
from reprise.trans_encoder.pair_files import PairSet, joined
from reprise.trans_encoder.settings import SEVEN_SETS, Settings

EMBEDDED, BENCHMARK, SICK, MRPC = "templated-pairs", "sts-benchmark", "sick", "mrpc"
# One training serves all data sets of a family: they are tests of the same models.
FAMILIES: dict[str, tuple[str, ...]] = {"templated": (EMBEDDED,), "sts": SEVEN_SETS, "mrpc": (MRPC,)}
# Under which data set a family's pool, development pairs and audits are reported.
HOMES = {"templated": EMBEDDED, "sts": BENCHMARK, "mrpc": MRPC}
KINDS_OF_MEASURE = {"templated": "spearman", "sts": "spearman", "mrpc": "auc"}
TEMPLATED_SIZES = {"pool": 4000, "development": 400, "test": 1000}
HELD_OUT = 0.5


@dataclass(frozen=True)
class Problem:
    """What the study of one family and seed works on.

    Attributes
    ----------
    family
        ``"sts"``, ``"mrpc"`` or ``"templated"``.
    pool
        Unlabelled pairs: those test pairs that are not held out and short enough, and others; no held-out pair.
    development
        Pairs with gold, for selection.
    leak_free
        Development pairs that are in no test set; None where there is no overlap.
    tests
        Data set to test pairs with gold.
    held_out
        Data set to a mask of its test pairs that are kept out of the pool.
    kind
        ``"spearman"`` or ``"auc"``.
    """

    family: str
    pool: tuple[Pair, ...]
    development: PairSet
    leak_free: PairSet | None
    tests: dict[str, PairSet]
    held_out: dict[str, NDArray[np.bool_]]
    kind: str

    @property
    def home(self) -> str:
        """The data set under which pool and development pairs are reported."""
        return HOMES[self.family]

    def sentences(self) -> list[str]:
        """Return the distinct sentences of the pool."""
        return list(dict.fromkeys(sentence for pair in self.pool for sentence in pair))


def whole_test_set(data_set: str) -> PairSet:
    """Return all test pairs of a data set that have a gold score."""
    if data_set.startswith("sts-20"):
        return pair_files.sts_year(int(data_set.removeprefix("sts-"))).with_gold()
    if data_set == BENCHMARK:
        return pair_files.sts_benchmark("test")
    if data_set == SICK:
        return pair_files.sick("test")
    if data_set == MRPC:
        return pair_files.mrpc("test")
    return _templated("test")


def unlabelled_pool(family: str) -> tuple[Pair, ...]:
    """Return all pairs of a family without their scores, each (ordered) pair once.

    STS: all pairs of 2012 to 2016, those without gold too, and all parts of the STS benchmark and of SICK; MRPC: all
    its parts.
    """
    if family == "sts":
        sets = [pair_files.sts_year(year) for year in pair_files.YEARS]
        sets += [pair_files.sts_benchmark(part) for part in pair_files.BENCHMARK_PARTS]
        sets += [pair_files.sick(part) for part in pair_files.SICK_FILES]
    elif family == "mrpc":
        sets = [pair_files.mrpc(part) for part in pair_files.MRPC_PARTS]
    else:
        sets = [_templated("pool"), _templated("test")]
    return tuple(dict.fromkeys(joined(sets).pairs))


def development_pairs(family: str) -> PairSet:
    """Return all development pairs: those of the STS benchmark, MRPC's validation part, or drawn ones."""
    if family == "sts":
        return pair_files.sts_benchmark("dev")
    return pair_files.mrpc("val") if family == "mrpc" else _templated("development")


def _templated(part: str) -> PairSet:
    pairs, gold, kinds = templated_pairs(TEMPLATED_SIZES[part], 0, part)
    return PairSet(tuple(pairs), gold, tuple(kinds))


def key(pair: Pair) -> frozenset[str]:
    """Return what identifies a pair whatever its order."""
    return frozenset(pair)


def shared_with_tests(pairs: PairSet) -> NDArray[np.bool_]:
    """Tell of each pair whether STS 2012 to 2016 test on it, with a gold score, in either order."""
    tested = {key(p) for year in pair_files.YEARS for p in pair_files.sts_year(year).with_gold().pairs}
    return np.array([key(pair) in tested for pair in pairs.pairs])


def longest(pair: Pair) -> int:
    """Return the number of words of the longer sentence."""
    return max(len(sentence.split()) for sentence in pair)


def load_problem(family: str, settings: Settings, seed: int) -> Problem:
    """Return the problem of a family and seed.

    Test and development pairs are samples that are the same for all seeds. Which half of the test pairs is held out of
    the pool, and which other pairs are in it, differs.
    """
    tests = {name: _sample(whole_test_set(name), settings.test_pairs, name) for name in FAMILIES[family]}
    held_out = {name: np.array([_is_held_out(pair, seed) for pair in one.pairs]) for name, one in tests.items()}
    limit = settings.mrpc_max_words if family == "mrpc" else settings.max_words
    size = settings.mrpc_pool_pairs if family == "mrpc" else settings.pool_pairs
    pool = _pool(family, tests, held_out, limit, size, seed)
    development = development_pairs(family)
    leak_free = None
    if family == "sts":
        leak_free = _sample(development.take(~shared_with_tests(development)), settings.dev_pairs, "leak-free")
    return Problem(
        family,
        pool,
        _sample(development, settings.dev_pairs, f"{family} development"),
        leak_free,
        tests,
        held_out,
        KINDS_OF_MEASURE[family],
    )


def _sample(pairs: PairSet, n: int | None, name: str) -> PairSet:
    if n is None or n >= len(pairs):
        return pairs
    drawn = numpy_generator(0, "trans-encoder", "sample", name).choice(len(pairs), n, replace=False)
    return pairs.take(np.sort(drawn))


def _is_held_out(pair: Pair, seed: int) -> bool:
    # By its text: a pair that stands in two sets is held out of both or of neither.
    digest = hashlib.sha256("\x1f".join([str(seed), *sorted(pair)]).encode()).digest()
    return digest[0] < 256 * HELD_OUT


def _pool(
    family: str,
    tests: dict[str, PairSet],
    held_out: dict[str, NDArray[np.bool_]],
    limit: int | None,
    n: int | None,
    seed: int,
) -> tuple[Pair, ...]:
    kept_out = {key(p) for name, one in tests.items() for p in one.take(held_out[name]).pairs}
    seen = {key(p) for name, one in tests.items() for p in one.take(~held_out[name]).pairs}
    fitting = [p for p in unlabelled_pool(family) if limit is None or longest(p) <= limit]
    first = [p for p in fitting if key(p) in seen]
    others = [p for p in fitting if key(p) not in seen and key(p) not in kept_out]
    if n is None:
        return (*first, *others)
    generator = numpy_generator(seed, "trans-encoder", "pool", family)
    first = [first[place] for place in generator.permutation(len(first))[:n]]
    chosen = generator.permutation(len(others))[: n - len(first)]
    return (*first, *(others[place] for place in chosen))


def supervised_pairs(family: str, limit: int | None, n: int, seed: int) -> PairSet:
    """Return training pairs with gold, for the supervised ceiling: of the STS benchmark, MRPC, or drawn ones."""
    if family == "sts":
        pairs = pair_files.sts_benchmark("train")
    else:
        pairs = pair_files.mrpc("train") if family == "mrpc" else _templated("pool")
    pairs = pairs.take(np.array([limit is None or longest(pair) <= limit for pair in pairs.pairs]))
    return pairs.take(numpy_generator(seed, "trans-encoder", "supervised", family).permutation(len(pairs))[:n])
