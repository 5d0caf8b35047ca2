"""The state of a search between two steps, written to a file so that an interrupted search goes on where it was.

Random numbers need no state: every step draws from a stream named by layer and step.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.space import AugmentationSpace

SAME_LOSS = 1e-3  # another processor rounds otherwise


@dataclass
class SearchState:
    """Layers found, the present layer's logits and Adam's moments, and what was seen.

    Attributes
    ----------
    name
        Fingerprint of options, seed, network and data.
    probe
        Losses of a few images: what network and loss compute, which their names and weights don't tell.
    logits
        Of the layer in work, ``(T,)``.
    layers
        Probabilities of finished layers.
    step
        Steps that the layer in work has had.
    optimiser
        Adam's state.
    history
        One entry a step.
    done
        Whether no layer is left to search.
    """

    name: str
    probe: Tensor
    logits: Tensor
    layers: list[Tensor] = field(default_factory=list)
    step: int = 0
    optimiser: dict[str, Any] | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    done: bool = False

    def finish_layer(self, first_logits: Tensor) -> None:
        """Freeze the layer in work and begin the next one."""
        self.layers.append(self.logits.softmax(0))
        self.logits, self.optimiser, self.step = first_logits, None, 0


def fingerprint(
    options: Mapping[str, Any],
    seed: int,
    space: AugmentationSpace,
    loss: Any,
    weights: Mapping[str, Tensor],
    data: Sequence[Tensor],
) -> str:
    """Return a hash of what a search is given: of network and loss the weights and the name, not what they compute.

    Parameters
    ----------
    options, seed, space, loss
        Of the search.
    weights
        Of the network by name, and whether each is trained.
    data
        Images and labels.
    """
    sizes = [space.image_size, space.fill, space.cutout, space.crop_pad]
    loss_name = getattr(loss, "__qualname__", type(loss).__qualname__)
    layout = [(name, list(w.shape), str(w.dtype), w.requires_grad) for name, w in weights.items()]
    words = [dict(options), seed, list(space.names), sizes, loss_name, layout]
    found = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
    for tensor in (*weights.values(), *data):
        # as bytes, since numpy has no bfloat16
        found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def save_state(path: Path, state: SearchState) -> None:
    """Write the state; a kill at any moment leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".part")
    torch.save(vars(state), scratch)
    os.replace(scratch, path)


def load_state(path: Path, name: str, probe: Tensor) -> SearchState:
    """Read the state of the search of this name and probe; no code of the file is run.

    Raises
    ------
    DeepAAInputError
        If the file is not readable, or belongs to another search.
    """
    try:
        state = SearchState(**torch.load(path, weights_only=True))
    except Exception as error:  # torch raises many kinds for a file that is none of its own
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DeepAAInputError(f"checkpoint={str(path)!r} is no state of a search ({reason}); delete it.") from error
    same = state.probe.shape == probe.shape and torch.allclose(state.probe, probe, rtol=SAME_LOSS, atol=SAME_LOSS)
    if state.name != name or not same:
        raise DeepAAInputError(
            f"checkpoint={str(path)!r} belongs to a search with other options, seed, network, transformations, loss or "
            "data; delete it, or give another path."
        )
    return state
