"""The parameters of the chapter on walking alone."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from reprise.settings import ChapterSettings

Mode = Literal["sum", "edge"]
Fold = Literal["eth", "hotel", "univ", "zara1", "zara2"]
Experiment = Literal["comparison", "displacement", "dropout", "audits", "play"]


class Settings(ChapterSettings):
    """What the study depends on; the defaults are the quick profile."""

    paper: ClassVar[str] = "walk-alone"
    summary_columns: ClassVar[tuple[str, ...]] = ("experiment", "loss", "neighbours", "player", "variant")
    embedded_twins: ClassVar[Mapping[str, str]] = {"alone": "eth-ucy", "follow": "nba-sportvu"}

    datasets: tuple[str, ...] = Field(
        ("alone", "follow"), min_length=1, description="names of the data sets; the paper: eth-ucy, sdd, nba-sportvu, …"
    )
    seeds: tuple[int, ...] = Field((0,), min_length=1, description="seeds of training; the paper: one")
    folds: tuple[Fold, ...] = Field(
        ("zara1",), min_length=1, description="scenes of ETH-UCY that are held out in turn; the paper: all five"
    )
    modes: tuple[Mode, ...] = Field(
        ("edge", "sum"), min_length=1, description="how edges are encoded: sum is Trajectron++, edge Trajectron++Edge"
    )
    experiments: tuple[Experiment, ...] = Field(
        ("comparison", "audits"),
        min_length=1,
        description="parts of the study; displacement: shares of minADE; dropout: trained with neighbours cut",
    )
    latents: int = Field(3, ge=2, description="values of the categorical z; the paper: 25")
    decoder_width: int = Field(32, ge=2, description="units of the decoder's GRU; the paper: 128")
    epochs: int = Field(10, ge=1, description="passes of the edge network over its windows; the paper: 100 or 20")
    sum_epochs: int = Field(5, ge=1, description="the same of the sum network; the paper: as many")
    batch: int = Field(128, ge=2, description="windows per step; the paper: 256")
    learning_rate: float = Field(5e-3, gt=0, description="Adam's, decaying linearly to a tenth; the paper: 1e-3, 3e-3")
    train_scenes: int = Field(1200, ge=2, description="simulated scenes of follow to train on; of alone half of them")
    test_scenes: int = Field(100, ge=10, description="simulated scenes to test on")
    train_every: int = Field(2, ge=1, description="ETH-UCY: every so many training windows; the paper: 1")
    clip_every: int = Field(6, ge=1, description="SportVU: every so many window starts in training; the paper: 1")
    pecnet_width: float = Field(0.25, gt=0, description="PECNet's hidden sizes over the paper's")
    pecnet_epochs: int = Field(40, ge=1, description="PECNet's passes over its windows; the paper: 650")
    pecnet_batch: int = Field(64, ge=2, description="PECNet's targets per step; the paper: 512 agents")
    pecnet_rate: float = Field(1e-3, gt=0, description="PECNet's learning rate, decaying to a tenth; the paper: 3e-4")
    n_targets: int = Field(120, ge=10, description="targets attributed per data set and network; the paper: all")
    n_few: int = Field(15, ge=5, description="of these, targets of displacement shares and sampled audits")
    pairs: int = Field(12, ge=2, description="antithetic pairs of orders beyond nine players; the paper: 10 coin flips")

    @property
    def reduced_scale(self) -> bool:
        """Whether networks, trainings or training data are smaller than the paper's."""
        return self.latents < 25 or self.decoder_width < 128 or self.epochs < 20 or self.train_every > 1
