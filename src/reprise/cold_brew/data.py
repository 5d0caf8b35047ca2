"""The chapter's graphs as PyG ``Data``: the embedded world of sub-topics, and the real graphs read from their files.

Every graph comes undirected, without self-loops or repeated edges; bag-of-words features are sparse and each row
is divided by its sum (a row without words stays zero); a node without a label has y = −1.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.utils import coalesce, remove_self_loops, to_undirected

from reprise.cold_brew.checks import check_real, check_whole
from reprise.compute import numpy_generator
from reprise.errors import RepriseError, unknown_name

EMBEDDED = "sub-topics"
SHARE_FOR_SPARSE = 0.1


def sub_topic_world(
    seed: int,
    *,
    n_nodes: int = 1500,
    n_classes: int = 5,
    n_sub_topics: int = 6,
    n_features: int = 64,
    homophily: float = 0.8,
    signal: float = 0.55,
    mean_degree: float = 8.0,
) -> Data:
    """Draw a degree-corrected block model whose classes are made of sub-topics.

    The features tell the sub-topic, not the class: a sub-topic with few labelled members has to be learnt from the
    graph, and a student can then recognise it in a node that has no edges. Degrees are heavy-tailed.

    Parameters
    ----------
    seed
        Which world.
    n_nodes, n_classes, n_sub_topics, n_features
        N, classes, sub-topics in each class, F.
    homophily
        Probability h that an edge stays in its class by choice (a random end may be of the class by chance).
    signal
        Length of a sub-topic's mean, in standard deviations of the noise; smaller is harder.
    mean_degree
        Mean number of edge ends drawn for a node; loops and repetitions among them are dropped.

    Returns
    -------
    Data
        ``x (N, F)`` float, ``edge_index``, ``y (N,)`` class, ``sub_topic (N,)``.

    Raises
    ------
    ValueError
        For a number out of range; names it.

    Examples
    --------
    >>> sub_topic_world(0, n_nodes=100).x.shape
    torch.Size([100, 64])
    """
    if not 0 <= homophily <= 1:
        raise ValueError(f"homophily={homophily} is not a probability; give a number from 0 to 1.")
    counts = {"n_nodes": n_nodes, "n_classes": n_classes, "n_sub_topics": n_sub_topics, "n_features": n_features}
    for name, count in counts.items():
        check_whole(name, count)
    check_real("signal", signal)
    check_real("mean_degree", mean_degree)
    nodes = numpy_generator(seed, "cold_brew", EMBEDDED, "nodes")
    sub_topic = nodes.integers(n_classes * n_sub_topics, size=n_nodes)
    label = sub_topic // n_sub_topics
    means = nodes.standard_normal((n_classes * n_sub_topics, n_features))
    x = signal * means[sub_topic] + nodes.standard_normal((n_nodes, n_features))
    propensity = np.minimum(nodes.pareto(1.6, n_nodes) + 0.25, 60.0)
    links = numpy_generator(seed, "cold_brew", EMBEDDED, "edges")
    edges = _draw_edges(links, label, propensity, round(mean_degree * n_nodes / 2), homophily)
    return Data(
        x=torch.as_tensor(x, dtype=torch.float32),
        edge_index=_undirected(torch.as_tensor(edges), n_nodes),
        y=torch.as_tensor(label, dtype=torch.long),
        sub_topic=torch.as_tensor(sub_topic, dtype=torch.long),
        name=EMBEDDED,
    )


def _draw_edges(
    generator: np.random.Generator, label: np.ndarray, propensity: np.ndarray, n_edges: int, homophily: float
) -> np.ndarray:
    share = propensity / propensity.sum()
    source = generator.choice(label.size, size=n_edges, p=share)
    target = generator.choice(label.size, size=n_edges, p=share)
    stays = generator.random(n_edges) < homophily
    for own in np.unique(label):
        members = np.flatnonzero(label == own)
        places = np.flatnonzero(stays & (label[source] == own))
        inside = share[members] / share[members].sum()
        target[places] = generator.choice(members, size=places.size, p=inside)
    return np.stack([source, target])


def load_graph(name: str, *, seed: int = 0) -> Data:
    """Return a graph by its name in the catalogue.

    Parameters
    ----------
    name
        ``"sub-topics"`` (embedded), ``"cora"``, ``"citeseer"``, ``"chameleon"``, …; ``"pubmed"`` and ``"arxiv"`` only
        if their files are in the data cache, since the registry does not hold them.
    seed
        Which world, for embedded data; real graphs do not depend on it.

    Returns
    -------
    Data
        ``x`` (dense, or CSR where it is sparse), ``edge_index``, ``y``, and, where the source ships ten splits,
        ``train_mask``, ``val_mask``, ``test_mask`` of shape ``(N, 10)``.

    Raises
    ------
    UnknownNameError
        If there is no such graph.
    reprise.data.DataError
        If its files are neither in the cache nor to be fetched.
    """
    if name == EMBEDDED:
        return sub_topic_world(seed)
    if name not in _READERS:
        raise unknown_name("graph", name, [EMBEDDED, *_READERS])
    reader, path = _READERS[name]
    data = reader(path)
    data.name = name
    return data


def _planetoid(name: str) -> Data:
    from reprise.data import GRAPH_NAMES, fetch, load_pickle

    def read(part: str) -> Any:
        return load_pickle(fetch(f"planetoid/ind.{name}.{part}"), GRAPH_NAMES)

    x_all, y_all, x_test, y_test, graph = (read(part) for part in ("allx", "ally", "tx", "ty", "graph"))
    order = np.loadtxt(fetch(f"planetoid/ind.{name}.test.index"), dtype=np.int64)
    n_nodes = max(len(graph), int(order.max()) + 1)
    # Citeseer lacks 15 of the test nodes: they keep an empty row, no label, and belong to no mask.
    place = sp.csr_matrix((np.ones(order.size), (order, np.arange(order.size))), shape=(n_nodes, order.size))
    top = sp.vstack([sp.csr_matrix(x_all), sp.csr_matrix((n_nodes - x_all.shape[0], x_all.shape[1]))])
    y = np.full(n_nodes, -1)
    y[: len(y_all)] = np.where(y_all.any(1), y_all.argmax(1), -1)
    y[order] = np.where(y_test.any(1), y_test.argmax(1), -1)
    pairs = np.array([(u, v) for u, ends in graph.items() for v in ends], dtype=np.int64).T
    n_public = int(read("y").shape[0])
    data = _as_data(top + place @ sp.csr_matrix(x_test), pairs, y)
    data.public_train_mask = torch.arange(n_nodes) < n_public
    data.public_test_mask = torch.zeros(n_nodes, dtype=torch.bool).index_fill_(0, torch.as_tensor(order), True)
    return data


def _heterophilous(path: str) -> Data:
    from reprise.data import fetch, load_npz

    arrays = load_npz(fetch(path))
    data = _as_data(sp.csr_matrix(arrays["node_features"]), arrays["edges"].T, arrays["node_labels"])
    for name, key in (("train_mask", "train_masks"), ("val_mask", "val_masks"), ("test_mask", "test_masks")):
        data[name] = torch.as_tensor(arrays[key]).T.contiguous().bool()
    return data


def _graphdata(path: str) -> Data:
    from reprise.data import fetch, load_object_npz

    arrays = load_object_npz(fetch(path))
    adjacency = arrays["adj_matrix"].tocoo()
    pairs = np.stack([adjacency.row, adjacency.col]).astype(np.int64)
    return _as_data(arrays["node_attr"], pairs, arrays["node_label"])


def _arxiv(folder: str) -> Data:
    import pandas as pd

    from reprise.data import cache_folder

    raw = cache_folder() / folder / "raw"
    if not (raw / "edge.csv.gz").is_file():
        raise OptionalDataError(
            f"ogbn-arxiv is not in the registry (80 MB): unpack https://snap.stanford.edu/ogb/data/nodeproppred/"
            f"arxiv.zip so that {raw}/edge.csv.gz exists, or set REPRISE_DATA to a folder that has it."
        )
    x, pairs, y = (
        pd.read_csv(raw / f"{part}.csv.gz", header=None).to_numpy() for part in ("node-feat", "edge", "node-label")
    )
    data = _as_data(sp.csr_matrix((len(y), 1)), pairs.T, y[:, 0])
    data.x = torch.as_tensor(x, dtype=torch.float32)
    return data


def _pubmed(name: str) -> Data:
    from reprise.data import DataError

    try:
        return _planetoid(name)
    except (DataError, ValueError, KeyError) as error:
        raise OptionalDataError(
            "PubMed is not in the registry: put the eight files ind.pubmed.* of github.com/kimiyoung/planetoid "
            "into the folder planetoid/ of the data cache (REPRISE_DATA)."
        ) from error


class OptionalDataError(RepriseError, FileNotFoundError):
    """A graph that can be used if the reader provides its files, but that is not fetched."""


_READERS: dict[str, tuple[Callable[[str], Data], str]] = {
    "cora": (_planetoid, "cora"),
    "citeseer": (_planetoid, "citeseer"),
    **{
        name: (_heterophilous, f"heterophilous/{name.replace('-', '_')}.npz")
        for name in (
            "chameleon", "squirrel", "chameleon-filtered", "squirrel-filtered",
            "actor", "cornell", "texas", "wisconsin",
        )
    },
    **{
        name: (_graphdata, f"graphdata/{name.replace('-', '_')}.npz")
        for name in ("dblp", "coauthor-cs", "amazon-photo")
    },
    "pubmed": (_pubmed, "pubmed"),
    "arxiv": (_arxiv, "ogbn_arxiv"),
}  # fmt: skip


def _as_data(features: Any, pairs: np.ndarray, labels: np.ndarray) -> Data:
    return Data(
        x=_row_normalised(sp.csr_matrix(features)),
        edge_index=_undirected(torch.as_tensor(np.ascontiguousarray(pairs), dtype=torch.long), len(labels)),
        y=torch.as_tensor(np.asarray(labels), dtype=torch.long),
    )


def _row_normalised(features: sp.csr_matrix) -> Tensor:
    sums = np.asarray(features.sum(1)).ravel()
    scale = np.divide(1.0, sums, out=np.zeros_like(sums, dtype=np.float64), where=sums != 0)
    scaled = sp.csr_matrix(sp.diags(scale) @ features).astype(np.float32)
    if scaled.nnz > SHARE_FOR_SPARSE * scaled.shape[0] * scaled.shape[1]:
        return torch.as_tensor(scaled.toarray())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support", category=UserWarning)
        return torch.sparse_csr_tensor(
            torch.as_tensor(scaled.indptr.astype(np.int64)),
            torch.as_tensor(scaled.indices.astype(np.int64)),
            torch.as_tensor(scaled.data),
            scaled.shape,
            check_invariants=False,
        )


def _undirected(pairs: Tensor, n_nodes: int) -> Tensor:
    edges, _ = remove_self_loops(pairs)
    return coalesce(to_undirected(edges, num_nodes=n_nodes), num_nodes=n_nodes)
