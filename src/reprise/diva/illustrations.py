"""Figures that need no study: the data looked at, and the images that a few steps weigh up and down."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from reprise.diva.data import digit_images, labelled_images, load, one_hot
from reprise.diva.figures import title_of
from reprise.diva.weighting import Objective, Step, choose_penalty, follow
from reprise.numerals import number
from reprise.plots import TEXT_WIDTH, Drawing, new_figure, state_finding

N_SHOWN = 8


def draw_digits() -> Drawing:
    """Draw two digits of each class, the embedded data."""
    images, labels, n_train = digit_images()
    figure, axes = new_figure(rows=2, columns=10, height=TEXT_WIDTH * 0.28)
    shown = []
    for label in range(10):
        rows = np.flatnonzero(labels == label)[:2]
        for one, row in zip(axes[:, label], rows, strict=True):
            _show(one, images[row])
        axes[0][label].set_title(str(label), fontsize=8)
        shown.append({"digit": label, "training": int((labels[:n_train] == label).sum())})
    state_finding(figure, f"Digits of 8 × 8 pixels: {n_train} to train on, {len(labels) - n_train} to test on")
    return Drawing(
        figure,
        "digits",
        f"Two handwritten digits of each class out of {len(labels)}.",
        "Two images a class. A linear model sees random Fourier features of the pixels: frozen features, as those of a "
        "pre-trained network are.",
        pd.DataFrame(shown),
    )


def weights_after_steps(name: str, network: str = "mobilenet-v1-0.5", temperature: float = 10.0) -> np.ndarray:
    """Return the weights of the given training set after three steps of Reweight, (n_train,)."""
    task = load(name, network)
    features = torch.from_numpy(task.features[: task.n_train])
    targets = torch.from_numpy(one_hot(task.labels[: task.n_train], task.n_classes))
    penalty = choose_penalty(features, targets)
    *_, (ridge, _) = follow(features, targets, penalty, Objective("ce", temperature), Step())
    return ridge.weights.numpy()


def draw_gallery(name: str = "digits", network: str = "mobilenet-v1-0.5") -> Drawing:
    """Draw the images of least and largest weight after three steps (Fig. 2).

    Birds and flowers may be looked at on one's own machine, but their licences do not allow to hand them on; the
    published page shows the digits.

    Parameters
    ----------
    name
        An image data set.
    network
        Its frozen network.
    """
    weights = weights_after_steps(name, network)
    images, labels, class_names = _images(name)
    order = np.argsort(weights, kind="stable")
    chosen = (order[:N_SHOWN], order[::-1][:N_SHOWN])
    figure, axes = new_figure(rows=2, columns=N_SHOWN, height=TEXT_WIDTH * 0.36)
    shown = []
    for line, rows, side in zip(axes, chosen, ("down", "up"), strict=True):
        for one, row in zip(line, rows, strict=True):
            _show(one, _array(images[row]))
            one.set_title(f"{class_names[labels[row]][:12]}\n{number(weights[row], 2)}", fontsize=6.5)
            shown.append({"row": int(row), "weighted": side, "weight": weights[row], "class": class_names[labels[row]]})
        line[0].set_ylabel(side, fontsize=8)
    spread = f"{number(weights.min(), 2)} to {number(weights.max(), 2)}"
    state_finding(figure, f"{title_of(name)}: weights after three steps go from {spread}")
    return Drawing(
        figure,
        f"gallery_{name.replace('-', '_')}",
        f"The {N_SHOWN} training images of {title_of(name)} with the least weight and the {N_SHOWN} with the largest.",
        "Top: least weight after three steps of Reweight on clean labels (τ = 10); bottom: largest. Class and weight "
        "above "
        "each image.",
        pd.DataFrame(shown),
    )


def _images(name: str) -> tuple[Any, np.ndarray, tuple[str, ...]]:
    if name == "digits":
        digits, labels, _ = digit_images()
        return digits, labels, tuple("0123456789")
    images, labels, _, class_names = labelled_images(name)
    return images, labels, class_names


def _array(image: Any) -> np.ndarray:
    from PIL import Image

    return image if isinstance(image, np.ndarray) else np.asarray(Image.open(image).convert("RGB"))


def _show(axes: Any, image: np.ndarray) -> None:
    axes.imshow(image, cmap="gray_r" if image.ndim == 2 else None, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
