"""What a reader brings: predictors, scenes, tables and value functions, and what is said when they do not fit."""

import numpy as np
import pandas as pd
import pytest
import torch

from reprise.errors import UnknownNameError
from reprise.walk_alone import (
    Noise,
    PECNet,
    PECNetGame,
    Shape,
    States,
    TrajectronCVAE,
    TrajectronGame,
    TrajectronPredictor,
    explain,
    from_dataframe,
    interaction_score,
    shapley,
    to_frame,
    train_predictor,
    world_windows,
)
from reprise.walk_alone.constant_velocity import shared_velocity
from reprise.walk_alone.windows import WindowsError

WALK = np.stack([0.4 * np.arange(20), np.zeros(20)], -1)
SCENE = np.stack([WALK, WALK + np.array([0, 1.0]), np.full((20, 2), 2.0)])


def table(n_frames=22, **changes):
    frames, agents = np.meshgrid(np.arange(n_frames), np.arange(3), indexing="ij")
    columns = {"frame": frames.ravel(), "agent": agents.ravel(), "x": 0.4 * frames.ravel(), "y": 1.0 * agents.ravel()}
    return pd.DataFrame(columns).assign(**changes)


def shares(explanations):
    return np.concatenate([found.attribution.values for found in explanations])


# ---- predictors --------------------------------------------------------------------------------------------------


def test_an_unknown_loss_is_refused_everywhere():
    with pytest.raises(UnknownNameError, match="unknown loss 'nll'"):
        explain(shared_velocity, [SCENE], loss="nll")
    windows = world_windows("alone", 2)
    model = TrajectronCVAE(Shape()).eval()
    with pytest.raises(UnknownNameError, match="unknown loss 'ade'"):
        TrajectronGame(model, windows, loss="ade")
    with pytest.raises(UnknownNameError, match="min_fde"):
        PECNetGame(PECNet(0.05).eval(), windows, loss="nll")


def test_a_predictor_may_work_in_place_and_the_scene_stays_as_it_was():
    def in_place(past, neighbours, present):
        origin = past[:, -1:].copy()
        past -= origin
        neighbours *= present[..., None, None]
        present[:] = False
        return origin + np.arange(1, 13)[:, None] * (past[:, -1:] - past[:, -2:-1])

    scene = SCENE.copy()
    (found,) = explain(in_place, [scene])
    np.testing.assert_array_equal(scene, SCENE)
    assert found.past > 0
    np.testing.assert_allclose(found.neighbours, 0, atol=1e-12)


@pytest.mark.parametrize("relative", ["velocity", "acceleration"])
def test_a_predictor_that_reads_absent_neighbours_by_their_motion_is_found(relative):
    def ignores(past, neighbours, present):
        motion = np.diff(neighbours, n=1 if relative == "velocity" else 2, axis=2).mean((1, 2))
        return past[:, -1:] + np.arange(1, 13)[None, :, None] * motion[:, None]

    with pytest.raises(WindowsError, match="ignores present"):
        explain(ignores, [SCENE])


def test_a_predictor_that_heeds_presence_only_where_nobody_is_present_is_found():
    def half(past, neighbours, present):
        motion = np.diff(neighbours, axis=2).mean((1, 2)) * present.any(1, keepdims=True)
        return past[:, -1:] + np.arange(1, 13)[None, :, None] * motion[:, None]

    with pytest.raises(WindowsError, match="ignores present"):
        explain(half, [SCENE])


def test_paths_that_are_not_finite_are_named_as_such():
    def unguarded(past, neighbours, present):
        with np.errstate(all="ignore"):
            mean = (np.diff(neighbours, axis=2).mean(2) * present[..., None]).sum(1) / present.sum(1)[:, None]
        return past[:, -1:] + np.arange(1, 13)[None, :, None] * mean[:, None]

    with pytest.raises(WindowsError, match="not finite for a coalition with 0 of 2 neighbours"):
        explain(unguarded, [SCENE])


