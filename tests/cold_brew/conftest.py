"""Small graphs that the tests of this chapter share."""

import pytest
import torch
from hypothesis import HealthCheck, settings
from torch.nn import functional
from torch_geometric.utils import erdos_renyi_graph

from reprise.cold_brew.data import sub_topic_world

settings.register_profile("reprise", deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
settings.load_profile("reprise")


@pytest.fixture
def small_graph():
    """Edges of an undirected random graph of 12 nodes, node 11 without edges."""
    torch.manual_seed(3)
    return erdos_renyi_graph(11, 0.3)


@pytest.fixture(scope="session")
def world():
    """A small embedded world."""
    return sub_topic_world(0, n_nodes=240)


@pytest.fixture(scope="session")
def dense_attention():
    """Equation 4 as written: all scores, all but the K largest set to −∞, softmax, product."""

    def attended(guess, bank, k, temperature, similarity):
        if similarity == "cosine":
            scores = functional.normalize(guess, dim=1) @ functional.normalize(bank, dim=1).T
        else:
            scores = guess @ bank.T / bank.shape[1] ** 0.5
        kept = torch.full_like(scores, -torch.inf).scatter(1, scores.topk(k).indices, scores.topk(k).values)
        return torch.softmax(kept / temperature, 1) @ bank

    return attended
