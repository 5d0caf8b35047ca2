"""Readers of the published files: DG-15, DG-60 and the monthly temperatures of 48 US states (TPT-48)."""

import csv
from pathlib import Path

import numpy as np

from reprise.errors import unknown_name
from reprise.grda.data import GraphDomains
from reprise.grda.generators import dg_centres
from reprise.grda.graphs import DomainsError

# The three names that a pickled NumPy array needs; nothing else may be loaded.
_ARRAY_NAMES = (("numpy._core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype"))
_DG_FILES = {15: "grda/toy/toy_d15_spiral_tight_boundary.pkl", 60: "grda/toy/toy_d60_spiral.pkl"}
_DG_SHAPES = {15: (np.pi, 1.8), 60: (2 * np.pi, 6.0)}
_DG_SOURCES = 6

TPT_SOURCES: dict[str, str] = {
    "east-west": "MI IN OH KY WV VA PA MD DE NJ NY CT MA RI VT NH ME TN AL GA FL NC SC MO",
    "north-south": "ND VT NH ME WA MT SD MN WI MI NY MA OR ID WY NE IA IL IN OH PA NJ CT RI",
}
WINDOW_MONTHS = 6
_YEAR_MONTHS = 12


def _load(path: str) -> dict:
    from reprise.data import fetch
    from reprise.data.readers import load_pickle

    return load_pickle(fetch(path), allowed=_ARRAY_NAMES)


def _fetch(path: str) -> Path:
    from reprise.data import fetch

    return fetch(path)


def read_dg(n_domains: int) -> GraphDomains:
    """Read a published DG set, in the order of its file: every domain's rows are sorted by label.

    Parameters
    ----------
    n_domains
        15 or 60.

    Returns
    -------
    GraphDomains
        100 rows per domain; ``embedding`` is the authors' final domain embedding (N, 2).

    Raises
    ------
    DomainsError
        If there is no such set.
    """
    if n_domains not in _DG_FILES:
        raise DomainsError(f"n_domains is {n_domains}; the published DG sets have 15 and 60 domains.")
    raw = _load(_DG_FILES[n_domains])
    codes = _load(f"grda/toy/g_encode_{n_domains}.pkl")
    domain = raw["domain"].astype(np.int64)
    source = np.zeros(n_domains, dtype=bool)
    source[np.argsort(raw["angle"])[:_DG_SOURCES]] = True
    return GraphDomains(
        name=f"dg-{n_domains}",
        task="classification",
        features=raw["data"].astype(np.float64),
        targets=raw["label"].astype(np.int64),
        domain=domain,
        adjacency=raw["A"].astype(np.int8),
        source=source,
        domain_names=tuple(str(index) for index in range(n_domains)),
        positions=dg_centres(raw["angle"], *_DG_SHAPES[n_domains]),
        embedding=np.array([codes[str(index)] for index in range(n_domains)], dtype=np.float64),
        adaptation=np.ones(len(domain), dtype=bool),
        evaluation=~source[domain],
        angle=raw["angle"].astype(np.float64),
    )


