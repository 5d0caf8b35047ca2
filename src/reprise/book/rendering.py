"""Rendering: Jupyter Book over the staged sources, with everything that a page needs in the built folder."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from reprise.book.errors import BookError
from reprise.book.scratch import replace_folder, restore_after_kill, scratch_folder
from reprise.book.staging import stage
from reprise.paths import build_folder, repository

MATHJAX_DISTRIBUTION = "sphinx-mathjax-offline"
# The distribution's own list of hashes covers every file; this is the hash of what the book takes from it, name by
# name, so that another version, or a file changed after installation, is noticed.
MATHJAX_SHA256 = "c202c7ff6198aa4cb89fc26284ab78f32024b0741232e433dd6f59ca71527d8d"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MATHJAX_FILES = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2/")


def build(
    profile: str = "quick",
    *,
    published_only: bool = False,
    target: Path | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Path:
    """Stage, render and check the book.

    Parameters
    ----------
    profile
        Profile of the runs of this machine to show.
    published_only
        Show the published runs only.
    target
        Folder of the built book; ``build/book/html`` unless given.
    progress
        Called with a sentence before each step, and with one line for each chapter.

    Returns
    -------
    Path
        The index page.

    Raises
    ------
    BookError
        If a page cannot be built or the built pages do not pass the checks; an earlier build stays as it was.
    """
    progress("laying out the pages")
    staged = stage(profile, published_only=published_only)
    for line in staged.summary():
        progress(line)
    progress("rendering the pages")
    return render(staged.source, target, progress=progress)


def render(source: Path, target: Path | None = None, *, progress: Callable[[str], None] = lambda step: None) -> Path:
    """Build the staged sources into a folder of HTML pages, executing nothing.

    The build runs in a fresh folder with warnings as errors; only a whole book that passes the checks takes the place
    of the one before.

    Parameters
    ----------
    source
        Folder made by ``stage``.
    target
        Folder of the built book; ``build/book/html`` unless given.
    progress
        Called with a sentence before the checks.

    Returns
    -------
    Path
        The index page.

    Raises
    ------
    BookError
        If Jupyter Book warns or fails, or the pages do not pass the checks; the message holds the first lines.
    """
    from reprise.book.checks import check_pages

    target = target or build_folder() / "book" / "html"
    restore_after_kill(target)
    copy_mathjax(source / "_extra" / "_static" / "mathjax")
    with scratch_folder(target, "rendering") as folder:
        html = _run_jupyter_book(source, folder)
        _offer_original_notebooks(source, html)
        _mend_markup(html)
        progress("checking the pages")
        if faults := check_pages(html):
            lines = "\n".join(f"  {fault}" for fault in faults[:20])
            raise BookError(f"the built book has {len(faults)} faults; the first are:\n{lines}")
        replace_folder(target, html)
    return target / "index.html"


def _run_jupyter_book(source: Path, folder: Path) -> Path:
    command = [
        sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(source),
        "--config", str(repository() / "_config.yml"), "--path-output", str(folder),
        "-W", "-n", "--keep-going", "--all", "-q",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    html = folder / "_build" / "html"
    stderr = _COLOUR.sub("", done.stderr)
    if done.returncode != 0 or not (html / "index.html").exists():
        said = [line for line in stderr.splitlines() if "WARNING" in line or "ERROR" in line]
        lines = said or (stderr or done.stdout).splitlines()[-15:]
        text = "\n".join(f"  {line.replace(str(source) + os.sep, '')}" for line in lines[:20])
        raise BookError(f"Jupyter Book could not build the pages without warnings:\n{text}")
    return html


def _offer_original_notebooks(source: Path, html: Path) -> None:
    """Let the theme's download button give the notebook as it was run, not as it was staged."""
    for staged in (html / "_sources").rglob("*.ipynb"):
        document = staged.relative_to(html / "_sources").with_suffix("")
        for original in (source / document).glob("*.ipynb"):
            shutil.copyfile(original, staged)


# What Sphinx and the theme write that readers stumble over, and what stands there instead: entries of a list of
# references have another role than a list's; the button that unfolds a part of the contents has no name; what
# docstrings call attributes has another heading.
MENDED_MARKUP = {
    'role="list" class="citation-list"': 'class="citation-list"',
    '<summary><span class="toctree-toggle"': '<summary aria-label="Pages below"><span class="toctree-toggle"',
    'Variables<span class="colon">': 'Attributes<span class="colon">',
}


def _mend_markup(html: Path) -> None:
    for page in html.rglob("*.html"):
        text = mended = page.read_text(encoding="utf-8")
        for found, better in MENDED_MARKUP.items():
            mended = mended.replace(found, better)
        if mended != text:
            page.write_text(mended, encoding="utf-8")


def copy_mathjax(target: Path) -> None:
    """Copy MathJax's script and fonts from the installed package, checked against their hash.

    Raises
    ------
    BookError
        If the package is missing, is another version, or a file differs from what was published.
    """
    try:
        files = metadata.files(MATHJAX_DISTRIBUTION) or []
    except metadata.PackageNotFoundError as error:
        raise BookError(
            f"{MATHJAX_DISTRIBUTION} is not installed; install the extra 'book' (`make setup` does it)."
        ) from error
    total = hashlib.sha256()
    shutil.rmtree(target, ignore_errors=True)
    for file in sorted(files, key=str):
        _, _, name = file.as_posix().partition("/static/mathjax/")
        if not name.startswith(MATHJAX_FILES):
            continue
        content = file.read_binary()
        total.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
    if total.hexdigest() != MATHJAX_SHA256:
        shutil.rmtree(target, ignore_errors=True)
        raise BookError(
            f"the files of {MATHJAX_DISTRIBUTION} are not those of the locked version; reinstall it (`make setup`)."
        )
    (target / "LICENSE.txt").write_text(MATHJAX_LICENCE, encoding="utf-8")


MATHJAX_LICENCE = """\
MathJax 3.2.2, copyright (c) 2009-2022 The MathJax Consortium, https://www.mathjax.org
Licensed under the Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0
Unchanged files: tex-mml-chtml.js and the fonts below output/chtml/fonts/woff-v2.
"""
