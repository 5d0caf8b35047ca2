import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprise.grda.generators import _degraded, dg_centres, make_dg, make_digits_grid, truncated_normal_disc
from reprise.grda.graphs import DomainsError, grid_graph, is_connected


def test_the_disc_holds_all_draws_and_their_radius_has_the_truncated_law():
    radius = np.linalg.norm(truncated_normal_disc(200_000, np.random.default_rng(0)), axis=1)
    assert radius.max() <= 1
    for bound in (0.3, 0.6, 0.9):
        expected = (1 - np.exp(-(bound**2) / 2)) / (1 - np.exp(-0.5))
        assert (radius <= bound).mean() == pytest.approx(expected, abs=0.005)


def test_the_disc_draws_agree_with_rejection():
    draws = truncated_normal_disc(100_000, np.random.default_rng(0))
    plain = np.random.default_rng(1).standard_normal((300_000, 2))
    kept = plain[np.linalg.norm(plain, axis=1) <= 1]
    np.testing.assert_allclose(draws.mean(axis=0), kept.mean(axis=0), atol=0.01)
    np.testing.assert_allclose(np.cov(draws.T), np.cov(kept.T), atol=0.01)


def test_centres_lie_on_the_spiral():
    centres = dg_centres(np.array([0.0, np.pi / 2, np.pi]), np.pi, 1.8)
    np.testing.assert_allclose(centres, [[1, 0], [0, 1.9], [-2.8, 0]], atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 25), st.integers(1, 6), st.integers(0, 10**6))
def test_every_generated_set_keeps_the_recipe(n_domains, n_sources, seed):
    n_sources = min(n_sources, n_domains)
    domains = make_dg(n_domains, n_sources=n_sources, points_per_class=3, seed=seed)
    assert is_connected(domains.adjacency)
    assert is_connected(domains.adjacency[np.ix_(domains.source, domains.source)])
    assert domains.angle[domains.source].max() <= domains.angle[~domains.source].min(initial=np.inf)
    cosine = np.cos(domains.angle[:, None] - domains.angle)
    assert (cosine[domains.adjacency == 1] >= 0.2).all()
    side = 1 - 2 * domains.targets
    offset = domains.features - side[:, None] * domains.positions[domains.domain]
    assert np.linalg.norm(offset, axis=1).max() <= 1 + 1e-12
    assert (np.bincount(domains.domain) == 6).all()
    assert (np.bincount(domains.domain, weights=domains.targets) == 3).all()


def test_edges_have_the_cosine_as_their_probability():
    shares, expected = [], []
    for seed in range(40):
        domains = make_dg(60, points_per_class=1, seed=seed)
        cosine = np.cos(domains.angle[:, None] - domains.angle)
        near = np.triu(cosine >= 0.2, k=1)
        shares.append(domains.adjacency[near].mean())
        expected.append(cosine[near].mean())
    assert np.mean(shares) == pytest.approx(np.mean(expected), abs=0.01)


def test_the_two_sizes_of_the_paper_have_their_own_spiral():
    small, large = make_dg(15), make_dg(60)
    assert small.angle.max() <= np.pi
    assert large.angle.max() > np.pi
    np.testing.assert_allclose(np.linalg.norm(small.positions, axis=1), 1 + 1.8 * small.angle / np.pi)
    np.testing.assert_allclose(np.linalg.norm(large.positions, axis=1), 1 + 6 * large.angle / (2 * np.pi))


def test_the_ordered_rows_are_the_shuffled_ones_sorted_by_label():
    ordered, shuffled = make_dg(15, ordered=True, seed=4), make_dg(15, seed=4)
    assert (np.diff(ordered.targets.reshape(15, 100), axis=1) >= 0).all()
    np.testing.assert_array_equal(ordered.domain, shuffled.domain)
    for index in range(15):
        rows = ordered.rows_of(index)
        one, other = ordered.features[rows], shuffled.features[rows]
        np.testing.assert_array_equal(one[np.lexsort(one.T)], other[np.lexsort(other.T)])


def test_a_generator_can_be_given_instead_of_a_seed():
    one, other = (make_dg(5, seed=np.random.default_rng(7), n_sources=2) for _ in range(2))
    np.testing.assert_array_equal(one.features, other.features)


@pytest.mark.parametrize("arguments", [{"n_domains": 1}, {"n_domains": 3, "n_sources": 4}, {"points_per_class": 0}])
def test_numbers_out_of_range_are_refused(arguments):
    with pytest.raises(DomainsError, match="need at least"):
        make_dg(**arguments)


class OppositeAngles(np.random.Generator):
    def uniform(self, low=0.0, high=1.0, size=None):
        return np.array([0.0, np.pi])


def test_a_graph_that_cannot_be_connected_is_refused():
    with pytest.raises(DomainsError, match="no connected graph over 2 domains"):
        make_dg(2, n_sources=1, seed=OppositeAngles(np.random.PCG64(0)))


@pytest.mark.parametrize("equal_priors", [True, False])
def test_the_digits_grid_has_30_domains_of_48_images_and_one_source(equal_priors):
    domains = make_digits_grid(equal_priors=equal_priors)
    np.testing.assert_array_equal(domains.adjacency, grid_graph(5, 6))
    assert np.flatnonzero(domains.source).tolist() == [0]
    assert (np.bincount(domains.domain) == 48).all()
    counts = np.array([np.bincount(domains.targets[domains.rows_of(i)], minlength=4) for i in range(30)])
    assert (counts[0] == 12).all()
    assert (counts == 12).all() == equal_priors
    assert (np.sort(counts[1:], axis=1) == ([12] * 4 if equal_priors else [4, 8, 12, 24])).all()
    assert -1e-9 <= domains.features.min() <= domains.features.max() <= 1 + 1e-9


def test_the_untransformed_source_images_occur_in_no_other_domain():
    from sklearn.datasets import load_digits

    images = load_digits().data / 16
    domains = make_digits_grid(seed=5)
    source = {row.tobytes() for row in domains.features[domains.rows_of(0)]}
    # Domain 0 is neither turned nor blurred; the same transform of its images must be absent elsewhere.
    assert len(source) == 48
    numbers = [int(np.flatnonzero((images == row).all(axis=1))[0]) for row in domains.features[domains.rows_of(0)]]
    for index in range(1, 30):
        moved = _degraded(images[numbers].reshape(-1, 8, 8), index // 6, index % 6)
        rows = domains.features[domains.rows_of(index)]
        assert np.abs(moved[:, None] - rows[None]).max(axis=2).min() > 1e-6


def test_blur_and_turn_leave_the_first_corner_alone():
    images = np.random.default_rng(0).random((3, 8, 8))
    np.testing.assert_allclose(_degraded(images, 0, 0), images.reshape(3, -1))
    np.testing.assert_allclose(_degraded(images, 4, 0), np.rot90(images, axes=(1, 2)).reshape(3, -1), atol=1e-9)
    both = _degraded(images, 1, 3)
    np.testing.assert_allclose(both[:1], _degraded(images[:1], 1, 3))
