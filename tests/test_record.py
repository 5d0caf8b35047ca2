import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from reprise import record as records
from reprise.record import Cost, Hardware, Provenance, Record, RecordError, rows_to_columns, summarise
from reprise.rows import tidy

PUBLISHED = pd.DataFrame(
    {"dataset": ["d"], "split": ["t"], "method": ["m"], "metric": ["a"], "value": [7.0], "source": ["Table 1"]}
)


def some_rows(n=3):
    common = {"dataset": "d", "split": "t", "metric": "a"}
    return tidy([{**common, "method": m, "seed": s, "value": s + 0.1} for s in range(n) for m in ("m", "other")])


def some_record(**changes):
    rows = some_rows()
    fields = {
        "paper": "grda", "package": "grda", "profile": "quick", "parameters": {"seeds": [0, 1, 2]},
        "rows": rows_to_columns(rows), "summary": summarise(rows, PUBLISHED, []), "verdicts": (),
        "provenance": Provenance(
            computation_sha256="c", parameters_sha256="p", modules={}, data={}, version="0", commit=None, libraries={}
        ),
        "hardware": Hardware(device="cpu", processor="any", cpu_cores=1, memory_gib=1.0),
        "cost": Cost(seconds=1.0, peak_memory_mib=2.0), "created": records.now(), "rendered": records.now(), **changes,
    }  # fmt: skip
    return Record(**fields)


def test_a_record_is_read_as_it_was_written(tmp_path):
    record = some_record()
    records.save(record, tmp_path / "r.json")
    assert records.load(tmp_path / "r.json") == record


def test_the_file_is_plain_json_with_one_line_a_column(tmp_path):
    records.save(some_record(), tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text()
    assert json.loads(text)["rows"]["seed"] == [0, 1, 2, 0, 1, 2]
    assert json.loads(text)["rows"]["method"] == {"names": ["m", "other"], "codes": [0, 0, 0, 1, 1, 1]}
    assert '  "seed": [0,1,2,0,1,2],\n' in text


def test_equal_rows_have_equal_hashes():
    assert some_record().rows_sha256() == some_record(profile="standard").rows_sha256()


def test_the_summary_stands_beside_the_papers_number():
    ours, other = summarise(some_rows(), PUBLISHED, [])
    assert (ours.method, ours.n, ours.paper_value, ours.paper_source) == ("m", 3, 7.0, "Table 1")
    assert ours.mean == pytest.approx(1.1)
    assert other.paper_value is None


@pytest.mark.parametrize("without", [float("nan"), None])
def test_a_printed_number_of_no_variant_stands_beside_the_cell_of_no_variant(without):
    printed = pd.concat([PUBLISHED.assign(weight=0.5, value=9.0), PUBLISHED.assign(weight=float("nan"))])
    rows = pd.concat([some_rows().assign(weight=without), some_rows().assign(weight=0.5)])
    found = {(row.method, *row.variant.values()): row.paper_value for row in summarise(rows, printed, ["weight"])}
    assert found == {("m",): 7.0, ("m", 0.5): 9.0, ("other",): None, ("other", 0.5): None}


def test_a_picture_is_replaced_as_a_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    records.write_atomically(path, b"\x89PNG old")
    monkeypatch.setattr(records.os, "replace", lambda *names: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        records.write_atomically(path, b"\x89PNG new")
    assert path.read_bytes() == b"\x89PNG old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_summary_of_one_seed_has_no_interval():
    (row, _) = summarise(some_rows(1), PUBLISHED, [])
    assert (row.low, row.high) == (None, None)


def test_a_missing_record_says_how_to_make_one(tmp_path):
    with pytest.raises(RecordError, match="run the chapter first"):
        records.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "run the chapter again"),
        ("{", "run the chapter again"),
        ('{"schema_version": 1}', "is no record: it has no paper, package, profile"),
        ("[]", "run the chapter again"),
    ],
)
def test_a_truncated_or_foreign_record_is_refused(tmp_path, content, message):
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(RecordError, match=message):
        records.load(tmp_path / "r.json")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"seed": [0,1,2,0,1,2]', '"seed": [0]', "differ in length"),
        ('"value": [0.1,', '"value": ["many",', "no number"),
        ('"codes":[0,', '"codes":[999,', "code without a name"),
        ('  "metric":', '  "metrics":', "lack the column"),
    ],
)
def test_damaged_rows_are_refused(tmp_path, old, new, message):
    records.save(some_record(), tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text()
    assert old in text
    (tmp_path / "r.json").write_text(text.replace(old, new, 1))
    with pytest.raises(RecordError, match=message):
        records.load(tmp_path / "r.json")


def test_a_record_of_another_schema_is_refused(tmp_path):
    records.save(some_record(), tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text().replace('"schema_version": 1', '"schema_version": 2')
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(RecordError, match="schema"):
        records.load(tmp_path / "r.json")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        records.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


def test_a_kill_in_the_middle_of_writing_leaves_the_old_record(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("old")
    program = (
        "import os, sys, time, pathlib\n"
        "from reprise import record\n"
        "slow = os.replace\n"
        "def wait(*a):\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "os.replace = wait\n"
        f"record.write_atomically(pathlib.Path({str(path)!r}), 'new')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "ready"
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.05)
    assert path.read_text() == "old"


def test_the_schema_describes_every_field_of_a_record():
    schema = records.schema()
    assert set(schema["properties"]) == set(Record.model_fields)
