"""The study: equal rows in every run, cells that join to the whole, and what its parts must find."""

import numpy as np
import pandas as pd
import pytest
import torch

from reprise.diva import study
from reprise.diva.cell import Cell, task_of
from reprise.diva.data import Task, banking_sentences, prepared
from reprise.diva.generators import make_task
from reprise.diva.leave_one_out import change_of_weights_elsewhere, validation_derivative
from reprise.diva.linearisation import shared_kernel
from reprise.diva.ridge import PrimalRidge
from reprise.diva.settings import Settings
from reprise.diva.small_changes import resnet34_multiply_adds
from reprise.diva.weighting import PENALTIES
from reprise.parameters import settings_class
from reprise.rows import concatenate, per_seed, select
from reprise.settings import SettingsError

EXPERIMENTS = ("reweight", "heads", "detection", "extend", "flips", "names", "small changes", "cost")
SMALL = {
    "seeds": (0, 1),
    "resplit_seeds": (0, 1),
    "head_seeds": (0, 1),
    "noise_seeds": (0, 1),
    "extend_seeds": (0, 1),
    "flip_seeds": (0, 1),
    "linearisation_seeds": (0,),
    "experiments": EXPERIMENTS,
    "penalties": (0.1,),
    "n_overfit_steps": 4,
    "shown_temperatures": (10.0,),
    "shown_noise_rates": (0.4,),
    "n_rounds": 2,
    "n_random_orders": 1,
    "n_changed": 20,
    "head_epochs": 11,
    "head_learning_rates": (1.0,),
    "head_weight_decays": (0.0,),
    "device": "cpu",
}


def small_task(name, network="", flip="none", device="cpu"):
    """Stand in for the digits: 5 classes, a few hundred rows; flipped copies are the same rows with noise."""
    task = make_task(240, 16, 5)
    features = np.concatenate([task.features, task.pool_features])
    if flip != "none":
        features = features + np.random.default_rng(len(flip)).normal(size=features.shape)
    labels = np.concatenate([task.labels, task.pool_labels])
    return Task(name, prepared(features), labels, 240, tuple("abcde"))


@pytest.fixture(scope="module", autouse=True)
def small_data():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reprise.diva.cell.load", small_task)
        yield


@pytest.fixture(scope="module")
def rows():
    return study.run(Settings(**SMALL))


def test_cells_of_single_seeds_join_to_the_whole(rows):
    cells = [study.run(Settings(**{**SMALL, "seeds": (seed,)})) for seed in (0, 1)]
    pd.testing.assert_frame_equal(concatenate(cells), rows)


def test_every_part_has_rows(rows):
    assert set(EXPERIMENTS) - set(rows.experiment) == {"names"}
    assert rows["value"].notna().all()


def test_errors_and_shares_are_within_their_bounds(rows):
    assert rows[rows.metric == "error"]["value"].between(0, 100).all()
    assert rows[rows.metric.isin(["f1", "auc"])]["value"].between(0, 1).all()
    shares = rows[rows.metric == "share"].groupby(["seed", "setting"])["value"].sum()
    np.testing.assert_allclose(shares, 1)


def test_the_papers_raw_step_stands_beside_the_scaled_one(rows):
    how = {"experiment": "reweight", "metric": "error", "method": "DIVA Reweight, raw step"}
    for outer in ("cross-entropy, τ = 10", "cross-entropy, τ = 1", "squared"):
        for step in (1, 2, 3):
            assert len(per_seed(rows, outer=outer, step=step, **how)) == 2
    shares = select(rows, experiment="flips", metric="share", setting="originals, raw step")
    assert len(shares) == 2 * 3


def test_every_temperature_is_swept_at_every_penalty(rows):
    own = select(rows, experiment="reweight", method="DIVA Reweight", metric="error", split="test", step=3)
    outers = {f"cross-entropy, τ = {temperature}" for temperature in (1, 3, 10, 30)} | {"squared"}
    assert {tuple(pair) for pair in own[["outer", "penalty"]].to_numpy()} == {
        (outer, penalty) for outer in outers for penalty in ("0.1", "leave-one-out")
    }


