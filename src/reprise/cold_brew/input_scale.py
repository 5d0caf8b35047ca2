"""How large the features are beside what is added to them: in the input of ξ₂, and in the teacher's first layer.

Two findings about the method as specified, and what they cost: the study brings ξ₂'s inputs to one size and starts the
structural embeddings at zero; rungs of the ladder leave out the one and the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd
import torch

from reprise.cold_brew.data import EMBEDDED
from reprise.cold_brew.figures import difference, ends
from reprise.cold_brew.ladder import FEW, MASKED_RUNG, SCALED_RUNG, SIZE_RUNGS, START_RUNG, WHOLE, rung_gain
from reprise.cold_brew.methods import NOISE_SE_STD
from reprise.cold_brew.outcome import GRAPH_CHANNELS
from reprise.cold_brew.rules import GCN, MLP, STUDENT, TEACHER
from reprise.cold_brew.sparse import as_features, mean_square_norm
from reprise.numerals import number
from reprise.plots import defined
from reprise.stats import Interval

if TYPE_CHECKING:
    from torch_geometric.data import Data

N_EMBEDDING_PARTS = 2  # ξ₂ reads ẽ and ê beside x
FEATURES, EMBEDDING, SHARE, START = (
    "mean square norm of a row of x",
    "of a standardised row of Ē",
    "share of x in the input of ξ₂, not scaled (%)",
    "E over XW, from noise",
)


def scale_table(graphs: Mapping[str, Data]) -> pd.DataFrame:
    """Return how large features are beside embeddings at the start of training, one line a graph.

    The weights of ξ₂'s first map start with equal variance in all of its parts, so that a part's share in what comes
    out of the map is its share in the mean square norm of the input, unless parts are scaled. A row of Ē, standardised
    by column, has its width as mean square norm; ẽ and ê are means and guesses of such rows and somewhat smaller, so
    that the share returned is a little too small. In the teacher's first layer W starts with the variance 2 / (F + H);
    E is that of the ablation that starts from noise.
    """
    lines = []
    for name, data in graphs.items():
        features = as_features(data.x)
        squared = mean_square_norm(features)
        width = GRAPH_CHANNELS + int(torch.as_tensor(data.y).max()) + 1
        from_features = squared * 2 / (features.shape[1] + GRAPH_CHANNELS)  # of one value of XW
        lines.append(
            {
                "data set": name,
                FEATURES: squared,
                EMBEDDING: float(width),
                SHARE: 100 * squared / (squared + N_EMBEDDING_PARTS * width),
                START: NOISE_SE_STD / from_features**0.5,
            }
        )
    return pd.DataFrame(lines)


def shown(scales: pd.DataFrame) -> pd.DataFrame:
    """Return the table as it is printed."""
    decimals = {FEATURES: 3, EMBEDDING: 0, SHARE: 2, START: 1}
    return scales.assign(**{name: [number(v, places) for v in scales[name]] for name, places in decimals.items()})


def features_in_the_student(scales: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Say how little of ξ₂'s input the features would be, what bringing them to one size changes, and for whom."""
    by_name = scales.set_index("data set")[SHARE]
    real = [str(name) for name in by_name.index if name != EMBEDDED]
    words = (
        "**The size of what ξ₂ reads.** Features and the standardised embeddings ẽ and ê go through one linear map, "
        "whose weights start with equal variance, so that a part counts by its size. "
    )
    shares = []
    if real:
        shares.append(f"{_span(by_name[real], 2)} % on the real graphs (a node's features sum to one)")
    if EMBEDDED in by_name:
        shares.append(f"{number(by_name[EMBEDDED], 0)} % on the generator")
    words += (
        f"As they come, the features would be {' and '.join(shares)}. So each part is multiplied by one number, which "
        "gives all of them the same mean square norm over the training nodes: a third each, at the start. "
    )
    graphs = [str(name) for name in by_name.index]
    words += _said(rows, graphs, SCALED_RUNG, "What that changes for the student of the GCN on isolated nodes")
    words += _said(rows, graphs, SCALED_RUNG, "And on all test nodes", split="overall")
    words += _size_alone(rows, graphs)
    return (words + _behind_the_features(rows, real)).rstrip()


