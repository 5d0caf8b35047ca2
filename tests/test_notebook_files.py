import json

import pytest

from reprise import notebook_files
from reprise.errors import ParametersError, RunError


def code(source, *tags, outputs=(), count=1):
    return {
        "cell_type": "code", "source": source, "metadata": {"tags": list(tags)}, "outputs": list(outputs),
        "execution_count": count,
    }  # fmt: skip


def notebook(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def test_the_declared_parameters_are_read_with_their_defaults():
    found = notebook_files.declared_parameters(notebook(code("n = 3  # steps\nnames = ['a']", "parameters"), code("n")))
    assert found == {"n": 3, "names": ["a"]}


@pytest.mark.parametrize(
    "cells",
    [[code("n = 3")], [code("n = 3", "parameters"), code("m = 4", "parameters")]],
    ids=["none tagged", "two tagged"],
)
def test_exactly_one_cell_holds_the_parameters(cells):
    with pytest.raises(ParametersError, match="exactly one"):
        notebook_files.declared_parameters(notebook(*cells))


@pytest.mark.parametrize("source", ["import numpy", "a = b = 1", "a: int = 1", "a, b = 1, 2"])
def test_the_parameters_cell_holds_plain_assignments_only(source):
    with pytest.raises(ParametersError, match="plain assignment"):
        notebook_files.declared_parameters(notebook(code(source, "parameters")))


def test_a_default_that_is_no_literal_is_refused():
    with pytest.raises(ParametersError, match="literal"):
        notebook_files.declared_parameters(notebook(code("n = max(1, 2)", "parameters")))


def test_a_parameter_that_no_cell_reads_is_found():
    cells = notebook(code("n = 3\nm = 4", "parameters"), code("print(n)\nm = 5"))
    assert notebook_files.unread_parameters(cells) == ["m"]


def test_the_hash_of_a_notebook_ignores_outputs_and_injected_parameters():
    plain = notebook(code("n = 3", "parameters"), code("n"))
    run = notebook(code("n = 3", "parameters"), code("n = 4", "injected-parameters"), code("n", outputs=[{"a": 1}]))
    assert notebook_files.source_sha256(plain) == notebook_files.source_sha256(run)
    other = notebook(code("n = 3", "parameters"), code("m"))
    assert notebook_files.source_sha256(plain) != notebook_files.source_sha256(other)


def test_errors_and_unrun_cells_are_faults():
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}
    faults = notebook_files.notebook_faults(notebook(code("1 / 0", outputs=[error]), code("2", count=None), code("3")))
    assert faults == ["code cell 1 raised ValueError: no", "code cell 2 was not run"]


def test_a_missing_notebook_is_a_chapter_not_yet_written(tmp_path):
    with pytest.raises(RunError, match="not been written yet"):
        notebook_files.read_notebook(tmp_path / "none.ipynb")


@pytest.mark.parametrize("content", ["", "[]", '{"metadata": {}}'])
def test_a_damaged_notebook_is_refused(tmp_path, content):
    (tmp_path / "n.ipynb").write_text(content)
    with pytest.raises(RunError, match="is not a notebook"):
        notebook_files.read_notebook(tmp_path / "n.ipynb")


def test_stripping_leaves_nothing_that_says_where_and_when_a_notebook_ran():
    cell = code("1")
    cell["metadata"].update(papermill={"duration": 1.0}, execution={"started": "2026"})
    content = {
        "cells": [cell],
        "metadata": {"papermill": {"input_path": "/home/me/n.ipynb"}, "kernelspec": {"name": "python3"}},
    }
    text = json.dumps(notebook_files.strip_machine(content))
    assert "papermill" not in text
    assert "2026" not in text
    assert "python3" in text
