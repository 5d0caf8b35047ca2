"""Figures of scenes: who stands where, what dropping a player means, and arrows as wide as contributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from reprise.numerals import number
from reprise.palette import BLACK, BLUE, GREY, ORANGE, PURPLE, SKY, VERMILION
from reprise.plots import Drawing, as_data, interval_dots, name_lines, new_figure, state_finding
from reprise.rows import per_seed, select
from reprise.stats import t_interval
from reprise.walk_alone.figures import CUT, NETWORKS
from reprise.walk_alone.problems import Problem
from reprise.walk_alone.windows import Windows
from reprise.walk_alone.worlds import simulate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KIND_COLOURS = {"agent": BLUE, "team mate": SKY, "opponent": ORANGE, "ball": BLACK}
WIDEST_ARROW = 5.0
COURT = (94.0, 50.0)
HELPS, MISLEADS = GREY, PURPLE
ARROW_REACH = 0.55  # of the way to the target
ROLES = ("ball", *(f"opponent {i}" for i in range(1, 6)), *(f"team mate {i}" for i in range(1, 5)))
METHODS = (*NETWORKS[:2], CUT)


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
    """Draw scenes with arrows from neighbours towards the target, as wide as their shares (purple: they mislead)."""
    how = {"dataset": problem.name, "split": problem.split, "method": method, "experiment": "arrows"}
    shares = select(rows, **how)
    targets = sorted({int(target) for target in shares["target"]})
    windows = problem.test.take(np.array(targets))
    on_court = problem.name == "nba-sportvu"
    n_columns, panel_height = (2, 1.9) if on_court else (3, 2.0)
    n_rows = -(-len(targets) // n_columns)
    figure, axes = new_figure(rows=n_rows, columns=n_columns, height=0.9 + panel_height * n_rows, squeeze=False)
    by_player = {(int(r.target), int(r.player)): r.value for r in shares.itertuples()}
    neighbours = [abs(value) for (_, player), value in by_player.items() if player > 0]
    largest = max(neighbours, default=1.0) or 1.0
    lines, tops = [], []
    for one, place, target in zip(axes.flat, range(len(targets)), targets, strict=False):
        values = [by_player[target, 1 + j] for j in range(int(windows.counts[place]))]
        _draw_scene(one, windows, place, values, largest)
        tops.append(max(values, default=0.0))
        seconds = (windows.frame[place] - windows.frame.min()) * windows.seconds
        when = f"{seconds:.1f} s: " if on_court else ""
        one.set_title(f"{when}past {number(by_player[target, 0], 1)}, top {number(tops[-1], 2)}", fontsize=8)
        lines += [{"target": target, "neighbour": j, "share": value} for j, value in enumerate(values)]
    for one in axes.flat[len(targets) :]:
        one.set_visible(False)
    ratios = [100 * top / by_player[target, 0] for top, target in zip(tops, targets, strict=True)]
    span = f"{number(min(ratios), 0)} to {number(max(ratios), 0)} %"
    state_finding(figure, f"The top neighbour's share is {span} of the past's in these {len(targets)} scenes")
    for one in axes[-1]:
        one.set_xlabel(f"x ({windows.unit})")
    for one in axes[:, 0]:
        one.set_ylabel(f"y ({windows.unit})")
    _explain_arrows(figure, windows.kinds, largest)
    alt = f"{len(targets)} scenes with arrows; the top neighbour's share is {span} of the past's; " + ", ".join(
        f"window {target}: past {number(by_player[target, 0], 2)}, top neighbour {number(top, 2)}"
        for target, top in zip(targets, tops, strict=True)
    )
    caption = (
        f"{method}, seed 0; shares of −NLL in nats, of the past and of the top neighbour above each scene. An arrow "
        "points from a neighbour's last observed position towards the target; its width is the size of the share. "
        "Dotted: the target's true future."
    )
    return Drawing(figure, f"arrows_{problem.name.replace('-', '_')}", alt + ".", caption, pd.DataFrame(lines))


def _explain_arrows(figure: Figure, kinds: tuple[str, ...], largest: float) -> None:
    """Write the legend: who is who, what the colours of arrows say, and how wide a share is."""
    handles = [Line2D([], [], color=VERMILION, marker="o", markersize=4, label="target")]
    handles += [Line2D([], [], color=KIND_COLOURS[kind], marker="o", markersize=3, label=kind) for kind in kinds]
    for colour, label in ((HELPS, f"helps (this wide: {number(largest, 2)} nats)"), (MISLEADS, "misleads")):
        handles.append(Line2D([], [], color=colour, label=label, linewidth=WIDEST_ARROW, solid_capstyle="butt"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=7)


def _draw_scene(axes: Axes, windows: Windows, place: int, values: list[float], largest: float) -> None:
    target = windows.past[place, -1]
    for j, value in enumerate(values):
        track = windows.neighbours[place, j]
        colour = KIND_COLOURS[windows.kinds[windows.kind[place, j]]]
        axes.plot(*track.T, color=colour, linewidth=1)
        axes.plot(*track[-1], "o", color=colour, markersize=3)
        width = WIDEST_ARROW * abs(value) / largest
        if width > 0.1:
            # Only part of the way: heads that meet at the target would hide how wide the arrows are.
            tip = track[-1] + ARROW_REACH * (target - track[-1])
            head = f"-|>,head_length={0.15 + 0.05 * width},head_width={0.1 + 0.04 * width}"
            style = {"arrowstyle": head, "linewidth": width, "color": HELPS if value > 0 else MISLEADS, "alpha": 0.75}
            axes.annotate("", xy=tip, xytext=track[-1], arrowprops={**style, "shrinkA": 2, "shrinkB": 0})
    axes.plot(*windows.past[place].T, color=VERMILION, linewidth=1.5)
    axes.plot(*target, "o", color=VERMILION, markersize=5)
    axes.plot(*windows.future[place].T, ":", color=VERMILION, linewidth=1.2)
    axes.tick_params(labelsize=6)
    if windows.unit == "ft":
        axes.plot([0, COURT[0], COURT[0], 0, 0], [0, 0, COURT[1], COURT[1], 0], color="#BFBFBF", linewidth=0.8)
    axes.set_aspect("equal", adjustable="box" if windows.unit == "ft" else "datalim")


def draw_roles(rows: pd.DataFrame, dataset: str = "nba-sportvu") -> Drawing:
    """Draw the mean share by role on the court, ordered by distance within each role."""
    found = select(rows, dataset=dataset, experiment="roles", loss="nll")
    methods = [m for m in METHODS if (found["method"] == m).any()]
    figure, axes = new_figure(height=4.2)
    drawn = []
    for place, method in enumerate(methods):
        aside = (place - (len(methods) - 1) / 2) * 0.24
        runs = [list(per_seed(found, method=method, player=role)) for role in ROLES]
        intervals = [t_interval(pd.Series(values)) for values in runs]
        interval_dots(
            axes, [at + aside for at in range(len(ROLES))], intervals, method=method, single_runs=runs, label=method
        )
        drawn += [as_data(i, method=method, role=role) for role, i in zip(ROLES, intervals, strict=True)]
    axes.axvline(0, color="#9A9A9A", linewidth=0.8)
    name_lines(axes, ROLES)
    axes.set_xlabel("mean share (nats)")
    figure.legend(loc="outside lower center", ncols=3, fontsize=7.5)
    data = pd.DataFrame(drawn)
    shown = "Trajectron++Edge" if "Trajectron++Edge" in methods else methods[0]
    means = data[data["method"] == shown].set_index("role")["mean"]
    above = [role for role, low in data[data["method"] == shown].set_index("role")["low"].items() if low > 0]
    surely = f"; intervals above 0: {', '.join(above)}" if above else "; no interval is above 0"
    state_finding(figure, f"Largest mean share with {shown}: {means.idxmax()}, {number(means.max(), 2)} nats{surely}")
    alt = f"Mean share by role ({shown}): " + ", ".join(f"{role} {number(means[role], 2)}" for role in ROLES) + "."
    caption = (
        "Mean over targets; within a role 1 is the nearest at the last observed frame. Whiskers: 95 % interval of the "
        "mean over training seeds (Student t), faint: single seeds; a network with one seed has no whisker."
    )
    return Drawing(figure, "roles", alt, caption, data)
