"""The rivals against brute force and hand-made cases."""

from itertools import permutations

import numpy as np
import pytest
import torch

from reprise.compute import numpy_generator
from reprise.diva.baselines import HeadOptions, confident_learning, knn_shapley_values, train_heads
from reprise.diva.generators import make_task


def brute_force_shapley(features, labels, n_neighbours):
    """Mean over validation rows of the Shapley value by all orders of the other rows."""
    n_rows = len(features)
    values = np.zeros(n_rows)
    for row in range(n_rows):
        others = [i for i in range(n_rows) if i != row]
        distance = ((features - features[row]) ** 2).sum(1)

        def utility(chosen, row=row, distance=distance):
            nearest = sorted(chosen, key=lambda i: distance[i])[:n_neighbours]
            return sum(labels[i] == labels[row] for i in nearest) / n_neighbours

        orders = list(permutations(others))
        for order in orders:
            for place, sample in enumerate(order):
                values[sample] += (utility(order[: place + 1]) - utility(order[:place])) / len(orders)
    return values / (n_rows - 1)


@pytest.mark.parametrize("n_neighbours", [1, 2, 3, 9])
def test_nearest_neighbour_shapley_values_are_those_of_all_orders(n_neighbours):
    generator = np.random.default_rng(0)
    features, labels = generator.normal(size=(6, 2)), np.array([0, 1, 0, 0, 1, 1])
    expected = brute_force_shapley(features, labels, n_neighbours)
    found = knn_shapley_values(torch.from_numpy(features), torch.from_numpy(labels), n_neighbours, chunk=4)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_several_labellings_at_once_are_those_one_by_one():
    task = make_task(50, 6, 3, noise=0.2)
    features = torch.from_numpy(task.features)
    variants = torch.from_numpy(np.stack([task.labels, task.true_labels]))
    together = knn_shapley_values(features, variants)
    for own, labels in zip(together, variants, strict=True):
        torch.testing.assert_close(own, knn_shapley_values(features, labels))


def test_wrong_labels_have_low_shapley_values():
    task = make_task(200, 8, 3, noise=0.1)
    values = knn_shapley_values(torch.from_numpy(task.features), torch.from_numpy(task.labels)).numpy()
    wrong = task.labels != task.true_labels
    assert values[wrong].mean() < 0 < values[~wrong].mean()


def test_confident_learning_suspects_what_contradicts_the_probabilities():
    labels = np.repeat([0, 1], 20)
    probabilities = np.where(labels[:, None] == [0, 1], 0.9, 0.1)
    labels[[0, 39]] = [1, 0]
    suspicion, called = confident_learning(labels, probabilities)
    assert set(np.argsort(suspicion)[-2:]) == {0, 39}
    assert called[[0, 39]].all()


def head_task():
    task = make_task(150, 8, 3)
    return torch.from_numpy(task.features).float(), torch.from_numpy(task.true_labels)


@pytest.mark.parametrize("weighting", ["uniform", "L2RW", "Active Bias"])
def test_heads_learn_and_a_grid_gives_what_single_trainings_give(weighting):
    features, labels = head_task()
    stream = (0, "test")
    options = HeadOptions(weighting, (0.05, 0.2), (0.0, 1e-3), n_epochs=15, batch_size=50)
    heads = train_heads((features, labels), (features[:40], labels[:40]), options, stream)
    for place, (rate, decay) in enumerate(options.grid()):
        single = HeadOptions(weighting, (rate,), (decay,), 15, 50)
        own = train_heads((features, labels), (features[:40], labels[:40]), single, stream)[0]
        torch.testing.assert_close(heads[place], own, rtol=1e-3, atol=1e-4)
    accuracy = ((features @ heads[1]).argmax(1) == labels).float().mean()
    assert accuracy > 0.8


def test_the_uniform_head_descends_the_gradient_of_cross_entropy():
    features, labels = head_task()
    options = HeadOptions("uniform", (0.1,), (0.0,), n_epochs=1, batch_size=150)
    head = train_heads((features, labels), None, options, (0, "test"))[0]
    start = torch.zeros(8, 3, requires_grad=True)
    torch.nn.functional.cross_entropy(features @ start, labels).backward()
    torch.testing.assert_close(head, -0.1 * start.grad)


def test_l2rw_gives_weight_only_to_rows_that_agree_with_the_validation_batch():
    features = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    labels = torch.tensor([0, 1, 2])
    validation = (torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    options = HeadOptions("L2RW", (1.0,), (0.0,), n_epochs=1, batch_size=3)
    head = train_heads((features, labels), validation, options, (0, "test"))[0]
    # Only the first row's gradient agrees; it alone moves the head, along its own feature.
    torch.testing.assert_close(head[0], torch.tensor([2 / 3, -1 / 3, -1 / 3]))
    assert head[1].abs().max() == 0


def test_equal_streams_give_equal_batches():
    one, other = (numpy_generator(3, "test", "batches").permutation(5).tolist() for _ in range(2))
    assert one == other
