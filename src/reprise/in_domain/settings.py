"""The parameters of the chapter on in-domain generalisation."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from reprise.catalogue import find_paper
from reprise.errors import unknown_name
from reprise.in_domain.models import APPROACHES
from reprise.settings import ChapterSettings

Experiment = Literal["comparison", "remedies", "blog", "oracles", "renderer"]
Kind = Literal["random", "composition", "interpolation", "extrapolation"]
MAIN_DATA_SET = "sprites-rot90"
ALL_ORIENTATIONS = "sprites-40"
CONTROL: Kind = "random"


class Settings(ChapterSettings):
    """What the study depends on; the defaults are the quick profile."""

    paper: ClassVar[str] = "in-domain-generalization"
    summary_columns: ClassVar[tuple[str, ...]] = ("experiment", "subset", "factor")
    embedded_twins: ClassVar[Mapping[str, str]] = {}

    datasets: tuple[str, ...] = Field(
        ("sprites-rot90",), min_length=1, description="names of the data sets; the paper: dSprites, Shapes3D, MPI3D, …"
    )
    seeds: tuple[int, ...] = Field((0,), min_length=1, description="seeds of training; the paper: several, 5 recalled")
    models: tuple[str, ...] = Field(
        ("CNN",), min_length=1, description="models on all splits and in the blog's case; the paper: 17"
    )
    slower_models: tuple[str, ...] = Field((), description="further models, on the random and the extrapolation split")
    other_models: tuple[str, ...] = Field((), description="models on rooms and turntable, random and extrapolation")
    composition_models: tuple[str, ...] = Field(
        (),
        description="models on the composition split of rooms and sprites-40: is it as hard as on sprites-rot90?",
    )
    remedies: tuple[str, ...] = Field((), description="networks that know a mechanism, random and extrapolation")
    fewer_seeds: dict[str, tuple[int, ...]] = Field(
        default_factory=dict,
        description="models and data sets that are run with these of the seeds only; all others with every one",
    )
    splits: tuple[Kind, ...] = Field(
        ("random", "extrapolation"), min_length=1, description="splits compared; the paper: all four"
    )
    experiments: tuple[Experiment, ...] = Field(
        ("comparison", "blog", "oracles"), min_length=1, description="which parts of the study are run"
    )
    image_side: Literal[32, 64] = Field(32, description="pixels of an image's side; the paper: 64")
    n_steps: PositiveInt = Field(
        1250, description="training steps; models that learn more slowly take more, see the chapter; the paper: 500 000"
    )
    read_out_steps: PositiveInt = Field(3000, description="steps of a representation's read-out")
    read_out_batch_size: PositiveInt = Field(256, description="codes a step of the read-out; the supplement: 64")
    read_out_rate: PositiveFloat = Field(
        1e-3, description="largest learning rate of the read-out; the supplement: 1e-4"
    )
    batch_size: int = Field(64, ge=2, multiple_of=2, description="images a step; the paper: 64")
    n_train_images: PositiveInt = Field(12_000, description="training images of a split at most; the paper: all")
    n_test_images: PositiveInt = Field(3_000, description="test images of a split that are scored; the paper: all")
    blog_steps: PositiveInt = Field(500, description="training steps of the blog's case")
    blog_images: PositiveInt = Field(6_000, description="training images of the blog's case")
    set_encoder_width: PositiveInt = Field(64, description="units of the SetEncoder's wide layers; our choice: 256")

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        listed = [*self.models, *self.slower_models, *self.remedies]
        for name in (*listed, *self.other_models, *self.composition_models):
            if name not in APPROACHES:
                raise ValueError(str(unknown_name("model", name, list(APPROACHES))))
        if twice := sorted({name for name in listed if listed.count(name) > 1}):
            raise ValueError(f"{twice} are named twice; name each model in one list.")
        known = [*APPROACHES, *(data_set.name for data_set in find_paper(self.paper).data_sets)]
        if strange := sorted(set(self.fewer_seeds).difference(known)):
            raise ValueError(str(unknown_name("model or data set", strange[0], known)))
        if CONTROL not in self.splits:
            raise ValueError("splits must hold 'random': without it nobody knows whether a model has converged.")
        return self

    @property
    def reduced_scale(self) -> bool:
        """Whether images are smaller or trainings shorter than the paper's 64 pixels and 500 000 steps."""
        return self.image_side < 64 or self.n_steps < 500_000
