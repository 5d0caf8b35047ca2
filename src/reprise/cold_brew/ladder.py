"""The ablation ladder: its rungs, the figure, what each rung adds, and how far ξ₂ overfits its training nodes."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reprise.cold_brew.figures import METHODS, adds, difference, ends
from reprise.cold_brew.rules import GCN, MLP, STUDENT, TEACHER
from reprise.numerals import MISSING, number, with_interval
from reprise.plots import (
    Drawing,
    Line,
    defined,
    draw_dots,
    keep_to_percent,
    measured_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval

WHOLE, FEW = "accuracy on the ladder", "accuracy with few labels"
FITTED = "accuracy on training nodes"
GLNN = "GLNN"
# Method, setting and name of each line of the figure.
LADDER = (
    (MLP, None, "MLP"),
    (MLP, "MLP, x scaled", "MLP, features of ξ₂'s size"),
    (GLNN, None, "GLNN: plain distillation"),
    (GLNN, "GLNN, x scaled", "GLNN, features of ξ₂'s size"),
    (STUDENT, "ê only", "guess ê, no look-up"),
    (STUDENT, "ẽ by mean", "latent neighbours ẽ, plain mean"),
    (STUDENT, "ẽ by cosine", "ẽ, cosine attention"),
    (STUDENT, "ẽ by softmax", "ẽ, softmax attention (Eq. 4)"),
    (STUDENT, "ẽ and ê", "ẽ and ê"),
    (STUDENT, "ẽ and ê, not scaled", "the same, inputs of ξ₂ not scaled"),
    (STUDENT, "ẽ and ê, finds itself", "the same, a node may find itself"),
    (STUDENT, "ẽ and ê, ξ₂ on cold nodes", "the same, ξ₂ learns from cold nodes"),
    (STUDENT, "ẽ and ê, output only", "the same, teacher's output only"),
    (STUDENT, "distilled on training nodes", "the same, ξ₁ on training nodes"),
    (STUDENT, "ẽ and ê, SE teacher", "ẽ and ê, SE teacher"),
    (STUDENT, "distilled on training nodes, SE teacher", "SE teacher, ξ₁ on training nodes"),
)
OTHER_SETTINGS = {"GCN, x scaled": GCN, "E from noise": TEACHER, "E from noise, masked": TEACHER}
METHOD_OF = {setting: method for method, setting, _ in LADDER if setting is not None} | OTHER_SETTINGS
TITLE_RUNGS = (("ẽ and ê", "ê only"), ("ẽ and ê", GLNN))
LADDER_SPLITS = ("isolation", "head")

SCALED_RUNG = ("one size for ξ₂'s inputs: ẽ and ê − the same, not scaled", "ẽ and ê", "ẽ and ê, not scaled")
START_RUNG = ("start of E in the teacher: zero − noise", TEACHER, "E from noise")
MASKED_RUNG = ("noise of E masked in the teacher: masked − as it is", "E from noise, masked", "E from noise")
SIZE_RUNGS = tuple(
    (f"size of the features in the {method}: that of ξ₂ − as they come", f"{method}, x scaled", method)
    for method in (MLP, GLNN, GCN)
)
RUNGS = (
    ("distillation: GLNN − MLP", GLNN, MLP),
    ("a guess of the embedding: ê − GLNN", "ê only", GLNN),
    ("look-up beside the guess: ẽ and ê − ê", "ẽ and ê", "ê only"),
    ("attention: softmax − plain mean", "ẽ by softmax", "ẽ by mean"),
    ("states of all layers: ẽ and ê − output only", "ẽ and ê", "ẽ and ê, output only"),
    ("structural embeddings: SE teacher − GCN teacher", "ẽ and ê, SE teacher", "ẽ and ê"),
    ("unlabelled nodes for ξ₁: all connected − training nodes", "ẽ and ê", "distilled on training nodes"),
    ("all training nodes for ξ₂: all − isolation and tail", "ẽ and ê", "ẽ and ê, ξ₂ on cold nodes"),
    ("no self-retrieval: itself excluded − allowed", "ẽ and ê", "ẽ and ê, finds itself"),
    SCALED_RUNG,
    *SIZE_RUNGS,
    START_RUNG,
    MASKED_RUNG,
    ("all of Cold Brew: ẽ and ê, SE teacher − GLNN", "ẽ and ê, SE teacher", GLNN),
    (
        "all of Cold Brew against GLNN on scaled features: ẽ and ê, SE teacher − GLNN, x scaled",
        "ẽ and ê, SE teacher",
        "GLNN, x scaled",
    ),
)


def rung_difference(
    rows: pd.DataFrame, data_set: str, rung: str, under: str, *, split: str = "isolation", metric: str = WHOLE
) -> Interval:
    """Return one rung of the ladder minus another, paired by seed; a rung is a method or a setting of one."""

    def values(name: str) -> pd.Series:
        how = {"method": METHOD_OF.get(name, name), "setting": name if name in METHOD_OF else None}
        return per_seed(rows, dataset=data_set, split=split, metric=metric, mode="paper10", **how)

    return difference(values(rung), values(under))


def draw_ladder(rows: pd.DataFrame, data_set: str, metric: str = WHOLE) -> Drawing:
    """Draw the ablation ladder from MLP to the full student, on isolated and on head nodes."""
    part = select(rows, dataset=data_set, metric=metric, mode="paper10")
    figure, axes = new_figure(columns=2, height=0.25 * len(LADDER) + 1.1, sharey=True)
    drawn = []
    lines = [Line(label, method, {"method": method, "setting": setting}) for method, setting, label in LADDER]
    for one, split in zip(axes, LADDER_SPLITS, strict=True):
        drawn += draw_dots(one, measured_lines(part, lines, look_up=defined, split=split), lines, split=split)
        one.set(title=split, xlabel="accuracy (%)")
        keep_to_percent(one)
    data = pd.DataFrame(drawn)
    few = " with few labels" if metric == FEW else ""
    look_up, whole = (rung_difference(rows, data_set, rung, under, metric=metric) for rung, under in TITLE_RUNGS)
    finding = (
        f"{data_set}{few}: with the look-up the guess {adds(look_up.estimate, gain='gains')} {ends(look_up)}; "
        f"with both it {adds(whole.estimate, gain='gains')} on GLNN {ends(whole)}"
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        f"ladder_{data_set.replace('-', '_')}" + ("_few" if few else ""),
        f"On isolated nodes of {finding}.",
        f"{data_set}{few}: means with 95 % t intervals over seeds ({seeds_behind(data)}), single runs as faint "
        "dots; in the title 95 % t intervals of differences paired by seed. Everything from the guess on distils a "
        "plain GCN on all connected nodes unless the line says otherwise; cold nodes are those of isolation and tail.",
        data,
    )


def rung_table(rows: pd.DataFrame, data_sets: Sequence[str], metric: str = WHOLE) -> pd.DataFrame:
    """Return what each part adds on isolated nodes: paired differences of rungs, a column a data set."""
    found = [name for name in data_sets if defined(rows, dataset=name, metric=metric) is not None]
    if not found:
        raise MissingRowsError("no ladder was climbed in this run.")
    lines = []
    for label, rung, under in RUNGS:
        gains = {name: rung_gain(rows, name, rung, under, metric) for name in found}
        cells = {
            name: MISSING if gain is None else with_interval(gain.estimate, gain.low, gain.high, 1)
            for name, gain in gains.items()
        }
        lines.append({"part": label} | cells)
    return pd.DataFrame(lines)


def rung_gain(
    rows: pd.DataFrame, data_set: str, rung: str, under: str, metric: str = WHOLE, split: str = "isolation"
) -> Interval | None:
    """Return one rung minus another; ``None`` where one of the two was not run."""
    try:
        return rung_difference(rows, data_set, rung, under, metric=metric, split=split)
    except (MissingRowsError, ValueError):
        return None


def fit_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return how much better methods are on the nodes they are trained on: training → all test nodes, in %."""
    found = [name for name in data_sets if defined(rows, dataset=name, metric=FITTED) is not None]
    if not found:
        raise MissingRowsError("no accuracy on training nodes was measured in this run.")
    lines = []
    for method in METHODS:
        how = {"method": method, "split": "overall", "mode": "paper10", "setting": None}
        pairs = {name: [defined(rows, dataset=name, metric=m, **how) for m in (FITTED, "accuracy")] for name in found}
        if any(pair[0] is not None for pair in pairs.values()):
            lines.append({"method": method} | {name: _from_to(*pair) for name, pair in pairs.items()})
    for setting, label in (("ẽ and ê", "student of the GCN"), ("ẽ and ê, finds itself", "…, a node may find itself")):
        how = {"method": STUDENT, "setting": setting, "metric": WHOLE, "mode": "paper10"}
        splits = ("training nodes", "overall")
        cells = {n: _from_to(*(defined(rows, dataset=n, split=split, **how) for split in splits)) for n in found}
        if any(cell != MISSING for cell in cells.values()):
            lines.append({"method": label} | cells)
    return pd.DataFrame(lines)


def _from_to(fitted: pd.Series | None, tested: pd.Series | None) -> str:
    if fitted is None or tested is None:
        return MISSING
    return f"{number(float(fitted.mean()), 1)} → {number(float(tested.mean()), 1)}"
