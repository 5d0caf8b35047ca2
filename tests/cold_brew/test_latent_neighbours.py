import torch
from hypothesis import given
from hypothesis import strategies as st

from reprise.cold_brew import latent_neighbours as module
from reprise.cold_brew.latent_neighbours import attend


@given(st.integers(0, 10_000), st.integers(1, 9), st.sampled_from(["dot", "cosine"]), st.sampled_from([0.1, 1.0, 10.0]))
def test_attention_equals_equation_4_written_out(dense_attention, seed, k, similarity, temperature):
    torch.manual_seed(seed)
    guess, bank = torch.randn(6, 4, dtype=torch.float64), torch.randn(9, 4, dtype=torch.float64)
    index, weight = attend(guess, bank, k, temperature=temperature, similarity=similarity)
    mixed = (weight.unsqueeze(2) * bank[index]).sum(1)
    torch.testing.assert_close(mixed, dense_attention(guess, bank, k, temperature, similarity))
    torch.testing.assert_close(weight.sum(1), torch.ones(6, dtype=torch.float64))


def test_an_infinite_temperature_gives_the_mean_and_a_tiny_one_the_nearest():
    guess, bank = torch.randn(6, 4), torch.randn(9, 4)
    _, weight = attend(guess, bank, 3, temperature=float("inf"))
    torch.testing.assert_close(weight, torch.full((6, 3), 1 / 3))
    _, weight = attend(guess, bank, 3, temperature=1e-6)
    torch.testing.assert_close(weight[:, 0], torch.ones(6))


def test_blocks_of_queries_do_not_change_the_result(monkeypatch):
    guess, bank = torch.randn(50, 4), torch.randn(9, 4)
    whole = attend(guess, bank, 3, forbidden=torch.arange(50) % 9)
    monkeypatch.setattr(module, "BLOCK_ROWS", 7)
    parts = attend(guess, bank, 3, forbidden=torch.arange(50) % 9)
    assert torch.equal(whole[0], parts[0])
    torch.testing.assert_close(whole[1], parts[1])


def test_a_forbidden_row_is_never_found():
    bank = torch.randn(9, 4)
    index, _ = attend(bank, bank, 8, forbidden=torch.arange(9))
    assert not bool((index == torch.arange(9).unsqueeze(1)).any())
