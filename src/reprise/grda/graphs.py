"""Domain graphs: the checks of a given adjacency, hops from the labelled domains, and standard graphs."""

from contextlib import suppress
from typing import Any

import numpy as np

from reprise.errors import RepriseError


class DomainsError(RepriseError, ValueError):
    """Domains, their graph or their rows are not what graph-relational adaptation can use."""


def check_adjacency(adjacency: Any, n_domains: int | None = None) -> np.ndarray:
    """Return a domain graph in any of the usual forms as a checked 0/1 array.

    Parameters
    ----------
    adjacency
        The undirected, unweighted graph over the domains: an ``(N, N)`` array or tensor, a SciPy sparse matrix, a
        ``networkx.Graph`` whose nodes are ``0 .. N-1``, or a PyG ``edge_index`` of shape ``(2, n_edges)`` that
        lists each edge in both directions.
    n_domains
        Number of domains that the graph must have; ``None`` takes it from the graph. An ``edge_index`` needs it
        where the last domain has no edge.

    Returns
    -------
    ndarray of int8, shape (N, N)
        Symmetric, zeros and ones, zero diagonal.

    Raises
    ------
    DomainsError
        If the graph is not square, not finite, weighted, not symmetric, has self-loops, or has another number of
        nodes than there are domains.

    Examples
    --------
    >>> check_adjacency([[0, 1], [1, 0]]).sum()
    np.int64(2)
    """
    dense = _dense(adjacency, n_domains)
    if dense.ndim != 2 or dense.shape[0] != dense.shape[1]:
        raise DomainsError(
            f"adjacency has the shape {dense.shape}, which is not square; "
            "give one row and one column per domain, or an integer edge_index of shape (2, n_edges)."
        )
    _check_entries(dense)
    if n_domains is not None and len(dense) != n_domains:
        raise DomainsError(
            f"adjacency has {len(dense)} nodes, but there are {n_domains} domains (max(sample_domain) + 1); "
            "give one node per domain, numbered from 0."
        )
    return dense.astype(np.int8)


def _check_entries(dense: np.ndarray) -> None:
    if not np.isfinite(dense).all():
        raise DomainsError("adjacency has entries that are NaN or infinite; use 1 for an edge and 0 for none.")
    other = dense[(dense != 0) & (dense != 1)]
    if other.size:
        raise DomainsError(
            f"adjacency has the entry {other[0]:g}; weighted graphs are not supported, "
            "so threshold the weights to 0 and 1 first."
        )
    rows, columns = np.nonzero(dense != dense.T)
    if rows.size:
        i, j = int(rows[0]), int(columns[0])
        raise DomainsError(
            f"adjacency is not symmetric: entry [{i}, {j}] is {dense[i, j]:g} and [{j}, {i}] is {dense[j, i]:g}; "
            "use numpy.maximum(adjacency, adjacency.T) (for an edge_index: torch_geometric.utils.to_undirected)."
        )
    loops = np.flatnonzero(np.diag(dense))
    if loops.size:
        raise DomainsError(
            f"adjacency has a self-loop at domain {loops[0]}; set the diagonal to 0. Two points of one domain are "
            "read as not adjacent (A_ii = 0), or left out, as the argument self_pairs says."
        )


def _dense(adjacency: Any, n_domains: int | None) -> np.ndarray:
    if hasattr(adjacency, "nodes") and hasattr(adjacency, "edges"):
        return _dense_from_networkx(adjacency)
    if hasattr(adjacency, "detach"):
        adjacency = adjacency.detach().cpu()
        adjacency = adjacency.to_dense() if adjacency.is_sparse else adjacency
    array = adjacency.toarray() if hasattr(adjacency, "tocsr") else np.asarray(adjacency)
    if array.dtype == object or array.dtype.kind not in "biuf":
        raise DomainsError(
            f"adjacency is a {type(adjacency).__name__} that is not numeric; "
            "give an array, a SciPy sparse matrix, a networkx.Graph or an edge_index."
        )
    # A 2 x 2 array is an adjacency unless there are more than two domains; where both readings are valid they
    # name the same graph.
    two_by_two = array.shape == (2, 2) and n_domains in (None, 2)
    if array.ndim == 2 and array.shape[0] == 2 and array.dtype.kind in "iu" and not two_by_two:
        return _dense_from_edges(array, n_domains)
    return array.astype(np.float64)


