"""The parameters of the chapter on Deep AutoAugment."""

from typing import ClassVar, Literal

from pydantic import Field

from reprise.deep_aa.names import CIFAR, DIGITS
from reprise.settings import ChapterSettings, Twins

Method = Literal[
    "No augmentation",
    "Default",
    "Default + cutout",
    "TrivialAugment",
    "DeepTA",
    "RandAugment",
    "AutoAugment",
    "DeepAA",
    "DeepAA, published",
    "DeepAA, one layer and default",
]
Audit = Literal[
    "finite step",
    "last layer",
    "noise",
    "penalty",
    "penalties",
    "pretraining",
    "search seeds",
    "depth",
    "equal budget",
    "longer training",
]


class Settings(ChapterSettings):
    """What the study depends on; the defaults are the quick profile."""

    paper: ClassVar[str] = "deep-aa"
    where_it_runs: ClassVar[frozenset[str]] = frozenset({"device", "threads", "checkpoint_folder"})
    summary_columns: ClassVar[tuple[str, ...]] = ("part", "network", "variant", "layer", "operation", "at")
    embedded_twins: ClassVar[Twins] = {DIGITS: CIFAR}

    datasets: tuple[str, ...] = Field((DIGITS,), min_length=1, description="data sets; the paper: CIFAR, ImageNet")
    seeds: tuple[int, ...] = Field(
        (0, 1), min_length=1, description="seeds; of cifar10-4k, each one tests on another sheet, 0 on the official one"
    )
    methods: tuple[Method, ...] = Field(
        ("No augmentation", "Default", "TrivialAugment", "DeepTA", "DeepAA"),
        min_length=1,
        description="augmentations trained with, all seeds",
    )
    methods_once: tuple[Method, ...] = Field(
        (), description="augmentations trained with on one fold of cifar10-4k only, the official one, and on all digits"
    )
    audits: tuple[Audit, ...] = Field(
        ("finite step", "last layer", "noise"), description="what is asked beyond the paper, on the digits"
    )
    audit_seeds: tuple[int, ...] = Field((0,), min_length=1, description="those of the seeds that these are asked with")
    photograph_audits: dict[Audit, tuple[int, ...]] = Field(
        default_factory=dict, description="the same on cifar10-4k: audit to those of the seeds that it is asked with"
    )
    longer: int = Field(3, ge=2, description="how many times the passes of the final training, in the audit of it")
    n_layers: int = Field(3, ge=1, description="most layers K; the paper: 6 searched, 5 used for CIFAR")
    stop_identity: float = Field(
        0.9, gt=0, le=1, description="identity's probability that ends the search; the paper: 0.9"
    )
    steps: int = Field(30, ge=1, description="policy steps a layer; the paper: 512")
    units: int = Field(8, ge=2, description="images behind a step; the paper: 16")
    n_validation: int = Field(32, ge=1, description="validation images behind a gradient v; the paper: 64")
    n_cached: int = Field(8, ge=0, description="gradients v kept a class, 0: drawn anew each time; the paper: 0")
    n_grad: int = Field(64, ge=1, description="sampled sequences behind g, from layer 2 on; the paper: 556")
    n_prefix: int = Field(2, ge=1, description="sampled prefixes behind the rewards; the paper: 16")
    std_weight: float = Field(1.0, ge=0, description="c of mean − c·std, from layer 2 on; the paper: 1")
    search_rate: float = Field(0.1, gt=0, description="Adam's rate of the search; the paper: 0.025")
    init_identity: float = Field(4.0, description="logit of identity at the start; the paper: 8")
    rewards: Literal["jvp", "finite differences"] = Field(
        "finite differences", description="how rewards are computed; the paper: by Jacobian-vector products"
    )
    similarity_units: int = Field(32, ge=2, description="fresh images on which cosines are compared")
    search_depth: int = Field(10, ge=10, description="depth of the search network; the paper: 40")
    search_width: int = Field(1, ge=1, description="its width; the paper: 2")
    depth: int = Field(10, ge=10, description="depth of the final network; the paper: 28")
    width: int = Field(1, ge=1, description="its width; the paper: 10")
    stem_stride: int = Field(2, ge=1, le=2, description="stride of the first convolution of both; the paper: 1")
    pretraining: Method = Field(
        "Default + cutout",
        description="augmentation that the search network is trained with; the paper: default and cutout",
    )
    pretraining_epochs: int = Field(20, ge=1, description="passes of its training; the paper: 45")
    epochs: int = Field(20, ge=1, description="passes of the final training; the paper: 200")
    batch_size: int = Field(64, ge=2, description="images a step of both; the paper: 128")
    warmup: float = Field(0.15, ge=0, le=1, description="share of steps over which the rate rises; the paper: 0.025")
    digit_seeds: tuple[int, ...] = Field(
        (0, 1), min_length=1, description="those of the seeds that digits are run with"
    )
    digit_images: int = Field(
        600, ge=40, description="digits to train on: half pretrain, a quarter search, a quarter match"
    )
    digit_pretraining: Method = Field(
        "No augmentation", description="the same for digits: nothing, lest it gives away what is to be found"
    )
    digit_pretraining_epochs: int = Field(20, ge=1, description="passes of the digits' search network")
    digit_epochs: int = Field(80, ge=1, description="passes of the digits' final training")
    cifar_archive: str = Field("", description="path of the official CIFAR-10 archive; empty: the five sheets")
    checkpoint_folder: str = Field("", description="folder for states of unfinished searches; empty: none are kept")

    @property
    def reduced_scale(self) -> bool:
        """Whether networks, passes, steps or images are fewer than the paper's."""
        small = self.depth < 28 or self.width < 10 or self.search_depth < 40 or self.stem_stride > 1
        return small or self.epochs < 200 or self.steps < 512 or not self.cifar_archive
