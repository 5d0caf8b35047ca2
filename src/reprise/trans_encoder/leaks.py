"""What the drawn problem of a run leaks: tested pairs in the pool and in development, held-out pairs half seen."""

from __future__ import annotations

from collections.abc import Sequence

from reprise.numerals import number
from reprise.trans_encoder.data import FAMILIES, Problem, key, load_problem, longest
from reprise.trans_encoder.settings import Settings


def pooled_test_pairs(problem: Problem) -> tuple[int, int]:
    """Return how many of the tested pairs are in the pool, in any order, and how many are tested."""
    pooled = {key(pair) for pair in problem.pool}
    tested = [key(pair) for one in problem.tests.values() for pair in one.pairs]
    return sum(one in pooled for one in tested), len(tested)


def tested_development_pairs(problem: Problem) -> int:
    """Return how many development pairs are among the tested pairs of other data sets or of their own, in any order."""
    tested = {key(pair) for one in problem.tests.values() for pair in one.pairs}
    return sum(key(pair) in tested for pair in problem.development.pairs)


def half_seen_pairs(problem: Problem, limit: int | None) -> tuple[int, int]:
    """Return how many held-out test pairs share a sentence with the pool, and how many there are.

    Parameters
    ----------
    problem
        Of one family and seed.
    limit
        Words of the longest sentence that is compared; None for any.
    """
    pooled = set(problem.sentences())
    held = {
        key(pair): pair
        for name, one in problem.tests.items()
        for pair, out in zip(one.pairs, problem.held_out[name], strict=True)
        if out and (limit is None or longest(pair) <= limit)
    }
    return sum(bool(set(pair) & pooled) for pair in held.values()), len(held)


def _first_problem(settings: Settings) -> Problem | None:
    """Return the problem of the first seed; None where only MRPC is run."""
    families: Sequence[str] = [name for name in ("sts", "templated") if set(FAMILIES[name]) & set(settings.datasets)]
    return load_problem(families[0], settings, settings.seeds[0]) if families else None


def pool_drawn_in_words(settings: Settings) -> str:
    """Say which pairs are drawn into a pool, and how many of the tested ones that is for the first seed."""
    problem = _first_problem(settings)
    if problem is None:
        return ""
    n, tested = pooled_test_pairs(problem)
    all_tested = {key(pair) for one in problem.tests.values() for pair in one.pairs}
    share = 100 * sum(key(pair) in all_tested for pair in problem.pool) / len(problem.pool)
    limit = "" if settings.max_words is None else f" of at most {settings.max_words} words a sentence"
    return (
        f"A pool is no even draw: of pairs{limit}, every tested one comes first, unless it is held out, and others "
        f"fill it up. The pool of seed {settings.seeds[0]} has {n} of the {tested} tested pairs, which are "
        f"{number(share, 0)} % of it."
    )


def leaks_in_words(settings: Settings) -> str:
    """Say what the problem of the first seed leaks; empty where only MRPC is run, which has no such overlap."""
    problem = _first_problem(settings)
    if problem is None:
        return ""
    seed = settings.seeds[0]
    shared, held = half_seen_pairs(problem, settings.max_words)
    return (
        f"In this run {tested_development_pairs(problem)} of {len(problem.development)} development pairs are among "
        f"the tested ones. Of the {held} distinct held-out pairs of seed {seed} that are short enough for its pool, "
        f"{shared} share a sentence with it: held out is the pair, not always its sentences."
    )
