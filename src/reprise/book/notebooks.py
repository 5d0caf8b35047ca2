"""An executed notebook as the book shows it: figures and tables with captions, alternative texts and their data.

A notebook's outputs carry what they show in their display metadata, under the key ``reprise``: kind, name, alternative
text, caption, and the file with the drawn data. MyST-NB reads alternative text and captions from the metadata of the
*cell* only, and gives the same one to every output of the cell; so each such output becomes a cell of its own.
"""

import copy
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from reprise.book.paths_in_text import without_local_paths

FORMULA = re.compile(r"(?<![\\$\w])\$(?=\S)([^$<>\n]+?)(?<=\S)\$(?!\w)")
RECORDS = re.compile(r"^records = \[(.+?)\]$", flags=re.MULTILINE | re.DOTALL)
SENTENCE_LENGTH = 60
LONG_TABLE = 14  # lines, beyond which a table scrolls in its box
AFTER_THE_TOP = "Parameters"  # the first section that shows its code
# Tables with a line a claim, and what the anchors of their lines begin with.
ROW_ANCHORS = {"claims": "claim", "verdicts": "rule"}
TAGS_OF_OUTPUTS = frozenset({"hide-output", "remove-output", "remove-cell", "full-width"})


def cleaned(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without the traces of the machine: papermill's paths and times, local paths in printed text."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        for key in ("papermill", "execution", "collapsed"):
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", ()):
            _clean_output(output)
    return notebook


def _clean_output(output: NotebookNode) -> None:
    if "text" in output:
        output.text = without_local_paths(_joined(output.text))
    if "traceback" in output:
        output.traceback = [without_local_paths(line) for line in output.traceback]
    for mime, data in output.get("data", {}).items():
        if mime.startswith("text/"):
            output.data[mime] = without_local_paths(_joined(data))


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def shown(notebook: NotebookNode, package: str, folder: Path, present: Collection[str]) -> NotebookNode:
    """Return a copy whose figures and tables stand in cells of their own, numbered, captioned and with their data.

    Parameters
    ----------
    notebook
        An executed, cleaned notebook.
    package
        Name of the paper's package; the label of a figure is ``PACKAGE-NAME``.
    folder
        Folder with the CSV twins, as a path relative to the page.
    present
        Names of the files that are there; a twin that is not is said to be missing.

    Returns
    -------
    NotebookNode
        The notebook to be staged. References ``[](#PACKAGE-NAME)`` in its text read "Figure 3" or "Table 1".
    """
    notebook = copy.deepcopy(notebook)
    numbers = {"figure": 0, "table": 0}
    names: dict[str, str] = {}
    cells: list[NotebookNode] = []
    _hide_what_no_reader_needs(notebook)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            cells.append(cell)
            continue
        described = [output for output in cell.outputs if _description(output)]
        cell.outputs = [output for output in cell.outputs if not _description(output)]
        cells.append(cell)
        for output in described:
            description = _description(output)
            kind = "table" if description.get("kind") == "table" else "figure"
            numbers[kind] += 1
            label = f"{package}-{description.get('name', f'{kind}-{numbers[kind]}')}"
            names[label] = f"{kind.capitalize()} {numbers[kind]}"
            make = _table_cells if kind == "table" else _figure_cells
            cells.extend(make(cell, output, label, names[label]))
            data = description.get("data")
            cells.extend(_data_link(data, folder if data in present else None, names[label]))
    notebook.cells = cells
    _name_references(notebook, names)
    return notebook


def _hide_what_no_reader_needs(notebook: NotebookNode) -> None:
    """Hide the code that fills in the top of the page, and where this machine kept the records that were joined."""
    at_the_top = True
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            at_the_top = at_the_top and f"\n## {AFTER_THE_TOP}" not in f"\n{cell.source}"
        elif at_the_top:
            cell.metadata["tags"] = [
                *(tag for tag in cell.metadata.get("tags", ()) if tag != "hide-input"),
                "remove-input",
            ]
        elif "injected-parameters" in cell.metadata.get("tags", ()):
            cell.source = RECORDS.sub(_records_in_words, cell.source)


def _records_in_words(found: re.Match[str]) -> str:
    count = len(re.findall(r"""["'][^"']+["']""", found[1]))
    return f"records = [...]  # {count} of single parts of the study, joined" if count > 1 else "records = [...]  # one"


def _description(output: NotebookNode) -> dict[str, Any]:
    return dict(output.get("metadata", {}).get("reprise", {}))


def _output_cell(origin: NotebookNode, output: NotebookNode) -> NotebookNode:
    # MyST-NB leaves out cells without source, together with their outputs; this line is never shown.
    cell = nbformat.v4.new_code_cell(source="# shown above", outputs=[output], execution_count=origin.execution_count)
    kept = TAGS_OF_OUTPUTS.intersection(origin.metadata.get("tags", ()))
    cell.metadata["tags"] = ["remove-input", *sorted(kept)]
    return cell


def _figure_cells(origin: NotebookNode, output: NotebookNode, label: str, number: str) -> Iterator[NotebookNode]:
    description = _description(output)
    cell = _output_cell(origin, output)
    output.data.pop("text/plain", None)
    caption = f"**{number}.** {_one_line(description.get('caption'))}".strip()
    image = {"alt": _one_line(description.get("alt"))}
    for mime, details in output.metadata.items():
        if mime.startswith("image/") and "width" in details:
            image["width"] = f"{details['width']}px"
    # A figure's name given here does not reach the references (tried); a target before it does.
    cell.metadata["mystnb"] = {"image": image, "figure": {"caption": caption}}
    yield nbformat.v4.new_markdown_cell(f"({label})=")
    yield cell


def _table_cells(origin: NotebookNode, output: NotebookNode, label: str, number: str) -> Iterator[NotebookNode]:
    html = _joined(output.data.get("text/html", ""))
    inside = re.search(r"<caption>(.*?)</caption>", html, flags=re.S)
    caption = inside.group(1) if inside else escape(_one_line(_description(output).get("caption")))
    if html:
        html = html.replace(inside.group(), "", 1) if inside else html
        html = with_row_anchors(html, ROW_ANCHORS.get(_description(output).get("name", ""), ""))
        output.data["text/html"] = with_formulas(scrolling(html, f"<strong>{number}.</strong> {caption}", label))
    yield nbformat.v4.new_markdown_cell(f"({label})=")
    yield _output_cell(origin, output)


def with_row_anchors(html: str, prefix: str) -> str:
    """Return the HTML of a table whose lines carry an anchor, a prefix and their first cell; none without prefix.

    Examples
    --------
    >>> with_row_anchors("<tr><td>C1</td><td>beats</td></tr>", "claim")
    '<tr id="claim-C1"><td>C1</td><td>beats</td></tr>'
    """
    return re.sub(r"<tr>(?=<td>([\w.-]+)</td>)", rf'<tr id="{prefix}-\1">', html) if prefix else html


@dataclass(frozen=True)
class Shown:
    """A figure or table of a chapter: its name, the number that readers see, and what is stored of it."""

    name: str
    title: str
    output: NotebookNode


def shown_things(notebook: NotebookNode) -> list[Shown]:
    """Return all figures and tables of an executed notebook in the order, and with the numbers, of the page."""
    numbers = {"figure": 0, "table": 0}
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if description := _description(output):
                kind = "table" if description.get("kind") == "table" else "figure"
                numbers[kind] += 1
                name = description.get("name", f"{kind}-{numbers[kind]}")
                found.append(Shown(name, f"{kind.capitalize()} {numbers[kind]}", output))
    return found


def row_anchors(notebook: NotebookNode) -> frozenset[str]:
    """Return the anchors that the lines of a notebook's tables of claims and verdicts get on its page."""
    tables = [(ROW_ANCHORS.get(thing.name, ""), thing.output) for thing in shown_things(notebook)]
    html = "".join(with_row_anchors(_joined(output.data.get("text/html", "")), name) for name, output in tables if name)
    return frozenset(re.findall(r'<tr id="([\w.-]+)"', html))


def _one_line(text: str | None) -> str:
    return without_local_paths(" ".join((text or "").split()))


def scrolling(html: str, caption: str, label: str) -> str:
    """Return the HTML of a table under its caption, in a container that scrolls sideways and is reached by keyboard.

    The caption stands outside of the container, so that it stays in view. Cells with sentences are marked, to be given
    some width, and those with an interval, to stay on one line; so are tables of many lines, to be given a height.
    """
    html = re.sub(rf"<td>(?=[^<]{{{SENTENCE_LENGTH},}}</td>)", '<td class="prose">', html)
    html = re.sub(r"<td>(?=[^<]*[±\[][^<]*</td>)(?=[^<]{1,24}</td>)", '<td class="value">', html)
    name = f"{label}-caption"
    long = " reprise-long" if html.count("<tr") > LONG_TABLE + 1 else ""
    return (
        f'<p class="reprise-caption" id="{name}">{caption}</p>\n'
        f'<div class="reprise-scroll{long}" role="region" aria-labelledby="{name}" tabindex="0">\n{html}\n</div>'
    )


def with_formulas(html: str) -> str:
    r"""Return HTML in which ``$…$`` is marked as a formula; MathJax leaves unmarked text alone.

    Examples
    --------
    >>> with_formulas("<td>at $K = 2$ it costs $3</td>")
    '<td>at <span class="math notranslate nohighlight">\\(K = 2\\)</span> it costs $3</td>'
    """
    return FORMULA.sub(lambda found: rf'<span class="math notranslate nohighlight">\({found[1]}\)</span>', html)


def _data_link(data: str | None, folder: Path | None, number: str) -> Iterable[NotebookNode]:
    if not data:
        return
    if folder is None:
        text = f"The data of {number} ({data}) are not there."
    else:
        text = f"{{download}}`Data of {number} (CSV) <{folder.as_posix()}/{data}>`"
    yield nbformat.v4.new_markdown_cell(f":::{{div}} reprise-data\n{text}\n:::")


def _name_references(notebook: NotebookNode, names: dict[str, str]) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for label, name in names.items():
                cell.source = cell.source.replace(f"[](#{label})", f"{{ref}}`{name} <{label}>`")


def with_heading(notebook: NotebookNode, title: str, below: str, suffix: str = "") -> NotebookNode:
    """Return a copy in which some lines stand directly under the title; a notebook without a title gets one."""
    notebook = copy.deepcopy(notebook)
    first = notebook.cells[0] if notebook.cells else None
    match = re.match(r"((?:\s*\([\w-]+\)=\n)?)\s*# +([^\n]*)\n?", first.source) if first is not None else None
    if first is None or first.cell_type != "markdown" or match is None:
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell(f"# {title}{suffix}\n\n{below}\n"))
        return notebook
    rest = first.source[match.end() :]
    first.source = f"{match.group(1)}# {match.group(2).strip()}{suffix}\n\n{below}\n\n{rest}"
    return notebook


