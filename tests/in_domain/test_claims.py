from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from reprise.claims import ControlResult
from reprise.in_domain import claims, factor_figures, figures, gains, rates, rules, sentences, summaries
from reprise.in_domain.convergence import convergence
from reprise.in_domain.grid import GRIDS
from reprise.in_domain.models import APPROACHES
from reprise.in_domain.oracles import oracle_scores
from reprise.in_domain.settings import Settings
from reprise.in_domain.splits import make_split
from reprise.method_styles import style_of
from reprise.rows import MissingRowsError, tidy
from reprise.verification import published_numbers

DATA = "sprites-rot90"
FACTORS = ("shape", "scale", "orientation", "x", "y")
OUT = FACTORS[1:]
GOOD = {"random": 0.95, "composition": 0.85, "interpolation": 0.8, "extrapolation": 0.6}


BROAD = ("CNN", "MLP", "CoordConv", "PCL")


def model_rows(method, seeds=(0, 1, 2), scores=None, *, own=0.2, other=0.93, rho=0.7, experiment="comparison"):
    """Rows of one model: mean scores by split, and R² where one factor is out (itself, the others)."""
    records = []
    for seed in seeds:
        shift = 0.002 * seed
        common = {"dataset": DATA, "method": method, "seed": seed, "experiment": experiment}
        for kind, value in (scores or GOOD).items():
            cell = {**common, "split": kind, "metric": "r2"}
            records.append({**cell, "subset": "train", "factor": "mean", "value": value if kind == "random" else 0.97})
            for factor in (*FACTORS, "mean"):
                records.append({**cell, "subset": "test", "factor": factor, "value": value + shift})
            for end, distance in (("low", -0.03), ("high", 0.02)):
                records.append(
                    {
                        **cell,
                        "metric": f"r2_{end}",
                        "subset": "test",
                        "factor": "mean",
                        "value": value + shift + distance,
                    }
                )
            if kind == "extrapolation":
                records += out_rows(cell, value, shift, own, other, rho)
    return records


def out_rows(cell, value, shift, own, other, rho):
    """Rows of images by what is out of distribution: scores, rho and the curve of each factor."""
    for k in range(1, 5):
        yield {**cell, "subset": f"{k} out", "factor": "mean", "value": value - 0.2 * k}
    for j in OUT:
        for k in FACTORS:
            loss = own if j == k else other(j, k) if callable(other) else other
            yield {**cell, "subset": f"only {j}", "factor": k, "value": loss + shift}
        alone = {**cell, "subset": f"only {j}", "factor": j}
        for name, number in (("median", rho), ("signed_median", rho), ("share_below_1", float(rho < 1))):
            yield {**alone, "metric": f"rho_{name}", "value": number + shift * (name != "share_below_1")}
        for ratio, share in ((0.6875, 0.75), (1.0625, 0.25)):
            yield {**alone, "metric": "rho_share", "ratio": ratio, "value": share}
        for true in (0.0, 0.5, 1.0):
            yield {**cell, "factor": j, "true": true, "metric": "predicted", "value": true * rho}


def oracle_rows():
    for line in oracle_scores(GRIDS[DATA], "extrapolation").itertuples():
        yield {
            "dataset": DATA, "split": "extrapolation", "method": line.oracle, "seed": -1, "experiment": "oracles",
            "subset": line.subset, "factor": line.factor, "metric": "r2", "value": line.r2,
        }  # fmt: skip


def blog_rows(method, held_out=10.0, control=90.0, seeds=(0, 1, 2)):
    for seed in seeds:
        for subset, value in (("held out", held_out), ("control", control)):
            common = {"dataset": DATA, "split": "blog", "method": method, "seed": seed, "experiment": "blog"}
            yield {
                **common,
                "subset": subset,
                "metric": "shape_accuracy",
                "value": value + seed * (subset == "control"),
            }
            for factor in ("x", "y"):
                yield {**common, "subset": subset, "factor": factor, "metric": "r2", "value": 0.98}


