"""How every method of the book looks: one colour, marker and dash in all figures of all chapters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reprise.errors import unknown_name
from reprise.palette import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn in every figure of the book.

    Attributes
    ----------
    colour
        Hexadecimal colour.
    marker
        Matplotlib marker; differs wherever colours could be confused.
    dash
        Matplotlib line style.
    """

    colour: str
    marker: str
    dash: Any = "-"


# How every method of the book looks, by field: fields never meet in one figure, so that looks may repeat between them.
# The method under test is always blue; what a baseline is called and looks like stays the same in all chapters.
METHODS_BY_FIELD: dict[str, dict[str, MethodStyle]] = {
    "domain adaptation": {
        "GRDA": MethodStyle(BLUE, "o"),
        "GRDA, row-paired": MethodStyle(SKY, "D", (0, (4, 1))),
        "Source-only": MethodStyle(GREY, "X", (0, (1, 1))),
        "DANN": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "CDANN": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "ADDA": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "MDD": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "CORAL": MethodStyle("#8C6D31", "d", (0, (1, 2))),
        "Logistic regression": MethodStyle("#BFBFBF", "h", (0, (1, 1))),
        "Hop-by-hop self-training": MethodStyle(BLACK, "*", (0, (6, 1))),
        "Seasonal linear map": MethodStyle("#5B3A8C", "p", (0, (6, 2))),
        "Linear map": MethodStyle("#A6A6A6", "<", (0, (2, 2))),
        "Climatology": MethodStyle("#8F8F8F", ">", (0, (1, 3))),
    },
    "graph learning": {
        "Cold Brew student": MethodStyle(BLUE, "o"),
        "Cold Brew teacher": MethodStyle(SKY, "D", (0, (4, 1))),
        "GCN": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "GraphSAGE": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "MLP": MethodStyle(GREY, "X", (0, (1, 1))),
        "GraphMLP": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "GLNN": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "Label propagation": MethodStyle(BLACK, "*", (0, (6, 1))),
        "k-NN-GCN": MethodStyle("#8C6D31", "d", (0, (1, 2))),
        "GNN": MethodStyle("#117733", "p", (0, (4, 2))),
        "TailGCN": MethodStyle("#882255", "8", (0, (2, 2))),
        "Meta-tail2vec": MethodStyle("#AA4499", "<", (0, (1, 3))),
        "Degree switch": MethodStyle("#332288", "H", (0, (6, 2))),
        "graph": MethodStyle("#404040", "o"),  # a property of the graph itself
    },
    # No method is under test here; the CNN is the benchmark's own.
    "generalisation in a domain": {
        "CNN": MethodStyle(BLUE, "o"),
        "CNN, augmented": MethodStyle(BLUE, "p", (0, (4, 2))),
        "CNN, soft-argmax": MethodStyle(BLUE, "8", (0, (2, 2))),
        "CoordConv": MethodStyle(SKY, "D", (0, (4, 1))),
        "SetEncoder": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "RotEq-CNN": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "RotEq-CNN, big": MethodStyle("#A14A00", "s", (0, (2, 1))),
        "Spatial transformer": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "ResNet-18, narrow": MethodStyle("#B5975A", "h", (0, (1, 1))),
        "ResNet-50": MethodStyle("#8C6D31", "h", (0, (4, 2))),
        "ResNet-101": MethodStyle("#5C4520", "h", (0, (4, 2))),
        "DenseNet-121": MethodStyle("#117733", "p", (0, (4, 2))),
        "ResNet-50 (ImageNet-1k)": MethodStyle("#AA4499", "8", (0, (1, 3))),
        "ResNet-50 (ImageNet-21k)": MethodStyle("#882255", "8", (0, (2, 2))),
        "ResNet-101 (ImageNet-21k)": MethodStyle("#332288", "8", (0, (6, 2))),
        "BetaVAE": MethodStyle("#5B3A8C", ">", (0, (6, 2))),
        "Ada-GVAE": MethodStyle("#AA4499", "<", (0, (1, 3))),
        "SlowVAE": MethodStyle("#332288", "H", (0, (2, 2))),
        "PCL": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "Clamp oracle": MethodStyle(BLACK, "*", (0, (6, 1))),
        "not converged": MethodStyle("#BDBDBD", "x", (0, (1, 1))),
    },
    # What is compared within one model of that field: the split, or the training set, that it was trained on.
    "training sets of a grid": {
        "random": MethodStyle(BLUE, "o"),
        "composition": MethodStyle(GREEN, "v"),
        "interpolation": MethodStyle(ORANGE, "^"),
        "extrapolation": MethodStyle(VERMILION, "s"),
        "control": MethodStyle(BLUE, "D"),
        "held out": MethodStyle(VERMILION, "X"),
    },
    "trajectory prediction": {
        "Trajectron++": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "Trajectron++Edge": MethodStyle(BLUE, "o"),
        "Trajectron++Edge, neighbours cut": MethodStyle(SKY, "D", (0, (4, 1))),
        "Trajectron++Edge, trained alone": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "PECNet": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "Social-STGCNN": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "Constant velocity": MethodStyle(GREY, "X", (0, (1, 1))),
    },
    "data selection": {
        "DIVA Reweight": MethodStyle(BLUE, "o"),
        "DIVA Extend": MethodStyle(BLUE, "D"),
        "DIVA derivative": MethodStyle(BLUE, "H"),
        "DIVA Extend, class quota": MethodStyle(SKY, "p", (0, (6, 2))),
        "Reweight, validated": MethodStyle(VERMILION, "D", (0, (5, 2))),
        "Reweight, raw step": MethodStyle(SKY, ">", (0, (2, 1))),
        "Reweight, flat loss": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "Reweight, squared loss": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "Uniform": MethodStyle(GREY, "X", (0, (1, 1))),
        "Random selection": MethodStyle(GREY, "d", (0, (1, 1))),
        "DIVA's order reversed": MethodStyle(VERMILION, "<", (0, (5, 2))),
        "Leave-one-out residual": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "cleanlab": MethodStyle("#117733", "8", (0, (5, 1, 1, 1))),
        "KNN-Shapley": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "Softmax head": MethodStyle("#8C6D31", "d", (0, (1, 2))),
        "Active Bias": MethodStyle("#882255", "p", (0, (3, 1, 1, 1))),
        "L2RW": MethodStyle(BLACK, "*", (0, (6, 1))),
        "L2RW, all samples": MethodStyle("#5B3A8C", ">", (0, (6, 2))),
    },
    "recommendation and marketing": {
        "GRU": MethodStyle(GREY, "o", (0, (1, 1))),
        "GRU × UserPop": MethodStyle(ORANGE, "o", (0, (3, 1, 1, 1))),
        "GRU × EMA": MethodStyle(GREEN, "o", (0, (5, 1, 1, 1))),
        "GRU × Hawkes": MethodStyle(VERMILION, "o", (0, (5, 2))),
        "GRU × HP": MethodStyle(BLUE, "o"),
        "GRU × HP of other users": MethodStyle(SKY, "o", (0, (1, 3))),
        "GRU × true counts": MethodStyle(BLACK, "o", (0, (6, 1))),
        "GRU × true intensity": MethodStyle("#5B3A8C", "o", (0, (6, 2))),
        "GRU × Hawkes, integrated": MethodStyle("#A14A00", "o", (0, (2, 1))),
        "GRU × HP, visits": MethodStyle("#332288", "o", (0, (4, 1))),
        "GRU × count and recency": MethodStyle("#117733", "o", (0, (4, 2))),
        "GRU × boosted counts": MethodStyle(PURPLE, "o", (0, (2, 2))),
        "GRU × Hawkes, longer scales": MethodStyle(VERMILION, "8", (0, (1, 2))),
        "GRU × HP, longer scales": MethodStyle(BLUE, "8", (0, (1, 2))),
        "Transformer": MethodStyle(GREY, "^", (0, (1, 1))),
        "Transformer × UserPop": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "Transformer × EMA": MethodStyle(GREEN, "^", (0, (5, 1, 1, 1))),
        "Transformer × Hawkes": MethodStyle(VERMILION, "^", (0, (5, 2))),
        "Transformer × HP": MethodStyle(BLUE, "^"),
        "ItemPop": MethodStyle(GREY, "s", (0, (1, 1))),
        "ItemPop × UserPop": MethodStyle(ORANGE, "s", (0, (3, 1, 1, 1))),
        "ItemPop × EMA": MethodStyle(GREEN, "s", (0, (5, 1, 1, 1))),
        "ItemPop × Hawkes": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "ItemPop × HP": MethodStyle(BLUE, "s"),
        "Random": MethodStyle(GREY, "X", (0, (1, 3))),
        "ALS": MethodStyle("#8C6D31", "d", (0, (1, 2))),
        "ALS × HP": MethodStyle(BLUE, "d", (0, (4, 1))),
        "LogisticMF": MethodStyle("#882255", "p", (0, (2, 2))),
        "BPR-Item": MethodStyle("#AA4499", "<", (0, (1, 3))),
        "BPR-User": MethodStyle("#AA4499", ">", (0, (1, 3))),
        "BPR, both kinds of negatives": MethodStyle("#AA4499", "D", (0, (1, 3))),
        "GraphConv": MethodStyle("#117733", "8", (0, (4, 2))),
        "GraphConv-Extra": MethodStyle("#117733", "H", (0, (4, 2))),
        "LDA": MethodStyle("#8F8F8F", "v", (0, (1, 3))),
        "True marks × HP": MethodStyle(BLUE, "*"),
        "True marks × true counts": MethodStyle(BLACK, "*"),
    },
    "graphs with text": {
        "GIANT": MethodStyle(BLUE, "o"),
        "GIANT, one hop": MethodStyle(BLUE, "p", (0, (4, 2))),
        "GIANT, closed form": MethodStyle(SKY, "D", (0, (4, 1))),
        "SVD + GIANT": MethodStyle("#332288", "H", (0, (6, 2))),
        "GIANT, rewired graph": MethodStyle(BLACK, "X", (0, (1, 1))),
        "GIANT, many labels": MethodStyle("#00213A", "s", (0, (4, 2))),
        "GIANT, one part changed": MethodStyle(BLUE, "s"),
        "GIANT, own heads": MethodStyle(BLUE, "*", (0, (1, 2))),
        "Untrained encoder": MethodStyle(BLACK, "1", (0, (1, 3))),
        "Most linked clusters": MethodStyle("#A6A6A6", "x", (0, (1, 3))),
        "Link prediction": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "TF-IDF": MethodStyle(GREY, "X", (0, (1, 1))),
        "SVD": MethodStyle("#8C6D31", "d", (0, (1, 2))),
        "Binary words": MethodStyle("#A6A6A6", "<", (0, (2, 2))),
        "SVD, one hop": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "MiniLM, frozen": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "MiniLM, GIANT": MethodStyle("#117733", "8", (0, (4, 2))),
        "DGI": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "GAE": MethodStyle("#882255", ">", (0, (2, 2))),
        "XR-Linear": MethodStyle("#5B3A8C", "h", (0, (6, 2))),
        "OGB features": MethodStyle("#595959", "d", (0, (1, 2))),
        "BERT": MethodStyle("#404040", "v", (0, (5, 1, 1, 1))),
        "BERT + link prediction": MethodStyle("#A14A00", "s", (0, (5, 2))),
        "PIFA tree": MethodStyle(BLUE, "D"),
        "Text tree": MethodStyle("#009E9E", "^", (0, (3, 1, 1, 1))),
        "PII tree": MethodStyle("#AA4499", "v", (0, (5, 1, 1, 1))),
        "Random tree": MethodStyle(GREY, "P", (0, (1, 1))),
    },
    "sentence pairs": {
        "Self, cross": MethodStyle(BLUE, "s"),
        "Self, bi": MethodStyle(GREEN, "o"),
        "Mutual, cross": MethodStyle(SKY, "s", (0, (4, 1))),
        "Mutual, bi": MethodStyle("#5DBB9B", "o", (0, (4, 1))),
        "Mutual, cross, second": MethodStyle(SKY, "X", (0, (4, 1))),
        "Mutual, bi, second": MethodStyle("#5DBB9B", "X", (0, (4, 1))),
        "Mutual, cross, mean of both": MethodStyle(SKY, "P", (0, (4, 1))),
        "Mutual, bi, mean of both": MethodStyle("#5DBB9B", "P", (0, (4, 1))),
        "Second start": MethodStyle(GREY, "X", (0, (1, 1))),
        "Mean of both starts": MethodStyle(GREY, "P", (0, (1, 1))),
        "Start": MethodStyle(GREY, "o", (0, (1, 1))),
        "Bi to bi": MethodStyle(VERMILION, "o", (0, (5, 2))),
        "SimCSE, continued": MethodStyle(ORANGE, "o", (0, (3, 1, 1, 1))),
        "Mirror-BERT": MethodStyle(PURPLE, "o", (0, (2, 1))),
        "Supervised, cross": MethodStyle(BLACK, "*", (0, (6, 1))),
        "Shared words": MethodStyle("#8C6D31", "d", (0, (1, 2))),
        "TF-IDF cosine": MethodStyle("#8C6D31", "X", (0, (1, 1))),
        "Word embeddings": MethodStyle("#8C6D31", "^", (0, (2, 2))),
    },
    "time series synthesis": {
        "PSA-GAN": MethodStyle(BLUE, "o"),
        "PSA-GAN-C": MethodStyle(SKY, "D", (0, (4, 1))),
        "EBGAN": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "TimeGAN": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "PSA-GAN, no attention": MethodStyle(BLUE, "X", (0, (1, 1))),
        "PSA-GAN, no moment loss": MethodStyle(BLUE, "v", (0, (5, 1, 1, 1))),
        "PSA-GAN, no fade-in": MethodStyle(BLUE, "^", (0, (3, 1, 1, 1))),
        "PSA-GAN, no attention, no moment loss": MethodStyle(BLUE, "<", (0, (2, 2))),
        "PSA-GAN, no attention, no fade-in": MethodStyle(BLUE, ">", (0, (2, 2))),
        "PSA-GAN, no moment loss, no fade-in": MethodStyle(BLUE, "p", (0, (2, 2))),
        "PSA-GAN, none of the three": MethodStyle(BLUE, "8", (0, (2, 2))),
        "PSA-GAN, no growing": MethodStyle(PURPLE, "s", (0, (5, 2))),
        "PSA-GAN, unit noise": MethodStyle("#332288", "P", (0, (2, 1))),
        "PSA-GAN, fresh noise": MethodStyle("#332288", "H", (0, (6, 2))),
        "PSA-GAN, no condition": MethodStyle("#882255", "d", (0, (1, 2))),
        "PSA-GAN, linear upsampling": MethodStyle(BLUE, "h", (0, (1, 3))),
        "PSA-GAN, normalised attention": MethodStyle(BLUE, "*", (0, (1, 3))),
        "PSA-GAN, official fade-in": MethodStyle(BLUE, "D", (0, (1, 3))),
        "Block bootstrap": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "Last week repeated": MethodStyle(GREY, "X", (0, (1, 1))),
        "Hour of week + AR(1)": MethodStyle("#8C6D31", "P", (0, (2, 1))),
        "Training windows": MethodStyle("#117733", "d", (0, (1, 2))),
        "Moving average": MethodStyle("#A6A6A6", "<", (0, (2, 2))),
        "Rolling mean": MethodStyle("#A6A6A6", ">", (0, (1, 1))),
        "Last day repeated": MethodStyle(GREY, "H", (0, (5, 1, 1, 1))),
        "True values": MethodStyle(BLACK, "*", (0, (6, 1))),
        "DeepAR": MethodStyle("#AA4499", "p", (0, (4, 2))),
        "Real windows": MethodStyle(BLACK, "o"),
    },
    "augmentation": {
        "DeepAA": MethodStyle(BLUE, "o"),
        "DeepAA, one layer and default": MethodStyle("#44AA99", "h", (0, (2, 1, 1, 1))),
        "DeepAA, published": MethodStyle(SKY, "D", (0, (4, 1))),
        "DeepTA": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "DeepTA, depth chosen on validation images": MethodStyle("#A14A00", "P", (0, (4, 2))),
        "TrivialAugment": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "TrivialAugment, RA space": MethodStyle("#8C6D31", "^", (0, (1, 2))),
        "One layer at random": MethodStyle("#882255", "<", (0, (1, 2))),
        "RandAugment": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "AutoAugment": MethodStyle(PURPLE, "p", (0, (2, 1))),
        "Default": MethodStyle(BLACK, "X", (0, (4, 2))),
        "Default + cutout": MethodStyle("#404040", "d", (0, (6, 2))),
        "No augmentation": MethodStyle(GREY, "X", (0, (1, 1))),
        "PBA": MethodStyle("#117733", ">", (0, (1, 3))),
        "Fast AutoAugment": MethodStyle("#AA4499", "8", (0, (2, 2))),
        "Faster AutoAugment": MethodStyle("#5B3A8C", "h", (0, (2, 2))),
        "DADA": MethodStyle("#332288", "H", (0, (1, 3))),
        "UniformAugment": MethodStyle("#009E9E", "P", (0, (1, 2))),
        "Adversarial AutoAugment": MethodStyle("#595959", "*", (0, (1, 3))),
    },
    # What is no method there: the density of drawn graphs, from light to dark, and what is timed.
    "mean degrees": {
        "D = 5": MethodStyle("#A06ABA", "^", (0, (3, 1, 1, 1))),
        "D = 10": MethodStyle("#8E4BAF", "v", (0, (5, 1, 1, 1))),
        "D = 20": MethodStyle("#662E8A", "s", (0, (5, 2))),
        "D = 60": MethodStyle("#3B1357", "o"),
    },
    "steps of a pre-training": {
        "label vectors": MethodStyle("#A14A00", "^", (0, (3, 1, 1, 1))),
        "tree": MethodStyle(BLACK, "o"),
        "targets and shortlists": MethodStyle("#009E9E", "s", (0, (5, 2))),
    },
}
METHODS: dict[str, MethodStyle] = {name: look for looks in METHODS_BY_FIELD.values() for name, look in looks.items()}


def style_of(method: str) -> MethodStyle:
    """Return how a method is drawn.

    Raises
    ------
    UnknownNameError
        If the method has no entry in ``METHODS_BY_FIELD``: add one, so that it looks the same everywhere.
    """
    if method not in METHODS:
        raise unknown_name("method", method, sorted(METHODS))
    return METHODS[method]
