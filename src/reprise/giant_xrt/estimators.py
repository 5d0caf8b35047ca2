"""The pipeline for a reader's own data: `NeighborhoodXMC`, the fine-tuning alone, and `GiantFeaturizer`, all steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.base import BaseEstimator
from torch_geometric.transforms import BaseTransform

from reprise.compute import resolve_device, torch_generator
from reprise.giant_xrt.encoders import LinearEncoder, encode
from reprise.giant_xrt.input_checks import (
    GiantInputError,
    check_adjacency,
    check_graph,
    check_instances,
    check_name,
    check_number,
    check_texts,
    refuse_labels,
)
from reprise.giant_xrt.label_vectors import KINDS, label_vectors, tree_vectors
from reprise.giant_xrt.neighbours import ridge_neighbours, top_rows
from reprise.giant_xrt.pretraining import LINEAR_RECIPE, Level, Pretraining, Recipe, level_logits
from reprise.giant_xrt.targets import path_scores
from reprise.giant_xrt.tfidf import TfidfText, plain_words, word_matrix
from reprise.giant_xrt.trees import LabelTree, label_tree, tree_shape

MAX_DEGREE = 1000
DEPTHS = (3, 5, 7, 8)
TREE_DIMENSIONS = 64
MAX_LEAF, NR_SPLITS, MIN_CODES = 100, 4, 32


class NeighborhoodXMC:
    """Fine-tune a text encoder to predict a node's neighbours, level by level of a label tree.

    Parameters
    ----------
    encoder
        An object as `reprise.giant_xrt.encoders` describes it; `GiantFeaturizer` knows encoders by name.
    tree
        Over the nodes of the graph, in their order.
    on_empty
        What to do with empty texts: ``"error"``, or ``"keep"`` them.
    max_degree
        Nodes with as many neighbours or more are no instances, but stay labels (paper: 1000).
    device, random_state
        Where to train, and the seed (0 if None).
    recipe, **options
        How levels are trained: a `Recipe`, and single fields of it.
    """

    def __init__(
        self,
        encoder: Any,
        tree: LabelTree,
        *,
        max_degree: int = MAX_DEGREE,
        on_empty: str = "error",
        device: str | None = None,
        random_state: int | None = None,
        recipe: Recipe | None = None,
        **options: Any,
    ) -> None:
        known = [field.name for field in fields(Recipe)]
        for name in options:
            check_name("option", name, known)
        if not (hasattr(encoder, "prepare") and hasattr(encoder, "dim")):
            raise GiantInputError(
                f"encoder={encoder!r} is no encoder; pass a LinearEncoder() or TransformerEncoder(name), or use "
                "GiantFeaturizer, which takes names."
            )
        if not isinstance(tree, LabelTree):
            raise GiantInputError(f"tree is a {type(tree).__name__}; make it with label_tree(vectors).")
        check_number("max_degree", max_degree, least=1, whole=True)
        check_name("on_empty", on_empty, ("error", "keep"))
        self.on_empty = on_empty
        self.encoder, self.tree, self.max_degree = encoder, tree, max_degree
        self.device, self.random_state = device, random_state
        self.recipe = replace(recipe or Recipe(), **options)

    def fit(
        self,
        texts: Sequence[str],
        adjacency: Any,
        tfidf: Any | None = None,
        y: None = None,
        *,
        after_level: Callable[[list[Level]], None] | None = None,
    ) -> NeighborhoodXMC:
        """Train on the texts and links of a graph.

        Parameters
        ----------
        texts
            One a node.
        adjacency
            Any sparse matrix ``(n, n)``, or an ``edge_index`` ``(2, n_edges)``.
        tfidf
            A TF-IDF matrix of the texts that a linear encoder is to use instead of its own.
        y
            Refused: pre-training is label-free.
        after_level
            Called after each level with the levels so far.

        Raises
        ------
        GiantInputError
            If texts, adjacency or tree do not fit together.
        """
        refuse_labels(y)
        given, graph = check_graph(texts, adjacency, on_empty=self.on_empty)
        if len(given) != len(self.tree.leaf):
            raise GiantInputError(
                f"tree has {len(self.tree.leaf)} labels but there are {len(given)} nodes; make it from one vector a "
                "node."
            )
        instances = check_instances(graph, self.max_degree)
        prepared = self.encoder.prepare(given) if tfidf is None else self.encoder.prepare_matrix(tfidf)
        self.encoder.to(resolve_device(self.device or "auto"))
        seed = self.random_state or 0
        training = Pretraining(self.encoder, prepared, graph[instances], instances, self.tree, self.recipe, seed)
        self.levels_ = training.run(after_level)
        self.history_ = [
            {"clusters": one.n_clusters, "loss": one.loss, "precision@1": one.precision, "seconds": one.seconds}
            for one in self.levels_
        ]
        self.embeddings_ = encode(self.encoder, prepared)
        self._adjacency = graph
        return self

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return the features of texts, float32 ``(n, dim)``: pooled output in evaluation mode, not normalised."""
        return encode(self.encoder, self.encoder.prepare(check_texts(texts, on_empty=self.on_empty)))

    def predict_clusters(self, texts: Sequence[str], level: int, k: int = 20) -> sparse.csr_array:
        """Return the ``k`` most plausible clusters of a trained level with their values, ``(n, K_t)``."""
        trained = [one.n_clusters for one in self.levels_]
        if not 0 <= level < len(trained):
            raise GiantInputError(f"level={level} is none of the {len(trained)} trained levels; count from 0.")
        embeddings = self.encode(texts)
        first = self.tree.levels.index(trained[0])
        scores = None
        for place in range(level + 1):
            wanted = k if place == level else self.recipe.top_k
            logits = level_logits(self.levels_[place], embeddings)
            scores = path_scores(logits, scores, self.tree.parents(first + place), wanted)
        assert scores is not None
        return scores

    def predict_neighbors(self, texts: Sequence[str], k: int = 5) -> sparse.csr_array:
        """Return the ``k`` likeliest neighbours of each text and their scores, ``(n, n_nodes)``.

        By the closed-form ridge regression of the adjacency matrix on the features, one against all.
        """
        weights = ridge_neighbours(self.embeddings_, self._adjacency)
        return top_rows(self.encode(texts), weights, k)

    def save(self, folder: str | Path) -> None:
        """Store encoder, heads and tree in a folder; a linear encoder with its words."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        weights = {"encoder": self.encoder.state_dict(), "heads": [one.head.state_dict() for one in self.levels_]}
        torch.save(weights, target / "weights.pt")
        np.savez(target / "tree.npz", leaf=self.tree.leaf, embeddings=self.embeddings_)
        graph = self._adjacency
        np.savez(target / "graph.npz", indices=graph.indices, indptr=graph.indptr)
        words = getattr(self.encoder, "words", None)
        about = {
            "depth": self.tree.depth,
            "shifts": self.tree.shifts,
            "recipe": asdict(self.recipe),
            "history": self.history_,
            "max_degree": self.max_degree,
            "on_empty": self.on_empty,
            "vocabulary": {word: int(place) for word, place in words.vocabulary_.items()} if words else None,
            "idf": words.idf_.tolist() if words else None,
        }
        (target / "model.json").write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path, encoder: Any | None = None) -> NeighborhoodXMC:
        """Return what was saved; an encoder that is not linear is given made, and gets its weights."""
        source = Path(folder)
        about = json.loads((source / "model.json").read_text("utf-8"))
        weights = torch.load(source / "weights.pt", weights_only=True)
        with np.load(source / "tree.npz") as arrays:
            leaf, embeddings = arrays["leaf"], arrays["embeddings"]
        with np.load(source / "graph.npz") as arrays:
            indices, indptr = arrays["indices"], arrays["indptr"]
        own = encoder if encoder is not None else _linear_encoder(about, weights["encoder"])
        own.load_state_dict(weights["encoder"])
        own.eval()
        tree = LabelTree(leaf, about["depth"], tuple(about["shifts"]))
        options = {"max_degree": about["max_degree"], "on_empty": about["on_empty"]}
        model = cls(own, tree, recipe=Recipe(**about["recipe"]), **options)
        model.history_, model.embeddings_ = about["history"], embeddings
        ones = np.ones(len(indices), dtype=np.float32)
        model._adjacency = sparse.csr_array((ones, indices, indptr), shape=(len(leaf), len(leaf)))
        model.levels_ = []
        for state, past in zip(weights["heads"], model.history_, strict=True):
            n_clusters = int(past["clusters"])
            head = torch.nn.Linear(own.dim, n_clusters)
            head.load_state_dict(state)
            model.levels_.append(Level(head, past["loss"], past["seconds"], n_clusters, past["precision@1"]))
        return model


def _linear_encoder(about: dict[str, Any], state: dict[str, Any]) -> LinearEncoder:
    if about["vocabulary"] is None:
        raise GiantInputError("this model's encoder is not linear; pass encoder=, made with its name.")
    encoder = LinearEncoder(dim=state["bag"].shape[1], max_words=len(about["vocabulary"]))
    words = plain_words(encoder.max_words).set_params(vocabulary=about["vocabulary"])
    words.idf_ = np.asarray(about["idf"], dtype=np.float32)
    encoder.words = words
    encoder.bag = torch.nn.Parameter(torch.empty_like(state["bag"]))
    return encoder


class GiantFeaturizer(BaseEstimator, BaseTransform):
    """Node features from texts and links: TF-IDF, label vectors, label tree, fine-tuning, encoding.

    Also a transform of PyTorch Geometric: it reads ``data.text`` and ``data.edge_index`` and sets ``data.x``.

    Parameters
    ----------
    encoder
        ``"linear"``, ``"minilm"``, a name or path of Hugging Face (paper: ``"bert-base-uncased"``), or an encoder.
    depths
        Depths of the tree at which levels are read off; None: (3, 5, 7, 8), as far as four nodes a leaf are left, or
        what the three options below say.
    max_leaf, nr_splits, min_codes
        Give one or more for a tree as in the paper, which has 100, 4 and 32 for ogbn-arxiv: see `label_tree`. Not
        together with ``depths``.
    tree
        Label vectors: ``"pifa"``, ``"pii"`` or ``"text"``.
    paper_tfidf
        Whether label vectors come from the paper's three vectorisers; by default only where the encoder is not linear.
    recipe
        How levels are trained, a `Recipe`; by default `LINEAR_RECIPE` for the linear encoder, else the paper's.
    dim
        Width of a linear encoder.
    directed, on_empty, max_degree
        See `reprise.giant_xrt.input_checks`.
    """

    def __init__(
        self,
        encoder: Any = "linear",
        *,
        depths: Sequence[int] | None = None,
        max_leaf: int | None = None,
        nr_splits: int | None = None,
        min_codes: int | None = None,
        tree: str = "pifa",
        paper_tfidf: bool | None = None,
        recipe: Recipe | None = None,
        dim: int = 128,
        directed: str = "symmetrize",
        on_empty: str = "error",
        max_degree: int = MAX_DEGREE,
        device: str | None = None,
        random_state: int | None = None,
    ) -> None:
        self.encoder, self.depths, self.max_leaf = encoder, depths, max_leaf
        self.nr_splits, self.min_codes, self.tree, self.paper_tfidf = nr_splits, min_codes, tree, paper_tfidf
        self.recipe, self.dim, self.directed, self.on_empty = recipe, dim, directed, on_empty
        self.max_degree, self.device, self.random_state = max_degree, device, random_state

    def fit(self, texts: Sequence[str], adjacency: Any, y: None = None) -> GiantFeaturizer:
        """Pre-train on a graph; class labels are refused."""
        self.fit_transform(texts, adjacency, y)
        return self

    def fit_transform(self, texts: Sequence[str], adjacency: Any, y: None = None) -> np.ndarray:
        """Pre-train on a graph and return its nodes' features, float32 ``(n, dim)``.

        Raises
        ------
        GiantInputError
            If an option, texts or adjacency cannot be used, before any work starts.
        """
        refuse_labels(y)
        self._check_options()
        given, graph = check_graph(texts, adjacency, self.directed, self.on_empty)
        shape = self._shape(len(given))
        tree_shape(len(given), **shape)
        instances = check_instances(graph, self.max_degree)
        linear = isinstance(self.encoder, str) and self.encoder == "linear"
        seed = self.random_state or 0
        encoder = self._encoder(linear, seed)
        features = self._label_features(given, linear)
        vectors = label_vectors(self.tree, graph[instances], features[instances], features)  # type: ignore[arg-type]
        self.tree_ = label_tree(tree_vectors(vectors, TREE_DIMENSIONS, seed), seed=seed, **shape)
        options: dict[str, Any] = {
            "max_degree": self.max_degree,
            "on_empty": self.on_empty,
            "device": self.device,
        }
        recipe = self.recipe or (LINEAR_RECIPE if linear else Recipe())
        self.model_ = NeighborhoodXMC(encoder, self.tree_, random_state=seed, recipe=recipe, **options)
        return self.model_.fit(given, graph).embeddings_

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        """Return the features of texts, of new nodes too, float32 ``(n, dim)``."""
        if not hasattr(self, "model_"):
            raise GiantInputError("this GiantFeaturizer is not fitted; call fit_transform(texts, adjacency) first.")
        return self.model_.encode(texts)

    def forward(self, data: Any) -> Any:
        """Set ``data.x`` from ``data.text`` and ``data.edge_index``.

        Raises
        ------
        GiantInputError
            If the data have no texts or no edges, or not one text a node.
        """
        texts, edges = getattr(data, "text", None), getattr(data, "edge_index", None)
        if texts is None or edges is None:
            missing = "text" if texts is None else "edge_index"
            raise GiantInputError(f"data has no {missing}; set data.{missing}, one string a node in data.text.")
        if not isinstance(texts, str) and len(texts) != data.num_nodes:
            raise GiantInputError(
                f"data.text has {len(texts)} entries but data has {data.num_nodes} nodes; give one string a node."
            )
        graph = check_adjacency(edges, data.num_nodes, self.directed)
        data.x = torch.from_numpy(self.fit_transform(texts, graph))
        return data

    def __repr__(self) -> str:
        return f"GiantFeaturizer(encoder={self.encoder!r}, tree={self.tree!r})"

    def _label_features(self, texts: Sequence[str], linear: bool) -> Any:
        if self.paper_tfidf or (self.paper_tfidf is None and not linear):
            return TfidfText(on_empty=self.on_empty).fit_transform(texts)
        return word_matrix(texts)[1]

    def _check_options(self) -> None:
        check_name("tree", self.tree, KINDS)
        for name, value in (("dim", self.dim), ("max_degree", self.max_degree)):
            check_number(name, value, least=1, whole=True)
        if self.random_state is not None:
            check_number("random_state", self.random_state, least=0, whole=True)
        if self.recipe is not None and not isinstance(self.recipe, Recipe):
            raise GiantInputError(f"recipe={self.recipe!r} must be a Recipe, such as Recipe(lr=1e-3).")

    def _shape(self, n_nodes: int) -> dict[str, Any]:
        """Return what of `label_tree`'s arguments says the levels."""
        merging = {"max_leaf": self.max_leaf, "nr_splits": self.nr_splits, "min_codes": self.min_codes}
        given = {name: value for name, value in merging.items() if value is not None}
        if self.depths is not None and given:
            named = ", ".join(f"{name}={value}" for name, value in given.items())
            raise GiantInputError(
                f"depths={self.depths!r} and {named} exclude each other; give depths, or the others for merged levels."
            )
        if given:
            return {"max_leaf": MAX_LEAF, "nr_splits": NR_SPLITS, "min_codes": MIN_CODES, **given}
        return {"depths": self.depths if self.depths is not None else _depths_for(n_nodes)}

    def _encoder(self, linear: bool, seed: int) -> Any:
        if linear:
            return LinearEncoder(self.dim, generator=torch_generator(seed, "giant-xrt", "encoder"))
        if not isinstance(self.encoder, str) and hasattr(self.encoder, "prepare"):
            return self.encoder
        from reprise.giant_xrt.transformer import TransformerEncoder

        return TransformerEncoder(self.encoder)


def _depths_for(n_labels: int) -> tuple[int, ...]:
    """Return the default depths that leave at least four labels a leaf."""
    deepest = max(1, int(np.log2(max(2, n_labels / 4))))
    return tuple(one for one in DEPTHS if one <= deepest) or (deepest,)
