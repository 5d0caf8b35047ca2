"""Whole runs: a small notebook in a folder of its own, executed by the runner, judged, recorded and rendered again."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import yaml

from reprise import notebook_files, publication, runner, verification
from reprise import record as records
from reprise.chapter import ChapterError, verdict_sentence
from reprise.claims import ControlResult, Verdict
from reprise.compute import DeviceError
from reprise.errors import ParametersError, RepriseError, RunError, UnknownNameError
from reprise.fan_in import FanInError
from reprise.grda.settings import Settings
from reprise.paths import repository
from reprise.rule_lock import LockError, RuleLock
from reprise.runner import run_chapter
from reprise.settings import SettingsError

TOP = "from reprise.chapter import Chapter\nchapter = Chapter('grda')\nchapter.headline()\nchapter.claims_table()"
PARAMETERS = "datasets = ['dg-15-generated']\nseeds = [0, 1, 2]\nn_steps = 1\ndevice = 'cpu'\nrecords = []"
BEGIN = (
    "from reprise.grda.settings import Settings\n"
    "settings = Settings(datasets=datasets, seeds=seeds, n_steps=n_steps, device=device)\n"
    "chapter.begin(settings, records=records)"
)
STUDY = """
import pandas as pd
from reprise.plots import Drawing, new_figure
def study(settings):
    common = {'split': 'target', 'metric': 'accuracy', 'experiment': 'comparison'}
    return pd.DataFrame([
        {**common, 'dataset': d, 'seed': s, 'method': m, 'pairing': p, 'value': 50 + 10 * (m == 'GRDA') + s / 7}
        for d in settings.datasets for s in settings.seeds
        for m, p in (('GRDA', 'independent'), ('DANN', None))])
rows = chapter.rows(study)
"""
SHOW = """
figure, axes = new_figure()
chapter.figure(Drawing(figure, 'points', f'{len(rows)} points.', 'A caption.', rows))
chapter.table(rows[['method', 'value']], name='values', caption='All values.')
from reprise.rows import select
def missing(rows, **conditions):
    return select(rows, **conditions)
chapter.figure(missing, rows, method='ADDA')
chapter.table(missing, rows, method='ADDA', name='absent', caption='Nothing.')
chapter.table(rows[:0], name='empty', caption='Nothing.', otherwise='The map needs the `standard` profile.')
"""
END = "verdicts = chapter.judge()\nchapter.finish({'one step': 2e6})"
CELLS = (TOP, PARAMETERS, BEGIN, STUDY, SHOW, END)


def write_notebook(home: Path, cells: tuple[str, ...] = CELLS) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    for cell in notebook.cells:
        if cell.source.startswith("datasets ="):
            cell.metadata["tags"] = ["parameters"]
    nbformat.write(notebook, home / "notebooks" / "grda.ipynb")


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    (folder / "pyproject.toml").write_text('name = "reprise-iclr2022"\n')
    (folder / "notebooks" / "parameters").mkdir(parents=True)
    quick = {"datasets": ["dg-15-generated"], "seeds": [0, 1, 2], "n_steps": 1, "device": "cpu"}
    profiles = {"quick": quick, "standard": {"n_steps": 2}}
    (folder / "notebooks" / "parameters" / "grda.yaml").write_text(yaml.safe_dump(profiles))
    write_notebook(folder)
    return folder


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.setenv("REPRISE_HOME", str(home))
    assert repository() == home


@pytest.fixture(scope="module")
def finished(home, tmp_path_factory) -> Path:
    """One complete run; its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPRISE_HOME", str(home))
        folder = tmp_path_factory.mktemp("run")
        run_chapter("grda", output=folder)
    return folder


def outputs_of(notebook: Path) -> list[dict]:
    return [o for cell in json.loads(notebook.read_text())["cells"] for o in cell.get("outputs", [])]


def test_a_run_leaves_notebook_record_and_data_and_nothing_else(finished):
    left = sorted(str(path.relative_to(finished)) for path in finished.rglob("*"))
    assert left == [
        "grda", "grda.ipynb", "grda.json", "grda/controls.csv", "grda/points.csv", "grda/values.csv",
        "grda/verdicts.csv",
    ]  # fmt: skip


def test_the_record_follows_from_its_rows_and_is_fresh(finished):
    record, differences, stale = verification.verify(finished / "grda.json")
    assert (differences, stale) == ([], [])
    assert record.profile == "quick"
    assert len(record.verdicts) == 8
    assert record.provenance.notebook_sha256


