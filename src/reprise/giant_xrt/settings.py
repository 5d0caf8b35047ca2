"""The parameters of the GIANT-XRT chapter."""

from typing import ClassVar, Literal, get_args

from pydantic import Field, PositiveFloat, PositiveInt

from reprise.settings import ChapterSettings, Twins

QuickExperiment = Literal[
    "comparison",
    "levels",
    "ablations",
    "labels",
    "variance",
    "degrees",
    "neighbours",
    "phase",
    "purity",
    "controls",
    "theory",
]
Experiment = Literal[QuickExperiment, "networks", "self-supervision", "minilm", "scale", "ogbn-arxiv"]


class Settings(ChapterSettings):
    """What the GIANT-XRT study depends on; the defaults are the quick profile."""

    paper: ClassVar[str] = "giant-xrt"
    summary_columns: ClassVar[tuple[str, ...]] = (
        "experiment",
        "model",
        "labels",
        "level",
        "group",
        "at",
        "mean_degree",
    )
    embedded_twins: ClassVar[Twins] = {"text-blocks": ("citeseer-text", "movie-plots", "coauthor-cs")}

    datasets: tuple[str, ...] = Field(
        ("text-blocks",),
        min_length=1,
        description="names of the data sets; the paper: three of the Open Graph Benchmark",
    )
    seeds: tuple[int, ...] = Field(
        (0, 1, 2),
        min_length=1,
        description="seeds: of split, tree, encoder and batches; the paper: 10 downstream",
    )
    experiments: tuple[Experiment, ...] = Field(
        get_args(QuickExperiment),
        min_length=1,
        description="which parts of the study are run",
    )
    full_study_datasets: tuple[str, ...] = Field(
        ("text-blocks", "citeseer-text"),
        description="data sets of all parts; the others are compared, 20 per class only",
    )
    many_label_seeds: tuple[int, ...] = Field(
        (0,), description="of the seeds, those compared with 60 % of the labels, too"
    )
    ablation_seeds: tuple[int, ...] = Field((0,), description="of the seeds, those of the ablations")
    neighbour_seeds: tuple[int, ...] = Field((0,), description="of the seeds, those that predict held-out edges")
    phase_seeds: tuple[int, ...] = Field((0,), description="of the seeds, those of the sweeps over the graph")
    network_seeds: tuple[int, ...] = Field((0, 1, 2), description="of the seeds, those of slower networks and rivals")
    other_seeds: tuple[int, ...] = Field((0, 1, 2, 3, 4), description="of the seeds, those of sets compared only")
    epochs_per_level: PositiveInt = Field(3, description="passes over the instances a level; the paper: 2,500 steps")
    embedded_epochs: PositiveInt = Field(5, description="the same on embedded data")
    downstream_epochs: PositiveInt = Field(60, description="epochs of downstream networks at most; the paper: 500")
    downstream_patience: PositiveInt = Field(20, description="epochs without a better validation accuracy")
    depths: tuple[PositiveInt, ...] = Field(
        (3, 5, 7, 8), description="depths of the tree that are levels: 8, 32, 128, 256 clusters; the paper: 32 to 2,048"
    )
    embedded_depths: tuple[PositiveInt, ...] = Field((3, 5, 7), description="the same on embedded data")
    learning_rates: tuple[PositiveFloat, ...] = Field(
        (2e-3,), min_length=1, description="rates from which validation chooses, for GIANT and link prediction alike"
    )
    label_budgets: tuple[str, ...] = Field(
        ("2 per class", "10 per class", "60 %"), description="amounts of training labels of the honest curve"
    )
    kept_edges: tuple[PositiveFloat, ...] = Field(
        (0.25, 1.0), description="shares of edges kept in the sweep on real graphs"
    )
    homophilies: tuple[float, ...] = Field(
        (0.15, 0.4, 0.6), description="shares inside the class in the embedded sweep"
    )
    variance_splits: PositiveInt = Field(5, description="splits that every pre-training is scored on")
    theory_graphs: PositiveInt = Field(1, description="graphs drawn a seed, density and contrast")
    scale_sizes: tuple[PositiveInt, ...] = Field((), description="nodes of the graphs of the scale experiment")
    minilm_steps: int = Field(0, ge=0, description="steps a level of fine-tuning MiniLM; 0 keeps it frozen")
    arxiv_encoder: str = Field("bert-base-uncased", description="encoder of ogbn-arxiv; the paper's by default")
    arxiv_steps: PositiveInt = Field(2500, description="steps a level on ogbn-arxiv; the paper's by default")
    arxiv_batch: PositiveInt = Field(256, description="texts a step on ogbn-arxiv; the paper: 32 on each device")

    @property
    def reduced_scale(self) -> bool:
        """Whether anything but the paper's own data and steps decides: always where ogbn-arxiv is not run."""
        return "ogbn-arxiv" not in self.experiments
