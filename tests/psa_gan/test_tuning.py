"""The search for a learning rate stays away from what the study scores."""

import numpy as np
import pytest
import torch

from reprise.psa_gan.data import HELD_OUT, SplitPanel, load
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.settings import Settings
from reprise.psa_gan.tuning import SEED, TuningCell, correlation_with_real, found_rates, shortened, tried

SMALL = Settings(
    windows=(16,), steps=10, channels=4, context=8, batch_size=8, encoder_steps=3, timegan_steps=1,
    models=("PSA-GAN", "EBGAN", "TimeGAN"),
)  # fmt: skip


def test_neither_models_nor_scores_see_the_held_out_range():
    split, cell = load("daily-panel", SEED), TuningCell(SMALL, "daily-panel", SEED)
    assert torch.equal(cell.split.panel.values, split.train.values)
    assert torch.equal(cell.split.train_lengths, split.train_lengths - HELD_OUT)
    series, start = cell.conditions(16)
    assert bool((start >= cell.split.train_lengths[series]).all())
    assert bool((start + 16 <= split.train_lengths[series]).all())


def test_short_panels_are_refused():
    panel = TimeSeriesPanel(np.zeros((2, 600)), "2000-01-03", "h")
    with pytest.raises(ValueError, match="short trains on 376 steps, too few to hold out another 224"):
        shortened(SplitPanel("short", panel, HELD_OUT))


def test_correlation_is_of_pairs_and_their_median():
    real = torch.tensor([[0.0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]])
    fake = torch.stack([2 * real[0] + 5, -real[1], torch.tensor([1.0, 0, 3, 2])])
    assert correlation_with_real(fake, real) == pytest.approx(np.corrcoef(fake[2], real[2])[0, 1])
    assert correlation_with_real(torch.ones(1, 4), real[:1]) == 0


@pytest.mark.parametrize("model", ["PSA-GAN", "EBGAN", "TimeGAN"])
def test_every_model_is_trained_at_every_rate(model):
    found = tried(SMALL, model, (1e-3, 1e-2))
    assert [line["rate"] for line in found] == [1e-3, 1e-2]
    assert found[0]["context FID"] != found[1]["context FID"]
    assert found[0]["floor"] == found[1]["floor"]
    with pytest.raises(ValueError, match="seed=0 is one of the run's"):
        tried(SMALL, model, seed=0)


def test_the_published_rates_are_the_best_that_were_tried():
    from reprise.catalogue import find_paper
    from reprise.parameters import profile_parameters

    tried_rates = found_rates()
    given = profile_parameters(find_paper("psa-gan"), "standard")
    assert tried_rates.groupby("model")["rate"].apply(sorted).map(tuple).nunique() == 1  # one grid for all
    best = tried_rates.loc[tried_rates.groupby("model")["context FID"].idxmin()].set_index("model")["rate"]
    assert best.to_dict() == {name: given[rate] for name, rate in (
        ("PSA-GAN", "lr"), ("EBGAN", "ebgan_lr"), ("TimeGAN", "timegan_lr"))}  # fmt: skip
