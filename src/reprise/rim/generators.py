"""The embedded data: shoppers who come in bursts and leave for good, with items in hidden cycles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reprise.compute import numpy_generator
from reprise.rim.events import Codes, Events, Numbers, make_events

LENGTH, TEST_TIME, HORIZON, N_WINDOWS = 3.0, 2.5, 0.5, 2
LATEST_START = 0.5
BASE_SHAPE, BASE_MEAN = 1.5, 4.0
CHURN_MEAN, RATE_AFTER_CHURN = 2.0, 0.05
N_CHILDREN, CHILD_DELAY = 0.6, 0.125
N_GROUPS, GROUP_SIZE = 6, 20
SUCCESSOR, POPULAR = 0.7, 0.2


@dataclass(frozen=True)
class Shoppers:
    """What the generator knows of each user.

    Attributes
    ----------
    start, churn
        When the user begins, and when the base rate falls to 5 %, (n_users,).
    rate
        Base rate, events a unit of time, (n_users,).
    """

    start: Numbers
    churn: Numbers
    rate: Numbers

    def intensity(self, user: int, events: Numbers, at: float) -> float:
        """Return the true intensity λ of a user at a time, given its events before it."""
        if at < self.start[user]:
            return 0.0
        base = self.rate[user] * (RATE_AFTER_CHURN if at >= self.churn[user] else 1.0)
        delays = at - events[events < at]
        return float(base + N_CHILDREN / CHILD_DELAY * np.exp(-delays / CHILD_DELAY).sum())

    def expected_count(self, user: int, events: Numbers, at: float, horizon: float) -> float:
        """Return the true mean number of events in [at, at + horizon), all later generations of children included."""
        # Each event of the future makes 0.6 children, each of these again: solve m' for the mean of a linear process.
        steps = np.linspace(0, horizon, 401)
        base = self.rate[user] * np.where(at + steps >= self.churn[user], RATE_AFTER_CHURN, 1.0)
        excited = N_CHILDREN / CHILD_DELAY * np.exp(-(at - events[events < at]) / CHILD_DELAY).sum()
        total, gap = 0.0, steps[1]
        for rate in (base[1:] + base[:-1]) / 2:
            # dz/dt = −z/delay + (children/delay)(rate + z), with z the excited part of the mean intensity
            decay, gain = (1 - N_CHILDREN) / CHILD_DELAY, N_CHILDREN / CHILD_DELAY * rate
            resting = gain / decay
            shrunk = np.exp(-decay * gap)
            total += (rate + resting) * gap + (excited - resting) * (1 - shrunk) / decay
            excited = resting + (excited - resting) * shrunk
        return float(total)


def make_shoppers(seed: int, n_users: int = 800) -> tuple[Events, Shoppers]:
    """Draw users on [0, 3] with bursts, churn and item cycles.

    Base rates are Gamma(1.5, mean 4); after a churn time, exponential with mean 2 after the start, the base rate falls
    to 5 %; each event triggers Poisson(0.6) children after exponential delays of mean 1/8. Items are six groups of
    twenty; the next event is the successor in the group's hidden cycle with probability 0.7, a popular item of the
    group with 0.2, and a popular one of a random group else.

    Parameters
    ----------
    seed
        Names the random streams.
    n_users
        Number of users; those without an event are not among the events' users.
    """
    draw = numpy_generator(seed, "rim", "churn-and-bursts", "times")
    start = draw.uniform(0, LATEST_START, n_users)
    rate = draw.gamma(BASE_SHAPE, BASE_MEAN / BASE_SHAPE, n_users)
    churn = start + draw.exponential(CHURN_MEAN, n_users)
    times = [_times_of(draw, *who) for who in zip(start, rate, churn, strict=True)]
    items = _items(seed, [len(t) for t in times])
    owner = np.repeat(np.arange(n_users), [len(t) for t in times])
    present = np.unique(owner)
    known = Shoppers(start[present], churn[present], rate[present])
    return make_events(owner, items, np.concatenate(times)), known


def _times_of(draw: np.random.Generator, start: float, rate: float, churn: float) -> Numbers:
    before, after = max(0.0, min(churn, LENGTH) - start), max(0.0, LENGTH - max(churn, start))
    generation = np.concatenate(
        [
            start + before * draw.uniform(size=draw.poisson(rate * before)),
            max(churn, start) + after * draw.uniform(size=draw.poisson(rate * RATE_AFTER_CHURN * after)),
        ]
    )
    found = [generation]
    while len(generation):
        children = draw.poisson(N_CHILDREN, len(generation))
        generation = np.repeat(generation, children) + draw.exponential(CHILD_DELAY, children.sum())
        generation = generation[generation < LENGTH]
        found.append(generation)
    return np.sort(np.concatenate(found))


def _items(seed: int, lengths: list[int]) -> Codes:
    draw = numpy_generator(seed, "rim", "churn-and-bursts", "items")
    cycles = np.stack([draw.permutation(GROUP_SIZE) for _ in range(N_GROUPS)])
    place_in_cycle = np.argsort(cycles, axis=1)
    found = np.empty(sum(lengths), dtype=np.int64)
    at = 0
    for length in lengths:
        group, last = int(draw.integers(N_GROUPS)), -1
        for step in range(length):
            chance = draw.uniform()
            if last >= 0 and chance < SUCCESSOR:
                last = int(cycles[group, (place_in_cycle[group, last] + 1) % GROUP_SIZE])
            else:
                if chance >= SUCCESSOR + POPULAR:
                    group = int(draw.integers(N_GROUPS))
                last = min(int(draw.beta(0.5, 2.0) * GROUP_SIZE), GROUP_SIZE - 1)
            found[at + step] = group * GROUP_SIZE + last
        at += length
    return found