def rows_of(*parts):
    return tidy([record for part in parts for record in part])


@pytest.fixture(scope="module")
def rows():
    return rows_of(
        model_rows("CNN"), model_rows("MLP", own=0.3), model_rows("CoordConv", (0,)), model_rows("RotEq-CNN", (0,)),
        model_rows("PCL", (0,)), model_rows("SlowVAE", (0,), {**GOOD, "random": 0.7}), oracle_rows(), blog_rows("CNN"),
        blog_rows("MLP"),
    )  # fmt: skip


def outcome(rule, *parts):
    return rule(rows_of(*parts)).outcome


def test_every_claim_holds_where_everything_is_as_the_paper_says(rows):
    found = {claim.id: claim.rule(rows).outcome for claim in claims.CLAIMS if claim.rule and claim.id != "C7"}
    expected = dict.fromkeys(("C1", "C2", "C4", "C5", "C8"), "reproduced")
    assert found == {**expected, "C6": "partly reproduced"}


def test_models_that_have_not_converged_are_named_and_left_out(rows):
    converged, others = convergence(rows)
    assert others == ["SlowVAE"]
    assert "SlowVAE" not in converged
    assert "not converged and left out: SlowVAE" in rules.all_models_lose(rows).evidence
    with pytest.raises(MissingRowsError, match=r"reaches R² = 0\.9"):
        convergence(rows_of(model_rows("CNN", scores={**GOOD, "random": 0.8})))


def test_one_model_that_loses_little_makes_the_first_claim_partly_reproduced():
    steady = {**GOOD, "extrapolation": 0.9}
    models = [model_rows(name) for name in BROAD]
    assert outcome(rules.all_models_lose, *models) == "reproduced"
    assert outcome(rules.all_models_lose, *models, model_rows("RotEq-CNN", scores=steady)) == "partly reproduced"
    assert outcome(rules.all_models_lose, model_rows("CNN")) == "inconclusive"
    gains = [model_rows(name, scores={**GOOD, "random": 0.91, "extrapolation": 0.95}) for name in ("CNN", "MLP")]
    assert outcome(rules.all_models_lose, *gains) == "not reproduced"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"composition": 0.5}, "partly reproduced"),
        ({"composition": 0.5, "interpolation": 0.99}, "not reproduced"),
    ],
)
def test_the_order_of_difficulty_needs_both_chains(change, expected):
    scores = {**GOOD, **change}
    assert (
        outcome(rules.order_of_difficulty, model_rows("CNN", scores=scores), model_rows("MLP", scores=scores))
        == expected
    )


def test_the_order_of_difficulty_is_open_with_one_seed_or_one_of_two_models():
    assert outcome(rules.order_of_difficulty, model_rows("CNN", (0,)), model_rows("MLP", (0,))) == "inconclusive"
    assert outcome(rules.order_of_difficulty, model_rows("CNN")) == "inconclusive"


def test_one_broken_pair_makes_modularity_partial_and_many_break_it():
    def one_pair(j, k):
        return 0.1 if (j, k) == ("orientation", "shape") else 0.93

    both = [model_rows(name, other=one_pair) for name in ("CNN", "MLP")]
    assert outcome(rules.modular, *both) == "partly reproduced"
    assert "CNN (partly reproduced)" in rules.modular(rows_of(*both)).evidence
    two = {("orientation", "shape"): -1.0, ("x", "scale"): -1.0}
    broken = [model_rows(name, other=lambda j, k: two.get((j, k), 0.93)) for name in ("CNN", "MLP")]
    assert outcome(rules.modular, *broken) == "not reproduced"
    mild = {("orientation", "shape"): 0.5, ("x", "scale"): 0.5}
    both = [model_rows(name, other=lambda j, k: mild.get((j, k), 0.93)) for name in ("CNN", "MLP")]
    assert outcome(rules.modular, *both) == "partly reproduced"
    assert outcome(rules.modular, *(model_rows(name, other=0.5) for name in ("CNN", "MLP"))) == "not reproduced"
    assert outcome(rules.modular, *(model_rows(name, own=0.95) for name in ("CNN", "MLP"))) == "not reproduced"
    assert outcome(rules.modular, model_rows("CNN")) == "partly reproduced"
    assert outcome(rules.modular, model_rows("CNN", (0,)), model_rows("MLP", (0,))) == "inconclusive"


