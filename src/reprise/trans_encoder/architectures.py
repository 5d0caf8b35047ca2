"""What differs between families of encoders: where layers and embeddings lie, positions, segments, dropout."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

from reprise.trans_encoder.input_checks import TransEncoderInputError

# Names of the dropout before a classifier's output, by family; the first one that a configuration sets counts.
HEAD_DROPOUTS = ("classifier_dropout", "classifier_dropout_prob", "seq_classif_dropout", "hidden_dropout_prob")

# The first DeBERTa fills masks with the least number of float32, which overflows in mixed precision (transformers 5).
SINGLE_PRECISION_ALONE = frozenset({"deberta"})


def layers_of(trunk: Any) -> nn.ModuleList:
    """Return the layers of a transformer, lowest first.

    Raises
    ------
    TransEncoderInputError
        If it has no list of them, as ALBERT, whose layers share their weights.
    """
    n_layers = trunk.config.num_hidden_layers
    found = (part for part in trunk.modules() if isinstance(part, nn.ModuleList) and len(part) == n_layers)
    layers = next(found, None)
    if layers is None:
        raise TransEncoderInputError(
            f"frozen_layers: the {n_layers} layers of {type(trunk).__name__} share their weights, so that none can be "
            "frozen alone; give frozen_layers=0."
        )
    return layers


def beneath_the_layers(trunk: Any) -> list[nn.Module]:
    """Return the parts that come before the first layer: embeddings of any kind, and what brings them to its width."""
    return [part for name, part in trunk.named_children() if name.startswith("embedding")]


def usable_positions(trunk: Any) -> int | None:
    """Return the word pieces that a transformer can read at once; None if it sets no limit.

    Families that count positions from behind the padding's identifier (RoBERTa, XLM-R, MPNet) lose the first ones.
    """
    positions = getattr(trunk.config, "max_position_embeddings", None)
    table = getattr(getattr(trunk, "embeddings", None), "position_embeddings", None)
    skipped = getattr(table, "padding_idx", None)
    return positions if positions is None or skipped is None else int(positions) - int(skipped) - 1


def tells_segments_apart(transformer: Any) -> bool:
    """Tell whether a transformer takes the segment of each word piece, as BERT does and DistilBERT, RoBERTa do not."""
    takes = "token_type_ids" in inspect.signature(transformer.forward).parameters
    return takes and getattr(transformer.config, "type_vocab_size", 2) > 1


def head_dropout(config: Any) -> float:
    """Return the dropout before a classifier's output, as the family's own head has it."""
    rates = (getattr(config, name, None) for name in HEAD_DROPOUTS)
    return float(next((rate for rate in rates if rate is not None), 0.1))
