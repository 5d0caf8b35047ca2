"""The parameters of the chapter, each with its meaning and the paper's value."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

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
PARTS: tuple[Part, ...] = (
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
)


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
        default_factory=lambda: {"actor": 3, "dblp": 3, "squirrel": 3, "coauthor-cs": 3, "amazon-photo": 3},
        description="of these graphs only the seeds below the number are run: they are large",
    )
    parts: tuple[Part, ...] = Field(PARTS, min_length=1, description="the parts of the study that are run")
    full_study_datasets: tuple[str, ...] = Field(
        ("sub-topics", "cora", "citeseer", "chameleon"),
        description="graphs with every method, the ablation ladder and the audits; others get the main methods only",
    )
    code_mode_datasets: tuple[str, ...] = Field(
        ("cora", "citeseer", "chameleon"), description="graphs run in the released code's protocol, too"
    )
    graph_mlp_datasets: tuple[str, ...] = Field(
        ("cora", "citeseer", "chameleon"), description="graphs on which GraphMLP, the costliest model, is trained"
    )
    link_datasets: tuple[str, ...] = Field(
        ("sub-topics", "cora", "citeseer"), description="graphs of the link prediction (paper: Cora, Citeseer, PubMed)"
    )

    epochs: int = Field(100, ge=1, le=5000, description="largest number of epochs (official code: 1500)")
    patience: int = Field(
        30, ge=1, description="epochs without a better validation accuracy after which training ends (paper: none)"
    )
    learning_rate: float = Field(0.01, gt=0, description="of Adam (official code: 0.005)")
    weight_decay: float = Field(5e-4, ge=0, description="of Adam, not on structural embeddings (official code: 5e-4)")
    dropout: float = Field(0.5, ge=0, lt=1, description="share of hidden values dropped (official code: 0 to 0.6)")
    audit_input_dropout: float = Field(
        0.6, ge=0, lt=1, description="share of input values dropped in the dropout audit (official code, Cora: 0.6)"
    )
    dropout_passes: int = Field(5, ge=1, description="passes with dropout on that the audit averages over")
    hidden_channels: int = Field(64, ge=1, description="width of GCN and GraphSAGE (official code: 64 to 256)")
    mlp_channels: int = Field(128, ge=1, description="width of the MLPs' two hidden layers (paper: 128 or 256)")
    student_channels: int = Field(256, ge=1, description="width of the student's two MLPs (official code: 256)")
    graph_mlp_channels: int = Field(256, ge=1, description="width of GraphMLP (its paper: 256)")
    graph_mlp_epochs: int = Field(100, ge=1, description="epochs of GraphMLP, the costliest model here")
    graph_mlp_nodes: int = Field(2000, ge=2, description="nodes drawn for each step of GraphMLP (its paper: 2000)")

    k: int = Field(3, ge=1, description="latent neighbours (official code: 3)")
    temperature: float = Field(1.0, gt=0, description="of the attention over latent neighbours (paper: 1)")
    distil_on: Literal["connected", "train"] = Field(
        "connected", description="nodes that ξ₁ learns from (paper: non-isolated; official code: training nodes)"
    )
    se_penalties: tuple[float, ...] = Field(
        (0.0, 100.0, 1000.0, 10_000.0),
        min_length=1,
        description="η on the mean square, chosen on validation with the graph's seed 0 (paper: a grid on the sum)",
    )
    se_std: float = Field(0.1, ge=0, description="spread of the initial structural embeddings (official code: 1)")
    isolation_share: float = Field(
        0.1, gt=0, lt=1 / 3, description="share of nodes in isolation, tail and head each (paper: 0.1)"
    )
    labels_per_class: int = Field(10, ge=1, description="training labels of each class on embedded graphs")
    scarce_labels_per_class: int = Field(20, ge=1, description="training labels of each class, label-scarce variant")

    k_sweep: tuple[int, ...] = Field((1, 3, 10), min_length=1, description="K of the retrieval sweep")
    temperature_sweep: tuple[float, ...] = Field(
        (0.1, 1.0, 10.0), min_length=1, description="temperatures of the retrieval sweep; the mean is added"
    )
    propagation_alphas: tuple[float, ...] = Field(
        (0.1, 0.5, 0.9), min_length=1, description="α of label propagation, chosen on validation (paper: .01 to .99)"
    )
    propagation_steps: int = Field(50, ge=1, description="steps of label propagation (paper: 50 or 100)")
    bootstrap_draws: int = Field(500, ge=10, description="draws of test nodes for the ratio's interval")
    noise_shares: tuple[float, ...] = Field(
        (0.0, 1.0), description="shares of the tail's edges replaced by random ones (not in the paper)"
    )
    homophilies: tuple[float, ...] = Field(
        (1.0, 0.8, 0.6, 0.4, 0.2), description="homophily of the generator's edges, for the ratio's sweep"
    )
    depths: tuple[int, ...] = Field((2, 8), description="numbers of layers, with and without SE (paper: 2 to 64)")
    depth_datasets: tuple[str, ...] = Field(("sub-topics", "cora"), description="graphs of the depth sweep")
    depth_se_penalty: float = Field(
        0.0, ge=0, description="η of the depth sweep; the two-layer choice can be large enough to leave no embedding"
    )
    depth_epochs: int = Field(60, ge=1, description="epochs of the depth sweep (official code: 1500)")
    costly_seed_limit: int = Field(
        1, ge=1, description="only seeds below this number enter the depth sweep and the link prediction"
    )

    @field_validator("k_sweep")
    @classmethod
    def _k_is_positive(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if min(value) < 1:
            raise ValueError(f"must be 1 or more, got {min(value)}.")
        return value

    @field_validator("noise_shares", "homophilies")
    @classmethod
    def _shares_are_shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 <= share <= 1 for share in value):
            raise ValueError(f"must lie in [0, 1], got {list(value)}.")
        return value

    @model_validator(mode="after")
    def _penalties_are_not_negative(self) -> Settings:
        if min(self.se_penalties) < 0:
            raise ValueError(f"se_penalties must be 0 or more, got {list(self.se_penalties)}.")
        return self

    @property
    def reduced_scale(self) -> bool:
        """Whether trainings are shorter, or the deepest networks shallower, than 1500 epochs and 64 layers."""
        return self.epochs < 1500 or max(self.depths, default=0) < 64

    def runs(self, dataset: str, seed: int) -> bool:
        """Tell whether this graph is run with this seed."""
        return seed < self.seed_limits.get(dataset, seed + 1)
