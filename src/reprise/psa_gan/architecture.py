"""The size and the switches of both networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from reprise.psa_gan.blocks import Upsampling
from reprise.psa_gan.input_checks import SHORTEST, check_choice, check_whole, check_window

Noise = Literal["pooled", "unit", "fresh"]
Fade = Literal["identity", "official"]


@dataclass(frozen=True)
class Architecture:
    """What determines both networks; the defaults are the paper's.

    Attributes
    ----------
    window
        τ, a power of two from 8 on.
    n_features, n_categories
        D features of a time step; rows of the series' embedding.
    channels, embed_dim, key_dim
        C, E, and channels of queries, keys and values.
    context
        L_C values before the window that the generator sees (PSA-GAN-C); 0 for none.
    attention, spectral_attention
        Whether blocks attend; whether those convolutions are normalised (paper: yes; its code: no).
    upsampling
        ``"nearest"`` as in the code, ``"linear"`` as in the paper.
    condition
        Whether the networks see calendar and series; without, both are zero.
    noise
        ``"pooled"``: τ standard normals averaged to 8, as in the paper; ``"unit"``: these scaled to unit variance
        again; ``"fresh"``: besides, fresh noise of unit variance at every stage.
    fade
        ``"identity"``: the fading path starts as the identity and its weight rises with every step from 0;
        ``"official"``: it starts at random and its weight rises once an epoch, from above 0.
    """

    window: int
    n_features: int
    n_categories: int
    channels: int = 32
    embed_dim: int = 10
    key_dim: int = 1
    context: int = 0
    attention: bool = True
    spectral_attention: bool = False
    upsampling: Upsampling = "nearest"
    condition: bool = True
    noise: Noise = "pooled"
    fade: Fade = "identity"

    def __post_init__(self) -> None:
        check_window(self.window)
        for name in ("channels", "embed_dim", "key_dim"):
            check_whole(name, getattr(self, name), 1)
        check_whole("context", self.context, 0)
        check_choice("upsampling", self.upsampling, get_args(Upsampling))
        check_choice("noise", self.noise, get_args(Noise))
        check_choice("fade", self.fade, get_args(Fade))

    @property
    def lengths(self) -> tuple[int, ...]:
        """Lengths of the stages: 8, 16, …, τ."""
        return tuple(SHORTEST * 2**stage for stage in range(self.n_stages))

    @property
    def n_stages(self) -> int:
        """L = log₂ τ − 2."""
        return int(self.window).bit_length() - 3

    @property
    def conditions(self) -> int:
        """D + E, the channels that tell calendar and series."""
        return self.n_features + self.embed_dim

    @property
    def noise_size(self) -> int:
        """Standard normals that one window takes."""
        return sum(self.lengths) if self.noise == "fresh" else self.window
