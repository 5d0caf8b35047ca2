import numpy as np
import pytest
import torch

from reprise.in_domain.archive_check import check_sprites
from reprise.in_domain.grid import find_grid
from reprise.in_domain.sprites import render_sprites

GRID = find_grid("dsprites")


class RenderedArchive:
    """Stands for the archive: pixels 0 and 1, without its three gigabytes; some images may be spoilt."""

    def __init__(self, spoil=None):
        self.spoil = spoil

    def __len__(self):
        return len(GRID)

    def __getitem__(self, places):
        factors = GRID.factors(places)
        images = render_sprites(torch.from_numpy(factors))[:, 0].numpy() // 255
        return images if self.spoil is None else self.spoil(images, factors)


def test_an_archive_of_our_own_images_is_met_exactly():
    found = check_sprites(RenderedArchive(), 50)
    assert found.passed
    assert (found.n, found.exact_share, found.most_wrong_pixels, found.lowest_overlap) == (50, 1.0, 0, 1.0)


def test_images_moved_by_a_pixel_are_found():
    found = check_sprites(RenderedArchive(lambda images, _: np.roll(images, 1, axis=2)), 50)
    assert not found.passed
    assert found.exact_share == 0
    assert len(found.unlike) > 40


def test_a_single_wrong_pixel_is_counted_but_passes_on_large_shapes():
    def spoil(images, _):
        images[:, 0, 0] = 1
        return images

    found = check_sprites(RenderedArchive(spoil), 30)
    assert (found.exact_share, found.mean_wrong_pixels, found.most_wrong_pixels) == (0, 1, 1)
    assert found.lowest_overlap < 1


def test_a_last_orientation_that_is_not_the_first_is_found():
    def spoil(images, factors):
        images[factors[:, 2] == 39] = 1
        return images

    found = check_sprites(RenderedArchive(spoil), 20)
    assert len(found.unequal_ends) == 20


def test_the_same_images_are_drawn_each_time():
    assert check_sprites(RenderedArchive(), 20) == check_sprites(RenderedArchive(), 20)


@pytest.mark.parametrize(
    ("images", "n", "message"), [(np.zeros((5, 64, 64)), 1, "holds 5"), (RenderedArchive(), 0, "n=0")]
)
def test_archives_of_another_size_are_refused(images, n, message):
    with pytest.raises(ValueError, match=message):
        check_sprites(images, n)
