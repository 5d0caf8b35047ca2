import pytest
from matplotlib import pyplot

from reprise import plots
from reprise.errors import UnknownNameError
from reprise.stats import Interval


def test_no_two_methods_look_the_same():
    looks = [(s.colour, s.marker) for name, s in plots.METHODS.items()]
    same = {look for look in looks if looks.count(look) > 1}
    pairs = [[n for n, s in plots.METHODS.items() if (s.colour, s.marker) == look] for look in same]
    # Two chapters may share a look, since their methods never meet in one figure; one chapter may not.
    for names in pairs:
        assert len({name for name in names if name in CHAPTER_OF}) == len({CHAPTER_OF.get(name) for name in names})


CHAPTER_OF = {
    **dict.fromkeys(
        ["GRDA", "GRDA, row-paired", "Source-only", "DANN", "CDANN", "ADDA", "MDD", "CORAL", "Logistic regression",
         "Hop-by-hop self-training", "Seasonal linear map", "Linear map", "Climatology"], "grda"),
    "Ridge regression": "grda (regression)",
    **dict.fromkeys(
        ["Cold Brew student", "Cold Brew teacher", "GCN", "GraphSAGE", "MLP", "GraphMLP", "GLNN",
         "Label propagation", "k-NN-GCN", "GNN", "TailGCN", "Meta-tail2vec", "Degree switch", "graph"], "cold_brew"),
}  # fmt: skip


def test_an_unregistered_method_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'GRDA'"):
        plots.style_of("GRDAA")


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
