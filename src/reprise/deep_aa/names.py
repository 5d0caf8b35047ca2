"""Names that stand in rows: methods, parts, data sets, variants and operations, once for all modules."""

NONE = "No augmentation"
DEFAULT = "Default"
DEFAULT_CUTOUT = "Default + cutout"
TRIVIAL = "TrivialAugment"
DEEP_TRIVIAL = "DeepTA"
RANDAUGMENT = "RandAugment"
AUTOAUGMENT = "AutoAugment"
SEARCHED = "DeepAA"
PUBLISHED = "DeepAA, published"
SIMPLE = "DeepAA, one layer and default"
METHODS = (
    NONE, DEFAULT, DEFAULT_CUTOUT, TRIVIAL, DEEP_TRIVIAL, RANDAUGMENT, AUTOAUGMENT, SIMPLE, SEARCHED, PUBLISHED,
)  # fmt: skip
UNIFORM = "One layer at random"
CHOSEN_DEPTH = "DeepTA, depth chosen on validation images"

CIFAR, DIGITS, MIRRORED = "cifar10-4k", "coloured-digits", "mirrored-digits"

FLIP, CUTOUT, CROP, IDENTITY = "RandFlip", "RandCutout", "RandCrop", "Identity"
DEFAULT_OPERATIONS = (CUTOUT, CROP, FLIP)

# The part of the study that a row belongs to.
ACCURACY, POLICY, LEVELS, HISTORY = "accuracy", "policy", "levels of operations", "history"
SIMILARITY, REWARDS, AUDIT, PRINTED = "similarity", "rewards", "audit", "printed table"

SEEN_COSINE = "cosine on the search's own images"

# Variants of the search; the base is the paper's.
BASE = "the paper's search"
NOISE = "noise in the place of v"
LAST_LAYER = "last layer only"
NO_PENALTY = "c = 0"
START = "the start of the search"


def penalty_variant(weight: float) -> str:
    """Return how a search with another weight of the penalty is called.

    Examples
    --------
    >>> penalty_variant(0.0) == NO_PENALTY
    True
    """
    return f"c = {weight:g}"


def pretraining_variant(method: str) -> str:
    """Return how a search is called whose network was trained with the augmentation of a method."""
    return f"network trained with: {method}"


def longer_variant(times: int) -> str:
    """Return how trainings with so many times the passes are called."""
    return f"{times} times the passes"


def repetition_variant(number: int) -> str:
    """Return how a repetition of the search with other draws is called."""
    return f"other draws {number}"
