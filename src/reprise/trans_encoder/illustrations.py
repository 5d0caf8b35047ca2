"""What needs no training: drawn pairs, and the gradient of both losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reprise.method_styles import style_of
from reprise.plots import Drawing, new_figure, state_finding
from reprise.trans_encoder.baselines import word_overlap
from reprise.trans_encoder.data import whole_test_set
from reprise.trans_encoder.generators import templated_pairs
from reprise.trans_encoder.measures import measure
from reprise.trans_encoder.names import SELF_BI, SELF_CROSS, SHORT_NAMES

LABEL = 0.7


def examples(n: int = 6) -> pd.DataFrame:
    """Return some drawn pairs with gold score and kind."""
    pairs, gold, kinds = templated_pairs(n, 0, "examples")
    lines = [
        {"first": first, "second": second, "gold (0 to 5)": round(float(score), 1), "kind": kind}
        for (first, second), score, kind in zip(pairs, gold, kinds, strict=True)
    ]
    return pd.DataFrame(lines)


def draw_losses() -> Drawing:
    """Draw the pull of both losses on a score, against how far it is from its label."""
    scores = np.linspace(0.01, 0.99, 99)
    pulls = {
        "cross-entropy, on the logit": (SELF_CROSS, scores - LABEL),
        "squared error of the sigmoid, on the logit": (SELF_BI, 2 * (scores - LABEL) * scores * (1 - scores)),
    }
    figure, axes = new_figure(height=2.5)
    drawn: list[dict[str, Any]] = []
    for label, (style, values) in pulls.items():
        look = style_of(style)
        axes.plot(scores, values, color=look.colour, linestyle="-" if style == SELF_CROSS else "--", label=label)
        drawn += [{"loss": label, "score": s, "pull": v} for s, v in zip(scores, values, strict=True)]
    axes.axhline(0, color="black", linewidth=0.8)
    axes.axvline(LABEL, color="black", linewidth=0.8, linestyle=":")
    axes.set(xlabel=f"score of the cross-encoder (label {LABEL})", ylabel="gradient")
    axes.legend(fontsize=7)
    finding = "Cross-entropy pulls in proportion to the error; squared error hardly moves a sure score"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "losses",
        f"Gradient of both losses against the score. {finding}.",
        "Derivative by the logit, of the soft binary cross-entropy and of the squared error of its sigmoid.",
        pd.DataFrame(drawn),
    )


def draw_overlap(data_sets: list[str]) -> Drawing:
    """Draw gold scores against the share of shared words, one box a quarter of the pairs."""
    n_rows = -(-len(data_sets) // 4)
    figure, axes = new_figure(columns=min(4, len(data_sets)), rows=n_rows, height=2.4 * n_rows, squeeze=False)
    drawn: list[dict[str, Any]] = []
    words = []
    for one, name in zip(axes.ravel(), data_sets, strict=False):
        pairs = whole_test_set(name)
        overlap = word_overlap(pairs.pairs)
        quarters = np.array_split(np.argsort(overlap, kind="stable"), 4)
        kind = "spearman" if len(set(pairs.gold)) > 2 else "auc"
        if kind == "spearman":
            one.boxplot([pairs.gold[rows] for rows in quarters], showfliers=False, widths=0.6)
        else:
            one.bar(range(1, 5), [pairs.gold[rows].mean() for rows in quarters], 0.6, color="0.8", edgecolor="black")
            one.set_xticks(range(1, 5))
        one.set_title(SHORT_NAMES[name], fontsize=9)
        words.append(
            f"{SHORT_NAMES[name]} {measure(kind, pairs.gold, overlap):.0f}{'' if kind == 'spearman' else ' (AUC)'}"
        )
        middle = np.median if kind == "spearman" else np.mean
        drawn += [
            {"dataset": name, "quarter": q + 1, "middle gold": float(middle(pairs.gold[rows]))}
            for q, rows in enumerate(quarters)
        ]
    for empty in axes.ravel()[len(data_sets) :]:
        empty.set_visible(False)
    figure.supxlabel("quarter of the pairs by share of shared words", fontsize=9)
    figure.supylabel("gold score", fontsize=9)
    finding = f"Shared words alone rank all pairs with gold (Spearman × 100): {', '.join(words)}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "overlap",
        f"Gold score by quarter of shared words. {finding}.",
        "All test pairs with gold, of which the tables below test a sample; boxes: middle half and median, whiskers: "
        "1.5 times the box; bars, where gold is yes or no: share of yes.",
        pd.DataFrame(drawn),
    )
