import fake_runs
import pytest
from matplotlib import pyplot

from reprise.book import overview_figures
from reprise.book.chapters import published_chapters
from reprise.book.declared import Printed
from reprise.book.overview_figures import Line, draw_board, draw_estimates
from reprise.claims import OUTCOMES, Verdict


@pytest.fixture
def chapters(runs):
    yield published_chapters(fake_runs.PAPERS, runs[0], lambda record: [])
    pyplot.close("all")


def verdict(estimate: float, low: float, high: float) -> Verdict:
    given = {"claim_id": "C1", "text": "", "source": "", "kind": "ordering", "paper_value": "", "evidence": ""}
    numbers = {"estimate": estimate, "low": low, "high": high, "quantity": "x"}
    return Verdict(outcome="reproduced", reduced_scale=False, rule="", **given, **numbers)


def test_every_outcome_has_a_look_of_its_own_in_shape_and_in_colour() -> None:
    assert set(overview_figures.STYLES) == set(OUTCOMES)
    shapes = {(style["marker"], style.get("fillstyle")) for style in overview_figures.STYLES.values()}
    assert len(shapes) == len({style["color"] for style in overview_figures.STYLES.values()}) == len(OUTCOMES)


def test_a_line_keeps_signs_and_proportions_and_stays_in_its_lane() -> None:
    line = Line(verdict(2.0, 1.0, 3.0), Printed(value=-4.0))
    assert line.place(0.0) == 0.0
    assert line.place(-4.0) == -overview_figures.REACH
    assert line.place(2.0) == pytest.approx(-line.place(-4.0) / 2)


def test_a_ratio_is_drawn_from_one() -> None:
    line = Line(verdict(2.9, 2.6, 3.2), Printed(value=2.75, no_effect=1.0))
    assert line.place(1.0) == 0.0
    assert line.place(3.2) == pytest.approx(overview_figures.REACH)


def test_an_estimate_that_is_exactly_no_effect_can_be_drawn() -> None:
    assert Line(verdict(0.0, 0.0, 0.0), Printed()).place(0.0) == 0.0


def test_the_board_has_one_mark_a_claim_and_names_papers_without_a_run(chapters) -> None:
    drawing = draw_board(fake_runs.PAPERS, chapters)
    assert list(drawing.data["paper"]) == ["cold-brew"] * 3 + ["grda"] * 3
    assert drawing.alt.startswith("Verdicts on 6 claims.")
    assert "PSA-GAN: no published run yet" in drawing.alt
    texts = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert "C1!" in texts
    assert "no published run yet" in texts


def test_the_board_stands_without_any_run() -> None:
    drawing = draw_board(fake_runs.PAPERS, [])
    assert drawing.alt.startswith("Verdicts on 0 claims.")
    assert drawing.data.empty


def test_estimates_are_set_beside_printed_numbers_of_the_same_quantity_only(chapters, monkeypatch) -> None:
    printed = {"C1": Printed(12.0, "24 - 12", 0.0, "Table 1")}
    monkeypatch.setattr(
        overview_figures, "printed_beside", lambda paper, claim, quantity: printed.get(claim, Printed())
    )
    drawing = draw_estimates(chapters[0])
    assert "C1 1.2 [−4.1, 6.5], paper 12" in drawing.alt
    assert drawing.data.set_index("claim")["paper"].dropna().to_dict() == {"C1": 12.0}
    texts = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert texts.count("no single number") == 2


def test_without_a_printed_number_the_text_says_so(chapters, monkeypatch) -> None:
    monkeypatch.setattr(overview_figures, "printed_beside", lambda *given: Printed())
    assert "prints no number" in draw_estimates(chapters[0]).alt
