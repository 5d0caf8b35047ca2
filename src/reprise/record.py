"""The record: everything that one run of a chapter found, and what it depended on, as one JSON file."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reprise.claims import Verdict
from reprise.errors import RepriseError
from reprise.provenance import digest

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION: Literal[1] = 1


class RecordError(RepriseError):
    """A record that cannot be read, does not follow the schema, or does not follow from its own rows."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SummaryRow(_Part):
    """Mean over seeds with its 95 % t interval, beside the paper's value where it prints one."""

    dataset: str
    split: str
    method: str
    metric: str
    variant: dict[str, Any] = Field(default_factory=dict, description="further identifying columns of the study")
    n: int
    mean: float | None
    low: float | None
    high: float | None
    paper_value: float | None = None
    paper_source: str | None = None


class Provenance(_Part):
    """What the rows depend on, as hashes, and by what they were made."""

    computation_sha256: str = Field(description="hash of modules, parameters and data together")
    parameters_sha256: str
    modules: dict[str, str] = Field(description="module of the study → fingerprint of its code")
    data: dict[str, str] = Field(description="data file → SHA-256 of its bytes")
    notebook_sha256: str | None = Field(None, description="hash of the notebook's source cells")
    version: str
    commit: str | None
    libraries: dict[str, str]


class Hardware(_Part):
    """The machine, without anything that names it."""

    device: str
    processor: str
    cpu_cores: int
    memory_gib: float
    accelerator: str | None = None


class Cost(_Part):
    """What computing the rows took."""

    seconds: float
    peak_memory_mib: float
    peak_accelerator_memory_mib: float | None = None


class Record(_Part):
    """One run of one chapter."""

    schema_version: Literal[1] = SCHEMA_VERSION
    paper: str = Field(description="slug of the paper")
    package: str
    profile: str = Field(description="quick, standard or paper; 'custom' if parameters were changed")
    parameters: dict[str, Any]
    rows: dict[str, list[Any]] = Field(description="tidy rows, column by column")
    summary: tuple[SummaryRow, ...]
    verdicts: tuple[Verdict, ...]
    provenance: Provenance
    hardware: Hardware
    cost: Cost
    created: datetime = Field(description="when the rows were computed (UTC)")
    rendered: datetime = Field(description="when tables, figures and verdicts were made from them (UTC)")
    merged_from: tuple[str, ...] = Field((), description="hashes of the rows of the records that these rows come from")

    def frame(self) -> pd.DataFrame:
        """Return the tidy rows as a DataFrame."""
        return rows_from_columns(self.rows)

    def rows_sha256(self) -> str:
        """Return the hash of the rows."""
        return digest(self.rows)


def rows_to_columns(rows: pd.DataFrame) -> dict[str, list[Any]]:
    """Return tidy rows as JSON values, column by column; NaN and missing become null."""
    columns: dict[str, list[Any]] = {}
    for name in rows.columns:
        values = rows[name].tolist()
        columns[str(name)] = [None if isinstance(v, float) and not math.isfinite(v) else v for v in values]
    return columns


def rows_from_columns(columns: dict[str, list[Any]]) -> pd.DataFrame:
    """Return tidy rows from their JSON form."""
    import pandas as pd

    from reprise.rows import tidy

    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    for name in frame.columns:
        present = frame[name].dropna()
        if name not in ("seed", "value") and len(present) and all(_is_number(v) for v in present):
            frame[name] = pd.to_numeric(frame[name])
    frame["value"] = frame["value"].astype("float64")
    return tidy(frame)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a kill at any moment leaves either the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def save(record: Record, path: Path) -> None:
    """Write a record atomically as JSON."""
    content = record.model_dump(mode="json")
    lines = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(path, _rows_on_one_line_each(lines, content["rows"]) + "\n")


def _rows_on_one_line_each(text: str, rows: dict[str, list[Any]]) -> str:
    """Keep the file readable: every column of the rows on one line instead of one line a value."""
    spread = json.dumps({"rows": rows}, indent=1, ensure_ascii=False)[2:-2]
    columns = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(values, ensure_ascii=False, separators=(',', ':'))}"
        for name, values in rows.items()
    )
    return text.replace(spread, f' "rows": {{\n{columns}\n }}', 1)


def load(path: Path) -> Record:
    """Read a record.

    Raises
    ------
    RecordError
        If the file is missing, truncated, or does not follow the schema; the message says which and what to do.
    """
    try:
        return Record.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"no record at {path}; run the chapter first (`reprise run PAPER`).") from error
    except (ValidationError, UnicodeDecodeError, OSError) as error:
        first = str(error).splitlines()
        raise RecordError(
            f"{path} is not a record of schema {SCHEMA_VERSION} ({' '.join(first[:3])}); run the chapter again."
        ) from error


def schema() -> dict[str, Any]:
    """Return the JSON schema of a record."""
    return Record.model_json_schema()


def now() -> datetime:
    """Return the present moment in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def summarise(rows: pd.DataFrame, published: pd.DataFrame, columns: Sequence[str]) -> tuple[SummaryRow, ...]:
    """Return mean and t interval over seeds of each cell of the study, beside the paper's number.

    Parameters
    ----------
    rows
        Tidy rows.
    published
        The paper's printed numbers: ``dataset, split, method, metric, value, source``.
    columns
        Further identifying columns that tell cells apart, as far as the rows have them; all others are averaged over
        within a seed.
    """
    from reprise.stats import t_interval

    printed: dict[Any, tuple[float, str]] = {
        (entry["dataset"], entry["split"], entry["method"], entry["metric"]): (
            float(entry["value"]),
            str(entry["source"]),
        )
        for entry in published.to_dict("records")
    }
    columns = [column for column in columns if column in rows.columns]
    keys = ["dataset", "split", "method", "metric", *columns]
    summary = []
    for key, group in rows.groupby(keys, dropna=False, sort=True):
        interval = t_interval(group.groupby("seed")["value"].mean())
        value, source = printed.get(tuple(key[:4]), (None, None))
        variant = {c: v for c, v in zip(columns, key[4:], strict=True) if v is not None and v == v}
        mean, low, high = (v if math.isfinite(v) else None for v in (interval.estimate, interval.low, interval.high))
        summary.append(
            SummaryRow(
                dataset=key[0], split=key[1], method=key[2], metric=key[3], variant=variant, n=interval.n,
                mean=mean, low=low, high=high, paper_value=value, paper_source=source,
            )
        )  # fmt: skip
    return tuple(summary)
