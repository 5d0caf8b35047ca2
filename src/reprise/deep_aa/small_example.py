"""The method on two transformations and two weights, as a figure: what a reader can check by hand."""

from __future__ import annotations

import pandas as pd
import torch

from reprise.deep_aa.gradient_rewards import cosine, direction, policy_gradient
from reprise.deep_aa.names import DEEP_TRIVIAL, SEARCHED
from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.plots import Drawing, new_figure, state_finding

# Columns: the gradients of one image under two transformations.
GRADIENTS = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
TARGET = torch.tensor([1.0, 0.0], dtype=torch.float64)
START = torch.tensor([0.5, 0.5], dtype=torch.float64)


def worked_example() -> pd.DataFrame:
    """Return gradient, reward and derivative of the logit for both transformations, at equal probabilities."""
    g = GRADIENTS @ START
    rewards = GRADIENTS.T @ direction(TARGET, g)
    steps = policy_gradient(START, rewards)
    return pd.DataFrame(
        {
            "transformation": ["first", "second"],
            "its gradient": [str(tuple(int(x) for x in column)) for column in GRADIENTS.T],
            "probability": START.tolist(),
            "cos(v, gradient)": [float(cosine(TARGET, column)) for column in GRADIENTS.T],
            "reward": rewards.tolist(),
            "derivative of its logit": steps.tolist(),
        }
    )


def draw_rewards_of_two() -> Drawing:
    """Draw the cosine of the mixed gradient against the first transformation's probability, and its slope at ½."""
    p = torch.linspace(0.0, 1.0, 101, dtype=torch.float64)
    values = torch.stack([cosine(TARGET, GRADIENTS @ torch.stack([one, 1 - one])) for one in p])
    g = GRADIENTS @ START
    rewards = GRADIENTS.T @ direction(TARGET, g)
    slope = float(rewards[0] - rewards[1])
    figure, axes = new_figure(columns=2, height=2.6)
    look, other = style_of(SEARCHED), style_of(DEEP_TRIVIAL)
    for column, name in ((GRADIENTS[:, 0], "first"), (GRADIENTS[:, 1], "second")):
        axes[0].annotate("", tuple(column.tolist()), (0, 0), arrowprops={"arrowstyle": "->", "color": "#7F7F7F"})
        axes[0].annotate(name, tuple((1.03 * column).tolist()), fontsize=8, color="#595959")
    axes[0].annotate("", tuple(g.tolist()), (0, 0), arrowprops={"arrowstyle": "->", "color": look.colour, "lw": 1.8})
    axes[0].annotate("g, their mean", (0.52, 0.52), fontsize=8, color=look.colour)
    arrow = {"arrowstyle": "->", "color": other.colour, "lw": 1.8, "linestyle": (0, (4, 2))}
    axes[0].annotate("", tuple(TARGET.tolist()), (0, 0), arrowprops=arrow)
    axes[0].annotate("v", (0.5, -0.12), fontsize=8, color=other.colour)
    axes[0].set(xlim=(-0.1, 1.3), ylim=(-0.2, 1.2), xlabel="first weight", ylabel="second weight", aspect="equal")
    axes[1].plot(p, values, color=look.colour)
    ends = torch.tensor([0.25, 0.75], dtype=torch.float64)
    tangent = cosine(TARGET, g) + slope * (ends - 0.5)
    axes[1].plot(ends, tangent, color=other.colour, linestyle="--")
    axes[1].plot([0.5], [float(cosine(TARGET, g))], "o", color=look.colour)
    axes[1].set(xlabel="probability of the first transformation", ylabel="cos(v, g)")
    finding = (
        f"At equal probabilities the cosine is {number(float(cosine(TARGET, g)), 2)}, and its slope the difference of "
        f"the rewards, {number(slope, 2)}"
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "two_transformations",
        f"Gradients under two transformations, and the cosine of their mixture. {finding}.",
        "Left: gradients of one image under two transformations, their mean, and the gradient v of real images. Right: "
        "the cosine over the probability; dashed: its slope by the rewards.",
        pd.DataFrame({"probability": p.tolist(), "cosine": values.tolist()}),
    )
