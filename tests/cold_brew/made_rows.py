"""Rows made by hand, for tests of rules and of sentences."""

from reprise.cold_brew import rules

JITTER = (-0.5, 0.0, 0.5)  # a difference of two such values has an interval of about ±2.5 points at most


def row(dataset, split, method, metric, value, *, seed=0, mode="paper10", setting=None, at=float("nan")):
    return dict(
        dataset=dataset, split=split, method=method, seed=seed, metric=metric, value=value, mode=mode,
        setting=setting, at=at,
    )  # fmt: skip


def seeds(dataset, split, method, value, metric="accuracy", *, spread=1.0, **more):
    return [
        row(dataset, split, method, metric, value + spread * shift, seed=seed, **more)
        for seed, shift in enumerate(JITTER)
    ]


def noisy(dataset, split, method, value, metric="accuracy", **more):
    return seeds(dataset, split, method, value, metric, spread=20.0, **more)


def ratios(fcr, homophily, gaps=None):
    lines = []
    for place, name in enumerate(rules.RATIO_SETS):
        for metric, values in (("fcr", fcr), ("homophily", homophily)):
            lines += seeds(name, "original graph", "graph", values[place], metric, spread=0.0)
        if gaps is not None:
            lines += seeds(name, "head", rules.TEACHER, 50 + gaps[place])
            lines += seeds(name, "isolation", rules.TEACHER, 50, spread=0.0)
    return lines


RISING = tuple(range(20, 100, 10))
FALLING = RISING[::-1]
MIXED = (20, 90, 30, 80, 40, 70, 50, 60)
