"""Layers: linear maps of sparse or dense inputs, the SE convolution (Eq. 2), deep SE-GCNs and plain MLPs.

Letters: N nodes, F features, H hidden width, C classes, L layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import BatchNorm, DiffGroupNorm, MeanSubtractionNorm, PairNorm
from torch_geometric.nn.inits import glorot, zeros

from reprise.cold_brew.checks import check_choice, check_dropout, check_real, check_whole
from reprise.cold_brew.dropout import dropout
from reprise.cold_brew.graph import Propagation
from reprise.cold_brew.sparse import Features, drop_features, multiply

Placement = Literal["none", "first", "all"]
Norm = Literal["batch", "pair", "node", "mean", "group"]
Residual = Literal["residual", "initial", "jumping", "dense"]
Scaling = Literal["paper", "code"]


class PartsLinear(nn.Module):
    """A linear map of the concatenation of several inputs, of which any may be sparse.

    The weight has one block per input, so that nothing is ever concatenated or made dense; the blocks are
    initialised together, as one matrix.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, *, bias: bool = True) -> None:
        super().__init__()
        self.in_channels = tuple(in_channels)
        whole = torch.empty(sum(self.in_channels), out_channels)
        glorot(whole)
        self.weights = nn.ParameterList([nn.Parameter(block) for block in whole.split(self.in_channels)])
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, *parts: Features) -> Tensor:
        """Return ``(N, out_channels)`` for inputs ``(N, in_channels[i])``."""
        for part, width in zip(parts, self.in_channels, strict=True):
            if part.shape[1] != width:
                raise ValueError(f"the features have width {part.shape[1]}; this model was built for width {width}.")
        out = multiply(parts[0], self.weights[0])
        for part, weight in zip(parts[1:], list(self.weights)[1:], strict=True):
            out = out + multiply(part, weight)
        return out if self.bias is None else out + self.bias


class MLP(nn.Module):
    """Blocks of Linear, LayerNorm, GELU, Dropout, then a last Linear: the MLP of the paper's official code.

    Parameters
    ----------
    in_channels
        Width of the input, or of each of several inputs that count as concatenated.
    hidden_channels
        Width of each hidden block.
    out_channels
        Width of the output.
    dropout
        Share of hidden values dropped in training.

    Raises
    ------
    ValueError
        For a width or a share out of range, or without a hidden block.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        hidden_channels: Sequence[int],
        out_channels: int,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if not hidden_channels:
            raise ValueError("hidden_channels is empty; give the width of at least one hidden block.")
        for width in (*hidden_channels, out_channels):
            check_whole("hidden_channels and out_channels: width", width)
        check_dropout("dropout", dropout)
        widths = [in_channels] if isinstance(in_channels, int) else list(in_channels)
        self.first = PartsLinear(widths, hidden_channels[0])
        pairs = pairwise(hidden_channels)
        self.middle = nn.ModuleList([nn.Linear(inner, outer) for inner, outer in pairs])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for width in hidden_channels])
        self.last = nn.Linear(hidden_channels[-1], out_channels)
        self.dropout = dropout

    def hidden(self, *parts: Features) -> Tensor:
        """Return the input of the last linear map, ``(N, hidden_channels[-1])``."""
        h = self.first(*parts)
        for position, norm in enumerate(self.norms):
            h = h if position == 0 else self.middle[position - 1](h)
            h = dropout(functional.gelu(norm(h)), self.dropout, self.training)
        return h

    def forward(self, *parts: Features) -> Tensor:
        """Return ``(N, out_channels)``."""
        return self.last(self.hidden(*parts))


class SEConv(nn.Module):
    r"""Graph convolution with structural embeddings, Eq. 2: :math:`\tilde A (X W + E) + b`.

    Parameters
    ----------
    in_channels, out_channels
        Widths.
    num_nodes
        N of the graph that E belongs to; ``None`` leaves E away, which is PyG's ``GCNConv``.
    bias
        Whether to add a bias; Eq. 2 has none, the official code has one.
    se_scaling
        ``"paper"`` is Eq. 2. ``"code"`` is the official code's :math:`D^{-1/2}A(D^{-1/2}XW + E)`, in which E is
        not divided by the root of the source's degree.
    se_std
        Standard deviation of E's initial values. At 0 the row of a node without gradient (isolated, unlabelled) stays
        zero and its state is XW alone; the official code takes 1, which leaves such rows at noise as large as the
        signal.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_nodes: int | None = None,
        *,
        bias: bool = True,
        se_scaling: Scaling = "paper",
        se_std: float = 0.0,
    ) -> None:
        super().__init__()
        self.linear = PartsLinear([in_channels], out_channels, bias=False)
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        zeros(self.bias)
        self.se_scaling = se_scaling
        self.structural: nn.Parameter | None = None
        if num_nodes is not None:
            self.structural = nn.Parameter(se_std * torch.randn(num_nodes, out_channels))

    def transform(self, x: Features, edges: Propagation) -> Tensor:
        """Return the state before aggregation, :math:`XW + E`, ``(N, out_channels)``."""
        state = self.linear(x)
        if self.structural is None:
            return state
        if self.structural.shape[0] != x.shape[0]:
            raise ValueError(
                f"SE-GNN is transductive: built for N={self.structural.shape[0]}, got M={x.shape[0]}; "
                "use the student for new nodes."
            )
        # D^-1/2 A (D^-1/2 XW + E) = Ã (XW + D^1/2 E)
        factor = edges.degree.sqrt().unsqueeze(1) if self.se_scaling == "code" else 1.0
        return state + factor * self.structural

    def aggregate(self, state: Tensor, edges: Propagation) -> Tensor:
        """Return the aggregated state plus bias, ``(N, out_channels)``."""
        if edges.shape[1] != state.shape[0]:
            raise ValueError(f"x has {state.shape[0]} rows, but the graph has {edges.shape[1]} nodes; one row a node.")
        out = edges @ state
        return out if self.bias is None else out + self.bias

    def forward(self, x: Features, edges: Propagation) -> Tensor:
        """Return ``(N, out_channels)``."""
        return self.aggregate(self.transform(x, edges), edges)


