import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

import reprise.grda
from reprise.errors import RepriseError, UnknownNameError
from reprise.grda.data import (
    DATASETS,
    DomainsError,
    GraphDomains,
    describe,
    hold_out_sources,
    levels,
    load,
    permute_rows_within_domains,
    row_label_agreement,
    shuffle,
)
from reprise.grda.generators import make_dg
from reprise.grda.graphs import chain_graph
from reprise.grda.scores import accuracy_by_domain, squared_error_by_domain
from reprise.grda.shipped import TPT_SOURCES, read_dg, read_temperatures, read_tpt, read_us_graph, windows

real = pytest.mark.real_data


@pytest.fixture(scope="module")
def small():
    return make_dg(8, points_per_class=5, n_sources=3, seed=3)


def sorted_rows(domains):
    table = np.column_stack([domains.domain, domains.targets, domains.features])
    return table[np.lexsort(table.T)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "ranking"}, "task is 'ranking'"),
        ({"features": lambda d: d.features[:-1]}, "expected"),
        ({"features": lambda d: np.where(d.features > 0, np.nan, d.features)}, "features has entries that are NaN"),
        ({"features": lambda d: d.features.astype(int)}, "features has the type int64"),
        ({"targets": lambda d: d.targets.astype(float)}, "targets has the type float64"),
        ({"targets": lambda d: d.targets[:, None]}, "targets has the shape"),
        ({"domain": lambda d: np.where(d.domain == 2, 1, d.domain)}, "domain 2 has no rows"),
        ({"domain": lambda d: d.domain + 1}, "names the domain 8"),
        ({"adjacency": lambda d: chain_graph(5)}, "5 nodes.*8 domains"),
        ({"source": lambda d: np.zeros(8, dtype=bool)}, "source marks no domain"),
        ({"source": lambda d: d.source.astype(int)}, "source has the type"),
        ({"positions": lambda d: d.positions[:, :1]}, "positions has the shape"),
        ({"embedding": lambda d: np.zeros((3, 2))}, "embedding has the shape"),
        ({"evaluation": lambda d: d.evaluation.astype(float)}, "evaluation has the type"),
        ({"phase": lambda d: np.zeros(3, dtype=int)}, "phase has the shape"),
        ({"angle": lambda d: np.zeros(3)}, "angle has the shape"),
        ({"target_scale": 0.0}, "target_scale is 0"),
    ],
)
def test_parts_that_disagree_are_refused(small, changes, words):
    values = {key: value(small) if callable(value) else value for key, value in changes.items()}
    with pytest.raises(DomainsError, match=words):
        replace(small, **values)


def test_an_empty_domain_list_of_features_is_refused(small):
    with pytest.raises(DomainsError):
        replace(small, features=small.features[:, 0])


def test_permuting_within_domains_keeps_rows_together_and_domains_in_place(small):
    permuted = permute_rows_within_domains(small, np.random.default_rng(0))
    np.testing.assert_array_equal(permuted.domain, small.domain)
    np.testing.assert_array_equal(sorted_rows(permuted), sorted_rows(small))
    assert (permuted.features != small.features).any()


def test_shuffling_keeps_rows_together(small):
    shuffled = shuffle(small, np.random.default_rng(0))
    assert (shuffled.domain != small.domain).any()
    np.testing.assert_array_equal(sorted_rows(shuffled), sorted_rows(small))
    assert all(getattr(shuffled, f.name) is not None for f in fields(shuffled) if f.name in ("targets", "adaptation"))


def test_the_sorted_order_tells_labels_and_a_permuted_one_does_not():
    sorted_domains = make_dg(15, ordered=True)
    assert row_label_agreement(sorted_domains.targets, sorted_domains.domain) == (1.0, 0.5)
    permuted = permute_rows_within_domains(sorted_domains, np.random.default_rng(0))
    paired, independent = row_label_agreement(permuted.targets, permuted.domain)
    assert independent == 0.5
    assert abs(paired - 0.5) < 0.02