def test_torch_predictors_are_taken_with_their_gradients_but_not_in_training_mode():
    class Straight(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.speed = torch.nn.Parameter(torch.ones(()))

        def forward(self, past, neighbours, present):
            past = torch.from_numpy(past)
            return past[:, -1:] + self.speed * torch.arange(1, 13)[:, None] * (past[:, -1:] - past[:, -2:-1])

    model = Straight()
    with pytest.raises(WindowsError, match="training mode"):
        explain(model, [SCENE])
    with pytest.raises(WindowsError, match="training mode"):
        explain(model.forward, [SCENE])
    (found,) = explain(model.eval(), [SCENE])
    assert found.past == pytest.approx(0.4 * 6.5)


def test_noise_that_is_drawn_anew_is_refused_as_the_best_of_twenty_would_reward_it():
    draw = np.random.default_rng(0)
    with pytest.raises(WindowsError, match="draw its noise once"):
        explain(lambda p, n, m: p[:, None, -1:] + draw.normal(size=(len(p), 20, 12, 2)), [SCENE])


def test_a_predictor_never_sees_the_future():
    later = SCENE.copy()
    later[:, 8:] += 5.0
    seen = []

    def spying(past, neighbours, present):
        seen.append((past, neighbours))
        return np.repeat(past[:, -1:], 12, axis=1)

    explain(spying, [SCENE])
    n = len(seen)
    explain(spying, [later])
    for (past, neighbours), (past_too, neighbours_too) in zip(seen[:n], seen[n:], strict=True):
        np.testing.assert_array_equal(past, past_too)
        np.testing.assert_array_equal(neighbours, neighbours_too)


# ---- scenes ------------------------------------------------------------------------------------------------------


def test_one_scene_needs_no_list():
    np.testing.assert_array_equal(shares(explain(shared_velocity, SCENE)), shares(explain(shared_velocity, [SCENE])))


@pytest.mark.parametrize(
    ("scenes", "words"),
    [
        (table(), "from_dataframe"),
        (None, "no list of arrays"),
        ([[["a"]]], "no real numbers"),
        ([SCENE.astype(complex)], "no real numbers"),
        ([SCENE.transpose(1, 0, 2)], r"expected \(agents, 20, 2\)"),
        ([np.tile(SCENE, (1, 2, 1))], r"tracks\[:, :20\]"),
        ([np.stack([WALK, WALK])], "agent 1 is the target itself"),
        ([np.stack([WALK, 0 * WALK])], "agent 1 is all zeros: padding"),
    ],
)
def test_scenes_that_do_not_fit_are_refused(scenes, words):
    with pytest.raises(WindowsError, match=words):
        explain(shared_velocity, scenes)


@pytest.mark.parametrize(
    ("given", "words"),
    [({"target": 1.0}, "target=1.0 is no whole number"), ({"target": "a"}, "target='a'"), ({"target": 3}, "3 agents")],
)
def test_targets_that_do_not_exist_are_refused(given, words):
    with pytest.raises(WindowsError, match=words):
        explain(shared_velocity, [SCENE], **given)
    with pytest.raises(WindowsError, match="cannot be called"):
        explain("predictor", [SCENE])


def test_explanations_become_a_table_of_players():
    lines = to_frame(explain(shared_velocity, [SCENE], target=1))
    assert lines["player"].tolist() == ["past", 0, 2]
    assert lines["target"].tolist() == [1, 1, 1]


# ---- tables ------------------------------------------------------------------------------------------------------


def test_explanations_of_a_tables_windows_carry_its_names():
    named = table().assign(
        agent=lambda t: np.array(["zoe", "adam", "ben"])[t.agent], frame=lambda t: 100 + 10 * t.frame
    )
    windows = from_dataframe(named, radius=1.5)
    lines = to_frame(explain(shared_velocity, windows))
    first = lines[(lines["frame"] == 170) & (lines["target"] == "adam")]
    assert set(first["player"]) == {"past", "zoe", "ben"}
    assert set(lines["frame"]) == {170, 180, 190}
    assert set(lines.loc[lines["target"] == "zoe", "player"]) == {"past", "adam"}
    few = windows.take(windows.agents == "zoe")
    assert few.neighbour_agents.tolist() == [["adam"]] * 3


def test_scenes_of_a_table_keep_their_names_and_slots_of_their_own():
    lonely = table().query("agent == 0").assign(scene="street")
    both = pd.concat([table().assign(scene="square"), lonely])
    windows = from_dataframe(both, scene="scene", radius=5.0)
    assert set(windows.scenes) == {"square", "street"}
    assert windows.neighbour_agents[windows.scenes == "street"].tolist() == [[None, None]] * 3


def test_shares_do_not_depend_on_where_the_map_has_its_origin():
    def wavy(t):
        return 0.4 * t.frame + 0.1 * np.sin(t.frame + t.agent)

    here = table().assign(x=wavy)
    there = here.assign(x=lambda t: t.x + 500_000.25, y=lambda t: t.y + 5_400_000.1)
    found = [shares(explain(shared_velocity, from_dataframe(one, radius=1.5))) for one in (here, there)]
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


def test_a_faster_table_is_thinned():
    windows = from_dataframe(table(n_frames=60), every=3, radius=1.5)
    np.testing.assert_allclose(np.diff(windows.past, axis=1)[..., 0], 1.2, rtol=1e-5)
    assert windows.frames.tolist() == [21] * 3


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (table()[:0], {}, "no rows"),
        (table().to_dict(), {}, "table is a dict"),
        (table().assign(agent=lambda t: t.agent.where(t.index != 4)), {}, "row 4 has no agent"),
        (table().assign(s=lambda t: np.where(t.index == 5, None, "a")), {"scene": "s"}, "row 5 has no s"),
        (table(), {"radius": -1}, "radius=-1"),
        (table(), {"radius": "3"}, "radius='3'"),
        (table(), {"seconds": 0}, "seconds=0"),
        (table(), {"every": 0}, "every=0"),
        (table(), {"every": 0.5}, "every=0.5 is no whole number"),
        (table().astype({"frame": object}).assign(frame="f"), {}, "must hold numbers"),
        (table(n_frames=12), {}, "the longest track has 12: agent 0, frames 0 to 11"),
        (table().query("frame != 9"), {}, "longest track has 12: agent 0, frames 10 to 21"),
    ],
)
def test_tables_that_do_not_fit_are_refused_with_a_place(given, options, words):
    with pytest.raises(WindowsError, match=words):
        from_dataframe(given, **options)