def test_the_top_of_the_page_is_filled_in_when_the_verdicts_are_known(finished):
    texts = ["".join(o["data"]["text/html"]) for o in outputs_of(finished / "grda.ipynb")[:2]]
    assert "Of 8 claims" in texts[0]
    assert "pending" not in texts[1]
    assert "quick run" in texts[1]


def test_a_figure_or_table_without_rows_gives_way_to_a_sentence(finished):
    texts = ["".join(o["data"].get("text/markdown", "")) for o in outputs_of(finished / "grda.ipynb") if "data" in o]
    assert [text for text in texts if "standard" in text] == ["The map needs the `standard` profile."]
    assert sum("no rows for it" in text for text in texts) == 2


def test_the_cost_of_the_run_and_of_one_step_stand_at_the_end(finished):
    (cost,) = [
        o for o in outputs_of(finished / "grda.ipynb") if o.get("metadata", {}).get("reprise", {}).get("name") == "cost"
    ]
    assert "one step" in "".join(cost["data"]["text/html"])
    assert "2 MFLOP" in "".join(cost["data"]["text/html"])


def test_a_notebook_hands_over_its_names_as_parameters(home, finished, tmp_path):
    given = {name: value for name, value in Settings().model_dump(mode="json").items() if name not in PARAMETERS}
    others = "\n".join(f"{name} = {value!r}" for name, value in given.items())
    write_notebook(home, (TOP, PARAMETERS, f"{others}\nchapter.begin(globals())", STUDY, END))
    try:
        run_chapter("grda", output=tmp_path)
    finally:
        write_notebook(home)
    assert records.load(tmp_path / "grda.json").parameters == records.load(finished / "grda.json").parameters


def test_a_parameter_that_the_notebook_lacks_is_named():
    from reprise.chapter import Chapter

    with pytest.raises(ChapterError, match="the notebook has no datasets, seeds"):
        Chapter("grda").begin({"n_steps": 1})


def test_figures_carry_alternative_text_caption_and_data(finished):
    figures = [o for o in outputs_of(finished / "grda.ipynb") if "image/png" in o.get("data", {})]
    assert figures[0]["metadata"]["reprise"] == {
        "kind": "figure", "name": "points", "alt": "6 points.", "caption": "A caption.", "data": "points.csv",
    }  # fmt: skip


def test_an_executed_notebook_names_no_folder_of_the_machine(finished, home):
    text = (finished / "grda.ipynb").read_text()
    assert str(home) not in text
    assert str(finished) not in text


def test_a_run_is_repeated_bit_for_bit_times_and_memory_apart(finished, tmp_path):
    run_chapter("grda", output=tmp_path)
    first, second = (json.loads((folder / "grda.json").read_text()) for folder in (finished, tmp_path))
    for record in (first, second):
        for key in ("cost", "created", "rendered"):
            del record[key]
    assert first == second


def test_cells_of_a_fan_out_join_to_the_rows_of_a_single_run(finished, tmp_path):
    cells = []
    for seed in (2, 0, 1):
        run_chapter("grda", overrides={"seeds": [seed]}, output=tmp_path / str(seed))
        cells.append(str(tmp_path / str(seed) / "grda.json"))
    run_chapter("grda", overrides={"records": cells}, output=tmp_path / "joined")
    joined, single = (records.load(folder / "grda.json") for folder in (tmp_path / "joined", finished))
    assert joined.rows == single.rows
    assert joined.verdicts == single.verdicts
    assert len(joined.merged_from) == 3
    run_chapter("grda", overrides={"records": [str(tmp_path / "joined" / "grda.json")]}, output=tmp_path / "again")
    assert records.load(tmp_path / "again" / "grda.json").merged_from == joined.merged_from


def test_a_kept_record_gives_its_rows_again_and_a_stale_one_does_not(finished, home, tmp_path):
    kept = tmp_path / "kept" / "grda.json"
    first = run_chapter("grda", output=tmp_path / "first", keep=kept)
    assert records.load(kept).merged_from == ()
    write_notebook(
        home, (*CELLS[:3], STUDY.replace("def study(settings):", "def study(settings):\n    1 / 0"), *CELLS[4:])
    )
    try:
        run_chapter("grda", output=tmp_path / "again", keep=kept)
        records.save(changed(records.load(kept), modules={}), kept)
        with pytest.raises(RunError, match="ZeroDivisionError"):
            run_chapter("grda", output=tmp_path / "stale", keep=kept)
    finally:
        write_notebook(home)
    again = records.load(tmp_path / "again" / "grda.json")
    assert again.rows == records.load(first.with_suffix(".json")).rows
    assert len(again.merged_from) == 1


