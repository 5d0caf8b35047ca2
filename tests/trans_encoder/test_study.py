"""The study on a tiny model: whole, repeatable, cell by cell; its figures and tables."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from reprise import parameters
from reprise.catalogue import find_paper
from reprise.compute import numpy_generator
from reprise.paths import repository
from reprise.rows import MissingRowsError, concatenate, per_seed, select, tidy
from reprise.settings import SettingsError
from reprise.trans_encoder import (
    claim_sentences,
    distillation,
    figures,
    illustrations,
    sentences,
    study,
    summaries,
    teaching_figures,
    variants,
)
from reprise.trans_encoder.cell import Cell
from reprise.trans_encoder.claims import CLAIMS
from reprise.trans_encoder.data import key
from reprise.trans_encoder.distillation import train_student
from reprise.trans_encoder.measures import bootstrap
from reprise.trans_encoder.names import (
    BASE,
    BI_TO_BI,
    EMBEDDED,
    FORMS,
    MRPC,
    RAW_LABELS,
    SELF_BI,
    SELF_CROSS,
    SEVEN_SETS,
    SHUFFLED,
    SIMCSE,
    START,
)
from reprise.trans_encoder.objectives import stretched
from reprise.trans_encoder.settings import Settings
from reprise.trans_encoder.tuning import found_rates, how_they_were_tried
from reprise.trans_encoder.variants import disjoint_pool, double_pool
from reprise.verification import published_numbers

PUBLISHED = published_numbers("trans_encoder")
pytestmark = pytest.mark.filterwarnings("ignore:.*labels were clipped")  # cosines of a random encoder


@pytest.fixture(scope="module")
def options(tiny_source):
    return {
        "start": tiny_source,
        "plm": tiny_source,
        "num_layers": 2,
        "frozen_layers": 0,
        "seeds": (0, 1),
        "pool_pairs": 64,
        "test_pairs": 60,
        "dev_pairs": 40,
        "cycles": 2,
        "cross_lr": 1e-3,
        "bi_lr": 1e-3,
        "simcse_lr": 1e-3,
        "evaluate_every": 3,
        "bootstrap_draws": 50,
        "device": "cpu",
        "variants": (
            "bi to bi", "SimCSE", "shuffled labels", "raw labels", "losses", "chained", "small pool", "double pool",
            "disjoint pool", "all layers", "fewer layers", "gold labels", "mutual",
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def rows(options):
    return study.run(Settings(**options))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_cells_of_single_seeds_join_to_the_whole_and_repeat_it(rows, options):
    fewer = {**options, "variants": ("bi to bi", "raw labels"), "variant_seeds": {"raw labels": (1,)}, "cycles": 1}
    cells = [study.run(Settings(**{**fewer, "seeds": (seed,)})) for seed in (0, 1)]
    joined = concatenate(cells)
    pd.testing.assert_frame_equal(joined, study.run(Settings(**fewer)))
    assert set(select(joined, variant=RAW_LABELS)["seed"]) == {1}
    assert set(select(joined, method=BI_TO_BI)["seed"]) == {0, 1}
    # The first cycle does not depend on how many follow it, nor on what is trained beside.
    how = {"part": "levels", "method": SELF_BI, "cycle": 1, "split": "test", "variant": BASE}
    pd.testing.assert_series_equal(per_seed(joined, **how), per_seed(rows, **how))


def test_every_part_has_rows_and_every_number_is_one(rows):
    assert set(rows["part"]) == {
        "levels", "resampling", "groups", "single pairs", "training", "selection", "scores", "data", "two backbones",
        "audit",
    }  # fmt: skip
    assert np.isfinite(rows["value"]).all()


def test_half_steps_are_tested_after_each_cycle(rows):
    for method in (SELF_CROSS, SELF_BI):
        for cycle in (1, 2):
            how = {"part": "levels", "split": "test", "metric": "spearman", "variant": "as in the paper"}
            assert len(per_seed(rows, method=method, cycle=cycle, **how)) == 2


def test_gains_have_a_resampling_error_and_scores_stay_in_range(rows):
    errors = select(rows, part="resampling", metric="standard error of the gain")["value"]
    assert (errors >= 0).all()
    assert errors.max() > 0
    sigmoids = select(rows, part="scores", method=SELF_CROSS)["value"]
    assert sigmoids.between(0, 1).all()


def test_errors_of_gains_are_those_of_the_difference_on_the_same_resampled_pairs(options):
    """Two methods with nearly the same scores differ by nearly nothing, however uncertain their levels are."""
    cell = Cell(Settings(**{**options, "bootstrap_draws": 200}), "templated", 0, torch.device("cpu"))
    name, pairs = next(iter(cell.tests.items()))
    scores = np.random.default_rng(0).normal(pairs.gold, 2.0)
    near = scores + 1e-3 * np.random.default_rng(1).normal(size=len(scores))
    cell.keep({name: scores}, START)
    cell.keep({name: near}, SELF_CROSS, cycle=1)
    found = {row["metric"]: row["value"] for row in cell._errors(name, pairs)}
    generator = numpy_generator(0, *cell.names, "bootstrap", name)
    first, second = bootstrap("spearman", pairs.gold, [scores, near], generator, 200)
    assert found["standard error"] == pytest.approx(first.std(ddof=1))
    assert found["standard error of the gain"] == pytest.approx((second - first).std(ddof=1))
    assert found["standard error of the gain"] < found["standard error"] / 20


def test_held_out_pairs_are_compared_only_where_they_are_as_short_as_the_pools(options):
    cell = Cell(Settings(**{**options, "max_words": WORDS}), "templated", 0, torch.device("cpu"))
    name, pairs = next(iter(cell.tests.items()))
    longest = np.array([max(len(sentence.split()) for sentence in pair) for pair in pairs.pairs])
    held = cell.problem.held_out[name]
    split = cell._splits(name, pairs)["test, held out"]
    np.testing.assert_array_equal(split, held & (longest <= WORDS))
    assert 0 < split.sum() < held.sum()


def test_groups_weigh_as_many_pairs_as_they_have():
    """Three pairs of one set cannot outweigh sixty of another, and pairs' spread is part of the interval."""
    rows = []
    for name, n, change in (("sts-2012", 3, -30.0), ("sick", 60, 2.0)):
        for seed in (0, 1):
            how = {"dataset": name, "split": "test", "seed": seed, "group": "one sentence negated", "part": "groups"}
            rows.append({**how, "method": "data", "metric": "pairs", "value": n, "variant": None, "cycle": None})
            for method in (START, *FORMS):
                value = 20.0 + (method != START) * change + 0.01 * seed * (method != START)
                shown = {**how, "method": method, "variant": BASE, "cycle": int(method != START)}
                rows.append({**shown, "metric": "rank error", "value": value})
                if method != START:
                    rows.append({**shown, "metric": teaching_figures.ERROR_OF_CHANGE, "value": 1.0})
    drawing = teaching_figures.draw_groups(tidy(rows))
    line = drawing.data[drawing.data["method"] == SELF_CROSS].iloc[0]
    assert line["mean"] == pytest.approx((3 * -30 + 60 * 2) / 63 + 0.005)
    assert line["pairs"] == 63
    error = 1.96 * np.hypot(3 / 63, 60 / 63)
    assert (line["high"] - line["low"]) / 2 == pytest.approx(np.hypot(12.706 * 0.005, error), rel=1e-3)
    assert "not told apart (+0.5" in drawing.alt


