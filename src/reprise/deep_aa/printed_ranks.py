"""The blog's sentence as arithmetic on the paper's table: rows of data set ``theory``, which no run can change."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib import resources
from typing import Any

from reprise.deep_aa.names import PRINTED, SEARCHED

Row = dict[str, Any]
TABLE = "Table 1"


def table_one() -> dict[str, dict[str, float]]:
    """Return the columns of the table (data set and network) with the accuracy of each method."""
    columns: dict[str, dict[str, float]] = {}
    with resources.files("reprise.deep_aa").joinpath("published.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if line["source"].startswith(TABLE) and line["metric"] == "accuracy":
                columns.setdefault(f"{line['dataset']}, {line['network']}", {})[line["method"]] = float(line["value"])
    return columns


def printed_rows() -> Iterator[Row]:
    """Yield, for each column of the table, DeepAA's lead over each of the ten other methods, in points."""
    for column, values in table_one().items():
        for method, value in values.items():
            if method != SEARCHED:
                yield {
                    "dataset": "theory",
                    "split": "printed",
                    "method": method,
                    "seed": -1,
                    "metric": "lead of DeepAA",
                    "part": PRINTED,
                    "network": None,
                    "variant": column,
                    "layer": None,
                    "operation": None,
                    "level": None,
                    "step": None,
                    "at": None,
                    "value": round(values[SEARCHED] - value, 2),
                }