def _dense_from_edges(edge_index: np.ndarray, n_domains: int | None) -> np.ndarray:
    highest = int(edge_index.max(initial=-1))
    n_nodes = highest + 1 if n_domains is None else n_domains
    if highest >= n_nodes or edge_index.min(initial=0) < 0:
        raise DomainsError(
            f"adjacency, read as an edge_index, names the nodes {edge_index.min(initial=0)} to {highest}, but "
            f"there are {n_nodes} domains; number them from 0 to {n_nodes - 1}."
        )
    dense = np.zeros((n_nodes, n_nodes))
    dense[edge_index[0], edge_index[1]] = 1
    return dense


def _dense_from_networkx(graph: Any) -> np.ndarray:
    nodes = list(graph.nodes)
    if set(nodes) != set(range(len(nodes))):
        raise DomainsError(
            f"adjacency is a networkx graph with the node {nodes[0]!r}; its nodes must be 0 .. {len(nodes) - 1}, the "
            "domains' numbers: use networkx.convert_node_labels_to_integers."
        )
    dense = np.zeros((len(nodes), len(nodes)))
    for i, j, weight in graph.edges(data="weight", default=1):
        dense[i, j] = weight
        if not graph.is_directed():
            dense[j, i] = weight
    return dense


def check_sample_domain(sample_domain: Any, n_rows: int, n_domains: int | None = None) -> np.ndarray:
    """Return the domain of every row as checked integers.

    Parameters
    ----------
    sample_domain
        Domain of every row, integers in ``[0, N)``, shape ``(n,)``.
    n_rows
        Number of rows ``n`` that it must have.
    n_domains
        Number of domains ``N``; ``None`` takes the largest number plus one.

    Returns
    -------
    ndarray of int64, shape (n,)
        The same numbers.

    Raises
    ------
    DomainsError
        If the shape is wrong, a number is not an integer in range, or a domain has no row.
    """
    domain = domain_numbers(sample_domain, n_rows, n_domains)
    present = np.unique(domain)
    n_known = int(present.max(initial=-1)) + 1 if n_domains is None else n_domains
    if len(present) < n_known:
        empty = np.setdiff1d(np.arange(n_known), present)
        raise DomainsError(
            f"domain {empty[0]} has no rows in sample_domain; give it rows, or drop it from the graph and renumber."
        )
    return domain


def domain_numbers(sample_domain: Any, n_rows: int, n_domains: int | None = None) -> np.ndarray:
    """Return the domain of every row as checked integers; as `check_sample_domain`, but a domain may have no row."""
    array = np.asarray(sample_domain)
    if array.shape != (n_rows,):
        raise DomainsError(f"sample_domain has the shape {array.shape}; give one domain for each of {n_rows} rows.")
    is_float = array.dtype.kind == "f" and bool(np.isfinite(array).all() and (array == np.floor(array)).all())
    if not (array.dtype.kind in "iu" or is_float) or array.min(initial=0) < 0:
        raise DomainsError("sample_domain has entries that are not integers from 0; number the domains 0 .. N-1.")
    # Every domain has a row, so that there are at most as many domains as rows.
    limit, what = (n_rows, "rows") if n_domains is None else (n_domains, "domains")
    highest = int(array.max(initial=0))
    if n_rows and highest >= limit:
        raise DomainsError(
            f"sample_domain names the domain {highest}, but there are {limit} {what}; number the domains 0 .. N-1, "
            "one for each node of the graph."
        )
    return array.astype(np.int64)


