"""The parameters of the DIVA chapter."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat

from reprise.settings import ChapterSettings, Twins

Experiment = Literal[
    "reweight", "heads", "detection", "extend", "flips", "names", "small changes", "linearisation", "cost"
]


class Settings(ChapterSettings):
    """What the DIVA study depends on; the defaults are the quick profile."""

    paper: ClassVar[str] = "diva"
    summary_columns: ClassVar[tuple[str, ...]] = (
        "experiment",
        "outer",
        "penalty",
        "step",
        "noise_rate",
        "setting",
        "size",
        "new_weight",
        "sample",
    )
    embedded_twins: ClassVar[Twins] = {"digits": ("cub50", "flowers12", "cifar10-4k", "banking77")}

    datasets: tuple[str, ...] = Field(
        ("digits",), min_length=1, description="names of the data sets; the paper: eight image sets, CUB-200 among them"
    )
    seeds: tuple[int, ...] = Field((0, 1, 2, 3, 4), min_length=1, description="seeds; the paper: one")
    resplit_seeds: tuple[int, ...] = Field(
        (0, 1, 2), description="of the seeds, those of Reweight: 0 is the given split, others redraw it"
    )
    head_seeds: tuple[int, ...] = Field((), description="of these, those of the softmax heads")
    noise_seeds: tuple[int, ...] = Field(
        (0, 1, 2, 3, 4), description="of the seeds, those of detection and small changes"
    )
    linearisation_seeds: tuple[int, ...] = Field((0, 1), description="of the seeds, those of full linearisation")
    extend_seeds: tuple[int, ...] = Field((0, 1, 2), description="of the seeds, those of Extend")
    flip_seeds: tuple[int, ...] = Field((0, 1, 2, 3, 4), description="of the seeds, those of the flips")
    experiments: tuple[Experiment, ...] = Field(
        ("reweight", "detection", "extend", "flips", "small changes", "linearisation", "cost"),
        min_length=1,
        description="which parts of the study are run",
    )
    network: str = Field(
        "mobilenet-v1-0.5", description="frozen network of birds and flowers; the paper: ResNet-34 (resnet-34)"
    )
    small_network: str = Field("mobilenet-v1-0.25", description="the same for the small photographs")
    penalties: tuple[PositiveFloat, ...] = Field(
        (0.03, 0.3), description="λ shown beside the one chosen by leave-one-out; the paper names none"
    )
    n_steps: int = Field(3, ge=1, description="steps of Reweight; the paper: 1 to 3")
    n_overfit_steps: int = Field(10, ge=1, description="steps of the path that shows overfitting")
    step_size: float = Field(0.5, gt=0, description="η, for derivatives divided by their largest; the paper: 0.1, raw")
    raw_step_size: float = Field(0.1, gt=0, description="η of the paper's raw step, shown beside; the paper: 0.1")
    temperature: float = Field(10.0, gt=0, description="τ of the outer loss for clean labels; the paper names no loss")
    noise_temperature: float = Field(1.0, gt=0, description="τ where labels may be wrong, and for augmentation")
    swept_temperatures: tuple[PositiveFloat, ...] = Field((3.0, 30.0), description="further τ tried for Reweight")
    shown_temperatures: tuple[PositiveFloat, ...] = Field((2.0, 5.0, 10.0), description="further τ tried for detection")
    noise_rate: float = Field(0.2, gt=0, lt=1, description="share of wrong labels in detection; the paper: 0.2")
    shown_noise_rates: tuple[PositiveFloat, ...] = Field((0.05, 0.4), description="further shares tried")
    pool_noise_rate: float = Field(0.3, gt=0, lt=1, description="share of wrong labels in a noisy pool")
    core_per_class: int = Field(10, ge=1, description="samples a class that Extend starts from")
    n_rounds: int = Field(10, ge=1, description="rounds of Extend, each takes an equal share of the pool")
    n_random_orders: int = Field(3, ge=1, description="random orders averaged, for each seed of Extend")
    n_changed: int = Field(200, ge=10, description="samples whose weight is changed exactly")
    head_epochs: int = Field(50, ge=11, description="epochs of the softmax heads")
    head_batch: int = Field(100, ge=1, description="rows a step of the softmax heads")
    head_learning_rates: tuple[PositiveFloat, ...] = Field(
        (0.3, 1.0, 3.0, 10.0), description="rates tried for every head"
    )
    head_weight_decays: tuple[float, ...] = Field((0.0, 1e-5, 1e-4), description="weight decays tried for every head")
    n_neighbours: int = Field(10, ge=1, description="K of KNN-Shapley")
    n_shots: int = Field(5, ge=1, description="samples a class beside class names; the paper: 20 images")

    @property
    def reduced_scale(self) -> bool:
        """Whether another network than the paper's ResNet-34 makes the features."""
        return self.network != "resnet-34"
