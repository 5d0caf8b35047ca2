"""Many GCNs on one graph in one pass: for repeats, or for a grid of penalties or learning rates.

The first-layer weights of S models stand side by side, so that one sparse product serves all; the second layers are one
batched product. The models do not interact: Adam works value by value, and the losses are added.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from reprise.cold_brew.dropout import dropout
from reprise.cold_brew.graph import Propagation
from reprise.cold_brew.layers import SEGCN
from reprise.cold_brew.sparse import Features, drop_features, multiply
from reprise.cold_brew.training import adam


class BatchedGCN(nn.Module):
    """S two-layer GCNs of equal shape, with structural embeddings in the first layer or without any.

    Parameters
    ----------
    models
        The models to start from; their parameters are copied.

    Raises
    ------
    ValueError
        If there is no model, one has not two layers, normalises or scales its embeddings as the code does, or their
        shapes differ.
    """

    def __init__(self, models: Sequence[SEGCN]) -> None:
        super().__init__()
        if not models:
            raise ValueError("models is empty; give at least one.")
        if any(len(model.convolutions) != 2 for model in models):
            raise ValueError("BatchedGCN is for two layers; train deeper models one by one.")
        if any(not isinstance(norm, nn.Identity) for model in models for norm in model.norms):
            raise ValueError("BatchedGCN has no normalisation; train models with norm one by one.")
        if any(convolution.se_scaling != "paper" for model in models for convolution in model.convolutions):
            raise ValueError(
                "BatchedGCN scales structural embeddings as Eq. 2; train models with se_scaling one by one."
            )
        shapes = {tuple(tuple(p.shape) for p in model.parameters()) for model in models}
        if len(shapes) > 1:
            raise ValueError(f"the models have {len(shapes)} different shapes; all must have the same.")
        self.n_models = len(models)
        self.dropout, self.input_dropout = models[0].dropout, models[0].input_dropout
        first = [model.convolutions[0] for model in models]
        second = [model.convolutions[1] for model in models]
        self.first_weight = nn.Parameter(torch.cat([c.linear.weights[0].detach() for c in first], dim=1))  # type: ignore
        self.first_bias = nn.Parameter(torch.cat([c.bias.detach() for c in first]))  # type: ignore
        self.second_weight = nn.Parameter(torch.stack([c.linear.weights[0].detach() for c in second]))  # type: ignore
        self.second_bias = nn.Parameter(torch.stack([c.bias.detach() for c in second]))  # type: ignore
        self.structural: nn.Parameter | None = None
        if first[0].structural is not None:
            self.structural = nn.Parameter(torch.cat([c.structural.detach() for c in first], dim=1))  # type: ignore

    def forward(self, x: Features, edges: Propagation) -> Tensor:
        """Return the logits of all models, ``(S, N, C)``."""
        state = multiply(drop_features(x, self.input_dropout, self.training), self.first_weight)
        if self.structural is not None:
            state = state + self.structural
        h = torch.relu(edges @ state + self.first_bias)
        h = dropout(h, self.dropout, self.training).view(h.shape[0], self.n_models, -1)
        before = torch.einsum("nsh,shc->nsc", h, self.second_weight)
        after = edges @ before.reshape(h.shape[0], -1)
        return after.view_as(before).permute(1, 0, 2) + self.second_bias.unsqueeze(1)

    def structural_penalties(self) -> Tensor:
        """Return each model's mean square of structural embeddings, ``(S,)``."""
        if self.structural is None:
            return torch.zeros(self.n_models)
        return self.structural.view(self.structural.shape[0], self.n_models, -1).square().mean((0, 2))


def fit_batched(
    model: BatchedGCN,
    x: Features,
    edges: Propagation,
    y: Tensor,
    train_mask: Tensor,
    *,
    epochs: int,
    learning_rate: float = 0.01,
    weight_decay: float = 5e-4,
    se_penalties: Sequence[float] | None = None,
) -> list[float]:
    """Train all models together for a fixed number of epochs; returns the summed losses.

    Parameters
    ----------
    model
        Trained in place.
    x, edges, y, train_mask
        The graph and its training nodes, the same for all models.
    epochs, learning_rate, weight_decay
        As in the recipe; structural embeddings have no decay.
    se_penalties
        η of each model, ``(S,)``.
    """
    plain = [parameter for name, parameter in model.named_parameters() if name != "structural"]
    groups = [{"params": plain, "weight_decay": weight_decay}]
    if model.structural is not None:
        groups.append({"params": [model.structural], "weight_decay": 0.0})
    optimiser = adam(groups, learning_rate)
    weights = torch.as_tensor(se_penalties or [0.0] * model.n_models, device=y.device)
    target = y[train_mask].repeat(model.n_models)
    losses = []
    for _ in range(epochs):
        model.train()
        optimiser.zero_grad(set_to_none=True)
        scores = model(x, edges)[:, train_mask]
        # The mean over a model's nodes, added over models: the gradient of each is as if it were alone.
        loss = model.n_models * functional.cross_entropy(scores.flatten(0, 1), target)
        loss = loss + (weights * model.structural_penalties()).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    model.eval()
    return losses
