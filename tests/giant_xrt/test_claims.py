"""Every rule on made-up rows: each outcome that it can give, and the controls."""

import pytest

from reprise.giant_xrt import rules
from reprise.giant_xrt.effect_size import gain
from reprise.giant_xrt.rules import CITESEER, FEW, MANY, THREE_SETS
from reprise.rows import tidy

SEEDS = range(5)
WOBBLE = (0.0, 0.3, -0.3, 0.1, -0.1)
COLUMNS = ("experiment", "model", "labels", "level", "group", "at", "mean_degree")


def row(method, value, seed, **columns):
    common = dict.fromkeys(COLUMNS) | {"dataset": CITESEER, "split": "test", "metric": "accuracy"}
    return {**common, "method": method, "seed": seed, "value": value, **columns}


def accuracies(levels, wide=1.0, **columns):
    """Return rows of several methods; GIANT's wobble, the others stand still."""
    return [
        row(method, level + (wide * WOBBLE[seed] if method == "GIANT" else 0), seed, **columns)
        for method, level in levels.items()
        for seed in SEEDS
    ]


def compared(few, many, model="MLP", **options):
    rows = []
    for labels, levels in ((FEW, few), (MANY, many)):
        rows += accuracies(levels, experiment="comparison", model=model, labels=labels, **options)
    return rows


def outcome(rule, records):
    return rule(tidy(records)).outcome


def plain(giant):
    return {"TF-IDF": 60.0, "SVD": 58.0, "Binary words": 61.0, "GIANT": giant}


@pytest.mark.parametrize(
    ("few", "many", "expected"),
    [
        (65, 64, "reproduced"),
        (65, 60.5, "partly reproduced"),
        (61, 61, "inconclusive"),
        (59, 59, "not reproduced"),
    ],
)
def test_text_alone_must_beat_all_plain_features_with_few_and_many_labels(few, many, expected):
    assert outcome(rules.text_alone_gains, compared(plain(few), plain(many))) == expected


@pytest.mark.parametrize(
    ("mlp", "sage", "expected"),
    [
        (70, 63, "reproduced"),
        (70, 60, "partly reproduced"),
        (63, 65, "partly reproduced"),
        (60, 60, "inconclusive"),
        (50, 58, "not reproduced"),
    ],
)
def test_networks_must_gain_but_less(mlp, sage, expected):
    few = {"SVD": 60.0}
    records = accuracies({**few, "GIANT": mlp}, experiment="comparison", model="MLP", labels=FEW)
    records += accuracies({**few, "GIANT": sage}, wide=0.7, experiment="comparison", model="GraphSAGE", labels=FEW)
    assert outcome(rules.networks_gain_less, records) == expected


@pytest.mark.parametrize(
    ("few", "many", "expected"),
    [
        (68, 70, "reproduced"),
        (68, 64, "partly reproduced"),
        (64, 64, "inconclusive"),
        (60, 60, "not reproduced"),
    ],
)
def test_link_prediction_must_be_beaten(few, many, expected):
    records = compared({"GIANT": few, "Link prediction": 64.0}, {"GIANT": many, "Link prediction": 64.0})
    records += accuracies(
        {"Link prediction": 66.0, "SVD": 65.0}, experiment="comparison", model="GraphSAGE", labels=FEW
    )
    found = rules.neighbours_beat_links(tidy(records))
    assert found.outcome == expected
    assert "Link prediction minus SVD under GraphSAGE: +1.0" in found.evidence


@pytest.mark.parametrize(
    ("pii", "random", "flat", "expected"),
    [
        (60, 50, 60, "reproduced"),
        (60, 50, 68, "partly reproduced"),
        (68, 50, 60, "partly reproduced"),
        (68, 68, 68, "inconclusive"),
        (75, 50, 75, "not reproduced"),
    ],
)
def test_tree_and_levels_must_both_help(pii, random, flat, expected):
    levels = {"PII tree": pii, "Random tree": random, "Finest level only": flat}
    records = accuracies(levels, experiment="ablations", model="ridge", labels=FEW)
    records += [
        row("PIFA tree", 68 + WOBBLE[seed], seed, experiment="ablations", model="ridge", labels=FEW) for seed in SEEDS
    ]
    assert outcome(rules.tree_and_levels_both_help, records) == expected


