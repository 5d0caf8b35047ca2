"""Graph-relational domain adaptation (Xu, He, Lee, Wang, Wang; ICLR 2022; arXiv:2202.03628).

Classic adversarial adaptation aligns all domains with one another. Here the domains are nodes of a known graph, and
the adversary has to tell from two encodings whether their domains are *adjacent*; fooling it asks for less alignment
the less connected the graph is. The encoder knows the domain through an embedding of its node.

Implemented: the method with the pairing of the formula and that of the released loader, its five baselines over the
same networks, estimators in scikit-learn's conventions, the DG and TPT-48 data, the theory in closed form (bound,
optimal alignments, a graph's alignment freedom), and hop-by-hop self-training. Not implemented: joint training of the
node embedding, and CompCars, whose images are given out on request only (a digits grid has its shape).
"""

from reprise.public_names import load_when_used

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
    "edge_probability": "theory",
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

__getattr__, __dir__, __all__ = load_when_used(__name__, _HOMES)
