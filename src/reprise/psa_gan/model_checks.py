"""What a model's settings must be: before a training, and of a fitted model still."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import torch

from reprise.compute import resolve_device
from reprise.psa_gan.architecture import Architecture, Fade
from reprise.psa_gan.blocks import Upsampling
from reprise.psa_gan.input_checks import (
    PSAGANInputError,
    check_choice,
    check_clip_quantile,
    check_switch,
    check_whole,
)

SWITCHES = ("attention", "progressive", "condition", "spectral_attention", "allow_nan")
CHOICES = {"upsample": get_args(Upsampling), "fade_kind": get_args(Fade)}
ARGUMENTS = {"upsampling": "upsample", "fade": "fade_kind"}
"""What a reader calls two fields of `Architecture`."""


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings of `reprise.psa_gan.estimator.PSAGAN` that its parts do not check themselves.

    Raises
    ------
    PSAGANInputError
        If a switch is neither True nor False, a choice is unknown, the seed is no whole number, or the quantile none
        to scale by.
    """
    for name in SWITCHES:
        check_switch(name, settings[name])
    for name, values in CHOICES.items():
        check_choice(name, settings[name], values)
    check_whole("seed", settings["seed"], 0)
    check_clip_quantile(settings["clip_quantile"])


def checked_device(device: Any) -> torch.device:
    """Return where to compute.

    Raises
    ------
    PSAGANInputError
        If that is no name of a device.
    DeviceError
        If the device is unknown or this machine has none.
    """
    try:
        return resolve_device(device)
    except TypeError as error:
        raise PSAGANInputError(
            f"device={device!r} is unknown; use 'auto', 'cpu', 'cuda', 'cuda:INDEX' or 'mps'."
        ) from error


def check_unchanged(now: Architecture, fitted: Architecture) -> None:
    """Refuse to use a fitted generator with settings that it was not made with.

    Raises
    ------
    PSAGANInputError
        If one differs; names it with both values.
    """
    for name, value in vars(fitted).items():
        if getattr(now, name) != value:
            raise PSAGANInputError(
                f"{ARGUMENTS.get(name, name)}={getattr(now, name)!r} was set after the fit, which had {value!r}; set "
                "it back, or fit anew."
            )
