import math

import pytest
import torch
from torch.distributions import Laplace, Normal, kl_divergence

from reprise.in_domain.pairs import interleave, separate
from reprise.in_domain.representations import (
    PCL,
    AdaGVAE,
    BetaVAE,
    SlowVAE,
    laplace_cross_entropy,
    normal_kl,
    share_posterior,
)


def generator():
    return torch.Generator().manual_seed(0)


def test_the_kl_is_that_of_torchs_distributions():
    mean, log_variance = torch.randn(7, 10), torch.randn(7, 10)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(normal_kl(mean, log_variance), expected)


@pytest.mark.parametrize(("m", "sigma"), [(0.0, 1.0), (0.7, 0.3), (-2.0, 0.5)])
def test_the_laplace_cross_entropy_is_the_expectation_it_stands_for(m, sigma):
    draws = Normal(m, sigma).sample((400_000,))
    by_sampling = -Laplace(0.0, 1 / 6.0).log_prob(draws).mean()
    found = laplace_cross_entropy(torch.tensor(m), torch.tensor(sigma))
    assert found.item() == pytest.approx(by_sampling.item(), rel=0.01)


def test_the_laplace_cross_entropy_has_the_papers_form_and_a_gradient():
    m, sigma = torch.tensor(0.4, dtype=torch.float64), torch.tensor(0.8, dtype=torch.float64)
    phi = Normal(0.0, 1.0).cdf(m / sigma)
    form = (
        -math.log(3) + 6 * sigma * math.sqrt(2 / math.pi) * torch.exp(-(m**2) / (2 * sigma**2)) - 6 * m * (1 - 2 * phi)
    )
    assert laplace_cross_entropy(m, sigma).item() == pytest.approx(form.item(), rel=1e-6)
    assert torch.autograd.gradcheck(laplace_cross_entropy, (m.requires_grad_(), sigma.requires_grad_()))


def test_ada_gvae_shares_what_hardly_differs_and_keeps_the_rest():
    mean = torch.tensor([[0.0, 0.0, 1.0], [0.0, 4.0, 1.2]])
    log_variance = torch.log(torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 3.0]]))
    found_mean, found_log = share_posterior(mean, log_variance)
    assert found_mean.tolist() == [[0, 0, pytest.approx(1.1)], [0, 4, pytest.approx(1.1)]]
    torch.testing.assert_close(found_log.exp()[:, 2], torch.tensor([2.0, 2.0]))


def test_the_threshold_uses_twice_the_kl_of_the_pair():
    mean, log_variance = torch.randn(2, 10), torch.randn(2, 10)
    d = 2 * kl_divergence(*(Normal(mean[i], (log_variance[i] / 2).exp()) for i in (0, 1)))
    shared = d <= (d.max() + d.min()) / 2
    found, _ = share_posterior(mean, log_variance)
    assert ((found[0] == found[1]) == shared).all()


def test_beta_one_with_a_useless_decoder_is_the_entropy_of_a_coin_per_pixel():
    model = BetaVAE(1, 5, 32)
    for parameter in model.decoder.parameters():
        torch.nn.init.zeros_(parameter)
    for parameter in model.encoder.parameters():
        torch.nn.init.zeros_(parameter)
    assert model.loss(torch.rand(4, 1, 32, 32), generator()).item() == pytest.approx(1024 * math.log(2), rel=1e-5)


def test_kl_scale_one_is_the_textbooks_ada_gvae():
    images = torch.rand(4, 1, 32, 32)
    torch.manual_seed(0)
    model = AdaGVAE(1, 5, 32, kl_scale=1.0)
    mean, log_variance = share_posterior(*model.encode(images))
    expected = model.reconstruction(images, mean, log_variance, generator()) + normal_kl(mean, log_variance)
    torch.testing.assert_close(model.loss(images, generator()), expected)
    model.kl_scale = 4.0
    torch.testing.assert_close(model.loss(images, generator()), expected + 3 * normal_kl(mean, log_variance))


def test_the_contrastive_logit_by_hand():
    model = PCL(1, 5, 32)
    now, before = torch.tensor([[1.0] * 10]), torch.tensor([[0.5] * 10])
    assert model.logit(now, before).item() == pytest.approx(-10 * 0.5 + 10 * 1.0)
    assert model.logit(now, now).item() == pytest.approx(10)


@pytest.mark.parametrize("kind", [AdaGVAE, SlowVAE, PCL])
def test_models_of_pairs_refuse_an_odd_batch(kind):
    with pytest.raises(ValueError, match="no pairs; give an even number"):
        kind(1, 5, 32).loss(torch.rand(3, 1, 32, 32), generator())


@pytest.mark.parametrize("kind", [BetaVAE, AdaGVAE, SlowVAE, PCL])
@pytest.mark.parametrize(("channels", "side"), [(1, 32), (3, 64)])
def test_losses_are_finite_and_reach_every_weight_of_the_encoder(kind, channels, side):
    model = kind(channels, 5, side)
    model.loss(torch.rand(4, channels, side, side), generator()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.encoder.parameters())
    assert all(p.grad is None for p in model.read_out.parameters())


def test_interleaving_and_separating_are_inverse():
    first, second = torch.randn(5, 2), torch.randn(5, 2)
    together = interleave(first, second)
    assert torch.equal(together[1], second[0])
    for one, other in zip(separate(together), (first, second), strict=True):
        assert torch.equal(one, other)
