"""The approaches behind one interface: by name, with how each is trained and where it can run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from reprise.errors import RepriseError, unknown_name

if TYPE_CHECKING:
    from torch import nn

Kind = Literal["supervised", "representation", "transfer"]
Where = Literal["CPU", "GPU only", "GPU only, needs a download"]


class ModelError(RepriseError):
    """A model that needs a library or a download that is not there."""


@dataclass(frozen=True)
class Approach:
    """One approach of the benchmark.

    Attributes
    ----------
    name
        As in tables.
    kind
        ``"supervised"``, ``"representation"`` (with a read-out), ``"transfer"``.
    where
        Where it is run: ``"CPU"``, or only with a GPU.
    learning_rate
        Adam's largest: of those that run on a CPU the best of the same rates, searched on images held out of training
        (`reprise.in_domain.rates`); the others' were not searched, and the remedies keep the CNN's.
    home, class_name
        Module and class; built with (in_channels, n_factors, image_side).
    options
        Further arguments.
    in_benchmark
        Whether it is one of the 17 as we reconstruct them, or a stand-in or remedy of ours.
    is_remedy
        Whether it is a CNN that was given a mechanism.
    slowness
        Training steps over the study's: above 1 where convergence takes longer, below where a step is dear.
    stacked_on
        The smallest kind of device on which trainings of several splits are stacked into one pass (`torch.func`):
        ``"cpu"`` (and CUDA), ``"cuda"``, or None (running statistics, own random draws, or too large).
    """

    name: str
    kind: Kind
    where: Where
    learning_rate: float
    home: str
    class_name: str
    options: dict[str, Any] = field(default_factory=dict)
    in_benchmark: bool = True
    is_remedy: bool = False
    slowness: float = 1.0
    stacked_on: Literal["cpu", "cuda"] | None = None


def _deep(name: str, kind: Kind, where: Where, class_name: str, **options: Any) -> Approach:
    return Approach(name, kind, where, 5e-4, "deep_networks", class_name, options)


_DOWNLOAD: Where = "GPU only, needs a download"
APPROACHES: dict[str, Approach] = {
    approach.name: approach
    for approach in (
        Approach("BetaVAE", "representation", "CPU", 3e-3, "representations", "BetaVAE", slowness=4.25),
        Approach("Ada-GVAE", "representation", "CPU", 1e-3, "representations", "AdaGVAE", slowness=4.25),
        Approach("SlowVAE", "representation", "CPU", 3e-3, "representations", "SlowVAE", slowness=4.25),
        Approach("PCL", "representation", "CPU", 1e-3, "representations", "PCL", slowness=5),
        Approach("MLP", "supervised", "CPU", 1e-2, "networks", "MLP", slowness=2.5, stacked_on="cpu"),
        Approach("CNN", "supervised", "CPU", 1e-2, "networks", "CNN", stacked_on="cuda"),
        Approach("CoordConv", "supervised", "CPU", 1e-2, "networks", "CoordConv", stacked_on="cuda"),
        Approach("SetEncoder", "supervised", "CPU", 1e-2, "networks", "SetEncoder", slowness=4),
        Approach("RotEq-CNN", "supervised", "CPU", 1e-2, "equivariant", "RotationEquivariantCNN"),
        Approach(
            "RotEq-CNN, big", "supervised", "GPU only", 1e-3, "equivariant", "RotationEquivariantCNN", {"width": 2}
        ),
        Approach("Spatial transformer", "supervised", "CPU", 1e-2, "networks", "SpatialTransformer"),
        Approach(
            "ResNet-18, narrow",
            "supervised",
            "CPU",
            3e-2,
            "deep_networks",
            "resnet",
            {"depth": 18, "width": 16},
            in_benchmark=False,
        ),
        _deep("ResNet-50", "supervised", "GPU only", "resnet", depth=50),
        _deep("ResNet-101", "supervised", "GPU only", "resnet", depth=101),
        _deep("DenseNet-121", "supervised", "GPU only", "densenet"),
        _deep("ResNet-50 (ImageNet-21k)", "transfer", _DOWNLOAD, "big_transfer", checkpoint="google/bit-50"),
        _deep("ResNet-101 (ImageNet-21k)", "transfer", _DOWNLOAD, "big_transfer", checkpoint="google/bit-101"),
        _deep("ResNet-50 (ImageNet-1k)", "transfer", _DOWNLOAD, "big_transfer", checkpoint="microsoft/resnet-50"),
        Approach(
            "CNN, soft-argmax",
            "supervised",
            "CPU",
            1e-2,
            "networks",
            "SoftArgmaxCNN",
            in_benchmark=False,
            is_remedy=True,
        ),
        Approach("CNN, augmented", "supervised", "CPU", 1e-2, "networks", "CNN", in_benchmark=False, is_remedy=True),
    )
}
_REGISTERED: dict[str, Callable[[int, int, int], "nn.Module"]] = {}


def find_approach(name: str) -> Approach:
    """Return an approach by its name, in upper or lower case, or raise and name the known ones."""
    by_lower_case = {known.lower(): known for known in APPROACHES}
    if name.lower() not in by_lower_case:
        raise unknown_name("model", name, [*APPROACHES, *_REGISTERED])
    return APPROACHES[by_lower_case[name.lower()]]


def register_model(name: str, factory: Callable[[int, int, int], "nn.Module"]) -> None:
    """Make a model of your own known to `build_model`: a function of (in_channels, n_factors, image_side)."""
    if name in APPROACHES:
        raise ValueError(f"name={name!r} is taken by an approach of the benchmark; choose another.")
    _REGISTERED[name] = factory


def build_model(name: str, in_channels: int, n_factors: int, image_side: int = 64, **options: Any) -> "nn.Module":
    """Build a network by its name.

    Parameters
    ----------
    name
        One of ``APPROACHES``, or a registered one.
    in_channels, n_factors, image_side
        Channels of the images, outputs, pixels of a side (64, or 32).
    options
        Arguments of its class beyond the approach's own.

    Returns
    -------
    torch.nn.Module
        Maps images (n, channels, side, side) to (n, n_factors).

    Raises
    ------
    UnknownNameError
        If there is no such model.
    ModelError
        If it needs a library or a download that is not there; says which.
    """
    # Named one by one, so that the record's hash of the code covers them.
    from reprise.in_domain import deep_networks, equivariant, networks, representations

    if name in _REGISTERED:
        return _REGISTERED[name](in_channels, n_factors, image_side)
    approach = find_approach(name)
    homes = {
        module.__name__.rpartition(".")[2]: module for module in (deep_networks, equivariant, networks, representations)
    }
    build = getattr(homes[approach.home], approach.class_name)
    return build(in_channels, n_factors, image_side, **{**approach.options, **options})
