"""Rows of matching: curves of exact solver, released loop and greedy, offline and online, with certificates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from reprise.compute import numpy_generator
from reprise.rim import measures
from reprise.rim.cell import Cell, Row, method_name
from reprise.rim.events import Numbers
from reprise.rim.greedy import greedy_assignment
from reprise.rim.linear_programme import best_assignment
from reprise.rim.matching import RATIO, Bounds, Prices, alternate, certify, solve
from reprise.rim.ranking import intensity_scores, item_rec
from reprise.rim.roots import one_sided_root

NETWORK = "GRU"
JUDGED_FACTORS = ("none", "HP")
OFFLINE, ONLINE = "offline", "online"
EXACT, LOOP, GREEDY, OTHER_PRICES = "exact", "released loop", "greedy", "exact, prices of other items"
PROGRAMME_MULTIPLIERS = (0.3, 0.7, 1.0, 3.0)
SAMPLE_SHARES = (0.125, 0.25, 0.5, 1.0)
SAMPLE_DRAWS = 4
NO_USER_BOUND = 100.0
PERCENTS = tuple(range(0, 101, 5))


def bounds_of(multiplier: float, k: int, c: int, n_items: int) -> Bounds:
    """Return the bounds of a point of the curve: a lower one of m c₁ for m < 1, an upper one of c₁ from m = 1."""
    if multiplier < 1:
        return Bounds(k, least=multiplier * c)
    return Bounds(n_items if multiplier >= NO_USER_BOUND else min(multiplier * k, n_items), most=c)


@dataclass(frozen=True)
class Scene:
    """The scores of one activity model on test and validation requests."""

    factor: str
    test: Numbers
    validation: Numbers

    @property
    def method(self) -> str:
        """Name of the scores in rows."""
        return method_name(NETWORK, self.factor)

    def fitted(self, served: str) -> Numbers:
        """Return the scores that prices are learnt from."""
        return self.test if served == OFFLINE else self.validation


@dataclass(frozen=True)
class _Point:
    """A point of the curve: whose scores, which bounds on the test, and who assigns."""

    scene: Scene
    multiplier: float
    bounds: Bounds
    served: str
    solver: str

    @property
    def columns(self) -> dict[str, Any]:
        """What names the point in rows."""
        how = {"multiplier": self.multiplier, "served": self.served, "solver": self.solver}
        return {"part": "matching", **how}

    @property
    def asked(self) -> float:
        """R: what an assignment has to deliver, or else be punished for."""
        n_users, n_items = self.scene.test.shape
        return float(self.bounds.per_user * n_users if self.bounds.most is None else self.bounds.most * n_items)


def matching_rows(cell: Cell) -> Iterator[Row]:
    """Yield the rows of matching of a data set and seed that has it."""
    s = cell.settings
    if cell.name not in s.matching_sets or cell.seed not in s.matching_seeds:
        return
    curve = cell.seed in s.curve_seeds
    for factor in dict.fromkeys([*JUDGED_FACTORS, *(s.curve_factors if curve else ())]):
        scene = _scene(cell, factor)
        wanted = s.judged_multipliers if factor in JUDGED_FACTORS else ()
        multipliers = sorted({*wanted, *(s.curve_multipliers if curve and factor in s.curve_factors else ())})
        yield from _free_rows(cell, scene)
        for multiplier in multipliers:
            yield from _point_rows(cell, scene, multiplier)
    if cell.seed in s.sample_size_seeds:
        yield from _sample_size_rows(cell, _scene(cell, "HP"))


def _scene(cell: Cell, factor: str) -> Scene:
    window = cell.split.validation[0]
    validation = intensity_scores(
        cell.probabilities(NETWORK, window), cell.activity(factor, window), cell.split.excluded(window)
    )
    return Scene(factor, cell.scores(NETWORK, factor), validation)


def _free_rows(cell: Cell, scene: Scene) -> Iterator[Row]:
    """Yield m = 0, items without bounds: each user's best k₁."""
    point = _Point(scene, 0.0, Bounds(cell.sizes[0]), OFFLINE, "none")
    yield from _measured(cell, point, item_rec(scene.test, cell.sizes[0]).astype(np.float64), blocks=True)


def _point_rows(cell: Cell, scene: Scene, multiplier: float) -> Iterator[Row]:
    s, (k, c) = cell.settings, cell.sizes
    n_users, n_items = scene.test.shape
    bounds = bounds_of(multiplier, k, c, n_items)
    judged = multiplier in s.judged_multipliers
    for served in (OFFLINE, ONLINE):
        fitted = scene.fitted(served)
        own = bounds.scaled_to(n_users, len(fitted))
        point = _Point(scene, multiplier, bounds, served, EXACT)
        prices = _exact(fitted, own, s.levels)
        yield from _solved(cell, point, prices, own, blocks=judged)
        if judged and scene.factor == "HP" and served == ONLINE:
            order = numpy_generator(cell.seed, "rim", cell.name, "other prices").permutation(n_items)
            other = replace(prices, values=prices.values[order])
            yield from _measured(cell, replace(point, solver=OTHER_PRICES), other.serve(scene.test))
        if cell.seed in s.loop_seeds and judged and scene.factor in JUDGED_FACTORS:
            start = numpy_generator(cell.seed, "rim", cell.name, "start of the loop").uniform(size=n_items)
            loop = alternate(fitted, own, -start if bounds.most is None else start)  # type: ignore[arg-type]
            yield from _solved(cell, replace(point, solver=LOOP), loop, own, blocks=True)
    if judged:
        chosen = greedy_assignment(scene.test, bounds).astype(np.float64)
        yield from _measured(cell, _Point(scene, multiplier, bounds, OFFLINE, GREEDY), chosen)
    if cell.seed in s.programme_seeds and multiplier in PROGRAMME_MULTIPLIERS:
        _, best = best_assignment(scene.test, bounds)
        programme = _Point(scene, multiplier, bounds, OFFLINE, "linear programme")
        yield cell.row(scene.method, "objective", best, **programme.columns)


