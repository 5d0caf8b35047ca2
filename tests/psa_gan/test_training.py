import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reprise.compute import torch_generator
from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.generators import make_panel
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.losses import discriminator_loss, generator_loss, moment_loss
from reprise.psa_gan.sampling import WindowGenerator
from reprise.psa_gan.scaling import MinMaxScaler
from reprise.psa_gan.schedule import Schedule
from reprise.psa_gan.training import Recipe, Trainer

RAW = make_panel(6, days=14)
PANEL = MinMaxScaler.fit(RAW).transform(RAW)
SMALL = Architecture(32, PANEL.n_features, PANEL.n_series, channels=4, embed_dim=3)
SCHEDULE = Schedule(3, 10)
RECIPE = Recipe(batch_size=8, lr=2e-3)


def trainer(architecture=SMALL, schedule=SCHEDULE, recipe=RECIPE):
    return Trainer(PANEL, architecture, schedule, recipe)


def test_losses_have_their_values_by_hand():
    real, fake = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])
    assert discriminator_loss(real, fake).item() == pytest.approx(0.5 * 0.5 + 0.5 * 2)
    assert generator_loss(fake).item() == pytest.approx(0.5 * 1)


def test_the_moment_loss_pairs_windows():
    generator = np.random.default_rng(0)
    fake, real = generator.random((5, 16)), generator.random((5, 16))
    expected = np.mean(
        [abs(a.mean() - b.mean()) + abs(a.std(ddof=1) - b.std(ddof=1)) for a, b in zip(fake, real, strict=True)]
    )
    assert moment_loss(torch.tensor(fake), torch.tensor(real)).item() == pytest.approx(expected)
    # The same set of windows in another order is another pairing.
    assert moment_loss(torch.tensor(real), torch.tensor(real)).item() == 0
    assert moment_loss(torch.tensor(real).flip(0), torch.tensor(real)).item() > 0


@given(st.integers(1, 6), st.integers(20, 3000), st.floats(0, 1))
def test_schedules_grow_through_all_stages_and_fade_from_zero_to_one(n_stages, max_steps, fade):
    schedule = Schedule(n_stages, max_steps, fade=fade)
    assert sum(schedule.stage_steps) == max_steps
    assert schedule.stage_steps[-1] >= 0.4 * max_steps
    depths, alphas = zip(*(schedule.at(step) for step in range(max_steps)), strict=True)
    assert list(depths) == sorted(depths)
    assert set(depths) == set(range(n_stages))
    assert all(0 <= alpha <= 1 for alpha in alphas)
    for growth in schedule.growth_steps:
        length = schedule.stage_steps[depths[growth]]
        fade_steps = round(fade * length)
        assert alphas[growth] == (0.0 if fade_steps else 1.0)
        assert list(alphas[growth : growth + length]) == sorted(alphas[growth : growth + length])
    assert schedule.at(max_steps)[0] == n_stages - 1


def test_the_papers_schedule_grows_every_500_of_3500_epochs():
    epochs = 3500
    steps_per_epoch = 100 / 3
    schedule = Schedule(6, round(epochs * steps_per_epoch), early_share=1 / 7, fade=1.0, fade_kind="official")
    assert [round(step / steps_per_epoch) for step in schedule.growth_steps] == [500, 1000, 1500, 2000, 2500]
    first = schedule.growth_steps[0]
    assert schedule.at(first) == (1, pytest.approx(1 / 500, rel=1e-3))
    assert schedule.at(first + 20)[1] == schedule.at(first)[1]
    assert schedule.at(first + 34)[1] == pytest.approx(2 / 500, rel=1e-3)
    # The last stage, of 1000 epochs, is faded in over 500 as the others, and trained whole for the rest.
    last = schedule.growth_steps[-1]
    assert schedule.at(last + round(250.5 * steps_per_epoch)) == (5, pytest.approx(251 / 500, rel=5e-3))
    assert schedule.at(last + round(501 * steps_per_epoch)) == (5, 1.0)


