"""Games of trajectories: player 0 is the target's past, the others are its neighbours; the value is minus a loss.

A neighbour is dropped by cutting its edge, the past by letting the target stand still at its last position.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reprise.compute import torch_generator
from reprise.walk_alone.coalitions import Masks, Numbers
from reprise.walk_alone.gaussians import displacement_errors
from reprise.walk_alone.states import States, neighbour_features, target_features
from reprise.walk_alone.trajectron import TrajectronCVAE, attention, by_kind, frame_weights
from reprise.walk_alone.windows import FUTURE

Loss = Literal["nll", "min_ade", "min_fde"]
DRAWS = 20
CHUNK_PATHS = 2048  # decoded together: more would leave the processor's cache


@dataclass(frozen=True)
class Noise:
    """The noise of sampled paths, drawn once per target and used for all of its coalitions.

    Attributes
    ----------
    uniform
        Shape ``(B, draws)``: chooses the latent.
    normal
        Shape ``(B, draws, 12, 2)``.
    """

    uniform: Tensor
    normal: Tensor

    @classmethod
    def draw(cls, n: int, generator: torch.Generator, device: torch.device | str = "cpu", draws: int = DRAWS) -> Noise:
        """Draw noise for n targets."""
        uniform = torch.rand(n, draws, generator=generator)
        return cls(uniform.to(device), torch.randn(n, draws, FUTURE, 2, generator=generator).to(device))


class TrajectronGame:
    """Coalitions of a trained `TrajectronCVAE`, with cached encoders.

    With a boolean past there are only two histories per target and, with one edge per neighbour, two encodings of each
    edge; a coalition redoes the attention (or the sum and its encoder), p(z | x) and the decoder.

    Parameters
    ----------
    model
        In evaluation mode.
    states
        The targets; slots may hold neighbours and strangers alike.
    loss
        ``"nll"`` or ``"min_ade"``, ``"min_fde"``.
    noise
        For the displacement errors; see `Noise`.
    leak
        Keep the neighbours' velocities relative to the target's true one when its past is dropped, as in the released
        code: the network can then read the dropped velocity off its neighbours.
    fresh_noise_seed
        Draw new noise for every coalition, as the released code does; None: common noise.

    Raises
    ------
    ValueError
        If the model is in training mode, or a displacement error is asked for without noise.
    """

    def __init__(
        self,
        model: TrajectronCVAE,
        states: States,
        *,
        loss: Loss = "nll",
        noise: Noise | None = None,
        leak: bool = False,
        fresh_noise_seed: int | None = None,
    ) -> None:
        if model.training:
            raise ValueError(
                "model is in training mode, its dropout would be attributed to players; call model.eval()."
            )
        if loss != "nll" and noise is None and fresh_noise_seed is None:
            raise ValueError(f"loss={loss!r} needs noise=Noise.draw(…), the same for all coalitions of a target.")
        self.model, self.states, self.loss, self.noise = model, states, loss, noise
        self.fresh = (
            None if fresh_noise_seed is None else torch_generator(fresh_noise_seed, "walk_alone", "fresh noise")
        )
        with torch.inference_mode():
            self._cache(leak)

    def _cache(self, leak: bool) -> None:
        """Encode what does not depend on the neighbours' presence; axis 1 is the past: dropped, present."""
        model, scale = self.model, self.model.shape.scale
        both = (self.states.with_static_past(), self.states)
        targets = [target_features(states.target, scale) for states in both]
        references = [(self.states if leak else states).target[:, -1] for states in both]
        features = [neighbour_features(self.states, scale, reference) for reference in references]
        self.target = torch.stack(targets, 1)
        self.history = torch.stack([model.encode_history(target) for target in targets], 1)
        if model.shape.mode == "edge":
            edges = [
                model.encode_pairs(f, target, self.states.present, self.states.kind)
                for f, target in zip(features, targets, strict=True)
            ]
            self.edges = torch.stack(edges, 1)
            scores = [model.scores(edge, self.history[:, past]) for past, edge in enumerate(edges)]
            self.edge_scores = torch.stack(scores, 1)
        else:
            self.features = torch.stack(features, 1).flatten(-2)

    def __call__(self, masks: Masks) -> Numbers:
        """Return the values of coalitions ``(B, C, 1 + slots)`` as ``(B, C)``."""
        n_games, n_coalitions, n_players = masks.shape
        expected = (len(self.states), 1 + self.states.present.shape[1])
        if (n_games, n_players) != expected:
            raise ValueError(
                f"masks has the shape {masks.shape}; expected {expected[0]} games of {expected[1]} players."
            )
        values = np.empty(n_games * n_coalitions)
        with torch.inference_mode():
            for rows in _chunks(n_games * n_coalitions, self._paths_a_row()):
                game = rows // n_coalitions
                mask = torch.from_numpy(masks[game, rows % n_coalitions]).to(self.target.device)
                values[rows] = -self._losses(torch.from_numpy(game).to(mask.device), mask).cpu().numpy()
        return values.reshape(n_games, n_coalitions)

    def _paths_a_row(self) -> int:
        return self.model.shape.latents if self.loss == "nll" else DRAWS

    def _losses(self, game: Tensor, mask: Tensor) -> Tensor:
        past = mask[:, 0].long()
        context, last = self._context(game, past, mask[:, 1:] & self.states.present[game]), self.target[game, past, -1]
        future = self.states.future[game]
        if self.loss == "nll":
            return self.model.nll(context, last, future)
        noise, place = self.noise, game
        if self.fresh is not None:
            noise, place = Noise.draw(len(game), self.fresh, mask.device), torch.arange(len(game), device=mask.device)
        assert noise is not None
        errors = displacement_errors(
            self.model.sample(context, last, noise.uniform[place], noise.normal[place]), future
        )
        return errors[0] if self.loss == "min_ade" else errors[1]

    def _context(self, game: Tensor, past: Tensor, present: Tensor) -> Tensor:
        history = self.history[game, past]
        if self.model.shape.mode == "edge":
            weights = attention(self.edge_scores[game, past], present)
            edge = torch.bmm(weights[:, None], self.edges[game, past])[:, 0]
        else:
            of_kind = by_kind(present, self.states.kind[game], self.model.shape.n_kinds)
            sums = torch.bmm(of_kind.transpose(1, 2), self.features[game, past]).unflatten(-1, (-1, 7))
            weights = torch.einsum("bnk,bn->bk", of_kind, frame_weights(self.states.seen)[game]).clamp_max(1)
            edges = self.model.encode_sums(sums, self.target[game, past], weights)
            edge = self.model.attended(edges, history, torch.ones_like(weights, dtype=torch.bool))
        return torch.cat([edge, history], dim=-1)


