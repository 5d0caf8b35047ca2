"""The data sets as events: MovieLens 100K and 1M, Online Retail, and the generator's shoppers; and their splits."""

from __future__ import annotations

import hashlib
import re
import tempfile
import warnings
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reprise.compute import numpy_generator
from reprise.data import DataError, fetch, hashes, load_npz
from reprise.errors import unknown_name
from reprise.paths import build_folder
from reprise.rim import generators
from reprise.rim.events import Events, make_events
from reprise.rim.splits import Split, check_targets, temporal_split, user_split

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

EMBEDDED, MOVIES, MANY_MOVIES, RETAIL = "churn-and-bursts", "movielens-100k", "movielens-1m", "online-retail"
DATA_SETS = (EMBEDDED, MOVIES, MANY_MOVIES, RETAIL)
MOVIE_FILE, ARCHIVE, RETAIL_FILE = (
    "movielens-100k/ml-100k.inter",
    "movielens-1m/ml-1m.zip",
    "online-retail/onlineretail.rda",
)
DAY_S = 86_400.0
RETAIL_TEST = "2011-09-01"
RETAIL_HORIZON_DAYS = 28
RETAIL_WINDOWS = 3
RETAIL_LEAST_EVENTS = 10


def load(name: str, seed: int = 0) -> Events:
    """Return the events of a data set; times in seconds (real sets) or in the generator's unit.

    Parameters
    ----------
    name
        One of ``DATA_SETS``.
    seed
        Of the generator; real sets are the same for each.

    Raises
    ------
    UnknownNameError
        If there is no such data set.
    DataError
        If a file is missing or cannot be read.
    """
    readers: dict[str, Callable[[], Events]] = {MOVIES: _movies, MANY_MOVIES: _many_movies, RETAIL: _retail}
    if name == EMBEDDED:
        return generators.make_shoppers(seed)[0]
    if name not in readers:
        raise unknown_name("data set", name, list(DATA_SETS))
    return readers[name]()


def load_split(name: str, seed: int) -> Split:
    """Return the protocol's split of a data set: by users for films, at one time for invoices and shoppers."""
    events = load(name, seed)
    if name == EMBEDDED:
        split = temporal_split(events, generators.TEST_TIME, generators.HORIZON, n_windows=generators.N_WINDOWS)
    elif name == RETAIL:
        at = float(np.datetime64(RETAIL_TEST, "s").astype(np.int64))
        split = temporal_split(
            events,
            at,
            RETAIL_HORIZON_DAYS * DAY_S,
            n_windows=RETAIL_WINDOWS,
            least_item_events=RETAIL_LEAST_EVENTS,
        )
    else:
        split = user_split(events, seed, name=name)
    check_targets(split.test)
    return split


def second_halves(user: np.ndarray, item: np.ndarray, time: np.ndarray) -> Events:
    """Return each user's later half (percentile rank of time at least one half), ties in random order.

    The paper's preparation of MovieLens, whose users rate in one sitting what they saw long ago: the order within the
    first half says little. Ranks are over a user's whole history, so this defines the data set; no model sees it.
    """
    order = numpy_generator(0, "rim", "movielens", "ties").permutation(len(user))
    events = make_events(user[order], item[order], time[order])
    starts = events.indptr
    place = np.arange(len(events)) - starts[events.user] + 1
    return events.only(place >= 0.5 * np.diff(starts)[events.user])


@cache
def _movies() -> Events:
    import pandas as pd

    frame = pd.read_csv(fetch(MOVIE_FILE), sep="\t")
    return second_halves(*(frame[f"{n}"].to_numpy() for n in ("user_id:token", "item_id:token", "timestamp:float")))


@cache
def _many_movies() -> Events:
    import pandas as pd

    with zipfile.ZipFile(fetch(ARCHIVE)) as archive, archive.open("ml-1m/ratings.dat") as ratings:
        frame = pd.read_csv(ratings, sep="::", engine="python", names=["user", "item", "rating", "time"])
    return second_halves(*(frame[name].to_numpy() for name in ("user", "item", "time")))


@cache
def _retail() -> Events:
    """Return invoices as events, one a customer, invoice and item."""
    columns = _retail_columns()
    kept = np.isfinite(columns["customer"]) & (columns["quantity"] > 0)
    kept &= ~np.char.startswith(columns["invoice"], "C")
    kept &= np.array([re.match(r"\d{5}", code) is not None for code in columns["item"]])
    invoice, item, customer, time = (columns[n][kept] for n in ("invoice", "item", "customer", "time"))
    _, codes = np.unique(item, return_inverse=True)
    _, invoices = np.unique(invoice, return_inverse=True)
    _, first = np.unique(np.stack([customer.astype(np.int64), invoices, codes]), axis=1, return_index=True)
    first.sort()
    return make_events(customer[first].astype(np.int64), item[first], time[first])


def _retail_columns() -> dict[str, np.ndarray]:
    """Return the columns needed, kept as arrays in the build folder: parsing the R file takes most of a minute."""
    key = hashlib.sha256(f"{hashes([RETAIL_FILE])}{Path(__file__).read_text('utf-8')}".encode()).hexdigest()
    path = build_folder() / "data" / "rim" / f"online-retail-{key[:20]}.npz"
    if path.is_file():
        return load_npz(path)
    columns = read_rda(fetch(RETAIL_FILE))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and moved in one step: two runs may do so at once.
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as partial:
        np.savez_compressed(partial, **columns)  # type: ignore[arg-type]
    Path(partial.name).replace(path)
    return columns


def read_rda(path: Path) -> dict[str, np.ndarray]:
    """Return invoice, item, quantity, time (seconds since 1970) and customer of the R file.

    Raises
    ------
    DataError
        If the file has other columns.
    """
    import rdata

    with warnings.catch_warnings():
        # It says that dates stay what they are in the file, seconds since 1970, which is what is wanted.
        warnings.filterwarnings("ignore", message="Missing constructor for R class")
        (frame,) = rdata.conversion.convert(rdata.parser.parse_file(path)).values()
    names = {
        "InvoiceNo": "invoice",
        "StockCode": "item",
        "Quantity": "quantity",
        "InvoiceDate": "time",
        "CustomerID": "customer",
    }
    if missing := [name for name in names if name not in frame.columns]:
        raise DataError(f"{path} lacks the column(s) {', '.join(missing)}; fetch it again.")
    return {ours: _plain(frame[theirs]) for theirs, ours in names.items()}


def _plain(column: pd.Series) -> np.ndarray:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return column.to_numpy().astype("datetime64[ns]").astype(np.int64) / 1e9
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy().astype(np.float64)
    return column.astype(str).to_numpy().astype("U")
