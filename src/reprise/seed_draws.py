"""Bootstrap draws of a run's seeds: what the stability of a verdict is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

# A draw that shows every subset of seeds is found within a few tries where the subsets are few; the bound is for runs
# with so many that there may be none.
MOST_TRIES = 1000


def seed_draws(rows: pd.DataFrame, n_draws: int, generator: np.random.Generator) -> Iterator[pd.DataFrame]:
    """Draw the seeds of a run with replacement; the drawn ones are numbered anew, so that pairs stay pairs.

    Data sets that were run with the same seeds share a draw, since a rule may average over them seed by seed. A draw
    that holds a single seed again and again, or none, of those for which some result was computed has no spread there
    and would make its interval a point; it is drawn anew. Rows without randomness (seed −1) are in every draw.

    Parameters
    ----------
    rows
        Tidy rows of a run.
    n_draws
        How many draws.
    generator
        The source of randomness.

    Yields
    ------
    pandas.DataFrame
        The rows of the drawn seeds, with ``seed`` counting from 0 in each data set.
    """
    import numpy as np

    seed = rows["seed"].to_numpy()
    fixed = np.flatnonzero(seed < 0)
    places = [here[seed[here] >= 0] for here in rows.groupby("dataset", sort=True).indices.values()]
    seeds = [tuple(np.unique(seed[here]).tolist()) for here in places]
    subsets = _seeds_of_results(rows.iloc[seed >= 0])
    for _ in range(n_draws):
        drawn = {present: _draw(present, subsets, generator) for present in dict.fromkeys(seeds)}
        taken, numbers = [fixed], [np.full(fixed.size, -1)]
        for here, present in zip(places, seeds, strict=True):
            for number, one in enumerate(drawn[present]):
                taken.append(here[seed[here] == one])
                numbers.append(np.full(taken[-1].size, number))
        yield rows.take(np.concatenate(taken)).assign(seed=np.concatenate(numbers))


def _seeds_of_results(rows: pd.DataFrame) -> frozenset[frozenset[int]]:
    """Return the sets of two or more seeds with which some result was computed."""
    import numpy as np

    identity = [column for column in rows.columns if column not in ("seed", "value")]
    result = rows.groupby(identity, dropna=False, sort=False).ngroup().to_numpy()
    pairs = np.unique(np.stack([result, rows["seed"].to_numpy()]), axis=1)
    parts = np.split(pairs[1], np.flatnonzero(np.diff(pairs[0])) + 1)
    return frozenset(frozenset(part.tolist()) for part in parts if part.size > 1)


def _draw(
    seeds: tuple[int, ...], subsets: frozenset[frozenset[int]], generator: np.random.Generator
) -> NDArray[np.int64]:
    import numpy as np

    drawn = np.array(seeds, dtype=np.int64)
    shown = [subset for subset in subsets if subset <= set(seeds)]
    for _ in range(MOST_TRIES if seeds else 0):
        drawn = generator.choice(seeds, size=len(seeds))
        held = set(drawn.tolist())
        if all(len(held & subset) > 1 for subset in shown):
            break
    return drawn
