import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from reprise.grda.batches import draw_rows, problem_of, tables_of
from reprise.grda.domain_embedding import fit_domain_embedding
from reprise.grda.generators import make_dg
from reprise.grda.graphs import clique_graph, empty_graph
from reprise.grda.objectives import METHODS, LossOptions, find_objective
from reprise.grda.probe import fresh_discriminator_ratio
from reprise.grda.training import FlatAdam, TrainingOptions, _batches, make_networks, train

DOMAINS = make_dg(15, seed=3, points_per_class=12)
EMBEDDING = fit_domain_embedding(DOMAINS.adjacency)
SMALL = TrainingOptions(hidden_width=32, n_steps=30)


def problems(seeds, domains=DOMAINS, **options):
    return [problem_of(domains, EMBEDDING, seed, **options) for seed in seeds]


def regression():
    generator = np.random.default_rng(0)
    targets = DOMAINS.features @ generator.normal(size=(2, 6))
    return replace(DOMAINS, name="planes", task="regression", targets=targets)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("method", METHODS)
def test_a_seed_gets_the_same_bits_alone_and_in_company(method, task):
    domains = DOMAINS if task == "classification" else regression()
    options = replace(SMALL, method=method)
    together = train(problems([0, 1, 7], domains), options)
    for s, seed in enumerate([0, 1, 7]):
        alone = train(problems([seed], domains), options)
        rows = (domains.features, domains.domain)
        assert np.array_equal(together.predict(*rows)[s], alone.predict(*rows)[0])
        assert np.array_equal(together.prediction_loss[:, s], alone.prediction_loss[:, 0])
        assert np.array_equal(together.adversarial_loss[:, s], alone.adversarial_loss[:, 0])


@pytest.mark.parametrize("pairing", ["independent", "row", "crossed"])
def test_the_same_seed_trains_the_same_network_twice(pairing):
    first, second = (train(problems([0]), replace(SMALL, pairing=pairing)) for _ in range(2))
    assert np.array_equal(first.adversarial_loss, second.adversarial_loss)


@pytest.mark.parametrize("method", METHODS)
def test_sources_are_learned(method):
    trained = train(problems([0]), replace(SMALL, method=method, n_steps=200))
    rows = DOMAINS.labelled
    predicted = trained.predict(DOMAINS.features[rows], DOMAINS.domain[rows])[0].argmax(1)
    assert (predicted == DOMAINS.targets[rows]).mean() > 0.95


@pytest.mark.parametrize("method", METHODS)
def test_target_labels_never_reach_training(method):
    flipped = DOMAINS.targets.copy()
    unlabelled = ~DOMAINS.source[DOMAINS.domain]
    flipped[unlabelled] = 1 - flipped[unlabelled]
    options = replace(SMALL, method=method, n_steps=5)
    plain, other = (
        train(problems([0], replace(DOMAINS, targets=targets)), options) for targets in (DOMAINS.targets, flipped)
    )
    assert np.array_equal(plain.prediction_loss, other.prediction_loss)
    assert np.array_equal(
        plain.encode(DOMAINS.features, DOMAINS.domain), other.encode(DOMAINS.features, DOMAINS.domain)
    )


def gradients(method, weight):
    options = replace(SMALL, method=method, adversarial_weight=weight, n_steps=1)
    own = problems([0])
    networks = make_networks(own, options, torch.device("cpu"))
    objective = find_objective(method)
    (batch,) = _batches(own, options, objective, tables_of(own, torch.device("cpu")))
    losses = objective.losses(networks, batch, LossOptions("classification", weight))
    losses.total.sum().backward()
    flat = {
        name: torch.cat([p.grad.flatten() for p in module.parameters()]) for name, module in networks.modules().items()
    }
    return flat, networks, batch, objective


@pytest.mark.parametrize("method", [method for method in METHODS if method != "source-only"])
@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0, 2.0])
def test_the_discriminator_gets_its_own_full_gradient_whatever_the_adversarial_weight(method, weight):
    # In the released loop it gets (1 - weight) times it: nothing at weight 1, and ascent above.
    got, *_ = gradients(method, weight)
    at_zero, *_ = gradients(method, 0.0)
    assert at_zero["discriminator"].abs().max() > 0
    torch.testing.assert_close(got["discriminator"], at_zero["discriminator"])


@pytest.mark.parametrize("method", ["dann", "cdann", "mdd", "grda"])
def test_the_encoder_ascends_on_the_discriminators_loss(method):
    both, *_ = gradients(method, 1.0)
    without, networks, batch, objective = gradients(method, 0.0)
    loss = objective.losses(networks, batch, LossOptions("classification", -1.0)).adversarial.sum()
    parameters = list(networks.encoder.parameters())
    # With weight -1 reversal is the identity: the plain gradient of L_d.
    plain = torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)])
    torch.testing.assert_close(both["encoder"] - without["encoder"], -plain, atol=1e-6, rtol=1e-3)
    torch.testing.assert_close(both["predictor"], without["predictor"])