def read_us_graph(path: Path, states: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read the neighbourhood of US states, an ``A B`` pair per line, for the states that have data.

    Parameters
    ----------
    path
        The file of edges.
    states
        Codes of the states to keep, in the order of the domains.

    Returns
    -------
    adjacency : ndarray of int8, shape (N, N)
        The graph over ``states``.
    notes : tuple of str
        A sentence that names the nodes left out (the file has the District of Columbia, the temperatures do not).
    """
    number = {code: index for index, code in enumerate(states)}
    edges = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    adjacency = np.zeros((len(states), len(states)), dtype=np.int8)
    dropped: dict[str, int] = {}
    for edge in edges:
        unknown = [code for code in edge if code not in number]
        for code in unknown:
            dropped[code] = dropped.get(code, 0) + 1
        if not unknown:
            first, second = (number[code] for code in edge)
            adjacency[first, second] = adjacency[second, first] = 1
    notes = tuple(f"{code} left out of the graph with its {n} edges: no data." for code, n in dropped.items())
    return adjacency, notes


def _read_positions(path: Path, states: tuple[str, ...]) -> np.ndarray:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["state"].strip(): (float(row["pos_x"]), float(row["pos_y"])) for row in csv.DictReader(file)}
    return np.array([rows[code] for code in states])


def read_temperatures() -> tuple[tuple[str, ...], np.ndarray]:
    """Read the monthly mean temperatures of 48 US states, January 2008 to December 2019.

    Returns
    -------
    states : tuple of str
        Two-letter codes in alphabetical order.
    temperature : ndarray of float64, shape (48, 144)
        In °F.
    """
    raw = _load("grda/tpt48/month_temp_data.pkl")
    states = tuple(sorted(raw))
    return states, np.array([raw[code] for code in states], dtype=np.float64)


def windows(series: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut windows of six months and the six months that follow out of each series.

    Parameters
    ----------
    series
        Monthly values, shape ``(N, n_months)``.
    starts
        First months, shape ``(w,)``, at most ``n_months - 12``.

    Returns
    -------
    inputs, outputs : ndarray, shape (N, w, 6)
        The windows, ordered by series and then by start.
    """
    months = starts[:, None] + np.arange(2 * WINDOW_MONTHS)
    cut = series[:, months]
    return cut[..., :WINDOW_MONTHS], cut[..., WINDOW_MONTHS:]


def read_tpt(task: str) -> GraphDomains:
    """Read a TPT-48 task: from six monthly temperatures of a state to the next six.

    Parameters
    ----------
    task
        ``"east-west"`` or ``"north-south"``: which 24 states are labelled.

    Returns
    -------
    GraphDomains
        Sources have all 133 sliding windows, targets the 12 from January–June to July–December; inputs and outputs
        are normalised by the mean and standard deviation of all inputs' months (those of sources once per month,
        not once per window), and ``target_scale`` is that deviation in °F.

    Raises
    ------
    UnknownNameError
        If there is no such task.
    """
    if task not in TPT_SOURCES:
        raise unknown_name("TPT-48 task", task, list(TPT_SOURCES))
    states, temperature = read_temperatures()
    source = np.isin(states, TPT_SOURCES[task].split())
    adjacency, notes = read_us_graph(_fetch("grda/tpt48/usa_map.txt"), states)
    n_months = temperature.shape[1]
    sliding = np.arange(n_months - 2 * WINDOW_MONTHS + 1)
    yearly = np.arange(0, n_months, _YEAR_MONTHS)
    source_inputs, source_outputs = windows(temperature[source], sliding)
    target_inputs, target_outputs = windows(temperature[~source], yearly)
    months_seen = np.concatenate([temperature[source, : n_months - WINDOW_MONTHS].ravel(), target_inputs.ravel()])
    mean, scale = months_seen.mean(), months_seen.std()

    def rows(of_sources: np.ndarray, of_targets: np.ndarray) -> np.ndarray:
        both = (of_sources.reshape(-1, WINDOW_MONTHS), of_targets.reshape(-1, WINDOW_MONTHS))
        return (np.concatenate(both) - mean) / scale

    domain = np.concatenate(
        [np.repeat(np.flatnonzero(source), len(sliding)), np.repeat(np.flatnonzero(~source), len(yearly))]
    )
    starts = np.concatenate([np.tile(sliding, source.sum()), np.tile(yearly, (~source).sum())])
    return GraphDomains(
        name=f"tpt-48-{task}",
        task="regression",
        features=rows(source_inputs, target_inputs),
        targets=rows(source_outputs, target_outputs),
        domain=domain.astype(np.int64),
        adjacency=adjacency,
        source=source,
        domain_names=states,
        positions=_read_positions(_fetch("grda/tpt48/USAGraphPos.csv"), states),
        embedding=None,
        adaptation=np.ones(len(domain), dtype=bool),
        evaluation=~source[domain],
        target_scale=float(scale),
        phase=starts % _YEAR_MONTHS,
        notes=notes,
    )