def test_temperature_and_steps_chosen_by_validation_are_among_those_tried(rows):
    how = {"experiment": "reweight", "method": "DIVA Reweight, validated"}
    steps, temperatures = (per_seed(rows, metric=metric, **how) for metric in ("steps", "temperature"))
    assert steps.isin(range(4)).all()
    assert temperatures.isin([1, 3, 10, 30]).all()
    swept = {"experiment": "reweight", "split": "test", "metric": "error", "penalty": "leave-one-out"}
    for seed in (0, 1):
        method = {"method": "DIVA Reweight", "outer": f"cross-entropy, τ = {temperatures[seed]:g}"}
        own = method if steps[seed] else {"method": "Uniform"}
        expected = per_seed(rows, step=int(steps[seed]), **own, **swept)[seed]
        assert per_seed(rows, metric="error", **how)[seed] == expected


def test_copies_that_stay_give_the_answer_away(rows):
    how = {"experiment": "flips", "method": "Uniform", "metric": "error", "split": "leave-one-out"}
    staying, leaving = (per_seed(rows, setting=setting, **how) for setting in ("originals", "groups"))
    assert (staying <= leaving).all()


def test_a_quota_ends_with_the_whole_pool_too(rows):
    how = {"experiment": "extend", "metric": "error", "setting": "noisy", "size": 1.0}
    chosen, whole = (per_seed(rows, method=m, **how) for m in ("DIVA Extend, class quota", "Random selection"))
    np.testing.assert_allclose(chosen, whole)


def test_added_samples_are_predicted_as_removed_ones_are(rows):
    how = {"experiment": "small changes", "metric": "spearman", "split": "leave-one-out", "method": "DIVA derivative"}
    for new_weight in (0.0, 1.0):
        assert (per_seed(rows, new_weight=new_weight, outer="cross-entropy, τ = 1", **how) > 0.8).all()
    assert len(select(rows, experiment="small changes", metric="exact", new_weight=1.0)) == 20


def test_both_orders_end_with_the_whole_pool(rows):
    for pool in ("clean", "noisy"):
        how = {"experiment": "extend", "metric": "error", "setting": pool}
        for size in (0.0, 1.0):
            chosen, random = (per_seed(rows, method=m, size=size, **how) for m in ("DIVA Extend", "Random selection"))
            pd.testing.assert_series_equal(chosen, random)


def test_a_chosen_part_is_compared_with_the_whole_pool_at_their_own_penalties(rows):
    how = {"experiment": "extend", "setting": "noisy"}
    for method in ("DIVA Extend, own λ", "Whole pool, own λ"):
        assert per_seed(rows, method=method, metric="error", **how).between(0, 100).all()
        assert per_seed(rows, method=method, metric="penalty", **how).isin(PENALTIES).all()


def test_every_resplit_has_its_own_test_rows_in_extend(rows):
    how = {"experiment": "extend", "metric": "error", "setting": "clean", "method": "Random selection", "size": 1.0}
    assert per_seed(rows, **how).nunique() == 2


def test_heads_of_equal_weights_train_on_all_rows_and_on_those_of_l2rw(rows):
    heads = rows[(rows.experiment == "heads") & (rows.split == "test")]
    assert set(heads.method) == {"Softmax head", "Softmax head, 80 %", "Active Bias", "L2RW", "L2RW, all samples"}
    assert (heads.groupby("method").size() == 2).all()


def test_labels_called_wrong_at_random_are_not_found(rows):
    how = {"experiment": "detection", "metric": "auc"}
    assert per_seed(rows, method="Shuffled", **how).between(0.35, 0.65).all()


def test_resnet_34_takes_3_66_billion_multiply_adds():
    assert resnet34_multiply_adds() == 3_663_249_408
    features = Settings(datasets=("cub50",), network="resnet-34")
    assert study._multiply_adds(features, "cub50") == resnet34_multiply_adds()
    assert study._multiply_adds(features, "digits") is None