def test_variants_of_a_seed_are_paired(rows):
    how = {"part": "levels", "split": "test", "metric": "spearman", "method": SELF_CROSS, "cycle": 1}
    # With one trunk for both forms, the first chained cross-encoder is the fresh one.
    same, chained = (per_seed(rows, variant=name, **how) for name in ("as in the paper", "chained"))
    np.testing.assert_allclose(same, chained)
    assert (per_seed(rows, variant=SHUFFLED, **how) != same).all()
    assert set(select(rows, method=BI_TO_BI, part="levels")["cycle"]) == {0}


def test_changes_of_labels_and_losses_have_the_streams_of_what_they_change(options, monkeypatch):
    """A stream names head, batches and dropout: with another one a variant would differ in more than it says."""
    streams = []

    def remember(student, pool, targets, config, *, stream, **more):
        streams.append((type(student).__name__, stream))
        return train_student(student, pool, targets, config, stream=stream, **more)

    monkeypatch.setattr(variants, "train_student", remember)
    monkeypatch.setattr(distillation, "train_student", remember)
    wanted = {**options, "seeds": (0,), "cycles": 1, "variants": ("losses", "raw labels", "shuffled labels", "chained")}
    study.run(Settings(**wanted))
    names = ("trans-encoder", "templated", 1)
    assert set(streams) == {("CrossEncoder", (*names, "cross", 0)), ("BiEncoder", (*names, "bi", 0))}
    assert len(streams) == 2 + (1 + 3) + 1 + 1 + 2


