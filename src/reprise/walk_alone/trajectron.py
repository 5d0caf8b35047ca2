"""A conditional variational autoencoder after Trajectron++, with summed edges or one edge per neighbour.

``mode="sum"``: neighbours of a kind are added up before they are encoded (Trajectron++). ``mode="edge"``: each
neighbour is encoded with the target, and attention picks among the encodings (the paper's Trajectron++Edge).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from reprise.walk_alone.gaussians import Velocities, log_densities, negative_log_likelihood
from reprise.walk_alone.states import STATE, Scale, States, neighbour_features, target_features
from reprise.walk_alone.windows import FUTURE

Mode = Literal["sum", "edge"]
EDGE_DROPOUT, PRIOR_DROPOUT = 0.25, 0.1
NEIGHBOUR_FEATURES = STATE + 1


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; the defaults are the paper's.

    Attributes
    ----------
    mode
        ``"sum"`` or ``"edge"``.
    n_kinds
        Kinds of neighbours.
    latents
        Values of the categorical z.
    encoder_width
        Units of the encoders.
    decoder_width
        Units of the decoder's GRU.
    scale
        Divisors of the states.
    seconds
        Time step.
    """

    mode: Mode = "edge"
    n_kinds: int = 1
    latents: int = 25
    encoder_width: int = 32
    decoder_width: int = 128
    scale: Scale = field(default_factory=Scale)
    seconds: float = 0.4


