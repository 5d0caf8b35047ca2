"""The settings that every chapter has; a chapter adds its own fields.

A field's description is what a reader sees in the chapter's parameter table: meaning, unit, the paper's value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from reprise.catalogue import find_paper
from reprise.errors import RepriseError, unknown_name
from reprise.parameter_errors import explain
from reprise.provenance import digest

# Embedded data set → the real one, or ones, that it stands in for.
Twins = Mapping[str, str | tuple[str, ...]]


class SettingsError(RepriseError, ValueError):
    """A parameter of the wrong type or out of range."""


class ChapterSettings(BaseModel):
    """What a study depends on, validated; frozen, and with no field that the chapter does not know.

    A chapter sets the class attributes: ``paper`` (slug); ``where_it_runs``, the fields that say where and how fast a
    study runs but not what it computes, left out of the hash that decides whether a record is stale;
    ``summary_columns``, the identifying columns that tell cells of the summary apart; ``embedded_twins``, from an
    embedded data set to the real one, or ones, that it stands in for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    paper: ClassVar[str]
    where_it_runs: ClassVar[frozenset[str]] = frozenset({"device", "threads"})
    summary_columns: ClassVar[tuple[str, ...]] = ()
    embedded_twins: ClassVar[Twins] = {}

    datasets: tuple[str, ...] = Field(min_length=1, description="names of the data sets, as in the catalogue")
    seeds: tuple[int, ...] = Field(min_length=1, description="seeds; every method uses the same ones")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, … or mps")
    threads: int = Field(1, ge=1, le=256, description="CPU threads of one process")

    @field_validator("datasets")
    @classmethod
    def _datasets_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = [data_set.name for data_set in find_paper(cls.paper).data_sets]
        for name in value:
            if name not in known:
                raise ValueError(str(unknown_name("data set", name, known)))
        if len(set(value)) < len(value):
            raise ValueError(f"names a data set twice: {', '.join(value)}; name each once.")
        return value

    @field_validator("device")
    @classmethod
    def _device_has_a_known_form(cls, value: str) -> str:
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", value):
            raise ValueError(f"must be auto, cpu, mps, cuda, or cuda:N for the GPU of number N, got {value!r}.")
        return value

    @field_validator("seeds")
    @classmethod
    def _seeds_differ(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) < len(value) or min(value) < 0:
            raise ValueError(f"must be distinct integers >= 0, got {list(value)}.")
        return value

    @classmethod
    def checked(cls, parameters: dict[str, Any]) -> Self:
        """Validate parameters as they come from YAML: strictly typed, so that ``"500"`` or ``true`` is no integer.

        Raises
        ------
        UnknownNameError
            If a parameter does not exist; names the known ones and the nearest.
        SettingsError
            If one has the wrong type or is out of range; names it and its value.
        """
        import json

        for name in parameters:
            if name not in cls.model_fields:
                raise unknown_name("parameter", name, sorted(cls.model_fields))
        try:
            # What JSON has no word for, a date say, becomes text and is refused by its field's type.
            return cls.model_validate_json(json.dumps(parameters, default=str), strict=True)
        except ValidationError as error:
            raise SettingsError(explain(error)) from error
        except TypeError as error:
            raise SettingsError(f"a parameter has a mapping with keys that are no text: {error}.") from error

    @property
    def reduced_scale(self) -> bool:
        """Whether these settings ask for less than the paper's scale (steps, width, data); a chapter says how."""
        raise NotImplementedError

    def determining_rows(self) -> dict[str, Any]:
        """Return the parameters that determine the rows, as plain JSON values."""
        return self.model_dump(mode="json", exclude=set(self.where_it_runs))

    def sha256(self) -> str:
        """Return the hash of the parameters that determine the rows."""
        return digest(self.determining_rows())
