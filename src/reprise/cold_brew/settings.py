"""The parameters of the chapter, each with its meaning and the paper's value.

What a reader has no reason to change (widths, learning rate, shares fixed by the protocol) is a named constant beside
the code that uses it.
"""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from pydantic import Field, field_validator

from reprise.catalogue import find_paper
from reprise.errors import unknown_name
from reprise.settings import ChapterSettings, Twins

Part = Literal[
    "groups",
    "contribution",
    "dropout",
    "ladder",
    "retrieval",
    "switch",
    "noise",
    "depth",
    "links",
    "homophily",
    "control",
    "clusters",
]
PARTS: tuple[Part, ...] = get_args(Part)
FEWER_SEEDS = {
    **dict.fromkeys(("actor", "dblp", "squirrel", "coauthor-cs", "amazon-photo"), 3),
    **dict.fromkeys(("depth", "links", "homophily"), 1),
}


class Settings(ChapterSettings):
    """What the Cold Brew study depends on; the defaults are the quick profile."""

    paper: ClassVar[str] = "cold-brew"
    summary_columns: ClassVar[tuple[str, ...]] = ("mode", "setting", "at")
    embedded_twins: ClassVar[Twins] = {"sub-topics": ("cora", "citeseer", "chameleon")}

    datasets: tuple[str, ...] = Field(
        ("sub-topics",), min_length=1, description="graphs (paper: Cora, Citeseer, PubMed, arxiv, Chameleon, …)"
    )
    seeds: tuple[int, ...] = Field(
        (0, 1, 2), min_length=1, description="seeds: split, groups, initialisation (paper: not stated; code: 5 runs)"
    )
    seed_limits: dict[str, int] = Field(
        default_factory=lambda: dict(FEWER_SEEDS),
        description="of these large graphs and costly parts only the seeds below the number are run",
    )
    parts: tuple[Part, ...] = Field(PARTS, min_length=1, description="the parts of the study that are run")
    full_study_datasets: tuple[str, ...] = Field(
        ("sub-topics", "cora", "citeseer", "chameleon"),
        description="graphs with every method, the ablation ladder and the audits; others get the main methods only",
    )
    epochs: int = Field(100, ge=1, le=5000, description="largest number of epochs (official code: 1500)")
    patience: int = Field(
        30,
        ge=1,
        description="epochs without a better validation accuracy, or an equal one at lower loss, after which training "
        "ends (paper: none)",
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="share of hidden values dropped (official code: 0 to 0.6)")
    k: int = Field(3, ge=1, description="latent neighbours (official code: 3)")
    temperature: float = Field(1.0, gt=0, description="of the attention over latent neighbours (paper: 1)")
    distil_on: Literal["connected", "train"] = Field(
        "connected", description="nodes that ξ₁ learns from (paper: non-isolated; official code: training nodes)"
    )
    se_penalties: tuple[float, ...] = Field(
        (0.0, 10.0, 100.0, 1000.0, 10_000.0),
        min_length=1,
        description="η on the mean square, chosen on each seed's validation nodes (paper: a grid on the sum)",
    )
    k_sweep: tuple[int, ...] = Field((1, 3, 10), min_length=1, description="K of the retrieval sweep")
    noise_shares: tuple[float, ...] = Field(
        (0.0, 1.0), description="shares of the tail's edges replaced by random ones (not in the paper)"
    )
    depths: tuple[int, ...] = Field((2, 8), description="numbers of layers, with and without SE (paper: 2 to 64)")
    depth_datasets: tuple[str, ...] = Field(("sub-topics", "cora"), description="graphs of the depth sweep")
    depth_epochs: int = Field(40, ge=1, description="epochs of the depth sweep (official code: 1500)")

    @field_validator("seed_limits")
    @classmethod
    def _limits_are_of_graphs_or_parts(cls, value: dict[str, int]) -> dict[str, int]:
        known = [data_set.name for data_set in find_paper(cls.paper).data_sets] + list(PARTS)
        for name, limit in value.items():
            if name not in known:
                raise ValueError(str(unknown_name("graph or part", name, known)))
            if limit < 1:
                raise ValueError(f"must be 1 or more, got {limit} for {name}; leave a graph out of datasets instead.")
        return value

    @field_validator("full_study_datasets", "depth_datasets")
    @classmethod
    def _graphs_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = [data_set.name for data_set in find_paper(cls.paper).data_sets]
        for name in value:
            if name not in known:
                raise ValueError(str(unknown_name("graph", name, known)))
        return value

    @field_validator("k_sweep", "depths")
    @classmethod
    def _counts_are_positive(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if min(value, default=1) < 1:
            raise ValueError(f"must be 1 or more, got {min(value)}.")
        return value

    @field_validator("se_penalties")
    @classmethod
    def _penalties_are_not_negative(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if min(value) < 0:
            raise ValueError(f"must be 0 or more, got {list(value)}.")
        return value

    @field_validator("noise_shares")
    @classmethod
    def _shares_are_shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 <= share <= 1 for share in value):
            raise ValueError(f"must lie in [0, 1], got {list(value)}.")
        return value

    @property
    def reduced_scale(self) -> bool:
        """Whether trainings are shorter, or the deepest networks shallower, than 1500 epochs and 64 layers."""
        return self.epochs < 1500 or max(self.depths, default=0) < 64

    def runs(self, name: str, seed: int) -> bool:
        """Tell whether this graph, or this part of the study, is run with this seed."""
        return seed < self.seed_limits.get(name, seed + 1)
