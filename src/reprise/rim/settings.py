"""The parameters of the chapter on recurrent intensity modelling."""

from typing import ClassVar, Literal, get_args

from pydantic import Field, PositiveFloat

from reprise.settings import ChapterSettings, Twins

Baseline = Literal[
    "ALS", "BPR-Item", "BPR-User", "LogisticMF", "BPR, both kinds of negatives", "GraphConv", "GraphConv-Extra", "LDA"
]
Factor = Literal["none", "UserPop", "EMA", "Hawkes", "HP"]


class Settings(ChapterSettings):
    """What the study depends on; the defaults are the quick profile."""

    paper: ClassVar[str] = "rim"
    summary_columns: ClassVar[tuple[str, ...]] = ("part", "task", "multiplier", "served", "solver", "at")
    embedded_twins: ClassVar[Twins] = {"churn-and-bursts": ("movielens-100k", "online-retail")}

    datasets: tuple[str, ...] = Field(
        ("churn-and-bursts",),
        min_length=1,
        description="names of the data sets; the paper: movielens-1m and two others",
    )
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1, description="seeds of split and training; the paper: one")
    width: int = Field(32, ge=2, multiple_of=2, description="d of embedding and state; the paper: 128")
    gru_epochs: int = Field(15, ge=1, description="passes of the GRU over its users; the paper: 20")
    retail_epochs: int = Field(8, ge=1, description="the same on Online Retail, which is not in the paper")
    gru_batch: int = Field(64, ge=1, description="users a step of the GRU; the paper: 64")
    transformer_sets: tuple[str, ...] = Field(
        (), description="of the data sets, those with a Transformer; the paper: all"
    )
    transformer_epochs: int = Field(10, ge=1, description="passes of the Transformer; the paper: 20")
    transformer_batch: int = Field(16, ge=1, description="users a step of the Transformer; the paper: 64")
    baselines: tuple[Baseline, ...] = Field(
        get_args(Baseline), min_length=1, description="rivals without a sequence model; the paper: these"
    )
    share: float = Field(
        0.01, gt=0, lt=1, description="share of items for a user and of users for an item; the paper: 0.01"
    )
    matching_sets: tuple[str, ...] = Field(
        ("churn-and-bursts",), description="of the data sets, those with matching; the paper: all"
    )
    judged_multipliers: tuple[PositiveFloat, ...] = Field(
        (0.7, 1.0), description="m of the bounds on items, without and with HP, on all matching seeds"
    )
    matching_seeds: tuple[int, ...] = Field((0,), description="of the seeds, those with matching")
    curve_multipliers: tuple[PositiveFloat, ...] = Field(
        (0.3, 0.7, 1.0, 3.0, 200.0), description="m of the trade-off curves; the paper: 0.3, 0.7, 1, 3, 10, 200"
    )
    curve_seeds: tuple[int, ...] = Field((0,), description="of the matching seeds, those with whole curves")
    curve_factors: tuple[Factor, ...] = Field(("none", "HP"), description="activity models of the curves")
    levels: int = Field(7, ge=1, le=12, description="levels of smoothing of the exact solver, 1/4 each; 9 is finer")
    loop_seeds: tuple[int, ...] = Field(
        (0,), description="of the matching seeds, those with the released loop beside it"
    )
    programme_seeds: tuple[int, ...] = Field((0,), description="of these, those with the linear programme beside it")
    sample_size_seeds: tuple[int, ...] = Field((0,), description="of these, those with prices from fewer users")
    drift_sets: tuple[Literal["churn-and-bursts", "online-retail"], ...] = Field(
        ("churn-and-bursts",), description="of the data sets split at one time, those on which prices grow old"
    )
    drift_users: int = Field(300, ge=10, description="validation requests from which these prices are learnt")

    @property
    def reduced_scale(self) -> bool:
        """Whether the networks are narrower or trained for less than the paper's, or its MovieLens 1M is missing."""
        return self.width < 128 or self.gru_epochs < 20 or "movielens-1m" not in self.datasets