@pytest.mark.parametrize("method", [method for method in METHODS if method != "source-only"])
def test_a_discriminator_step_lowers_its_loss_and_an_encoder_step_raises_it(method):
    options = replace(SMALL, method=method, n_steps=1, adversarial_weight=1000.0)
    own = problems([0])
    networks = make_networks(own, options, torch.device("cpu"))
    objective = find_objective(method)
    (batch,) = _batches(own, options, objective, tables_of(own, torch.device("cpu")))

    def adversarial():
        return objective.losses(networks, batch, LossOptions("classification", 1000.0)).adversarial.item()

    start = adversarial()
    optimiser = FlatAdam(list(networks.discriminator.parameters()), 1e-3, math.inf)
    for _ in range(20):
        optimiser.step(objective.losses(networks, batch, LossOptions("classification", 0.0)).total.sum())
    trained = adversarial()
    assert trained < start
    optimiser = FlatAdam(list(networks.encoder.parameters()), 1e-4, math.inf)
    for _ in range(3):
        optimiser.step(objective.losses(networks, batch, LossOptions("classification", 1000.0)).total.sum())
    assert adversarial() > trained


def test_flat_adam_is_adam_with_halving_learning_rate():
    flat = [torch.nn.Parameter(torch.randn(3, 5)), torch.nn.Parameter(torch.randn(7))]
    plain = [torch.nn.Parameter(p.detach().clone()) for p in flat]
    ours, reference = FlatAdam(flat, 0.1, half_life_steps=2), torch.optim.Adam(plain, lr=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(reference, lambda step: 0.5 ** (step / 2))
    for _ in range(6):
        ours.step(flat[0].square().sum() + flat[1].sin().sum())
        reference.zero_grad()
        (plain[0].square().sum() + plain[1].sin().sum()).backward()
        reference.step()
        schedule.step()
    for a, b in zip(flat, plain, strict=True):
        torch.testing.assert_close(a, b)


def test_the_history_of_the_paper_start_is_that_of_an_uninformative_discriminator():
    trained = train(problems([0]), replace(SMALL, initialisation="paper", n_steps=3))
    np.testing.assert_allclose(trained.discriminator_loss_ratio, 1, atol=1e-6)


@pytest.mark.parametrize("graph", [clique_graph(15), empty_graph(15)])
@pytest.mark.parametrize("self_pairs", ["exclude", "nonedge"])
def test_a_clique_or_an_empty_graph_in_the_discriminator_trains_without_nan(graph, self_pairs):
    trained = train(problems([0], adjacency=graph), replace(SMALL, self_pairs=self_pairs))
    assert np.isfinite(trained.adversarial_loss).all()
    assert np.isfinite(trained.predict(DOMAINS.features, DOMAINS.domain)).all()


def test_independent_rows_are_drawn_without_replacement_per_domain():
    rows = draw_rows(np.array([20, 20, 7]), 5, 8, np.random.default_rng(0))
    assert rows.shape == (8, 3, 5)
    assert all(len(set(batch.tolist())) == 5 for step in rows for batch in step)
    assert not np.array_equal(rows[:, 0], rows[:, 1])
    assert rows[:, 2].max() < 7
    # An epoch of 20 rows is four steps of five.
    assert sorted(rows[:4, 0].ravel().tolist()) == list(range(20))


def test_paired_rows_are_the_same_numbers_in_every_domain():
    rows = draw_rows(np.array([20, 20]), 5, 8, np.random.default_rng(0), paired=True)
    assert np.array_equal(rows[:, 0], rows[:, 1])


def test_a_domain_smaller_than_the_batch_is_drawn_with_replacement():
    rows = draw_rows(np.array([3]), 10, 4, np.random.default_rng(0))
    assert rows.shape == (4, 1, 10)
    assert set(rows.ravel().tolist()) == {0, 1, 2}


def test_methods_share_their_start_and_their_batches():
    starts = [
        next(make_networks(problems([0]), replace(SMALL, method=m), torch.device("cpu")).encoder.parameters())
        for m in ("dann", "grda")
    ]
    assert torch.equal(*starts)
    own = problems([0])
    tables = tables_of(own, torch.device("cpu"))
    batches = [
        next(iter(_batches(own, replace(SMALL, method=m), find_objective(m), tables))).features
        for m in ("dann", "grda")
    ]
    assert torch.equal(*batches)


def test_problems_of_different_sizes_are_not_trained_together():
    other = make_dg(16, max_angle=3.0, growth=1.8, seed=0)
    mixed = [*problems([0]), problem_of(other, np.zeros((16, 2)), 0)]
    with pytest.raises(ValueError, match="2 different sizes"):
        train(mixed, SMALL)


def test_a_fresh_discriminator_finds_the_domains_in_untrained_encodings_and_nothing_in_noise():
    trained = train(problems([0]), replace(SMALL, method="source-only", n_steps=1))
    assert fresh_discriminator_ratio(trained, n_steps=300)[0] < 0.95
    with torch.no_grad():
        for parameter in trained.networks.encoder.parameters():
            parameter.zero_()
    assert fresh_discriminator_ratio(trained, n_steps=50)[0] == pytest.approx(1, abs=0.01)


def test_row_pairing_leaks_the_labels_of_sorted_rows_and_independent_pairing_does_not():
    domains = make_dg(15, seed=0, ordered=True)
    own = [problem_of(domains, fit_domain_embedding(domains.adjacency), 0)]
    accuracy = {}
    for pairing in ("row", "independent"):
        trained = train(own, TrainingOptions(pairing=pairing, n_steps=500))
        rows = domains.evaluation
        predicted = trained.predict(domains.features[rows], domains.domain[rows])[0].argmax(1)
        accuracy[pairing] = (predicted == domains.targets[rows]).mean()
    assert accuracy["row"] > 0.9 > accuracy["independent"] + 0.1
