"""Trans-Encoder: unsupervised sentence-pair modelling through self- and mutual distillation (Liu et al., ICLR 2022).

A bi-encoder compares vectors of single sentences; a cross-encoder reads both sentences at once. Neither needs labels:
the bi-encoder's cosines train a cross-encoder, whose scores train a fresh bi-encoder, and so on; with two backbones,
both students are taught by the mean of both teachers.

Implemented: both encoders on any transformer, the loop with its losses, schedules, selection and initialisations,
mutual distillation, SimCSE's objective, the control bi → bi, TF-IDF, shared words and word embeddings, and what
questions the result. Not implemented: Mirror-BERT and Contrastive Tension.
"""

from reprise.public_names import load_when_used

_HOMES = {
    "TransEncoder": "estimators",
    "MutualTransEncoder": "estimators",
    "BiEncoder": "encoders",
    "CrossEncoder": "encoders",
    "DistillConfig": "distillation",
    "Recipe": "training",
    "TransEncoderInputError": "input_checks",
    "spearman": "measures",
    "templated_pairs": "generators",
}
__getattr__, __dir__, __all__ = load_when_used(__name__, _HOMES)
