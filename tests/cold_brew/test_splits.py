import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data
from torch_geometric.utils import degree, erdos_renyi_graph

from reprise.cold_brew.data import load_graph
from reprise.cold_brew.splits import (
    cold_start_split,
    degree_splits,
    first_nodes_masks,
    label_scarce_masks,
    stratified_masks,
)


@given(st.integers(0, 1000), st.integers(10, 80), st.floats(0.02, 0.4))
def test_groups_are_disjoint_and_isolated_nodes_have_no_edge(seed, n_nodes, density):
    torch.manual_seed(seed)
    split = cold_start_split(erdos_renyi_graph(n_nodes, density), n_nodes, seed=seed)
    counts = split.isolation.int() + split.tail.int() + split.head.int()
    assert int(counts.max()) <= 1
    assert torch.equal(split.isolation, split.degree == 0)
    assert torch.equal(split.degree, degree(split.edge_index[0], n_nodes).long())


def test_the_tail_has_the_lowest_and_the_head_the_highest_degrees_that_are_left():
    torch.manual_seed(0)
    split = cold_start_split(erdos_renyi_graph(200, 0.05), 200)
    rest = split.connected & ~split.tail & ~split.head
    assert split.degree[split.tail].max() <= split.degree[rest].min()
    assert split.degree[split.head].min() >= split.degree[rest].max()
    assert int(split.tail.sum()) == int(split.head.sum()) == 20


def test_removed_and_kept_edges_are_all_edges():
    torch.manual_seed(0)
    edges = erdos_renyi_graph(60, 0.1)
    split = cold_start_split(edges, 60)
    assert split.edge_index.shape[1] + split.removed_edges.shape[1] == edges.shape[1]
    assert bool((split.isolation[split.removed_edges[0]] | split.isolation[split.removed_edges[1]]).all())


def test_ties_are_broken_by_the_seed_in_paper10_and_by_number_in_code_mode():
    ring = torch.stack([torch.arange(40), (torch.arange(40) + 1) % 40])
    edges = torch.cat([ring, ring.flip(0)], 1)
    first, again, other = (cold_start_split(edges, 40, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.isolation, again.isolation)
    assert not torch.equal(first.isolation, other.isolation)
    code = [cold_start_split(edges, 40, mode="code", seed=seed) for seed in (0, 1)]
    assert torch.equal(code[0].isolation, code[1].isolation)
    assert code[0].isolation.nonzero().flatten().tolist() == list(range(20))


CODE_SIZES = {
    "cora": (534, 534, 286), "citeseer": (689, 690, 339), "chameleon": (148, 149, 76), "squirrel": (258, 259, 168),
    "actor": (814, 814, 286), "cornell": (38, 38, 14), "texas": (35, 35, 60), "wisconsin": (67, 67, 23),
}  # fmt: skip


@pytest.mark.real_data
@pytest.mark.parametrize("name", CODE_SIZES)
def test_the_released_codes_groups_have_their_known_sizes(name):
    data = load_graph(name)
    split = cold_start_split(data.edge_index, data.num_nodes, mode="code")
    assert tuple(int(mask.sum()) for mask in (split.isolation, split.tail, split.head)) == CODE_SIZES[name]


@pytest.mark.real_data
def test_code_mode_empties_tail_nodes_and_overlaps_training_as_counted():
    sizes = {}
    for name in ("cora", "citeseer"):
        data = load_graph(name)
        split = cold_start_split(data.edge_index, data.num_nodes, mode="code")
        sizes[name] = int((split.tail & ~split.connected).sum())
    assert sizes == {"cora": 3, "citeseer": 126}
    cora = load_graph("cora")
    isolation = cold_start_split(cora.edge_index, 2708, mode="code").isolation
    assert int((first_nodes_masks(cora.y).train & isolation).sum()) == 146


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"isolation": 0.0}, "isolation=0.0"),
        ({"head": 1.2}, "head=1.2"),
        ({"isolation": 0.5, "tail": 0.4, "head": 0.3}, "= 1.2 is above 1"),
        ({"mode": "other"}, "mode='other'"),
    ],
)
def test_shares_that_make_no_sense_are_refused(options, message, small_graph):
    with pytest.raises(ValueError, match=message):
        cold_start_split(small_graph, 12, **options)


def test_isolating_all_training_nodes_of_a_class_is_refused_by_name():
    path = torch.tensor([[0, 1, 1, 2, 2, 0, 2, 3], [1, 0, 2, 1, 0, 2, 3, 2]])
    data = Data(edge_index=path, y=torch.tensor([0, 0, 0, 4]), num_nodes=4)
    with pytest.raises(ValueError, match="all training nodes of class 4"):
        degree_splits(data, share=0.3, train_mask=torch.ones(4, dtype=torch.bool))


@given(st.integers(0, 100))
def test_stratified_masks_divide_the_labelled_nodes_and_leave_blank_ones_out(seed):
    y = torch.arange(130) % 4 - (torch.arange(130) % 13 == 0).long() * 10
    y = y.clamp(min=-1)
    masks = stratified_masks(y, seed)
    assert torch.equal(masks.train.int() + masks.validation.int() + masks.test.int(), (y >= 0).int())
    for label in range(4):
        assert int((masks.train & (y == label)).sum()) == round(0.48 * int((y == label).sum()))


def test_label_scarce_masks_have_the_asked_number_of_each_class():
    y = torch.arange(300) % 3
    masks = label_scarce_masks(y, 0, per_class=5, validation_per_class=7)
    assert [int((masks.train & (y == c)).sum()) for c in range(3)] == [5, 5, 5]
    assert [int((masks.validation & (y == c)).sum()) for c in range(3)] == [7, 7, 7]


def test_degree_splits_accept_arrays_and_doubles(world):
    expected = degree_splits(world)
    array = Data(x=world.x.double().numpy(), edge_index=world.edge_index.numpy(), y=world.y.numpy())
    found = degree_splits(array, train_mask=(world.y >= 0).numpy())
    assert torch.equal(found.isolation, expected.isolation)


def test_degree_splits_name_what_is_missing_or_out_of_range(world):
    with pytest.raises(ValueError, match="data has no edge_index"):
        degree_splits(Data(x=world.x))
    with pytest.raises(ValueError, match="data has no y"):
        degree_splits(Data(edge_index=world.edge_index), train_mask=world.y >= 0)
    with pytest.raises(ValueError, match="train_mask has shape"):
        degree_splits(world, train_mask=torch.ones(3, dtype=torch.bool))
    for share in (0, 0.4, "0.1", float("nan")):
        with pytest.raises(ValueError, match="share="):
            degree_splits(world, share=share)
    with pytest.raises(ValueError, match="num_nodes=0"):
        cold_start_split(world.edge_index, 0)


def test_fractions_and_counts_of_masks_are_checked():
    y = torch.arange(30) % 3
    for fractions in ((0.0, 0.3), (0.8, 0.2), (0.5, -0.1)):
        with pytest.raises(ValueError, match="fractions="):
            stratified_masks(y, 0, fractions)
    with pytest.raises(ValueError, match="per_class=0"):
        label_scarce_masks(y, 0, per_class=0)