def test_the_pull_towards_the_training_range_has_all_outcomes():
    assert outcome(rules.pulled_towards_the_training_range, model_rows("CNN", rho=1.3)) == "not reproduced"
    models = model_rows("CNN", rho=0.5), model_rows("MLP", rho=1.1)
    assert outcome(rules.pulled_towards_the_training_range, *models) == "partly reproduced"
    assert outcome(rules.pulled_towards_the_training_range, model_rows("CNN", (0,))) == "inconclusive"


def test_the_pull_is_one_value_a_factor_and_only_of_converged_trainings():
    bad = model_rows("MLP", scores={**GOOD, "random": 0.5}, rho=9.0)
    half = [record for record in model_rows("CNN", (7,), {**GOOD, "random": 0.5}, rho=9.0)]
    found = rules.pulled_towards_the_training_range(rows_of(model_rows("CNN", rho=0.5), bad, half))
    assert found.interval.n == len(OUT)
    assert found.interval.estimate == pytest.approx(0.502)
    assert found.outcome == "reproduced"


@pytest.mark.parametrize("bad", [("MLP", "CoordConv", "RotEq-CNN", "BetaVAE", "SetEncoder"), ("PCL",)])
def test_the_first_claim_is_at_most_partly_reproduced_where_few_models_or_no_representation_converged(bad):
    models = [model_rows(name, scores={**GOOD, "random": 0.5}) for name in bad]
    good = [model_rows(name) for name in BROAD if name not in bad]
    assert outcome(rules.all_models_lose, *good, *models) == "partly reproduced"


def test_the_evidence_of_the_first_claim_names_the_other_systematic_splits(rows):
    evidence = rules.all_models_lose(rows).evidence
    assert "in composition 0.10" in evidence
    assert "in interpolation 0.15" in evidence


def dci_rows(method, seeds, extrapolation):
    scored = [r for s in seeds for r in model_rows(method, (s,), {**GOOD, "extrapolation": extrapolation(s)})]
    cell = {"dataset": DATA, "split": "random", "method": method, "experiment": "comparison"}
    return scored + [{**cell, "seed": s, "metric": "dci_disentanglement", "value": 0.1 * s} for s in seeds]


def test_disentanglement_needs_ten_representations_and_then_follows_the_correlation():
    rule = rules.disentanglement_predicts_little
    assert outcome(rule, dci_rows("PCL", range(5), lambda s: 0.1 * s)) == "not testable here"
    assert outcome(rule, dci_rows("PCL", range(30), lambda s: 0.01 * s)) == "not reproduced"
    assert outcome(rule, dci_rows("PCL", range(30), lambda s: 1.0 * (s * 17 % 30))) == "reproduced"
    assert outcome(rule, dci_rows("PCL", range(10), lambda s: 0.1 * (s * 7 % 10))) == "inconclusive"


def test_a_model_above_the_clamp_oracle_refutes_that_none_wins():
    above = model_rows("RotEq-CNN", (0,), {**GOOD, "extrapolation": 0.94})
    assert outcome(rules.no_class_wins, model_rows("CNN"), above, oracle_rows()) == "not reproduced"
    assert outcome(rules.no_class_wins, model_rows("CNN"), model_rows("PCL"), oracle_rows()) == "inconclusive"
    with pytest.raises(MissingRowsError, match="CNN has not converged"):
        rules.no_class_wins(rows_of(model_rows("PCL"), oracle_rows()))


