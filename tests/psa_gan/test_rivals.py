"""EBGAN and TimeGAN: losses by hand, which weights a step moves, what training reaches, equal seeds."""

import pytest
import torch

from reprise.psa_gan import timegan
from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.ebgan import AutoEncoder, _Game, train_ebgan
from reprise.psa_gan.generator import Generator
from reprise.psa_gan.generators import make_panel
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.sampling import WindowGenerator
from reprise.psa_gan.scaling import MinMaxScaler
from reprise.psa_gan.timegan import (
    TimeGAN,
    TimeGANRecipe,
    _Trainer,
    batch_moment_loss,
    next_step_loss,
    train_timegan,
)
from reprise.psa_gan.training import Recipe
from reprise.psa_gan.windows import WindowSampler

WINDOW = 16
SHORT = TimeGANRecipe(units=6, layers=2, embedding_steps=3, supervisor_steps=3, joint_steps=2, batch_size=8)


@pytest.fixture(scope="module")
def panel():
    drawn = make_panel(6, days=14)
    return MinMaxScaler.fit(drawn).transform(drawn)


@pytest.fixture
def architecture(panel):
    return Architecture(WINDOW, panel.n_features, panel.n_series, channels=8, embed_dim=3)


def batch(panel, n=40):
    series, start = WindowSampler(panel, WINDOW).draw(n, torch.Generator().manual_seed(0))
    told = {"category": panel.static_cat[series], "features": panel.window_features(series, start, WINDOW)}
    return panel.windows(series, start, WINDOW), told


def moved(network, before):
    return any(not torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True))


def copies(network):
    return [weight.detach().clone() for weight in network.parameters()]


def test_the_energy_is_the_mean_squared_error_of_a_code_of_an_eighth(panel, architecture):
    torch.manual_seed(0)
    model = AutoEncoder(architecture)
    windows, told = batch(panel)
    decoded = model.reconstruct(windows, **told)
    assert decoded.shape == windows.shape
    torch.testing.assert_close(model(windows, **told), ((windows - decoded) ** 2).sum(1) / WINDOW)
    assert [layer(torch.zeros(1, layer.in_channels, 16)).shape[-1] for layer in model.down] == [8, 8, 8]
    torch.testing.assert_close(model(torch.cat([windows, windows]), **told), model(windows, **told).repeat(2))


def test_steps_of_the_game_move_their_own_network_and_lower_their_loss(panel, architecture):
    torch.manual_seed(0)
    game = _Game(panel, Generator(architecture), AutoEncoder(architecture), Recipe(batch_size=16))
    for step, own, other in (
        (game.energy_step, game.energy, game.generator),
        (game.generator_step, game.generator, game.energy),
    ):
        before_own, before_other = copies(own), copies(other)
        step()
        assert moved(own, before_own)
        assert not moved(other, before_other)
    windows, told = batch(panel)
    before = float(game.energy(windows, **told).mean().detach())
    for _ in range(60):
        game.energy_step()
    assert float(game.energy(windows, **told).mean().detach()) < 0.7 * before
    assert game.margin == pytest.approx(float(batch(panel, 4000)[0].var(1).mean()), rel=0.05)


def test_each_side_of_ebgans_game_pulls_the_energy_of_synthetic_windows_its_way(panel, architecture):
    torch.manual_seed(0)
    game = _Game(panel, Generator(architecture), AutoEncoder(architecture), Recipe(batch_size=32, lr=2e-3))
    _, told, noise = game._batch()

    def energy():
        with torch.no_grad():
            return float(game.energy(game.generator(noise, **told), **told).mean())

    start = energy()
    for _ in range(25):
        game.generator_step()
    fooled = energy()
    assert fooled < 0.9 * start
    game.margin = 10 * start  # below it the auto-encoder is to push the energy up again
    for _ in range(25):
        game.energy_step()
    assert energy() > 2 * fooled


def test_timegans_game_pulls_the_discriminator_both_ways(panel, monkeypatch):
    torch.manual_seed(0)
    recipe = TimeGANRecipe(units=6, layers=1, batch_size=32, lr=2e-2)
    model = TimeGAN(WINDOW, recipe)
    trainer = _Trainer(model, panel, recipe)
    noise = model.noise(64, torch.Generator().manual_seed(0))
    windows = batch(panel, 64)[0][:, :, None]

    def taken_for_real():
        with torch.no_grad():
            direct = model.generator(noise)
            fakes = torch.cat([direct, model.supervisor(direct)])
            return float(model.discriminator(model.embedder(windows)).mean()), float(model.discriminator(fakes).mean())

    for _ in range(100):
        trainer.discriminate()
    real, fake = taken_for_real()
    assert real > fake + 0.3
    for name in ("SUPERVISOR_WEIGHT", "MOMENT_WEIGHT"):
        monkeypatch.setattr(timegan, name, 0.0)
    for _ in range(40):
        trainer.generate()
    assert taken_for_real()[1] > fake + 0.1


