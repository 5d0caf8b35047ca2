"""Deep AutoAugment: a deep augmentation policy searched layer by layer from nothing (Zheng et al., ICLR 2022).

An image passes K layers, each of which draws one of 139 transformations. A layer's probabilities are those that turn
the gradient of one augmented image, under a frozen network, towards the gradient of many real images of its class. The
rewards of all transformations come from one Jacobian-vector product; a layer that prefers identity ends the search.

Implemented: the transformations as batched operations on 8-bit images, policies, the search with rewards by forward
mode, finite differences or the last layer, RandAugment, AutoAugment, TrivialAugment and its stack, both published CIFAR
policies, training. Not implemented: Fast AutoAugment, Faster AutoAugment, DADA, PBA, Adversarial AutoAugment, Batch
Augmentation, the ImageNet experiments.
"""

from reprise.public_names import load_when_used

_HOMES = {
    "AugmentationSpace": "space",
    "Policy": "policy",
    "DeepAASearch": "search",
    "search_policy": "search",
    "SearchConfig": "search",
    "WideResNet": "networks",
    "DeepAAInputError": "image_checks",
}
__getattr__, __dir__, __all__ = load_when_used(__name__, _HOMES)
