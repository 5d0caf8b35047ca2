"""Two data sets times two seeds of a real chapter: cells joined by the notebook give the rows of a single run."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.workflow.conftest import REPOSITORY

DATA_SETS = ("dg-15-generated", "dg-60-generated")
SEEDS = (0, 1)
SMALL = ("n_steps=20", "probe_steps=20")


def run(folder: Path, **given: object) -> dict[str, list[object]]:
    """Run the chapter with small parameters into a folder and return the rows of its record."""
    words = [*SMALL, *(f"{name}={json.dumps(value)}" for name, value in given.items())]
    command = [shutil.which("reprise", path=str(Path(sys.executable).parent)) or "reprise", "run", "grda"]
    assignments = [part for word in words for part in ("-p", word)]
    result = subprocess.run(
        [*command, *assignments, "--output", str(folder)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    rows: dict[str, list[object]] = json.loads((folder / "grda.json").read_text(encoding="utf-8"))["rows"]
    return rows


def test_cells_joined_by_the_notebook_give_the_rows_of_a_single_run_bit_for_bit(tmp_path: Path) -> None:
    single = run(tmp_path / "single", datasets=DATA_SETS, seeds=SEEDS)
    records = []
    for data_set in DATA_SETS:
        for seed in SEEDS:
            folder = tmp_path / data_set / str(seed)
            run(folder, datasets=[data_set], seeds=[seed])
            records.append(str(folder / "grda.json"))
    joined = run(tmp_path / "joined", datasets=DATA_SETS, seeds=SEEDS, records=records)
    assert len(single["value"]) > 0
    assert joined == single
