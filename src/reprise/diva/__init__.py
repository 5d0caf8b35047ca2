"""DIVA: dataset derivative of a learning task (Dukler, Achille, Paolini, Ravichandran, Polito, Soatto; ICLR 2022).

Every training sample has a weight; DIVA differentiates the leave-one-out error with respect to all of them at once, in
closed form, for a linear model on frozen features (arXiv:2111.09785). No code was released.

Implemented: weighted ridge in primal and dual form, leave-one-out predictions and derivatives with masks and groups,
the validation derivative, Reweight, Extend, detection of wrong labels, augmentation weights and class names as samples,
the older reweighters and detectors that they are compared with, and the linearisation of a whole small network. Not
implemented: linearisation of all layers of a large network.
"""

from reprise.public_names import load_when_used

_HOMES = {
    "Task": "data",
    "load": "data",
    "LooResult": "derivatives",
    "augmentation_weights": "derivatives",
    "find_detrimental": "derivatives",
    "loo_derivative": "derivatives",
    "loo_predictions": "derivatives",
    "validation_derivative": "derivatives",
    "DivaExtend": "estimators",
    "DivaReweight": "estimators",
    "extract_features": "extraction",
    "extract_sentence_features": "extraction",
    "make_task": "generators",
    "DivaInputError": "input_checks",
    "load_torchvision": "torchvision_sets",
}

__getattr__, __dir__, __all__ = load_when_used(__name__, _HOMES)