@dataclass(frozen=True)
class LayerStates:
    """What one pass leaves at each layer: ``before`` and ``after`` aggregation, no activation, ``(N, width)`` each."""

    before: tuple[Tensor, ...]
    after: tuple[Tensor, ...]
    hidden: Tensor

    @property
    def output(self) -> Tensor:
        """The logits ``(N, C)``."""
        return self.after[-1]


class SEGCN(nn.Module):
    """A GCN of 1 to 64 and more layers whose layers may own structural embeddings (§3.1).

    Parameters
    ----------
    in_channels, hidden_channels, out_channels
        F, H, C.
    num_layers
        L >= 1.
    num_nodes
        N, needed unless ``se="none"``.
    se
        Which layers own an E: ``"none"`` (a plain GCN), ``"first"``, ``"all"``.
    norm
        After each hidden convolution: ``None``, ``"batch"``, ``"pair"`` (PairNorm), ``"node"`` (each row
        standardised), ``"mean"`` (columns centred), ``"group"`` (differentiable group normalisation, 10 groups).
    residual
        ``None``; ``"residual"`` :math:`(1-α)h + αh_{prev}`; ``"initial"`` :math:`(1-α)h + αh_1`; ``"jumping"``: the
        last layer reads all hidden states; ``"dense"``: every layer reads all earlier hidden states.
    residual_share
        α.
    dropout, input_dropout
        Share dropped before every layer but the first, and before the first.
    se_scaling, se_std
        As in `SEConv`.

    Raises
    ------
    ValueError
        For an option out of range or an unknown word; names it.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        num_nodes: int | None = None,
        *,
        se: Placement = "first",
        norm: Norm | None = None,
        residual: Residual | None = None,
        residual_share: float = 0.1,
        dropout: float = 0.5,
        input_dropout: float = 0.0,
        se_scaling: Scaling = "paper",
        se_std: float = 0.0,
    ) -> None:
        super().__init__()
        check_graph_options(
            hidden_channels=hidden_channels,
            num_layers=num_layers,
            se=se,
            norm=norm,
            residual=residual,
            residual_share=residual_share,
            se_scaling=se_scaling,
            se_std=se_std,
        )
        check_whole("in_channels", in_channels)
        check_whole("out_channels", out_channels)
        check_dropout("dropout", dropout)
        check_dropout("input_dropout", input_dropout)
        if se != "none" and num_nodes is None:
            raise ValueError(f"se={se!r} needs num_nodes, the N of the graph that the embeddings belong to.")
        self.residual, self.residual_share = residual, residual_share
        self.dropout, self.input_dropout = dropout, input_dropout
        self.convolutions = nn.ModuleList()
        for layer in range(num_layers):
            width_in = in_channels if layer == 0 else hidden_channels * self._fan_in(layer, num_layers)
            width_out = out_channels if layer == num_layers - 1 else hidden_channels
            owns = se == "all" or (se == "first" and layer == 0)
            owner = num_nodes if owns else None
            self.convolutions.append(SEConv(width_in, width_out, owner, se_scaling=se_scaling, se_std=se_std))
        self.norms = nn.ModuleList([make_norm(norm, hidden_channels) for _ in range(num_layers - 1)])

    def _fan_in(self, layer: int, num_layers: int) -> int:
        if self.residual == "dense" or (self.residual == "jumping" and layer == num_layers - 1):
            return layer
        return 1

    def states(self, x: Features, edges: Propagation) -> LayerStates:
        """Return what one pass leaves at each layer."""
        before: list[Tensor] = []
        after: list[Tensor] = []
        hidden: list[Tensor] = []
        for layer, module in enumerate(self.convolutions):
            convolution = cast(SEConv, module)
            dropout = self.input_dropout if layer == 0 else self.dropout
            h = drop_features(self._layer_input(layer, x, hidden), dropout, self.training)
            before.append(convolution.transform(h, edges))
            after.append(convolution.aggregate(before[-1], edges))
            if layer < len(self.norms):
                activated = torch.relu(self.norms[layer](after[-1]))
                hidden.append(self._mix(activated, hidden))
        return LayerStates(tuple(before), tuple(after), hidden[-1] if hidden else after[-1])

    def _layer_input(self, layer: int, x: Features, hidden: list[Tensor]) -> Features:
        if layer == 0:
            return x
        return hidden[-1] if self._fan_in(layer, len(self.convolutions)) == 1 else torch.cat(hidden, dim=1)

    def _mix(self, activated: Tensor, hidden: list[Tensor]) -> Tensor:
        if not hidden or self.residual not in ("residual", "initial"):
            return activated
        other = hidden[0] if self.residual == "initial" else hidden[-1]
        return (1 - self.residual_share) * activated + self.residual_share * other

    def forward(self, x: Features, edges: Propagation) -> Tensor:
        """Return logits ``(N, C)``."""
        return self.states(x, edges).output

    def structural_penalty(self) -> Tensor:
        """Return the mean of the squares of all structural embeddings (0 without any).

        Eq. 3 writes the sum, the official code the norm; the mean makes one weight serve graphs of all sizes.
        """
        owned = [embedding for embedding in self.structural_embeddings() if embedding is not None]
        if not owned:
            return torch.zeros((), device=next(self.parameters()).device)
        return torch.stack([e.square().sum() for e in owned]).sum() / sum(e.numel() for e in owned)

    def structural_embeddings(self) -> list[nn.Parameter | None]:
        """Return the E of each layer, ``None`` for layers without one."""
        return [convolution.structural for convolution in self.convolutions]  # type: ignore[misc]


def check_graph_options(
    *,
    hidden_channels: int,
    num_layers: int,
    se: Placement,
    norm: Norm | None,
    residual: Residual | None,
    residual_share: float,
    se_scaling: Scaling,
    se_std: float,
) -> None:
    """Refuse options that an `SEGCN` cannot be built with.

    Raises
    ------
    ValueError
        For an option out of range or an unknown word; names it.
    """
    check_whole("hidden_channels", hidden_channels)
    check_whole("num_layers", num_layers)
    check_choice("se", se, get_args(Placement))
    check_choice("norm", norm, (None, *get_args(Norm)))
    check_choice("residual", residual, (None, *get_args(Residual)))
    check_real("residual_share", residual_share, high=1.0)
    check_choice("se_scaling", se_scaling, get_args(Scaling))
    check_real("se_std", se_std)


class NodeNorm(nn.Module):
    """Standardise each row: mean 0, variance 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, H)``."""
        return functional.layer_norm(x, x.shape[-1:])


def make_norm(name: Norm | None, width: int) -> nn.Module:
    """Return a normalisation layer by name; PyG's where it has one."""
    if name is None:
        return nn.Identity()
    if name == "batch":
        return BatchNorm(width)
    if name == "pair":
        return PairNorm()
    if name == "node":
        return NodeNorm()
    if name == "mean":
        return MeanSubtractionNorm()
    if name == "group":
        return DiffGroupNorm(width, groups=10)
    raise ValueError(f"norm={name!r} is unknown; use None, 'batch', 'pair', 'node', 'mean' or 'group'.")