def test_a_last_stage_that_is_the_shortest_shortens_no_other_fade_in():
    schedule = Schedule(4, 1000, fade=1.0, early_share=0.3)
    assert schedule.stage_steps == (300, 300, 300, 100)
    assert [schedule.at(step)[1] for step in (300, 450, 599, 750)] == pytest.approx([0, 0.5, 299 / 300, 0.5])
    assert schedule.at(950) == (3, 0.5)


def test_without_growing_depth_is_full_at_once():
    schedule = Schedule(4, 7, progressive=False)
    assert {schedule.at(step) for step in range(7)} == {(3, 1.0)}
    assert schedule.growth_steps == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"max_steps": 2}, "ends before the last of 4 stages"),
        ({"max_steps": 0}, "max_steps=0"),
        ({"fade": 1.5}, "fade=1.5"),
        ({"early_share": 0.4}, "less than 1/3"),
    ],
)
def test_schedules_that_never_end_are_refused_at_construction(changes, words):
    with pytest.raises(PSAGANInputError, match=words):
        Schedule(**{"n_stages": 4, "max_steps": 100, **changes})


@pytest.mark.parametrize("stop", [1, 4, 7])
def test_a_killed_and_resumed_training_equals_an_uninterrupted_one(stop):
    whole = trainer(replace(SMALL, context=5))
    whole.run()
    killed = trainer(replace(SMALL, context=5))
    killed.run(until=stop)
    stored = io.BytesIO()
    torch.save(killed.state_dict(), stored)
    stored.seek(0)
    resumed = trainer(replace(SMALL, context=5), recipe=replace(RECIPE, seed=0))
    resumed.run(until=2)  # whatever it did before is overwritten
    resumed.load_state_dict(torch.load(stored, weights_only=True))
    resumed.run()
    for name in ("generator", "discriminator"):
        first, second = (getattr(one, name).state_dict() for one in (whole, resumed))
        assert all(torch.equal(first[key], second[key]) for key in first)
    assert whole.history == resumed.history


def test_a_batch_holds_averaged_windows_their_calendar_and_what_came_before():
    one = trainer(replace(SMALL, context=8))
    state = one.batches.get_state()
    real, told, noise = one._batch(depth=1)
    one.batches.set_state(state)
    series, start = one.sampler.draw(8, one.batches)
    assert real.shape == (8, 16)
    assert noise.shape == (8, 32)
    for place, (row, first) in enumerate(zip(series.tolist(), start.tolist(), strict=True)):
        whole = PANEL.values[row]
        torch.testing.assert_close(real[place], whole[first : first + 32].view(16, 2).mean(1))
        assert torch.equal(told["context"][place], whole[first - 8 : first])
        assert int(told["category"][place]) == row
        torch.testing.assert_close(told["features"][place], PANEL.features[:, first : first + 32])


def test_a_generator_is_told_the_values_right_before_the_window():
    one = trainer(replace(SMALL, context=8))
    source = WindowGenerator(one.generator.eval(), PANEL)
    series, start = torch.tensor([0, 3]), torch.tensor([20, 50])
    past = torch.stack([PANEL.values[0, 12:20], PANEL.values[3, 42:50]])
    assert torch.equal(source(series, start), source(series, start, context=past))


def test_growing_resets_neither_adam_nor_the_spectral_norm():
    one = trainer()
    before = SCHEDULE.growth_steps[0]
    one.run(until=before)
    old = one.generator.blocks[0].convolution.parametrizations.weight.original
    new = one.generator.blocks[1].convolution.parametrizations.weight.original
    vectors = one.generator.blocks[0].convolution.parametrizations.weight[0]._u.clone()
    identities = [id(parameter) for parameter in one.generator.parameters()]
    assert one.generator_optimiser.state[old]["step"].item() == before
    assert new not in one.generator_optimiser.state
    one.run(until=before + 1)
    assert one.generator_optimiser.state[old]["step"].item() == before + 1
    assert one.generator_optimiser.state[new]["step"].item() == 1
    assert [id(parameter) for parameter in one.generator.parameters()] == identities
    turned = one.generator.blocks[0].convolution.parametrizations.weight[0]._u
    assert torch.dot(vectors, turned).item() > 0.99  # one step on, not drawn anew


