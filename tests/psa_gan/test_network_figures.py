"""Figures of the networks: what is drawn is what the live modules are, and what attention's rows say."""

import numpy as np
import pytest
import torch

from reprise import rows as tidy_rows
from reprise.psa_gan import architecture_figures, attention_figures, illustrations
from reprise.psa_gan.attention import weights_of
from reprise.psa_gan.names import PSA
from reprise.rows import MissingRowsError

LENGTH = 16


def row(metric, value, seed, part="attention", dataset="m4-hourly", **columns):
    common = {
        "dataset": dataset,
        "split": "test",
        "window": LENGTH,
        "step": None,
        "at": None,
        "place": None,
        "method": PSA,
    }
    return {**common, "part": part, "metric": metric, "value": value, "seed": seed, **columns}


def rows_of(seed, dataset="m4-hourly", slope=0.1):
    for stage in range(2):
        yield row("entropy share", 0.99, seed, at=stage, dataset=dataset)
        yield row("added share", 0.2, seed, at=stage, dataset=dataset)
        for step in (0, 10, 20):
            gamma = slope * step * (1 if stage else -1) / 20
            yield row("gamma", gamma, seed, part="training", at=stage, step=step, dataset=dataset)
    for lag in range(LENGTH):
        yield row("weight by lag", 1 + 0.01 * seed, seed, place=lag, dataset=dataset)
    for pair in range(2):
        for at in range(LENGTH):
            yield row("query", np.cos(at), seed, step=pair, place=at, dataset=dataset)
            yield row("key", np.sin(at + pair), seed, step=pair, place=at, dataset=dataset)


@pytest.fixture(scope="module")
def rows():
    return tidy_rows.tidy(one for seed in range(3) for one in rows_of(seed))


def test_the_shapes_drawn_are_those_of_the_specification():
    shapes = architecture_figures.block_shapes().set_index(["network", "stage"])
    assert shapes.loc["generator", "length"].tolist() == [8, 16, 32, 64]
    assert shapes.loc["discriminator", "length"].tolist() == [8, 16, 32, 64]
    # noise, ten numbers of the embedding, five of the calendar; later 32 channels instead of the noise
    assert shapes.loc["generator", "channels_in"].tolist() == [16, 47, 47, 47]
    assert set(shapes.loc["discriminator", "channels_in"]) == {32}
    # 23,197 − 17,433 weights of a doubling, less the 1056 of the path that a stage is faded in past
    assert shapes.loc[("generator", 3), "weights"] == 23197 - 17433 - 1056
    assert shapes.loc[("discriminator", 3), "weights"] == 17798 - 14530


def test_the_architecture_names_the_weights_of_a_doubling():
    drawing = architecture_figures.draw_architecture()
    assert "4708 weights to the generator" in drawing.alt
    assert "3268 to the discriminator" in drawing.alt
    texts = {text.get_text() for text in drawing.figure.axes[0].texts}
    assert {"generator", "discriminator", "score", "m ∘ f\n47 → 32\n× 64", "window\n1 × 8"} <= texts


def test_gates_are_drawn_by_length_and_their_size_is_told(rows):
    drawing = attention_figures.draw_gates(rows)
    assert set(drawing.data["length"]) == {8, 16}
    assert "|γ| = 0.100 in the mean and 0.100 at most" in drawing.alt
    assert drawing.data["n"].eq(3).all()


def test_maps_are_those_of_the_first_seeds_queries_and_keys(rows):
    drawing = attention_figures.draw_attention(rows)
    at = torch.arange(LENGTH, dtype=torch.float64)
    expected = weights_of(torch.cos(at), torch.sin(at + 1)).numpy()
    own = drawing.data[drawing.data["pair"] == 1].pivot_table(index="step", columns="looked at", values="mean")
    np.testing.assert_allclose(own.to_numpy(), expected, rtol=1e-6)
    assert "averages rather than chooses: in no seed less than 99.0 % even, it adds 20 [20, 20] %" in drawing.alt


def test_uneven_attention_chooses(rows):
    uneven = rows.copy()
    uneven.loc[uneven["metric"] == "entropy share", "value"] = 0.5
    assert (
        "At the last stage attention chooses: in no seed less than 50.0 % even"
        in attention_figures.draw_attention(uneven).alt
    )


def test_one_seed_is_drawn_without_a_band():
    one = tidy_rows.tidy(rows_of(0))
    assert attention_figures.draw_gates(one).data["n"].eq(1).all()
    assert "it adds 20 % to what passes" in attention_figures.draw_attention(one).alt


def test_runs_without_attention_have_no_such_figure(rows):
    other = rows[rows["part"] == "none"]
    for draw in (attention_figures.draw_gates, attention_figures.draw_attention):
        with pytest.raises(MissingRowsError):
            draw(other)


def test_the_encoder_is_set_beside_the_released_ones():
    words = illustrations.encoder_in_words("small", 500)
    assert "5 blocks, 24 channels and 40 dimensions, 500 steps" in words
    assert "10 blocks, 40 channels and 80 dimensions, 600 epochs." in words
    assert illustrations.encoder_in_words("paper", None).count("10 blocks, 40 channels and 80 dimensions, 600") == 2
    assert illustrations.encoder_in_words("quick", 100) == ""
