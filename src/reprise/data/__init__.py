"""Data: a registry of pinned, hashed files, a cache that may be read-only, and readers that run no code of a file.

``REPRISE_DATA`` names the cache folder; without it the system's cache folder is used. A file is handed out only after
its SHA-256 was compared with the registry, and nothing that differs is overwritten.

>>> from reprise.data import select
>>> sum(entry.bytes for entry in select("planetoid/ind.cora.*")) > 100_000
True
"""

from reprise.data.archives import extract
from reprise.data.checking import Finding, cache_folder, verify
from reprise.data.entries import DataError, RegistryEntry, UnknownDataError, hashes, registry, select
from reprise.data.fetching import fetch, fetch_all, progress_bar
from reprise.data.overview import DataSetRow, describe
from reprise.data.readers import ARRAY_NAMES, GRAPH_NAMES, load_npz, load_object_npz, load_pickle

__all__ = [
    "ARRAY_NAMES",
    "GRAPH_NAMES",
    "DataError",
    "DataSetRow",
    "Finding",
    "RegistryEntry",
    "UnknownDataError",
    "cache_folder",
    "describe",
    "extract",
    "fetch",
    "fetch_all",
    "hashes",
    "load_npz",
    "load_object_npz",
    "load_pickle",
    "progress_bar",
    "registry",
    "select",
    "verify",
]
