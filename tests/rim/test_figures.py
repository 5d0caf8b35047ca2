"""Figures, tables and sentences say what their rows say, and leave out what a run has no rows for."""

import re

import numpy as np
import pandas as pd
import pytest
from tests.rim.test_study import SMALL, few_shoppers

from reprise.numerals import number
from reprise.rim import (
    data_sentences,
    figures,
    illustrations,
    matching_figures,
    matching_sentences,
    ranking_sentences,
    study,
    summaries,
)  # fmt: skip
from reprise.rim.comparisons import USER_REC, matched, ranked
from reprise.rim.matched import OTHER_PRICES
from reprise.rim.settings import Settings
from reprise.rows import MissingRowsError, per_seed
from reprise.verification import published_numbers

SETS = ("movielens-100k", "online-retail")


@pytest.fixture(scope="module")
def rows():
    """Rows of a small study under two names; the second one has no matching, as Online Retail has none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reprise.rim.data.generators.make_shoppers", few_shoppers)
        patch.setattr("reprise.rim.ranked.make_shoppers", few_shoppers)
        found = study.run(Settings(**SMALL))
    matching = found["part"].isin(["matching", "spread over items", "sample size"])
    parts = [found.assign(dataset=SETS[0]), found[~matching].assign(dataset=SETS[1])]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def published():
    return published_numbers("rim")


def test_the_lift_is_that_of_the_rows(rows, published):
    drawing = figures.draw_lift(rows, published, SETS)
    ratio = ranked(rows, SETS[0], USER_REC, "GRU × HP").over(ranked(rows, SETS[0], USER_REC, "GRU")).interval()
    drawn = drawing.data.set_index(["dataset", "method"]).loc[(SETS[0], "GRU × HP"), "mean"]
    assert drawn == pytest.approx(ratio.estimate)
    assert "MovieLens 100K" in drawing.alt


def test_the_papers_lift_is_the_printed_ratio(published):
    how = {"part": "ranking", "task": USER_REC, "metric": "precision (%)"}
    printed = published[(published[list(how)] == pd.Series(how)).all(axis=1)].set_index("method")["value"]
    assert printed["GRU × HP"] / printed["GRU"] == pytest.approx(2.75, abs=0.01)
    assert printed["Transformer × HP"] / printed["Transformer"] == pytest.approx(2.8, abs=0.01)


@pytest.mark.parametrize("draw", [figures.draw_calibration, figures.draw_kernels, figures.draw_further])
@pytest.mark.parametrize("data_sets", [SETS, SETS[1:]])
def test_every_figure_has_a_finding_text_and_numbers(draw, data_sets, rows):
    drawing = draw(rows, data_sets)
    assert drawing.figure.get_suptitle()
    assert drawing.alt.endswith(".")
    assert drawing.caption.endswith(".")
    assert set(drawing.data["dataset"]) == set(data_sets)


def test_both_axes_hold_the_papers_points(rows, published):
    data = figures.draw_both_axes(rows, published, SETS).data
    paper = data[data["dataset"] == "paper, movielens-1m"].set_index("method")
    assert paper.loc["Transformer × HP", ["ItemRec", "UserRec"]].tolist() == [2.57, 4.92]
    ours = data[data["dataset"] == SETS[0]].set_index("method")
    assert ours.loc["GRU", "ItemRec"] == ours.loc["GRU × HP", "ItemRec"]


@pytest.mark.parametrize("draw", [matching_figures.draw_delivery, matching_figures.draw_sample_size])
def test_matching_is_drawn_where_it_was_run(draw, rows):
    assert len(draw(rows, SETS).data)
    with pytest.raises(MissingRowsError):
        draw(rows, SETS[1:])


def test_the_trade_off_starts_at_item_recommendation(rows, published):
    data = matching_figures.draw_trade_off(rows, published, SETS).data
    start = data[(data["side"] == "items") & (data["multiplier"] == 0)]
    assert (start["precision"] == 1).all()
    assert {"online", "offline", "paper"} == set(data["source"])
    bound = data[(data["multiplier"] == 1)]
    assert (bound["perplexity"] == 1).all()
    with pytest.raises(MissingRowsError):
        matching_figures.draw_trade_off(rows, published, SETS[1:])


def test_tables_have_a_line_for_each_case(rows, published):
    assert summaries.data_table(rows, SETS)["data set"].tolist() == ["MovieLens 100K", "Online Retail"]
    levels = summaries.levels_table(rows, published, SETS).set_index("method")
    assert levels.loc["GraphConv-Extra", "paper (MovieLens 1M), UserRec"] == "2.85"
    assert levels.loc["Transformer", "MovieLens 100K, UserRec"] == "—"
    assert "±" in levels.loc["GRU × HP", "Online Retail, UserRec"]
    spread = summaries.spread_table(rows, SETS).set_index("method")
    assert spread.loc["GRU × HP", "MovieLens 100K, item perplexity of ItemRec"] == "—"
    how = {"dataset": SETS[0], "part": "ranking", "task": USER_REC, "metric": "user perplexity"}
    for method in ("GRU", "GRU × HP"):
        value = per_seed(rows, method=method, **how).mean()
        assert spread.loc[method, "MovieLens 100K, user perplexity of UserRec"] == f"{value:.0f}"
        assert f" {value:.0f}" in ranking_sentences.how_few_are_addressed(rows, SETS).split("; ")[0]
    matching = summaries.matching_table(rows, SETS)
    assert set(matching["solver"]) == {"exact", "released loop", "greedy", "exact, prices of other items"}
    programme = summaries.programme_table(rows, SETS)
    assert programme["exact, of the optimum (%)"].str.startswith(("99", "100")).all()
    assert len(summaries.resampling_table(rows, SETS)) == 8
    assert len(summaries.new_pairs_table(rows, SETS)) == 10
    assert len(summaries.activity_table(rows, SETS)) == 11
    shares = summaries.rarity_table(rows, SETS).groupby(["scores", "bound"])["share of exposures (%)"]
    assert shares.apply(lambda s: s.astype(float).sum()).sub(100).abs().max() < 0.3
    for make in (summaries.matching_table, summaries.programme_table, summaries.rarity_table):
        with pytest.raises(MissingRowsError):
            make(rows, SETS[1:])


def test_the_recall_table_holds_the_ratio(rows):
    table = summaries.recall_table(rows, SETS[:1]).set_index("method")
    how = {"dataset": SETS[0], "part": "ranking", "task": "ItemRec", "method": "GRU"}
    right, wrong = (per_seed(rows, metric=m, **how) for m in ("recall (%)", "recall as released (%)"))
    assert float(table.loc["GRU", "ratio"]) == pytest.approx((wrong / right).mean(), abs=0.06)


def scaled(rows, method, factor, data_set=SETS[0]):
    """Return the rows with a method's UserRec hits multiplied."""
    which = (rows["method"] == method) & (rows["task"] == USER_REC) & (rows["metric"] == "hits")
    which &= (rows["dataset"] == data_set) & rows["part"].isin(["ranking", "resampled users"])
    return rows.assign(value=np.where(which, rows["value"] * factor, rows["value"]))