def test_a_record_to_reuse_gives_its_rows_and_stays_as_it_was(finished, tmp_path):
    other = tmp_path / "other.json"
    other.write_bytes((finished / "grda.json").read_bytes())
    run_chapter("grda", output=tmp_path / "again", reuse=other)
    assert other.read_bytes() == (finished / "grda.json").read_bytes()
    assert len(records.load(tmp_path / "again" / "grda.json").merged_from) == 1


def test_a_record_to_reuse_that_does_not_fit_is_told_of(finished, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(runner, "_execute", lambda *_: (_ for _ in ()).throw(RunError("no kernel here")))
    other = tmp_path / "other.json"
    records.save(changed(records.load(finished / "grda.json"), modules={}), other)
    with pytest.raises(RunError, match="no kernel here"):
        run_chapter("grda", output=tmp_path / "again", reuse=other)
    assert re.search(r"other\.json do not fit; they are computed anew: .*run its cell again", capsys.readouterr().err)


def test_records_that_do_not_cover_the_seeds_are_refused(finished, tmp_path):
    with pytest.raises(FanInError, match=r"none holds data set and seed \('dg-15-generated', 7\)"):
        run_chapter(
            "grda", overrides={"records": [str(finished / "grda.json")], "seeds": [0, 1, 2, 7]}, output=tmp_path
        )


def test_records_made_with_other_parameters_are_refused(finished, tmp_path):
    with pytest.raises(FanInError, match="made with other n_steps"):
        run_chapter("grda", overrides={"records": [str(finished / "grda.json")], "n_steps": 9}, output=tmp_path)


def test_records_with_seeds_that_the_run_does_not_ask_for_are_refused(finished, tmp_path):
    with pytest.raises(FanInError, match=r"holds seeds \[1, 2\]"):
        run_chapter("grda", overrides={"records": [str(finished / "grda.json")], "seeds": [0]}, output=tmp_path)


def test_a_bad_record_is_refused_before_the_kernel_starts_and_the_old_run_stays(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_execute", lambda *_: pytest.fail("the kernel was started"))
    (tmp_path / "grda.json").write_text("the old run")
    with pytest.raises(RepriseError, match="no record at"):
        run_chapter("grda", overrides={"records": ["nowhere.json"]}, output=tmp_path)
    assert (tmp_path / "grda.json").read_text() == "the old run"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": {}}, "parameters lack"),
        ({"paper": "cold-brew"}, "names the paper cold-brew"),
    ],
)
def test_a_record_that_was_edited_is_found(finished, change, message):
    record = records.load(finished / "grda.json").model_copy(update=change)
    assert message in verification.differences(record)[0]


def test_edited_parameters_and_hashes_are_found(finished):
    record = records.load(finished / "grda.json")
    steps = record.model_copy(update={"parameters": {**record.parameters, "n_steps": 999}})
    assert "parameters do not have the hash" in verification.differences(steps)[0]
    assert "do not have the hash" in verification.differences(changed(record, computation_sha256="0"))[0]


def test_a_run_with_changed_parameters_is_not_published_as_a_profile(finished, home):
    target = runner.run_folder("standard")
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-r", *map(str, finished.iterdir()), str(target)], check=True)
    with pytest.raises(RunError, match="those of profile quick"):
        publication.publish("grda", "standard")


