"""Windows, readers and worlds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprise.errors import RepriseError
from reprise.walk_alone.basketball import clip_windows, load_nba_sportvu, neighbours_of, read_clip
from reprise.walk_alone.own_tables import from_dataframe
from reprise.walk_alone.pedestrians import FOLDS, load_eth_ucy, load_sdd, metres_per_pixel, read_tracks
from reprise.walk_alone.windows import FUTURE, PAST, WindowsError, check_neighbours, cut_windows, join
from reprise.walk_alone.worlds import simulate, world_windows

real = pytest.mark.real_data


def straight(n_frames=25, n_agents=3, gap=1.0):
    frames = np.arange(n_frames, dtype=float)
    return np.stack([np.stack([0.4 * frames, np.full(n_frames, gap * a)], -1) for a in range(n_agents)], axis=1)


def test_windows_hold_consecutive_frames_of_target_and_neighbours():
    windows = cut_windows(straight(), radius=1.5)
    assert len(windows) == 3 * 6
    assert windows.past.shape == (18, PAST, 2)
    assert windows.future.shape == (18, FUTURE, 2)
    np.testing.assert_allclose(np.diff(windows.past[:, :, 0], axis=1), 0.4, atol=1e-5)
    np.testing.assert_allclose(windows.future[:, 0, 0] - windows.past[:, -1, 0], 0.4, atol=1e-5)
    middle = windows.cluster == 1
    assert (windows.counts[middle] == 2).all()
    assert (windows.counts[~middle] == 1).all()


def test_neighbours_are_ordered_by_distance_and_late_ones_are_held():
    positions = straight()
    positions[:4, 2] = np.nan
    positions[:, 2, 1] = 0.3
    windows = cut_windows(positions, radius=1.5)
    first = np.flatnonzero((windows.cluster == 0) & (windows.frame == PAST - 1))[0]
    np.testing.assert_allclose(windows.neighbours[first, 0, :, 1], 0.3, atol=1e-6)
    np.testing.assert_allclose(windows.neighbours[first, 0, :4], windows.neighbours[first, 0, 4:5].repeat(4, 0))
    np.testing.assert_array_equal(windows.seen[first, 0], [False] * 4 + [True] * 4)


def test_an_agent_that_leaves_gives_no_window():
    positions = straight(20)
    positions[15, 1] = np.nan
    assert set(cut_windows(positions, radius=9).cluster) == {0, 2}


@given(st.integers(0, 40), st.integers(1, 4), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_any_scene_can_be_cut_and_joined(n_frames, n_agents, seed):
    draw = np.random.default_rng(seed)
    positions = draw.normal(size=(n_frames, n_agents, 2))
    positions[draw.random((n_frames, n_agents)) < 0.1] = np.nan
    windows = cut_windows(positions, radius=1.0)
    assert len(join([windows, windows])) == 2 * len(windows)
    assert len(windows.take(slice(0, 2))) == min(2, len(windows))


def test_windows_refuse_wrong_shapes_and_values_that_are_not_finite():
    windows = cut_windows(straight(), radius=1.5)
    with pytest.raises(WindowsError, match="expected"):
        windows.__class__(**{**vars(windows), "future": windows.future[:, :3]})
    broken = windows.past.copy()
    broken[2, 3, 0] = np.nan
    with pytest.raises(WindowsError, match=r"past has a value that is not finite at .*2"):
        windows.__class__(**{**vars(windows), "past": broken})


def test_padding_or_the_target_among_the_neighbours_is_refused():
    windows = cut_windows(straight(), radius=1.5)
    ghosts = {**vars(windows), "neighbours": np.zeros_like(windows.neighbours), "past": windows.past + 1}
    with pytest.raises(WindowsError, match="padding"):
        check_neighbours(windows.__class__(**ghosts))
    tracks = windows.neighbours.copy()
    tracks[0, 0] = windows.past[0]
    with pytest.raises(WindowsError, match="holds the target itself"):
        check_neighbours(windows.__class__(**{**vars(windows), "neighbours": tracks}))


def test_tracks_are_read_onto_a_grid_and_doubled_rows_are_refused(tmp_path):
    path = tmp_path / "tracks.txt"
    path.write_text("780\t1.0\t8.46\t3.59\n800\t1.0\t9.0\t3.7\n780\t2.0\t1\t2\n")
    positions, frames = read_tracks(path, 10)
    assert positions.shape == (3, 2, 2)
    np.testing.assert_array_equal(frames, [0, 2])
    assert np.isnan(positions[1]).all()
    assert positions[2, 0, 0] == 9.0
    path.write_text("780 1 0 0\n780 1 1 1\n")
    with pytest.raises(WindowsError, match="two rows for the same frame"):
        read_tracks(path, 10)
    path.write_text("780 1 0 0\n785 1 1 1\n")
    with pytest.raises(WindowsError, match="frame 785"):
        read_tracks(path, 10)


def test_players_see_four_team_mates_five_opponents_and_the_ball():
    assert neighbours_of(1).tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 10, 0]
    assert neighbours_of(8).tolist() == [6, 7, 9, 10, 1, 2, 3, 4, 5, 0]
    clip = np.random.default_rng(0).normal(size=(22, 11, 2))
    windows = clip_windows(clip, 3)
    assert len(windows) == 3 * 10
    np.testing.assert_allclose(windows.past[12], clip[1:9, 3], rtol=1e-6)
    np.testing.assert_allclose(windows.neighbours[12, 9], clip[1:9, 0], rtol=1e-6)
    assert len(clip_windows(clip[:10], 0)) == 0


def test_a_clip_without_the_ball_first_is_refused():
    with pytest.raises(WindowsError, match="eleven rows"):
        read_clip("0 5 1 1 PLAYER\n" * 11)


@pytest.mark.parametrize("regime", ["alone", "repel", "follow"])
def test_worlds_are_the_same_again_and_differ_by_seed(regime):
    first, leader = simulate(regime, 4, seed=1)
    assert first.shape == (4, 6, 20, 2)
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, simulate(regime, 4, seed=1)[0])
    assert not np.allclose(first, simulate(regime, 4, seed=2)[0])
    assert ((leader >= 0).any(1) == (regime == "follow")).all()


def test_followers_go_where_their_leader_went_and_lone_walkers_do_not():
    follow = world_windows("follow", 60)
    rows = np.arange(len(follow))
    moved = follow.past[:, -1] - follow.past[:, 0]
    of_leader = follow.neighbours[rows, follow.influencer]
    of_leader = of_leader[:, -1] - of_leader[:, 0]
    other = follow.neighbours[rows, 1 - follow.influencer]
    other = other[:, -1] - other[:, 0]
    assert np.corrcoef(moved[:, 0], of_leader[:, 0])[0, 1] > 0.6
    assert abs(np.corrcoef(moved[:, 0], other[:, 0])[0, 1]) < 0.3


def test_agents_that_repel_keep_a_larger_distance():
    def closest(regime):
        tracks = simulate(regime, 150, seed=3)[0]
        distance = np.linalg.norm(tracks[:, :, None] - tracks[:, None], axis=-1) + 99 * np.eye(6)[None, :, :, None]
        return np.quantile(distance.min((1, 2, 3)), 0.1)

    assert closest("repel") > closest("alone")


def table(**changes):
    frames, agents = np.meshgrid(np.arange(20), np.arange(2), indexing="ij")
    columns = {"frame": frames.ravel(), "agent": agents.ravel(), "x": 0.4 * frames.ravel(), "y": 1.0 * agents.ravel()}
    return pd.DataFrame(columns).assign(**changes)


def test_a_table_becomes_windows():
    windows = from_dataframe(table())
    assert len(windows) == 2
    assert (windows.counts == 1).all()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (table().rename(columns={"x": "lon"}), "no column 'x'"),
        (pd.concat([table(), table().iloc[:1]]), "agent 0.0 stands twice in frame 0|agent 0 stands twice"),
        (table(x=np.nan), "no finite position"),
        (table().assign(frame=lambda t: t.frame + 0.4 * (t.frame > 4)), "resample"),
        (table().query("frame < 15"), "20 consecutive frames"),
    ],
)
def test_tables_that_do_not_fit_are_refused(rows, words):
    with pytest.raises(WindowsError, match=words):
        from_dataframe(rows)


def test_pixels_given_as_metres_are_warned_about():
    with pytest.warns(UserWarning, match="median speed is 40"):
        from_dataframe(table().assign(x=lambda t: 40 * t.x), radius=100)


def test_unknown_names_are_refused():
    with pytest.raises(RepriseError, match="zara9"):
        load_eth_ucy("zara9", "test")
    with pytest.raises(RepriseError, match="crowd"):
        simulate("crowd", 1)


@real
def test_the_numbers_of_windows_are_the_published_ones():
    counts = {fold: len(load_eth_ucy(fold, "test")) for fold in FOLDS}
    assert counts == {"eth": 364, "hotel": 1197, "univ": 24334, "zara1": 2356, "zara2": 5910}
    assert len(load_eth_ucy("zara1", "train")) == 28_577
    assert (len(load_sdd("train")), len(load_sdd("test"))) == (8494, 2829)
    assert len(load_nba_sportvu("test")) == 19_070


@real
def test_scales_of_the_drone_are_those_of_the_table():
    assert metres_per_pixel()["coupa_0"] == pytest.approx(0.028, abs=1e-3)
    assert metres_per_pixel()["hyang_0"] == pytest.approx(0.03475, abs=1e-4)