def _chunks(n_rows: int, paths_a_row: int) -> Iterator[NDArray[np.int64]]:
    size = max(16, CHUNK_PATHS // paths_a_row)
    for start in range(0, n_rows, size):
        yield np.arange(start, min(start + size, n_rows))


def phantom_neighbour(states: States) -> States:
    """Return the targets with one neighbour whose standardised states are all zero, as the released code has it.

    It stands on the target and moves with it. The released switch ``--without_neighbours`` shows the network this
    phantom, not an empty neighbourhood.
    """
    n = len(states)
    reference = states.target[:, -1][:, None, None].expand(n, 1, states.target.shape[1], 3, 2)
    return States(
        target=states.target,
        neighbours=reference,
        seen=torch.ones(n, 1, states.target.shape[1], device=reference.device),
        present=torch.ones(n, 1, dtype=torch.bool, device=reference.device),
        kind=torch.zeros(n, 1, dtype=torch.long, device=reference.device),
        future=states.future,
    )


def errors_of(model: TrajectronCVAE, states: States, noise: Noise) -> dict[str, Numbers]:
    """Return NLL, minADE and minFDE of each target, ``(B,)`` each."""
    parts: dict[str, list[Tensor]] = {"nll": [], "min_ade": [], "min_fde": []}
    with torch.inference_mode():
        for rows in _chunks(len(states), DRAWS):
            places = torch.from_numpy(rows).to(states.target.device)
            batch = states.take(places)
            context = model.context(batch)
            last = target_features(batch.target[:, -1:], model.shape.scale)[:, 0]
            paths = model.sample(context, last, noise.uniform[places], noise.normal[places])
            found = displacement_errors(paths, batch.future)
            for name, values in zip(parts, (model.nll(context, last, batch.future), *found), strict=True):
                parts[name].append(values)
    return {name: torch.cat(values).cpu().numpy().astype(np.float64) for name, values in parts.items()}