def _exact(scores: Numbers, bounds: Bounds, levels: int) -> Prices:
    """Solve; without a user bound each item's price is a root of its own column."""
    if bounds.per_user < scores.shape[1] or bounds.most is None:
        return solve(scores, bounds, levels=levels)
    scale, smoothing = float(scores.max()), RATIO**-levels
    columns = torch.from_numpy(np.ascontiguousarray(scores.T) / scale)
    prices = one_sided_root(columns, bounds.most, smoothing).clamp(min=0).numpy()
    return Prices(prices, scale, smoothing, bounds.per_user, 1)


def _solved(cell: Cell, point: _Point, prices: Prices, own: Bounds, *, blocks: bool = False) -> Iterator[Row]:
    """Yield measures of serving the test with prices, and the certificate on the matrix that they were fitted on."""
    assignment = prices.serve(point.scene.test)
    yield from _measured(cell, point, assignment, blocks=blocks)
    if blocks and point.solver == EXACT:
        yield from _spread_rows(cell, point, assignment, prices)
    fitted = point.scene.fitted(point.served)
    found = certify(fitted, prices.serve(fitted), prices.values * prices.scale, own)
    facts = {
        "objective": found.objective,
        "gap (%)": 100 * found.gap,
        "shortfall (%)": 100 * found.shortfall,
        "excess (%)": 100 * found.excess,
        "evaluations": prices.n_evaluations,
    }
    for metric, value in facts.items():
        yield cell.row(point.scene.method, metric, value, **point.columns, split="fitted")


def shortfall(delivered: Numbers, least: float) -> float:
    """Return the share of a lower bound that is not delivered, mean over items."""
    return float(np.maximum(least - delivered, 0).mean()) / least


def _measured(cell: Cell, point: _Point, assignment: Numbers, *, blocks: bool = False) -> Iterator[Row]:
    """Yield measures of an assignment of the test, with sums by block where intervals are wanted."""
    method, bounds, delivered = point.scene.method, point.bounds, assignment.sum(0)
    facts = {
        "precision (%)": 100 * measures.precision(assignment, cell.targets, point.asked),
        "item perplexity": measures.perplexity(assignment),
        "user perplexity": measures.perplexity(assignment, axis=1),
        "items reached (%)": 100 * measures.coverage(assignment),
    }
    if bounds.least:
        facts["shortfall (%)"] = 100 * shortfall(delivered, bounds.least)
    if bounds.most:
        facts["excess (%)"] = 100 * float(np.maximum(delivered - bounds.most, 0).mean()) / bounds.most
    for metric, value in facts.items():
        yield cell.row(method, metric, value, **point.columns)
    if blocks:
        yield cell.row(method, "asked", point.asked, **point.columns)
        users = cell.blocks("users")
        for metric, values in (("hits", (assignment * cell.targets).sum(1)), ("delivered", assignment.sum(1))):
            yield from cell.block_rows(method, metric, measures.block_sums(values, users), **point.columns)
        yield from _rarity_rows(cell, point, assignment)


def _spread_rows(cell: Cell, point: _Point, assignment: Numbers, prices: Prices) -> Iterator[Row]:
    """Yield percentiles over items of what is delivered, in bounds, and of prices, in the largest score."""
    delivered = assignment.sum(0) / (point.bounds.most or point.bounds.least or 1.0)
    how = {**point.columns, "part": "spread over items"}
    for metric, values in (("delivered over bound", delivered), ("price over largest score", prices.values)):
        for percent, value in zip(PERCENTS, np.percentile(values, PERCENTS).tolist(), strict=True):
            yield cell.row(point.scene.method, metric, value, at=percent, **how)


def _rarity_rows(cell: Cell, point: _Point, assignment: Numbers) -> Iterator[Row]:
    """Yield exposures and hits of the rarest, middle and most popular third of the items."""
    order = np.argsort(cell.split.item_counts(), kind="stable")
    method, how = point.scene.method, point.columns
    for third, items in enumerate(np.array_split(order, 3), 1):
        shown = float(assignment[:, items].sum())
        hits = float((assignment[:, items] * cell.targets[:, items]).sum())
        yield cell.row(method, "exposures", shown, **how, at=third)
        if shown > 0:
            yield cell.row(method, "hits per exposure (%)", 100 * hits / shown, **how, at=third)


def _sample_size_rows(cell: Cell, scene: Scene) -> Iterator[Row]:
    """Yield how far delivery on the test is off when prices are learnt from fewer validation requests."""
    k, c = cell.sizes
    n_users, n_items = scene.test.shape
    bounds = bounds_of(0.7, k, c, n_items)
    draw = numpy_generator(cell.seed, "rim", cell.name, "sample size")
    for share in SAMPLE_SHARES:
        n = round(share * len(scene.validation))
        off = []
        for _ in range(SAMPLE_DRAWS if share < 1 else 1):
            places = np.sort(draw.choice(len(scene.validation), n, replace=False))
            prices = solve(scene.validation[places], bounds.scaled_to(n_users, n), levels=cell.settings.levels)
            off.append(shortfall(prices.serve(scene.test).sum(0), bounds.least or 1.0))
        yield cell.row(scene.method, "shortfall (%)", 100 * float(np.mean(off)), part="sample size", at=n)
