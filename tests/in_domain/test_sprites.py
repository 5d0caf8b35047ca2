import numpy as np
import pytest
import torch

from reprise.in_domain.frames import agreement, frame_factors, read_frames
from reprise.in_domain.sprites import render_sprites, sprite_renderer


def render(*factors):
    return render_sprites(torch.tensor([factors]))[0, 0].numpy()


@pytest.fixture(scope="module")
def agreements():
    factors = frame_factors()
    ours = render_sprites(torch.from_numpy(factors))[:, 0].numpy()
    return (factors[:, 0], *agreement(ours, read_frames()))


def test_every_original_frame_is_met(agreements):
    _, wrong, overlap = agreements
    assert overlap.min() >= 0.98
    assert overlap.mean() > 0.996
    assert wrong.mean() < 1
    assert wrong.max() <= 4


@pytest.mark.parametrize(("shape", "exact"), [(0, 60), (1, 46), (2, 110)])
def test_most_original_frames_are_met_pixel_by_pixel(agreements, shape, exact):
    shapes, wrong, _ = agreements
    assert (wrong[shapes == shape] == 0).sum() >= exact


def test_the_first_and_the_last_orientation_are_the_same_image():
    for shape in range(3):
        assert (render(shape, 5, 0, 3, 4) == render(shape, 5, 39, 3, 4)).mean() > 0.999


def test_x_moves_right_and_y_moves_down():
    columns, rows = np.arange(64)[None], np.arange(64)[:, None]
    right, down, corner = render(2, 5, 0, 31, 0) > 0, render(2, 5, 0, 0, 31) > 0, render(2, 5, 0, 0, 0) > 0
    assert (columns * right).sum() / right.sum() - (columns * corner).sum() / corner.sum() == pytest.approx(32, abs=0.5)
    assert (rows * down).sum() / down.sum() - (rows * corner).sum() / corner.sum() == pytest.approx(32, abs=0.5)


def test_areas_grow_with_the_square_of_the_scale():
    for shape, area in ((0, 19.2**2), (1, np.pi * 12.8 * 7.25)):
        for s in range(6):
            assert (render(shape, s, 7, 15, 15) > 0).sum() == pytest.approx(area * (0.5 + 0.1 * s) ** 2, rel=0.06)


def test_half_the_side_is_the_mean_over_two_by_two_pixels():
    factors = torch.tensor([[2, 5, 7, 3, 4]])
    large, small = render_sprites(factors)[0, 0].float(), sprite_renderer(32)(factors)[0, 0]
    expected = large.reshape(32, 2, 32, 2).mean((1, 3)).round()
    assert (small.float() == expected).all()
    with pytest.raises(ValueError, match="image_side=48"):
        sprite_renderer(48)
