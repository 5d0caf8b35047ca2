"""The study on small worlds, its rules, intervals, figures and tables."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reprise.claims import OUTCOMES
from reprise.judging import judge
from reprise.rows import MissingRowsError, concatenate
from reprise.verification import published_numbers
from reprise.walk_alone import claims, figures, illustrations, scene_figures, study, summaries
from reprise.walk_alone.attribution import shapley
from reprise.walk_alone.measures import by_role
from reprise.walk_alone.operations import operations_of_a_step
from reprise.walk_alone.problems import load_problem, shown_windows
from reprise.walk_alone.resampling import interval_of, samples
from reprise.walk_alone.settings import Settings

COURT, CROWD, EDGE, SUM = "nba-sportvu", "eth-ucy", "Trajectron++Edge", "Trajectron++"
SMALL = {
    "train_scenes": 24, "test_scenes": 12, "n_targets": 10, "n_few": 5, "epochs": 1, "sum_epochs": 1, "latents": 2,
    "decoder_width": 4, "pairs": 2, "experiments": ("comparison", "displacement", "dropout", "audits"),
}  # fmt: skip


@pytest.fixture(scope="module")
def small():
    return study.run(Settings(**SMALL, seeds=(0, 1)))


def test_the_study_twice_gives_equal_rows(small):
    again = study.run(Settings(**SMALL, seeds=(0, 1)))
    pd.testing.assert_frame_equal(small, again)


def test_cells_of_a_fan_out_give_the_rows_of_one_run(small):
    cells = [study.run(Settings(**SMALL, seeds=(s,), datasets=(d,))) for d in ("follow", "alone") for s in (1, 0)]
    joined = concatenate(cells)
    pd.testing.assert_frame_equal(joined[small.columns], small, check_dtype=False)


def test_audits_have_what_was_released_beside_what_is_corrected(small):
    for audit in summaries.AUDITS:
        table = summaries.audit_table(small, audit)
        assert {"as released", "corrected", "difference"} <= set(table.columns)
    estimator = small[small.experiment == "estimator"]
    assert set(estimator.variant) == {"as released", "exact Banzhaf", "corrected"}
    gaps = estimator[estimator.metric == "efficiency gap"].groupby("variant")["value"].max()
    assert gaps["corrected"] == 0 < gaps["exact Banzhaf"]
    masked = small[(small.experiment == "stranger masked") & (small.variant == "as released")]
    assert (masked["value"] == 0).all()
    assert len(masked) == 2


def test_neighbours_are_cut_in_training_wherever_they_are_never_missing(small):
    cut = small[small.method == f"{EDGE}, neighbours cut"]
    assert set(cut.dataset) == {"alone", "follow"}
    assert set(small.method) >= {"Constant velocity", "Standing still"}


def test_tables_and_figures_can_be_made_and_say_what_they_show(small):
    names = ("alone", "follow")
    published = published_numbers("walk_alone")
    drawings = [
        figures.draw_shares(small, names),
        figures.draw_with_without(small, published, names),
        figures.draw_tails(small, names),
        scene_figures.draw_arrows(small, load_problem(Settings(**SMALL), "follow")),
        scene_figures.draw_worlds(),
        illustrations.draw_estimators(8, 2),
    ]
    for drawing in drawings:
        assert len(drawing.data)
        assert drawing.alt.endswith(".")
        assert drawing.caption.endswith(".")
    assert len({drawing.name for drawing in drawings}) == len(drawings)
    assert "exact Banzhaf" in summaries.audit_table(small, "estimator")
    losses = summaries.losses_table(small)
    assert set(losses["share of"]) == {"−NLL, mean", "−NLL, median", "−minADE, mean"}
    problems = [load_problem(Settings(**SMALL), name) for name in names]
    assert {"world alone", "world follow"} <= set(summaries.score_table(small, problems)["data set"])
    assert {"ADE", "FDE", "minADE", "minFDE", "NLL"} <= set(summaries.accuracy_table(small).columns)
    for make in (summaries.truth_table, summaries.phantom_table, summaries.accuracy_table):
        assert len(make(small))
    with pytest.raises(MissingRowsError):
        scene_figures.draw_roles(small)


def test_no_tick_of_a_tail_lies_on_another(small):
    figure = figures.draw_tails(small, ("alone", "follow")).figure
    figure.canvas.draw()
    for axes in figure.axes:
        boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
        assert all(a.x1 < b.x0 for a, b in itertools.pairwise(sorted(boxes, key=lambda box: box.x0)))


def test_the_papers_mark_lies_within_its_panel():
    figure = figures.draw_with_without(made_up(), published_numbers("walk_alone"), (CROWD, COURT)).figure
    figure.canvas.draw()
    for axes in figure.axes:
        for line in axes.get_lines():
            x = np.asarray(line.get_xdata(), dtype=float)
            low, high = axes.get_xlim()
            assert ((x > low + 0.03 * (high - low)) & (x < high - 0.03 * (high - low))).all()


def test_roles_have_intervals_over_seeds_and_a_title_from_a_network_with_several():
    roles = [*scene_figures.ROLES]
    rows = pd.DataFrame(
        [
            {
                "dataset": COURT, "split": "test", "method": method, "seed": seed, "experiment": "roles", "loss": "nll",
                "player": role, "metric": "share", "value": (role == top) + 0.01 * seed,
            }
            for method, seeds, top in ((EDGE, 3, "opponent 2"), (claims.CUT, 1, "ball"))
            for seed in range(seeds)
            for role in roles
        ]
    )  # fmt: skip
    drawing = scene_figures.draw_roles(rows)
    data = drawing.data.set_index(["method", "role"])
    expected = stats.t.interval(0.95, 2, 1.01, 0.01 / np.sqrt(3))
    np.testing.assert_allclose(data.loc[(EDGE, "opponent 2"), ["low", "high"]].to_numpy(dtype=float), expected)
    assert "opponent 2" in drawing.figure.get_suptitle()


def test_strangers_in_games_of_equal_size_keep_their_mean_marginal():
    """A stranger worth w to any coalition but the full one: M w / (M + 1) in a game of M + 1 players, w among M."""
    n_players, worth = 4, 3.0

    def value(masks):
        others, stranger = masks[..., :n_players].sum(-1), masks[..., n_players]
        return worth * stranger * (others < n_players)

    share = shapley(value, n_players + 1).values[n_players]
    assert share == pytest.approx(worth * n_players / (n_players + 1))
    line = {"dataset": "alone", "split": "test", "experiment": "attribution", "target": 1.0}
    rows = pd.DataFrame(
        [{**line, "metric": "random max", "value": share}, {**line, "metric": "interaction", "value": share}]
    )
    equal = summaries.equal_games(rows, {("alone", "test"): np.array([9, n_players - 1])})
    assert equal["value"].tolist() == pytest.approx([worth, share])


def test_the_papers_mean_of_folds_is_named_as_such():
    rows = made_up().assign(split=lambda r: r["dataset"].map({CROWD: "zara1", COURT: "test", "sdd": "test"}))
    drawing = figures.draw_with_without(rows, published_numbers("walk_alone"), (CROWD, COURT))
    assert "mean of five folds, beside zara1 here" in drawing.caption
    assert "on SportVU its own games" in drawing.caption
    marks = drawing.data.set_index(["dataset", "method", "neighbours"])["paper"]
    assert marks[CROWD, SUM, "with"] == 0.51
    assert marks[COURT, EDGE, "without"] == 11.18


def test_the_table_of_scale_has_the_papers_values_beside_those_of_the_run():
    table = summaries.scale_table(Settings(clip_every=8)).set_index("parameter")
    assert table.loc["clip_every", "this run"] == "8"
    assert table.loc["clip_every", "the paper"] == "1"
    assert {"batch", "learning_rate", "pecnet_batch", "pecnet_rate", "latents", "epochs"} <= set(table.index)


def test_operations_are_counted():
    counted = operations_of_a_step(Settings())
    assert all(value > 0 for value in counted.values())
    assert len(counted) == 8


def test_shown_windows_are_different_targets():
    problem = load_problem(Settings(**SMALL), "follow")
    assert len(set(problem.test.cluster[shown_windows(problem)])) == 6


def test_roles_are_ranked_by_distance():
    from dataclasses import replace

    problem = load_problem(Settings(**SMALL), "follow")
    windows = problem.test.take(slice(0, 3))
    windows = replace(windows, kind=np.tile([0, 0, 1, 1, 2], (3, 1)), kinds=("team mate", "opponent", "ball"))
    distance = np.linalg.norm(windows.neighbours[:, :, -1] - windows.past[:, None, -1], axis=-1)
    roles = by_role(distance, windows)
    assert list(roles) == ["team mate 1", "team mate 2", "opponent 1", "opponent 2", "ball"]
    assert (roles["team mate 1"] <= roles["team mate 2"]).all()


# ---- intervals and rules on made-up rows ---------------------------------------------------------------------


def attributed(dataset, method, *, past, interaction, random_max, few=0.0, spread=0.01):
    draw = np.random.default_rng(0)
    loss = "min_ade" if method == "PECNet" else "nll"
    means = {"past": past, "interaction": interaction, "random": 0.0, "random max": random_max, "few over others": few}
    for seed in range(3):
        for cluster in range(30):
            for metric, mean in means.items():
                yield {
                    "dataset": dataset, "split": "test", "method": method, "seed": seed, "experiment": "attribution",
                    "loss": loss, "metric": metric, "cluster": cluster, "target": cluster,
                    "value": mean + spread * draw.normal(),
                }  # fmt: skip


def erring(dataset, method, with_all, without, spread=0.001):
    draw = np.random.default_rng(1)
    for seed in range(3):
        for cluster in range(30):
            for how, mean in (("with", with_all), ("without", without)):
                for metric in ("min_ade", "min_fde"):
                    yield {
                        "dataset": dataset, "split": "test", "method": method, "seed": seed, "neighbours": how,
                        "experiment": "accuracy by cluster", "cluster": cluster, "windows": 1 + cluster % 3,
                        "metric": metric, "value": mean + spread * draw.normal(),
                    }  # fmt: skip


def made_up(*, crowd=0.0, court=1.0, change=0.0, increase=0.8, more=0.4, few=0.5):
    """Rows in which all claims hold by default."""
    parts = [
        *attributed(CROWD, SUM, past=1.0, interaction=0.1 + crowd, random_max=0.1),
        *attributed(CROWD, EDGE, past=1.0, interaction=0.1 + crowd, random_max=0.1),
        *attributed("sdd", "PECNet", past=1.0, interaction=0.1 + crowd, random_max=0.1),
        *attributed(COURT, SUM, past=1.0, interaction=0.2 + court, random_max=0.2, few=few),
        *attributed(COURT, EDGE, past=1.0, interaction=0.2 + court + more, random_max=0.2, few=few),
        *erring(CROWD, SUM, 0.5, 0.5 + change),
        *erring(CROWD, EDGE, 0.5, 0.5 + change),
        *erring(COURT, SUM, 5.0, 5.0 * (1 + increase)),
        *erring(COURT, EDGE, 5.0 - more / 10, (5.0 - more / 10) * (1 + increase + more)),
    ]
    return pd.DataFrame(parts)


RULES = {claim.id: claim.rule for claim in claims.CLAIMS if claim.rule}


@pytest.mark.parametrize("claim", sorted(RULES))
def test_every_rule_can_be_met(claim):
    assert RULES[claim](made_up()).outcome == "reproduced"


@pytest.mark.parametrize(
    ("claim", "rows", "outcome"),
    [
        ("C1", {"crowd": 0.3}, "not reproduced"),
        ("C2", {"change": 0.1}, "not reproduced"),
        ("C2", {"change": 0.02}, "inconclusive"),
        ("C3", {"increase": 0.1, "more": 0.0}, "partly reproduced"),
        ("C3", {"increase": -0.1, "more": 0.0}, "not reproduced"),
        ("C3", {"increase": 0.0, "more": 0.0}, "not reproduced"),
        ("C4", {"more": -0.4}, "not reproduced"),
        ("C5", {"court": -0.5, "more": 0.0}, "partly reproduced"),
        ("C5", {"court": -0.5, "more": 0.0, "crowd": 0.3}, "not reproduced"),
        ("C5", {"crowd": 0.3}, "partly reproduced"),
        ("C7", {"few": -0.5}, "not reproduced"),
        ("C7", {"few": 0.0}, "inconclusive"),
        ("C8", {"court": -0.5, "more": 0.0}, "not reproduced"),
        ("C8", {"court": -0.2, "more": 0.4}, "partly reproduced"),
    ],
)
def test_every_rule_can_be_missed(claim, rows, outcome):
    found = RULES[claim](made_up(**rows))
    assert found.outcome == outcome
    assert found.outcome in OUTCOMES
    assert found.quantity
    assert found.evidence.endswith(".")


def test_crowds_that_differ_make_the_first_claim_mixed():
    rows = made_up()
    rows.loc[(rows.dataset == "sdd") & (rows.metric == "interaction"), "value"] += 0.5
    assert RULES["C1"](rows).outcome == "partly reproduced"


def test_the_control_sees_reliance_that_is_not_shock():
    rows = made_up()
    cut = pd.DataFrame(erring(COURT, f"{EDGE}, neighbours cut", 5.0, 6.0)).query("seed == 0")
    holds, words = claims._reliance_without_shock(pd.concat([rows, cut]))
    assert holds
    assert "+20 %" in words
    cut["value"] = 5.0
    assert not claims._reliance_without_shock(pd.concat([rows, cut]))[0]


def test_a_network_worse_than_the_better_baseline_fails_its_control():
    def rows(going, still):
        lines = {"Constant velocity": going, "Standing still": still}
        of = {"dataset": COURT, "seed": -1, "metric": "min_fde"}
        return pd.concat([made_up(), pd.DataFrame([{**of, "method": m, "value": v} for m, v in lines.items()])])

    assert claims._better_than_looking_at_nobody(rows(9.0, 8.0))[0]
    assert not claims._better_than_looking_at_nobody(rows(9.0, 2.0))[0]
    assert not claims._better_than_looking_at_nobody(rows(2.0, 9.0))[0]
    with pytest.raises(MissingRowsError, match="Standing still"):
        claims._better_than_looking_at_nobody(made_up())


@pytest.mark.parametrize(("error", "holds"), [(6.0, True), (4.0, False)])
def test_a_network_that_never_had_neighbours_shows_whether_they_are_of_use(error, holds):
    alone = pd.DataFrame(erring(COURT, f"{EDGE}, trained alone", error, error)).query("seed == 0")
    assert claims._better_than_trained_alone(pd.concat([made_up(), alone]))[0] is holds


@pytest.mark.parametrize(("without", "holds"), [(0.5, True), (0.51, True), (0.7, False)])
def test_nobody_is_missed_where_nobody_matters(without, holds):
    world = [*erring("alone", f"{EDGE}, neighbours cut", 0.5, without), *erring("alone", EDGE, 0.5, 0.9)]
    found, words = claims._no_reliance_alone(pd.DataFrame(world))
    assert found is holds
    assert "trained as usual: +80 %" in words


@pytest.mark.parametrize(("excess", "holds"), [(0.0, True), (0.3, True), (1.5, False)])
def test_strangers_and_neighbours_must_differ_less_where_nobody_matters(excess, holds):
    world = [line for m in (SUM, EDGE) for line in attributed("alone", m, past=1.0, interaction=excess, random_max=0.0)]
    assert claims._less_excess_alone(pd.concat([made_up(), pd.DataFrame(world)]))[0] is holds


def test_the_evidence_has_the_shares_of_displacement_where_the_run_has_them():
    assert "minADE" not in RULES["C8"](made_up()).evidence
    of_ade = [*attributed(COURT, EDGE, past=1.0, interaction=0.5, random_max=0.1),
              *attributed(CROWD, EDGE, past=1.0, interaction=0.1, random_max=0.1)]  # fmt: skip
    both = pd.concat([made_up(), pd.DataFrame(of_ade).assign(loss="min_ade")])
    assert "By minADE (one seed, fewer targets): Trajectron++Edge +40 %" in RULES["C8"](both).evidence
    assert "Trajectron++Edge 0 %" in RULES["C1"](both).evidence.replace("+0", "0").replace("−0", "0")
    assert "interaction +10 %" in RULES["C1"](both).evidence


def test_on_embedded_data_rules_are_only_rehearsed(small):
    verdicts = judge(claims.CLAIMS, small, embedded_twins=Settings.embedded_twins, reduced_scale=True)
    assert {verdict.outcome for verdict in verdicts} == {"not testable here"}
    assert sum(verdict.rehearsal is not None for verdict in verdicts) >= 4


def test_intervals_resample_clusters_with_their_weights():
    rows = pd.DataFrame(erring(CROWD, SUM, 0.5, 0.6, spread=0.2))
    how = {"dataset": CROWD, "method": SUM, "experiment": "accuracy by cluster", "neighbours": "with"}
    sample = samples(rows, ("min_ade",), **how)["min_ade"]
    one = rows[(rows.neighbours == "with") & (rows.metric == "min_ade")]
    assert sample[0] == pytest.approx(np.average(one["value"], weights=one["windows"]))
    assert sample[1:].std() == pytest.approx(0.2 / np.sqrt(90), rel=0.8)
    interval = interval_of(sample, 3)
    assert interval.low < sample[0] < interval.high
    assert interval.n == 3


def test_missing_metrics_are_named():
    with pytest.raises(MissingRowsError, match="metric = height"):
        samples(made_up(), ("height",), dataset=CROWD, method=SUM, experiment="attribution")
