import numpy as np
import pandas as pd
import pytest

from reprise.catalogue import find_paper
from reprise.errors import RepriseError
from reprise.in_domain.models import APPROACHES
from reprise.in_domain.plan import options_of, plan, read_out_options, seeds_of
from reprise.in_domain.settings import Settings
from reprise.in_domain.study import run
from reprise.parameters import profile_parameters
from reprise.rows import concatenate

TINY = {
    "n_steps": 4, "read_out_steps": 3, "batch_size": 8, "n_train_images": 64, "n_test_images": 400, "blog_steps": 3,
    "blog_images": 40, "set_encoder_width": 8,
}  # fmt: skip
EVERYTHING = {
    **TINY,
    "datasets": ("sprites-rot90", "sprites-40", "turntable"),
    "seeds": (0, 3),
    "models": ("CNN", "MLP"),
    "slower_models": ("PCL", "SetEncoder"),
    "other_models": ("CNN", "MLP"),
    "composition_models": ("CNN",),
    "remedies": ("CNN, augmented",),
    "fewer_seeds": {"PCL": (0,), "SetEncoder": (3,), "CNN, augmented": (0,)},
    "splits": ("random", "composition", "interpolation", "extrapolation"),
    "experiments": ("comparison", "remedies", "blog", "oracles"),
}


@pytest.fixture(scope="module")
def rows():
    return run(Settings(**EVERYTHING))


def test_the_study_twice_gives_equal_rows():
    small = Settings(**{**TINY, "slower_models": ("PCL",)})
    pd.testing.assert_frame_equal(run(small), run(small))


def test_one_data_set_and_seed_alone_give_the_rows_they_have_in_company(rows):
    parts = [
        run(Settings(**{**EVERYTHING, "datasets": (dataset,), "seeds": (seed,)}))
        for dataset in ("sprites-rot90", "sprites-40", "turntable")
        for seed in (0, 3)
    ]
    pd.testing.assert_frame_equal(rows, concatenate(parts), check_dtype=False)


def test_every_model_has_scores_for_its_splits_and_seeds(rows):
    found = rows[(rows.metric == "r2") & (rows.subset == "test") & (rows.factor == "mean") & (rows.seed >= 0)]
    count = found[found.experiment == "comparison"].groupby(["dataset", "method"]).size().to_dict()
    assert count == {
        ("sprites-rot90", "CNN"): 8, ("sprites-rot90", "MLP"): 8, ("sprites-rot90", "SetEncoder"): 2,
        ("sprites-rot90", "PCL"): 2, ("sprites-40", "CNN"): 4, ("turntable", "CNN"): 4, ("turntable", "MLP"): 4,
    }  # fmt: skip
    assert len(found[found.experiment == "remedies"]) == 2


def test_the_mean_row_is_the_mean_of_the_factors(rows):
    one = rows[(rows.method == "CNN") & (rows.seed == 3) & (rows.split == "extrapolation") & (rows.metric == "r2")]
    one = one[(one.dataset == "sprites-rot90") & (one.subset == "only x")].set_index("factor")["value"]
    factors = ["shape", "scale", "orientation", "x", "y"]
    assert one["mean"] == pytest.approx(one[factors].mean())
    assert one["mean without categorical"] == pytest.approx(one[factors[1:]].mean())


def test_the_blogs_case_has_both_training_sets_for_every_model_and_seed(rows):
    found = rows[rows.metric == "shape_accuracy"]
    assert len(found) == 2 * 2 * 2
    assert found.value.between(0, 100).all()


def test_representations_have_dci_scores(rows):
    assert set(rows[rows.metric.str.startswith("dci_")].method) == {"PCL"}


def test_a_model_and_a_data_set_have_only_the_seeds_that_they_are_limited_to():
    limits = {"PCL": (1, 2), "rooms": (0, 1)}
    settings = Settings(seeds=(0, 1, 2), datasets=("sprites-rot90", "rooms"), fewer_seeds=limits)
    assert seeds_of(settings, "sprites-rot90", "CNN") == (0, 1, 2)
    assert seeds_of(settings, "sprites-rot90", "PCL") == (1, 2)
    assert seeds_of(settings, "rooms", "CNN") == (0, 1)
    assert seeds_of(settings, "rooms", "PCL") == (1,)


