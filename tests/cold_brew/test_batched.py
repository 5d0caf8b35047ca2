import pytest
import torch
from torch.nn import functional

from reprise.cold_brew.batched import BatchedGCN, fit_batched
from reprise.cold_brew.graph import Propagation
from reprise.cold_brew.layers import SEGCN
from reprise.cold_brew.training import Recipe, fit


@pytest.fixture
def problem(small_graph):
    torch.manual_seed(0)
    return torch.randn(12, 5), Propagation.from_edges(small_graph, 12), torch.arange(12) % 3, torch.arange(12) < 8


def make_models(se, n_models=3):
    torch.manual_seed(1)
    # From noise: equal outputs of embeddings that are all zero would show nothing.
    return [SEGCN(5, 4, 3, num_nodes=12, se=se, dropout=0.0, se_std=0.5) for _ in range(n_models)]


@pytest.mark.parametrize("se", ["none", "first"])
def test_one_pass_gives_every_models_output(problem, se):
    x, edges, _, _ = problem
    models = make_models(se)
    torch.testing.assert_close(BatchedGCN(models)(x, edges), torch.stack([model(x, edges) for model in models]))


@pytest.mark.parametrize("se", ["none", "first"])
def test_training_together_equals_training_one_by_one(problem, se):
    x, edges, y, train = problem
    models, penalties = make_models(se), [0.0, 1.0, 10.0]
    batched = BatchedGCN(models)
    fit_batched(batched, x, edges, y, train, epochs=30, se_penalties=penalties)
    for model, penalty in zip(models, penalties, strict=True):

        def loss(model=model, penalty=penalty):
            value = functional.cross_entropy(model(x, edges)[train], y[train])
            return value + penalty * model.structural_penalty()

        fit(model, loss, Recipe(epochs=30))
    expected = torch.stack([model(x, edges) for model in models])
    torch.testing.assert_close(batched(x, edges), expected, rtol=1e-3, atol=1e-4)


def test_models_that_cannot_share_a_pass_are_refused():
    with pytest.raises(ValueError, match="empty"):
        BatchedGCN([])
    with pytest.raises(ValueError, match="two layers"):
        BatchedGCN([SEGCN(5, 4, 3, 3, se="none")])
    with pytest.raises(ValueError, match="2 different shapes"):
        BatchedGCN([SEGCN(5, 4, 3, se="none"), SEGCN(5, 6, 3, se="none")])


def test_models_with_a_norm_or_the_codes_scaling_are_refused():
    for options, message in [({"norm": "pair"}, "no normalisation"), ({"se_scaling": "code"}, "as Eq. 2")]:
        with pytest.raises(ValueError, match=message):
            BatchedGCN([SEGCN(3, 4, 2, num_nodes=5, **options)])
