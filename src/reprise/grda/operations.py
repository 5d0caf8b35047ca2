"""How much arithmetic one training step of each method is, and how many numbers its networks have."""

import numpy as np

from reprise.flops import floating_point_operations, parameter_count
from reprise.grda.batches import problem_of
from reprise.grda.data import GraphDomains
from reprise.grda.plan import NAMES
from reprise.grda.settings import Settings
from reprise.grda.training import Trained, TrainingOptions, train

PAPER_WIDTH = 512


def operations_of_a_step(domains: GraphDomains, settings: Settings) -> dict[str, float]:
    """Count the operations of one training step and seed: each method as set, and GRDA at the paper's width.

    Parameters
    ----------
    domains
        A data set; its size decides, not its values.
    settings
        Methods, width and batch.

    Returns
    -------
    dict of str to float
        Method, units and number of parameters to operations, forward and backward.
    """
    problem = problem_of(domains, np.zeros((domains.n_domains, 2)), seed=0)
    counted = dict.fromkeys([*((method, settings.hidden_width) for method in settings.methods), ("GRDA", PAPER_WIDTH)])
    work = {}
    for method, width in counted:
        options = TrainingOptions(
            method=NAMES[method],  # type: ignore[arg-type]
            hidden_width=width,
            discriminator_width=settings.discriminator_width,
            n_steps=1,
            batch_per_domain=settings.batch_per_domain,
        )
        trained: list[Trained] = []
        count = floating_point_operations(lambda o=options, kept=trained: kept.append(train([problem], o)))
        n_parameters = parameter_count(*trained[0].networks.modules().values())
        what = f"one step of {method} on {domains.name}, {width} units, {n_parameters / 1e6:.2f} million parameters"
        work[what] = float(count)
    return work
