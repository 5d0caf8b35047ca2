"""What needs no training: panels looked at, the networks as they stand, and what pooling does to noise."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch

from reprise.compute import torch_generator
from reprise.flops import parameter_count
from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.palette import GREY
from reprise.plots import Drawing, new_figure, state_finding
from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.blocks import pool
from reprise.psa_gan.data import load
from reprise.psa_gan.discriminator import Discriminator
from reprise.psa_gan.encoder import EncoderRecipe
from reprise.psa_gan.fid import SMALL_RECIPE
from reprise.psa_gan.generator import Generator
from reprise.psa_gan.input_checks import SHORTEST
from reprise.psa_gan.names import PSA, UNIT_NOISE, variant_name

LENGTHS = (16, 32, 64, 128, 256)
SHOWN_STEPS = 336  # two weeks of hours
LINES = 3
ENCODERS = {"small": SMALL_RECIPE, "paper": EncoderRecipe()}


def encoder_in_words(encoder: str, encoder_steps: int | None) -> str:
    """Say how large the encoder of a run on real data is and how long it is trained, beside the released code's.

    Parameters
    ----------
    encoder, encoder_steps
        The parameters of a run; nothing is said of the quick encoder.
    """
    if encoder not in ENCODERS:
        return ""
    own, whole = ENCODERS[encoder], ENCODERS["paper"]
    trained = "600 epochs" if encoder_steps is None else f"{encoder_steps} steps"
    return (
        f"The encoder of this run: {own.depth} blocks, {own.channels} channels and {own.dim} dimensions, {trained}; of "
        f"the released code: {whole.depth} blocks, {whole.channels} channels and {whole.dim} dimensions, 600 epochs."
    )


def networks_table(n_features: int = 5, n_categories: int = 414) -> pd.DataFrame:
    """Return the numbers of weights at the paper's size, from the live modules."""
    lines = []
    for window in LENGTHS:
        plain = Architecture(window, n_features, n_categories)
        with_context = Architecture(window, n_features, n_categories, context=min(64, window))
        lines.append(
            {
                "τ": window,
                "stages": " → ".join(map(str, plain.lengths)),
                "generator": parameter_count(Generator(plain)),
                "generator with context": parameter_count(Generator(with_context)),
                "discriminator": parameter_count(Discriminator(plain)),
            }
        )
    return pd.DataFrame(lines)


def draw_noise() -> Drawing:
    """Draw the deviation of the noise that reaches the first block, by length, measured on the live modules."""
    drawn: list[dict[str, Any]] = []
    for kind, style in (("pooled", PSA), ("unit", variant_name(UNIT_NOISE))):
        for window in LENGTHS:
            architecture = Architecture(window, 5, 2, noise=kind)  # type: ignore[arg-type]
            noise = torch.randn(4000, architecture.noise_size, generator=torch_generator(0, "psa-gan", "noise shown"))
            layer = Generator(architecture).noise_layers(noise)[0]
            drawn.append({"kind": kind, "method": style, "window": window, "deviation": float(layer.std())})
    data = pd.DataFrame(drawn)
    figure, axes = new_figure(height=2.5)
    for (kind, style), part in data.groupby(["kind", "method"], observed=True, sort=False):
        look = style_of(str(style))
        label = "as in the paper: averaged to 8" if kind == "pooled" else "repaired: unit variance again"
        how = {"color": look.colour, "marker": look.marker, "linestyle": look.dash}
        axes.plot(part["window"], part["deviation"], label=label, **how)
    expected = [(SHORTEST / window) ** 0.5 for window in LENGTHS]
    axes.plot(LENGTHS, expected, color=GREY, linestyle=":", label="$\\sqrt{8/\\tau}$")
    axes.set_xscale("log", base=2)
    axes.set_xticks(LENGTHS, [str(one) for one in LENGTHS])
    axes.set(xlabel="τ, steps", ylabel="standard deviation", ylim=(0, 1.15))
    axes.legend(fontsize=7)
    last = data[(data["kind"] == "pooled") & (data["window"] == LENGTHS[-1])]["deviation"].item()
    finding = f"At τ = {LENGTHS[-1]} the noise that reaches the network has a deviation of {number(float(last), 2)}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "noise",
        f"Standard deviation of the generator's noise by window length. {finding}.",
        "Measured over 4000 draws of the first block's noise channel.",
        data,
    )


def draw_panels(datasets: list[str]) -> Drawing:
    """Draw how the first series of each panel begin, as they are scaled, and say what the first stage would see."""
    figure, axes = new_figure(rows=len(datasets), height=1.3 + 1.35 * len(datasets), squeeze=False)
    drawn: list[dict[str, Any]] = []
    shares = []
    for one, name in zip(axes[:, 0], datasets, strict=True):
        scaled, _ = load(name).scaled()
        steps = min(SHOWN_STEPS, int(scaled.lengths.min()))
        steps -= steps % 8
        for place in range(min(LINES, scaled.n_series)):
            values = scaled.values[place, :steps]
            one.plot(values, linewidth=0.8, label=str(scaled.item_ids[place]))
            drawn += [{"panel": name, "series": place, "step": s, "value": float(v)} for s, v in enumerate(values)]
        shares.append(_share_of_averages(scaled.values[:, :steps]))
        one.set_title(f"{name}, steps of {scaled.freq}", fontsize=8, loc="left")
        # Above the lines: within the axes it would lie on them.
        one.legend(fontsize=6.5, ncols=LINES, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2)
        one.set_ylabel("scaled value")
    axes[-1, 0].set_xlabel("steps")
    words = [f"{number(100 * share, 0)} %" for share in shares]
    finding = f"Averages of eight steps keep {words[0]} of the variance of the median series"
    others = "; ".join(f"{name}: {one}" for name, one in zip(datasets[1:], words[1:], strict=True))
    state_finding(figure, finding + (f" ({datasets[0]})" if others else ""))
    return Drawing(
        figure,
        "panels",
        f"The beginning of the first series of each panel. {finding}.",
        "Scaled by the training part's smallest and largest value. The share of the variance is what a stage at an "
        f"eighth of the resolution can show.{f' {others}.' if others else ''}",
        pd.DataFrame(drawn),
    )


def _share_of_averages(values: torch.Tensor) -> float:
    """Return the median over series of the share of variance that averages of eight steps keep, of ``(N, T)``."""
    coarse = pool(values[:, None], values.shape[1] // 8)[:, 0].repeat_interleave(8, dim=1)
    known = ~torch.isnan(coarse).any(dim=1)
    total = values[known].var(dim=1)
    return float((coarse[known].var(dim=1) / total.clamp(min=1e-12)).median())
