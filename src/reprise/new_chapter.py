"""Laying out a new chapter: a small complete one from the template, to be replaced piece by piece by the paper's."""

from __future__ import annotations

import csv
import json
import keyword
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reprise.catalogue import PAPERS
from reprise.errors import RepriseError
from reprise.paths import repository

TEMPLATE = Path(__file__).with_name("chapter_template")
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
FENCED = re.compile(r"^```python *([^\n]*)\n(.*?)^```\n", flags=re.MULTILINE | re.DOTALL)
ENTRY = """    Paper(
        slug="{slug}",
        package="{package}",
        title="{title}",
        short_title="{title}",
        authors=("First Author", "Last Author"),
        topic="its field in a few words",
        arxiv=None,
        openreview=None,
        blog=None,
        code=None,
        headline="The paper's main claim in one sentence.",
        data_sets=_DATA_SETS["{slug}"],
    ),
)
"""


CARD = """    - slug: {slug}
      your_data: what one must have to use the method, in a few words
      idea: >-
        The idea of the paper in two sentences, for somebody who knows machine learning but not this paper.
"""
FURTHER = "- part: Further papers\n  papers:\n"
REFERENCE = """
@inproceedings{{{slug},
  title = {{{{{title}}}}},
  author = {{Author, First and Author, Last}},
  booktitle = {{Where it appeared}},
  year = {{2022}},
}}
"""
RECIPE = """(your-data-{label})=
## {short_title}: what it does for the reader

What your data are, and what {{cite:t}}`{slug}` does with them. What you need:

- `X`, the features, shape $(n, d)$;
- `y`, the classes, shape $(n,)$.

```python
from reprise.{package} import LeastSquaresClassifier, draw_samples

sample = draw_samples("{data_set}", 0, "train", 200)  # instead: a file as a reader has it
model = LeastSquaresClassifier().fit(sample.features, sample.labels)
classes = model.predict(sample.features)
```

What to look at before the result is trusted.

"""
MORE_RECIPES = "## More recipes\n"


class NewChapterError(RepriseError):
    """A chapter that cannot be laid out, because its name is no name or something of it exists already."""


def lay_out(name: str) -> list[Path]:
    """Write the files of a chapter that runs, and enter a paper that the catalogue does not have.

    Parameters
    ----------
    name
        Slug of the paper: of the catalogue, or a new one such as ``"eleventh-paper"``.

    Returns
    -------
    list of pathlib.Path
        The files written, in the order in which the author goes through them.

    Raises
    ------
    NewChapterError
        If the name is not a slug, or one of the files exists; nothing is written then.
    """
    known = next((paper for paper in PAPERS if name in (paper.slug, paper.package)), None)
    slug = known.slug if known else name
    if not SLUG.fullmatch(slug):
        raise NewChapterError(
            f"{name!r} is no slug; write small letters, digits and hyphens, such as 'eleventh-paper'."
        )
    package = known.package if known else slug.replace("-", "_")
    if keyword.iskeyword(package) or (Path(__file__).parent / f"{package}.py").exists():
        raise NewChapterError(f"a package cannot be named {package!r}: a word of Python or a module is; add a word.")
    embedded = [data_set.name for data_set in known.data_sets if data_set.kind == "embedded"] if known else []
    words = {
        "SLUG": slug,
        "PACKAGE": package,
        "LABEL": package.replace("_", "-"),
        "TITLE": known.title if known else f"Title of {slug}",
        "SHORT_TITLE": known.short_title if known else slug,
        "DATA_SET": embedded[0] if embedded else f"{slug}-generated",
    }
    files = {_target(file, package): _filled(file, words) for file in sorted(TEMPLATE.rglob("*.txt"))}
    if present := [str(file.relative_to(repository())) for file in files if file.exists()]:
        raise NewChapterError(
            f"{present[0]} exists already; a chapter is laid out once. Remove its files to start anew."
        )
    if known is None:
        _enter(words)
    _enter_recipe(words)
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    _settle_style([file for file in files if file.suffix == ".py"])
    return list(files)


def _target(file: Path, package: str) -> Path:
    """Return where a file of the template goes; the notebook, written as text there, becomes one."""
    path = str(file.relative_to(TEMPLATE)).removesuffix(".txt").replace("PACKAGE", package)
    return repository() / (path.removesuffix(".md") + ".ipynb" if path.endswith(".md") else path)


def _filled(file: Path, words: dict[str, str]) -> str:
    text = file.read_text(encoding="utf-8")
    for word, meaning in words.items():
        text = text.replace(f"@{word}@", meaning)
    return json.dumps(notebook(text), indent=1, ensure_ascii=False) + "\n" if file.name.endswith(".md.txt") else text


def _settle_style(files: list[Path]) -> None:
    """Order imports and break lines, which depend on the length of the names; left out where ruff is not installed."""
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format", "--quiet"]):
        subprocess.run([*ruff, *command, *map(str, files)], capture_output=True, cwd=repository(), check=False)


def notebook(text: str) -> dict[str, Any]:
    """Return a notebook from Markdown in which fenced Python blocks are cells, their tags after the word ``python``."""
    cells = [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(_cells(text), start=1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cells(text: str) -> Iterator[dict[str, Any]]:
    end = 0
    for block in FENCED.finditer(text):
        yield from _markdown(text[end : block.start()])
        tags, source = block[1].split(), block[2].rstrip("\n")
        yield {
            "cell_type": "code", "execution_count": None, "metadata": {"tags": tags}, "outputs": [],
            "source": source.splitlines(keepends=True),
        }  # fmt: skip
        end = block.end()
    yield from _markdown(text[end:])


def _markdown(text: str) -> Iterator[dict[str, Any]]:
    if text.strip():
        yield {"cell_type": "markdown", "metadata": {}, "source": text.strip().splitlines(keepends=True)}


def _enter(words: dict[str, str]) -> None:
    """Enter a new paper into the catalogue, and its embedded data set into the list of data sets."""
    source = repository() / "src" / "reprise"
    catalogue, data_sets = source / "catalogue.py", source / "data" / "data_sets.csv"
    text = catalogue.read_text(encoding="utf-8")
    entry = ENTRY.format(slug=words["SLUG"], package=words["PACKAGE"], title=words["TITLE"])
    with data_sets.open("a", encoding="utf-8", newline="") as file:
        description = "Two clouds with known overlap; the template's, to be replaced."
        row = [words["SLUG"], words["DATA_SET"], "embedded", "", description]
        csv.writer(file, lineterminator="\n").writerow(row)
    catalogue.write_text(text.removesuffix(")\n") + entry, encoding="utf-8")
    cards, references = repository() / "book" / "_data" / "cards.yaml", repository() / "book" / "references.bib"
    content = cards.read_text(encoding="utf-8")
    further = "" if FURTHER in content else FURTHER
    cards.write_text(content + further + CARD.format(slug=words["SLUG"]), encoding="utf-8")
    with references.open("a", encoding="utf-8") as file:
        file.write(REFERENCE.format(slug=words["SLUG"], title=words["TITLE"]))


def _enter_recipe(words: dict[str, str]) -> None:
    """Enter a section on own data before the last one of that page, if the package has none."""
    page = repository() / "book" / "use-it-on-your-own-data.md"
    text = page.read_text(encoding="utf-8")
    if f"(your-data-{words['LABEL']})=" not in text:
        recipe = RECIPE.format(**{name.lower(): word for name, word in words.items()})
        page.write_text(text.replace(MORE_RECIPES, recipe + MORE_RECIPES), encoding="utf-8")
