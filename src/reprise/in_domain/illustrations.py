"""Figures of the idea and of the data, drawn without a study."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from reprise.in_domain.frames import agreement, frame_factors, read_frames
from reprise.in_domain.grid import FactorGrid, IntegerArray, find_grid
from reprise.in_domain.images import RenderedGrid
from reprise.in_domain.lookups import TITLES, require
from reprise.in_domain.splits import KINDS, make_split
from reprise.in_domain.sprites import render_sprites
from reprise.in_domain.study import renderer_of
from reprise.palette import BLUE, VERMILION
from reprise.plots import Drawing, new_figure, state_finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ILLUSTRATED = FactorGrid((12, 12), ("position", "size"), cut=0.25)
SHAPE_NAMES = ("square", "ellipse", "heart")


def draw_splits() -> Drawing:
    """Draw the four splits of a grid of two factors."""
    figure, axes = new_figure(columns=4, height=2.5, sharey=True)
    lines = []
    for panel, kind in zip(axes, KINDS, strict=True):
        split = make_split(ILLUSTRATED, kind)
        for name, index, colour, marker in (
            ("train", split.train_index, BLUE, "o"),
            ("test", split.test_index, VERMILION, "x"),
        ):
            points = ILLUSTRATED.factors(index)
            panel.plot(points[:, 0], points[:, 1], linestyle="", marker=marker, markersize=3, color=colour, label=name)
            lines += [{"split": kind, "part": name, "position": x, "size": y} for x, y in points.tolist()]
        panel.set_title(f"{kind}\n{len(split.train_index)} of {len(ILLUSTRATED)} train", fontsize=8)
        panel.set_xlabel("position")
        panel.grid(visible=False)
    axes[0].set_ylabel("size")
    axes[0].set_yticks(range(0, ILLUSTRATED.sizes[1], 3))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    finding = "One grid, four splits: known values are recombined or left out"
    state_finding(figure, finding)
    caption = (
        f"Training points are blue dots, test points red crosses, for two factors of {ILLUSTRATED.sizes[0]} values of "
        "which a quarter is held out. With more factors less is left for training."
    )
    return Drawing(figure, "splits", finding + ".", caption, pd.DataFrame(lines))


def draw_samples(data_sets: Sequence[str], image_side: int, n: int = 6) -> Drawing:
    """Draw training (upper) and test images (lower row) of the extrapolation split of each data set."""
    require(tuple(data_sets))
    figure, axes = new_figure(rows=2 * len(data_sets), columns=n, height=1.9 * len(data_sets) + 0.5, squeeze=False)
    lines = []
    for place, dataset in enumerate(data_sets):
        grid = find_grid(dataset)
        split = make_split(grid, "extrapolation")
        source = RenderedGrid(renderer_of(dataset, image_side), grid)
        for row, (part, index) in enumerate((("train", split.train_index), ("test", split.test_index))):
            chosen = index[np.linspace(0, len(index) - 1, n + 2).astype(int)[1:-1] + 7 * place]
            images = source.batch(torch.from_numpy(chosen)).permute(0, 2, 3, 1).numpy()
            for axes_, image, point in zip(axes[2 * place + row], images, chosen.tolist(), strict=True):
                axes_.imshow(image, cmap="gray", vmin=0, vmax=1)
                _without_ticks(axes_)
                lines.append({"dataset": dataset, "part": part, "grid_point": point})
            axes[2 * place + row, 0].set_ylabel(part, fontsize=8)
        axes[2 * place, 0].set_title(TITLES[dataset], fontsize=8, loc="left")
    finding = "Training and test images look alike: only values of known factors differ"
    state_finding(figure, finding)
    caption = "Images of the extrapolation split, rendered: training above, test below."
    return Drawing(figure, "samples", f"{finding} ({', '.join(data_sets)}).", caption, pd.DataFrame(lines))


@cache
def _frames_beside_ours() -> tuple[IntegerArray, NDArray[np.uint8], NDArray[np.uint8]]:
    """Return factors of the 320 original frames, these, and our rendering of the same factors."""
    factors = frame_factors()
    return factors, read_frames(), render_sprites(torch.from_numpy(factors))[:, 0].numpy()


def draw_parity(n: int = 6) -> Drawing:
    """Draw original frames of dSprites, our rendering of the same factors, and the difference."""
    factors, originals, ours = _frames_beside_ours()
    wrong, overlap = agreement(ours, originals)
    chosen = np.concatenate([np.flatnonzero(factors[:, 0] == s)[[20, 40]] for s in (2, 1, 0)])[:n]
    figure, axes = new_figure(rows=3, columns=n, height=3.4)
    for column, frame in enumerate(chosen):
        pictures = (originals[frame], ours[frame], originals[frame] ^ ours[frame])
        for panel, picture in zip(axes[:, column], pictures, strict=True):
            panel.imshow(picture, cmap="gray", vmin=0, vmax=255)
            _without_ticks(panel)
        axes[0, column].set_title(f"frame {frame}: {wrong[frame]} px", fontsize=7)
    for panel, name in zip(axes[:, 0], ("original", "ours", "difference"), strict=True):
        panel.set_ylabel(name, fontsize=8)
    exact = int((wrong == 0).sum())
    finding = f"{exact} of {len(wrong)} original frames are met pixel by pixel; smallest overlap {overlap.min():.3f}"
    state_finding(figure, finding)
    caption = "Original frames of dSprites' own animation, our rendering of the same factors, and where they differ."
    table = pd.DataFrame({"frame": np.arange(len(wrong)), "wrong_pixels": wrong, "overlap": overlap})
    return Drawing(figure, "parity", f"{finding}; {wrong.mean():.2f} wrong pixels on average.", caption, table)


def parity_table() -> pd.DataFrame:
    """Return, by shape, how many original frames are met exactly, and wrong pixels and overlap."""
    factors, originals, ours = _frames_beside_ours()
    wrong, overlap = agreement(ours, originals)
    frame = pd.DataFrame({"shape": factors[:, 0], "wrong": wrong, "overlap": overlap})
    found = frame.groupby("shape").agg(
        frames=("wrong", "size"), exact=("wrong", lambda w: int((w == 0).sum())), mean=("wrong", "mean"),
        most=("wrong", "max"), overlap=("overlap", "min"),
    )  # fmt: skip
    names = {"mean": "wrong pixels, mean", "most": "wrong pixels, most", "overlap": "lowest overlap"}
    return found.round(3).rename(columns=names).reset_index().assign(shape=list(SHAPE_NAMES))


def split_table(data_sets: Sequence[str]) -> pd.DataFrame:
    """Return the sizes of the training sets, which are equal but for composition, and what two of the splits cut."""
    lines = []
    for name in data_sets:
        splits = {kind: make_split(find_grid(name), kind) for kind in KINDS}
        held = splits["extrapolation"].ood_values
        lines.append(
            {
                "grid": name,
                "images": len(find_grid(name)),
                "train": len(splits["random"].train_index),
                "train, composition": len(splits["composition"].train_index),
                "held out in extrapolation": "; ".join(f"{k} {_span(v)}" for k, v in held.items()),
                "composition corners": "; ".join(f"{k} {c}" for k, c in splits["composition"].corners.items()),
            }
        )
    return pd.DataFrame(lines)


def _span(values: Sequence[int]) -> str:
    return f"{values[0]}–{values[-1]}" if len(values) > 1 else str(values[0])


def approaches_table() -> pd.DataFrame:
    """Return the 17 approaches as we reconstruct them, and where each one runs."""
    from reprise.in_domain.models import APPROACHES

    return pd.DataFrame(
        [
            {"model": a.name, "kind": a.kind, "runs on": a.where, "learning rate": a.learning_rate}
            for a in APPROACHES.values()
            if a.in_benchmark
        ]
    )


def _without_ticks(axes: "Axes") -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
