"""The parameters of the GRDA chapter."""

from typing import Any, ClassVar, Literal

from pydantic import (
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    ValidationInfo,
    field_validator,
)

from reprise.settings import ChapterSettings, Twins

Method = Literal["Source-only", "DANN", "ADDA", "CDANN", "MDD", "GRDA"]
Yardstick = Literal["Linear", "CORAL", "Self-training"]
Experiment = Literal[
    "comparison", "row order", "graph", "weights", "selection", "embedding scale", "yardsticks", "theory"
]
RIVALS: tuple[Method, ...] = ("ADDA", "CDANN", "MDD")


class Settings(ChapterSettings):
    """What the GRDA study depends on; the defaults are the quick profile."""

    model_config = ConfigDict(allow_inf_nan=False)

    paper: ClassVar[str] = "grda"
    summary_columns: ClassVar[tuple[str, ...]] = (
        "experiment",
        "pairing",
        "row_order",
        "adversarial_weight",
        "learning_rate",
        "graph_in_embedding",
        "graph_in_discriminator",
        "embedding",
    )
    embedded_twins: ClassVar[Twins] = {"dg-15-generated": "dg-15", "dg-60-generated": "dg-60"}

    datasets: tuple[str, ...] = Field(
        ("dg-15-generated",), min_length=1, description="names of the data sets; the paper: dg-15, dg-60, TPT-48"
    )
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1, description="seeds of training; the paper: one")
    rival_seeds: tuple[NonNegativeInt, ...] = Field(
        (0, 1, 2, 3, 4), description="of the seeds, those for which ADDA, CDANN and MDD are trained"
    )
    large_seeds: tuple[NonNegativeInt, ...] = Field(
        (0, 1, 2),
        description="of the seeds, those that are run on DG-60, TPT-48 and the digits, and of the graph experiment",
    )
    ablation_seeds: tuple[NonNegativeInt, ...] = Field(
        (0, 1, 2), description="of the seeds, those of the weight and embedding-scale experiments"
    )
    methods: tuple[Method, ...] = Field(
        ("Source-only", "DANN", "GRDA"), min_length=1, description="methods compared; the paper: all six"
    )
    yardsticks: tuple[Yardstick, ...] = Field(
        ("Linear", "Self-training"), description="methods without a neural network; CORAL needs POT"
    )
    experiments: tuple[Experiment, ...] = Field(
        ("comparison", "row order", "yardsticks", "theory"),
        min_length=1,
        description="which parts of the study are run; selection: of rate and λ_d, on TPT-48",
    )
    pairings: tuple[Literal["independent", "row", "crossed"], ...] = Field(
        ("independent", "row"), description="which rows GRDA's pairs take; the formula: independent, the code: row"
    )
    n_steps: int = Field(500, ge=1, description="training steps, equal for all methods; the paper: 5000")
    hidden_width: int = Field(64, ge=1, description="units of every layer; the paper: 512")
    discriminator_width: int = Field(2, ge=1, description="coordinates of GRDA's ẑ; the paper's code: 2")
    learning_rate: float = Field(1e-3, gt=0, description="Adam's, at the start; the paper: 1e-4 on DG-15")
    large_learning_rate: float = Field(
        3e-4, gt=0, description="the same on DG-60, where 1e-3 makes the game diverge; the paper: 1e-5"
    )
    half_life_steps: float = Field(1000, gt=0, description="steps in which the learning rate halves; the paper: 1000")
    initialisation: Literal["default", "paper"] = Field(
        "default", description="starting weights: PyTorch's, or N(0, 0.01²); the paper's code: paper"
    )
    batch_per_domain: int = Field(10, ge=1, description="rows per domain and step; the paper: 10")
    batch_per_state: int = Field(16, ge=1, description="the same for TPT-48; the sibling project: 16")
    adversarial_weight: float = Field(0.5, ge=0, description="λ_d; the paper's code: 1 (DG-15), 0.5 (DG-60)")
    searched_weights: tuple[NonNegativeFloat, ...] = Field(
        (0.1, 0.3, 0.5, 0.9),
        description="λ_d tried by the weights experiment: for GRDA on DG and digits, on DG-15 for its rivals too",
    )
    state_learning_rates: tuple[PositiveFloat, ...] = Field(
        (1e-3, 3e-4, 1e-4),
        min_length=1,
        description="Adam's rates that the selection tries on TPT-48, for Source-only as many between the highest and "
        "the lowest as others have combinations; without it, the first; the sibling project: 3e-5",
    )
    state_adversarial_weights: tuple[NonNegativeFloat, ...] = Field(
        (0.1, 0.01, 0.3),
        min_length=1,
        description="λ_d that the selection tries on TPT-48; without it, the first; the paper: 0.1 … 1",
    )
    selection_seeds: tuple[NonNegativeInt, ...] = Field(
        (1000, 1001), min_length=1, description="seeds of the selection's trainings, other than the comparison's"
    )
    selection_batch_per_state: int = Field(
        4, ge=1, description="rows per state and step in the selection; in the comparison: batch_per_state"
    )
    state_embedding_scale: float = Field(
        0.3, gt=0, description="standard deviation of z on TPT-48; the embedding-scale experiment leaves z raw"
    )
    probe_steps: int = Field(
        400, ge=0, description="steps of a fresh discriminator on frozen encodings; 0: no probe; the paper: none"
    )
    data_seed: int = Field(4, ge=0, description="seed of the generated data sets")

    @field_validator("*")
    @classmethod
    def _nothing_is_named_twice(cls, value: Any) -> Any:
        if isinstance(value, tuple) and len(set(value)) < len(value):
            twice = sorted({str(entry) for entry in value if value.count(entry) > 1})
            raise ValueError(f"has {', '.join(twice)} more than once; give each entry once.")
        return value

    @field_validator("selection_seeds")
    @classmethod
    def _selection_has_its_own_seeds(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if shared := set(info.data.get("seeds", ())) & set(value):
            raise ValueError(f"selection_seeds and seeds share {sorted(shared)}; they must have none in common.")
        return value

    @property
    def reduced_scale(self) -> bool:
        """Whether networks are narrower, or trainings shorter, than the paper's 512 units and 5000 steps."""
        return self.hidden_width < 512 or self.n_steps < 5000