def test_the_blogs_claim_has_all_outcomes():
    cnn = model_rows("CNN")
    assert outcome(rules.held_out_combinations, cnn, blog_rows("CNN")) == "partly reproduced"
    assert outcome(rules.held_out_combinations, cnn, blog_rows("CNN", 90.0, 10.0)) == "not reproduced"
    assert outcome(rules.held_out_combinations, cnn, blog_rows("CNN", seeds=(0,))) == "inconclusive"
    bad = model_rows("MLP", scores={**GOOD, "random": 0.5})
    found = rules.held_out_combinations(rows_of(cnn, bad, blog_rows("CNN"), blog_rows("MLP")))
    assert "MLP" not in found.evidence
    assert "of 91" in found.evidence


def test_controls_hold_and_fail_as_they_should(rows):
    first, blog = (next(claim for claim in claims.CLAIMS if claim.id == name) for name in ("C1", "C8"))
    assert first.controls[0].check(rows)[0]
    assert blog.controls[0].check(rows)[0]
    taught = model_rows("CNN, augmented", rho=0.99, experiment="remedies")
    control = next(claim for claim in claims.CLAIMS if claim.id == "C5").controls[0]
    assert control.check(rows_of(model_rows("CNN"), taught))[0]
    halfway = model_rows("CNN, augmented", rho=0.9, experiment="remedies")
    assert not control.check(rows_of(model_rows("CNN", rho=0.5), halfway))[0]
    untrained = model_rows("CNN, augmented", scores={**GOOD, "random": 0.8}, rho=1.0, experiment="remedies")
    holds, evidence = control.check(rows_of(model_rows("CNN"), untrained))
    assert not holds
    assert "has not converged" in evidence


