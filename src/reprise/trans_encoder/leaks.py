"""What the drawn problem of a run leaks: development pairs that are tested on, held-out pairs that share a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from reprise.trans_encoder.data import FAMILIES, Problem, key, load_problem, longest
from reprise.trans_encoder.settings import Settings


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


def leaks_in_words(settings: Settings) -> str:
    """Say what the problem of the first seed leaks; empty where only MRPC is run, which has no such overlap."""
    families: Sequence[str] = [name for name in ("sts", "templated") if set(FAMILIES[name]) & set(settings.datasets)]
    if not families:
        return ""
    seed = settings.seeds[0]
    problem = load_problem(families[0], settings, seed)
    shared, held = half_seen_pairs(problem, settings.max_words)
    return (
        f"In this run {tested_development_pairs(problem)} of {len(problem.development)} development pairs are among "
        f"the tested ones. Of the {held} distinct held-out pairs of seed {seed} that are short enough for its pool, "
        f"{shared} share a sentence with it: held out is the pair, not always its sentences."
    )
