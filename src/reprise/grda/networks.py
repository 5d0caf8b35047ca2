"""The networks of the paper, many seeds at once: encoder E, predictor F and the discriminators.

Every parameter has a leading axis of seeds, and every layer is one batched matrix product. On the CPU the result of
a seed has the same bits whether it is computed alone or with others (tested), so batching never changes a row.

Shapes: S seeds, N domains, B rows per domain, d features, H hidden units, k embedding coordinates.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

Initialisation = Literal["default", "paper"]

N_JOINT_LAYERS = 3
N_PREDICTOR_LAYERS = 2
N_DISCRIMINATOR_LAYERS = 5
PAPER_WEIGHT_DEVIATION = 0.01
PROBABILITY_FLOOR = 1e-4
REGISTER_ELEMENTS = 64


class StackedLinear(nn.Module):
    """A linear layer for each of S seeds: ``(S, ..., n_inputs) -> (S, ..., n_outputs)``.

    Parameters
    ----------
    n_seeds, n_inputs, n_outputs
        Sizes of the weight ``(S, n_inputs, n_outputs)``; the bias is ``(S, 1, n_outputs)``.
    fan_in
        Number of inputs that the default initialisation counts, if this layer is a part of a wider one.
    bias
        Whether there is a bias.
    """

    def __init__(self, n_seeds: int, n_inputs: int, n_outputs: int, *, fan_in: int | None = None, bias: bool = True):
        super().__init__()
        self.fan_in = fan_in or n_inputs
        self.weight = nn.Parameter(torch.empty(n_seeds, n_inputs, n_outputs))
        self.bias = nn.Parameter(torch.empty(n_seeds, 1, n_outputs)) if bias else None

    def forward(self, inputs: Tensor) -> Tensor:
        """Multiply and add the bias, seed by seed."""
        rows = inputs.flatten(1, -2)
        if self.bias is not None and self.weight.shape[-1] == 1:
            # A product with one column goes to other kernels for one seed than for many, with other last bits.
            outputs = (rows * self.weight.mT).sum(-1, keepdim=True) + self.bias
        elif self.bias is None:
            outputs = torch.bmm(rows, self.weight)
        else:
            outputs = torch.baddbmm(self.bias, rows, self.weight)
        return outputs.view(*inputs.shape[:-1], -1)

    @torch.no_grad()
    def initialise(self, seed_index: int, generator: torch.Generator, kind: Initialisation) -> None:
        """Draw one seed's weights: PyTorch's default U(±1/√fan_in), or the paper's N(0, 0.01²) with zero bias."""
        bound = self.fan_in**-0.5
        for name, stacked in self.named_parameters():
            parameter = stacked[seed_index]
            if kind == "default":
                parameter.copy_((torch.rand(parameter.shape, generator=generator) * 2 - 1) * bound)
            elif name == "weight":
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * PAPER_WEIGHT_DEVIATION)
            else:
                parameter.zero_()


def initialise(module: nn.Module, generators: Sequence[torch.Generator], kind: Initialisation = "default") -> None:
    """Initialise all layers of a module, each seed from its own generator (drawn on the CPU).

    Parameters
    ----------
    module
        A module made of `StackedLinear` layers for S seeds.
    generators
        S CPU generators.
    kind
        ``"default"``: PyTorch's; ``"paper"``: N(0, 0.01²), biases 0, as the official code; after eight layers its
        signals are about 1e-6, so that training begins with a long plateau.

    Raises
    ------
    ValueError
        If the kind is unknown.
    """
    if kind not in ("default", "paper"):
        raise ValueError(f"initialisation={kind!r} is unknown; use 'default' or 'paper'.")
    layers = [layer for layer in module.modules() if isinstance(layer, StackedLinear)]
    for seed_index, generator in enumerate(generators):
        for layer in layers:
            layer.initialise(seed_index, generator, kind)


