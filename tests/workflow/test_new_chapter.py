"""The chapter that `reprise new` lays out runs through, and its fan-out gives the rows of a single run."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.workflow.conftest import REPOSITORY

# What a chapter needs: the shared modules, without the other papers' packages, and the tests that all chapters share.
COPIED = ("pyproject.toml", "_config.yml", "tests/conftest.py", "tests/test_every_chapter.py")
SLUG, PACKAGE = "eleventh-paper", "eleventh_paper"


@dataclass(frozen=True)
class Checkout:
    """A checkout whose only chapter is the new one."""

    home: Path

    def call(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the checkout with its package."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REPRISE_")}
        environment["PYTHONPATH"] = str(self.home / "src")
        return subprocess.run(
            command, cwd=self.home, env=environment, text=True, timeout=300, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def reprise(self, *words: str) -> str:
        """Run the command line of this checkout and return what it said."""
        result = self.call(sys.executable, "-c", "from reprise.cli import main; main()", *words)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def rows(self, folder: str, **given: object) -> dict[str, list[object]]:
        """Run the chapter into a folder and return the rows of its record."""
        words = [part for name, value in given.items() for part in ("-p", f"{name}={json.dumps(value)}")]
        self.reprise("run", SLUG, *words, "--output", folder)
        record = json.loads((self.home / folder / f"{PACKAGE}.json").read_text(encoding="utf-8"))
        rows: dict[str, list[object]] = record["rows"]
        return rows


def checkout(home: Path) -> Checkout:
    """Copy what is shared into a folder."""
    from reprise.catalogue import PAPERS

    papers = shutil.ignore_patterns("__pycache__", *(paper.package for paper in PAPERS))
    shutil.copytree(REPOSITORY / "src/reprise", home / "src/reprise", ignore=papers)
    for name in COPIED:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, home / name)
    shutil.copytree(REPOSITORY / "book", home / "book")
    (home / "notebooks").mkdir()
    return Checkout(home)


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout in which the new chapter was laid out, locked and run once, its outputs stored."""
    one = checkout(tmp_path_factory.mktemp("new") / "checkout")
    said = one.reprise("new", SLUG)
    assert f"src/reprise/{PACKAGE}/study.py" in said
    assert "src/reprise/catalogue.py, src/reprise/data/data_sets.csv" in said
    assert "book/references.bib, book/_data/cards.yaml" in said
    one.reprise("claims", "lock", SLUG)
    one.reprise("refresh", SLUG)
    return one


