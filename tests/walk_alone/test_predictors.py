"""Networks, their games and the loss, against closed forms and plain loops."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal

from reprise.compute import torch_generator
from reprise.walk_alone.constant_velocity import (
    constant_velocity_errors,
    constant_velocity_paths,
    shared_velocity,
    standing_still_errors,
)
from reprise.walk_alone.games import Noise, TrajectronGame, errors_of, phantom_neighbour
from reprise.walk_alone.gaussians import Velocities, displacement_errors, log_densities
from reprise.walk_alone.interaction import attribute, with_strangers
from reprise.walk_alone.own_data import PredictorGame, explain
from reprise.walk_alone.pecnet import Groups, PECNet, PECNetGame, PECNetOptions, train_pecnet
from reprise.walk_alone.pecnet import loss as pecnet_loss
from reprise.walk_alone.states import BASKETBALL, States, court_mirrors, kinematics, neighbour_features, rotations
from reprise.walk_alone.training import (
    TrainingOptions,
    augmented,
    loss,
    mutual_information,
    schedules,
    train,
)
from reprise.walk_alone.trajectron import Shape, TrajectronCVAE, attention, frame_weights, gated
from reprise.walk_alone.windows import WindowsError, cut_windows
from reprise.walk_alone.worlds import world_windows

MODES = ("sum", "edge")


@pytest.fixture(scope="module")
def windows():
    return world_windows("follow", 6, seed=5)


def network(mode, n_kinds=1, **sizes):
    torch.manual_seed(0)
    return TrajectronCVAE(Shape(mode=mode, n_kinds=n_kinds, latents=3, decoder_width=8, **sizes)).eval()


def test_derivatives_are_backward_differences_and_see_no_future_frame():
    tracks = np.random.default_rng(0).normal(size=(2, 8, 2))
    states = kinematics(tracks, 0.4)
    np.testing.assert_allclose(states[:, 1:, 1], np.diff(tracks, axis=1) / 0.4, rtol=1e-5)
    np.testing.assert_allclose(states[:, -1, 2], (states[:, -1, 1] - states[:, -2, 1]) / 0.4, rtol=1e-4)
    later = tracks.copy()
    later[:, -1] += 1
    np.testing.assert_array_equal(kinematics(later, 0.4)[:, :-1], states[:, :-1])


def test_changing_the_future_changes_no_input(windows):
    moved = replace(windows, future=windows.future + 3)
    torch.testing.assert_close(States.of(windows).target, States.of(moved).target)
    torch.testing.assert_close(States.of(windows).neighbours, States.of(moved).neighbours)


def test_symmetries_keep_lengths():
    generator = torch_generator(0, "test")
    for draw in (rotations, court_mirrors):
        matrices = draw(50, generator)
        squared = matrices @ matrices.transpose(1, 2)
        torch.testing.assert_close(squared, torch.eye(2).expand(50, 2, 2), atol=1e-6, rtol=0)


def test_a_standing_target_leaks_no_velocity(windows):
    states = States.of(windows)
    still = neighbour_features(states, Shape().scale, torch.zeros_like(states.target[:, -1]))
    faster = replace(states, target=states.target + 1)
    torch.testing.assert_close(still, neighbour_features(faster, Shape().scale, torch.zeros_like(states.target[:, -1])))
    leaking = neighbour_features(states, Shape().scale, states.target[:, -1])
    assert not torch.allclose(still, leaking)


def test_attention_over_nobody_is_zero_and_has_finite_gradients():
    scores = torch.randn(3, 4, requires_grad=True)
    present = torch.tensor([[True, False, True, False], [False] * 4, [True] * 4])
    weights = attention(scores, present)
    torch.testing.assert_close(weights.sum(1), torch.tensor([1.0, 0.0, 1.0]))
    torch.testing.assert_close(weights[2], scores[2].softmax(0))
    weights.square().sum().backward()
    assert torch.isfinite(scores.grad).all()


def test_the_gated_step_is_torchs_gru_cell():
    cell = torch.nn.GRUCell(5, 7)
    given, state = torch.randn(4, 5), torch.randn(4, 7)
    ours = gated(given @ cell.weight_ih.T + cell.bias_ih, state @ cell.weight_hh.T + cell.bias_hh, state)
    torch.testing.assert_close(ours, cell(given, state))


def test_edge_weights_follow_the_number_of_frames_seen():
    seen = torch.zeros(1, 5, 8)
    for j, n in enumerate((0, 1, 2, 3, 8)):
        seen[0, j, :n] = 1
    assert frame_weights(seen).tolist() == [[0.0, 0.25, 0.75, 1.0, 1.0]]


def test_the_mixtures_density_is_that_of_gaussians_summed_over_time():
    generator = torch.Generator().manual_seed(1)
    mean, log_deviation = (torch.randn(2, 3, 12, 2, generator=generator).double() * 0.3 for _ in range(2))
    correlation = torch.randn(2, 3, 12, generator=generator).double().tanh() * 0.9
    weights = torch.randn(2, 3, generator=generator).double().log_softmax(-1)
    future = torch.randn(2, 12, 2, generator=generator).double()
    found = log_densities(Velocities(mean, log_deviation, correlation, mean), weights, future, 0.4)
    step, covariance, place = 4, torch.zeros(2, 2).double(), torch.zeros(2).double()
    components = []
    for z in range(3):
        covariance, place = torch.zeros(2, 2).double(), torch.zeros(2).double()
        for k in range(step + 1):
            sx, sy = log_deviation[0, z, k].exp()
            off = correlation[0, z, k] * sx * sy
            covariance = covariance + 0.16 * torch.tensor([[sx**2, off], [off, sy**2]])
            place = place + 0.4 * mean[0, z, k]
        components.append(weights[0, z] + MultivariateNormal(place, covariance).log_prob(future[0, step]))
    expected = torch.logsumexp(torch.stack(components), 0)
    assert found[0, step].item() == pytest.approx(expected.item(), abs=2e-3)


def test_displacement_errors_choose_their_best_independently():
    future = torch.zeros(1, 12, 2)
    paths = torch.zeros(1, 2, 12, 2)
    paths[0, 0, :, 0] = 1.0
    paths[0, 1, :, 0] = 3.0
    paths[0, 1, -1, 0] = 0.5
    ade, fde = displacement_errors(paths, future)
    assert ade.item() == 1.0
    assert fde.item() == 0.5


@pytest.mark.parametrize("mode", MODES)
def test_order_of_neighbours_and_what_stands_in_empty_slots_do_not_matter(windows, mode):
    model = network(mode)
    states = States.of(windows)
    context = model.context(states)
    order = torch.tensor([3, 0, 4, 1, 2])
    shuffled = replace(states, neighbours=states.neighbours[:, order], seen=states.seen[:, order])
    torch.testing.assert_close(model.context(shuffled), context, atol=1e-5, rtol=1e-4)
    emptied = replace(states, present=states.present & (torch.arange(5) < 3))
    noisy = replace(emptied, neighbours=emptied.neighbours.clone())
    noisy.neighbours[:, 3:] = 77.0
    torch.testing.assert_close(model.context(noisy), model.context(emptied))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("loss_name", ["nll", "min_ade", "min_fde"])
def test_cached_coalitions_equal_a_loop_over_inputs(windows, mode, loss_name):
    model, states = network(mode), States.of(windows)
    noise = Noise.draw(len(states), torch_generator(0, "noise"))
    game = TrajectronGame(model, states, loss=loss_name, noise=noise)
    masks = np.random.default_rng(0).random((len(states), 9, 6)) < 0.5
    found = game(masks)
    for c in range(9):
        for b in range(len(states)):
            one = states.take(torch.tensor([b]))
            one = replace(one, present=torch.from_numpy(masks[b : b + 1, c, 1:]))
            one = one if masks[b, c, 0] else one.with_static_past()
            own = Noise(noise.uniform[b : b + 1], noise.normal[b : b + 1])
            assert found[b, c] == pytest.approx(-errors_of(model, one, own)[loss_name][0], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_a_network_without_ears_gives_neighbours_exactly_nothing(windows, mode):
    model = network(mode)
    with torch.no_grad():  # the part of the context that comes from neighbours is not listened to
        for layer in (model.prior[0], model.gates_context):
            layer.weight[:, :32] = 0
        model.start_state.weight[:, 3:35] = 0
    shares = attribute(TrajectronGame(model, States.of(windows)), 5, 0, len(windows))
    assert np.abs(shares.neighbours).max() < 1e-12
    np.testing.assert_allclose(shares.past, shares.gap)


def test_games_refuse_training_mode_and_missing_noise(windows):
    states = States.of(windows)
    with pytest.raises(ValueError, match="training mode"):
        TrajectronGame(network("edge").train(), states)
    with pytest.raises(ValueError, match="needs noise"):
        TrajectronGame(network("edge"), states, loss="min_ade")
    with pytest.raises(ValueError, match="expected 24 games of 6 players"):
        TrajectronGame(network("edge"), states)(np.ones((24, 1, 4), dtype=bool))


@pytest.mark.parametrize("mode", MODES)
def test_the_phantom_has_features_that_are_all_zero(windows, mode):
    phantom = phantom_neighbour(States.of(windows))
    features = neighbour_features(phantom, Shape().scale, phantom.target[:, -1])
    assert features[..., :6].abs().max() == 0
    assert (features[..., 6] == 1).all()


def test_strangers_keep_their_place_relative_to_the_target(windows):
    filled = with_strangers(windows, windows, 2, np.random.default_rng(0))
    assert filled.present.shape == (len(windows), 7)
    distance = np.linalg.norm(filled.neighbours[:, 5:, -1] - windows.past[:, None, -1], axis=-1)
    known = np.linalg.norm(windows.neighbours[:, :, -1] - windows.past[:, None, -1], axis=-1).ravel()
    assert all(np.abs(known - d).min() < 1e-4 for d in distance.ravel())


def test_a_single_scene_has_no_strangers(windows):
    one = windows.take(windows.scene == 0)
    with pytest.raises(WindowsError, match="another scene"):
        with_strangers(one, one, 1, np.random.default_rng(0))


def test_sampled_shares_of_neighbours_and_strangers_approach_the_exact_ones():
    tables = np.random.default_rng(0).normal(size=(40, 2**12))

    def value(masks):
        return np.take_along_axis(tables, masks @ (1 << np.arange(masks.shape[-1])), axis=1)

    from reprise.walk_alone import interaction

    exact = interaction._exact(value, 10, 2, 40)
    sampled = interaction._sampled(value, 10, 2, 40, 400, np.random.default_rng(1))
    for name in ("past", "neighbours", "strangers"):
        difference = getattr(exact, name) - getattr(sampled, name)
        assert np.sqrt((difference**2).mean()) < 0.09
        assert abs(difference.mean()) < 0.02
    np.testing.assert_allclose(sampled.past + sampled.neighbours.sum(1), sampled.gap)


def test_strangers_that_are_like_neighbours_have_shares_with_as_much_noise():
    """With ten neighbours and ten strangers that all count alike, what is left is the noise of the sampled orders."""
    from reprise.walk_alone import interaction

    def with_past_only(masks):
        return masks[..., 0] * masks[..., 1:].sum(-1).astype(float)

    def with_less_and_less(masks):
        return (1 + masks[..., 0]) * np.sqrt(masks[..., 1:].sum(-1))

    def saturating(masks):
        return masks[..., 0] + np.minimum(masks[..., 1:].sum(-1), 3.0)

    # A neighbour enters behind the past in one order of each pair; so must a stranger.
    shares = interaction._sampled(with_past_only, 11, 10, 20, 3, np.random.default_rng(0))
    np.testing.assert_allclose(shares.neighbours, 0.5)
    np.testing.assert_allclose(shares.strangers, 0.5)
    for value in (with_less_and_less, saturating):
        shares = interaction._sampled(value, 11, 10, 2000, 12, np.random.default_rng(0))
        ratio = shares.strangers.std(0).mean() / shares.neighbours.std(0).mean()
        assert ratio == pytest.approx(1, abs=0.1)
        # In a game of one player more a stranger's share is lower where the others stand in for it.
        assert shares.strangers.mean() < shares.neighbours.mean()


def test_mutual_information_is_zero_for_equal_rows_and_log_k_for_certain_ones():
    assert mutual_information(torch.tensor([[0.2, 0.8]] * 3).log()).item() == pytest.approx(0, abs=1e-6)
    certain = torch.eye(4).clamp_min(1e-9).log()
    assert mutual_information(certain).item() == pytest.approx(np.log(4), abs=1e-4)


def test_schedules_are_the_papers_for_its_length_and_scaled_for_a_shorter_run():
    kl, clip = schedules(14_800)
    assert (kl.centre, clip.centre) == (400, 300)
    assert kl.at(0) < 5
    assert kl.at(2000) == pytest.approx(100, rel=1e-3)
    short, _ = schedules(500)
    assert short.centre == 50
    assert short.at(500) == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_training_is_repeatable_and_lowers_the_loss(mode):
    states = States.of(world_windows("alone", 40, seed=1))
    shape = Shape(mode=mode, latents=3, decoder_width=8)
    options = TrainingOptions(epochs=6, batch=32, learning_rate=5e-3)
    models = [train(shape, states, options, seed, "alone") for seed in (0, 0, 1)]
    weights = [torch.cat([p.flatten() for p in model.parameters()]) for model in models]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    untrained = train(shape, states, replace(options, epochs=1, learning_rate=1e-12), 0, "alone")
    noise = torch.randn(len(states), 3, 12, 2, generator=torch.Generator().manual_seed(0))
    assert loss(models[0], states, noise, 1.0, 5.0) < loss(untrained, states, noise, 1.0, 5.0)


def test_cutting_neighbours_in_training_touches_no_past(windows):
    states = States.of(windows)
    cut = augmented(states, TrainingOptions(neighbour_dropout=True), torch_generator(0, "cut"))
    assert 0 < int(cut.present.sum()) < int(states.present.sum())
    torch.testing.assert_close(cut.target.square().sum(), states.target.square().sum(), rtol=1e-4, atol=1e-3)
    assert not augmented(states, TrainingOptions(neighbours=False), torch_generator(0, "cut")).present.any()


def test_three_kinds_of_neighbours_have_encoders_of_their_own(windows):
    kinds = replace(windows, kind=np.tile([0, 0, 1, 1, 2], (len(windows), 1)), kinds=("a", "b", "c"))
    for mode in MODES:
        model = network(mode, n_kinds=3, scale=BASKETBALL)
        states = States.of(kinds)
        other = replace(states, kind=states.kind.flip(1))
        assert not torch.allclose(model.context(states), model.context(other))


def test_constant_velocity_goes_on_and_gives_nobody_any_credit():
    past = np.cumsum(np.ones((1, 8, 2)), axis=1)
    path = constant_velocity_paths(past, np.zeros((1, 1)))
    np.testing.assert_allclose(path[0, 0], past[0, -1] + np.arange(1, 13)[:, None])
    tracks = np.random.default_rng(0).normal(size=(4, 20, 2)).cumsum(1)
    (found,) = explain(lambda p, n, m: constant_velocity_paths(p, np.zeros((len(p), 1))), [tracks])
    assert np.abs(found.neighbours).max() < 1e-12 > abs(found.interaction)
    assert found.past == pytest.approx(float(found.attribution.values.sum()))


def test_the_best_of_twenty_turned_velocities_is_no_worse_on_average(windows):
    errors = constant_velocity_errors(windows)
    assert errors["min_ade"].mean() < errors["ade"].mean()


def test_standing_still_errs_by_the_way_gone_and_its_spread_is_that_of_training(windows):
    errors = standing_still_errors(windows, windows)
    gone = np.linalg.norm(windows.future - windows.past[:, -1:], axis=-1)
    np.testing.assert_allclose(errors["fde"], gone[:, -1])
    np.testing.assert_allclose(errors["ade"], gone.mean(1), rtol=1e-6)
    assert errors["min_fde"].mean() < errors["fde"].mean()
    resting = replace(windows, future=np.repeat(windows.past[:, -1:], 12, axis=1))
    np.testing.assert_allclose(standing_still_errors(windows, resting)["min_fde"], errors["fde"])


def test_any_predictor_can_be_explained_and_its_game_is_a_loop():
    tracks = np.random.default_rng(1).normal(size=(3, 20, 2)).cumsum(1)
    game = PredictorGame(shared_velocity, tracks)
    masks = np.array([[True, True, False], [False, False, True]])
    one = shared_velocity(tracks[:1, :8], tracks[None, 1:, :8], masks[:1, 1:])
    assert game(masks)[0] == pytest.approx(-np.linalg.norm(one - tracks[0, 8:], axis=-1).mean())
    assert len(explain(shared_velocity, [tracks, tracks])) == 2


def test_only_the_targets_future_is_needed():
    tracks = np.random.default_rng(2).normal(size=(3, 20, 2)).cumsum(1)
    unknown = tracks.copy()
    unknown[[0, 2], 8:] = np.nan
    (known,), (found,) = (explain(shared_velocity, [scene], target=1) for scene in (tracks, unknown))
    np.testing.assert_array_equal(found.neighbours, known.neighbours)
    with pytest.raises(WindowsError, match="agent 0 in frame 8"):
        explain(shared_velocity, [unknown], target=0)


def test_windows_can_be_explained_as_they_come(windows):
    few = windows.take(slice(0, 3))
    few = replace(few, present=few.present & (np.arange(5) != 1))
    found = explain(shared_velocity, few)
    scene = np.concatenate([few.neighbours[2][few.present[2]], np.full((4, 12, 2), 9.0)], axis=1)
    own = np.concatenate([few.past[2], few.future[2]])[None]
    (same,) = explain(shared_velocity, [np.concatenate([own, scene])])
    assert len(found) == 3
    np.testing.assert_allclose(found[2].neighbours, same.neighbours)
    with pytest.raises(WindowsError, match="target=1, but each window"):
        explain(shared_velocity, few, target=1)


@pytest.mark.parametrize(
    ("predict", "scene", "words"),
    [
        (shared_velocity, np.zeros((2, 15, 2)), r"expected \(agents, 20, 2\)"),
        (shared_velocity, np.full((2, 20, 2), np.nan), "agent 0 in frame 0"),
        (lambda p, n, m: p[:, -1:] + n.mean((1, 2))[:, None] * np.ones((12, 1)), np.ones((2, 20, 2)), "ignores"),
        (lambda p, n, m: np.random.normal(size=(len(p), 12, 2)), np.ones((2, 20, 2)), "called again"),
        (lambda p, n, m: p, np.ones((2, 20, 2)), "returned the shape"),
    ],
)
def test_predictors_and_scenes_that_cannot_be_explained_say_why(predict, scene, words):
    with pytest.raises(WindowsError, match=words):
        explain(predict, [scene])


def test_a_target_that_is_not_there_is_refused():
    with pytest.raises(WindowsError, match="target=5"):
        explain(shared_velocity, [np.ones((2, 20, 2))], target=5)


@pytest.fixture(scope="module")
def crowd():
    draw = np.random.default_rng(0)
    start = draw.uniform(0, 60, (1, 5, 2))
    positions = start + np.cumsum(draw.normal(3, 1, (24, 5, 2)), axis=0)
    return cut_windows(positions, radius=100.0, unit="px")


def test_pecnets_cached_coalitions_equal_plain_ones(crowd):
    torch.manual_seed(0)
    model = PECNet(0.05).eval()
    groups = Groups.of(crowd)
    masks = np.random.default_rng(0).random((len(crowd), 6, 5)) < 0.6
    found = PECNetGame(model, groups, 0)(masks)
    for c in range(6):
        one = replace(groups, present=groups.present & torch.from_numpy(masks[:, c]))
        one.present[:, 0] = True
        only = np.zeros((len(crowd), 1, 5), dtype=bool)
        only[:, 0] = masks[:, c]
        np.testing.assert_allclose(PECNetGame(model, one, 0)(only)[:, 0], found[:, c], rtol=1e-4)


def test_pecnets_destination_does_not_see_the_neighbours(crowd):
    torch.manual_seed(0)
    game = PECNetGame(PECNet(0.05).eval(), Groups.of(crowd), 0, "min_fde")
    masks = np.ones((len(crowd), 2, 5), dtype=bool)
    masks[:, 1, 1:] = False
    values = game(masks)
    np.testing.assert_array_equal(values[:, 0], values[:, 1])


def test_pecnets_divergence_weighs_as_in_the_papers_batch_whatever_ours_is(crowd, monkeypatch):
    from reprise.walk_alone import pecnet

    torch.manual_seed(0)
    model, groups = PECNet(0.05), Groups.of(crowd)
    places = torch.arange(len(groups))

    def divergence(batch):
        found = []
        for weight in (0.0, pecnet.PAPER_AGENTS):
            monkeypatch.setattr(pecnet, "PAPER_AGENTS", weight)
            found.append(pecnet_loss(model, groups.take(batch), torch_generator(0, "loss")))
            monkeypatch.undo()
        return float((found[1] - found[0]).detach())

    doubled = torch.cat([places, places])
    assert divergence(doubled) == pytest.approx(divergence(places), rel=1e-3)
    code = model.past(groups.past[:, 0])
    latent = model.latent(torch.cat([code, model.destination(groups.future[:, -1])], -1))
    mean, log_variance = latent.chunk(2, -1)
    of_a_target = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)
    assert divergence(places) == pytest.approx(512 * float(of_a_target.mean()), rel=1e-3)


def test_pecnet_learns(crowd):
    options = PECNetOptions(width_factor=0.05, epochs=30, batch=16, learning_rate=1e-3)
    trained = train_pecnet(crowd, options, 0, torch.device("cpu"))
    fresh = train_pecnet(crowd, replace(options, epochs=1, learning_rate=1e-12), 0, torch.device("cpu"))
    groups = Groups.of(crowd)
    losses = [pecnet_loss(model, groups, torch_generator(0, "loss")).item() for model in (trained, fresh)]
    assert losses[0] < losses[1]


def test_three_rounds_of_pooling_leave_agents_alone_that_are_alone():
    torch.manual_seed(0)
    model = PECNet(0.05)
    features = torch.randn(2, 3, 34)
    alone = torch.tensor([[True, False, False]] * 2)
    first = model.pooled(features, alone)
    other = features.clone()
    other[:, 1:] = 9
    torch.testing.assert_close(first[:, 0], model.pooled(other, alone)[:, 0])
