"""The label tree against a split-by-split reference, and its shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.preprocessing import normalize

from reprise.giant_xrt.input_checks import GiantInputError
from reprise.giant_xrt.trees import _bounds, balanced_order, label_tree, random_tree, starting_pairs


def split_by_hand(z, first, second, n_iter=20):
    """Split one set of vectors as the paper says; return which members go left."""
    direction = z[first] - z[second]
    left = None
    for _ in range(n_iter):
        scores = (z @ direction).astype(np.float32)
        ranking = sorted(range(len(z)), key=lambda i: (scores[i], i))
        now = set(ranking[: len(z) // 2])
        if now == left:
            break
        left = now
        mine = np.array([i in left for i in range(len(z))])
        halves = [z[mine].sum(axis=0), z[~mine].sum(axis=0)]
        halves = [one / max(np.linalg.norm(one), 1e-12) for one in halves]
        direction = halves[1] - halves[0]
    return left


def tree_by_hand(z, depth, seed):
    generator = np.random.default_rng(seed)
    segments = [np.arange(len(z))]
    for _ in range(depth):
        pairs = starting_pairs(np.array([len(s) for s in segments]), generator)
        halves = []
        for members, first, second in zip(segments, *pairs, strict=True):
            left = split_by_hand(z[members], first, second)
            mine = np.array([i in left for i in range(len(members))], dtype=bool)
            halves += [members[mine], members[~mine]]
        segments = halves
    leaf = np.empty(len(z), dtype=np.int64)
    for number, members in enumerate(segments):
        leaf[members] = number
    return leaf


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_all_splits_of_a_level_together_give_what_one_by_one_gives(seed, make):
    generator = np.random.default_rng(seed)
    z = normalize(generator.normal(size=(53, 7)) + 3 * generator.integers(0, 4, (53, 1)) * np.eye(7)[0])
    z = z.astype(np.float32)
    depth = 4
    order = balanced_order(make(z), depth, np.random.default_rng(seed))
    leaf = np.empty(len(z), dtype=np.int64)
    leaf[order] = np.repeat(np.arange(2**depth), np.diff(_bounds(len(z), depth)))
    assert (leaf == tree_by_hand(z, depth, seed)).all()


@given(st.integers(2, 200), st.integers(1, 7), st.integers(0, 10**6))
def test_every_split_is_balanced(n, depth, seed):
    if 2**depth > n:
        return
    z = normalize(np.random.default_rng(seed).normal(size=(n, 3)))
    tree = label_tree(z, seed=seed, depths=(depth,))
    sizes = np.bincount(tree.leaf, minlength=2**depth)
    assert sizes.sum() == n
    assert sizes.max() - sizes.min() <= 1


def test_planted_clusters_are_found():
    centres = np.eye(8)[np.repeat(np.arange(8), 20)]
    z = normalize(centres + 0.05 * np.random.default_rng(0).normal(size=centres.shape))
    tree = label_tree(z, max_leaf=20, nr_splits=2, min_codes=2, seed=1)
    assert tree.levels == [2, 4, 8]
    purity = [np.bincount(tree.codes(0)[20 * c : 20 * c + 20]).max() for c in range(8)]
    assert np.mean(purity) > 18


@pytest.mark.parametrize(
    ("n", "min_codes", "levels"),
    [(169_343, 32, [32, 128, 512, 2048]), (2_449_029, 128, [128, 512, 2048, 8192, 32768])],
)
def test_levels_of_the_papers_graphs_are_those_of_its_configuration(n, min_codes, levels):
    from reprise.giant_xrt.trees import LabelTree, tree_shape

    depth, shifts = tree_shape(n, 100, 4, min_codes)
    assert LabelTree(np.zeros(1, dtype=np.int64), depth, shifts).levels == levels


def test_depths_read_levels_off_the_binary_tree_and_the_chain_nests():
    z = normalize(np.random.default_rng(2).normal(size=(300, 5)))
    tree = label_tree(z, depths=(3, 5, 7))
    assert tree.levels == [8, 32, 128]
    chain = tree.chain
    assert [one.shape for one in chain] == [(8, 1), (32, 8), (128, 32), (300, 128)]
    down = chain[3]
    for level in (2, 1, 0):
        assert (down.toarray().argmax(axis=1) == tree.codes(level)).all()
        down = down @ chain[level] if level else down
    assert (tree.codes(1) == tree.parents(2)[tree.codes(2)]).all()


def test_isolated_labels_with_zero_vectors_do_no_harm():
    z = np.vstack([normalize(np.random.default_rng(0).normal(size=(20, 3))), np.zeros((12, 3))])
    tree = label_tree(z, depths=(1, 3))
    assert np.bincount(tree.leaf).tolist() == [4] * 8


def test_equal_seeds_give_equal_trees_and_a_random_tree_has_the_same_shape():
    z = normalize(np.random.default_rng(3).normal(size=(100, 4)))
    one, other = label_tree(z, 10, seed=5), label_tree(z, 10, seed=5)
    assert (one.leaf == other.leaf).all()
    shuffled = random_tree(one, 0)
    assert (np.bincount(shuffled.leaf) == np.bincount(one.leaf)).all()
    assert (shuffled.leaf != one.leaf).any()


def test_shapes_that_cannot_be_are_refused():
    z = np.eye(10)
    with pytest.raises(GiantInputError, match="16 leaves but there are 10 labels; use a depth from 1 to 3"):
        label_tree(z, depths=(2, 4))
    with pytest.raises(GiantInputError, match="nr_splits=3 is no power of two"):
        label_tree(z, 2, nr_splits=3)
    with pytest.raises(GiantInputError, match="min_codes=12 is no power of two"):
        label_tree(z, 2, min_codes=12)
    with pytest.raises(GiantInputError, match="must be rising"):
        label_tree(z, depths=(3, 2))
    with pytest.warns(UserWarning, match="single leaf, there is nothing to learn; try max_leaf=1"):
        assert label_tree(z, 10).levels == [1]
