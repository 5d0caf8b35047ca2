"""A small set of runs as chapters leave them: good, failed, stale and half-run, published and of this machine."""

import base64
import io
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from reprise.catalogue import find_paper
from reprise.claims import ControlResult, Verdict
from reprise.record import Cost, Hardware, Provenance, Record, SummaryRow, save

PAPERS = tuple(find_paper(slug) for slug in ("cold-brew", "grda", "psa-gan"))

TEXT = """\
# Graph-relational domain adaptation

## In one paragraph

Neighbouring domains are aligned, distant ones need not be. See [](#PACKAGE-pairing), [](#PACKAGE-wide)
and {eq}`PACKAGE-loss`.

## The idea

```{math}
:label: PACKAGE-loss
L_d = -\\sum_{i<j} A_{ij} \\log D(e_i, e_j)
```

An uninformative discriminator has the loss $N \\log 2$ ({term}`control`); {cite:t}`SLUG` prove it.
"""


def picture() -> str:
    """Return a small chart as the notebook stores it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.3, 2.6), facecolor="white", layout="constrained")
    axes = figure.subplots()
    axes.errorbar([0, 1], [52.8, 72.1], yerr=[4.0, 3.0], fmt="o", label="ours")
    axes.set_xticks([0, 1], ["independent", "same row"])
    axes.set_ylabel("accuracy (%)")
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=200)
    return base64.b64encode(buffer.getvalue()).decode()


def shown(data: dict[str, str], /, **description: str) -> NotebookNode:
    metadata: dict[str, object] = {"reprise": description} if description else {}
    if "image/png" in data:
        metadata["image/png"] = {"width": 605}
    return nbformat.v4.new_output("display_data", data=data, metadata=metadata)


def code(source: str, *outputs: NotebookNode, count: int | None = 1, tags: tuple[str, ...] = ()) -> NotebookNode:
    cell = nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=count)
    cell.metadata["tags"] = list(tags)
    cell.metadata["papermill"] = {"status": "completed", "duration": 0.1}
    return cell


def claims_html(ids: list[str]) -> str:
    lines = "".join(f"<tr><td>{i}</td><td>beats every baseline by $\\lambda_d$ points</td></tr>" for i in ids)
    return f'<table class="reprise-table"><caption>The claims.</caption><thead><tr><th scope="col">id</th><th scope="col">claim</th></tr></thead><tbody>{lines}</tbody></table>'  # noqa: E501


def good_notebook(slug: str) -> NotebookNode:
    """Return a whole chapter in small: text, parameters, a figure and a wide table shown by one cell."""
    package = find_paper(slug).package
    ids = [verdict.claim_id for verdict in verdicts()]
    wide = "".join(f"<td>{number}.2345</td>" for number in range(30))
    table = f'<table class="reprise-table"><thead><tr><th scope="col">method</th></tr></thead><tbody><tr>{wide}</tr></tbody></table>'  # noqa: E501
    figure = shown(
        {"image/png": picture(), "text/plain": "chart"},
        kind="figure", name="pairing", data="pairing.csv",
        alt="Accuracy falls from 72 to 53 when rows are paired independently.",
        caption="Target accuracy over 5 seeds, 95 % interval of the mean, at $\\lambda_d = 0.5$.",
    )  # fmt: skip
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell(TEXT.replace("PACKAGE", package).replace("SLUG", slug)),
            code("chapter.headline()", shown({"text/html": "<p><strong>Of 3 claims: 1 reproduced.</strong></p>"})),
            nbformat.v4.new_markdown_cell("## The claims"),
            code("chapter.claims_table()", shown({"text/html": claims_html(ids)}, kind="table", name="claims")),
            nbformat.v4.new_markdown_cell("## Parameters"),
            code("seeds = (0, 1)  # seeds", tags=("parameters",), count=2),
            nbformat.v4.new_markdown_cell("## The study"),
            code(
                "rows = chapter.rows(run)\nchapter.figure(figure)",
                nbformat.v4.new_output("stream", name="stderr", text="warning in /home/ada/reprise/study.py\n"),
                figure,
                shown({"text/html": table}, kind="table", name="wide", caption="All methods.", data="wide.csv"),
                count=3,
            ),
            nbformat.v4.new_markdown_cell("## Verdicts\n\nThe rules decide."),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    notebook.metadata["papermill"] = {"exception": None, "input_path": "/home/ada/notebooks/grda.ipynb"}
    return notebook


def failed_notebook() -> NotebookNode:
    """Return a notebook as papermill leaves it when a cell raises: an error output, the cells after it pending."""
    notebook = good_notebook("cold-brew")
    traceback = [
        "\x1b[31mTraceback (most recent call last)\x1b[0m",
        'File "/home/ada/.venv/lib/python3.11/site-packages/torch/nn.py", line 3',
        "ValueError: temperature must be positive",
    ]
    broken = notebook.cells[5]
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="temperature must be positive, got -1")
    error.traceback = traceback
    broken.outputs = [error]
    notebook.cells[7].outputs = []
    notebook.cells[7].execution_count = None
    notebook.cells[7].metadata["papermill"] = {"status": "pending"}
    notebook.metadata["papermill"]["exception"] = True
    return notebook


def verdicts(*, rehearsed: bool = False) -> tuple[Verdict, ...]:
    """Return verdicts of every sort."""
    common = {"kind": "ordering", "reduced_scale": True, "evidence": "Paired difference, 5 seeds.", "rule": "CI > 0."}
    decided = (
        Verdict(
            claim_id="C1", text="beats every baseline on DG-15 by 10 points at $\\lambda_d = 0.5$", source="Table 1",
            paper_value="12.0", outcome="not reproduced", estimate=1.234, low=-4.1, high=6.5, n_seeds=5, stability=0.87,
            controls=(ControlResult(name="clique", holds=False, evidence="0.3"),), **common,
        ),
        Verdict(
            claim_id="C2", text="a fresh discriminator is uninformative_at the optimum", source="Theorem 1",
            paper_value="", outcome="inconclusive", seeds_to_settle=12, **common,
        ),
        Verdict(
            claim_id="C3", text="best on CompCars", source="Table 3", paper_value="0.8 points",
            outcome="not testable here", **common,
        ),
    )  # fmt: skip
    if rehearsed:
        update = {"outcome": "not testable here", "rehearsal": "reproduced"}
        return tuple(verdict.model_copy(update=update) for verdict in decided)
    return decided


def record(slug: str, profile: str) -> Record:
    """Return a record with two rows."""
    paper = find_paper(slug)
    columns = {"dataset": ["dg-15"] * 2, "split": ["target"] * 2, "method": ["GRDA", "DANN"], "seed": [0, 0]}
    return Record(
        paper=slug,
        package=paper.package,
        profile=profile,
        parameters={"datasets": ["dg-15"], "seeds": [0]},
        rows={**columns, "metric": ["accuracy"] * 2, "value": [52.8, 48.9]},
        summary=(
            SummaryRow(
                dataset="dg-15", split="target", method="GRDA", metric="accuracy", n=1, mean=52.8, low=None, high=None
            ),
        ),
        verdicts=verdicts(rehearsed=profile == "quick"),
        provenance=Provenance(
            computation_sha256="a" * 64, parameters_sha256="b" * 64, modules={}, data={}, notebook_sha256=None,
            version="0.1.0", commit="0123456789abcdef", libraries={"python": "3.11.2"},
        ),
        hardware=Hardware(device="cpu", processor="test", cpu_cores=2, memory_gib=8.0),
        cost=Cost(seconds=95.2, peak_memory_mib=300.0),
        created=datetime(2026, 3, 4, 12, tzinfo=UTC),
        rendered=datetime(2026, 3, 4, 13, tzinfo=UTC),
    )  # fmt: skip


def write_run(folder: Path, slug: str, profile: str, notebook: NotebookNode | None, *, failed: bool = False) -> None:
    """Leave a run in a folder as `reprise run` does."""
    package = find_paper(slug).package
    (folder / package).mkdir(parents=True, exist_ok=True)
    if notebook is not None:
        nbformat.write(notebook, folder / f"{package}{'.failed' if failed else ''}.ipynb")
    if not failed:
        save(record(slug, profile), folder / f"{package}.json")
        for name in ("pairing", "wide"):
            (folder / package / f"{name}.csv").write_text("method,value\nGRDA,52.8\n")


def stale_if_cold_brew(record: Record) -> list[str]:
    """Say that Cold Brew's published record is stale."""
    stale = record.package == "cold_brew" and record.profile == "standard"
    return ["code changed since the run: reprise.cold_brew.study"] if stale else []


def write_runs(folder: Path) -> tuple[Path, Path]:
    """Write all the runs; return the folders of the published ones and of this machine's."""
    results, own = folder / "results", folder / "run"
    write_run(results / "standard", "grda", "standard", good_notebook("grda"))
    write_run(results / "paper", "grda", "paper", good_notebook("grda"))
    write_run(results / "standard", "cold-brew", "standard", good_notebook("cold-brew"))
    write_run(own, "grda", "quick", good_notebook("grda"))
    write_run(own, "cold-brew", "quick", failed_notebook(), failed=True)
    return results, own
