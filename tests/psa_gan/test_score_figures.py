"""Figures of scores on drawn rows: the floor among geometric means, and what is lowest on equal seeds."""

import pytest

from reprise import rows as tidy_rows
from reprise.psa_gan import figures
from reprise.psa_gan.names import EBGAN, LAST_SEASON, PSA

FLOORS = (0.01, 0.04, 0.16)  # 0.04 is their geometric mean


def row(method, metric, value, seed, part="level", **columns):
    common = {"dataset": "m4-hourly", "split": "test", "window": 64.0, "step": None, "at": None, "place": None}
    return {**common, "part": part, "method": method, "metric": metric, "value": value, "seed": seed, **columns}


@pytest.fixture(scope="module")
def rows():
    found = []
    for seed, floor in enumerate(FLOORS):
        # Encoders differ in scale from seed to seed; last week is ahead within each.
        for method, factor in ((PSA, 6.0), (LAST_SEASON, 2.0)):
            found.append(row(method, "context FID", factor * floor, seed))
            found.append(row(method, "floor", floor, seed))
        for step in (0.0, 100.0):
            found.append(row(PSA, "context FID", 6.0 * floor, seed, "curve", step=step))
            found.append(row(PSA, "floor", floor, seed, "curve", step=step))
    # A rival with the seed of the smallest scale alone: its mean is the lowest, and it is behind in that seed.
    found += [row(EBGAN, "context FID", 5.0 * FLOORS[0], 0), row(EBGAN, "floor", FLOORS[0], 0)]
    return tidy_rows.tidy(found)


def test_the_lowest_score_is_that_of_equal_seeds(rows):
    drawing = figures.draw_levels(rows)
    assert f"{LAST_SEASON} scores lowest; {PSA}'s score is 3.0 [3.0, 3.0] times as high" in drawing.alt


def test_the_floor_is_a_geometric_mean_as_the_scores_are(rows):
    for drawing in (figures.draw_levels(rows), figures.draw_curve_of_scores(rows)):
        floor = drawing.data.loc[drawing.data["method"] == "floor", "mean"]
        assert floor.to_list() == pytest.approx([0.04])