@pytest.mark.parametrize(
    ("overrides", "profile", "error", "message"),
    [
        ({"n_step": 3}, "quick", UnknownNameError, "did you mean 'n_steps'"),
        ({"n_steps": "many"}, "quick", SettingsError, "n_steps"),
        ({"n_steps": True}, "quick", SettingsError, "n_steps"),
        ({"n_steps": 0}, "quick", SettingsError, "must be 1 or more, not 0"),
        ({"datasets": ["dg-16"]}, "quick", SettingsError, "unknown data set 'dg-16'"),
        ({"seeds": [1, 1]}, "quick", SettingsError, "distinct"),
        ({"records": "one.json"}, "quick", ParametersError, "list of paths"),
        ({"device": "gpu"}, "quick", SettingsError, "device"),
        ({}, "quik", UnknownNameError, "did you mean 'quick'"),
    ],
)
def test_bad_parameters_are_refused_before_the_kernel_starts(overrides, profile, error, message, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_execute", lambda *_: pytest.fail("the kernel was started"))
    with pytest.raises(error, match=message):
        run_chapter("grda", profile=profile, overrides=overrides, output=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_absent_is_refused_before_the_kernel_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_execute", lambda *_: pytest.fail("the kernel was started"))
    with pytest.raises(DeviceError, match="usable CUDA devices"):
        run_chapter("grda", overrides={"device": "cuda:99"}, output=tmp_path)


def test_real_data_that_are_missing_stop_the_run_before_the_kernel_starts(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("REPRISE_DATA", str(tmp_path / "empty"))
    monkeypatch.setattr("reprise.data.fetch_all", _offline)
    with pytest.raises(RepriseError, match="REPRISE_DATA"):
        run_chapter("grda", overrides={"datasets": ["dg-15"]}, output=tmp_path)


def _offline(patterns, **_):
    from reprise.data import DataError

    raise DataError(f"{patterns[0]} is missing; set REPRISE_DATA.")


def test_a_parameter_that_no_cell_reads_is_refused(home, tmp_path):
    write_notebook(home, (TOP, PARAMETERS + "\nunused = 1", BEGIN, STUDY, END))
    try:
        with pytest.raises(ParametersError, match="declares unused but no cell reads it"):
            run_chapter("grda", output=tmp_path)
    finally:
        write_notebook(home)


def test_a_notebook_that_raises_is_kept_as_failed_and_replaces_the_old_run(home, tmp_path):
    (tmp_path / "grda.json").write_text("old")
    write_notebook(home, (TOP, PARAMETERS, BEGIN, "raise ValueError('no such luck')", END))
    try:
        with pytest.raises(RunError, match=r"grda failed in cell 4: ValueError: no such luck"):
            run_chapter("grda", output=tmp_path)
    finally:
        write_notebook(home)
    assert [path.name for path in tmp_path.iterdir()] == ["grda.failed.ipynb"]
    failed = notebook_files.read_notebook(tmp_path / "grda.failed.ipynb")
    assert notebook_files.notebook_faults(failed)[0].startswith("code cell 4")


def test_a_notebook_that_writes_no_record_has_failed(home, tmp_path):
    write_notebook(home, (TOP, PARAMETERS, BEGIN))
    try:
        with pytest.raises(RunError, match="without writing its record"):
            run_chapter("grda", output=tmp_path)
    finally:
        write_notebook(home)


def test_a_killed_run_leaves_nothing_half_written_and_the_next_one_clears_up(home, tmp_path):
    write_notebook(home, (TOP, PARAMETERS, BEGIN, "import time\ntime.sleep(60)", STUDY, END))
    program = (
        "from pathlib import Path\n"
        "from reprise.runner import run_chapter\n"
        f"run_chapter('grda', output=Path({str(tmp_path)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "REPRISE_HOME": str(home)})
    scratch = tmp_path / ".grda.running"
    try:
        for _ in range(600):
            if (scratch / "grda.ipynb").exists():
                break
            time.sleep(0.1)
        with pytest.raises(RepriseError, match="already running"):
            runner._claim_scratch(tmp_path, runner.find_paper("grda"))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        write_notebook(home)
    assert [path.name for path in tmp_path.iterdir()] == [".grda.running"]
    run_chapter("grda", output=tmp_path)
    assert not scratch.exists()
    assert (tmp_path / "grda.json").exists()


def test_what_a_killed_runs_kernel_writes_while_its_folder_is_cleared_is_cleared_too(tmp_path, monkeypatch):
    scratch, remove = tmp_path / ".grda.running", shutil.rmtree
    scratch.mkdir()
    calls = []

    def interrupted(folder, ignore_errors):
        calls.append(folder)
        remove(folder)
        if len(calls) == 1:
            folder.mkdir()
            (folder / "late.csv").write_text("")

    monkeypatch.setattr(runner.shutil, "rmtree", interrupted)
    assert runner._claim_scratch(tmp_path, runner.find_paper("grda")) == scratch
    assert [path.name for path in scratch.iterdir()] == ["process"]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RepriseError, match="cannot write"):
        run_chapter("grda", output=tmp_path / "file")


@pytest.mark.parametrize("name", ["grda.json", "grda.ipynb", "grda.failed.ipynb"])
def test_a_folder_in_the_place_of_an_output_is_refused_before_the_kernel_starts(name, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_execute", lambda *_: pytest.fail("the kernel was started"))
    (tmp_path / name).mkdir()
    with pytest.raises(RepriseError, match="is a folder where a file has to go"):
        run_chapter("grda", output=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_rules_that_are_not_locked_stop_the_run_before_the_kernel_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_execute", lambda *_: pytest.fail("the kernel was started"))
    monkeypatch.setattr(verification, "rule_lock", lambda package: RuleLock(tmp_path / package / "claims.lock"))
    with pytest.raises(LockError, match=r"the rules of C1, C2, .* are not locked; run `reprise claims lock grda`\.$"):
        run_chapter("grda", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def changed(record, **provenance):
    return record.model_copy(update={"provenance": record.provenance.model_copy(update=provenance)})


def test_code_parameters_and_data_that_changed_since_the_run_make_a_record_stale(finished):
    record = records.load(finished / "grda.json")
    modules = {**record.provenance.modules, "reprise.grda.study": "other"}
    assert verification.staleness(changed(record, modules=modules)) == [
        "code changed since the run: reprise.grda.study"
    ]
    assert "parameters of profile quick" in verification.staleness(changed(record, parameters_sha256="x"))[0]
    assert "data files" in verification.staleness(changed(record, data={"a": "b"}))[0]


def test_a_verdict_that_does_not_follow_from_the_rows_is_found(finished):
    record = records.load(finished / "grda.json")
    first, *rest = record.verdicts
    forged = record.model_copy(update={"verdicts": (first.model_copy(update={"evidence": "Sure."}), *rest)})
    (said,) = verification.differences(forged)
    assert said.startswith("verdict C1 does not follow from the rows: evidence is 'Sure.', should be 'On embedded data")


def test_a_rule_that_changed_after_the_run_is_found(finished):
    record = records.load(finished / "grda.json")
    first, *rest = record.verdicts
    older = record.model_copy(update={"verdicts": (first.model_copy(update={"rule_sha256": "old"}), *rest)})
    assert "rule of C1 changed after the run" in verification.differences(older)[0]


def test_changed_rows_are_found_in_the_summary(finished):
    record = records.load(finished / "grda.json")
    values = [value + 1 for value in record.rows["value"]]
    forged = record.model_copy(update={"rows": {**record.rows, "value": values}})
    assert any("summary does not follow" in problem for problem in verification.differences(forged))


def test_only_a_fresh_whole_run_is_published(finished, home, tmp_path):
    target = runner.run_folder("quick")
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-r", *map(str, finished.iterdir()), str(target)], check=True)
    publication.publish("grda", "quick")
    assert records.load(home / "results" / "quick" / "grda.json") == records.load(finished / "grda.json")
    stale = changed(records.load(target / "grda.json"), parameters_sha256="x")
    records.save(stale, target / "grda.json")
    with pytest.raises(RunError, match="cannot be published"):
        publication.publish("grda", "quick")


def test_the_steps_of_a_chapter_out_of_order_are_refused():
    from reprise.chapter import Chapter

    with pytest.raises(ChapterError, match="begin"):
        Chapter("grda").rows(lambda settings: None)


def test_the_verdicts_in_one_sentence_count_every_outcome(finished):
    sentence = verdict_sentence(records.load(finished / "grda.json").verdicts)
    assert sentence == "Of 8 claims: 1 rehearsed on embedded data, 7 not testable here."


def test_the_verdicts_in_one_sentence_tell_of_controls_that_fail():
    control = ControlResult(name="without graph", holds=False, evidence="")
    verdict = Verdict(
        claim_id="C3", text="", source="", kind="ordering", paper_value="", outcome="reproduced", reduced_scale=True,
        evidence="", controls=(control,),
    )  # fmt: skip
    assert verdict_sentence([verdict]) == "Of 1 claims: 1 reproduced (at reduced scale); a control fails for C3."


@pytest.mark.parametrize(("factor", "found"), [(1 + 1e-12, False), (1 + 1e-6, True)])
def test_the_last_digits_of_a_sum_may_differ_between_machines_and_no_others(finished, factor, found):
    record = records.load(finished / "grda.json")
    first, *rest = record.summary
    assert first.mean
    other = first.model_copy(update={"mean": first.mean * factor})
    forged = record.model_copy(update={"summary": (other, *rest)})
    assert bool(verification.differences(forged)) is found
