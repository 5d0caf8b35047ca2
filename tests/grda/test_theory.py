from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprise.errors import UnknownNameError
from reprise.grda.data import load
from reprise.grda.graphs import (
    DomainsError,
    chain_graph,
    clique_graph,
    cycle_graph,
    empty_graph,
    grid_graph,
    star_graph,
)
from reprise.grda.theory import (
    alignment_freedom,
    binary_entropy,
    chain_mixture,
    chain_mixture_losses,
    domain_information,
    edge_probability,
    entropy_bound,
    free_directions,
    optimal_alignment,
    optimal_discriminator_loss,
)

MODES = ("nonedge", "exclude", "edge")
FREEDOM = [
    ("clique-6", clique_graph(6), 0),
    ("chain-3", chain_graph(3), 1),
    ("star-6", star_graph(6), 4),
    ("chain-4", chain_graph(4), 1),
    ("chain-10", chain_graph(10), 3),
    ("cycle-10", cycle_graph(10), 4),
    ("grid-5x6", grid_graph(5, 6), 13),
    ("empty-5", empty_graph(5), 4),
]
AVERAGED, ALIKE, MISALIGNED = [[1, 0], [0.5, 0.5], [0, 1]], [[0.5, 0.5]] * 3, [[1, 0], [1, 0], [0, 1]]


def random_case(n_domains, seed):
    generator = np.random.default_rng(seed)
    upper = np.triu(generator.random((n_domains, n_domains)) < 0.4, k=1)
    return (upper | upper.T).astype(np.int8), generator.dirichlet(np.full(n_domains, 5.0)), generator


def brute_force_loss(codes, adjacency, weights, self_pairs):
    """Sum over all pairs of domains and of codes, with the discriminator's answer from its definition."""
    n_domains, n_codes = codes.shape
    total = loss = 0.0
    for e in range(n_codes):
        for f in range(n_codes):
            mass = edge = 0.0
            for i in range(n_domains):
                for j in range(n_domains):
                    if i == j and self_pairs == "exclude":
                        continue
                    probability = weights[i] * codes[i, e] * weights[j] * codes[j, f]
                    mass += probability
                    edge += probability * (1 if i == j and self_pairs == "edge" else adjacency[i, j])
            total += mass
            if mass > 0:
                answer = edge / mass
                loss += mass * float(binary_entropy(answer))
    return loss / total


def exact_freedom(adjacency):
    """Inertia by congruence in rational arithmetic, for equal weights: no rounding at all."""
    n = len(adjacency)
    degree = adjacency.sum(axis=0)
    rows = [[Fraction(1)] * n, [Fraction(int(d)) for d in degree]]
    basis = rational_null_space(rows, n)
    form = [[sum(u[i] * int(adjacency[i, j]) * v[j] for i in range(n) for j in range(n)) for v in basis] for u in basis]
    positive = negative = 0
    while form:
        size = len(form)
        pivot = next((k for k in range(size) if form[k][k] != 0), None)
        if pivot is None:
            pair = next(((k, m) for k in range(size) for m in range(k) if form[k][m] != 0), None)
            if pair is None:
                break
            k, m = pair
            for c in range(size):
                form[k][c] += form[m][c]
            for r in range(size):
                form[r][k] += form[r][m]
            pivot = k
        value = form[pivot][pivot]
        positive, negative = positive + (value > 0), negative + (value < 0)
        rest = [k for k in range(size) if k != pivot]
        form = [[form[r][c] - form[r][pivot] * form[pivot][c] / value for c in rest] for r in rest]
    zero = len(basis) - positive - negative
    return zero + min(positive, negative)


def rational_null_space(rows, n):
    rows, pivots = [row[:] for row in rows], []
    for column in range(n):
        found = next((r for r in range(len(pivots), len(rows)) if rows[r][column] != 0), None)
        if found is None:
            continue
        top = len(pivots)
        rows[top], rows[found] = rows[found], rows[top]
        rows[top] = [value / rows[top][column] for value in rows[top]]
        for r in range(len(rows)):
            if r != top:
                factor = rows[r][column]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[top], strict=True)]
        pivots.append(column)
    basis = []
    for free in (c for c in range(n) if c not in pivots):
        vector = [Fraction(0)] * n
        vector[free] = Fraction(1)
        for r, column in enumerate(pivots):
            vector[column] = -rows[r][free]
        basis.append(vector)
    return basis


@pytest.mark.parametrize(("name", "graph", "freedom"), FREEDOM)
def test_the_alignment_freedom_of_standard_graphs(name, graph, freedom):
    assert alignment_freedom(graph) == freedom
    assert len(free_directions(graph)) == freedom