LADDERS = ((WHOLE, ""), (FEW, "with few labels "))


def _said(
    rows: pd.DataFrame, graphs: Sequence[str], compared: tuple[str, str, str], opening: str, split: str = "isolation"
) -> str:
    """Write a difference of rungs in a group, by graph; nothing where none was climbed. Few labels are in the table."""
    gains = {name: rung_gain(rows, name, *compared[1:], split=split) for name in graphs}
    found = [f"{name} {_points(gain)}" for name, gain in gains.items() if gain is not None]
    return f"{opening} (points): {', '.join(found)}. " if found else ""


def _size_alone(rows: pd.DataFrame, graphs: Sequence[str]) -> str:
    """Say where MLP, GLNN or GCN change with the size of their features alone, on isolated and on all test nodes."""
    looked_at, told = 0, []
    for split, where in (("isolation", "isolated"), ("overall", "all test")):
        found = []
        for metric, words in LADDERS:
            for _, rung, method in SIZE_RUNGS:
                gains = {name: rung_gain(rows, name, rung, method, metric, split) for name in graphs}
                looked_at += sum(gain is not None for gain in gains.values())
                found += [
                    f"{words}{method} on {name} {_points(gain)}"
                    for name, gain in gains.items()
                    if gain is not None and (gain.above(0) or gain.below(0))
                ]
        told.append(f"on {where} nodes {', '.join(found) if found else 'nowhere'}")
    if not looked_at:
        return ""
    return (
        "Features of that size given to MLP, GLNN and GCN alone change their accuracy by an interval that excludes 0 "
        f"(points, of {looked_at} looked at): {'; '.join(told)}. "
    )


def _points(gain: Interval) -> str:
    return f"{number(gain.estimate, 1, signed=True)} {ends(gain)}"


def _span(values: pd.Series, decimals: int) -> str:
    low, high = (number(float(value), decimals) for value in (values.min(), values.max()))
    return f"about {low}" if low == high else f"about {low} to {high}"


def _behind_the_features(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
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
                f"MLP − student {_points(lead)})"
            )
    if not found:
        return ""
    return (
        f"On all test nodes (%) an MLP on the features alone is ahead of the student on {'; '.join(found)}, "
        "with inputs of one size. "
    )


def embeddings_from_their_start(scales: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Say why E starts at zero, how large it would be from noise, and what the noise costs the teacher."""
    starts = scales.set_index("data set")[START]
    graphs = [str(name) for name in starts.index]
    words = (
        "**The start of *E*.** The row of *E* of an isolated node without a label gets no gradient of the labels, and "
        "the penalty alone moves it. *E* starts at zero here, so that such a row stays zero and the node is judged by "
        f"*XW*. From noise of standard deviation {NOISE_SE_STD:g}, a tenth of the released code's, a row of *E* would "
        f"start {_span(starts, 1)} times as long as one of *XW*. "
    )
    words += _said(rows, graphs, START_RUNG, "The teacher on isolated nodes, zero − noise at the same η")
    words += _said(rows, graphs, MASKED_RUNG, "The noise masked where nothing trains it − left in")
    return (words + _behind_the_gcn(rows, graphs)).rstrip()


def _behind_the_gcn(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Name the graphs on which the teacher is behind the GCN on isolated nodes although it starts from zero."""
    found = []
    for name in data_sets:
        how = {"dataset": name, "split": "isolation", "metric": "accuracy", "mode": "paper10", "setting": None}
        teacher, gcn = (defined(rows, method=method, **how) for method in (TEACHER, GCN))
        if teacher is None or gcn is None or not (lead := difference(teacher, gcn)).below(0):
            continue
        found.append(f"{name} {number(teacher.mean(), 0)} % against {number(gcn.mean(), 0)} % ({_points(lead)})")
    if not found:
        return ""
    return (
        f"From zero, too, the teacher is behind the plain GCN on isolated nodes of {'; '.join(found)}: there noise is "
        "not the reason. A likely one: what *E* explains of the training labels *XW* need not learn, and that is all "
        "an isolated node has. "
    )
