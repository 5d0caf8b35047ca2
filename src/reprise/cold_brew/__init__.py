"""Cold Brew: distilling graph node representations with incomplete or missing neighbourhoods (Zheng et al., ICLR 2022).

A GCN earns its accuracy by averaging over neighbours, and loses it on nodes that have none. Cold Brew trains a
*teacher*, a GCN whose layers own a free vector per node (structural embeddings), and a *student* that sees features
alone: it guesses the teacher's embedding of a node, looks up the most similar embeddings of the training graph (latent
neighbours), and predicts from both. The feature contribution ratio tells beforehand how hard a graph will be.

Implemented: both models, the ratio, the head/tail/isolation protocol in two modes, label propagation, GraphSAGE,
GraphMLP, GLNN and a k-nearest-neighbour graph as comparisons, link prediction, and audits of the published protocol.
Not implemented: TailGCN and Meta-tail2vec, which have no kept library; the paper's figures for them are quoted.
"""

from reprise.public_names import load_when_used

_HOMES = {
    "ColdBrew": "estimator",
    "ColdBrewTeacher": "teacher",
    "ColdBrewStudent": "student",
    "ColdStartSplit": "splits",
    "Recipe": "training",
    "SEConv": "layers",
    "SEGCN": "layers",
    "Settings": "settings",
    "cold_start_split": "splits",
    "degree_splits": "splits",
    "fcr_report": "estimator",
    "feature_contribution_ratio": "feature_contribution",
    "load_graph": "data",
    "propagate_labels": "label_propagation",
    "sub_topic_world": "data",
}

__getattr__, __dir__, __all__ = load_when_used(__name__, _HOMES)
