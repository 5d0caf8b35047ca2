import pytest
import torch

from reprise.giant_xrt.generators import text_blocks


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def blocks():
    return text_blocks(n=400, random_state=3)
