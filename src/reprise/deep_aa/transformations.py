"""The transformation set: operations, the grid of their magnitudes, and how often each counts.

Source: the transformation set of Deep AutoAugment: 18 operations and 13 grid points from the lowest to the highest
value, of which the one that does nothing is left out; 139 transformations in all. Posterize has four distinct results
for its twelve magnitudes, and the lowest threshold of Solarize is Invert; the paper does not mention it.
"""

from __future__ import annotations

from dataclasses import dataclass

HIGHEST_LEVEL = 12
NO_LEVEL = 6  # what is stored where an operation has no magnitude


@dataclass(frozen=True)
class Operation:
    """One operation of the transformation set.

    Attributes
    ----------
    name
        As in the paper.
    low, high
        Magnitude at level 0 and at level 12, in the operation's own unit; both 0 where it has none.
    idle_level
        The level that does nothing, which is left out; None where the operation has no magnitude.
    signed
        Whether magnitudes are directions, so that level 12 - m is the mirror image of level m.
    random
        Whether each application draws anew: which side, which place.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    idle_level: int | None = None
    signed: bool = False
    random: bool = False

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels that count, from low to high."""
        if self.idle_level is None:
            return (NO_LEVEL,)
        return tuple(level for level in range(HIGHEST_LEVEL + 1) if level != self.idle_level)

    def magnitude(self, level: int) -> float:
        """Return the value at a level, linear from low to high."""
        return self.low + (self.high - self.low) * level / HIGHEST_LEVEL


OPERATIONS = (
    Operation("Identity"),
    Operation("ShearX", -0.3, 0.3, 6, signed=True),
    Operation("ShearY", -0.3, 0.3, 6, signed=True),
    Operation("TranslateX", -0.45, 0.45, 6, signed=True),  # of the side
    Operation("TranslateY", -0.45, 0.45, 6, signed=True),
    Operation("Rotate", -30.0, 30.0, 6, signed=True),  # degrees
    Operation("AutoContrast"),
    Operation("Invert"),
    Operation("Equalize"),
    Operation("Solarize", 0.0, 256.0, 12),  # threshold
    Operation("Posterize", 4.0, 8.0, 12),  # bits
    Operation("Contrast", 0.1, 1.9, 6),  # factors, 1 = the image
    Operation("Color", 0.1, 1.9, 6),
    Operation("Brightness", 0.1, 1.9, 6),
    Operation("Sharpness", 0.1, 1.9, 6),
    Operation("RandFlip", random=True),
    Operation("RandCutout", random=True),
    Operation("RandCrop", random=True),
)
OPERATION_NAMES = tuple(operation.name for operation in OPERATIONS)
DEFAULTS = ("RandFlip", "RandCutout", "RandCrop")  # what other methods add by hand
GEOMETRIC = tuple(operation.name for operation in OPERATIONS if operation.signed)
WITH_FIXED_TABLES = ("Invert", "Solarize", "Posterize", "Brightness")