def test_the_plan_trains_slower_models_on_two_splits_with_their_seeds():
    settings = Settings(**EVERYTHING)
    seeds = {(run.model, run.kind): run.seeds for run in plan(settings, "sprites-rot90")}
    assert seeds["MLP", "composition"] == (0, 3)
    assert seeds["PCL", "random"] == (0,)
    assert seeds["SetEncoder", "extrapolation"] == (3,)
    assert not {("PCL", "composition"), ("SetEncoder", "composition")} & set(seeds)
    assert plan(settings, "dsprites-frames") == ()
    assert {run.kind for run in plan(settings, "sprites-40")} == {"random", "composition"}
    beside = {(run.model, run.kind) for run in plan(settings, "rooms")}
    assert beside == {(model, kind) for model in ("CNN", "MLP") for kind in ("random", "extrapolation")} | {
        ("CNN", "composition")
    }
    assert not [run for run in plan(Settings(**{**EVERYTHING, "seeds": (3,)}), "sprites-rot90") if run.model == "PCL"]


def test_the_blogs_case_has_the_seeds_of_its_model():
    limited = Settings(**TINY, seeds=(0, 1), models=("CNN", "MLP"), fewer_seeds={"MLP": (1,)}, experiments=("blog",))
    found = run(limited)
    accuracies = found[found.metric == "shape_accuracy"]
    assert accuracies.groupby("method")["seed"].agg(set).to_dict() == {"CNN": {0, 1}, "MLP": {1}}


def test_the_mlp_gets_more_steps_and_its_own_rate():
    options = options_of(Settings(n_steps=100), APPROACHES["MLP"])
    assert (options.n_steps, options.learning_rate) == (250, APPROACHES["MLP"].learning_rate)


def test_the_read_out_is_trained_as_the_settings_say():
    options = read_out_options(Settings(read_out_steps=7, read_out_batch_size=9, read_out_rate=2e-4))
    assert (options.n_steps, options.batch_size, options.learning_rate) == (7, 9, 2e-4)


def test_histograms_and_intervals_fit_the_scores_they_stand_beside(rows):
    training = ["dataset", "split", "method", "experiment", "seed"]
    shares = rows[rows.metric == "rho_share"].groupby([*training, "factor"])["value"].sum()
    assert np.allclose(shares, 1)
    wide = rows[(rows.subset == "test") & (rows.factor == "mean") & rows.metric.isin(["r2", "r2_low", "r2_high"])]
    wide = wide[wide.seed >= 0].pivot(index=training, columns="metric", values="value")
    assert len(wide) > 10
    assert (wide["r2_low"] <= wide["r2_high"]).all()
    assert wide["r2"].between(wide["r2_low"], wide["r2_high"]).mean() > 0.9


def test_the_standard_profile_runs_nothing_that_needs_a_gpu():
    settings = Settings.checked(
        {k: v for k, v in profile_parameters(find_paper("in_domain"), "standard").items() if k != "records"}
    )
    planned = {run.model for name in settings.datasets for run in plan(settings, name)}
    assert {APPROACHES[name].where for name in planned} == {"CPU"}
    assert settings.reduced_scale


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": ["CNNN"]}, "did you mean 'CNN'"),
        ({"remedies": ["CNN augmented"]}, "did you mean 'CNN, augmented'"),
        ({"slower_models": ["CNN"]}, "named twice"),
        ({"fewer_seeds": {"PLC": [0]}}, "did you mean 'PCL'"),
        ({"splits": ["extrapolation"]}, "must hold 'random'"),
        ({"batch_size": 7}, "multiple of 2"),
        ({"image_side": 48}, "32 or 64"),
    ],
)
def test_bad_settings_are_refused(change, message):
    with pytest.raises(RepriseError, match=message):
        Settings.checked({**Settings().model_dump(mode="json"), **change})
