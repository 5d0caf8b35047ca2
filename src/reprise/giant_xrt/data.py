"""The data sets as graphs with texts: CiteSeer, films, co-authors, the embedded block model; ogbn-arxiv where it is."""

from __future__ import annotations

import gzip
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy import sparse

from reprise.compute import numpy_generator
from reprise.data import DataError, fetch, load_npz, load_object_npz
from reprise.errors import unknown_name
from reprise.giant_xrt.generators import text_blocks
from reprise.giant_xrt.input_checks import check_adjacency

logger = logging.getLogger("reprise.giant_xrt")

DATA_SETS = ("text-blocks", "citeseer-text", "movie-plots", "coauthor-cs", "ogbn-arxiv")
N_VALIDATION = 500
N_GENRES = 8
FILM_FIELDS = (
    "id",
    "title",
    "year",
    "certificate",
    "date",
    "genres",
    "director",
    "writers",
    "actors",
    "plot",
    "poster",
)
MISSING_FIELD = "N/A"
REGIMES = ("20 per class", "60 %")


@dataclass(frozen=True)
class TextGraph:
    """A graph whose nodes have texts and classes.

    Attributes
    ----------
    name
        Of the data set.
    texts
        One a node.
    adjacency
        Undirected, 0/1, without self-loops, ``(n, n)``.
    labels
        Class of each node, 0 .. C−1, ``(n,)``.
    class_names
        Name of each class.
    words
        Graph-agnostic features that the data set ships, sparse ``(n, d)``, or None.
    dropped
        How many nodes of the source were left out for want of a text or a class.
    """

    name: str
    texts: tuple[str, ...]
    adjacency: sparse.csr_array
    labels: np.ndarray
    class_names: tuple[str, ...]
    words: sparse.csr_array | None = None
    dropped: int = 0

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.texts)

    @property
    def degrees(self) -> np.ndarray:
        """Number of neighbours of each node, ``(n,)``."""
        return np.diff(self.adjacency.indptr)

    @property
    def homophily(self) -> float:
        """Share of edges that join nodes of one class."""
        edges = self.adjacency.tocoo().coords
        return float((self.labels[edges[0]] == self.labels[edges[1]]).mean())


