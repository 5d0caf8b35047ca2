"""An XR-Linear-style ranker: linear machines down the label tree, and beam search; it needs no encoder."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from reprise.giant_xrt.targets import level_targets
from reprise.giant_xrt.trees import LabelTree

COST = 1.0
LEAST_WEIGHT = 0.1
BEAM = 10


@dataclass(frozen=True)
class TreeRanker:
    """Fitted weights: one sparse matrix ``(d + 1, K_t)`` a level, the last for the labels themselves."""

    weights: tuple[sparse.csc_array, ...]
    tree: LabelTree
    beam: int = BEAM

    def predict(self, features: Any, k: int = 5) -> sparse.csr_array:
        """Return the ``k`` best labels of each instance and their scores, ``(n, n_labels)``.

        A node's value is exp(−max(0, 1 − s)³) times its parent's; the best ``beam`` of a level are opened.
        """
        inputs = with_constant(features)
        values = np.ones((inputs.shape[0], 1))
        for t, weights in enumerate(self.weights):
            last = t == len(self.weights) - 1
            parents = self.tree.codes(t - 1) if last else self.tree.parents(t)
            logits = (inputs @ weights).toarray()
            values = np.exp(-(np.maximum(0, 1 - logits) ** 3)) * values[:, parents]
            kept = min(k if last else self.beam, values.shape[1])
            chosen = np.argpartition(-values, kept - 1, axis=1)[:, :kept]
            mask = np.zeros_like(values)
            np.put_along_axis(mask, chosen, 1.0, axis=1)
            values *= mask
        return sparse.csr_array(values)


def fit_ranker(features: Any, targets: sparse.csr_array, tree: LabelTree, cost: float = COST) -> TreeRanker:
    """Fit an L2-regularised squared-hinge machine for each node of the tree, on the instances its parent holds (TFN).

    Parameters
    ----------
    features
        TF-IDF of the instances, ``(n, d)``.
    targets
        0/1, ``(n, n_labels)``.
    tree
        Over the labels.
    cost
        C of the machines. Weights below 0.1 in size are set to 0.
    """
    inputs = with_constant(features)
    counts = [*level_targets(targets, tree), targets]
    found = []
    for t, own in enumerate(counts):
        parents = tree.codes(t - 1) if t == len(counts) - 1 else tree.parents(t)
        above = None if t == 0 else counts[t - 1].tocsc()
        found.append(_level(inputs, own.tocsc(), parents, above, cost))
    return TreeRanker(tuple(found), tree)


def with_constant(features: Any) -> sparse.csr_array:
    """Return features with a column of ones: the machines' bias, penalised as all weights are."""
    ones = np.ones((features.shape[0], 1), dtype=np.float32)
    return sparse.csr_array(sparse.hstack([sparse.csr_array(features), sparse.csr_array(ones)]))


def _level(inputs: sparse.csr_array, counts: Any, parents: np.ndarray, above: Any, cost: float) -> sparse.csc_array:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    d = inputs.shape[1]
    columns: list[sparse.csc_array] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for node in range(counts.shape[1]):
            positive = counts.indices[counts.indptr[node] : counts.indptr[node + 1]]
            rows = np.arange(inputs.shape[0])
            if above is not None:
                rows = above.indices[above.indptr[parents[node]] : above.indptr[parents[node] + 1]]
            signs = np.isin(rows, positive)
            column = np.zeros((d, 1), dtype=np.float32)
            if signs.all():
                column[-1] = 1.0 if signs.size else -1.0  # no negative to learn from: as plausible as the parent
            elif not signs.any():
                column[-1] = -1.0
            else:
                machine = LinearSVC(
                    C=cost, loss="squared_hinge", dual=True, fit_intercept=False, max_iter=50, tol=0.1, random_state=0
                )
                machine.fit(inputs[rows], signs)
                column[:, 0] = np.where(np.abs(machine.coef_[0]) < LEAST_WEIGHT, 0, machine.coef_[0])
            columns.append(sparse.csc_array(column))
    return sparse.csc_array(sparse.hstack(columns))
