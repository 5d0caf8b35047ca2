"""GIANT-XRT: node feature extraction by self-supervised multi-scale neighbourhood prediction (Chien et al., ICLR 2022).

A text encoder is fine-tuned to predict, from a node's text alone, which nodes are its neighbours: an extreme
multi-label task, made tractable by a tree over the nodes (arXiv:2111.00064). Its pooled output is the node's feature.

Implemented: TF-IDF, PIFA and its variants, the balanced spherical label tree, count targets, shortlists, the weighted
squared hinge and warm starts of XR-Transformer, for a linear encoder, MiniLM and any encoder of Hugging Face; a
tree ranker; features by link prediction, reduced-rank regression and averaging; downstream networks. Not implemented:
SAGN, GAMLP, self-distillation, training on several devices.
"""

from reprise.public_names import load_when_used

_HOMES = {
    "GiantInputError": "input_checks",
    "TfidfText": "tfidf",
    "pifa": "label_vectors",
    "LabelTree": "trees",
    "label_tree": "trees",
    "Recipe": "pretraining",
    "NeighborhoodXMC": "estimators",
    "GiantFeaturizer": "estimators",
    "LinearEncoder": "encoders",
    "TransformerEncoder": "transformer",
    "text_blocks": "generators",
    "load": "data",
}

__getattr__, __dir__, __all__ = load_when_used(__name__, _HOMES)