def test_one_domain_has_no_pairs():
    assert row_label_agreement(np.array([0, 1]), np.array([0, 0])) == (0.0, 0.0)


def test_labelled_rows_are_those_of_the_sources(small):
    np.testing.assert_array_equal(small.labelled, small.source[small.domain])
    assert not (small.labelled & small.evaluation).any()
    assert small.n_outputs == 2


def chain_of_windows():
    """Six states in a row, the last two unlabelled; sources have windows of every month, targets those of January."""
    months = [12, 12, 12, 12, 2, 2]
    domain = np.repeat(np.arange(6), months)
    n_rows = len(domain)
    source = np.array([True, True, True, True, False, False])
    return GraphDomains(
        name="chain",
        task="regression",
        features=np.arange(6.0 * n_rows).reshape(n_rows, 6),
        targets=np.arange(6.0 * n_rows).reshape(n_rows, 6) + 6,
        domain=domain,
        adjacency=chain_graph(6),
        source=source,
        domain_names=tuple("ABCDEF"),
        positions=np.zeros((6, 2)),
        embedding=None,
        adaptation=np.ones(n_rows, dtype=bool),
        evaluation=~source[domain],
        phase=np.concatenate([np.arange(12)] * 4 + [np.zeros(4, dtype=int)]),
    )


def test_the_sources_nearest_to_the_targets_are_held_out():
    domains = chain_of_windows()
    assert hold_out_sources(domains, 0.5).source.tolist() == [True, True, False, False, False, False]
    assert hold_out_sources(domains).source.tolist() == [True, True, True, False, False, False]
    assert hold_out_sources(domains, 1.0).source.sum() == 1


def test_of_sources_equally_near_the_one_with_more_neighbouring_targets_is_held_out():
    domains = chain_of_windows()
    graph = domains.adjacency.copy()
    for i, j in [(1, 4), (1, 5), (0, 4)]:
        graph[i, j] = graph[j, i] = 1
    held = hold_out_sources(replace(domains, adjacency=graph), 0.25)
    assert held.source.tolist() == [True, False, True, True, False, False]


def test_held_out_sources_have_the_windows_of_targets_and_alone_are_scored():
    domains = chain_of_windows()
    held = hold_out_sources(domains, 0.5)
    assert np.bincount(held.domain).tolist() == [12, 12, 1, 1, 2, 2]
    pseudo = np.isin(held.domain, (2, 3))
    assert (held.phase[pseudo] == 0).all()
    np.testing.assert_array_equal(held.evaluation, pseudo)
    np.testing.assert_array_equal(held.targets[pseudo], domains.targets[[24, 36]])
    np.testing.assert_array_equal(held.labelled, np.isin(held.domain, (0, 1)))


def test_holding_out_leaves_graph_and_inputs_and_depends_on_no_target_label():
    domains = chain_of_windows()
    unknown = np.where(domains.source[domains.domain][:, None], domains.targets, -7.0)
    held, again = hold_out_sources(domains), hold_out_sources(replace(domains, targets=unknown))
    np.testing.assert_array_equal(held.adjacency, domains.adjacency)
    np.testing.assert_array_equal(held.targets, again.targets)
    np.testing.assert_array_equal(held.source, again.source)
    target_rows = ~domains.source[domains.domain]
    np.testing.assert_array_equal(held.features[-4:], domains.features[target_rows])
    assert (held.targets[-4:] == 0).all()


def test_holding_out_needs_two_sources_and_a_target():
    domains = chain_of_windows()
    for source in (np.ones(6, dtype=bool), np.arange(6) == 0):
        with pytest.raises(DomainsError, match="source marks"):
            hold_out_sources(replace(domains, source=source))