def domain_hops(adjacency: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Return each domain's distance in hops to the nearest labelled domain.

    Parameters
    ----------
    adjacency
        Domain graph, shape ``(N, N)``.
    source
        Whether a domain has labels, bool, shape ``(N,)``.

    Returns
    -------
    ndarray of int64, shape (N,)
        0 at the sources; -1 where no path leads to one.

    Examples
    --------
    >>> domain_hops(chain_graph(4), np.array([True, False, False, False]))
    array([0, 1, 2, 3])
    """
    edges = np.asarray(adjacency) != 0
    hops = np.where(np.asarray(source, dtype=bool), 0, -1).astype(np.int64)
    frontier, distance = hops == 0, 0
    while frontier.any():
        distance += 1
        frontier = edges[frontier].any(axis=0) & (hops < 0)
        hops[frontier] = distance
    return hops


def levels(adjacency: np.ndarray, source: np.ndarray, last: int = 3) -> np.ndarray:
    """Return the paper's levels: hops to the nearest source, the farthest ones merged into the last (Table 2).

    Parameters
    ----------
    adjacency
        Domain graph, shape ``(N, N)``.
    source
        Whether a domain has labels, bool, shape ``(N,)``.
    last
        The level that takes all larger distances.

    Returns
    -------
    ndarray of int64, shape (N,)
        0 at the sources, 1 .. ``last`` at the targets, -1 where no path leads to a source.
    """
    return np.minimum(domain_hops(adjacency, source), last)


def is_connected(adjacency: np.ndarray) -> bool:
    """Say whether every domain can be reached from every other (true for one domain).

    Parameters
    ----------
    adjacency
        Domain graph, shape ``(N, N)``.

    Returns
    -------
    bool
        Whether there is one component.
    """
    first = np.arange(len(adjacency)) == 0
    return bool((domain_hops(adjacency, first) >= 0).all())


def _from_networkx(graph: Any) -> np.ndarray:
    import networkx

    return networkx.to_numpy_array(graph, nodelist=sorted(graph.nodes), weight=None).astype(np.int8)


def empty_graph(n_domains: int) -> np.ndarray:
    """Return the graph without edges, int8, shape ``(n_domains, n_domains)``."""
    return np.zeros((n_domains, n_domains), dtype=np.int8)


def clique_graph(n_domains: int) -> np.ndarray:
    """Return the complete graph: all domains adjacent, int8, shape ``(n_domains, n_domains)``."""
    return (1 - np.eye(n_domains)).astype(np.int8)


def chain_graph(n_domains: int) -> np.ndarray:
    """Return the path ``0 - 1 - … - N-1``, int8, shape ``(n_domains, n_domains)``."""
    return (np.eye(n_domains, k=1) + np.eye(n_domains, k=-1)).astype(np.int8)


def cycle_graph(n_domains: int) -> np.ndarray:
    """Return the closed chain of at least three domains, int8, shape ``(n_domains, n_domains)``."""
    import networkx

    if n_domains < 3:
        raise DomainsError(f"n_domains is {n_domains}; a cycle needs at least 3.")
    return _from_networkx(networkx.cycle_graph(n_domains))


def star_graph(n_domains: int) -> np.ndarray:
    """Return the star of ``n_domains`` domains in all, domain 0 its centre, int8."""
    import networkx

    return _from_networkx(networkx.star_graph(n_domains - 1))


def grid_graph(n_rows: int, n_columns: int) -> np.ndarray:
    """Return the rectangular grid, domain ``row * n_columns + column``, int8."""
    import networkx

    return _from_networkx(networkx.grid_2d_graph(n_rows, n_columns))


def rewired_graph(adjacency: np.ndarray, seed: int, swaps_per_edge: int = 10) -> np.ndarray:
    """Return a random graph in which every domain keeps its number of neighbours.

    Parameters
    ----------
    adjacency
        Domain graph, shape ``(N, N)``.
    seed
        Seed of the swaps.
    swaps_per_edge
        Pairs of edges that exchange an end, per edge of the graph.

    Returns
    -------
    ndarray of int8, shape (N, N)
        The rewired graph; it may be disconnected. A graph that admits no swap (a clique, a star) comes back as is.
    """
    import networkx

    checked = check_adjacency(adjacency)
    graph = networkx.from_numpy_array(checked)
    n_swaps = swaps_per_edge * graph.number_of_edges()
    if np.array_equal(checked, clique_graph(len(checked))):
        return checked
    # Too few nodes or edges, or no admissible swap left: the swaps made so far stand.
    with suppress(networkx.NetworkXException):
        networkx.double_edge_swap(graph, nswap=n_swaps, max_tries=100 * n_swaps + 1, seed=seed)
    return _from_networkx(graph)


def standard_graphs() -> dict[str, np.ndarray]:
    """Return small graphs by name: those of the paper's theory and a few beside them."""
    return {
        "clique of 6": clique_graph(6),
        "chain of 3": chain_graph(3),
        "star of 6": star_graph(6),
        "chain of 4": chain_graph(4),
        "chain of 10": chain_graph(10),
        "cycle of 10": cycle_graph(10),
        "grid 5 x 6": grid_graph(5, 6),
    }