@pytest.mark.parametrize(("name", "graph", "freedom"), FREEDOM[:6])
def test_the_alignment_freedom_agrees_with_rational_arithmetic(name, graph, freedom):
    assert exact_freedom(graph) == freedom


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 9), st.integers(0, 10**6))
def test_rank_decisions_agree_with_rational_arithmetic_on_random_graphs(n_domains, seed):
    graph, _, _ = random_case(n_domains, seed)
    assert alignment_freedom(graph) == exact_freedom(graph)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "nonedge", "exclude"), [("dg-15", 4, 5), ("dg-60", 21, 25), ("tpt-48-east-west", 19, 19)]
)
def test_the_alignment_freedom_of_the_papers_graphs(name, nonedge, exclude):
    graph = load(name).adjacency
    assert alignment_freedom(graph) == nonedge
    assert alignment_freedom(graph, self_pairs="exclude") == exclude
    for mode in MODES:
        codes = optimal_alignment(graph, self_pairs=mode)
        bound = entropy_bound(graph, self_pairs=mode)
        assert optimal_discriminator_loss(codes, graph, self_pairs=mode) == pytest.approx(bound, abs=1e-9)


@pytest.mark.parametrize("n_domains", [3, 5, 9])
def test_a_star_of_n_leaves_n_minus_2_directions_free(n_domains):
    assert alignment_freedom(star_graph(n_domains)) == n_domains - 2


def test_a_clique_without_self_pairs_or_with_self_edges_exerts_no_force():
    assert alignment_freedom(clique_graph(6), self_pairs="exclude") == 5
    assert alignment_freedom(clique_graph(6), self_pairs="edge") == 5
    apart = np.eye(6)
    assert optimal_discriminator_loss(apart, clique_graph(6), self_pairs="edge") == 0
    assert entropy_bound(clique_graph(6), self_pairs="edge") == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("graph", [chain_graph(3), star_graph(6)])
def test_without_self_pairs_stars_force_uniform_alignment(graph):
    assert alignment_freedom(graph) > 0
    assert alignment_freedom(graph, self_pairs="exclude") == 0


def test_the_bound_of_a_chain_of_three_is_the_entropy_of_four_ninths():
    assert edge_probability(chain_graph(3)) == pytest.approx(4 / 9)
    assert entropy_bound(chain_graph(3)) == pytest.approx(float(binary_entropy(4 / 9)), abs=1e-12)
    assert entropy_bound(chain_graph(3)) == pytest.approx(0.6870, abs=5e-5)
    assert entropy_bound(chain_graph(3), self_pairs="exclude") == pytest.approx(0.6365, abs=5e-5)


@pytest.mark.parametrize(
    ("codes", "nonedge", "exclude"),
    [(ALIKE, 0.6870, 0.6365), (AVERAGED, 0.6870, 0.4621), (MISALIGNED, 0.6161, 0.4621)],
)
def test_the_tabular_losses_of_a_chain_of_three(codes, nonedge, exclude):
    assert optimal_discriminator_loss(codes, chain_graph(3)) == pytest.approx(nonedge, abs=5e-5)
    loss = optimal_discriminator_loss(codes, chain_graph(3), self_pairs="exclude")
    assert loss == pytest.approx(exclude, abs=5e-5)


@pytest.mark.parametrize("balance", [False, True])
def test_averaged_leaves_are_optimal_for_a_star_to_nine_digits(balance):
    leaves = np.random.default_rng(0).dirichlet(np.ones(4), size=7)
    codes = np.vstack([leaves.mean(axis=0), leaves])
    loss = optimal_discriminator_loss(codes, star_graph(8), balance=balance)
    assert loss == pytest.approx(entropy_bound(star_graph(8), balance=balance), abs=1e-9)
    codes[0] = leaves[0]
    assert optimal_discriminator_loss(codes, star_graph(8), balance=balance) < loss - 1e-3


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 5), st.integers(1, 4), st.integers(0, 10**6), st.sampled_from(MODES))
def test_the_loss_agrees_with_a_sum_over_all_pairs(n_domains, n_codes, seed, mode):
    graph, weights, generator = random_case(n_domains, seed)
    codes = generator.dirichlet(np.ones(n_codes), size=n_domains)
    codes[0] = np.eye(n_codes)[0]
    loss = optimal_discriminator_loss(codes, graph, weights, self_pairs=mode)
    assert loss == pytest.approx(brute_force_loss(codes, graph, weights, mode), abs=1e-12)


@given(st.integers(2, 8), st.integers(1, 6), st.integers(0, 10**6), st.sampled_from(MODES), st.booleans())
def test_no_codes_exceed_the_bound_and_uniform_ones_attain_it(n_domains, n_codes, seed, mode, balance):
    graph, weights, generator = random_case(n_domains, seed)
    bound = entropy_bound(graph, weights, self_pairs=mode, balance=balance)
    codes = generator.dirichlet(np.ones(n_codes), size=n_domains)
    options = {"self_pairs": mode, "balance": balance}
    assert 0 <= optimal_discriminator_loss(codes, graph, weights, **options) <= bound + 1e-12
    alike = np.tile(codes[0], (n_domains, 1))
    assert optimal_discriminator_loss(alike, graph, weights, **options) == pytest.approx(bound, abs=1e-12)


