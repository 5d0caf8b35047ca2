"""Rows of searches as the study makes them, with chosen contents."""

import numpy as np
import pandas as pd

from reprise.deep_aa.names import BASE, LEVELS, POLICY, REWARDS, SEARCHED
from reprise.deep_aa.policy import Policy
from reprise.deep_aa.space import AugmentationSpace
from reprise.rows import tidy

SPACE = AugmentationSpace()


def row(part, metric, value, **columns):
    common = dict.fromkeys(("network", "variant", "layer", "operation", "level", "step", "at"))
    common |= {"dataset": "cifar10-4k", "split": "search", "method": SEARCHED, "variant": BASE, "seed": 0}
    return {**common, "part": part, "metric": metric, "value": value, **columns}


def searched_policies(seeds=(0, 1, 2), depths=(4, 4, 3)):
    """Policies that look like the published one with noise."""
    published = Policy.published().probabilities.numpy()
    policies = {}
    for seed, depth in zip(seeds, depths, strict=True):
        noise = np.random.default_rng(seed).dirichlet(np.full(139, 0.3), depth)
        policies[seed] = Policy(0.6 * published[[0, 1, 3, 5]][:depth] + 0.4 * noise, SPACE)
    return policies


def rows_of_searches(**shape) -> pd.DataFrame:
    rows = []
    for seed, policy in searched_policies(**shape).items():
        numbers = np.random.default_rng(seed)
        for layer, (masses, probabilities) in enumerate(
            zip(policy.operation_mass().numpy(), policy.probabilities.numpy(), strict=True), start=1
        ):
            how = {"layer": layer, "seed": seed}
            for name, mass in zip(SPACE.operations, masses, strict=True):
                rows.append(row(POLICY, "mass", mass, operation=name, **how))
            for (operation, level), value in zip(SPACE.transformations, probabilities, strict=True):
                rows.append(row(LEVELS, "probability", value, operation=operation.name, level=level, **how))
                reward = numbers.normal(0.1 * (operation.name == "RandCrop"), 0.02)
                rows.append(row(REWARDS, "reward mean", reward, operation=operation.name, level=level, **how))
                spread = 0.1 if operation.random else 0.05
                rows.append(row(REWARDS, "reward std", spread, operation=operation.name, level=level, **how))
    return tidy(rows)
