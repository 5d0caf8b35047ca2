"""Figures of scenes: who stands where, what dropping a player means, and arrows as wide as contributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reprise.numerals import number
from reprise.palette import BLACK, BLUE, GREY, ORANGE, SKY, VERMILION
from reprise.plots import Drawing, new_figure, state_finding
from reprise.rows import select
from reprise.walk_alone.problems import Problem
from reprise.walk_alone.windows import Windows
from reprise.walk_alone.worlds import simulate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KIND_COLOURS = {"agent": BLUE, "team mate": SKY, "opponent": ORANGE, "ball": BLACK}
WIDEST_ARROW = 5.0
COURT = (94.0, 50.0)


def draw_dropping(windows: Windows, place: int) -> Drawing:
    """Draw one window as it is, without one neighbour, and with the past dropped."""
    figure, axes = new_figure(columns=3, height=2.5)
    window = windows.take(np.array([place]))
    slot = int(window.influencer[0]) if window.influencer[0] >= 0 else 0
    titles = ("all players", "one neighbour dropped", "past dropped")
    for one, title in zip(axes, titles, strict=True):
        for j in np.flatnonzero(window.present[0]):
            absent = title == titles[1] and j == slot
            one.plot(*window.neighbours[0, j].T, color=BLUE, alpha=0.15 if absent else 0.9)
            one.plot(*window.neighbours[0, j, -1], "o", color=BLUE, alpha=0.15 if absent else 0.9, markersize=4)
        if title != titles[2]:
            one.plot(*window.past[0].T, color=VERMILION)
        one.plot(*window.past[0, -1], "o", color=VERMILION)
        one.plot(*window.future[0].T, ":", color=GREY)
        one.set_title(title, fontsize=9)
        one.set_xlabel(f"x ({window.unit})")
        one.set_aspect("equal", adjustable="datalim")
    axes[0].set_ylabel(f"y ({window.unit})")
    state_finding(figure, "A dropped neighbour is cut; a dropped past stands still")
    tracks = np.concatenate([window.past, window.neighbours[0]])
    lines = [
        {"agent": "target" if a == 0 else f"neighbour {a}", "frame": f, "x": float(x), "y": float(y)}
        for a, track in enumerate(tracks)
        for f, (x, y) in enumerate(track)
    ]
    alt = "A target (red) and its neighbours (blue) thrice: whole, with one neighbour cut, with the target standing."
    caption = "Solid: eight observed frames; dot: the last one; dotted: the true future, which only the loss sees."
    return Drawing(figure, "dropping", alt, caption, pd.DataFrame(lines))


def draw_worlds(seed: int = 0) -> Drawing:
    """Draw one scene of each simulated world."""
    figure, axes = new_figure(columns=3, height=2.5)
    lines = []
    for one, regime in zip(axes, ("alone", "repel", "follow"), strict=True):
        positions, leader = simulate(regime, 1, seed, "shown")  # type: ignore[arg-type]
        for agent, track in enumerate(positions[0]):
            colour = BLACK if leader[0, agent] < 0 else (BLUE, ORANGE)[leader[0, agent]]
            if regime == "follow" and agent < 2:
                colour = (BLUE, ORANGE)[agent]
            one.plot(*track.T, color=colour, linewidth=2.2 if regime == "follow" and agent < 2 else 1)
            one.plot(*track[-1], "o", color=colour, markersize=3)
            lines += [{"world": regime, "agent": agent, "frame": f, "x": x, "y": y} for f, (x, y) in enumerate(track)]
        one.set(title=regime, xlabel="x (m)")
        one.set_aspect("equal", adjustable="datalim")
    axes[0].set_ylabel("y (m)")
    state_finding(figure, "Only in follow does one neighbour say where an agent will go")
    alt = "One scene of each world: straight walks, walks that bend apart, followers in their leader's colour."
    caption = "Twenty frames of six agents; in follow leaders have wide lines, and followers their leader's colour."
    return Drawing(figure, "worlds", alt, caption, pd.DataFrame(lines))


def draw_arrows(rows: pd.DataFrame, problem: Problem, method: str = "Trajectron++Edge") -> Drawing:
    """Draw scenes with arrows from neighbours to the target, as wide as their shares (red: they mislead)."""
    how = {"dataset": problem.name, "split": problem.split, "method": method, "experiment": "arrows"}
    shares = select(rows, **how)
    targets = sorted({int(target) for target in shares["target"]})
    windows = problem.test.take(np.array(targets))
    n_columns = 2 if problem.name == "nba-sportvu" else 3
    figure, axes = new_figure(rows=-(-len(targets) // n_columns), columns=n_columns, height=4.4, squeeze=False)
    by_player = {(int(r.target), int(r.player)): r.value for r in shares.itertuples()}
    neighbours = [abs(value) for (_, player), value in by_player.items() if player > 0]
    largest = max(neighbours, default=1.0) or 1.0
    lines = []
    for one, place, target in zip(axes.flat, range(len(targets)), targets, strict=False):
        values = [by_player[target, 1 + j] for j in range(int(windows.counts[place]))]
        _draw_scene(one, windows, place, values, largest)
        seconds = (windows.frame[place] - windows.frame.min()) * windows.seconds
        title = f"{seconds:.1f} s" if problem.name == "nba-sportvu" else f"window {target}"
        one.set_title(f"{title}: past {number(by_player[target, 0], 1)}", fontsize=8)
        lines += [{"target": target, "neighbour": j, "share": value} for j, value in enumerate(values)]
    for one in axes.flat[len(targets) :]:
        one.set_visible(False)
    tops = [max((by_player[t, p] for t2, p in by_player if t2 == t and p > 0), default=0.0) for t in targets]
    beats = sum(top > by_player[t, 0] for t, top in zip(targets, tops, strict=True))
    state_finding(figure, f"A neighbour contributes more than the past in {beats} of {len(targets)} scenes")
    figure.supxlabel(f"x ({windows.unit})", fontsize=9)
    figure.supylabel(f"y ({windows.unit})", fontsize=9)
    alt = f"{len(targets)} scenes with arrows; largest share of a neighbour {number(max(tops), 2)} nats; " + ", ".join(
        f"window {target}: past {number(by_player[target, 0], 2)}, top neighbour {number(top, 2)}"
        for target, top in zip(targets, tops, strict=True)
    )
    caption = (
        f"{method}, seed 0, shares of −NLL. The width of an arrow is the neighbour's share; grey: it helps, red: it "
        "misleads. The target is red, its true future dotted; team mates light blue, opponents orange, ball black."
    )
    return Drawing(figure, f"arrows_{problem.name.replace('-', '_')}", alt + ".", caption, pd.DataFrame(lines))


def _draw_scene(axes: Axes, windows: Windows, place: int, values: list[float], largest: float) -> None:
    target = windows.past[place, -1]
    for j, value in enumerate(values):
        track = windows.neighbours[place, j]
        colour = KIND_COLOURS[windows.kinds[windows.kind[place, j]]]
        axes.plot(*track.T, color=colour, linewidth=1)
        axes.plot(*track[-1], "o", color=colour, markersize=3)
        width = WIDEST_ARROW * abs(value) / largest
        if width > 0.1:
            style = {"arrowstyle": "-|>", "linewidth": width, "color": GREY if value > 0 else VERMILION, "alpha": 0.6}
            axes.annotate("", xy=target, xytext=track[-1], arrowprops={**style, "shrinkA": 2, "shrinkB": 4})
    axes.plot(*windows.past[place].T, color=VERMILION, linewidth=1.5)
    axes.plot(*target, "o", color=VERMILION, markersize=5)
    axes.plot(*windows.future[place].T, ":", color=VERMILION, linewidth=1)
    axes.tick_params(labelsize=6)
    if windows.unit == "ft":
        axes.plot([0, COURT[0], COURT[0], 0, 0], [0, 0, COURT[1], COURT[1], 0], color="#BFBFBF", linewidth=0.8)
    axes.set_aspect("equal", adjustable="box" if windows.unit == "ft" else "datalim")