FIGURES = {
    "models": (lambda rows: figures.draw_models(rows, [DATA]), "5 of 5 converged models stay below the clamp oracle"),
    "curves": (lambda rows: factor_figures.draw_curves(rows, ["CNN"]), "the CNN stays short"),
    "modularity": (
        lambda rows: factor_figures.draw_modularity(rows, ["CNN", "MLP"]),
        "R² 0.20 for the factor that is out, 0.93 for the others",
    ),
    "rho": (lambda rows: factor_figures.draw_rho(rows, ["CNN"]), "Pulled inwards by the CNN: orientation in 100 %"),
    "number_out": (figures.draw_number_out, "All 4 factors out: R² is −0.20 at best"),
    "blog": (figures.draw_blog, "MLP 10 % (control 91 %), CNN 10 % (control 91 %)"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_say_what_their_rows_say(rows, name):
    draw, expected = FIGURES[name]
    drawing = draw(rows)
    assert not drawing.data.empty
    assert drawing.name == name
    assert expected in drawing.alt


def test_figures_show_intervals_and_what_has_not_converged(rows):
    drawing = figures.draw_models(rows, [DATA])
    data = drawing.data[drawing.data["method"] != "Clamp oracle"]
    single, several = data[data["n"] == 1], data[data["n"] > 1]
    assert set(single["interval_over"]) == {"factor values"}
    assert set(several["interval_over"]) == {"seeds"}
    assert (data["low"] < data["mean"]).all()
    assert (data["mean"] < data["high"]).all()
    labels = {label.get_text(): label.get_color() for label in drawing.figure.axes[0].get_yticklabels()}
    grey = style_of("not converged").colour
    assert labels["SlowVAE"] == grey
    assert labels["CNN"] != grey
    names = [text.get_text() for text in figures.draw_number_out(rows).figure.axes[0].get_legend().get_texts()]
    assert "SlowVAE (not converged)" in names
    assert "CNN" in names


@pytest.mark.parametrize("name", ["draw_curves", "draw_modularity", "draw_rho"])
def test_factors_of_models_that_have_not_converged_are_not_drawn(rows, name):
    with pytest.raises(MissingRowsError, match="no training of SlowVAE has converged"):
        getattr(factor_figures, name)(rows, ["SlowVAE"])


def test_the_bars_of_rho_are_percentages_of_all_images(rows):
    data = factor_figures.draw_rho(rows, ["CNN"]).data
    assert data.groupby("factor")["percent"].sum().tolist() == pytest.approx([100] * 4)
    assert set(data["share_below_1"]) == {1.0}


def test_the_leaderboards_gap_is_that_of_the_printed_numbers(rows):
    published = published_numbers("in_domain")
    drawing = figures.draw_leaderboard(rows, published)
    clamp = {"dsprites": 0.873, "shapes3d": 0.916, "mpi3d": 0.782}
    best = published.groupby("dataset")["value"].max()
    gap = min(clamp[name] - best[name] for name in clamp)
    assert f"at least {gap:.2f} below" in drawing.alt
    assert len(summaries.published_table(published)) == 6


def test_tables_name_what_was_not_run_and_what_did_not_converge(rows):
    table = summaries.score_table(rows, [DATA]).set_index("model")
    assert table.loc["ResNet-50", "remark"] == "GPU only"
    assert table.loc["ResNet-50 (ImageNet-21k)", "remark"] == "GPU only, needs a download"
    assert table.loc["SlowVAE", "remark"] == "not converged"
    assert table.loc["BetaVAE", "remark"] == "not run"
    assert table.loc["CNN", "remark"] == ""
    assert len(table) == 17
    assert "data set" not in table
    assert table.columns.tolist()[:4] == ["random", "extrapolation", "interpolation", "composition"]


def test_the_table_of_other_data_sets_has_their_models_and_splits_only():
    two = {kind: GOOD[kind] for kind in ("random", "extrapolation")}
    rooms = [{**row, "dataset": "rooms"} for row in model_rows("MLP", scores=two)]
    table = summaries.score_table(rows_of(model_rows("CNN"), rooms), ["rooms"])
    assert table.columns.tolist() == ["model", "random", "extrapolation", "seeds", "remark"]
    assert table["model"].tolist() == ["MLP"]
    with pytest.raises(MissingRowsError, match="none of the data sets"):
        summaries.score_table(rows_of(model_rows("CNN")), [])


def test_the_remedies_table_has_the_plain_network_beside(rows):
    more = model_rows("CNN, augmented", experiment="remedies")
    table = summaries.remedy_table(rows_of(rows.replace({np.nan: None}).to_dict("records"), more))
    assert table.columns.tolist() == ["split", "factor", "CNN (n = 3)", "CNN, augmented (n = 3)"]
    assert table["factor"].tolist() == [*FACTORS, "mean", "mean"]
    assert table["split"].tolist() == ["extrapolation"] * 6 + ["random"]
    assert [value[:4] for value in table["CNN (n = 3)"]] == ["0.60"] * 5 + ["0.60", "0.95"]


def test_every_rate_was_tried_for_every_model_and_the_best_one_is_used():
    found = rates.read_trials()
    for _, tried in found.groupby("model"):
        scores = dict(zip(tried["learning_rate"], tried["validation_r2"], strict=True))
        assert set(rates.RATES) <= set(scores)
        assert rates.next_rate(scores) is None
    assert set(found["model"]) == {approach.name for approach in rates.searched_models()}
    assert rates.best_rates(found) == {a.name: a.learning_rate for a in rates.searched_models()}
    table = summaries.rate_table().set_index("model")
    assert table["chosen"].to_dict() == rates.best_rates(found)


def test_the_search_goes_one_rate_beyond_an_end_that_is_best():
    found: dict[float, float] = {}
    for rate in rates.RATES:
        assert rates.next_rate(found) == rate
        found[rate] = rate
    assert rates.next_rate(found) == rates.LARGER
    assert rates.next_rate({**found, rates.LARGER: 0.0}) is None
    assert rates.next_rate({rate: -rate for rate in rates.RATES}) == rates.SMALLER
    assert rates.next_rate({**found, 1e-3: 1.0}) is None
    assert rates.next_rate({**found, rates.RATES[-1]: float("nan"), 1e-3: 1.0}) is None


def test_of_equal_rates_the_smaller_is_taken():
    found = pd.DataFrame({"model": "CNN", "learning_rate": [1e-3, 2e-3, 3e-3], "validation_r2": [0.5, 0.7, 0.7]})
    assert rates.best_rates(found) == {"CNN": 2e-3}


def test_rates_are_judged_on_images_that_no_training_of_the_search_sees_and_no_test_image_is():
    train, validation = rates.validation_points()
    split = make_split(GRIDS[DATA], "random")
    assert not np.intersect1d(train, validation).size
    assert not np.intersect1d(validation, split.test_index).size
    assert len(train) + len(validation) == len(split.train_index)


def test_sentences_say_what_their_rows_say(rows):
    assert "The CNN of this run has not converged" in sentences.two_parts_of_the_loss(rows_of(model_rows("MLP")))
    parts = sentences.two_parts_of_the_loss(rows)
    assert "loses 0.35 [0.35, 0.35] of R²" in parts
    assert "The clamp oracle loses 0.13" in parts
    assert "another 0.26 [0.26, 0.27] below" in parts
    assert "Not converged: SlowVAE" in sentences.who_converged(rows)
    assert "reaches R² 0.9" in sentences.who_converged(rows_of(model_rows("CNN", scores={**GOOD, "random": 0.5})))


def test_trainings_that_have_not_converged_on_other_data_sets_are_named_with_their_scores(rows):
    assert "Nor have" not in sentences.who_converged(rows)
    scores = {0: 0.5, 1: 0.83, 2: 0.95}
    rooms = [
        {**row, "dataset": "rooms"}
        for seed, value in scores.items()
        for row in model_rows("MLP", (seed,), {**GOOD, "random": value - 0.002 * seed})
    ]
    said = sentences.who_converged(rows_of(model_rows("CNN"), rooms))
    assert "Nor have other trainings: on Rooms 2 of 3 of MLP (R² 0.50 to 0.83)." in said


def test_what_forty_orientations_leave_is_said_with_the_cnn_on_the_random_split(rows):
    assert "our CNN" not in sentences.what_forty_orientations_leave(rows)
    forty = [{**row, "dataset": "sprites-40"} for row in model_rows("CNN", (0,))]
    for row in forty:
        row["value"] -= 0.9 * (row.get("factor") == "orientation")
    said = sentences.what_forty_orientations_leave(rows_of(model_rows("CNN"), forty))
    assert "orientation with R² 0.05, and reaches 0.77 over all factors" in said


def test_the_worst_pair_of_factors_is_named():
    def one_pair(j, k):
        return 0.1 if (j, k) == ("orientation", "shape") else 0.93

    said = sentences.which_factor_breaks(rows_of(model_rows("CNN", other=one_pair)))
    assert "Of 16 pairs" in said
    assert "less than 0.1 of R² in 15" in said
    assert "shape where orientation is out, 0.85 lower" in said


def test_outside_the_corners_composition_trains_on_unturned_sprites_only(rows):
    outside, unturned = sentences.unturned_share()
    # Of 3 x 6 x 10 x 32 x 32 points those outside the corners with orientation 0, among 48 078 for training.
    assert outside == pytest.approx(100 * 3 * 6 * 29 * 29 / 48_078)
    assert unturned == 100
    assert "shape 0.85, scale 0.85" in sentences.what_composition_asks(rows)


def composed_rows(dataset, factors, scores):
    for kind, value in scores.items():
        common = {"dataset": dataset, "split": kind, "method": "CNN", "experiment": "comparison", "metric": "r2"}
        for seed in (0, 1):
            yield from ({**common, "seed": seed, "subset": "test", "factor": f, "value": value} for f in factors)


def test_composition_is_compared_over_grids_without_the_orientations_that_no_image_determines(rows):
    assert "`standard` profile" in sentences.is_composition_as_hard_elsewhere(rows)
    others = composed_rows("sprites-40", ("shape", "scale", "x", "y"), {"random": 0.9, "composition": 0.4})
    turned = composed_rows("sprites-40", ("orientation",), {"random": 0.1, "composition": -3.0})
    more = rows_of(rows.replace({np.nan: None}).to_dict("records"), others, turned)
    assert "left out, 0.40 instead of 0.90" in sentences.is_composition_as_hard_elsewhere(more)
    table = summaries.composition_table(more).set_index(["data set", "factor"])
    assert len(table) == 10
    ten, forty = (table.loc[(f"sprites, {n} orientations", "orientation")] for n in ("10", "all 40"))
    assert (ten["corner"], forty["corner"]) == ("1 of 10", "4 of 40")
    assert ten["R² composition"].startswith("0.85")
    assert table.loc[("sprites, 10 orientations", "shape"), "corner"] == "not cut"
    with pytest.raises(MissingRowsError, match="composition"):
        summaries.composition_table(rows_of(model_rows("CNN", scores={"random": 0.95})))


def test_the_search_is_said_with_the_models_whose_best_rate_is_an_end(monkeypatch):
    scores = {"A": (0.5, 0.7, 0.6), "B": (0.9, 0.8, 0.1)}
    trials = [
        {"model": name, "learning_rate": rate, "steps": 1000, "validation_r2": score}
        for name, values in scores.items()
        for rate, score in zip((1e-3, 1e-2, 3e-2), values, strict=True)
    ]
    monkeypatch.setattr(sentences, "read_trials", lambda: pd.DataFrame(trials))
    said = sentences.what_the_search_found()
    assert "largest tried for 1 of 2 models: B." in said
    assert "0.70 (A) to 0.90 (B)" in said


OTHERS = {"CoordConv": 0.75, "MLP": 0.5}


def test_what_equivariance_buys_is_compared_with_the_same_seeds():
    plain = model_rows("CNN")
    for row in plain:
        row["value"] -= 0.1 * (row["seed"] > 0)
    better = model_rows("RotEq-CNN", (0,), {**GOOD, "extrapolation": 0.7})
    for row in better:
        row["value"] += 0.2 * (row.get("factor") == "shape" and row["split"] == "extrapolation")
    said = gains.what_the_biases_buy(rows_of(plain, better))
    assert "RotEq-CNN +0.10 (one seed), most in shape, +0.30 (one seed)." in said
    assert "without such" not in said
    assert "none of RotEq-CNN" in gains.what_the_biases_buy(rows_of(model_rows("CNN")))
    assert "nothing to compare" in gains.what_the_biases_buy(rows_of(plain, model_rows("RotEq-CNN", (7,))))
    assert "all converged seeds: RotEq-CNN has +0.100, and more than 0.10 would decide" in said


def test_a_gain_without_a_bias_is_said_beside_that_of_the_biased():
    biased = model_rows("RotEq-CNN", scores={**GOOD, "extrapolation": 0.8})
    for row in biased:
        row["value"] += 0.01 * (row["seed"] - 1)
    better, worse = (model_rows(name, scores={**GOOD, "extrapolation": value}) for name, value in OTHERS.items())
    said = gains.what_the_biases_buy(rows_of(model_rows("CNN"), biased, better, worse))
    assert "RotEq-CNN +0.20 [0.18, 0.22] (3 seeds)" in said
    assert "CoordConv +0.15 [0.15, 0.15] (3 seeds); MLP −0.10 [−0.10, −0.10] (3 seeds)" in said
    assert "Above zero without a bias: CoordConv;" in said


def test_what_gates_the_blogs_case_is_said_with_its_own_control(rows):
    said = sentences.what_gates_the_blogs_case(rows)
    assert "0 of 6 here" in said
    assert "CNN 90 %, MLP 90 %" in said
    assert "5 models that converged, of 6 trained" in sentences.what_the_first_claim_rests_on(rows)


def test_what_a_remedy_buys_is_said_for_position_and_for_all_factors():
    taught = model_rows("CNN, augmented", scores={**GOOD, "extrapolation": 0.9}, experiment="remedies")
    for row in taught:
        row["value"] -= 0.2 * (row.get("factor") in ("x", "y"))
    read_out = model_rows("CNN, soft-argmax", scores={**GOOD, "extrapolation": 0.7}, experiment="remedies")
    said = gains.what_the_remedies_buy(rows_of(model_rows("CNN"), taught, read_out))
    assert "with augmented +0.10 [0.10, 0.10] (3 seeds) for position and +0.30 [0.30, 0.30] (3 seeds) for all" in said
    assert said.endswith("Soft-argmax minus augmented, all factors: −0.20 [−0.20, −0.20] (3 seeds).")


def test_the_scale_is_that_of_the_settings():
    said = sentences.scale_of_this_run(Settings(n_steps=1234, image_side=64))
    assert "1234 training steps of 64 images" in said
    assert "64 pixels a side, as in the paper" in said
    assert "as many for" not in said
    longer = sentences.scale_of_this_run(Settings(models=("CNN", "MLP"), slower_models=("PCL",)))
    slow = sorted((APPROACHES[name].slowness, name) for name in ("MLP", "PCL"))
    assert ", {:g} times as many for {}, {:g} times as many for {};".format(*slow[0], *slow[1]) in longer


def test_controls_that_fail_are_named_with_what_that_means():
    def verdict(claim_id, *holds):
        controls = [ControlResult(name=f"control {n}", holds=h, evidence=f"figure {n}") for n, h in enumerate(holds)]
        return SimpleNamespace(claim_id=claim_id, controls=controls)

    assert sentences.what_controls_say([verdict("C1", True), verdict("C5", None)]) == (
        "No control fails, of 1 that this run has rows for."
    )
    said = sentences.what_controls_say([verdict("C1", True, False), verdict("C5", None, True)])
    assert "Controls that fail, of 3 that this run has rows for: C1 (control 1: figure 1)." in said


def test_remedies_are_compared_with_the_plain_network_of_the_same_seed():
    taught = model_rows("CNN, augmented", seeds=(2,), experiment="remedies")
    plain = model_rows("CNN", seeds=(0, 1, 2))
    for row in plain:
        row["value"] -= 0.1 * (row["seed"] < 2)
    assert "with augmented 0.00 (one seed) for position" in gains.what_the_remedies_buy(rows_of(plain, taught))


def test_what_keeps_two_claims_open_is_counted_over_trainings(rows):
    said = sentences.what_keeps_the_order_open(rows)
    assert "composition is harder than extrapolation in 0 of 6" in said
    assert "above zero in 6 of 6" in said
    pull = sentences.what_keeps_the_pull_open(rows)
    assert f"for {4 * 5} of {4 * 5} converged models and factors" in pull
    assert "C2 needs" in sentences.what_keeps_the_order_open(rows_of(model_rows("CNN")))


def test_a_model_of_which_some_seed_has_not_converged_is_marked():
    bad = model_rows("CNN", seeds=(2,), scores={**GOOD, "random": 0.5})
    mixed = rows_of(model_rows("CNN", seeds=(0, 1)), bad)
    assert summaries.score_table(mixed, [DATA]).set_index("model").loc["CNN", "remark"] == "1 of 3 not converged"
    assert summaries.realism_table(mixed, [DATA])["converged"].tolist() == [2]


def test_the_best_with_all_factors_out_is_a_converged_model():
    untrained = model_rows("PCL", scores={**GOOD, "random": 0.5, "extrapolation": 0.99})
    assert "R² is −0.20 at best" in figures.draw_number_out(rows_of(model_rows("CNN"), untrained)).alt
