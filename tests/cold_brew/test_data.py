import pytest
import torch
from torch_geometric.datasets import Planetoid
from torch_geometric.utils import degree, is_undirected

from reprise.cold_brew.data import OptionalDataError, load_graph, sub_topic_world
from reprise.cold_brew.graph import node_homophily
from reprise.data import cache_folder
from reprise.errors import UnknownNameError

KNOWN = {
    "cora": (2708, 1433, 7, 5278, 82.5), "citeseer": (3327, 3703, 6, 4552, 70.6),
    "chameleon": (2277, 2325, 5, 31371, 24.7), "squirrel": (5201, 2089, 5, 198353, 21.7),
    "actor": (7600, 932, 5, 26659, 22.0), "cornell": (183, 1703, 5, 277, 11.1), "texas": (183, 1703, 5, 279, 5.7),
    "wisconsin": (251, 1703, 5, 450, 15.5), "chameleon-filtered": (890, 2325, 5, 8854, 24.4),
    "squirrel-filtered": (2223, 2089, 5, 46998, 19.0), "dblp": (17716, 1639, 4, 52867, 81.3),
    "coauthor-cs": (18333, 6805, 15, 81894, 83.2), "amazon-photo": (7650, 745, 8, 119081, 83.6),
}  # fmt: skip


@pytest.mark.real_data
@pytest.mark.parametrize("name", KNOWN)
def test_a_real_graph_has_its_known_sizes(name):
    data = load_graph(name)
    found = (*data.x.shape, int(data.y.max()) + 1, data.edge_index.shape[1] // 2)
    assert found == KNOWN[name][:4]
    assert node_homophily(data.edge_index, data.y) == pytest.approx(KNOWN[name][4], abs=0.11)
    assert is_undirected(data.edge_index)
    sums = data.x.to_dense().sum(1)
    assert bool((torch.isclose(sums, torch.ones(1), atol=1e-4) | (sums == 0)).all())


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["cora", "citeseer"])
def test_planetoid_graphs_agree_with_the_librarys_reader(name, tmp_path):
    raw = tmp_path / name.capitalize() / "raw"
    raw.mkdir(parents=True)
    for file in (cache_folder() / "planetoid").glob(f"ind.{name}.*"):
        (raw / file.name).symlink_to(file)
    theirs = Planetoid(str(tmp_path), name.capitalize())[0]
    ours = load_graph(name)
    known = ours.y >= 0
    assert int((~known).sum()) == (15 if name == "citeseer" else 0)
    assert torch.equal(ours.y[known], theirs.y[known])
    assert torch.equal(ours.x.to_dense() > 0, theirs.x > 0)
    assert torch.equal(ours.public_train_mask, theirs.train_mask)
    assert torch.equal(ours.public_test_mask, theirs.test_mask)
    edges = theirs.edge_index[:, theirs.edge_index[0] != theirs.edge_index[1]]
    codes = [set((e[0] * 10_000 + e[1]).tolist()) for e in (ours.edge_index, edges)]
    assert codes[0] == codes[1]


@pytest.mark.real_data
def test_table_1_is_met_with_self_loops_counted():
    for name, edges, largest, mean, median in [
        ("cora", 13264, 169, 4.90, 4), ("citeseer", 12431, 100, 3.74, 3), ("chameleon", 65019, 733, 28.55, 13),
    ]:  # fmt: skip
        data = load_graph(name)
        counted = degree(data.edge_index[0], data.num_nodes) + 1
        assert int(counted.sum()) == edges
        assert (int(counted.max()), int(counted.median())) == (largest, median)
        assert float(counted.mean()) == pytest.approx(mean, abs=0.005)


@pytest.mark.real_data
def test_shipped_splits_are_ten_disjoint_ones():
    data = load_graph("chameleon")
    assert data.train_mask.shape == (2277, 10)
    assert (data.train_mask.sum(0), data.val_mask.sum(0), data.test_mask.sum(0))[2].unique().item() == 456
    assert not bool((data.train_mask & data.test_mask).any())


def test_the_world_has_its_degrees_and_is_the_same_for_the_same_seed():
    data, again, other = sub_topic_world(0), sub_topic_world(0), sub_topic_world(1)
    assert torch.equal(data.x, again.x)
    assert torch.equal(data.edge_index, again.edge_index)
    assert not torch.equal(data.x, other.x)
    degrees = degree(data.edge_index[0], data.num_nodes)
    assert is_undirected(data.edge_index)
    assert 3 <= float(degrees.median()) <= 5
    assert 0.03 < float((degrees == 0).float().mean()) < 0.09
    assert float(degrees.max()) > 60


def test_homophily_of_the_world_follows_its_parameter_and_leaves_nodes_unchanged():
    worlds = {h: sub_topic_world(0, homophily=h) for h in (1.0, 0.5, 0.0)}
    found = [node_homophily(w.edge_index, w.y) for w in worlds.values()]
    assert found == sorted(found, reverse=True)
    assert torch.equal(worlds[1.0].x, worlds[0.0].x)
    edges = worlds[1.0].edge_index
    assert torch.equal(worlds[1.0].y[edges[0]], worlds[1.0].y[edges[1]])
    assert found[2] < 30


def test_a_sub_topic_belongs_to_one_class(world):
    assert torch.equal(world.y, world.sub_topic // 6)


def test_a_homophily_that_is_no_probability_is_refused():
    with pytest.raises(ValueError, match=r"homophily=1\.5"):
        sub_topic_world(0, homophily=1.5)


def test_unknown_graphs_are_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match="did you mean 'cora'"):
        load_graph("coro")


@pytest.mark.parametrize("name", ["pubmed", "arxiv"])
def test_optional_graphs_say_what_to_provide(name, tmp_path, monkeypatch):
    monkeypatch.setenv("REPRISE_DATA", str(tmp_path))
    with pytest.raises(OptionalDataError, match="REPRISE_DATA"):
        load_graph(name)
