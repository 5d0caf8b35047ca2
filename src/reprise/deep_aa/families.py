"""Families of operations, and how each is drawn: 18 colours would not be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reprise.palette import GREEN, PURPLE, VERMILION

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Family:
    """Operations that are drawn as one piece.

    Attributes
    ----------
    name, short
        In the legend, and within a bar.
    operations
        Which.
    colour, ink, hatch
        Of the piece, of the text on it, and its hatching.
    """

    name: str
    short: str
    operations: tuple[str, ...]
    colour: str
    ink: str = "black"
    hatch: str = ""


FAMILIES = (
    Family("Identity", "Identity", ("Identity",), "#D9D9D9"),
    Family("ShearX, ShearY", "Shear", ("ShearX", "ShearY"), "#9ECAE1"),
    Family("TranslateX, TranslateY", "Translate", ("TranslateX", "TranslateY"), "#4292C6"),
    Family("Rotate", "Rotate", ("Rotate",), "#08519C", "white"),
    Family("AutoContrast, Invert, Equalize", "AC, Inv, Eq", ("AutoContrast", "Invert", "Equalize"), "#FFF2B3"),
    Family("Solarize, Posterize", "Sol, Post", ("Solarize", "Posterize"), "#FDD835"),
    Family("Contrast, Brightness", "Con, Bri", ("Contrast", "Brightness"), "#E6A33E"),
    Family("Color, Sharpness", "Col, Sha", ("Color", "Sharpness"), "#9C5A00", "white"),
    Family("RandFlip", "RandFlip", ("RandFlip",), PURPLE, "black", "//"),
    Family("RandCutout", "RandCutout", ("RandCutout",), VERMILION, "black", ".."),
    Family("RandCrop", "RandCrop", ("RandCrop",), GREEN, "white", "\\\\"),
)


def colour_of(operation: str) -> str:
    """Return the colour of an operation's family."""
    return next(family.colour for family in FAMILIES if operation in family.operations)


def family_masses(masses: pd.DataFrame) -> pd.DataFrame:
    """Add operations up to families.

    Parameters
    ----------
    masses
        One line for each layer, one column for each operation; what has no column has no mass.

    Returns
    -------
    pandas.DataFrame
        One column for each family, in the order of `FAMILIES`.
    """
    import pandas as pd

    columns = {
        family.name: masses.reindex(columns=list(family.operations), fill_value=0.0).sum(axis=1) for family in FAMILIES
    }
    return pd.DataFrame(columns).rename_axis(columns="family")
