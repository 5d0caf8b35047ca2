"""PECNet: first a destination, then the path to it, with non-local pooling over the neighbours (Section 4.C).

Positions are pixels relative to the first observed frame, times 1.86. Differences from the released code: neighbours
are aligned in time, one mask serves a whole group (dropping an agent removes its row and its column), and the loss
counts the targets only, because neighbours may not have a future.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from reprise.compute import seed_sequence, torch_generator
from reprise.walk_alone.coalitions import Masks, Numbers
from reprise.walk_alone.gaussians import displacement_errors
from reprise.walk_alone.windows import FUTURE, PAST, Windows

DATA_SCALE, PLACE_SCALE = 1.86, 1000.0
CODE, LATENT, ROUNDS = 16, 16, 3
TEST_DEVIATION = 1.3
PAPER_AGENTS = 512
DRAWS = 20
FINAL_RATE = 0.1
FEATURES = 2 * CODE + 2
CHUNK_ROWS = 512


def mlp(sizes: list[int], width_factor: float) -> nn.Sequential:
    """Return layers with ReLU between them; the hidden sizes are multiplied by the factor."""
    sizes = [sizes[0], *(max(4, round(size * width_factor)) for size in sizes[1:-1]), sizes[-1]]
    layers: list[nn.Module] = []
    for i, (given, made) in enumerate(itertools.pairwise(sizes)):
        layers += [nn.Linear(given, made)] + ([nn.ReLU()] if i < len(sizes) - 2 else [])
    return nn.Sequential(*layers)


@dataclass(frozen=True)
class Groups:
    """Targets (slot 0) and their neighbours as tensors.

    Attributes
    ----------
    past
        Shape ``(B, 1 + N, 16)``: flattened pasts relative to the first frame, scaled.
    place
        Shape ``(B, 1 + N, 2)``: last observed position in the scene, over 1000.
    present
        Shape ``(B, 1 + N)``, bool; the target always is.
    future
        Shape ``(B, 12, 2)``: relative to the target's first frame, scaled.
    origin
        Shape ``(B, 2)``: the target's last position relative to its first, scaled.
    """

    past: Tensor
    place: Tensor
    present: Tensor
    future: Tensor
    origin: Tensor

    @classmethod
    def of(cls, windows: Windows, device: torch.device | str = "cpu") -> Groups:
        """Return the groups of windows."""
        tracks = np.concatenate([windows.past[:, None], windows.neighbours], 1)
        relative = (tracks - tracks[:, :, :1]) * DATA_SCALE
        present = np.concatenate([np.ones((len(windows), 1), dtype=bool), windows.present], 1)
        arrays = [
            relative.reshape(*tracks.shape[:2], -1),
            tracks[:, :, -1] / PLACE_SCALE,
            present,
            (windows.future - windows.past[:, :1]) * DATA_SCALE,
            relative[:, 0, -1],
        ]
        return cls(*(torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays))

    def __len__(self) -> int:
        return len(self.past)

    def take(self, places: Tensor) -> Groups:
        """Return part of the groups, without slots that nobody in it uses."""
        present = self.present[places]
        slots = int(torch.nonzero(present.any(0))[-1]) + 1
        return Groups(
            self.past[places, :slots], self.place[places, :slots], present[:, :slots], self.future[places],
            self.origin[places],
        )  # fmt: skip


class PECNet(nn.Module):
    """The predictor; ``width_factor=1`` is the paper's size."""

    def __init__(self, width_factor: float = 1.0) -> None:
        super().__init__()
        self.past = mlp([2 * PAST, 512, 256, CODE], width_factor)
        self.destination = mlp([2, 8, 16, CODE], max(width_factor, 1.0))
        self.latent = mlp([2 * CODE, 8, 50, 2 * LATENT], max(width_factor, 1.0))
        self.decoder = mlp([CODE + LATENT, 1024, 512, 1024, 2], width_factor)
        self.theta = mlp([FEATURES, 256, 128, 64, 128], width_factor)
        self.phi = mlp([FEATURES, 256, 128, 64, 128], width_factor)
        self.g = mlp([FEATURES, 256, 128, 64, FEATURES], width_factor)
        self.predictor = mlp([FEATURES, 1024, 512, 256, 2 * (FUTURE - 1)], width_factor)

    def features(self, code: Tensor, destination: Tensor, place: Tensor) -> Tensor:
        """Return the per-agent feature [past; destination; last position], ``(..., 34)``."""
        return torch.cat([code, self.destination(destination), place], dim=-1)

    def pooled(self, features: Tensor, present: Tensor) -> Tensor:
        """Three rounds of the same non-local block among the present agents of each group.

        Parameters
        ----------
        features
            Shape ``(R, A, 34)``.
        present
            Shape ``(R, A)``.
        """
        group, slot = torch.nonzero(present, as_tuple=True)
        pairs = present[:, :, None] & present[:, None]
        for _ in range(ROUNDS):
            own = features[group, slot]  # only agents that are there pass through the layers
            shape = features.shape[:2]
            theta, phi, g = (
                values.new_zeros(*shape, values.shape[-1]).index_put((group, slot), values)
                for values in (self.theta(own), self.phi(own), self.g(own))
            )
            logits = torch.bmm(theta, phi.transpose(1, 2)).masked_fill(~pairs, -1e9)
            features = features + torch.bmm(logits.softmax(-1) * pairs, g)
        return features

    def path(self, feature: Tensor, destination: Tensor) -> Tensor:
        """Return the eleven intermediate points and the destination, ``(..., 12, 2)``."""
        between = self.predictor(feature).unflatten(-1, (FUTURE - 1, 2))
        return torch.cat([between, destination[..., None, :]], dim=-2)


