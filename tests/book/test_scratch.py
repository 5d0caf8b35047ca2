import os
import subprocess
import sys
from pathlib import Path

from reprise.book.scratch import replace_folder, restore_after_kill, scratch_folder


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_uses_is_not(tmp_path: Path) -> None:
    dead = tmp_path / f".rendering-{ended_process()}-x"
    alive = tmp_path / f".rendering-{os.getpid()}-x"
    for folder in (dead, alive):
        (folder / "part").mkdir(parents=True)
    with scratch_folder(tmp_path / "html", "rendering") as folder:
        assert folder.is_dir()
        assert not dead.exists()
        assert alive.exists()
    assert not folder.exists()


def test_a_kill_between_the_two_steps_of_a_replacement_is_mended(tmp_path: Path) -> None:
    target, before = tmp_path / "html", tmp_path / ".html-before"
    before.mkdir()
    (before / "index.html").write_text("old")
    restore_after_kill(target)
    assert (target / "index.html").read_text() == "old"
    assert not before.exists()


def test_a_replacement_leaves_the_new_folder_and_nothing_else(tmp_path: Path) -> None:
    for name in ("html", "fresh"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    replace_folder(tmp_path / "html", tmp_path / "fresh")
    assert [path.name for path in tmp_path.iterdir()] == ["html"]
    assert (tmp_path / "html" / "fresh").exists()
