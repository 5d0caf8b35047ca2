"""The study's games as a reader makes them: windows are taken as they are, and what comes from outside is checked."""

from __future__ import annotations

from typing import Any, get_args

from reprise.errors import unknown_name
from reprise.walk_alone import games, pecnet
from reprise.walk_alone.games import Loss, Noise
from reprise.walk_alone.pecnet import Groups, PECNet
from reprise.walk_alone.states import States
from reprise.walk_alone.trajectron import TrajectronCVAE
from reprise.walk_alone.windows import Windows, WindowsError

PECNET_LOSSES = ("min_ade", "min_fde")


class TrajectronGame(games.TrajectronGame):
    """Coalitions of a trained `TrajectronCVAE`, with cached encoders: the value function that `shapley` asks.

    Parameters
    ----------
    model
        In evaluation mode.
    states
        The targets, or windows of them; slots may hold neighbours and strangers alike.
    loss
        ``"nll"`` or ``"min_ade"``, ``"min_fde"``.
    noise
        For the displacement errors; see `Noise`.
    **options
        ``leak=True`` keeps the neighbours' velocities relative to the target's true one when its past is dropped, as
        in the released code; ``fresh_noise_seed`` draws new noise for every coalition, as the released code does.

    Raises
    ------
    UnknownNameError
        If the loss is unknown.
    WindowsError
        If there is noise for another number of targets, or the network was made for another time between frames.
    """

    def __init__(
        self,
        model: TrajectronCVAE,
        states: States | Windows,
        *,
        loss: Loss = "nll",
        noise: Noise | None = None,
        **options: Any,
    ) -> None:
        if loss not in get_args(Loss):
            raise unknown_name("loss", loss, list(get_args(Loss)))
        if isinstance(states, Windows):
            if abs(states.seconds - model.shape.seconds) > 1e-9:
                raise WindowsError(
                    f"the windows have {states.seconds:g} s between frames, the network {model.shape.seconds:g} s; "
                    "make it with Shape(seconds=windows.seconds)."
                )
            states = States.of(states, next(model.parameters()).device)
        if noise is not None and len(noise.uniform) != len(states):
            raise WindowsError(f"noise is of {len(noise.uniform)} targets; there are {len(states)}.")
        super().__init__(model, states, loss=loss, noise=noise, **options)


class PECNetGame(pecnet.PECNetGame):
    """Coalitions of a trained `PECNet`; the value is minus the best error of 20 complete paths, in pixels.

    Parameters
    ----------
    model
        In evaluation mode.
    groups
        Targets and neighbours (or strangers), or windows of them.
    seed
        Of the noise, common to all coalitions.
    loss
        ``"min_ade"`` or ``"min_fde"``.

    Raises
    ------
    UnknownNameError
        If the loss is unknown.
    WindowsError
        If the model is in training mode.
    """

    def __init__(self, model: PECNet, groups: Groups | Windows, seed: int = 0, loss: str = "min_ade") -> None:
        if loss not in PECNET_LOSSES:
            raise unknown_name("loss", loss, list(PECNET_LOSSES))
        if model.training:
            raise WindowsError("model is in training mode; call model.eval().")
        if isinstance(groups, Windows):
            groups = Groups.of(groups, next(model.parameters()).device)
        super().__init__(model, groups, seed, loss)