def loss(model: PECNet, groups: Groups, generator: torch.Generator) -> Tensor:
    """Return the training loss: squared errors of destination and path, plus the KL times 512.

    The paper sums the KL over its batch of 512 agents beside squared errors that are means, so that its weight is 512
    there. The mean over targets times 512 has this weight for any size of the batch.
    """
    device = groups.past.device
    code = model.past(groups.past)
    truth = groups.future[:, -1]
    mean, log_variance = model.latent(torch.cat([code[:, 0], model.destination(truth)], -1)).chunk(2, -1)
    noise = torch.randn(*code.shape[:2], LATENT, generator=generator).to(device)
    own = mean + (0.5 * log_variance).exp() * noise[:, 0]
    latent = torch.cat([own[:, None], noise[:, 1:]], 1)
    destination = model.decoder(torch.cat([code, latent], -1))
    pooled = model.pooled(model.features(code, destination, groups.place), groups.present)
    path = model.path(pooled[:, 0], destination[:, 0])
    divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(-1).mean()
    fit = (destination[:, 0] - truth).square().mean() + (path[:, :-1] - groups.future[:, :-1]).square().mean()
    return fit + PAPER_AGENTS * divergence


@dataclass(frozen=True)
class PECNetOptions:
    """How PECNet is trained; the defaults are the paper's, but for counting targets and not agents in a batch.

    Attributes
    ----------
    width_factor
        Multiplies the hidden sizes.
    epochs, batch
        Passes over the windows; targets per step.
    learning_rate
        Adam's, decaying linearly to a tenth.
    """

    width_factor: float = 1.0
    epochs: int = 650
    batch: int = 256
    learning_rate: float = 3e-4


def train_pecnet(windows: Windows, options: PECNetOptions, seed: int, device: torch.device) -> PECNet:
    """Train PECNet on windows in pixels; the last epoch is kept, not the one with the best test error."""
    groups = Groups.of(windows, device)
    draw = torch_generator(seed, "walk_alone", "sdd", "pecnet")
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(seed_sequence(seed, "walk_alone", "sdd", "network").generate_state(1)[0]))
        model = PECNet(options.width_factor).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=options.learning_rate, foreach=True)
    n_steps = options.epochs * -(-len(groups) // options.batch)
    decay = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, FINAL_RATE, n_steps)
    for _ in range(options.epochs):
        for places in torch.randperm(len(groups), generator=draw).split(options.batch):
            optimiser.zero_grad(set_to_none=True)
            loss(model, groups.take(places.to(device)), draw).backward()
            optimiser.step()
            decay.step()
    return model.eval()


class PECNetGame:
    """Coalitions of a trained PECNet; the value is minus the best error of 20 complete paths, in pixels.

    Destinations depend on an agent's own past and noise only: they are computed once, for the target's past as it was
    and for a target that stands still at its last position (also the origin then). A coalition redoes the pooling.

    Parameters
    ----------
    model
        Trained.
    groups
        Targets and neighbours (or strangers).
    seed
        Of the noise, common to all coalitions.
    loss
        ``"min_ade"`` or ``"min_fde"``.
    """

    def __init__(self, model: PECNet, groups: Groups, seed: int, loss: str = "min_ade") -> None:
        self.model, self.groups, self.loss = model, groups, loss
        generator = torch_generator(seed, "walk_alone", "pecnet noise")
        device = groups.past.device
        noise = TEST_DEVIATION * torch.randn(*groups.past.shape[:2], DRAWS, LATENT, generator=generator).to(device)
        static = groups.past.clone()
        static[:, 0] = 0
        with torch.inference_mode():
            self.destinations, self.features = [], []
            for past in (static, groups.past):
                code = model.past(past)[:, :, None].expand(*past.shape[:2], DRAWS, CODE)
                destination = model.decoder(torch.cat([code, noise], -1))
                place = groups.place[:, :, None].expand(*past.shape[:2], DRAWS, 2)
                self.destinations.append(destination[:, 0])
                self.features.append(model.features(code, destination, place).transpose(1, 2))  # (B, draws, A, 34)

    def __call__(self, masks: Masks) -> Numbers:
        """Return the values of coalitions ``(B, C, 1 + slots)`` as ``(B, C)``."""
        n_games, n_coalitions, _ = masks.shape
        values = np.empty((n_games, n_coalitions))
        flat = masks.reshape(-1, masks.shape[-1])
        out = values.reshape(-1)
        with torch.inference_mode():
            for start in range(0, len(flat), CHUNK_ROWS):
                rows = np.arange(start, min(start + CHUNK_ROWS, len(flat)))
                for past in (0, 1):
                    chosen = rows[flat[rows, 0] == bool(past)]
                    if len(chosen):
                        game = torch.from_numpy(chosen // n_coalitions).to(self.groups.past.device)
                        mask = torch.from_numpy(flat[chosen]).to(game.device)
                        out[chosen] = -self._errors(game, mask, past).cpu().numpy()
        return values

    def _errors(self, game: Tensor, mask: Tensor, past: int) -> Tensor:
        present = mask & self.groups.present[game]
        present[:, 0] = True
        features = self.features[past][game]
        pooled = self.model.pooled(features.flatten(0, 1), present.repeat_interleave(DRAWS, 0))
        path = self.model.path(pooled[:, 0].unflatten(0, (-1, DRAWS)), self.destinations[past][game])
        if past == 0:
            path = path + self.groups.origin[game][:, None, None]
        ade, fde = displacement_errors(path, self.groups.future[game])
        return (ade if self.loss == "min_ade" else fde) / DATA_SCALE