def test_the_same_seed_gives_the_same_training_and_another_another():
    runs = [trainer(recipe=replace(RECIPE, seed=seed)) for seed in (0, 0, 1)]
    for one in runs:
        one.run(until=4)
    assert runs[0].history == runs[1].history != runs[2].history


def test_methods_of_a_seed_see_the_same_batches():
    first, second = trainer(), trainer(replace(SMALL, attention=False, channels=6))
    first.run(until=3)
    second.run(until=3)
    assert torch.equal(first.batches.get_state(), second.batches.get_state())


@pytest.mark.parametrize(("warmup", "expected"), [(0, 4), (1, 9), (2, 14)])
def test_the_discriminator_gets_its_updates(warmup, expected):
    one = trainer(recipe=replace(RECIPE, warmup_steps=warmup, warmup_critic=7))
    one.run(until=2)
    parameter = one.discriminator.input.parametrizations.weight.original
    assert one.discriminator_optimiser.state[parameter]["step"].item() == expected
    assert all(parameter.requires_grad for parameter in one.discriminator.parameters())


def test_neither_network_is_moved_by_the_others_step():
    one = trainer()
    one.run(until=1)
    before = {name: p.clone() for name, p in one.generator.named_parameters()}
    one._discriminator_step(0, 1.0)
    assert all(torch.equal(before[name], p) for name, p in one.generator.named_parameters())
    before = {name: p.clone() for name, p in one.discriminator.named_parameters()}
    one._generator_step(0, 1.0)
    assert all(torch.equal(before[name], p) for name, p in one.discriminator.named_parameters())


def test_the_history_has_a_column_for_every_number():
    for architecture in (SMALL, replace(SMALL, attention=False)):
        one = trainer(architecture)
        one.run(until=2)
        assert len(one.history[0]) == len(one.history_columns)
        assert one.history_columns[:3] == ("step", "depth", "alpha")


def test_training_brings_level_and_spread_near_the_real_windows():
    one = trainer(replace(SMALL, channels=16), Schedule(3, 120), replace(RECIPE, batch_size=32, lr=3e-3))
    one.run()
    moments = [row[5] for row in one.history]
    assert np.mean(moments[-20:]) < 0.5 * np.mean(moments[:5])


def test_windows_come_at_full_length_from_every_depth_and_in_chunks(monkeypatch):
    generator = trainer().generator
    series, start = torch.tensor([0, 5, 2]), torch.tensor([0, 100, 50])
    for depth, repeats in ((0, 4), (1, 2), (2, 1)):
        windows = WindowGenerator(generator, PANEL, depth=depth)(series, start, seed=3)
        assert windows.shape == (3, 32)
        assert torch.equal(windows, windows[:, ::repeats].repeat_interleave(repeats, dim=1))
    sample = WindowGenerator(generator, PANEL)
    whole = sample(series, start, seed=3)
    assert torch.equal(whole, sample(series, start, seed=3))
    assert not torch.equal(whole, sample(series, start, seed=4))
    monkeypatch.setattr("reprise.psa_gan.sampling.CHUNK", 2)
    torch.testing.assert_close(sample(series, start, seed=3), whole)
    assert generator.training


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lr": 0.0}, "lr=0.0 must be a number above 0"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"batch_size": 1}, "batch_size=1"),
        ({"n_critic": 0}, "n_critic=0"),
        ({"moment_weight": -1.0}, "moment_weight"),
    ],
)
def test_recipes_out_of_range_are_refused(changes, words):
    with pytest.raises(PSAGANInputError, match=words):
        replace(RECIPE, **changes)


def test_a_generator_of_random_numbers_is_not_shared():
    first = torch_generator(0, "psa-gan", "batches")
    one = trainer()
    one.run(until=1)
    assert not torch.equal(first.get_state(), one.batches.get_state())