def theory(change):
    records = []
    for degree in rules.MEAN_DEGREES:
        for contrast in rules.CONTRASTS:
            formula = gain(degree, contrast)
            common = {"dataset": "theory", "split": "graphs", "metric": "gain", "experiment": "theory"}
            place = {**common, "mean_degree": degree, "at": contrast}
            records.append(row("Closed form", formula, -1, **place))
            records += [row("Simulated", change(degree, contrast, formula), seed, **place) for seed in SEEDS]
    return records


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda degree, contrast, formula: 1.03 * formula, "reproduced"),
        (lambda degree, contrast, formula: 1.2 * formula, "partly reproduced"),
        (lambda degree, contrast, formula: formula * (0.3 if (degree, contrast) == (60, 0.5) else 1), "not reproduced"),
    ],
)  # fmt: skip
def test_simulation_must_follow_the_closed_form_and_rise(change, expected):
    found = rules.density_and_homophily_help(tidy(theory(change)))
    assert found.outcome == expected
    assert "of 16 cells" in found.evidence


@pytest.mark.parametrize(
    ("few", "many", "expected"),
    [
        (66, 65.5, "reproduced"),
        (66, 60, "partly reproduced"),
        (64, 64, "inconclusive"),
        (60, 60, "not reproduced"),
    ],
)
def test_text_alone_must_come_within_a_point_of_a_network(few, many, expected):
    records = compared({"GIANT": few}, {"GIANT": many}) + compared({"SVD": 65.0}, {"SVD": 65.0}, model="GraphSAGE")
    assert outcome(rules.text_alone_nears_networks, records) == expected


@pytest.mark.parametrize(("giant", "expected"), [(12, "reproduced"), (9, "inconclusive"), (6, "not reproduced")])
def test_held_out_neighbours_must_be_found_more_often(giant, expected):
    how = {"experiment": "neighbours", "metric": "precision@5", "split": "held-out edges"}
    assert outcome(rules.structure_is_learnt, accuracies({"GIANT": giant, "SVD": 9.0}, **how)) == expected


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((70, 70, 70), "reproduced"),
        ((70, 61, 59), "partly reproduced"),
        ((61, 61, 61), "inconclusive"),
        ((59, 59, 59), "not reproduced"),
    ],
)
def test_three_sets_must_improve(levels, expected):
    records = []
    for name, level in zip(THREE_SETS, levels, strict=True):
        found = plain(level)
        if name != CITESEER:
            del found["Binary words"]
            found["TF-IDF"] = 61.0
        records += accuracies(found, experiment="comparison", model="MLP", labels=FEW, dataset=name)
    assert outcome(rules.three_sets_improve, records) == expected


def test_almost_thirty_per_cent_is_relative(monkeypatch):
    found = rules.relative_gain_is_as_printed(tidy([]))
    assert found.outcome == "not testable here"
    assert "29.3 %" in found.evidence
    assert "13.86" in found.evidence
    monkeypatch.setattr(rules, "PAPERS_MLP", (50.0, 55.0))
    assert rules.relative_gain_is_as_printed(tidy([])).outcome == "not reproduced"


@pytest.mark.parametrize(("planted", "rewired", "holds"), [(70, 20, (True, True)), (40, 40, (False, False))])
def test_controls_ask_for_the_planted_effect_and_its_absence(planted, rewired, holds):
    how = {"dataset": "text-blocks", "experiment": "controls", "model": "ridge", "labels": "10 per class"}
    records = tidy(accuracies({"GIANT": planted, "SVD": 24.0, "GIANT, rewired graph": rewired}, **how))
    found = (rules.planted_effect_appears(records)[0], rules.rewired_effect_vanishes(records)[0])
    assert found == holds