def test_the_order_is_told_as_it_is(rows):
    plain, text = (
        ranking_sentences.where_the_order_breaks(one, SETS).split("**Online Retail**")
        for one in (rows, scaled(rows, "GRU × EMA", 0.01))
    )
    kinds = dict(re.findall(r"([^;:]+?) (holds?|(?:is|are) reversed|(?:is|are) open)", text[0]))
    reversed_steps = [steps for steps, kind in kinds.items() if kind.endswith("reversed")]
    assert len(reversed_steps) == 1
    assert "UserPop < EMA" in reversed_steps[0]
    assert any("EMA < Hawkes" in steps for steps, kind in kinds.items() if kind.startswith("hold"))
    assert text[1] == plain[1]
    best = ranking_sentences.where_the_order_breaks(scaled(rows, "GRU × UserPop", 9.0), SETS[:1])
    assert "the best factor is UserPop" in best


def test_sentences_carry_the_numbers_of_the_rows(rows):
    gain = ranked(rows, SETS[0], USER_REC, "GRU × HP").values[0]
    assert f"{gain:.1f}" in ranking_sentences.how_much_is_activity(rows, SETS)
    how = {"dataset": SETS[0], "part": "activity", "method": "GRU", "metric": "mean log probability of targets"}
    gap = (per_seed(rows, split="validation", **how) - per_seed(rows, split="test", **how)).mean()
    assert f"{abs(gap):.2f} nats" in ranking_sentences.overconfidence(rows, SETS)
    assert "released loop leaves" in matching_sentences.loop_against_exact(rows, SETS)
    assert "no matching" in matching_sentences.loop_against_exact(rows, SETS[1:])
    against = ranking_sentences.against_factorisations(scaled(rows, "ALS", 1e3), SETS[:1])
    assert "in UserRec behind ALS (−" in against
    assert "in ItemRec" in against
    assert "correlates" in ranking_sentences.why_it_breaks(rows, SETS)
    assert "-fold on MovieLens 100K" in ranking_sentences.recall_is_overstated(rows, SETS)