def _hidden_layers(n_seeds: int, n_inputs: int, width: int, n_layers: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for index in range(n_layers):
        layers += [StackedLinear(n_seeds, n_inputs if index == 0 else width, width), nn.ReLU()]
    return layers


class Encoder(nn.Module):
    """E: ``e = f(x, z_u)``, the encoding of a row given its domain's node embedding.

    Input branch ``x → Linear H → ReLU``, domain branch ``z → (Linear H → ReLU)²``, concatenated to 2H, then
    ``3 × (Linear 2H → 2H, ReLU)``, ``Linear 2H → H`` without activation.

    Notes
    -----
    The domain branch sees N rows, not N·B, and the first joint layer is kept as its two halves: the half that
    multiplies the domain branch is likewise computed once per domain. Same function and same initial distribution.
    """

    def __init__(self, n_seeds: int, n_features: int, embedding_width: int, hidden_width: int):
        super().__init__()
        joint = 2 * hidden_width
        self.input_branch = nn.Sequential(*_hidden_layers(n_seeds, n_features, hidden_width, 1))
        self.domain_branch = nn.Sequential(*_hidden_layers(n_seeds, embedding_width, hidden_width, 2))
        self.joint_from_input = StackedLinear(n_seeds, hidden_width, joint, fan_in=joint)
        self.joint_from_domain = StackedLinear(n_seeds, hidden_width, joint, fan_in=joint, bias=False)
        self.rest = nn.Sequential(
            nn.ReLU(),
            *_hidden_layers(n_seeds, joint, joint, N_JOINT_LAYERS - 1),
            StackedLinear(n_seeds, joint, hidden_width),
        )

    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        """Encode ``features (S, N, B, d)`` of domains with ``embedding (S, N, k)`` to ``(S, N, B, H)``."""
        from_domain = self.joint_from_domain(self.domain_branch(embedding))
        joint = self.joint_from_input(self.input_branch(features)) + from_domain.unsqueeze(2)
        return self.rest(joint)


class Predictor(nn.Module):
    """F: two hidden layers of H units with ReLU, then the linear output (class scores, or regression targets).

    MDD's adversarial head has the same shape.
    """

    def __init__(self, n_seeds: int, hidden_width: int, n_outputs: int):
        super().__init__()
        self.layers = nn.Sequential(
            *_hidden_layers(n_seeds, hidden_width, hidden_width, N_PREDICTOR_LAYERS),
            StackedLinear(n_seeds, hidden_width, n_outputs),
        )

    def forward(self, codes: Tensor) -> Tensor:
        """Map encodings ``(S, ..., H)`` to outputs ``(S, ..., n_outputs)``."""
        return self.layers(codes)


class Discriminator(nn.Module):
    """D: five hidden layers of H units with ReLU, then a linear output without activation.

    The output is the reconstructed node embedding (GRDA, width k), the scores of the N domains (DANN; the stray ReLU
    that the official code puts on them is left out), or one source-or-target score (ADDA).
    """

    def __init__(self, n_seeds: int, hidden_width: int, n_outputs: int):
        super().__init__()
        self.layers = nn.Sequential(
            *_hidden_layers(n_seeds, hidden_width, hidden_width, N_DISCRIMINATOR_LAYERS),
            StackedLinear(n_seeds, hidden_width, n_outputs),
        )

    def forward(self, codes: Tensor) -> Tensor:
        """Map encodings ``(S, ..., H)`` to outputs ``(S, ..., n_outputs)``."""
        return self.layers(codes)


class ConditionalDiscriminator(nn.Module):
    """CDANN's D: as `Discriminator`, and after its first hidden layer it also sees the predictor's outputs.

    The outputs (class probabilities, or regression predictions) pass ``Linear → H, ReLU, Linear H → H, ReLU`` and
    are concatenated to the first hidden layer's H units.
    """

    def __init__(self, n_seeds: int, hidden_width: int, n_conditions: int, n_outputs: int):
        super().__init__()
        joint = 2 * hidden_width
        self.first = nn.Sequential(*_hidden_layers(n_seeds, hidden_width, hidden_width, 1))
        self.condition_branch = nn.Sequential(*_hidden_layers(n_seeds, n_conditions, hidden_width, 2))
        self.rest = nn.Sequential(
            *_hidden_layers(n_seeds, joint, hidden_width, N_DISCRIMINATOR_LAYERS - 1),
            StackedLinear(n_seeds, hidden_width, n_outputs),
        )

    def forward(self, codes: Tensor, conditions: Tensor) -> Tensor:
        """Map encodings ``(S, ..., H)`` and conditions ``(S, ..., C)`` to scores ``(S, ..., n_outputs)``."""
        return self.rest(torch.cat((self.first(codes), self.condition_branch(conditions)), dim=-1))


def seedwise(function: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """Apply an elementwise function to values ``(S, ...)`` so that a seed's bits don't depend on the others.

    Torch computes the last few elements of a tensor, those that fill no vector register, with another version of
    exp and log, whose last bit may differ. Here every seed's values are padded to whole registers first.
    """
    flat = values.flatten(1)
    padded = pad(flat, (0, -flat.shape[1] % REGISTER_ELEMENTS))
    return function(padded)[:, : flat.shape[1]].view(values.shape)


def log_probabilities(scores: Tensor) -> Tensor:
    """Return ``log(softmax + 1e-4)``, the official predictor's output: it bounds the loss of a confident error."""
    return seedwise(torch.log, torch.softmax(scores, dim=-1) + PROBABILITY_FLOOR)


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, codes: Tensor, weight: float) -> Tensor:  # type: ignore[override]
        ctx.weight = weight
        return codes.view_as(codes)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return -ctx.weight * gradient, None


def reverse_gradient(codes: Tensor, weight: float) -> Tensor:
    """Return the codes unchanged; on the way back the gradient is multiplied by ``-weight``.

    What stands behind it (D) descends on its loss with the full gradient; what stands before it (E) ascends with
    ``weight`` times it. One backward pass serves both, and neither receives the other's share.
    """
    return _ReverseGradient.apply(codes, weight)
