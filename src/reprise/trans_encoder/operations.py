"""How much arithmetic a training step of each form is."""

from __future__ import annotations

import numpy as np
import torch

from reprise.flops import floating_point_operations
from reprise.trans_encoder.distillation import Backbone
from reprise.trans_encoder.encoders import Encoder
from reprise.trans_encoder.generators import templated_pairs
from reprise.trans_encoder.settings import Settings


def operations_of_the_models(settings: Settings) -> dict[str, float]:
    """Return counted operations, forward and backward, of one step of each form on drawn pairs."""
    backbone = Backbone(settings.start, settings.plm, settings.num_layers, settings.pooling)
    pairs = templated_pairs(max(settings.cross_batch, settings.bi_batch), 0, "operations")[0]
    work = {}
    cross, bi = backbone.cross(0), backbone.bi()
    tables = (
        (cross, settings.cross_batch, cross.tokenise(pairs[: settings.cross_batch])),
        (bi, settings.bi_batch, bi.tokenise([s for pair in pairs[: settings.bi_batch] for s in pair])),
    )
    for model, batch, tokens in tables:
        model.freeze(embeddings=settings.freeze_embeddings, n_layers=settings.frozen_layers)
        counted = _one_step(model, tokens.batch(np.arange(len(tokens))))
        # Not what may be trained but what the step gave a gradient: a pooler that the mean does not need has none.
        millions = sum(weight.numel() for weight in model.parameters() if weight.grad is not None) / 1e6
        what = f"one step of a {type(model).__name__} on {batch} drawn pairs, {millions:.1f} million trained parameters"
        work[what] = counted
    return work


def sizes_of_the_model(settings: Settings) -> tuple[int, int]:
    """Return layers and width of the bi-encoder."""
    configuration = Backbone(settings.start, settings.plm, settings.num_layers, settings.pooling).bi().trunk.config
    return int(configuration.num_hidden_layers), int(configuration.hidden_size)


def _one_step(model: Encoder, batch: dict[str, torch.Tensor]) -> float:
    return float(floating_point_operations(lambda: model(batch).sum().backward()))
