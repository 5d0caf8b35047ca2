"""Spoilt windows: what each keeps and what it changes."""

import torch

from reprise.psa_gan.degradations import UNCHANGED, degraded


def test_each_degradation_changes_what_it_says():
    windows = torch.rand(50, 16, generator=torch.Generator().manual_seed(0))
    found = degraded(windows, torch.Generator().manual_seed(1))
    assert next(iter(found)) == UNCHANGED
    assert torch.equal(found[UNCHANGED], windows)
    torch.testing.assert_close(found["level + 0.1"] - windows, torch.full((50, 16), 0.1))
    torch.testing.assert_close(found["half the swing"].mean(1), windows.mean(1))
    torch.testing.assert_close(found["half the swing"].std(1), 0.5 * windows.std(1))
    assert torch.equal(found["time reversed"].flip(1), windows)
    assert torch.equal(found["steps shuffled"].sort(1).values, windows.sort(1).values)
    ratio = (found["noise of 0.15"] - windows) / (found["noise of 0.05"] - windows)
    torch.testing.assert_close(ratio, torch.full((50, 16), 3.0), rtol=1e-3, atol=1e-3)
    assert len({tuple(one.flatten().tolist()) for one in found.values()}) == len(found)
