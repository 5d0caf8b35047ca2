"""The ten papers: who wrote them, where they are, what they claim, and which data sets the chapters use.

A fact that could not be confirmed is ``None``; the pages then leave the link out.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from reprise.errors import UnknownNameError, unknown_name
from reprise.paths import notebooks_folder

OVERVIEW_POST = "https://www.amazon.science/blog/amazon-at-iclr-graphs-time-series-and-more"


class UnknownPaperError(UnknownNameError):
    """A paper that is not one of the ten."""


@dataclass(frozen=True)
class DataSet:
    """A data set of a chapter.

    Parameters
    ----------
    name
        Name as it stands in settings, tidy rows and tables.
    kind
        ``"embedded"``: made by a generator in code, or part of an installed library; needs no download.
        ``"real"``: files of the data registry.
    files
        Patterns over the paths of the registry (:func:`reprise.data.select`); empty for embedded data.
    description
        One sentence: what the data are, and what they stand for where they are not the paper's own.
    """

    name: str
    kind: Literal["embedded", "real"]
    files: tuple[str, ...]
    description: str

    def __post_init__(self) -> None:
        if self.kind not in ("embedded", "real"):
            raise ValueError(f"data set {self.name!r} has the kind {self.kind!r}; it must be 'embedded' or 'real'.")
        if (self.kind == "real") != bool(self.files):
            raise ValueError(
                f"data set {self.name!r} is {self.kind} and has {len(self.files)} file patterns; "
                "real data need at least one, embedded data have none."
            )


@dataclass(frozen=True)
class Paper:
    """A paper and its chapter.

    Parameters
    ----------
    slug
        Name on the command line and in addresses, e.g. ``"cold-brew"``.
    package
        Name of the Python package below ``reprise`` and of the notebook, e.g. ``"cold_brew"``.
    title, short_title
        The title as printed, and the name by which the paper goes.
    authors
        All authors, in order.
    topic
        The field, in a few words.
    arxiv, openreview
        Identifiers, or ``None``.
    blog, code
        Addresses of the Amazon Science post and of the authors' own code, or ``None``.
    headline
        The paper's main claim in one sentence.
    data_sets
        The data sets of the chapter.
    """

    slug: str
    package: str
    title: str
    short_title: str
    authors: tuple[str, ...]
    topic: str
    arxiv: str | None
    openreview: str | None
    blog: str | None
    code: str | None
    headline: str
    data_sets: tuple[DataSet, ...]

    @property
    def notebook(self) -> Path:
        """Source of the chapter's notebook."""
        return notebooks_folder() / f"{self.package}.ipynb"

    @property
    def files(self) -> tuple[str, ...]:
        """Patterns of all registry files that the chapter uses, each once."""
        return tuple(dict.fromkeys(pattern for data_set in self.data_sets for pattern in data_set.files))

    @property
    def arxiv_url(self) -> str | None:
        """Address of the paper at arXiv."""
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else None

    @property
    def openreview_url(self) -> str | None:
        """Address of the paper's reviews and discussion."""
        return f"https://openreview.net/forum?id={self.openreview}" if self.openreview else None

    def is_written(self) -> bool:
        """Tell whether the chapter's notebook exists."""
        return self.notebook.is_file()

    def data_set(self, name: str) -> DataSet:
        """Return the data set of that name.

        Raises
        ------
        UnknownNameError
            If the chapter has none; names the nearest and all known ones.
        """
        for data_set in self.data_sets:
            if data_set.name == name:
                return data_set
        raise unknown_name(f"data set of {self.slug}", name, [data_set.name for data_set in self.data_sets])


def find_paper(name: str) -> Paper:
    """Return the paper with that slug or package name.

    Parameters
    ----------
    name
        For instance ``"cold-brew"`` or ``"cold_brew"``.

    Returns
    -------
    Paper
        The paper.

    Raises
    ------
    UnknownPaperError
        If there is none; names the nearest and all known ones.

    Examples
    --------
    >>> find_paper("cold_brew").slug
    'cold-brew'
    """
    for paper in PAPERS:
        if name in (paper.slug, paper.package):
            return paper
    raise UnknownPaperError(str(unknown_name("paper", name, [paper.slug for paper in PAPERS])))


