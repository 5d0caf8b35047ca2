"""The record: everything that one run of a chapter found, and what it depended on, as one JSON file."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reprise.claims import Verdict
from reprise.errors import RepriseError
from reprise.provenance import digest
from reprise.rows import COLUMNS

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


class CodedColumn(_Part):
    """A column of names: each name once, and for every row its place among them (−1: none)."""

    names: tuple[str, ...]
    codes: tuple[int, ...]


class Record(_Part):
    """One run of one chapter."""

    schema_version: Literal[1] = SCHEMA_VERSION
    paper: str = Field(description="slug of the paper")
    package: str
    profile: str = Field(description="quick, standard or paper; 'custom' if parameters were changed")
    parameters: dict[str, Any]
    rows: dict[str, CodedColumn | list[Any]] = Field(description="tidy rows, column by column")
    summary: tuple[SummaryRow, ...]
    verdicts: tuple[Verdict, ...]
    provenance: Provenance
    hardware: Hardware
    cost: Cost
    created: datetime = Field(description="when the rows were computed (UTC)")
    rendered: datetime = Field(description="when tables, figures and verdicts were made from them (UTC)")
    merged_from: tuple[str, ...] = Field((), description="hashes of the rows of the records that these rows come from")

    @model_validator(mode="after")
    def _rows_are_whole(self) -> Self:
        if missing := [name for name in COLUMNS if name not in self.rows]:
            raise ValueError(f"the rows lack the column(s) {', '.join(missing)}")
        lengths = {len(c.codes) if isinstance(c, CodedColumn) else len(c) for c in self.rows.values()}
        if len(lengths) != 1:
            raise ValueError("the columns of the rows differ in length")
        for name, column in self.rows.items():
            if isinstance(column, CodedColumn) and not all(-1 <= code < len(column.names) for code in column.codes):
                raise ValueError(f"column {name!r} of the rows has a code without a name")
        if isinstance(values := self.rows["value"], CodedColumn) or not all(v is None or _is_number(v) for v in values):
            raise ValueError("column 'value' of the rows holds something that is no number")
        return self

    def frame(self) -> pd.DataFrame:
        """Return the tidy rows as a DataFrame."""
        return rows_from_columns(self.rows)

    def rows_sha256(self) -> str:
        """Return the hash of the rows."""
        return digest(self.model_dump(mode="json", include={"rows"}))

    def parts(self) -> tuple[str, ...]:
        """Return the hashes of the rows of the parts that these rows were computed in: its own, if in one piece."""
        return self.merged_from or (self.rows_sha256(),)


def rows_to_columns(rows: pd.DataFrame) -> dict[str, CodedColumn | list[Any]]:
    """Return tidy rows as JSON values, column by column; NaN and missing become null, columns of names are coded."""
    columns: dict[str, CodedColumn | list[Any]] = {}
    for column in rows.columns:
        values = [None if isinstance(v, float) and not math.isfinite(v) else v for v in rows[column].tolist()]
        present = {value for value in values if value is not None}
        if present and all(isinstance(value, str) for value in present):
            names = sorted(present)
            place = {None: -1, **{name: number for number, name in enumerate(names)}}
            columns[str(column)] = CodedColumn(names=tuple(names), codes=tuple(place[value] for value in values))
        else:
            columns[str(column)] = values
    return columns


def rows_from_columns(columns: Mapping[str, CodedColumn | list[Any]]) -> pd.DataFrame:
    """Return tidy rows from their JSON form."""
    import pandas as pd

    from reprise.rows import tidy

    frame = pd.DataFrame({name: pd.Series(_decoded(column), dtype=object) for name, column in columns.items()})
    for name in frame.columns:
        present = frame[name].dropna()
        if name not in ("seed", "value") and len(present) and all(_is_number(v) for v in present):
            frame[name] = pd.to_numeric(frame[name])
    frame["value"] = frame["value"].astype("float64")
    return tidy(frame)


def _decoded(column: CodedColumn | list[Any]) -> list[Any]:
    if isinstance(column, CodedColumn):
        return [None if code < 0 else column.names[code] for code in column.codes]
    return column


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file, text or bytes, so that a kill at any moment leaves the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
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


def _rows_on_one_line_each(text: str, rows: dict[str, Any]) -> str:
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
    if path.is_dir():
        within = next(iter(sorted(path.rglob("*.json"))), path / "PACKAGE.json")
        raise RecordError(f"{path} is a folder; name a record in it, such as {within}.")
    try:
        return Record.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"no record at {path}; run the chapter first (`reprise run PAPER`).") from error
    except ValidationError as error:
        raise RecordError(f"{path} {_no_record(path, error)}") from error
    except (UnicodeDecodeError, OSError) as error:
        raise RecordError(f"{path} cannot be read as a record ({error}); run the chapter again.") from error


def _no_record(path: Path, error: ValidationError) -> str:
    """Say why a file is no record: another kind of file, or a record that is broken or of another schema."""
    where = "name the PACKAGE.json that a run leaves, such as build/run/quick/grda.json."
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        if path.suffix == ".json":
            return f"is not whole JSON: if it is a record that was cut short, run the chapter again; else {where}"
        return f"is no record: it is not JSON; {where}"
    absent = [str(problem["loc"][0]) for problem in error.errors() if problem["type"] == "missing"]
    if {"paper", "rows"} <= set(absent):
        return f"is no record: it has no {', '.join(absent[:3])}; {where}"
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    message = "is missing" if first["type"] == "missing" else first["msg"].removeprefix("Value error, ")
    return f"is not a record of schema {SCHEMA_VERSION} ({place}: {message}); run the chapter again."


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
        The paper's printed numbers: ``dataset, split, method, metric, value, source``; a further column of ``columns``
        restricts a number to the cells of that variant, and left empty to those without one.
    columns
        Further identifying columns that tell cells apart, as far as the rows have them; all others are averaged over
        within a seed.
    """
    from reprise.stats import t_interval

    columns = [column for column in columns if column in rows.columns]
    keys = ["dataset", "split", "method", "metric", *columns]
    matched = [column for column in published.columns if column in keys]
    printed: dict[Any, tuple[float, str]] = {
        tuple(_none_if_empty(entry[column]) for column in matched): (float(entry["value"]), str(entry["source"]))
        for entry in published.to_dict("records")
    }
    summary = []
    for key, group in rows.groupby(keys, dropna=False, sort=True):
        interval = t_interval(group.groupby("seed")["value"].mean())
        cell = dict(zip(keys, key, strict=True))
        value, source = printed.get(tuple(_none_if_empty(cell[column]) for column in matched), (None, None))
        variant = {c: v for c, v in zip(columns, key[4:], strict=True) if _none_if_empty(v) is not None}
        mean, low, high = (v if math.isfinite(v) else None for v in (interval.estimate, interval.low, interval.high))
        summary.append(
            SummaryRow(
                dataset=key[0], split=key[1], method=key[2], metric=key[3], variant=variant, n=interval.n,
                mean=mean, low=low, high=high, paper_value=value, paper_source=source,
            )
        )  # fmt: skip
    return tuple(summary)


def _none_if_empty(value: Any) -> Any:
    """Return the value of an identifying column, or None for NaN: an empty cell, which equals nothing as it is."""
    return None if value is None or value != value else value