@dataclass(frozen=True)
class Split:
    """Node numbers of training, validation and test."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split_of(graph: TextGraph, regime: str, seed: int) -> Split:
    """Draw a split.

    Parameters
    ----------
    graph
        Whose nodes.
    regime
        ``"N per class"``: N training nodes of each class, 500 for validation, the rest test; ``"60 %"``: a random 60 %
        for training, 20 % for validation, 20 % test.
    seed
        Of the split; the test nodes of one seed differ between regimes.
    """
    generator = numpy_generator(seed, "giant-xrt", graph.name, "split")
    order = generator.permutation(graph.n_nodes)
    if regime == "60 %":
        first, second = round(0.6 * len(order)), round(0.8 * len(order))
        return Split(*(np.sort(part) for part in np.split(order, [first, second])))
    per_class = int(regime.split()[0])
    of_class = [order[graph.labels[order] == label][:per_class] for label in range(len(graph.class_names))]
    train = np.concatenate(of_class)
    rest = order[~np.isin(order, train)]
    n_validation = min(N_VALIDATION, len(rest) // 2)
    return Split(np.sort(train), np.sort(rest[:n_validation]), np.sort(rest[n_validation:]))


@cache
def load(name: str) -> TextGraph:
    """Load a data set.

    Raises
    ------
    UnknownNameError
        If there is no such data set.
    DataError
        If a file, or what is needed to read it, is missing.
    """
    readers = dict(zip(DATA_SETS, (_blocks, _citeseer, _films, _coauthors, _arxiv), strict=True))
    if name not in readers:
        raise unknown_name("data set", name, list(DATA_SETS))
    return readers[name]()


def _blocks() -> TextGraph:
    drawn = text_blocks()
    names = tuple(f"class {label}" for label in range(int(drawn.labels.max()) + 1))
    return TextGraph("text-blocks", drawn.texts, drawn.adjacency, drawn.labels, names)


def _citeseer() -> TextGraph:
    lines = fetch("citeseer-text/citeseer_texts.txt").read_text("utf-8").rstrip("\n").split("\n")
    identifiers, texts, classes = lines[::3], lines[1::3], lines[2::3]
    place = {identifier: number for number, identifier in enumerate(identifiers)}
    citations = fetch("citeseer-text/citeseer.cites").read_text("utf-8").splitlines()
    pairs = [line.split("\t") for line in citations if line.strip()]
    known = np.array([(place[a], place[b]) for a, b in pairs if a in place and b in place])
    plain = load_npz(fetch("citeseer-text/citeseer_bow.npz"))
    shipped = {str(one): row for row, one in enumerate(plain["node_names"])}
    rows = [shipped[one] for one in identifiers]
    parts = (plain["attr_data"], plain["attr_indices"], plain["attr_indptr"])
    words = sparse.csr_array(parts, shape=tuple(plain["attr_shape"]))[rows].astype(np.float32)
    dropped = len(shipped) - len(identifiers)
    logger.info("%d papers of CiteSeer have no text and are left out with their citations.", dropped)
    names = tuple(sorted(set(classes)))
    labels = np.array([names.index(one) for one in classes])
    graph = check_adjacency(known.T, len(texts))
    return TextGraph("citeseer-text", tuple(texts), graph, labels, names, words, dropped)


def _films() -> TextGraph:
    content = fetch("movie-plots/movies_extrainfos.dat").read_text("utf-8")
    found = [dict(zip(FILM_FIELDS, line.split("::"), strict=True)) for line in content.splitlines() if line.strip()]
    first = np.array([film["genres"].split(",")[0].strip() for film in found])
    names, counts = np.unique(first, return_counts=True)
    kept_names = tuple(sorted(names[np.argsort(-counts, kind="stable")][:N_GENRES].tolist()))
    kept = [number for number, genre in enumerate(first) if genre in kept_names]
    texts = tuple(f"{found[number]['title']} {_plot(found[number])}".strip() for number in kept)
    labels = np.array([kept_names.index(first[number]) for number in kept])
    graph = _shared([_people(found[number]) for number in kept])
    return TextGraph("movie-plots", texts, graph, labels, kept_names, dropped=len(found) - len(kept))


def _plot(film: dict[str, str]) -> str:
    return "" if film["plot"] == MISSING_FIELD else film["plot"]


def _people(film: dict[str, str]) -> set[str]:
    """Return the directors and the leading actors, at most four are listed, whatever their role in another film."""
    listed = [*film["director"].split(","), *film["actors"].split(",")]
    return {one.strip() for one in listed if one.strip() not in ("", MISSING_FIELD)}


def _shared(people: list[set[str]]) -> sparse.csr_array:
    names = {name: number for number, name in enumerate(sorted(set().union(*people)))}
    pairs = np.array([(film, names[name]) for film, own in enumerate(people) for name in own])
    ones = np.ones(len(pairs), dtype=np.float32)
    membership = sparse.csr_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(people), len(names)))
    return check_adjacency(membership @ membership.T)


def _coauthors() -> TextGraph:
    content = load_object_npz(fetch("graphdata/coauthor_cs.npz"))
    words, graph = sparse.csr_array(content["node_attr"]), check_adjacency(content["adj_matrix"])
    phrases = np.array([f"phrase{number:05d}" for number in range(words.shape[1])])
    texts = tuple(" ".join(phrases[own]) for own in np.split(words.indices, words.indptr[1:-1]))
    labels = np.asarray(content["node_label"]).astype(np.int64)
    names = tuple(f"field {label}" for label in range(int(labels.max()) + 1))
    return TextGraph("coauthor-cs", texts, graph, labels, names)


# ---- ogbn-arxiv, for those with a network ----------------------------------------------------------------------------

ARXIV_TEXTS = "https://snap.stanford.edu/ogb/data/misc/ogbn_arxiv/titleabs.tsv.gz"
ARXIV_FEATURES = "https://archive.org/download/pecos-dataset/giant-xrt/ogbn-arxiv.tar.gz"


def arxiv_folder() -> Path:
    """Return where ogbn-arxiv is looked for: ``ogb`` in the data folder."""
    from reprise.data import cache_folder

    return cache_folder() / "ogb"


def _arxiv() -> TextGraph:
    try:
        from ogb.nodeproppred import NodePropPredDataset  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise DataError(
            "ogbn-arxiv needs the package ogb, a network for its first download, and titleabs.tsv.gz from "
            f"{ARXIV_TEXTS} in {arxiv_folder()}: pip install ogb."
        ) from error
    file = arxiv_folder() / "titleabs.tsv.gz"
    if not file.is_file():
        raise DataError(f"ogbn-arxiv: {file} is missing; download {ARXIV_TEXTS} to it, or set REPRISE_DATA.")
    content, labels = NodePropPredDataset("ogbn-arxiv", root=str(arxiv_folder()))[0]
    mapping = arxiv_folder() / "ogbn_arxiv" / "mapping" / "nodeidx2paperid.csv.gz"
    with gzip.open(mapping, "rt", encoding="utf-8") as lines:
        papers = [line.strip().split(",")[1] for line in lines][1:]
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        texts = {parts[0]: " ".join(parts[1:]) for line in lines if len(parts := line.rstrip("\n").split("\t")) > 1}
    if missing := [paper for paper in papers if paper not in texts]:
        raise DataError(f"ogbn-arxiv: {len(missing)} papers have no text, first {missing[0]}; download the file again.")
    graph = check_adjacency(content["edge_index"], int(content["num_nodes"]))
    names = tuple(f"subject {label}" for label in range(int(labels.max()) + 1))
    words = sparse.csr_array(content["node_feat"])
    return TextGraph("ogbn-arxiv", tuple(texts[one] for one in papers), graph, labels[:, 0], names, words)


def arxiv_split() -> Split:
    """Return the official split by year: 54, 18 and 28 %."""
    from ogb.nodeproppred import NodePropPredDataset

    index = NodePropPredDataset("ogbn-arxiv", root=str(arxiv_folder())).get_idx_split()
    return Split(index["train"], index["valid"], index["test"])


def arxiv_published_features() -> np.ndarray:
    """Return the authors' own features, float32 ``(169343, 768)``, from their archive unpacked beside the graph.

    Raises
    ------
    DataError
        If the file is not there.
    """
    file = arxiv_folder() / "ogbn-arxiv" / "X.all.xrt-emb.npy"
    if not file.is_file():
        raise DataError(f"the authors' features are not at {file}; download {ARXIV_FEATURES} and unpack it there.")
    return np.load(file, allow_pickle=False)
