from pathlib import Path

import fake_runs
import nbformat

from reprise.book import notebooks


def shown():
    notebook = notebooks.cleaned(fake_runs.good_notebook("grda"))
    return notebooks.shown(notebook, "grda", Path("grda"), {"pairing.csv"})


def outputs_with(notebook, mime: str):
    return [cell for cell in notebook.cells for output in cell.get("outputs", ()) if mime in output.get("data", {})]


def test_each_figure_and_table_gets_a_cell_of_its_own() -> None:
    for cell in shown().cells:
        described = [o for o in cell.get("outputs", ()) if o.get("metadata", {}).get("reprise")]
        assert len(described) <= 1
        if described:
            assert cell.metadata["tags"] == ["remove-input"]
            assert len(cell.outputs) == 1


def test_a_figure_cell_carries_alternative_text_caption_and_width_for_the_book() -> None:
    (cell,) = outputs_with(shown(), "image/png")
    assert cell.metadata["mystnb"] == {
        "image": {"alt": "Accuracy falls from 72 to 53 when rows are paired independently.", "width": "605px"},
        "figure": {
            "caption": "**Figure 1.** Target accuracy over 5 seeds, 95 % interval of the mean, at $\\lambda_d = 0.5$."
        },
    }


def tables() -> list[str]:
    return [
        output.data["text/html"]
        for cell in shown().cells
        for output in cell.get("outputs", ())
        if "text/html" in output.get("data", {})
    ]


def test_a_table_scrolls_in_its_own_container_under_its_caption() -> None:
    claims = next(html for html in tables() if "The claims." in html)
    assert "<caption>" not in claims
    assert claims.startswith(
        '<p class="reprise-caption" id="grda-claims-caption"><strong>Table 1.</strong> The claims.</p>\n'
        '<div class="reprise-scroll" role="region" aria-labelledby="grda-claims-caption" tabindex="0">'
    )


def test_the_caption_comes_from_the_description_where_the_table_has_none() -> None:
    assert any("<strong>Table 2.</strong> All methods.</p>" in html for html in tables())


def test_cells_with_sentences_are_marked_to_be_given_width() -> None:
    html = notebooks.scrolling(f"<td>{'long ' * 20}</td><td>short</td>", "c", "l")
    assert html.count('<td class="prose">') == 1


def test_formulas_in_tables_are_marked_for_the_typesetter() -> None:
    html = notebooks.with_formulas("<td>$\\lambda_d$ costs $3 or $4</td>")
    assert '<span class="math notranslate nohighlight">\\(\\lambda_d\\)</span> costs $3 or $4' in html


def test_a_data_twin_is_linked_if_there_and_said_to_be_missing_if_not() -> None:
    text = "\n".join(cell.source for cell in shown().cells if cell.cell_type == "markdown")
    assert "{download}`Data of Figure 1 (CSV) <grda/pairing.csv>`" in text
    assert "The data of Table 2 (wide.csv) are not there." in text


def test_references_to_figures_read_as_their_numbers() -> None:
    assert "{ref}`Figure 1 <grda-pairing>`" in shown().cells[0].source
    assert "{ref}`Table 2 <grda-wide>`" in shown().cells[0].source


def test_cleaning_takes_out_papermill_and_local_paths_and_leaves_the_original_alone() -> None:
    original = fake_runs.good_notebook("grda")
    text = nbformat.writes(notebooks.cleaned(original))
    assert "papermill" not in text
    assert "/home/ada" not in text
    assert "/home/ada" in nbformat.writes(original)


def test_a_notebook_stays_valid_after_every_step() -> None:
    notebook = notebooks.with_heading(shown(), "Title", "below", " (your run)")
    nbformat.validate(notebooks.with_own_labels(notebook, "your-run-"))


def test_lines_go_directly_under_the_title_with_the_suffix_behind_it() -> None:
    source = notebooks.with_heading(shown(), "unused", "BELOW", " (your run)").cells[0].source
    assert source.startswith("# Graph-relational domain adaptation (your run)\n\nBELOW\n\n")
    assert "## In one paragraph" in source


