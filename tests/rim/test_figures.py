"""Figures, tables and sentences say what their rows say, and leave out what a run has no rows for."""

import numpy as np
import pandas as pd
import pytest
from tests.rim.test_study import SMALL, few_shoppers

from reprise.rim import figures, illustrations, matching_figures, sentences, study, summaries
from reprise.rim.comparisons import USER_REC, ranked
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
    assert levels.loc["GraphConv-Extra", "MovieLens 100K, UserRec"] == "—"
    assert "±" in levels.loc["GRU × HP", "Online Retail, UserRec"]
    matching = summaries.matching_table(rows, SETS)
    assert set(matching["solver"]) == {"exact", "released loop", "greedy", "exact, prices of other items"}
    programme = summaries.programme_table(rows, SETS)
    assert programme["exact, of the optimum (%)"].str.startswith(("99", "100")).all()
    assert len(summaries.resampling_table(rows, SETS)) == 8
    assert len(summaries.new_pairs_table(rows, SETS)) == 10
    assert len(summaries.activity_table(rows, SETS)) == 9
    shares = summaries.rarity_table(rows, SETS).groupby("bound")["share of exposures (%)"]
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
    which &= (rows["dataset"] == data_set) & (rows["part"] == "ranking")
    return rows.assign(value=np.where(which, rows["value"] * factor, rows["value"]))


def test_the_order_is_told_as_it_is(rows):
    text = sentences.where_the_order_breaks(scaled(rows, "GRU × EMA", 0.01), SETS)
    first, second = text.split("**Online Retail**")
    assert "UserPop < EMA is reversed" in first or "UserPop < EMA" in first.split("reversed")[0]
    assert "UserPop < EMA are reversed" not in second
    best = sentences.where_the_order_breaks(scaled(rows, "GRU × UserPop", 9.0), SETS[:1])
    assert "the best factor is UserPop" in best


def test_sentences_carry_the_numbers_of_the_rows(rows):
    gain = ranked(rows, SETS[0], USER_REC, "GRU × HP").values[0]
    assert f"{gain:.1f}" in sentences.how_much_is_activity(rows, SETS)
    how = {"dataset": SETS[0], "part": "activity", "method": "GRU", "metric": "mean log probability of targets"}
    gap = (per_seed(rows, split="validation", **how) - per_seed(rows, split="test", **how)).mean()
    assert f"{abs(gap):.2f} nats" in sentences.overconfidence(rows, SETS)
    assert "released loop leaves" in sentences.loop_against_exact(rows, SETS)
    assert "no matching" in sentences.loop_against_exact(rows, SETS[1:])
    against = sentences.against_factorisations(scaled(rows, "ALS", 1e3), SETS[:1])
    assert "in UserRec behind ALS (−" in against
    assert "in ItemRec" in against
    assert "correlates" in sentences.why_it_breaks(rows, SETS)
    assert "-fold on MovieLens 100K" in sentences.recall_is_overstated(rows, SETS)


def hits_of_the_rarest(rows, value):
    """Return the rows with the hits per exposure of the rarest third without a bound: given, or nobody shown."""
    free = (rows["metric"] == "hits per exposure (%)") & (rows["multiplier"] == 0) & (rows["at"] == 1)
    kept = rows[~free]
    if value is None:
        return kept
    shown = rows[(rows["metric"] == "exposures") & (rows["multiplier"] == 0) & (rows["at"] == 1)]
    return pd.concat([kept, shown.assign(metric="hits per exposure (%)", value=value)], ignore_index=True)


def test_exposures_of_rare_items_are_told_also_where_nobody_is_shown_one(rows):
    assert "hits 12.50 times in a hundred" in sentences.where_cheap_exposure_goes(hits_of_the_rarest(rows, 12.5), SETS)
    assert "hits nobody (there is none)" in sentences.where_cheap_exposure_goes(hits_of_the_rarest(rows, None), SETS)
    assert "no matching" in sentences.where_cheap_exposure_goes(rows, SETS[1:])


def test_illustrations_need_no_study():
    drawing = illustrations.draw_timeline()
    assert set(drawing.data.columns) == {"time", "Hawkes", "HP", "EMA", "true intensity"}
    late = drawing.data[drawing.data["time"] > 2.5]
    assert (late["EMA"] > late["true intensity"]).mean() > 0.9
    users = illustrations.draw_users("churn-and-bursts")
    assert len(users.data) == 20
