"""Encoder, loss, sampling, the order of known degradations, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from reprise.errors import UnknownNameError
from reprise.psa_gan.encoder import (
    CausalEncoder,
    EncoderRecipe,
    TripletSampler,
    cut,
    new_encoder,
    train_encoder,
    triplet_loss,
)
from reprise.psa_gan.fid import (
    ContextFID,
    FIDResult,
    NotFittedError,
    compare_embeddings,
    context_fid,
    over_encoders,
    raw_window_fid,
)
from reprise.psa_gan.input_checks import PSAGANInputError

TINY = dict(
    dim=8, depth=2, channels=8, reduced=12, batch_size=8, n_negatives=3, max_length=40, learning_rate=1e-2, n_steps=100
)


def panel(n_series=24, n_times=240, seed=0):
    """Series that differ in level, amplitude, phase and shape."""
    generator = np.random.default_rng(seed)
    hours = np.arange(n_times)
    level, amplitude, phase = (generator.uniform(*ends, (n_series, 1)) for ends in ((0, 0.5), (0.1, 0.5), (-6, 6)))
    hump = np.maximum(0, np.sin(2 * np.pi * (hours + phase - 6) / 24)) ** generator.uniform(0.5, 3, (n_series, 1))
    values = level + amplitude * hump + 0.02 * generator.standard_normal(hump.shape)
    return torch.tensor(values, dtype=torch.float32)


def windows(values, n, length=32, seed=1):
    generator = np.random.default_rng(seed)
    series = torch.tensor(generator.integers(0, len(values), n))
    start = torch.tensor(generator.integers(0, values.shape[1] - length, n))
    return cut(values, series, start, length)


@pytest.fixture(scope="module")
def scorer():
    return ContextFID(**TINY).fit(panel())


def test_the_papers_encoder_has_209080_weights():
    assert sum(weight.numel() for weight in CausalEncoder(EncoderRecipe()).parameters()) == 209_080


def test_a_block_sees_the_past_only_and_as_far_as_its_dilations():
    block = new_encoder(EncoderRecipe(**TINY), 0).blocks
    x = torch.randn(1, 1, 40, generator=torch.Generator().manual_seed(0)).requires_grad_()
    block(x)[0, :, 30].sum().backward()
    touched = x.grad[0, 0].nonzero().flatten()
    assert touched.max() == 30
    assert touched.min() == 30 - 2 * 2 * (1 + 2 + 4)


def test_windows_of_any_length_are_embedded_and_chunks_change_nothing(monkeypatch):
    encoder = new_encoder(EncoderRecipe(**TINY), 0)
    assert encoder(torch.rand(3, 1)).shape == (3, 8)
    x = torch.rand(10, 20, generator=torch.Generator().manual_seed(0))
    whole = encoder.embed(x)
    monkeypatch.setattr("reprise.psa_gan.encoder.WINDOWS_AT_ONCE", 3)
    torch.testing.assert_close(encoder.embed(x), whole)


def test_the_loss_is_the_plain_sum_over_negatives():
    generator = torch.Generator().manual_seed(0)
    ref, pos, neg = (torch.randn(shape, generator=generator) for shape in ((4, 5), (4, 5), (4, 3, 5)))

    def s(a, b):
        return functional.logsigmoid(torch.dot(a, b))

    plain = torch.stack(
        [
            -s(ref[i], pos[i])
            - sum(s(-ref[i], neg[i, k]) for k in range(3)) / 3
            - sum(s(-pos[i], neg[i, k]) for k in range(3)) / 3
            for i in range(4)
        ]
    ).mean()
    torch.testing.assert_close(triplet_loss(ref, pos, neg), plain)


def test_triplets_are_windows_inside_windows_and_of_other_series():
    # The integer part tells the series, the fraction the time.
    times = torch.arange(100) / 1000
    values = torch.arange(6)[:, None] + times
    values[2, 50:] = torch.nan
    recipe = EncoderRecipe(batch_size=4, n_negatives=5, max_length=300)
    sampler = TripletSampler(values, recipe, torch.Generator().manual_seed(0))
    seen = set()
    for _ in range(200):
        drawn = sampler.draw()
        for part in (drawn.reference, drawn.positive, drawn.negatives):
            assert part.isfinite().all()
        assert 1 <= drawn.positive.shape[1] <= drawn.reference.shape[1] <= 50
        assert (drawn.positive[:, 0] >= drawn.reference[:, 0]).all()
        assert (drawn.positive[:, -1] <= drawn.reference[:, -1]).all()
        own = drawn.reference[:, 0].floor()
        others = drawn.negatives.view(4, 5, -1)[:, :, 0].floor()
        assert (others != own[:, None]).all()
        seen |= {(int(a), int(b)) for a, row in zip(own, others, strict=True) for b in row}
    assert len(seen) == 6 * 5


def test_training_lowers_the_loss_and_equal_seeds_give_equal_encoders():
    state = torch.get_rng_state()
    _, losses = train_encoder(panel(), EncoderRecipe(**TINY), 0)
    short = EncoderRecipe(**{**TINY, "n_steps": 3})
    second, third, other = (train_encoder(panel(), short, seed)[0] for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    # An encoder that maps all to 0 has the loss 3 log 2 = 2.08.
    assert np.mean(losses[-15:]) < 2.02
    x = torch.rand(4, 30, generator=torch.Generator().manual_seed(0))
    assert torch.equal(second.embed(x), third.embed(x))
    assert not torch.allclose(second.embed(x), other.embed(x))


def test_600_epochs_are_the_default():
    assert EncoderRecipe().steps(414) == 600 * 13


@pytest.mark.parametrize(
    "degrade",
    [
        lambda x, level: x + level * torch.randn(x.shape, generator=torch.Generator().manual_seed(0)),
        lambda x, level: x + level,
        lambda x, level: (1 - level) * x + level * x.mean(1, keepdim=True),
    ],
    ids=["noise", "level", "flattened"],
)
def test_stronger_degradations_score_worse(scorer, degrade):
    real, other = windows(panel(), 600), windows(panel(), 600, seed=2)
    scores = [scorer.score(real, degrade(other, level), n_draws=3).mean for level in (0.0, 0.15, 0.4, 0.9)]
    assert scores[0] < scores[1] < scores[2] < scores[3]


def test_shuffled_time_is_far_from_the_floor_and_real_windows_are_at_it(scorer):
    real, other = windows(panel(), 900), windows(panel(), 900, seed=2)
    at_floor = scorer.score(real, other, n_draws=3)
    assert at_floor.ratio == pytest.approx(1, abs=0.6)
    assert abs(at_floor.corrected) < at_floor.floor
    order = torch.randperm(32, generator=torch.Generator().manual_seed(0))
    assert scorer.score(real, other[:, order], n_draws=3).ratio > 1.4 * at_floor.ratio


def test_the_score_does_not_see_to_which_condition_a_window_belongs(scorer):
    # Moments of a set do not depend on its order: the score is of the sets, not of the answers to single conditions.
    real, other = windows(panel(), 300), windows(panel(), 300, seed=2)
    blocks = torch.cat([100 * k + torch.randperm(100, generator=torch.Generator().manual_seed(k)) for k in range(3)])
    found, shuffled = scorer.score(real, other, 3), scorer.score(real, other[blocks], 3)
    assert shuffled.values == pytest.approx(found.values, rel=1e-6)


def test_results_tell_score_floor_and_sizes(scorer):
    found = scorer.score(windows(panel(), 300), windows(panel(), 300, seed=2), n_draws=3)
    assert (found.n, found.dim, len(found.values), len(found.floors)) == (100, 8, 3, 3)
    assert found.mean == pytest.approx(np.mean(found.values))
    assert "3 draws of 100, 8 dimensions" in str(found)
    interval = over_encoders([found, FIDResult((2.0,), (1.0,), 0.5, 100, 8)])
    assert interval.estimate == pytest.approx((found.ratio + 2) / 2)


def test_windows_without_any_spread_are_infinitely_many_floors_away():
    assert raw_window_fid(torch.zeros(40, 8), torch.full((40, 8), 0.1), 2).ratio == float("inf")
    assert np.isnan(raw_window_fid(torch.zeros(40, 8), torch.zeros(40, 8), 2).ratio)


def test_raw_windows_are_compared_as_they_are():
    real, fake = windows(panel(), 400, length=8), windows(panel(), 400, length=8, seed=2)
    assert raw_window_fid(real, fake, 2) == compare_embeddings(real, fake, 2)


def test_one_call_trains_its_own_encoder_or_takes_one(scorer, monkeypatch):
    monkeypatch.setattr("reprise.psa_gan.fid.SMALL_RECIPE", EncoderRecipe(**TINY))
    real, fake = windows(panel(), 300), windows(panel(), 300, seed=2)
    assert context_fid(real, fake, n_draws=2).n == 150
    assert context_fid(real, fake, n_draws=2, scorer=scorer) == scorer.score(real, fake, 2)


def test_frames_and_arrays_are_read_like_tensors(scorer):
    real, fake = windows(panel(), 300), windows(panel(), 300, seed=2)
    assert scorer.score(pd.DataFrame(real.numpy()), fake.double().numpy(), 3) == scorer.score(real, fake, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, b: (a, b[:, :20]), "real windows have 32 steps and fake ones 20"),
        (lambda a, b: (a, b[:100]), "300 real and 100 fake windows"),
        (lambda a, b: (a[0], b), r"real has shape \(32,\)"),
        (lambda a, b: (a[..., None], b), "reshape M channels into M series"),
        (lambda a, b: (a, torch.where(b > 0.5, torch.nan, b)), "fake has missing or infinite values in"),
        (lambda a, b: ([["a", "b"]], b), "real cannot be read as an array of numbers"),
    ],
)
def test_windows_that_do_not_fit_are_refused(scorer, change, message):
    with pytest.raises(PSAGANInputError, match=message):
        scorer.score(*change(windows(panel(), 300), windows(panel(), 300, seed=2)), n_draws=3)


def test_draws_that_do_not_fit_are_refused(scorer):
    real = windows(panel(), 30)
    with pytest.raises(PSAGANInputError, match="n_draws=1 must be a whole number of at least 2: one leaves nothing"):
        scorer.score(real, real, n_draws=1)
    with pytest.raises(PSAGANInputError, match="30 windows cannot be cut into n_draws=20"):
        scorer.score(real, real, n_draws=20)
    with pytest.warns(UserWarning, match="10 windows a draw for 8 dimensions"):
        scorer.score(real, real, n_draws=3)
    with pytest.warns(UserWarning, match="on the scale of the panel"):
        scorer.score(windows(panel(), 300), 1000 * windows(panel(), 300), n_draws=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v[:1], "panel has 1 series"),
        (lambda v: torch.cat([v, torch.full((1, 240), torch.nan)]), "fewer than two values in series 24"),
        (
            lambda v: v.index_put((torch.tensor(3), torch.tensor(5)), torch.tensor(torch.nan)),
            "before the end of series 3",
        ),
        (
            lambda v: v.index_put((torch.tensor(3), torch.tensor(5)), torch.tensor(torch.inf)),
            "infinite values in series 3",
        ),
    ],
)
def test_panels_that_do_not_fit_are_refused(change, message):
    with pytest.raises(PSAGANInputError, match=message):
        ContextFID(**TINY).fit(change(panel()))


def test_unscaled_and_short_panels_are_warned_of():
    with pytest.warns(UserWarning, match="expects series scaled"):
        ContextFID(**{**TINY, "n_steps": 1}).fit(5000 * panel())
    with pytest.warns(UserWarning, match="the shortest series has 20 values"):
        ContextFID(**{**TINY, "n_steps": 1}).fit(panel()[:, :20])


def test_options_and_order_of_calls_are_checked():
    with pytest.raises(UnknownNameError, match="did you mean 'channels'"):
        ContextFID(chanels=3)
    with pytest.raises(PSAGANInputError, match="depth=0 must be a number above 0"):
        ContextFID(depth=0)
    with pytest.raises(PSAGANInputError, match=r"dim=2\.5 must be a whole number"):
        ContextFID(dim=2.5)
    with pytest.raises(PSAGANInputError, match="max_length=2 leaves no windows"):
        ContextFID(max_length=2)
    for call in (lambda s: s.embed(torch.rand(3, 8)), lambda s: s.score(torch.rand(30, 8), torch.rand(30, 8))):
        with pytest.raises(NotFittedError, match="call fit"):
            call(ContextFID(**TINY))
