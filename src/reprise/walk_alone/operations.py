"""How much arithmetic training and attribution are."""

from __future__ import annotations

import torch

from reprise.flops import floating_point_operations, parameter_count
from reprise.walk_alone.games import TrajectronGame
from reprise.walk_alone.settings import Settings
from reprise.walk_alone.states import States
from reprise.walk_alone.training import loss
from reprise.walk_alone.trajectron import Shape, TrajectronCVAE
from reprise.walk_alone.worlds import world_windows

PAPER_SIZE = (25, 128)
N_COALITIONS = 8


def operations_of_a_step(settings: Settings) -> dict[str, float]:
    """Count the operations of a training step, and of a coalition, with five neighbours.

    Returns
    -------
    dict of str to float
        What, with its number of parameters, to operations; of a training step forward and backward.
    """
    states = States.of(world_windows("follow", 1, split="counted"))
    work = {}
    for mode in settings.modes:
        for latents, width in dict.fromkeys([(settings.latents, settings.decoder_width), PAPER_SIZE]):
            model = TrajectronCVAE(Shape(mode=mode, latents=latents, decoder_width=width))
            size = f"{mode}, {latents} latents, {width} units, {parameter_count(model):,} parameters"

            def step(model: TrajectronCVAE = model, latents: int = latents) -> None:
                loss(model, states, torch.randn(len(states), latents, 12, 2), 1.0, 5.0).backward()

            work[f"training, one window ({size})"] = floating_point_operations(step) / len(states)
            game = TrajectronGame(model.eval(), states)
            masks = torch.rand(len(states), N_COALITIONS, 6).numpy() < 0.5
            work[f"one coalition ({size})"] = floating_point_operations(game, masks) / masks[..., 0].size
    return work