def test_costly_variants_are_asked_for_with_their_seeds_alone():
    settings = Settings(variant_seeds={"losses": (1,), "mrpc": (0, 1)})
    assert settings.is_run("sts", 1, "losses")
    assert not settings.is_run("sts", 0, "losses")
    assert settings.is_run("mrpc", 1)
    assert not settings.is_run("mrpc", 2)
    assert not settings.is_run("mrpc", 1, "losses")
    assert settings.is_run("mrpc", 1, "mutual")


def test_pools_double_or_leave_out_what_is_tested(options):
    cell = Cell(Settings(**{**options, "num_layers": 1}), "templated", 0, torch.device("cpu"))
    tested = {key(pair) for one in cell.problem.tests.values() for pair in one.pairs}
    pools = {}
    for name, run in (("double", double_pool), ("disjoint", disjoint_pool)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(variants, "_loop", lambda cell, pool, *rest, name=name, **more: pools.setdefault(name, pool))
            list(run(cell))
    assert len(set(pools["double"])) == 2 * len(cell.problem.pool)
    assert set(cell.problem.pool) < set(pools["double"])
    assert len(pools["disjoint"]) == len(cell.problem.pool)
    assert not {key(pair) for pair in pools["disjoint"]} & tested
    assert {key(pair) for pair in cell.problem.pool} & tested


def test_every_rule_can_be_rehearsed_or_says_what_it_lacks(rows):
    stood_in = pd.concat([rows.assign(dataset=name) for name in SEVEN_SETS])
    lacking = {"C8"}  # the drawn pairs have no other task at hand here
    for claim in CLAIMS:
        if claim.id in lacking:
            with pytest.raises(MissingRowsError):
                claim.rule(stood_in)
        else:
            finding = claim.rule(stood_in)
            assert finding.evidence


def test_the_untuned_tiny_model_is_no_minilm(rows):
    backbones = set(select(rows, part="levels", method=START)["backbone"])
    assert all(name.startswith("tiny") for name in backbones)


WORDS = 9  # most drawn sentences have as many, some more
DRAWN = {
    "cycles": figures.draw_cycles,
    "gains": lambda rows: figures.draw_gains(rows, PUBLISHED),
    "recipe": figures.draw_recipe,
    "pools": figures.draw_pools,
    "depths": figures.draw_depths,
    "costs": lambda rows: figures.draw_costs(rows, 5, 384),
    "scores": lambda rows: teaching_figures.draw_scores(rows, stretch=True),
    "single_pairs": teaching_figures.draw_single_pairs,
    "groups": teaching_figures.draw_groups,
    "training": teaching_figures.draw_training,
}


@pytest.mark.parametrize("name", DRAWN)
def test_figures_state_a_finding_with_a_number(rows, name):
    drawing = DRAWN[name](rows)
    assert drawing.name == name
    assert any(character.isdigit() for character in drawing.figure._suptitle.get_text())
    assert len(drawing.data) >= 2
    assert drawing.alt.endswith(".")
    assert drawing.caption.endswith(".")


@pytest.mark.parametrize("name", DRAWN)
def test_figures_say_when_a_run_has_nothing_for_them(rows, name):
    with pytest.raises(MissingRowsError):
        DRAWN[name](select(rows, part="audit"))


def seven_sets(rows):
    return tidy(pd.concat([rows.assign(dataset=name) for name in SEVEN_SETS]).drop_duplicates())


def test_gains_drawn_are_those_of_the_rows_and_the_papers_stand_beside(rows):
    drawing = figures.draw_gains(seven_sets(rows), PUBLISHED)
    how = {"part": "levels", "split": "test", "metric": "spearman", "variant": "as in the paper"}
    expected = per_seed(rows, method=SELF_BI, cycle=1, **how) - per_seed(rows, method=START, cycle=0, **how)
    own = drawing.data[drawing.data["method"] == SELF_BI].set_index("dataset")
    assert own.loc["sick", "mean"] == pytest.approx(expected.mean())
    assert own.loc["sick", "paper"] == pytest.approx(71.84 - 72.22)
    assert own.loc["average of seven sets", "paper"] == pytest.approx(78.65 - 76.21)


def test_tables_and_sentences_hold_the_rows_numbers(rows):
    table = summaries.levels_table(rows)
    assert "Self, bi, cycle 2" in set(table["method"])
    assert len(summaries.data_table(rows, [EMBEDDED])) == 1
    assert set(summaries.pool_table(rows)["method"]) >= {"Self, cross, cycle 1", "Self, bi, cycle 2"}
    chosen = summaries.selection_table(rows)
    assert (chosen["below the best"].str.split().str[0].astype(float) >= 0).all()
    assert set(table["seeds"]) == {"seeds 0 to 1"}
    without_labels = chosen[chosen["chosen by"] == "agreement of both orders (no labels)"]
    assert list(without_labels["form"]) == [SELF_CROSS]
    how = {"part": "selection", "metric": "difference of both orders", "method": SELF_CROSS}
    best = pd.concat({cycle: per_seed(rows, cycle=cycle, **how) for cycle in (1, 2)}, axis=1).idxmin(axis=1)
    counted = ", ".join(f"{cycle} ({(best == cycle).sum()})" for cycle in (1, 2) if (best == cycle).any())
    assert without_labels["cycles chosen (seeds)"].item() == counted
    with pytest.raises(MissingRowsError):
        summaries.binary_table(rows, PUBLISHED)
    for say in (
        sentences.pool_in_words, sentences.words_alone, sentences.seeds_and_pairs, sentences.what_students_keep,
        sentences.strong_start_in_words, sentences.stretching_in_words, sentences.what_came_of_it,
        sentences.what_was_tested, sentences.seen_and_unseen, claim_sentences.two_starts,
        claim_sentences.what_the_control_does, claim_sentences.what_chaining_changes,
    ):  # fmt: skip
        assert any(character.isdigit() for character in say(rows))
        assert say(select(rows, part="groups")) == ""
    assert sentences.overlap_in_words(rows) == ""


def test_only_ties_are_told_and_a_share_near_half_is_no_finding(rows):
    assert sentences.ties_in_words(rows) == ""
    tied = rows.copy()
    ranks = (rows["part"] == "single pairs") & (rows["method"] == SELF_CROSS) & rows["at"].isin([0, 1])
    tied.loc[ranks, "value"] = 50.0
    n = rows[rows["part"] == "single pairs"]["at"].nunique()
    assert f"{n} different scores by the start and {n - 1} different scores" in sentences.ties_in_words(tied)
    even = rows.copy()
    single = rows["part"] == "single pairs"
    even.loc[single & (rows["method"] == "gold"), "value"] = 50.0
    even.loc[single & (rows["method"] == START), "value"] = 50.0 + 10 * (rows["at"] % 2)
    even.loc[single & (rows["method"] == SELF_CROSS), "value"] = 55.0
    assert "not told from half" in teaching_figures.draw_single_pairs(even).alt
    even.loc[single & (rows["method"] == SELF_CROSS), "value"] = 50.0 + (rows["at"] % 2)
    even.loc[single & (rows["method"] == START), "value"] = 60.0
    assert "not told" not in teaching_figures.draw_single_pairs(even).alt


def test_development_scores_are_told_over_seeds_to_two_decimals(rows):
    alt = teaching_figures.draw_training(rows).alt
    assert "over seeds: cross-encoder" in alt
    kept = {
        method: per_seed(rows, part="selection", method=method, split="validation", cycle=cycle, metric="spearman")
        for method, cycle in ((START, 0), (SELF_CROSS, 1))
    }
    gain = float((kept[SELF_CROSS] - kept[START]).mean())
    assert f"{gain:+.2f}".replace("-", "−") in alt


def test_the_scores_that_are_stretched_are_those_of_the_labels(rows):
    data_drawn = teaching_figures.draw_scores(rows, stretch=True).data.set_index(["half-step", "level"])["score"]
    assert "start, stretched" not in set(teaching_figures.draw_scores(rows, stretch=False).data["half-step"])
    levels = np.linspace(0, 1, 2001)
    quantile = pd.Series(levels**2, index=levels)  # of labels u², u even on [0, 1]
    found = teaching_figures._stretched_quantiles(quantile)
    np.testing.assert_allclose(found, stretched(levels**2), atol=1e-6)
    assert data_drawn["start, stretched"].min() == 0
    assert data_drawn["start, stretched"].max() == 1


def test_what_came_of_the_loop_says_which_way(rows):
    """Rows that are made to rise, to fall or to stay must be told so."""
    levels = (rows["part"] == "levels") & (rows["method"] == SELF_CROSS) & (rows["variant"] == BASE)
    sides = {40.0: "above the start (+40", -40.0: "below the start (−40", 0.0: "not told from the start (0"}
    start = per_seed(rows, part="levels", method=START, split="test", variant=BASE, cycle=0)
    for change, words in sides.items():
        moved = rows.copy()
        moved.loc[moved["metric"] == "standard error of the gain", "value"] = 0.1
        jitter = moved["seed"].map({0: -0.01, 1: 0.01})
        moved.loc[levels, "value"] = moved.loc[levels, "seed"].map(start) + change + jitter[levels]
        assert f"the cross-encoder {words}" in sentences.what_came_of_it(moved)
        assert words.split(" (")[0] in figures.draw_cycles(moved).alt


def test_sets_that_lag_behind_are_named(rows):
    seven = seven_sets(rows)
    lowered = (seven["dataset"] == "sts-2014") & (seven["part"] == "levels") & (seven["cycle"] > 0)
    seven.loc[lowered, "value"] -= 30
    said = claim_sentences.which_sets_gain_least(seven)
    assert said.count("is STS14 (−30.0") == len(FORMS)
    assert claim_sentences.which_sets_gain_least(rows) == ""


@pytest.mark.parametrize(("change", "told"), [(9, "adds to"), (-9, "takes from"), (0, "is not told to change")])
def test_the_second_cycle_is_said_to_add_or_to_take(rows, change, told):
    how = (rows["part"] == "levels") & (rows["variant"] == BASE) & (rows["split"] == "test")
    moved = rows.copy()
    moved.loc[how & (rows["cycle"] == 1), "value"] = 50.0
    moved.loc[how & (rows["cycle"] == 2), "value"] = 50.0 + change + 0.01 * rows["seed"] - 0.005
    assert told in claim_sentences.what_the_second_cycle_adds(moved)
    assert claim_sentences.what_the_second_cycle_adds(rows[rows["cycle"] != 2]) == ""


def test_verdicts_name_start_and_labels(rows):
    said = claim_sentences.what_verdicts_rest_on(rows, Settings())
    assert "tuned with labels" in said
    assert "seed by seed" in said
    other = claim_sentences.what_verdicts_rest_on(rows, Settings(start="bert", label_stretch=False))
    assert "tuned" not in other
    assert "stretched" not in other


def test_what_was_tried_is_equal_for_all_methods():
    table = summaries.tried_table()
    tries = table[table["method"] != START].groupby("method").size()
    assert (tries == 4).all()
    assert set(tries.index) == {SELF_CROSS, SELF_BI, "Bi → bi", SIMCSE}
    assert (table.loc[table["method"] == START, "minus start"] == "0.00").all()
    assert (table[table["chosen"] == "yes"].groupby("method").size() == 1).all()


def test_the_rates_of_the_published_run_are_the_best_that_were_tried():
    table = summaries.tried_table()
    chosen = table[table["chosen"] == "yes"].set_index("method")["rate"]
    settings = parameters.profile_parameters(find_paper("trans-encoder"), "standard")
    for method, name in ((SELF_CROSS, "cross_lr"), (SELF_BI, "bi_lr"), ("Bi → bi", "bi_lr"), (SIMCSE, "simcse_lr")):
        assert chosen[method] == f"{settings[name]:.0e}".replace("e-0", "e−"), method


def test_rates_in_words_are_those_of_the_table():
    above, at_end = sentences.rates_in_words().split(". ")
    tried = found_rates().pivot_table(index="method", columns="rate", values="score")
    start = found_rates().set_index("method").loc[START, "score"]
    for method, scores in tried.iterrows():
        shown = "Bi → bi" if method == BI_TO_BI else method
        assert (f"{shown} (+{scores.max() - start:.2f})" in above) == (scores.max() > start)
        assert (shown in at_end) == (scores.idxmax() in (5e-5, 4e-4))
    assert "four tries a method" in how_they_were_tried().lower()
    assert "development pairs" in how_they_were_tried()


def test_the_stored_quick_run_gains_in_both_forms():
    """Its cells are compared with a fresh run by nbval; here, that what they show is a gain."""
    text = (repository() / "notebooks" / "trans_encoder.ipynb").read_text(encoding="utf-8")
    outputs = [o for c in json.loads(text)["cells"] for o in c.get("outputs", [])]
    tables = ["".join(o["data"]["text/plain"]) for o in outputs if "text/plain" in o.get("data", {})]
    levels = next(table for table in tables if "Word embeddings" in table and "templated pairs" in table)
    own = {line.split(" seed")[0].strip(): float(line.split()[-1]) for line in levels.splitlines()[1:]}
    assert own["Self, cross, cycle 1"] > own["Start"] + 1
    assert own["Self, bi, cycle 1"] > own["Start"]


def test_the_papers_rows_are_shown_as_printed():
    table = summaries.papers_table(PUBLISHED).set_index(["backbone", "method"])
    assert table.loc[("BERT-base", SELF_BI), "average of seven sets"] == "78.65"
    assert table.loc[("RoBERTa-large", "Mutual, bi"), "STS12"] == "—"


def test_the_printed_averages_are_those_of_their_cells():
    for (backbone, method), group in PUBLISHED[PUBLISHED["metric"] == "spearman"].groupby(["backbone", "method"]):
        cells = group[group["dataset"].isin(SEVEN_SETS)]["value"]
        average = group[group["dataset"] == "average of seven sets"]["value"]
        if len(cells) == 7 and len(average):
            assert cells.mean() == pytest.approx(average.item(), abs=0.011), (backbone, method)


def test_illustrations_state_findings():
    assert "Spearman" in illustrations.draw_overlap([EMBEDDED]).alt
    assert illustrations.draw_losses().data["pull"].abs().max() < 1
    assert len(illustrations.examples()) == 6


def test_rows_of_another_task_change_nothing_of_the_first(rows):
    """MRPC's selection and development rows bear the same names as those of the STS sets."""
    spearman = rows["metric"] == "spearman"
    other = rows.assign(dataset=MRPC, value=100 - rows["value"], metric=rows["metric"].mask(spearman, "auc"))
    other = other[other["part"] != "two backbones"]
    both = tidy(pd.concat([rows, other]))
    for table in (summaries.levels_table, summaries.pool_table, summaries.selection_table):
        pd.testing.assert_frame_equal(table(both), table(rows))
    for say in (
        sentences.pool_in_words,
        sentences.words_alone,
        sentences.what_students_keep,
        claim_sentences.two_starts,
    ):
        assert say(both) == say(rows)
    for name, draw in DRAWN.items():
        pd.testing.assert_frame_equal(draw(both).data, draw(rows).data, obj=name)
    expected = 100 - per_seed(rows, part="levels", metric="spearman", method=START, split="test", cycle=0, variant=BASE)
    table = summaries.binary_table(both, PUBLISHED).set_index("method")
    assert table.loc[START, "ours"].startswith(f"{expected.mean():.1f}")
    assert table.loc[START, "paper (BERT-base)"] == "75.02"


def test_costs_are_linear_and_quadratic():
    table = summaries.cost_table(5, 384)
    few, many = (float(value) for value in table["cross-encoder"])
    assert many / few == pytest.approx(1e4, rel=0.02)


def test_settings_refuse_what_makes_no_sense():
    for name, value in (
        ("cycles", 0),
        ("pooling", "max"),
        ("variants", ["none"]),
        ("pool_pairs", 3),
        ("datasets", ["qqp"]),
    ):
        with pytest.raises(SettingsError, match=name):
            Settings.checked({name: value})
    assert Settings().reduced_scale
    whole = {
        "num_layers": None,
        "pool_pairs": None,
        "test_pairs": None,
        "max_words": None,
        "cycles": 3,
        "bi_epochs": 10,
    }
    assert not Settings(**whole).reduced_scale
