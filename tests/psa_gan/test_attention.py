"""What is told of attention, against the weights themselves and closed forms."""

import math

import numpy as np
import pytest
import torch

from reprise.psa_gan.attention import (
    LOOKED_AT,
    MAPPED,
    added_share,
    attention_rows,
    entropy_share,
    inputs_of_attention,
    queries_and_keys,
    weight_by_lag,
    weights_of,
)
from reprise.psa_gan.blocks import SelfAttention
from reprise.psa_gan.cell import Cell
from reprise.psa_gan.models import main_model, variant_model
from reprise.psa_gan.settings import Settings
from reprise.rows import select, tidy

TINY = Settings(
    windows=(16,),
    ablation_window=16,
    steps=10,
    ablation_steps=10,
    channels=4,
    batch_size=8,
    encoder_steps=3,
    curve_points=2,
)


@pytest.fixture(scope="module")
def layer_and_values():
    torch.manual_seed(0)
    layer = SelfAttention(4)
    torch.nn.init.constant_(layer.gamma, 0.5)
    return layer, torch.randn(3, 4, 16)


@pytest.fixture(scope="module")
def found():
    cell = Cell(TINY, "daily-panel", 0)
    trained = main_model(cell, "PSA-GAN", 16)
    return cell, trained, tidy(attention_rows(cell, trained))


def test_queries_and_keys_make_the_layers_own_weights(layer_and_values):
    layer, values = layer_and_values
    torch.testing.assert_close(weights_of(*queries_and_keys(layer, values)), layer.weights(values))


def test_what_is_added_is_the_gated_attention(layer_and_values):
    layer, values = layer_and_values
    plain = layer.gamma * layer.output(layer.weights(values).matmul(_value(layer, values)).transpose(1, 2))
    expected = ((plain**2).mean().sqrt() / (values**2).mean().sqrt()).item()
    assert added_share(layer, values) == pytest.approx(expected, rel=1e-5)


def _value(layer, values):
    return torch.cat([one(values) for one in layer.projections], dim=1)[:, 2:].transpose(1, 2)


def test_entropy_is_that_of_each_line():
    weights = torch.tensor([[[0.5, 0.5, 0, 0], [1, 0, 0, 0]]])
    weights = torch.cat([weights, weights], dim=1)
    assert entropy_share(weights) == pytest.approx(0.5 * math.log(2) / math.log(4))


def test_weights_by_lag_average_both_directions():
    weights = torch.softmax(torch.randn(2, 8, 8, generator=torch.Generator().manual_seed(1)), dim=-1)
    pairs = [(i, j) for i in range(8) for j in range(8)]
    plain = [8 * np.mean([float(weights[:, i, j].mean()) for i, j in pairs if abs(i - j) == lag]) for lag in range(8)]
    np.testing.assert_allclose(weight_by_lag(weights), plain, rtol=1e-5)
    torch.testing.assert_close(weight_by_lag(torch.full((1, 8, 8), 1 / 8)), torch.ones(8, dtype=torch.float64))


def test_the_hooks_see_every_stage_and_are_taken_off(found):
    cell, trained, _ = found
    blocks = trained.generator.blocks
    with inputs_of_attention(blocks) as seen:
        trained.source(*(one[:5] for one in cell.conditions(16)), seed=0)
    assert [tuple(values.shape) for _, values in seen] == [(5, 4, 8), (5, 4, 16)]
    assert not any(block.attention._forward_hooks for block in blocks)


def test_rows_tell_of_each_stage_and_the_last_ones_map(found):
    _, trained, rows = found
    assert set(rows["part"]) == {"attention"}
    sizes = rows.groupby("metric").size().to_dict()
    assert sizes == {
        "entropy share": 2,
        "added share": 2,
        "weight by lag": 16,
        "query": MAPPED * 16,
        "key": MAPPED * 16,
    }
    assert select(rows, metric="entropy share")["value"].between(0, 1).all()
    assert LOOKED_AT >= MAPPED
    gamma = abs(float(trained.generator.blocks[1].attention.gamma))
    added = float(select(rows, metric="added share", at=1)["value"].item())
    assert (added > 0) == (gamma > 0)


def test_a_generator_without_attention_has_no_rows():
    cell = Cell(TINY, "daily-panel", 0)
    assert not list(attention_rows(cell, variant_model(cell, "no attention")))
