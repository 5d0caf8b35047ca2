"""Small graphs that the tests of this chapter share."""

import pytest
import torch
from hypothesis import HealthCheck, settings
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