@real
@pytest.mark.parametrize(
    ("task", "expected"), [("east-west", "AL FL GA IN KY MI MO TN"), ("north-south", "IA ID IL NE OH OR PA WY")]
)
def test_a_third_of_the_labelled_states_at_the_border_is_held_out(task, expected):
    domains = load(f"tpt-48-{task}")
    held = hold_out_sources(domains)
    pseudo = domains.source & ~held.source
    assert {domains.domain_names[i] for i in np.flatnonzero(pseudo)} == set(expected.split())
    assert set(np.bincount(held.domain)[pseudo]) == {12}
    assert set(np.bincount(held.domain)[held.source]) == {133}


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'dg-15'"):
        load("dg15")


@pytest.mark.parametrize("name", [name for name in DATASETS if "generated" in name or "digits" in name])
def test_generated_data_follow_their_seed_and_name(name):
    first, again, other = load(name, 1), load(name, 1), load(name, 2)
    assert first.name == name
    np.testing.assert_array_equal(first.features, again.features)
    assert (first.features != other.features).any()


def test_accuracy_is_that_of_scored_rows_only(small):
    wrong_on_sources = np.where(small.evaluation, small.targets, 1 - small.targets)
    accuracy = accuracy_by_domain(small, wrong_on_sources)
    assert np.isnan(accuracy[small.source]).all()
    assert (accuracy[~small.source] == 100).all()


def test_squared_errors_have_the_three_units(small):
    targets = np.zeros((small.n_rows, 6))
    task = replace(small, task="regression", targets=targets, target_scale=10.0)
    predictions = targets + 0.5
    target = ~small.source
    assert squared_error_by_domain(task, predictions)[target] == pytest.approx(0.25)
    assert squared_error_by_domain(task, predictions, summed=True)[target] == pytest.approx(1.5)
    assert squared_error_by_domain(task, predictions, degrees=True)[target] == pytest.approx(25.0)
    assert task.n_outputs == 6


def test_windows_are_six_months_and_the_six_that_follow():
    inputs, outputs = windows(np.arange(24.0)[None], np.array([0, 12]))
    assert inputs[0, 1].tolist() == [12, 13, 14, 15, 16, 17]
    assert outputs[0, 1].tolist() == [18, 19, 20, 21, 22, 23]


def test_a_node_without_data_is_left_out_with_a_note(tmp_path):
    path = tmp_path / "map.txt"
    path.write_text("MD VA\nDC MD\nDC VA\n\n")
    graph, notes = read_us_graph(path, ("MD", "VA"))
    assert graph.tolist() == [[0, 1], [1, 0]]
    assert notes == ("DC left out of the graph with its 2 edges: no data.",)


def test_there_are_no_other_published_sets():
    with pytest.raises(DomainsError, match="n_domains is 30"):
        read_dg(30)
    with pytest.raises(UnknownNameError, match="TPT-48 task"):
        read_tpt("west-east")


def test_a_changed_file_is_refused_before_it_is_read(tmp_path, monkeypatch):
    target = tmp_path / "grda" / "toy" / "toy_d15_spiral_tight_boundary.pkl"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"not the published bytes")
    monkeypatch.setenv("REPRISE_DATA", str(tmp_path))
    with pytest.raises(RepriseError, match="toy_d15_spiral_tight_boundary"):
        read_dg(15)


@real
@pytest.mark.parametrize(
    ("name", "edges", "hops", "sources"),
    [
        ("dg-15", 56, {1: 6, 2: 3}, {0, 12, 3, 4, 14, 8}),
        ("dg-60", 545, {1: 18, 2: 26, 3: 10}, {2, 14, 41, 23, 59, 33}),
    ],
)
def test_the_published_dg_sets_have_the_described_graph(name, edges, hops, sources):
    domains = load(name)
    figures = describe(domains)
    assert (figures["edges"], figures["diameter"], figures["targets_per_hop"]) == (edges, 4, hops)
    assert set(np.flatnonzero(domains.source)) == sources
    assert domains.embedding.shape == (domains.n_domains, 2)


