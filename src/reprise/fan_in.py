"""Records that a run reads instead of computing: whether they fit its settings and hold every cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprise.errors import RepriseError

if TYPE_CHECKING:
    from reprise.catalogue import Paper
    from reprise.record import Record
    from reprise.settings import ChapterSettings


class FanInError(RepriseError):
    """A record that cannot stand for a part of the run that reads it."""


def cells_of(parameters: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the pairs of data set and seed that a run computes, in the order of its parameters.

    Parameters
    ----------
    parameters
        Of the run. A chapter may run a data set with some of the seeds only: those that ``fewer_seeds`` has for it.
    """
    fewer = parameters.get("fewer_seeds") or {}
    return [
        (dataset, seed)
        for dataset in parameters.get("datasets", ())
        for seed in parameters.get("seeds", ())
        if seed in fewer.get(dataset, (seed,))
    ]


def fitting_records(paper: Paper, settings: ChapterSettings, paths: Sequence[str]) -> tuple[Record, ...]:
    """Load records whose rows together are those of a run with these settings.

    Parameters
    ----------
    paper, settings
        The run that reads the records.
    paths
        Files; relative ones from the repository's folder.

    Raises
    ------
    FanInError
        If a record is another paper's, does not agree with itself, is stale, was made with other parameters, has data
        sets or seeds beyond the settings', or if together they lack a data set and seed.
    RecordError
        If one cannot be read.
    """
    records = tuple(_fitting(paper, settings, path) for path in paths)
    have = {(d, s) for r in records for d in r.parameters["datasets"] for s in r.parameters["seeds"]}
    missing = [cell for cell in cells_of(settings.model_dump()) if cell not in have]
    if records and missing:
        raise FanInError(f"records: none holds data set and seed {missing[0]} ({len(missing)} cells are missing).")
    return records


def _fitting(paper: Paper, settings: ChapterSettings, path: str) -> Record:
    from reprise.paths import repository
    from reprise.record import load
    from reprise.verification import inconsistencies, staleness

    record = load(Path(path) if Path(path).is_absolute() else repository() / path)
    if record.package != paper.package:
        raise FanInError(f"records: {path} is of {record.paper}, this chapter is {paper.slug}.")
    if faults := inconsistencies(record):
        raise FanInError(f"records: {path} does not agree with itself ({'; '.join(faults)}); run its cell again.")
    theirs = type(settings).checked(record.parameters).determining_rows()
    ours = settings.determining_rows()
    if other := sorted(k for k in ours if k not in ("datasets", "seeds") and ours[k] != theirs[k]):
        raise FanInError(f"records: {path} was made with other {', '.join(other)}; run its cell again.")
    for name in ("datasets", "seeds"):
        if beyond := [value for value in theirs[name] if value not in ours[name]]:
            raise FanInError(
                f"records: {path} holds {name} {beyond} that this run does not ask for; add them or take other records."
            )
    if stale := [reason for reason in staleness(record) if not reason.startswith("the parameters")]:
        raise FanInError(f"records: {path} is stale ({'; '.join(stale)}); run its cell again.")
    return record