def test_a_notebook_without_a_title_gets_one() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Text.\n\n# Late title")])
    assert notebooks.with_heading(notebook, "Title", "below").cells[0].source.startswith("# Title\n\nbelow")
    empty = nbformat.v4.new_notebook()
    assert len(notebooks.with_heading(empty, "Title", "below").cells) == 1


def test_labels_are_renamed_in_definitions_and_all_references() -> None:
    source = (
        "(sec)=\n## A\n```{math}\n:label: eq-a\nx\n```\n$$y$$ (eq-b)\n\\begin{align}z \\label{eq-c}\\end{align}\n"
        "{eq}`eq-a` {eq}`eq-b` \\eqref{eq-c} {ref}`sec` {ref}`text <sec>` [t](#sec) {ref}`elsewhere` (sec)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source)])
    renamed = notebooks.with_own_labels(notebook, "p-").cells[0].source
    assert renamed == (
        "(p-sec)=\n## A\n```{math}\n:label: p-eq-a\nx\n```\n$$y$$ (p-eq-b)\n"
        "\\begin{align}z \\label{p-eq-c}\\end{align}\n"
        "{eq}`p-eq-a` {eq}`p-eq-b` \\eqref{p-eq-c} {ref}`p-sec` {ref}`text <p-sec>` [t](#p-sec) {ref}`elsewhere` (sec)"
    )


def test_a_label_that_begins_like_another_is_left_alone() -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("(a)=\n(a-b)=\n{ref}`a` {ref}`a-b` {ref}`a-c`")]
    )
    renamed = notebooks.with_own_labels(notebook, "p-").cells[0].source
    assert renamed == "(p-a)=\n(p-a-b)=\n{ref}`p-a` {ref}`p-a-b` {ref}`a-c`"


def test_headings_in_code_do_not_count() -> None:
    cell = nbformat.v4.new_markdown_cell("# One\n```\n# not one\n```\n## Two ##")
    assert notebooks.headings(nbformat.v4.new_notebook(cells=[cell])) == ["One", "Two"]


def test_the_code_that_fills_in_the_top_of_the_page_is_hidden_and_that_of_the_study_is_not() -> None:
    by_source = {cell.source: cell.metadata["tags"] for cell in shown().cells if cell.cell_type == "code"}
    assert by_source["chapter.headline()"] == by_source["chapter.claims_table()"] == ["remove-input"]
    assert by_source["rows = chapter.rows(run)\nchapter.figure(figure)"] == []


def test_where_records_lay_on_the_machine_of_the_run_is_not_shown() -> None:
    notebook = fake_runs.good_notebook("grda")
    source = "seeds = [0, 1]\nrecords = ['build/cells/a/grda.json', 'build/cells/b/grda.json']\n"
    notebook.cells.insert(6, fake_runs.code(source, tags=("injected-parameters",)))
    cells = notebooks.shown(notebook, "grda", Path("grda"), set()).cells
    (cell,) = [cell for cell in cells if "injected-parameters" in cell.metadata.get("tags", ())]
    assert cell.source == "seeds = [0, 1]\nrecords = [...]  # 2 of single parts of the study, joined\n"


def test_a_value_with_its_interval_stays_on_one_line() -> None:
    html = notebooks.scrolling("<td>0.66 ± 0.14</td><td>−1 [−17, 15]</td><td>DANN</td>", "c", "l")
    assert html.count('<td class="value">') == 2


def test_a_long_table_scrolls_in_its_box_and_a_short_one_does_not() -> None:
    def box(lines: int) -> str:
        return notebooks.scrolling(f"<table><tr><th>a</th></tr>{'<tr><td>1</td></tr>' * lines}</table>", "c", "l")

    assert 'class="reprise-scroll reprise-long"' in box(notebooks.LONG_TABLE + 1)
    assert 'class="reprise-scroll"' in box(notebooks.LONG_TABLE)
