"""Names that stand in rows: methods, parts, data sets and operations, once for all modules."""

NONE = "No augmentation"
DEFAULT = "Default"
DEFAULT_CUTOUT = "Default + cutout"
TRIVIAL = "TrivialAugment"
DEEP_TRIVIAL = "DeepTA"
RANDAUGMENT = "RandAugment"
AUTOAUGMENT = "AutoAugment"
SEARCHED = "DeepAA"
PUBLISHED = "DeepAA, published"
METHODS = (NONE, DEFAULT, DEFAULT_CUTOUT, TRIVIAL, DEEP_TRIVIAL, RANDAUGMENT, AUTOAUGMENT, SEARCHED, PUBLISHED)

CIFAR, DIGITS, MIRRORED = "cifar10-4k", "coloured-digits", "mirrored-digits"

FLIP, CUTOUT, CROP = "RandFlip", "RandCutout", "RandCrop"
DEFAULT_OPERATIONS = (CUTOUT, CROP, FLIP)

# The part of the study that a row belongs to.
ACCURACY, POLICY, HISTORY, SIMILARITY, AUDIT, COST = "accuracy", "policy", "history", "similarity", "audit", "cost"

# Variants of the search; the base is the paper's.
BASE = "the paper's search"
NO_PENALTY = "c = 0"
NOISE = "noise in the place of v"