def test_the_flat_loss_finds_wrong_labels_and_the_sharp_one_does_not(rows):
    how = {"experiment": "detection", "metric": "auc", "method": "DIVA derivative", "noise_rate": 0.2}
    assert (per_seed(rows, outer="cross-entropy, τ = 1", **how) > 0.9).all()
    assert (per_seed(rows, outer="cross-entropy, τ = 10", **how) < 0.5).all()


def test_weights_rescaled_to_mean_one_are_those_of_a_rescaled_penalty(rows):
    how = {"experiment": "reweight", "metric": "error", "penalty": "leave-one-out"}
    assert per_seed(rows, method="Uniform, rescaled", **how).between(0, 100).all()
    assert (per_seed(rows, experiment="reweight", metric="mean weight") > 0).all()


def test_the_exact_change_of_the_validation_loss_is_that_of_a_new_solution():
    cell = Cell(Settings(**SMALL), task_of(Settings(), "digits", "cpu"), torch.device("cpu"))
    split = cell.split(0)
    ones = torch.ones_like(split.features[:, 0])
    test = (split.test_features, split.test_targets)
    ridge = PrimalRidge(split.features, split.targets, ones, 0.1)
    found = change_of_weights_elsewhere(ridge, torch.tensor([3, 5]), 0.0, test, 2.0)
    for place, row in enumerate((3, 5)):
        changed = ones.clone()
        changed[row] = 0.0
        other = PrimalRidge(split.features, split.targets, changed, 0.1)
        expected, _ = validation_derivative(other, *test, "ce", 2.0)
        torch.testing.assert_close(found[place], expected)


def test_the_shared_kernel_is_the_mean_product_of_all_outputs_gradients():
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LeakyReLU(), torch.nn.Linear(4, 2)).double()
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    images = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = shared_kernel(network, parameters, tuple(parameters), (images, images[:2]))
    rows = []
    for image in images:
        outputs = network(image)
        rows.append(
            torch.stack(
                [
                    torch.cat([g.flatten() for g in torch.autograd.grad(o, network.parameters(), retain_graph=True)])
                    for o in outputs
                ]
            )
        )
    stacked = torch.stack(rows)
    torch.testing.assert_close(found, torch.einsum("acp,bcp->ab", stacked, stacked[:2]) / 2)


def test_full_linearisation_fits_no_worse_than_the_last_layer():
    found = study.run(Settings(**{**SMALL, "seeds": (0,), "experiments": ("linearisation",)}))
    how = {"method": "Uniform", "metric": "error", "step": 0}
    last, every = (per_seed(found, setting=layers, **how)[0] for layers in ("last layer", "all layers"))
    network = per_seed(found, method="Network")[0]
    assert every < last + 1
    assert last < network + 2


@pytest.mark.real_data
def test_names_join_few_shots_of_the_bank_questions(monkeypatch):
    settings = Settings(**{**SMALL, "datasets": ("banking77",), "seeds": (0,), "experiments": ("names",)})

    def features(name, network="", flip="none", device="cpu"):
        _, labels, n_train, names = banking_sentences()
        generator = np.random.default_rng(0)
        centres = generator.normal(size=(77, 20))
        return Task(name, prepared(centres[labels] + generator.normal(size=(len(labels), 20))), labels, n_train, names)

    monkeypatch.setattr("reprise.diva.cell.load", features)
    monkeypatch.setattr("reprise.diva.growing.class_name_features", lambda *_: np.ones((77, 21)))
    found = study.run(settings)
    assert set(found.method) == {"DIVA Extend", "Random selection", "DIVA's order reversed"}


def test_settings_refuse_what_makes_no_sense():
    from reprise.catalogue import find_paper

    kind = settings_class(find_paper("diva"))
    assert kind is Settings
    for name, value in (("noise_rate", 1.5), ("n_steps", 0), ("temperature", 0.0), ("datasets", ["cub"])):
        with pytest.raises(SettingsError, match=name):
            Settings.checked({name: value})
    assert Settings().reduced_scale
    assert not Settings(network="resnet-34").reduced_scale
