import pandas as pd
import pytest
from matplotlib import pyplot

from reprise import plots
from reprise.rows import tidy
from reprise.stats import Interval


def test_dots_carry_their_intervals_and_single_runs():
    figure, axes = plots.new_figure()
    plots.interval_dots(axes, [0, 1], [Interval(1, 0, 2, 3), Interval(2, 1, 4, 3)], method="GRDA", single_runs=[[1, 2]])
    segments = axes.containers[0][2][0].get_segments()
    assert [list(segment[:, 0]) for segment in segments] == [[0, 2], [1, 4]]
    assert len(axes.lines) >= 2
    pyplot.close(figure)


def test_the_papers_value_is_an_open_grey_diamond():
    figure, axes = plots.new_figure(width=plots.HALF_WIDTH)
    plots.paper_marks(axes, [1], [0])
    (line,) = axes.lines
    assert (line.get_marker(), line.get_markerfacecolor(), line.get_label()) == ("D", "none", "paper")
    assert figure.get_figwidth() == pytest.approx(3.1)
    pyplot.close(figure)


def rows_of(**values):
    common = {"dataset": "d", "split": "target", "metric": "accuracy"}
    return tidy(
        [
            {**common, "method": method, "seed": seed, "at": at, "value": value}
            for method, by_at in values.items()
            for at, found in by_at.items()
            for seed, value in enumerate(found)
        ]
    )


def test_what_a_run_has_not_measured_is_none_and_a_diverged_seed_stays():
    rows = rows_of(GRDA={1: [1.0, float("nan")]})
    assert plots.measured(rows, method="DANN") is None
    assert len(plots.measured(rows, method="GRDA")) == 2
    assert plots.defined(rows, method="GRDA").to_dict() == {0: 1.0}
    assert plots.defined(rows_of(GRDA={1: [float("nan")]}), method="GRDA") is None


def test_a_dot_plot_has_a_line_for_every_method_and_the_papers_marks():
    rows = rows_of(GRDA={1: [70.0, 72.0, 74.0]})
    lines = [plots.Line(name, name, {"method": name}) for name in ("DANN", "GRDA")]
    figure, axes = plots.new_figure()
    found = plots.measured_lines(rows, lines, split="target")
    drawn = plots.draw_dots(axes, found, lines, paper={"DANN": 66.0, "GRDA": None}, dataset="d")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["DANN", "GRDA"]
    assert [(line["method"], line["mean"], line["n"], line["paper"]) for line in drawn] == [("GRDA", 72.0, 3, None)]
    (mark,) = [line for line in axes.lines if line.get_label() == "paper"]
    assert (list(mark.get_xdata()), list(mark.get_ydata())) == ([66.0], [0])
    pyplot.close(figure)


def test_a_curve_leaves_out_where_nothing_was_measured():
    rows = rows_of(GCN={1: [1.0, 3.0], 4: [5.0, 5.0]})
    figure, axes = plots.new_figure()
    drawn = plots.draw_curve(axes, plots.along(rows, [1, 2, 4], method="GCN"), style="GCN", aside=0.1)
    assert [(point["at"], point["mean"]) for point in drawn] == [(1, 2.0), (4, 5.0)]
    assert list(axes.lines[0].get_xdata()) == [1.1, 4.1]
    assert plots.draw_curve(axes, {1: None}, style="GCN") == []
    pyplot.close(figure)


def test_the_paper_may_print_no_number():
    published = rows_of(DANN={1: [66.0]})
    assert plots.printed(published, method="DANN") == 66.0
    assert plots.printed(published, method="GRDA") is None


@pytest.mark.parametrize(("numbers", "words"), [([3, 3], "n = 3"), ([3, 5, None], "n = 3 to 5")])
def test_the_caption_says_how_many_seeds_there_are(numbers, words):
    assert plots.seeds_behind(pd.DataFrame({"n": numbers})) == words


def test_percentages_end_at_zero_and_a_hundred():
    figure, axes = plots.new_figure()
    axes.set_xlim(-400, 80)
    plots.keep_to_percent(axes)
    assert axes.get_xlim() == (-3, 80)
    pyplot.close(figure)
