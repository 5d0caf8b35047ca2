"""Tidy rows: the one form in which all results travel from a study to statistics, claims, figures and records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from reprise.errors import RepriseError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

COLUMNS = ("dataset", "split", "method", "seed", "metric", "value")


class RowsError(RepriseError, ValueError):
    """Rows that are not tidy."""


class MissingRowsError(RepriseError, LookupError):
    """Rows that a rule, table or figure needs and the run did not make."""


def tidy(records: Iterable[Mapping[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    """Return rows in canonical form: checked, with the common columns first, sorted by all identifying columns.

    Parameters
    ----------
    records
        Mappings with at least ``dataset, split, method, seed, metric, value``; further keys are identifying columns
        of this study. ``seed`` is an integer (−1 for results without randomness), ``value`` a float (NaN = diverged).

    Raises
    ------
    RowsError
        If a common column is missing, a value is not a number, or two rows have the same identity.

    Examples
    --------
    >>> tidy([dict(dataset="d", split="test", method="m", seed=0, metric="accuracy", value=1)]).value.item()
    1.0
    """
    import pandas as pd

    rows = records if isinstance(records, pd.DataFrame) else pd.DataFrame.from_records(list(records))
    if rows.empty and not len(rows.columns):
        rows = pd.DataFrame(columns=list(COLUMNS))
    if missing := [column for column in COLUMNS if column not in rows.columns]:
        raise RowsError(f"rows lack the column(s) {', '.join(missing)}; every row needs {', '.join(COLUMNS)}.")
    extra = sorted(set(rows.columns) - set(COLUMNS))
    rows = rows[[*COLUMNS[:-1], *extra, "value"]].copy()
    try:
        rows["value"] = rows["value"].astype("float64")
        rows["seed"] = rows["seed"].astype("int64")
    except (TypeError, ValueError) as error:
        raise RowsError(f"rows need a number in 'value' and an integer in 'seed': {error}.") from error
    identity = [column for column in rows.columns if column != "value"]
    for column in ("dataset", "split", "method", "metric", *extra):
        if not pd.api.types.is_numeric_dtype(rows[column].dtype):
            rows[column] = rows[column].astype(object).where(rows[column].notna(), None)
    repeated = rows.duplicated(identity)
    if repeated.any():
        first = rows.loc[repeated, identity].iloc[0].to_dict()
        raise RowsError(f"two rows have the same identity {first}; give what tells them apart a column.")
    order = rows[identity].astype(str).assign(seed=rows["seed"]).sort_values(identity, kind="stable").index
    return rows.loc[order].reset_index(drop=True)


def concatenate(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Join the rows of several runs, e.g. of the cells of a fan-out, into one canonical table.

    Rows without randomness (seed −1) may stand in every part; equal ones are kept once.
    """
    import pandas as pd

    records: list[dict[str, Any]] = []
    for frame in frames:
        records.extend(frame.astype(object).where(frame.notna(), None).to_dict("records"))  # type: ignore[arg-type]
    for record in records:
        if record["value"] is None:
            record["value"] = float("nan")
    if not records:
        return tidy(records)
    joined = pd.DataFrame.from_records(records)
    return tidy(joined[~(joined.duplicated() & (joined["seed"] == -1))])


def select(rows: pd.DataFrame, **conditions: Any) -> pd.DataFrame:
    """Return the rows whose columns have the given values; a list or tuple admits any of its members.

    Raises
    ------
    MissingRowsError
        If no row is left; the message names the conditions.
    """
    return rows[_chosen(rows, conditions)]


def per_seed(rows: pd.DataFrame, **conditions: Any) -> pd.Series:
    """Return one value per seed, indexed by seed: the mean over whatever else differs among the selected rows.

    Raises
    ------
    MissingRowsError
        If no row is left; the message names the conditions.
    """
    import pandas as pd

    chosen = _chosen(rows, conditions)
    seeds = pd.Index(rows["seed"].to_numpy()[chosen], name="seed")
    values = pd.Series(rows["value"].to_numpy()[chosen], index=seeds, name="value")
    # Mostly there is one row a seed, whose mean is itself: rules ask for thousands of these.
    return values.sort_index() if seeds.is_unique else values.groupby(level="seed").mean()


def _chosen(rows: pd.DataFrame, conditions: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Tell of each row whether it meets all conditions; the frame is copied once, not once a condition."""
    import numpy as np

    chosen = np.ones(len(rows), dtype=bool)
    for column, wanted in conditions.items():
        if column not in rows.columns:
            raise MissingRowsError(f"no rows have a column {column!r} (looked for {conditions}).")
        if wanted is None:
            met = rows[column].isna()
        elif isinstance(wanted, list | tuple | set | frozenset):
            met = rows[column].isin(list(wanted))
        else:
            met = rows[column] == wanted
        chosen &= met.to_numpy(dtype=bool)
    if not chosen.any():
        wanted_text = ", ".join(f"{column} = {value}" for column, value in conditions.items())
        raise MissingRowsError(f"no rows with {wanted_text}.")
    return chosen