def test_degrees_are_warned_about():
    degrees = table().assign(x=lambda t: 8.5 + 1e-5 * t.frame, y=lambda t: 47.4 + 1e-5 * t.agent)
    with pytest.warns(UserWarning, match="longitude and latitude"):
        from_dataframe(degrees)


def test_an_agent_who_stands_at_the_origin_is_no_padding():
    still = table().assign(x=lambda t: np.where(t.agent == 1, 0.0, t.x), y=lambda t: np.where(t.agent == 1, 0.0, t.y))
    assert len(from_dataframe(still, radius=20.0)) == 9


# ---- value functions and games -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((lambda m: m.sum(-1), 3.0), "n_players=3.0 is no whole number"),
        ((lambda m: m.sum(-1), "3"), "n_players='3'"),
        ((np.ones(8), 3), "value is a ndarray"),
    ],
)
def test_arguments_of_the_wrong_type_are_named(arguments, words):
    with pytest.raises(TypeError, match=words):
        shapley(*arguments)
    with pytest.raises(TypeError, match=r"budget=10000.0"):
        shapley(lambda m: m.sum(-1), 17, budget=1e4)


def test_a_value_function_that_draws_is_refused_and_tensors_are_taken():
    draw = np.random.default_rng(0)
    with pytest.raises(ValueError, match="other values when called again"):
        shapley(lambda masks: draw.normal(size=len(masks)), 3)
    with pytest.raises(ValueError, match="complex"):
        shapley(lambda masks: masks.sum(-1) * 1j, 3)
    with pytest.raises(ValueError, match="n_games=0"):
        shapley(lambda masks: masks.sum(-1), 3, n_games=0)
    weights = torch.tensor([1.0, 2.0], requires_grad=True)
    assert shapley(lambda masks: torch.from_numpy(masks).float() @ weights, 2).values.tolist() == [1.0, 2.0]


def test_games_take_windows_and_check_time_and_noise():
    windows = world_windows("alone", 2)
    model = TrajectronCVAE(Shape()).eval()
    masks = np.ones((len(windows), 1, 6), dtype=bool)
    expected = TrajectronGame(model, States.of(windows))(masks)
    np.testing.assert_array_equal(TrajectronGame(model, windows)(masks), expected)
    with pytest.raises(WindowsError, match=r"the network 0\.36 s"):
        TrajectronGame(TrajectronCVAE(Shape(seconds=0.36)).eval(), windows)
    with pytest.raises(WindowsError, match="noise is of 3 targets"):
        TrajectronGame(model, windows, loss="min_ade", noise=Noise.draw(3, torch.Generator()))
    with pytest.raises(WindowsError, match="training mode"):
        PECNetGame(PECNet(0.05), windows)


# ---- training ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    return train_predictor(world_windows("follow", 20), epochs=1, latents=2, decoder_width=4)


def test_a_network_trained_on_own_windows_can_be_explained_and_scored(trained):
    windows = world_windows("follow", 3, split="test")
    found = explain(trained, windows)
    again = explain(trained, windows)
    np.testing.assert_array_equal(shares(found), shares(again))
    gaps = [float(e.attribution.efficiency_gap) for e in found]
    np.testing.assert_allclose(gaps, 0, atol=1e-6)
    score = interaction_score(trained, windows).set_index("measure")
    assert score.index.tolist() == ["past", "interaction", "random", "random max"]
    assert (score["low"] <= score["mean"]).all()
    assert score.loc["random max", "mean"] >= score.loc["random", "mean"]


def test_what_cannot_be_trained_is_said_before_it_starts(trained):
    windows = world_windows("alone", 1)
    with pytest.raises(UnknownNameError, match="unknown mode 'node'"):
        train_predictor(windows, mode="node")
    with pytest.raises(UnknownNameError, match="unknown symmetry 'rot'"):
        train_predictor(windows, symmetry="rot")
    with pytest.raises(WindowsError, match="too few"):
        train_predictor(windows.take(slice(0, 1)))
    with pytest.raises(WindowsError, match="training mode"):
        TrajectronPredictor(TrajectronCVAE(Shape()).train())
    with pytest.raises(WindowsError, match="another scene"):
        interaction_score(trained, windows)
