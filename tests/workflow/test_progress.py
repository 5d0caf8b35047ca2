"""The progress display, fed with what Snakemake prints."""

import pytest

import progress

MESSAGES = """\
Building DAG of jobs...
Job 1: alpha: running the notebook (profile quick)
Job 2: beta: running the notebook (profile quick)
[Sun Nov 22 12:18:44 2026]
Finished jobid: 1 (Rule: chapter)
1 of 3 steps (33%) done
Error in rule chapter:
    message: None
    jobid: 2
    input: src/reprise/beta/study.py
""".splitlines(keepends=True)


def test_each_job_is_named_when_it_begins_and_when_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert progress.show(MESSAGES) == 1
    assert capsys.readouterr().out.splitlines() == [
        "  … alpha: running the notebook (profile quick)",
        "  … beta: running the notebook (profile quick)",
        "  ✓ alpha: running the notebook (profile quick), 0 s",
        "  ✗ beta: running the notebook (profile quick), 0 s",
    ]


def test_on_a_terminal_a_bar_moves_and_the_ends_stay() -> None:
    import io

    from rich.console import Console

    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    bars = progress.Bars(console)
    assert progress.follow(MESSAGES, bars) == 1
    bars.close()
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "✓ alpha: running the notebook (profile quick), 0 s" in shown
    assert "✗ beta: running the notebook (profile quick), 0 s" in shown
    assert "1/3" in shown