def headings(notebook: NotebookNode) -> list[str]:
    """Return the texts of all headings, in order; lines in fenced code do not count."""
    found: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"^(`{3,}|~{3,}).*?^\1", "", cell.source, flags=re.S | re.M)
            found += re.findall(r"^#{1,6} +(.+?)\s*#*$", text, flags=re.M)
    return found


_DEFINITIONS = (
    re.compile(r"^\(([\w:.-]+)\)=", re.M),
    re.compile(r"^:(?:label|name): *([\w:.-]+)", re.M),
    re.compile(r"\$\$ *\(([\w:.-]+)\)"),
    re.compile(r"\\label\{([\w:.-]+)\}"),
)


def with_own_labels(notebook: NotebookNode, prefix: str) -> NotebookNode:
    """Return a copy whose labels begin with a prefix, in their definitions and in all references to them.

    The same chapter appears twice in a book that shows a published run and a run of this machine; labels must not.
    """
    notebook = copy.deepcopy(notebook)
    markdown = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    names = {name for cell in markdown for pattern in _DEFINITIONS for name in pattern.findall(cell.source)}
    for cell in markdown:
        for name in names:
            cell.source = _renamed(cell.source, name, prefix + name)
    return notebook


def _renamed(text: str, old: str, new: str) -> str:
    name = re.escape(old)
    places = (
        rf"(?m)^(\(){name}(\)=)",
        rf"(?m)^(:(?:label|name): *){name}(?![\w:.-])()",
        rf"(\$\$ *\(){name}(\))",
        rf"(\\(?:label|eqref|ref)\{{){name}(\}})",
        rf"(\{{(?:eq|ref|numref|math:numref)\}}`){name}(`)",
        rf"(\{{(?:eq|ref|numref)\}}`[^`<]*<){name}(>`)",
        rf"(\(#){name}(\))",
    )
    for place in places:
        text = re.sub(place, lambda match: f"{match.group(1)}{new}{match.group(2)}", text)
    return text