def last_output(lstm: nn.LSTM, sequence: Tensor, start: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Return the last output of an LSTM for sequences ``(rows, frames, features)``; no rows give no outputs."""
    if len(sequence) == 0:
        return sequence.new_zeros(0, lstm.hidden_size)
    return lstm(sequence, start)[0][:, -1]  # type: ignore[no-any-return]


class TrajectronCVAE(nn.Module):
    """The predictor.

    Parameters
    ----------
    shape
        Its sizes.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width, latents, hidden = shape.encoder_width, shape.latents, shape.decoder_width
        self.history = nn.LSTM(STATE, width, batch_first=True)
        self.edges = nn.ModuleList(
            nn.LSTM(STATE + NEIGHBOUR_FEATURES, width, batch_first=True) for _ in range(shape.n_kinds)
        )
        self.attend_edge = nn.Linear(width, width, bias=False)
        self.attend_history = nn.Linear(width, width, bias=False)
        self.attend_score = nn.Linear(width, 1, bias=False)
        self.dropout = nn.Dropout(EDGE_DROPOUT)
        self.prior = nn.Sequential(
            nn.Linear(2 * width, width), nn.ReLU(), nn.Dropout(PRIOR_DROPOUT), nn.Linear(width, latents)
        )
        self.future = nn.LSTM(2, width, batch_first=True, bidirectional=True)
        self.future_start = nn.Linear(STATE, 2 * width)
        self.posterior = nn.Linear(6 * width, latents)
        self.start_state = nn.Linear(latents + 2 * width, hidden)
        first = [nn.Linear(STATE, 2)] if shape.mode == "sum" else [nn.Linear(STATE, width), nn.Linear(width, 2)]
        self.start_action = nn.Sequential(*first)
        self.gates_latent = nn.Linear(latents, 3 * hidden, bias=False)
        self.gates_context = nn.Linear(2 * width, 3 * hidden)
        self.gates_action = nn.Linear(2, 3 * hidden, bias=False)
        self.gates_state = nn.Linear(hidden, 3 * hidden)
        self.head = nn.Linear(hidden, 5)

    # ---- encoders --------------------------------------------------------------------------------------------

    def encode_history(self, target: Tensor) -> Tensor:
        """Encode standardised histories ``(B, 8, 6)`` as ``(B, width)``."""
        return self.dropout(last_output(self.history, target))  # type: ignore[no-any-return]

    def encode_pairs(self, neighbours: Tensor, target: Tensor, present: Tensor, kind: Tensor) -> Tensor:
        """Encode each neighbour together with the target (``edge``).

        Parameters
        ----------
        neighbours
            Shape ``(B, N, 8, 7)``.
        target
            Shape ``(B, 8, 6)``.
        present, kind
            Shape ``(B, N)``.

        Returns
        -------
        Tensor
            Shape ``(B, N, width)``; zero in empty slots.
        """
        encoded = neighbours.new_zeros(*present.shape, self.shape.encoder_width)
        for index, lstm in enumerate(self.edges):
            batch, slot = torch.nonzero(present & (kind == index), as_tuple=True)
            pairs = torch.cat([neighbours[batch, slot], target[batch]], dim=-1)
            encoded = encoded.index_put((batch, slot), last_output(lstm, pairs))  # type: ignore[arg-type]
        return encoded

    def encode_sums(self, sums: Tensor, target: Tensor, weights: Tensor) -> Tensor:
        """Encode the neighbours of each kind, summed up, together with the target (``sum``).

        Parameters
        ----------
        sums
            Shape ``(R, kinds, 8, 7)``.
        target
            Shape ``(R, 8, 6)``.
        weights
            Shape ``(R, kinds)``: the edge weights, 0 where no neighbour of the kind is there.

        Returns
        -------
        Tensor
            Shape ``(R, kinds, width)``.
        """
        encoded = [
            last_output(lstm, torch.cat([sums[:, index], target], dim=-1))  # type: ignore[arg-type]
            for index, lstm in enumerate(self.edges)
        ]
        return torch.stack(encoded, dim=1) * weights[..., None]

    def scores(self, edges: Tensor, history: Tensor) -> Tensor:
        """Return attention logits ``v·tanh(W₁ e + W₂ h)`` for edges ``(R, N, width)`` and histories ``(R, width)``."""
        mixed = torch.tanh(self.attend_edge(edges) + self.attend_history(history)[:, None])
        return self.attend_score(mixed).squeeze(-1)  # type: ignore[no-any-return]

    def attended(self, edges: Tensor, history: Tensor, present: Tensor) -> Tensor:
        """Return the attention-weighted edge ``(R, width)``; zero where no slot is present."""
        return torch.bmm(attention(self.scores(edges, history), present)[:, None], edges)[:, 0]

    def context(self, states: States) -> Tensor:
        """Encode a batch as x = [edges; history], ``(B, 2 width)``."""
        reference = states.target[:, -1]
        target = target_features(states.target, self.shape.scale)
        history = self.encode_history(target)
        neighbours = neighbour_features(states, self.shape.scale, reference)
        if self.shape.mode == "edge":
            edges = self.encode_pairs(neighbours, target, states.present, states.kind)
            edge = self.attended(edges, history, states.present)
        else:
            of_kind = by_kind(states.present, states.kind, self.shape.n_kinds)
            sums = torch.einsum("bnk,bntf->bktf", of_kind, neighbours)
            weights = edge_weights(of_kind, states.seen)
            edges = self.encode_sums(sums, target, weights)
            edge = self.attended(edges, history, torch.ones_like(weights, dtype=torch.bool))
        return torch.cat([self.dropout(edge), history], dim=-1)

    # ---- latent ----------------------------------------------------------------------------------------------

    def prior_logits(self, context: Tensor) -> Tensor:
        """Return mean-centred logits of p(z | x)."""
        return centred(self.prior(context))

    def posterior_logits(self, context: Tensor, states: States) -> Tensor:
        """Return mean-centred logits of q(z | x, y)."""
        width = self.shape.encoder_width
        last = target_features(states.target[:, -1:], self.shape.scale)[:, 0]
        forward = self.future_start(last)
        start = torch.stack([forward, torch.zeros_like(forward)])  # directions, B, (h, c)
        _, (h, c) = self.future(states.future, (start[..., :width].contiguous(), start[..., width:].contiguous()))
        summary = torch.cat([h, c], dim=0).transpose(0, 1).flatten(1)
        return centred(self.posterior(torch.cat([context, self.dropout(summary)], dim=-1)))

    # ---- decoder ---------------------------------------------------------------------------------------------

    def decode(
        self, context: Tensor, last: Tensor, latent: Tensor | None = None, noise: Tensor | None = None
    ) -> Velocities:
        """Roll out the decoder for 12 steps.

        The part of the gates that stays constant is computed once: the context's per row, the latent's per value.

        Parameters
        ----------
        context
            Shape ``(R, 2 width)``.
        last
            Shape ``(R, 6)``: the target's standardised last state.
        latent
            Shape ``(R, L)``: values of z to decode; None for all K.
        noise
            Shape ``(R, L, 12, 2)``, standard normal: the decoder is fed samples; None: it is fed its means.
        """
        rows, width = len(context), 2 * self.shape.encoder_width
        gates_z, start_z = self.gates_latent.weight.T, self.start_state.weight[:, : self.shape.latents].T
        if latent is not None:
            gates_z, start_z = gates_z[latent], start_z[latent]
        start_x = context @ self.start_state.weight[:, -width:].T + self.start_state.bias
        constant = self.gates_context(context)[:, None] + gates_z
        state = start_x[:, None] + start_z
        action = self.start_action(last)[:, None].expand(rows, state.shape[1], 2)
        outputs, fed = [], []
        for step in range(FUTURE):
            state = gated(constant + self.gates_action(action), self.gates_state(state), state)
            mean, log_deviation, raw = self.head(state).split([2, 2, 1], dim=-1)
            correlation = raw.tanh()
            action = mean if noise is None else _sampled(mean, log_deviation.exp(), correlation, noise[:, :, step])
            outputs.append((mean, log_deviation, correlation[..., 0]))
            fed.append(action)
        means, log_deviations, correlations = (torch.stack(values, dim=2) for values in zip(*outputs, strict=True))
        return Velocities(means, log_deviations, correlations, torch.stack(fed, dim=2))

    def nll(self, context: Tensor, last: Tensor, future: Tensor) -> Tensor:
        """Return the NLL metric per row, the decoder being fed its means."""
        velocities = self.decode(context, last)
        log_weights = self.prior_logits(context).log_softmax(-1)
        return negative_log_likelihood(log_densities(velocities, log_weights, future, self.shape.seconds))

    def sample(self, context: Tensor, last: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
        """Sample paths with given noise, relative to the last observed position.

        Parameters
        ----------
        context, last
            Shapes ``(R, 2 width)`` and ``(R, 6)``.
        uniform
            Shape ``(R, L)`` in [0, 1): chooses z by the inverse of p(z | x)'s distribution function.
        noise
            Shape ``(R, L, 12, 2)``, standard normal.

        Returns
        -------
        Tensor
            Shape ``(R, L, 12, 2)``.
        """
        cumulative = self.prior_logits(context).softmax(-1).cumsum(-1)
        latent = torch.searchsorted(cumulative, uniform.contiguous()).clamp_max(self.shape.latents - 1)
        return self.shape.seconds * self.decode(context, last, latent, noise).fed.cumsum(2)


def centred(logits: Tensor) -> Tensor:
    """Subtract the mean of the logits."""
    return logits - logits.mean(-1, keepdim=True)


def attention(scores: Tensor, present: Tensor) -> Tensor:
    """Return the softmax over the present slots, all zero (and without gradient trouble) where there is none."""
    largest = (
        scores.masked_fill(~present, float("-inf")).amax(-1, keepdim=True) if scores.shape[-1] else scores.sum(-1, True)
    )
    shifted = torch.where(present, scores - largest, torch.zeros_like(scores))
    weights = shifted.exp() * present
    return weights / weights.sum(-1, keepdim=True).clamp_min(1e-30)


def by_kind(present: Tensor, kind: Tensor, n_kinds: int) -> Tensor:
    """Return ``(B, N, kinds)``: 1 where a slot holds a neighbour of a kind."""
    return (kind[..., None] == torch.arange(n_kinds, device=kind.device)) * present[..., None].float()


def edge_weights(of_kind: Tensor, seen: Tensor) -> Tensor:
    """Return the scalar edge weights ``(B, kinds)`` of `sum`: ¼, ¾, 1 for 1, 2, more frames, summed, at most 1."""
    return torch.einsum("bnk,bn->bk", of_kind, frame_weights(seen)).clamp_max(1)


def frame_weights(seen: Tensor) -> Tensor:
    """Return each neighbour's part of the edge weight, ``(B, N)``."""
    frames = seen.sum(-1)
    return torch.where(frames >= 3, 1.0, torch.where(frames == 2, 0.75, torch.where(frames == 1, 0.25, 0.0)))


def gated(inputs: Tensor, recurrent: Tensor, state: Tensor) -> Tensor:
    """One step of a GRU from its two parts of the gates (reset, update, new)."""
    # Split, not sliced: the gradient of a slice first fills a whole tensor with zeros.
    width = state.shape[-1]
    given, new_input = inputs.split([2 * width, width], dim=-1)
    own, new_own = recurrent.split([2 * width, width], dim=-1)
    reset, update = torch.sigmoid(given + own).chunk(2, dim=-1)
    return torch.lerp(torch.tanh(torch.addcmul(new_input, reset, new_own)), state, update)


def _sampled(mean: Tensor, deviation: Tensor, correlation: Tensor, noise: Tensor) -> Tensor:
    first, second = noise.split(1, dim=-1)
    orthogonal = (1 - correlation.square()).clamp_min(1e-12).sqrt()
    return mean + deviation * torch.cat([first, correlation * first + orthogonal * second], dim=-1)