def test_a_discriminator_that_is_too_good_rests(panel, monkeypatch):
    torch.manual_seed(0)
    model = TimeGAN(WINDOW, SHORT)
    trainer = _Trainer(model, panel, SHORT)
    before = copies(model.discriminator)
    monkeypatch.setattr(timegan, "LEAST_DISCRIMINATOR_LOSS", 100.0)
    trainer.discriminate()
    assert not moved(model.discriminator, before)


def test_ebgan_gives_the_same_generator_for_the_same_seed(panel, architecture):
    state = torch.get_rng_state()
    first, second, other = (train_ebgan(panel, architecture, Recipe(batch_size=8, seed=seed), 3) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    seen = []
    train_ebgan(panel, architecture, Recipe(batch_size=8), 3, lambda step, generator: seen.append((step, generator)))
    assert [step for step, _ in seen] == [0, 1, 2, 3]
    assert not moved(seen[-1][1], first.parameters())
    assert not moved(first, second.parameters())
    assert moved(first, other.parameters())
    assert first.architecture.attention is False
    series, start = torch.tensor([0, 1, 2]), torch.tensor([5, 6, 7])
    assert WindowGenerator(first, panel)(series, start).shape == (3, WINDOW)
    with pytest.raises(PSAGANInputError, match="max_steps=0"):
        train_ebgan(panel, architecture, Recipe(), 0)


def test_the_supervisor_is_right_if_its_output_is_the_next_step():
    latent = torch.randn(3, 7, 2, generator=torch.Generator().manual_seed(0))
    assert next_step_loss(latent, latent.roll(-1, 1)) == 0
    plain = sum(float((latent[:, t + 1] - latent[:, t]).square().mean()) for t in range(6)) / 6
    assert float(next_step_loss(latent, latent)) == pytest.approx(plain)


def test_the_moment_loss_compares_means_and_deviations_at_each_step():
    real = torch.randn(500, 4, 1, generator=torch.Generator().manual_seed(0))
    assert batch_moment_loss(real, real) == 0
    assert float(batch_moment_loss(real + 0.5, real)) == pytest.approx(0.5, rel=1e-4)
    centred = real - real.mean(0)
    assert float(batch_moment_loss(3 * centred, centred)) == pytest.approx(
        2 * float(centred.std(0, correction=0).mean()), rel=1e-4
    )


def test_each_phase_moves_its_own_networks(panel):
    torch.manual_seed(0)
    model = TimeGAN(WINDOW, SHORT)
    trainer = _Trainer(model, panel, SHORT)
    names = ("embedder", "recovery", "generator", "supervisor", "discriminator")
    for step, expected in (
        (lambda: trainer.embed(supervised=False), {"embedder", "recovery"}),
        (lambda: trainer.embed(supervised=True), {"embedder", "recovery"}),
        (trainer.supervise, {"supervisor"}),
        (trainer.generate, {"generator", "supervisor"}),
        (trainer.discriminate, {"discriminator"}),
    ):
        before = {name: copies(getattr(model, name)) for name in names}
        step()
        assert {name for name in names if moved(getattr(model, name), before[name])} == expected


def test_the_embedding_learns_to_reconstruct(panel):
    torch.manual_seed(0)
    recipe = TimeGANRecipe(units=12, layers=1, batch_size=32, lr=1e-2)
    model = TimeGAN(WINDOW, recipe)
    trainer = _Trainer(model, panel, recipe)
    windows, _ = batch(panel)

    def error():
        with torch.no_grad():
            return float((model.recovery(model.embedder(windows[:, :, None]))[:, :, 0] - windows).square().mean())

    before = error()
    for _ in range(80):
        trainer.embed(supervised=False)
    assert error() < 0.3 * before


def test_timegan_makes_windows_between_0_and_1_and_the_same_for_the_same_seed(panel):
    first, second = (train_timegan(panel, WINDOW, SHORT) for _ in range(2))
    series = torch.zeros(5, dtype=torch.long)
    found = first.sample(series, series, seed=1)
    assert found.shape == (5, WINDOW)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert torch.equal(found, second.sample(series, series, seed=1))
    assert torch.equal(found, first.sample(series + 3, series + 7, seed=1))
    assert not torch.equal(found, first.sample(series, series, seed=2))