def _read_data_sets() -> dict[str, tuple[DataSet, ...]]:
    table: dict[str, list[DataSet]] = {}
    file = Path(__file__).parent / "data" / "data_sets.csv"
    with file.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            kind = cast(Literal["embedded", "real"], row["kind"])
            data_set = DataSet(row["name"], kind, tuple(row["files"].split()), row["description"])
            table.setdefault(row["paper"], []).append(data_set)
    return {paper: tuple(data_sets) for paper, data_sets in table.items()}


_DATA_SETS = _read_data_sets()

PAPERS: tuple[Paper, ...] = (
    Paper(
        slug="cold-brew",
        package="cold_brew",
        title="Cold Brew: Distilling Graph Node Representations with Incomplete or Missing Neighborhoods",
        short_title="Cold Brew",
        authors=(
            "Wenqing Zheng",
            "Edward W. Huang",
            "Nikhil Rao",
            "Sumeet Katariya",
            "Zhangyang Wang",
            "Karthik Subbian",
        ),
        topic="graph neural networks",
        arxiv="2111.04840",
        openreview="1ugNpm7W6E",
        blog=OVERVIEW_POST,
        code="https://github.com/amazon-science/gnn-tail-generalization",
        headline=(
            "A student that looks up virtual neighbours in its teacher's embeddings classifies nodes without edges "
            "better than the graph network that taught it."
        ),
        data_sets=_DATA_SETS["cold-brew"],
    ),
    Paper(
        slug="giant-xrt",
        package="giant_xrt",
        title="Node Feature Extraction by Self-Supervised Multi-scale Neighborhood Prediction",
        short_title="GIANT-XRT",
        authors=(
            "Eli Chien",
            "Wei-Cheng Chang",
            "Cho-Jui Hsieh",
            "Hsiang-Fu Yu",
            "Jiong Zhang",
            "Olgica Milenkovic",
            "Inderjit S. Dhillon",
        ),
        topic="graphs with text",
        arxiv="2111.00064",
        openreview="KJggliHbs8",
        blog=OVERVIEW_POST,
        code="https://github.com/amzn/pecos",
        headline=(
            "A text encoder that learns to predict a node's neighbours from its text yields node features that improve "
            "every graph network put on top of them."
        ),
        data_sets=_DATA_SETS["giant-xrt"],
    ),
    Paper(
        slug="grda",
        package="grda",
        title="Graph-Relational Domain Adaptation",
        short_title="GRDA",
        authors=("Zihao Xu", "Hao He", "Guang-He Lee", "Yuyang Wang", "Hao Wang"),
        topic="domain adaptation",
        arxiv="2202.03628",
        openreview=None,
        blog=OVERVIEW_POST,
        code="https://github.com/Wang-ML-Lab/GRDA",
        headline=(
            "Where domains form a graph, aligning only what the graph calls close adapts better than aligning all "
            "domains with one another."
        ),
        data_sets=_DATA_SETS["grda"],
    ),
    Paper(
        slug="rim",
        package="rim",
        title="Bridging Recommendation and Marketing via Recurrent Intensity Modeling",
        short_title="RIM",
        authors=("Yifei Ma", "Ge Liu", "Anoop Deoras"),
        topic="recommendation and marketing",
        arxiv=None,
        openreview="TZeArecH2Nf",
        blog=OVERVIEW_POST,
        code="https://github.com/awslabs/recurrent-intensity-model-experiments",
        headline=(
            "Multiplying a recommender's item probabilities by an estimate of how active a user is now finds the right "
            "users for an item."
        ),
        data_sets=_DATA_SETS["rim"],
    ),
    Paper(
        slug="psa-gan",
        package="psa_gan",
        title="PSA-GAN: Progressive Self Attention GANs for Synthetic Time Series",
        short_title="PSA-GAN",
        authors=(
            "Paul Jeha",
            "Michael Bohlke-Schneider",
            "Pedro Mercado",
            "Shubham Kapoor",
            "Rajbir Singh Nirwan",
            "Valentin Flunkert",
            "Jan Gasthaus",
            "Tim Januschowski",
        ),
        topic="time series",
        arxiv="2108.00981",
        openreview="Ix_mh42xq5w",
        blog=OVERVIEW_POST,
        code="https://github.com/mbohlkeschneider/psa-gan",
        headline=(
            "A GAN that grows from coarse to fine with self-attention makes long time series real enough to help "
            "forecasters."
        ),
        data_sets=_DATA_SETS["psa-gan"],
    ),
    Paper(
        slug="deep-aa",
        package="deep_aa",
        title="Deep AutoAugment",
        short_title="DeepAA",
        authors=("Yu Zheng", "Zhi Zhang", "Shen Yan", "Mi Zhang"),
        topic="data augmentation",
        arxiv="2203.06172",
        openreview="St-53J9ZARf",
        blog=OVERVIEW_POST,
        code="https://github.com/MSU-MLSys-Lab/DeepAA",
        headline=(
            "A deep augmentation policy searched layer by layer from nothing, by matching gradients, does as "
            "well as policies that lean on hand-picked transformations."
        ),
        data_sets=_DATA_SETS["deep-aa"],
    ),
    Paper(
        slug="trans-encoder",
        package="trans_encoder",
        title="Trans-Encoder: Unsupervised sentence-pair modelling through self- and mutual-distillations",
        short_title="Trans-Encoder",
        authors=("Fangyu Liu", "Yunlong Jiao", "Jordan Massiah", "Emine Yilmaz", "Serhii Havrylov"),
        topic="language",
        arxiv="2109.13059",
        openreview="AmUhwTOHgm",
        blog="https://www.amazon.science/blog/improving-unsupervised-sentence-pair-comparison",
        code="https://github.com/amzn/trans-encoder",
        headline=(
            "A bi-encoder and a cross-encoder that label pairs for each other in turn learn sentence similarity "
            "without any labels."
        ),
        data_sets=_DATA_SETS["trans-encoder"],
    ),
    Paper(
        slug="diva",
        package="diva",
        title="DIVA: Dataset Derivative of a Learning Task",
        short_title="DIVA",
        authors=(
            "Yonatan Dukler",
            "Alessandro Achille",
            "Giovanni Paolini",
            "Avinash Ravichandran",
            "Marzia Polito",
            "Stefano Soatto",
        ),
        topic="data selection",
        arxiv="2111.09785",
        openreview="bVvMOtLMiw",
        blog=OVERVIEW_POST,
        code=None,
        headline=(
            "The derivative of the leave-one-out error with respect to every sample's weight has a closed form, and "
            "following it improves the training set."
        ),
        data_sets=_DATA_SETS["diva"],
    ),
    Paper(
        slug="in-domain-generalization",
        package="in_domain",
        title="Visual Representation Learning Does Not Generalize Strongly Within the Same Domain",
        short_title="In-domain generalization",
        authors=(
            "Lukas Schott",
            "Julius von Kügelgen",
            "Frederik Träuble",
            "Peter Gehler",
            "Chris Russell",
            "Matthias Bethge",
            "Bernhard Schölkopf",
            "Francesco Locatello",
            "Wieland Brendel",
        ),
        topic="representation learning",
        arxiv="2107.08221",
        openreview="9RUHPlladgh",
        blog=OVERVIEW_POST,
        code="https://github.com/bethgelab/InDomainGeneralizationBenchmark",
        headline=(
            "No kind of visual model, whatever its supervision or bias, infers known factors of variation in "
            "combinations or ranges that it has not seen."
        ),
        data_sets=_DATA_SETS["in-domain-generalization"],
    ),
    Paper(
        slug="walk-alone",
        package="walk_alone",
        title="You Mostly Walk Alone: Analyzing Feature Attribution in Trajectory Prediction",
        short_title="You mostly walk alone",
        authors=(
            "Osama Makansi",
            "Julius von Kügelgen",
            "Francesco Locatello",
            "Peter Gehler",
            "Dominik Janzing",
            "Thomas Brox",
            "Bernhard Schölkopf",
        ),
        topic="trajectory prediction",
        arxiv="2110.05304",
        openreview="POxF-LEqnF",
        blog=OVERVIEW_POST,
        code="https://github.com/amazon-science/explainable-trajectory-prediction",
        headline=(
            "Predictors of pedestrians praised for modelling interactions owe their accuracy to the past of the person "
            "predicted, hardly to the neighbours."
        ),
        data_sets=_DATA_SETS["walk-alone"],
    ),
)
