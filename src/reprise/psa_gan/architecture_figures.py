"""Figures of the networks: how they are built and grow, from the live modules, and what attention does in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor, nn

from reprise.flops import parameter_count
from reprise.palette import BLUE, GREEN, GREY, ORANGE, SKY
from reprise.plots import Drawing, new_figure, state_finding
from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.discriminator import Discriminator
from reprise.psa_gan.generator import Generator
from reprise.psa_gan.schedule import Schedule

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WINDOW = 64
FEATURES, CATEGORIES = 5, 414  # M4-hourly: calendar features, series
STEPS = 1000
GENERATOR_AT, WINDOW_AT, DISCRIMINATOR_AT = 2.0, 1.0, 0.0
WIDE, HIGH = 0.66, 0.44


def block_shapes(window: int = WINDOW) -> pd.DataFrame:
    """Return what goes into and comes out of each block of both networks, seen in one call of the live modules.

    Returns
    -------
    pandas.DataFrame
        ``network``, ``stage``, ``channels_in``, ``channels``, ``length``, ``weights`` of each block.
    """
    architecture = Architecture(window, FEATURES, CATEGORIES)
    generator, discriminator = Generator(architecture).eval(), Discriminator(architecture).eval()
    category, calendar = torch.zeros(1, dtype=torch.long), torch.zeros(1, FEATURES, window)
    seen: list[dict[str, Any]] = []
    hooks = [
        block.register_forward_hook(_keeper(seen, name, stage))
        for name, network in (("generator", generator), ("discriminator", discriminator))
        for stage, block in enumerate(network.blocks)
    ]
    with torch.no_grad():
        made = generator(torch.zeros(1, architecture.noise_size), category, calendar)
        discriminator(made, category, calendar)
    for hook in hooks:
        hook.remove()
    return pd.DataFrame(seen).sort_values(["network", "stage"], ignore_index=True)


def _keeper(seen: list[dict[str, Any]], network: str, stage: int) -> Any:
    def keep(block: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        seen.append(
            {
                "network": network,
                "stage": stage,
                "channels_in": inputs[0].shape[1],
                "channels": output.shape[1],
                "length": output.shape[2],
                "weights": parameter_count(block),
            }
        )

    return keep


def draw_architecture() -> Drawing:
    """Draw both networks stage by stage with the shapes of the live modules, and how a training grows them."""
    shapes = block_shapes()
    figure, (above, below) = new_figure(rows=2, height=5.6, height_ratios=(2.5, 1))
    _draw_networks(above, shapes)
    _draw_schedule(below, Schedule(len(shapes) // 2, STEPS))
    later = shapes[shapes["stage"] > 0].groupby("network")["weights"].first()
    length = int(shapes["length"].max())
    finding = (
        f"Each doubling of the length adds one block of {later['generator']} weights to the generator and one of "
        f"{later['discriminator']} to the discriminator"
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "architecture",
        f"Generator and discriminator by stage. {finding}.",
        f"Channels and lengths as one call of the networks shows them (τ = {length}, {CATEGORIES} series). Dashed: the "
        "path that a new stage is faded in past. Below: length and weight α over a training, with the defaults.",
        shapes,
    )


def _draw_networks(axes: Axes, shapes: pd.DataFrame) -> None:
    for name, height, colour in (("generator", GENERATOR_AT, BLUE), ("discriminator", DISCRIMINATOR_AT, ORANGE)):
        own = shapes[shapes["network"] == name].set_index("stage")
        for stage, block in own.iterrows():
            text = f"m ∘ f\n{block['channels_in']} → {block['channels']}\n× {block['length']}"
            _box(axes, float(stage), height, text, colour)  # type: ignore[arg-type]
        axes.text(-0.52, height, name, rotation=90, va="center", ha="center", fontsize=8.5, color=colour)
    last = int(shapes["stage"].max())
    for stage in range(last + 1):
        length = int(shapes[shapes["stage"] == stage]["length"].iloc[0])
        _draw_window(axes, stage, length)
        _arrow(axes, (stage, GENERATOR_AT + 0.62), (stage, GENERATOR_AT + HIGH / 2))
        told = f"φ, X\n× {length}" if stage else f"φ, X, noise\n× {length}"
        axes.text(stage, GENERATOR_AT + 0.64, told, ha="center", va="bottom", fontsize=7, color="0.3")
        if stage:
            _arrow(axes, (stage - 1 + WIDE / 2, GENERATOR_AT), (stage - WIDE / 2, GENERATOR_AT), "UP")
            _arrow(axes, (stage - WIDE / 2, DISCRIMINATOR_AT), (stage - 1 + WIDE / 2, DISCRIMINATOR_AT), "pool")
    _draw_fading(axes, last)
    _arrow(axes, (0, DISCRIMINATOR_AT - HIGH / 2), (0, DISCRIMINATOR_AT - 0.48))
    axes.text(0, DISCRIMINATOR_AT - 0.5, "score", ha="center", va="top", fontsize=8, color=ORANGE)
    axes.set(xlim=(-0.6, last + 0.75), ylim=(-0.75, 3.0))
    axes.axis("off")


def _draw_window(axes: Axes, stage: int, length: int) -> None:
    """Draw the window of a stage between the networks: out of the one, into the other."""
    axes.text(
        stage, WINDOW_AT, f"window\n1 × {length}", ha="center", va="center", fontsize=7.5,
        bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": GREEN},
    )  # fmt: skip
    _arrow(axes, (stage, GENERATOR_AT - HIGH / 2), (stage, WINDOW_AT + 0.2))
    _arrow(axes, (stage, WINDOW_AT - 0.2), (stage, DISCRIMINATOR_AT + HIGH / 2))
    if not stage:
        axes.text(stage + 0.05, WINDOW_AT + 0.5, "output layer,\nshared", fontsize=6.5, va="center", color="0.3")
        axes.text(stage + 0.05, WINDOW_AT - 0.5, "input layer,\nshared", fontsize=6.5, va="center", color="0.3")


def _draw_fading(axes: Axes, stage: int) -> None:
    """Draw the paths past the newest stage, of both networks."""
    for height, end, text in (
        (GENERATOR_AT, WINDOW_AT + 0.22, "α; dashed, 1 − α:\npast the new block"),
        (DISCRIMINATOR_AT, WINDOW_AT - 0.22, "α; dashed, 1 − α:\npooled first"),
    ):
        begin = (stage - 1 + WIDE / 2 - 0.1, height + (-1 if height > end else 1) * HIGH / 2)
        style = {"arrowstyle": "-|>", "linestyle": "--", "color": GREY, "shrinkA": 0, "shrinkB": 0}
        points = ((stage - 0.3, end), begin) if height > end else (begin, (stage - 0.3, end))
        axes.annotate("", *points, arrowprops=style)
        axes.text(stage + 0.05, (begin[1] + end) / 2, text, fontsize=6.5, va="center", color="0.3")


def _box(axes: Axes, x: float, y: float, text: str, colour: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - WIDE / 2, y - HIGH / 2)
    axes.add_patch(FancyBboxPatch(corner, WIDE, HIGH, boxstyle="round,pad=0.0,rounding_size=0.06",
                                  facecolor="white", edgecolor=colour, linewidth=1.4))  # fmt: skip
    axes.text(x, y, text, ha="center", va="center", fontsize=7.5)


def _arrow(axes: Axes, begin: tuple[float, float], end: tuple[float, float], text: str = "") -> None:
    style = {"arrowstyle": "-|>", "color": "0.3", "shrinkA": 0, "shrinkB": 0, "linewidth": 1.0}
    axes.annotate("", end, begin, arrowprops=style)
    if text:
        middle = ((begin[0] + end[0]) / 2, begin[1] + 0.05)
        axes.text(*middle, text, ha="center", va="bottom", fontsize=7, color="0.3")


def _draw_schedule(axes: Axes, schedule: Schedule) -> None:
    """Draw length and α against the steps of a training."""
    steps = range(schedule.max_steps)
    states = [schedule.at(step) for step in steps]
    shares = [100 * step / schedule.max_steps for step in steps]
    axes.fill_between(shares, [alpha for _, alpha in states], color=SKY, alpha=0.45, linewidth=0)
    axes.set(xlabel="share of the generator steps, %", ylabel="α", ylim=(0, 1.05), xlim=(0, 100))
    axes.grid(visible=False)
    right = axes.twinx()
    right.plot(shares, [8 * 2**depth for depth, _ in states], color=BLUE)
    right.set_yscale("log", base=2)
    lengths = [8 * 2**stage for stage in range(schedule.n_stages)]
    right.set_yticks(lengths, [str(length) for length in lengths])
    right.set_ylim(6.5, 1.35 * lengths[-1])
    right.set_ylabel("length")
    right.grid(visible=False)
    right.yaxis.label.set_color(BLUE)