def test_the_new_chapter_passes_its_own_tests_and_those_of_every_chapter(laid_out: Checkout) -> None:
    result = laid_out.call(
        sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "--doctest-modules",
        f"tests/{PACKAGE}", "tests/test_every_chapter.py", f"src/reprise/{PACKAGE}",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    assert "skipped" not in result.stdout


def test_the_new_chapter_keeps_the_style_and_its_benchmark_runs(laid_out: Checkout) -> None:
    written = [f"src/reprise/{PACKAGE}", f"tests/{PACKAGE}", "benchmarks", "src/reprise/catalogue.py"]
    for command in (["check"], ["format", "--check"]):
        result = laid_out.call(sys.executable, "-m", "ruff", *command, *written)
        assert result.returncode == 0, result.stdout
    assert "times faster" in laid_out.call(sys.executable, f"benchmarks/{PACKAGE}.py").stdout


def test_the_book_with_the_new_chapter_renders_and_has_its_card_recipe_and_reference(laid_out: Checkout) -> None:
    laid_out.reprise("run", SLUG)
    index = Path(laid_out.reprise("book").splitlines()[-1])
    introduction = (index.parent / "introduction.html").read_text(encoding="utf-8")
    assert "Further papers" in introduction
    assert "The idea of the paper in two sentences" in introduction
    own = (index.parent / "use-it-on-your-own-data.html").read_text(encoding="utf-8")
    assert f'id="your-data-{SLUG}"' in own
    assert f'href="api/{PACKAGE}.html' in own
    assert f'id="reprise.{PACKAGE}.LeastSquaresClassifier"' in (index.parent / f"api/{PACKAGE}.html").read_text()
    assert f"your-run/{PACKAGE}.html" in (index.parent / "scoreboard.html").read_text(encoding="utf-8")


def test_the_recipe_for_own_data_runs(laid_out: Checkout) -> None:
    page = (laid_out.home / "book/use-it-on-your-own-data.md").read_text(encoding="utf-8")
    recipe = page.partition(f"(your-data-{SLUG})=")[2].partition("```python\n")[2].partition("```")[0]
    result = laid_out.call(sys.executable, "-c", recipe + "\nprint(classes.shape)")
    assert result.stdout == "(200,)\n"


def test_a_second_new_paper_stands_beside_the_first(laid_out: Checkout) -> None:
    laid_out.reprise("new", "twelfth-paper")
    cards = (laid_out.home / "book/_data/cards.yaml").read_text(encoding="utf-8")
    assert cards.count("Further papers") == 1
    assert cards.index("slug: eleventh-paper") < cards.index("slug: twelfth-paper")


def test_cells_joined_by_the_notebook_give_the_rows_of_a_single_run_bit_for_bit(laid_out: Checkout) -> None:
    seeds = (0, 1)
    single = laid_out.rows("single", seeds=seeds)
    for seed in seeds:
        laid_out.rows(f"cell-{seed}", seeds=[seed])
    records = [f"cell-{seed}/{PACKAGE}.json" for seed in seeds]
    joined = laid_out.rows("joined", seeds=seeds, records=records)
    assert len(single["value"]) > 0
    assert joined == single
    assert "follow from the rows" in laid_out.reprise("verify", f"joined/{PACKAGE}.json")


def test_a_run_that_fails_after_its_study_keeps_the_rows_and_the_next_one_starts_from_them(laid_out: Checkout) -> None:
    figures = laid_out.home / f"src/reprise/{PACKAGE}/figures.py"
    kept = laid_out.home / f"late/{PACKAGE}.rows.json"
    whole = figures.read_text(encoding="utf-8")
    figures.write_text(whole + "\nraise RuntimeError('the figures are broken')\n", encoding="utf-8")
    command = [sys.executable, "-c", "from reprise.cli import main; main()", "run", SLUG, "--output", "late"]
    failed = laid_out.call(*command)
    assert failed.returncode == 1
    assert "the figures are broken" in failed.stdout
    assert not (laid_out.home / f"late/{PACKAGE}.json").exists()
    computed = json.loads(kept.read_text(encoding="utf-8"))
    figures.write_text(whole, encoding="utf-8")
    assert laid_out.call(*command).returncode == 0
    record = json.loads((laid_out.home / f"late/{PACKAGE}.json").read_text(encoding="utf-8"))
    assert record["rows"] == computed["rows"]
    assert record["created"] == computed["created"]
    assert not kept.exists()


@pytest.mark.parametrize("paper", ["diva", "in-domain-generalization"])
def test_a_paper_of_the_catalogue_gets_its_name_and_its_embedded_data(tmp_path: Path, paper: str) -> None:
    one = checkout(tmp_path)
    before = (one.home / "src/reprise/catalogue.py").read_text(encoding="utf-8")
    one.reprise("new", paper)
    package = {"diva": "diva", "in-domain-generalization": "in_domain"}[paper]
    settings = (one.home / f"src/reprise/{package}/settings.py").read_text(encoding="utf-8")
    assert f'paper: ClassVar[str] = "{paper}"' in settings
    assert {"diva": '("digits",)', "in-domain-generalization": '("sprites-rot90",)'}[paper] in settings
    assert (one.home / "src/reprise/catalogue.py").read_text(encoding="utf-8") == before
    again = one.call(sys.executable, "-c", "from reprise.cli import main; main()", "new", paper)
    assert again.returncode == 1
    assert "exists already" in again.stdout


@pytest.mark.parametrize("name", ["Eleventh", "11th", "a_b", "../outside"])
def test_a_name_that_is_no_slug_is_refused(name: str) -> None:
    from reprise.new_chapter import NewChapterError, lay_out

    with pytest.raises(NewChapterError, match="is no slug"):
        lay_out(name)


@pytest.mark.parametrize("name", ["class", "stats"])
def test_a_name_that_python_or_a_shared_module_has_is_refused(name: str) -> None:
    from reprise.new_chapter import NewChapterError, lay_out

    with pytest.raises(NewChapterError, match=f"cannot be named '{name}'"):
        lay_out(name)
