"""Edge lists checked, and the two ways of averaging over neighbours as sparse operators."""

from __future__ import annotations

import logging
import warnings

import scipy.sparse as sp
import torch
from torch import Tensor
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.utils import coalesce, degree, is_undirected, remove_self_loops, to_undirected

from reprise.cold_brew.sparse import SparseMatrix

LOG = logging.getLogger(__name__)


class Propagation(SparseMatrix):
    r"""The symmetrically normalised adjacency :math:`\tilde A = D^{-1/2} A D^{-1/2}` with self-loops.

    ``degree`` ``(n_nodes,)`` counts the self-loop, as Eq. 2 of the paper does: an isolated node has degree 1 and
    passes its own state on unchanged.
    """

    degree: Tensor

    @classmethod
    def from_edges(cls, edge_index: Tensor, num_nodes: int, *, dtype: torch.dtype = torch.float32) -> Propagation:
        """Return the operator of an undirected edge list without self-loops ``(2, n_edges)``."""
        edges, weight = gcn_norm(edge_index.cpu(), None, num_nodes, add_self_loops=True, dtype=torch.float64)
        matrix = sp.csr_matrix((weight.numpy(), tuple(edges.numpy())), shape=(num_nodes, num_nodes))
        propagation = cls(matrix, dtype=dtype, device=edge_index.device)
        propagation.degree = degree(edge_index[0], num_nodes).to(dtype) + 1
        return propagation


def mean_propagation(edge_index: Tensor, num_nodes: int, *, dtype: torch.dtype = torch.float32) -> SparseMatrix:
    """Return the operator that averages over neighbours, without the node itself (GraphSAGE's); zero without any."""
    source, target = edge_index.cpu().numpy()
    degrees = degree(edge_index[1], num_nodes).cpu().double().clamp(min=1).numpy()
    matrix = sp.csr_matrix((1 / degrees[target], (target, source)), shape=(num_nodes, num_nodes))
    return SparseMatrix(matrix, dtype=dtype, device=edge_index.device)


def checked_edges(edge_index: Tensor, num_nodes: int, *, make_undirected: bool = False) -> Tensor:
    """Return the edges as the models want them: no self-loops, no repetitions, each pair in both directions.

    Parameters
    ----------
    edge_index
        ``(2, n_edges)``, integer; an array is accepted.
    num_nodes
        Number of nodes, so that nodes without edges count.
    make_undirected
        Whether to add the reverse of edges that have none; otherwise they are kept one-sided, with a warning.

    Returns
    -------
    Tensor
        ``(2, n_edges)``, long, sorted.

    Raises
    ------
    ValueError
        If the type is not integer, the shape not ``(2, n_edges)``, or an index outside ``0 … num_nodes - 1``.
    """
    if not isinstance(edge_index, Tensor):
        edge_index = torch.as_tensor(edge_index)
    if edge_index.is_floating_point() or edge_index.is_complex() or edge_index.dtype == torch.bool:
        raise ValueError(f"edge_index has type {edge_index.dtype}; expected integer node numbers (torch.long).")
    if edge_index.dim() != 2 or edge_index.size(0) != 2:
        raise ValueError(f"edge_index has shape {tuple(edge_index.shape)}; expected (2, n_edges).")
    if edge_index.numel() and (int(edge_index.max()) >= num_nodes or int(edge_index.min()) < 0):
        found = int(edge_index.max()) if int(edge_index.min()) >= 0 else int(edge_index.min())
        raise ValueError(
            f"edge_index names node {found}, but num_nodes={num_nodes}; nodes are numbered 0 … {num_nodes - 1}."
        )
    edges, _ = remove_self_loops(edge_index.long())
    n_loops = edge_index.size(1) - edges.size(1)
    single = coalesce(edges, num_nodes=num_nodes)
    if n_loops or single.size(1) < edges.size(1):
        LOG.info("removed %d self-loops and %d repeated edges", n_loops, edges.size(1) - single.size(1))
    if is_undirected(single, num_nodes=num_nodes):
        return single
    if make_undirected:
        return to_undirected(single, num_nodes=num_nodes)
    warnings.warn(
        "edge_index is directed; the paper's graphs are undirected: use make_undirected=True or "
        "torch_geometric.utils.to_undirected.",
        stacklevel=2,
    )
    return single


def node_homophily(edge_index: Tensor, y: Tensor) -> float:
    """Return the paper's homophily (Eq. 6), in %: the mean over nodes of the share of same-label neighbours.

    As in PyG (``homophily(method="node")``, which this calls), nodes without neighbours count as 0; the paper's
    printed 71 % of Citeseer is met only so.
    """
    from torch_geometric.utils import homophily

    return 100.0 * float(homophily(edge_index, y, method="node"))
