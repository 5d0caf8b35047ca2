"""How large the features are beside what is added to them: in the input of ξ₂, and in the teacher's first layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import torch

from reprise.cold_brew import rules
from reprise.cold_brew.data import EMBEDDED
from reprise.cold_brew.figures import difference, ends
from reprise.cold_brew.methods import SE_STD
from reprise.cold_brew.outcome import GRAPH_CHANNELS
from reprise.cold_brew.rules import GCN, MLP, STUDENT, TEACHER
from reprise.cold_brew.sparse import SparseMatrix, as_features
from reprise.numerals import number
from reprise.plots import defined
from reprise.rows import MissingRowsError

if TYPE_CHECKING:
    from torch_geometric.data import Data

N_EMBEDDING_PARTS = 2  # ξ₂ reads ẽ and ê beside x
FEATURES, EMBEDDING, SHARE, START = (
    "mean square norm of a row of x",
    "of a standardised row of Ē",
    "share of x in the input of ξ₂ (%)",
    "E over XW at the start",
)


def mean_square_norm(x: object) -> float:
    """Return the mean over rows of the squared Euclidean norm of features ``(N, F)``, dense or sparse."""
    features = as_features(x)
    values = torch.as_tensor(features.to_scipy().data) if isinstance(features, SparseMatrix) else features
    return float(values.double().square().sum()) / features.shape[0]


def scale_table(graphs: Mapping[str, Data]) -> pd.DataFrame:
    """Return how large features are beside embeddings at the start of training, one line a graph.

    The weights of ξ₂'s first map start with equal variance in all of its parts, so that a part's share in what comes
    out of the map is its share in the mean square norm of the input. A row of Ē, standardised by column, has its
    width as mean square norm; ẽ and ê are means and guesses of such rows and somewhat smaller, so that the share
    returned is a little too small. In the teacher's first layer W starts with the variance 2 / (F + H).
    """
    lines = []
    for name, data in graphs.items():
        squared = mean_square_norm(data.x)
        width = GRAPH_CHANNELS + int(torch.as_tensor(data.y).max()) + 1
        n_features = as_features(data.x).shape[1]
        from_features = squared * 2 / (n_features + GRAPH_CHANNELS)  # of one value of XW
        lines.append(
            {
                "data set": name,
                FEATURES: squared,
                EMBEDDING: float(width),
                SHARE: 100 * squared / (squared + N_EMBEDDING_PARTS * width),
                START: SE_STD / from_features**0.5,
            }
        )
    return pd.DataFrame(lines)


def shown(scales: pd.DataFrame) -> pd.DataFrame:
    """Return the table as it is printed."""
    decimals = {FEATURES: 3, EMBEDDING: 0, SHARE: 2, START: 1}
    return scales.assign(**{name: [number(v, places) for v in scales[name]] for name, places in decimals.items()})


def features_in_the_student(scales: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Say how little of ξ₂'s input the features are, and where an MLP on them alone is ahead of the student."""
    by_name = scales.set_index("data set")[SHARE]
    real = by_name[[name for name in by_name.index if name != EMBEDDED]]
    words = (
        "**A finding about this student, not about the idea.** ξ₂ reads the features and the standardised embeddings "
        "ẽ and ê through one linear map, whose weights start with equal variance, so that a part counts by its size. "
    )
    if not real.empty:
        words += f"Of that input, when training starts, the features are {_span(real)} on the real graphs"
        words += f" and {number(by_name[EMBEDDED], 0)} % on the generator" if EMBEDDED in by_name else ""
        words += (
            ": the positive controls pass with features that count, the real graphs are judged with features that "
            "hardly do. The MLP and GLNN read the same features alone, and their normalisation gives them back their "
            "size. "
        )
        words += _behind_the_features(rows, list(real.index))
        words += (
            "Where the student falls short (C1, C2, C5, C9, C10) and where a part harms on the ladder, this is a cause "
            "at hand that the run does not tell from a failing of latent neighbours. "
        )
    elif EMBEDDED in by_name:
        words += (
            f"On the generator the features are {number(by_name[EMBEDDED], 0)} % of that input when training "
            "starts; on graphs whose features sum to one a node, as the real ones here, they are far less. "
        )
    return words + "The parts will be brought to one scale and the run made again."


def _span(shares: pd.Series) -> str:
    low, high = (number(float(value), 2) for value in (shares.min(), shares.max()))
    return f"about {low} %" if low == high else f"about {low} to {high} %"


def _behind_the_features(rows: pd.DataFrame, data_sets: list[str]) -> str:
    """Name the graphs on which an MLP on the features alone is ahead of the student on all test nodes."""
    found = []
    for name in data_sets:
        how = {"dataset": name, "split": "overall", "metric": "accuracy", "mode": "paper10", "setting": None}
        mlp, student, gcn = (defined(rows, method=method, **how) for method in (MLP, STUDENT, GCN))
        if mlp is None or student is None or gcn is None:
            continue
        lead = difference(mlp, student)
        if lead.above(0):
            found.append(
                f"{name} {number(mlp.mean(), 1)} against {number(student.mean(), 1)} (GCN {number(gcn.mean(), 1)}; "
                f"MLP − student {number(lead.estimate, 1, signed=True)} {ends(lead)})"
            )
    if not found:
        return ""
    return f"On all test nodes (%) an MLP on the features alone is ahead of the student on {'; '.join(found)}. "


def embeddings_from_their_start(scales: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Say how large E starts beside XW, and what is left of the teacher on isolated nodes where E has grown."""
    starts = scales.set_index("data set")[START]
    words = (
        "**The random start of *E*.** The row of *E* of an isolated node without a label gets no gradient of the "
        "labels; where validation chooses η = 0, nothing else moves it. At the start a row of *E* is this many times "
        "as long as one of *XW*: " + ", ".join(f"{name} {number(value, 1)}" for name, value in starts.items()) + ". "
    )
    said = [sentence for name in starts.index if (sentence := _free_embeddings(rows, str(name)))]
    if said:
        words += (
            f"{' '.join(said)} There C3, C7 and what the student learns from this teacher speak of that noise as much "
            "as of structural embeddings. "
        )
    return words + "This too will be changed: *E* will start at zero or be left out where nothing trains it."


def _free_embeddings(rows: pd.DataFrame, name: str) -> str:
    """The teacher beside the GCN on isolated nodes, where validation mostly left E unpenalised and it is behind."""
    penalty = defined(rows, dataset=name, method=TEACHER, metric="structural penalty", mode="paper10")
    if penalty is None or (penalty == 0).mean() <= 0.5:
        return ""
    try:
        cold = [rules.scores(rows, method, name, "isolation") for method in (TEACHER, GCN)]
    except MissingRowsError:
        return ""
    behind = difference(*cold)
    if not behind.below(0):
        return ""
    free = int((penalty == 0).sum())
    return (
        f"On {name} η is 0 in {free} of {len(penalty)} seeds, and on isolated nodes the teacher reaches "
        f"{number(cold[0].mean(), 0)} %, the plain GCN {number(cold[1].mean(), 0)} % "
        f"({number(behind.estimate, 1, signed=True)} {ends(behind)})."
    )
