"""Images for the tests: drawn ones and those on which roundings and empty histograms show."""

import numpy as np
import torch


def noise(count=6, channels=3, size=(32, 32), seed=0):
    numbers = np.random.default_rng(seed)
    return torch.from_numpy(numbers.integers(0, 256, (count, channels, *size), dtype=np.uint8))


def pictures(channels=3, size=(32, 32)):
    """Noise, smooth gradients, few values, one value, dark, and light images: (B, C, H, W)."""
    height, width = size
    numbers = np.random.default_rng(1)
    y, x = np.mgrid[:height, :width]
    planes = [
        255 * x / (width - 1),
        255 * y / (height - 1),
        255 * (x + y) / (height + width - 2),
        np.where((x // 3 + y // 3) % 2, 250.0, 7.0),
        np.full((height, width), 77.0),
        40 + 30 * np.sin(x / 3) + 20 * np.cos(y / 5),
        200 + 55 * (x > width / 2),
        255 * np.exp(-((x - width / 3) ** 2 + (y - height / 2) ** 2) / 40),
    ]
    drawn = [np.stack([planes[(at + 3 * c) % len(planes)] for c in range(channels)]) for at in range(len(planes))]
    drawn += [numbers.normal(110, 30, (channels, height, width)) for _ in range(2)]
    drawn += [np.stack([planes[4]] * channels), np.stack([planes[0]] * channels)]
    smooth = torch.from_numpy(np.clip(np.stack(drawn), 0, 255).astype(np.uint8))
    return torch.cat([noise(4, channels, size), smooth])