def hits_of_the_rarest(rows, value):
    """Return the rows with the hits per exposure of the rarest third without a bound: given, or nobody shown."""
    free = (rows["metric"] == "hits per exposure (%)") & (rows["multiplier"] == 0) & (rows["at"] == 1)
    kept = rows[~free]
    if value is None:
        return kept
    shown = rows[(rows["metric"] == "exposures") & (rows["multiplier"] == 0) & (rows["at"] == 1)]
    return pd.concat([kept, shown.assign(metric="hits per exposure (%)", value=value)], ignore_index=True)


def test_exposures_of_rare_items_are_told_also_where_nobody_is_shown_one(rows):
    text = matching_sentences.who_is_hit(hits_of_the_rarest(rows, 12.5), SETS)
    assert "rarest third 12.50 and 12.50 without a minimum" in text
    assert "most popular third" in text
    nobody = matching_sentences.who_is_hit(hits_of_the_rarest(rows, None), SETS)
    assert "rarest third none (nobody is shown one)" in nobody
    assert "no matching" in matching_sentences.who_is_hit(rows, SETS[1:])


def test_harm_by_activity_is_told(rows):
    text = ranking_sentences.what_activity_does_to_others(scaled(rows, "ALS × HP", 1e-3, SETS[1]), SETS)
    first, second = text.split("on Online Retail")
    assert "lowers" not in first
    assert "HP lowers the UserRec precision of ALS" in second
    ahead = ranking_sentences.what_activity_does_to_others(scaled(rows, "GRU × HP", 1e3), SETS[:1])
    assert "GRU × HP is ahead of ItemPop × HP (+" in ahead
    drawn = figures.draw_lift(scaled(rows, "ALS × HP", 1e-3), published_numbers("rim"), SETS)
    assert "that of ALS by 0.00 on MovieLens 100K" in drawn.figure.get_suptitle().replace("\n", " ")


def test_limits_of_the_verdicts_carry_the_numbers_of_the_rows(rows):
    how = {"dataset": SETS[0], "part": "matching", "metric": "precision (%)", "method": "GRU × HP", "multiplier": 0.7}
    other = per_seed(rows, solver=OTHER_PRICES, served="online", split="test", **how).mean()
    own = per_seed(rows, solver="exact", served="offline", split="test", **how).mean()
    assert f"{other / own:.2f} with those of other items" in matching_sentences.precision_tells_no_prices_apart(
        rows, SETS
    )
    assert "hits" not in matching_sentences.how_greedy_rounds(rows, SETS)
    assert "A negative gap" in matching_sentences.how_greedy_rounds(rows, SETS)
    lost = {
        m: matched(rows, SETS[0], m, 0.7, served="offline").lost_from(
            matched(rows, SETS[0], m, 0.0, served="offline", solver="none")
        ).values[0]
        for m in ("GRU", "GRU × HP")
    }  # fmt: skip
    assert f"{abs(lost['GRU'] - lost['GRU × HP']):.1f} [" in matching_sentences.size_of_the_loss(rows, SETS)
    for say in (
        matching_sentences.precision_tells_no_prices_apart, matching_sentences.how_greedy_rounds,
        matching_sentences.size_of_the_loss,
    ):  # fmt: skip
        assert not say(rows, SETS[1:])
    assert "GRU × HP − GRU × EMA" in ranking_sentences.differences_by_user(rows, SETS)


def test_spans_are_written_in_minutes_or_days():
    assert data_sentences.span_in_words(np.array([1000.0, 1180.0])) == "17 to 20 minutes"
    assert data_sentences.span_in_words(np.array([28 * 86_400.0])) == "28 days"