@settings(deadline=None)
@given(st.integers(2, 10), st.integers(0, 10**6), st.sampled_from(MODES), st.booleans())
def test_constructed_alignments_attain_the_bound_and_still_tell_domains_apart(n_domains, seed, mode, balance):
    graph, weights, _ = random_case(n_domains, seed)
    freedom = alignment_freedom(graph, weights, self_pairs=mode)
    if freedom == 0:
        with pytest.raises(DomainsError, match="no freedom"):
            optimal_alignment(graph, weights, self_pairs=mode)
        return
    codes = optimal_alignment(graph, weights, self_pairs=mode)
    assert codes.shape == (n_domains, 2 * freedom)
    np.testing.assert_allclose(codes.sum(axis=1), 1)
    loss = optimal_discriminator_loss(codes, graph, weights, self_pairs=mode, balance=balance)
    bound = entropy_bound(graph, weights, self_pairs=mode, balance=balance)
    assert loss == pytest.approx(bound, abs=1e-9)
    assert domain_information(codes, weights) > 1e-6


@given(st.integers(2, 9), st.integers(0, 10**6))
def test_free_directions_satisfy_the_derived_conditions_and_are_independent(n_domains, seed):
    graph, weights, _ = random_case(n_domains, seed)
    directions = free_directions(graph, weights)
    np.testing.assert_allclose(directions.sum(axis=1), 0, atol=1e-8)
    np.testing.assert_allclose(directions @ graph @ weights, 0, atol=1e-8)
    np.testing.assert_allclose(directions @ graph @ directions.T, 0, atol=1e-8)
    if len(directions):
        assert np.linalg.matrix_rank(directions) == len(directions)


@given(st.integers(2, 9), st.integers(0, 10**6))
def test_the_freedom_does_not_depend_on_the_domains_order(n_domains, seed):
    graph, weights, generator = random_case(n_domains, seed)
    order = generator.permutation(n_domains)
    moved = alignment_freedom(graph[np.ix_(order, order)], weights[order])
    assert alignment_freedom(graph, weights) == moved


@pytest.mark.parametrize("share", [0.1, 0.3, 0.7])
def test_an_alignment_off_the_free_directions_falls_below_the_bound(share):
    codes = np.full((6, 2), 0.5)
    codes[0] += [share / 2, -share / 2]
    graph = clique_graph(6)
    # The gap grows with the fourth power of the deviation: near uniform alignment there is next to no force.
    gap = entropy_bound(graph) - optimal_discriminator_loss(codes, graph)
    half = codes.copy()
    half[0] = 0.5 + (codes[0] - 0.5) / 2
    assert gap > 1e-7
    assert gap / (entropy_bound(graph) - optimal_discriminator_loss(half, graph)) == pytest.approx(16, rel=0.15)


def test_the_mixture_map_peaks_at_one_half_each():
    shares = np.linspace(0, 1, 21)
    losses = chain_mixture_losses(shares)
    i, j = np.unravel_index(np.nanargmax(losses), losses.shape)
    assert (shares[i], shares[j]) == (pytest.approx(0.5), pytest.approx(0.5))
    assert losses[i, j] == pytest.approx(entropy_bound(chain_graph(3)), abs=1e-9)
    assert np.isnan(losses[20, 1])
    np.testing.assert_allclose(losses, losses.T, equal_nan=True)


def test_without_self_pairs_the_mixture_map_stays_below_its_bound():
    losses = chain_mixture_losses(np.linspace(0, 1, 11), self_pairs="exclude")
    assert np.nanmax(losses) == pytest.approx(0.4621, abs=5e-5)
    assert np.nanmax(losses) < entropy_bound(chain_graph(3), self_pairs="exclude") - 0.1


def test_a_mixture_of_more_than_everything_is_refused():
    with pytest.raises(DomainsError, match=r"first_share=0\.8"):
        chain_mixture(0.8, 0.3)


def test_information_is_zero_for_uniform_codes_and_log_n_for_separate_ones():
    assert domain_information(np.array(ALIKE)) == pytest.approx(0, abs=1e-12)
    assert domain_information(np.eye(5)) == pytest.approx(np.log(5))
    assert domain_information(np.eye(2), np.array([1, 3])) == pytest.approx(float(binary_entropy(0.25)))


@pytest.mark.parametrize(
    ("codes", "words"),
    [(np.eye(2), r"\(2, 2\); expected \(3, M\)"), (np.eye(3) * 2, "not a distribution"), ([[np.nan] * 2] * 3, "not a")],
)
def test_codes_that_are_no_distributions_are_refused(codes, words):
    with pytest.raises(DomainsError, match=words):
        optimal_discriminator_loss(codes, chain_graph(3))


@pytest.mark.parametrize("weights", [[1, 1], [1, 0, 1], [1, -1, 1], [1, np.nan, 1]])
def test_weights_that_are_no_positive_shares_are_refused(weights):
    with pytest.raises(DomainsError, match="weights must be 3 positive"):
        alignment_freedom(chain_graph(3), np.array(weights))


def test_an_unknown_reading_of_self_pairs_is_refused():
    with pytest.raises(UnknownNameError, match="self_pairs 'include'"):
        alignment_freedom(chain_graph(3), self_pairs="include")