@real
@pytest.mark.parametrize("name", ["dg-15", "dg-60"])
def test_the_published_dg_sets_are_sorted_by_label_and_follow_the_recipe(name):
    domains = load(name)
    assert row_label_agreement(domains.targets, domains.domain) == (1.0, 0.5)
    centres = (1 - 2 * domains.targets)[:, None] * domains.positions[domains.domain]
    radius = np.linalg.norm(domains.features - centres, axis=1)
    # All points lie in unit discs around the reconstructed centres, and reach their rim.
    assert radius.max() == pytest.approx(1, abs=1e-4)
    assert radius.max() <= 1


@real
def test_the_shipped_embedding_tracks_the_angle_and_scores_edges():
    from sklearn.metrics import roc_auc_score

    for name, auc in [("dg-15", 0.92), ("dg-60", 0.95)]:
        domains = load(name)
        pairs = np.triu_indices(domains.n_domains, 1)
        scores = (domains.embedding @ domains.embedding.T)[pairs]
        assert roc_auc_score(domains.adjacency[pairs], scores) == pytest.approx(auc, abs=0.006)


@real
@pytest.mark.parametrize(
    ("task", "scale", "counts", "second"),
    [
        ("east-west", 17.51, (24, 8, 7, 9), {"CO", "LA", "MN", "NM", "SD", "TX", "WY"}),
        ("north-south", 17.28, (24, 10, 6, 8), {"AR", "AZ", "NM", "OK", "TN", "VA"}),
    ],
)
def test_the_tpt_tasks_have_the_described_levels_and_windows(task, scale, counts, second):
    domains = load(f"tpt-48-{task}")
    level = levels(domains.adjacency, domains.source)
    assert tuple(np.bincount(level)) == counts
    assert {domains.domain_names[i] for i in np.flatnonzero(level == 2)} == second
    assert domains.target_scale == pytest.approx(scale, abs=0.005)
    rows = np.bincount(domains.domain)
    assert set(rows[domains.source]) == {133}
    assert set(rows[~domains.source]) == {12}
    assert set(domains.phase[domains.evaluation]) == {0}
    assert domains.notes == ("DC left out of the graph with its 2 edges: no data.",)
    figures = describe(domains)
    assert (figures["domains"], figures["edges"], figures["diameter"]) == (48, 105, 11)


@real
def test_the_temperatures_have_the_described_moments_and_the_windows_undo_the_normalisation():
    states, temperature = read_temperatures()
    assert temperature.shape == (48, 144)
    assert temperature.mean() == pytest.approx(52.90, abs=0.005)
    assert temperature.std() == pytest.approx(17.75, abs=0.005)
    domains = load("tpt-48-east-west")
    assert {states[i] for i in np.flatnonzero(domains.source)} == set(TPT_SOURCES["east-west"].split())
    texas = domains.rows_of(states.index("TX"))
    degrees = domains.features[texas] * domains.target_scale
    expected = temperature[states.index("TX")].reshape(12, 12)[:, :6]
    np.testing.assert_allclose(degrees - degrees[0, 0], expected - expected[0, 0], atol=1e-9)


def test_importing_the_package_imports_neither_numpy_nor_torch():
    program = "import sys, reprise.grda; print({'numpy', 'torch'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "set()"


def test_public_names_come_from_their_modules():
    assert reprise.grda.make_dg is make_dg
    assert "GRDAClassifier" in dir(reprise.grda)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = reprise.grda.nothing


def test_the_printed_overall_errors_are_the_weighted_means_of_the_printed_levels():
    import pandas as pd

    table = pd.read_csv(reprise.grda.__path__[0] + "/published.csv")
    assert len(table) == 2 * 6 + 2 * 4 * 6 + 6
    assert not table.duplicated(["dataset", "split", "method", "metric"]).any()
    counts = {"tpt-48-east-west": (8, 7, 9), "tpt-48-north-south": (10, 6, 8)}
    for (name, _), rows in table[table.metric == "mse_sum"].groupby(["dataset", "method"]):
        value = rows.set_index("split").value
        mean = np.average(value[["level 1", "level 2", "level 3"]], weights=counts[name])
        assert mean == pytest.approx(value["target"], abs=0.002)