def test_the_horizon_and_ties_are_told_from_the_rows(rows):
    fact = (rows["part"] == "data") & (rows["dataset"] == SETS[0])
    days = rows["value"].where(~(fact & (rows["metric"] == "horizon")), 28 * 86_400.0)
    text = data_sentences.horizons_in_words(rows.assign(value=days), SETS[:1])
    assert text.startswith("The horizon lasts 28 days on MovieLens 100K: 0 % of")
    # Kernel scales are 10^(-6 + k/7) horizons: those below 1/(28 days) are k = 0.
    assert f"and {(np.logspace(-6, 1, 50) * 28 * 86_400 < 1).sum()} of the 50" in text
    assert summaries.data_table(rows.assign(value=days), SETS[:1])["horizon"].tolist() == ["28 days"]
    assert data_sentences.horizons_in_words(rows.assign(dataset="churn-and-bursts"), ["churn-and-bursts"]) == ""


def test_the_end_of_the_grid_is_told_from_the_rows(rows):
    text = ranking_sentences.where_the_grid_ends(rows, SETS[:1])
    kernel = rows[(rows["dataset"] == SETS[0]) & (rows["part"] == "kernel") & (rows["method"] == "HP")]
    weights = kernel[kernel["metric"] == "kernel weight"]
    share = 100 * weights.loc[weights["at"] == weights["at"].max(), "value"].sum() / weights["value"].sum()
    assert f"{share:.0f} % of HP's kernel weight lies on the longest scale" in text
    assert "by the factor 1.00 [" in ranking_sentences.where_the_grid_ends(as_hp(rows), SETS[:1])
    assert ranking_sentences.where_the_grid_ends(rows[rows["part"] != "kernel"], SETS) == ""


def as_hp(rows):
    """Return the rows with the longer grid's ranking replaced by the usual one's."""
    longer = rows["method"] == "GRU × HP, longer scales"
    usual = rows[rows["method"] == "GRU × HP"].assign(method="GRU × HP, longer scales")
    return pd.concat([rows[~longer], usual], ignore_index=True)


def test_rivals_from_graphs_are_told_beside_c5(rows):
    text = ranking_sentences.beside_graph_convolution(scaled(rows, "GraphConv", 1e3), SETS[:1])
    assert re.search(r"GRU × HP on MovieLens 100K: ItemRec [^,]+, [^,]+ and [^,]+, [^,]+, UserRec −", text)
    assert ranking_sentences.beside_graph_convolution(rows[~rows["method"].str.startswith("Graph")], SETS) == ""


def test_prices_that_grow_old_are_drawn_and_told(rows):
    drawing = matching_figures.draw_drift(rows, SETS)
    assert drawing.data["age"].tolist() == [1, 2]
    how = {"dataset": SETS[0], "part": "drift", "metric": "shortfall (%)", "solver": "exact"}
    first = per_seed(rows, at=1, **how).mean()
    assert drawing.data["old prices"][0] == pytest.approx(first)
    last = per_seed(rows, at=2, **how).mean()
    text = matching_sentences.how_prices_age(rows, SETS)
    assert f"{first:.1f} % at an age of 1, {last:.1f} % at 2 ({number(last - first, 1, signed=True)} [" in text
    without = rows[rows["part"] != "drift"]
    assert matching_sentences.how_prices_age(without, SETS) == ""
    with pytest.raises(MissingRowsError):
        matching_figures.draw_drift(without, SETS)


def test_sampling_is_told_of_where_it_was_measured(rows):
    assert "square root" in matching_sentences.how_samples_err(rows, SETS)
    assert matching_sentences.how_samples_err(rows, SETS[1:]) == ""


def test_the_papers_films_are_not_drawn_beside_invoices(rows, published):
    figure = figures.draw_lift(rows, published, SETS).figure
    marks = [sum(line.get_marker() == "D" for line in axes.get_lines()) for axes in figure.axes]
    scatters = [len(axes.collections) for axes in figure.axes]
    assert (marks[0], scatters[0]) != (marks[1], scatters[1])


def test_illustrations_need_no_study():
    drawing = illustrations.draw_timeline()
    assert set(drawing.data.columns) == {"time", "Hawkes", "HP", "EMA", "true intensity"}
    late = drawing.data[drawing.data["time"] > 2.5]
    assert (late["EMA"] > late["true intensity"]).mean() > 0.9
    users = illustrations.draw_users("churn-and-bursts")
    assert len(users.data) == 20
