"""What every chapter has to keep: one test module for all papers that are written."""

import ast
import importlib.util
import inspect
import pkgutil
import subprocess
import sys

import pandas as pd
import pytest

from reprise import notebook_files, parameters, provenance, verification
from reprise.catalogue import PAPERS
from reprise.method_styles import METHODS

WRITTEN = [paper for paper in PAPERS if paper.is_written()]
SECTIONS = (
    "In one paragraph", "The claims", "Parameters", "The idea", "The data, looked at",
    "The method, step by step on one small example", "The study", "The paper beside ours", "Verdicts",
    "Beyond the paper", "Use it on your own data", "What it cost", "Where we differ from the paper",
)  # fmt: skip
LONGEST_CELL = 20
MOST_CODE_LINES = 220
BLOG = "Amazon Science blog"

every_chapter = pytest.mark.parametrize("paper", WRITTEN, ids=[paper.package for paper in WRITTEN])


def source(cell):
    return "".join(cell["source"])


def code_cells(paper):
    return [cell for cell in notebook_files.read_notebook(paper.notebook)["cells"] if cell["cell_type"] == "code"]


@every_chapter
def test_the_notebook_declares_every_parameter_with_the_default_of_the_settings(paper):
    declared = notebook_files.declared_parameters(notebook_files.read_notebook(paper.notebook))
    assert declared.pop("records") == []
    assert declared == parameters.settings_class(paper)().model_dump(mode="json")
    assert parameters.profile_parameters(paper, "quick") == declared


@every_chapter
def test_no_public_name_is_the_name_of_a_module_too(paper):
    """Importing such a module would put it in the place of what the package hands out under that name."""
    package = importlib.import_module(f"reprise.{paper.package}")
    assert set(package.__all__).isdisjoint(module.name for module in pkgutil.iter_modules(package.__path__))


@every_chapter
@pytest.mark.parametrize("profile", parameters.PROFILES)
def test_every_profile_is_valid(paper, profile):
    parameters.resolve_parameters(paper, profile, {})


@every_chapter
def test_every_parameter_is_described_and_read(paper):
    fields = parameters.settings_class(paper).model_fields
    assert all(field.description for field in fields.values())
    assert notebook_files.unread_parameters(notebook_files.read_notebook(paper.notebook)) == []


@every_chapter
def test_the_quick_profile_needs_no_download(paper):
    names = parameters.profile_parameters(paper, "quick")["datasets"]
    assert {paper.data_set(name).kind for name in names} == {"embedded"}


@every_chapter
def test_the_sections_stand_in_the_books_order(paper):
    cells = notebook_files.read_notebook(paper.notebook)["cells"]
    headings = [
        line.removeprefix("## ")
        for cell in cells
        if cell["cell_type"] == "markdown"
        for line in source(cell).splitlines()
        if line.startswith("## ")
    ]
    assert headings == list(SECTIONS)


@every_chapter
def test_cells_are_short_and_define_nothing(paper):
    cells = [cell for cell in code_cells(paper) if "parameters" not in cell["metadata"].get("tags", [])]
    lengths = [len(source(cell).splitlines()) for cell in cells]
    assert max(lengths) <= LONGEST_CELL
    assert sum(lengths) <= MOST_CODE_LINES
    for cell in cells:
        defined = [n for n in ast.walk(ast.parse(source(cell))) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        assert defined == []


@every_chapter
def test_the_stored_outputs_are_a_whole_run(paper):
    notebook = notebook_files.read_notebook(paper.notebook)
    assert notebook_files.notebook_faults(notebook) == []
    compared = [c for c in code_cells(paper) if "nbval-check-output" in c["metadata"].get("tags", [])]
    assert len(compared) >= 4


@every_chapter
def test_the_claims_are_complete_and_their_rules_locked(paper):
    claims = verification.claims_of(paper.package)
    identifiers = [claim.id for claim in claims]
    assert len(set(identifiers)) == len(identifiers) >= 3
    assert any(claim.source == BLOG for claim in claims), "the claim of the blog post is one of them"
    assert verification.rule_lock(paper.package).problems(claims) == []
    known = {data_set.name for data_set in paper.data_sets}
    assert {name for claim in claims for name in claim.data_sets} <= known


@every_chapter
def test_the_printed_numbers_have_a_source_each(paper):
    published = verification.published_numbers(paper.package)
    columns = ["dataset", "split", "method", "metric", "value", "source"]
    further = set(published.columns) - set(columns)
    assert set(columns) <= set(published.columns)
    assert further <= set(parameters.settings_class(paper).summary_columns)
    assert published["source"].notna().all()
    assert pd.api.types.is_numeric_dtype(published["value"])
    assert not published.duplicated([*columns[:4], *sorted(further), "source"]).any()


@every_chapter
def test_the_methods_of_the_printed_tables_have_a_look(paper):
    methods = set(verification.published_numbers(paper.package)["method"])
    assert methods <= set(METHODS)


@every_chapter
def test_importing_package_settings_and_claims_loads_no_deep_learning(paper):
    program = (
        f"import sys, reprise.{paper.package}, reprise.{paper.package}.settings\n"
        "assert not {'torch', 'matplotlib', 'pandas'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@every_chapter
def test_the_study_exists_and_is_documented(paper):
    study = importlib.import_module(f"reprise.{paper.package}.study")
    assert study.run.__doc__


@every_chapter
def test_what_is_behind_the_study_imports_modules_and_not_the_names_a_package_hands_out(paper):
    # A package is no part of what determines rows, so the module that a name comes from would be missing there.
    for name in provenance.modules_behind(f"reprise.{paper.package}.study"):
        tree = ast.parse(inspect.getsource(importlib.import_module(name)))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == f"reprise.{paper.package}":
                modules = [importlib.util.find_spec(f"{node.module}.{alias.name}") for alias in node.names]
                assert None not in modules, f"{name} imports from {node.module}"
