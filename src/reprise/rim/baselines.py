"""Baselines as scores ≥ 0 of requests and candidates: popularity, factorisations, topics, and pairwise rivals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.special import expit

from reprise.compute import numpy_generator
from reprise.rim.events import Numbers, Requests
from reprise.rim.pairwise import bpr_scores, graph_scores

if TYPE_CHECKING:
    from reprise.rim.splits import Split

TOPICS = 128
POP_OFFSET = 0.01


def item_popularity(split: Split) -> Numbers:
    """Return each candidate's share of the training events, smoothed by 0.01 an item, (M,)."""
    counts = POP_OFFSET + split.item_counts()
    return counts / counts.sum()


def baseline_scores(name: str, split: Split, requests: Requests, seed: int, *names: object) -> Numbers:
    """Return the scores of a baseline of the settings, (N, M), all > 0."""
    if name.startswith("GraphConv"):
        return graph_scores(split, requests, seed, *names, extra=name == "GraphConv-Extra")
    if name == "BPR, both kinds of negatives":
        return bpr_scores(split, requests, seed, *names)
    if name == "LDA":
        return topic_scores(split, requests, seed, *names)
    return factorised_scores(name, split, requests, seed, *names)


def _counts(split: Split) -> sparse.csr_matrix:
    """Return how often each user took each item in training, (n_users, n_items)."""
    return sparse.coo_matrix(
        (np.ones(len(split.train)), (split.train.user, split.train.item)),
        shape=(len(split.train.users), len(split.train.items)),
        dtype=np.float32,
    ).tocsr()


def topic_scores(split: Split, requests: Requests, seed: int, *names: object) -> Numbers:
    """Return p(y | user) of latent Dirichlet allocation with the paper's 128 topics, users as documents, (N, M).

    Fitted by scikit-learn's online updates on batches of 128 users, ten passes.
    """
    from sklearn.decomposition import LatentDirichletAllocation

    random_state = int(numpy_generator(seed, "rim", *names, "LDA").integers(2**31))
    matrix = _counts(split)
    model = LatentDirichletAllocation(TOPICS, learning_method="online", max_iter=10, random_state=random_state)
    topics = model.fit(matrix).transform(matrix[requests.user])
    words = model.components_ / model.components_.sum(1, keepdims=True)
    return np.asarray(topics @ words[:, split.candidates], dtype=np.float64)


def factorised_scores(name: str, split: Split, requests: Requests, seed: int, *names: object) -> Numbers:
    """Return the scores of a factorisation of the library ``implicit``, (N, M), all > 0.

    ALS and BPR give softplus of the inner product, LogisticMF its sigmoid: the paper's links, which leave the order
    within a user as it is and make scores comparable with a factor λ(x). Settings are the paper's: ALS 32 factors, 50
    iterations, ridge 0.01; LogisticMF 30 factors, 30 iterations, rate 1, ridge 0.6; BPR 32 factors and 50 epochs, here
    with plain gradient steps at rate 0.05 and ridge 1e-3. BPR-User draws negative users, on the transposed matrix.
    """
    matrix = _counts(split)
    random_state = int(numpy_generator(seed, "rim", *names, name).integers(2**31))
    model = _model(name, random_state)
    turned = name == "BPR-User"
    model.fit(matrix.T.tocsr() if turned else matrix, show_progress=False)
    users, items = np.asarray(model.user_factors), np.asarray(model.item_factors)
    if turned:
        users, items = items, users
    products = users[requests.user].astype(np.float64) @ items[split.candidates].astype(np.float64).T
    return expit(products) if name == "LogisticMF" else np.logaddexp(0, products)


def _model(name: str, random_state: int) -> Any:
    import warnings

    # The library warns of BLAS threads at its import; threads are limited by the study.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="implicit")
    from implicit.als import AlternatingLeastSquares
    from implicit.bpr import BayesianPersonalizedRanking
    from implicit.lmf import LogisticMatrixFactorization

    common: dict[str, Any] = {"random_state": random_state, "num_threads": 1}
    if name == "ALS":
        return AlternatingLeastSquares(factors=32, iterations=50, regularization=0.01, use_gpu=False, **common)
    if name == "LogisticMF":
        return LogisticMatrixFactorization(
            factors=30, iterations=30, learning_rate=1.0, regularization=0.6, neg_prop=30, use_gpu=False, **common
        )
    return BayesianPersonalizedRanking(
        factors=32, iterations=50, learning_rate=0.05, regularization=1e-3, use_gpu=False, **common
    )
