"""Graph-relational domain adaptation (Xu, He, Lee, Wang, Wang; ICLR 2022; arXiv:2202.03628).

Classic adversarial adaptation aligns all domains with one another. Here the domains are nodes of a known graph, and
the adversary has to tell from two encodings whether their domains are *adjacent*; fooling it asks for less alignment
the less connected the graph is. The encoder knows the domain through an embedding of its node.

Implemented: the method with the pairing of the formula and that of the released loader, its five baselines over the
same networks, estimators in scikit-learn's conventions, the DG and TPT-48 data, the theory in closed form (bound,
optimal alignments, a graph's alignment freedom), and hop-by-hop self-training. Not implemented: joint training of the
node embedding, and CompCars, whose images are given out on request only (a digits grid has its shape).
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "GraphDomains": "data",
    "load": "data",
    "permute_rows_within_domains": "data",
    "make_dg": "generators",
    "make_digits_grid": "generators",
    "check_adjacency": "graphs",
    "domain_hops": "graphs",
    "levels": "graphs",
    "accuracy_by_domain": "scores",
    "squared_error_by_domain": "scores",
    "self_train": "self_training",
    "alignment_freedom": "theory",
    "entropy_bound": "theory",
    "optimal_alignment": "theory",
    "optimal_discriminator_loss": "theory",
    "fit_domain_embedding": "domain_embedding",
    "GRDAClassifier": "estimators",
    "GRDARegressor": "estimators",
    **{
        f"{method}{kind}": "baselines"
        for method in ("SourceOnly", "DANN", "CDANN", "ADDA", "MDD")
        for kind in ("Classifier", "Regressor")
    },
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first asked for, so that this package stays light."""
    if name not in _HOMES:
        from difflib import get_close_matches

        close = get_close_matches(name, _HOMES, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}", name=name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
