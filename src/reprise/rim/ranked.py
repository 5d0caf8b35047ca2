"""Rows of both rankings: every mark with every activity model, baselines, oracles, and what else can be said of λ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import rankdata

from reprise.compute import numpy_generator
from reprise.rim import measures
from reprise.rim.activity import FURTHER_MODELS, PAPERS_MODELS, hawkes_weights, poisson_weights
from reprise.rim.baselines import baseline_scores, item_popularity
from reprise.rim.cell import Cell, Row, method_name
from reprise.rim.data import EMBEDDED
from reprise.rim.events import Numbers, Requests
from reprise.rim.generators import HORIZON, TEST_TIME, make_shoppers
from reprise.rim.grids import PAPERS_GRID, losses_of_hawkes, losses_of_hp
from reprise.rim.kernel_features import SCALES
from reprise.rim.ranking import intensity_scores, item_rec, user_rec

ITEM_REC, USER_REC = "ItemRec", "UserRec"


def data_rows(cell: Cell) -> Iterator[Row]:
    """Yield the sizes of the split."""
    split = cell.split
    k, c = cell.sizes
    active = split.test.n_future > 0
    facts = {
        "training events": len(split.train),
        "users": len(split.test),
        "items": len(split.candidates),
        "targets": cell.targets.sum(),
        "active users": active.sum(),
        "items for a user": k,
        "users for an item": c,
        "repeated targets (%)": 100 * _repeated(cell),
        "horizon": split.horizon,
        "neighbouring events at one time (%)": 100 * split.test.share_of_ties(),
        "item perplexity of histories": measures.perplexity(
            split.test.past_counts(len(split.train.items))[:, split.candidates].toarray()
        ),
        "user perplexity of histories": measures.perplexity(split.test.n_past[:, None], axis=1),
    }
    for metric, value in facts.items():
        yield cell.row("data", metric, value, part="data")


def _repeated(cell: Cell) -> float:
    past = cell.split.test.past_counts(len(cell.split.train.items))[:, cell.split.candidates].toarray() > 0
    return float((cell.targets * past).sum() / cell.targets.sum())


def ranking_rows(cell: Cell) -> Iterator[Row]:
    """Yield precision, recall and perplexity of all methods, and their hits by block."""
    base = dict.fromkeys(cell.networks, True)
    for network in base:
        yield from _item_rows(cell, network, cell.scores(network, "none"))
        for factor in PAPERS_MODELS:
            scores = cell.scores(network, factor)
            yield from _user_rows(cell, method_name(network, factor), scores)
            yield from _identity_rows(cell, network, factor, scores)
            if network == "GRU":
                yield from _by_user_rows(cell, method_name(network, factor), scores)
    n_users = len(cell.split.test)
    popularity = np.tile(item_popularity(cell.split), (n_users, 1))
    for factor in PAPERS_MODELS:
        scores = intensity_scores(popularity, cell.activity(factor, cell.split.test), cell.excluded)
        yield from _user_rows(cell, method_name("ItemPop", factor), scores)
        if factor == "none":
            yield from _item_rows(cell, "ItemPop", scores)
    yield from _baseline_rows(cell)
    yield from _further_rows(cell)
    yield from _recommended_rows(cell)


def _user_rows(cell: Cell, method: str, scores: Numbers) -> Iterator[Row]:
    """Yield measures of the c₁ best users of each item."""
    chosen = user_rec(scores, cell.sizes[1])
    how = {"part": "ranking", "task": USER_REC}
    yield cell.row(method, "precision (%)", 100 * measures.precision(chosen, cell.targets), **how)
    yield cell.row(method, "recall (%)", 100 * measures.recall(chosen, cell.targets, axis=0), **how)
    yield cell.row(method, "user perplexity", measures.perplexity(chosen, axis=1), **how)
    sums = measures.block_sums((chosen * cell.targets).sum(0), cell.blocks("items"))
    yield from cell.block_rows(method, "hits", sums, **how)


def _by_user_rows(cell: Cell, method: str, scores: Numbers) -> Iterator[Row]:
    """Yield hits and recommendations of UserRec by block of *users*: one active user is a hit of many items at once."""
    chosen, users = user_rec(scores, cell.sizes[1]), cell.blocks("users")
    how = {"part": "resampled users", "task": USER_REC}
    for metric, values in (("hits", (chosen * cell.targets).sum(1)), ("recommended", chosen.sum(1))):
        yield from cell.block_rows(method, metric, measures.block_sums(values.astype(np.float64), users), **how)


def _item_rows(cell: Cell, method: str, scores: Numbers) -> Iterator[Row]:
    """Yield measures of the k₁ best items of each user, the released code's wrong recall among them."""
    chosen = item_rec(scores, cell.sizes[0])
    how = {"part": "ranking", "task": ITEM_REC}
    yield cell.row(method, "precision (%)", 100 * measures.precision(chosen, cell.targets), **how)
    yield cell.row(method, "recall (%)", 100 * measures.recall(chosen, cell.targets), **how)
    yield cell.row(method, "recall as released (%)", 100 * measures.released_item_recall(chosen, cell.targets), **how)
    yield cell.row(method, "item perplexity", measures.perplexity(chosen), **how)
    sums = measures.block_sums((chosen * cell.targets).sum(1), cell.blocks("users"))
    yield from cell.block_rows(method, "hits", sums, **how)


def _identity_rows(cell: Cell, network: str, factor: str, scores: Numbers) -> Iterator[Row]:
    """Yield how many users keep exactly their items when λ is multiplied in, and how many items keep their users."""
    if factor == "none":
        return
    plain, method = cell.scores(network, "none"), method_name(network, factor)
    k, c = cell.sizes
    same_items = (item_rec(plain, k) == item_rec(scores, k)).all(1).mean()
    same_users = (user_rec(plain, c) == user_rec(scores, c)).all(0).mean()
    yield cell.row(method, "users with the same items (%)", 100 * same_items, part="identity")
    yield cell.row(method, "items with the same users (%)", 100 * same_users, part="identity")


def _recommended_rows(cell: Cell) -> Iterator[Row]:
    """Yield how many recommendations each block makes, the same for every method: the denominators of precision."""
    k, c = cell.sizes
    for task, side, n in ((ITEM_REC, "users", k), (USER_REC, "items", c)):
        blocks = cell.blocks(side)
        sums = measures.block_sums(np.full(len(blocks), float(n)), blocks)
        yield from cell.block_rows("data", "recommended", sums, part="ranking", task=task)


def _baseline_rows(cell: Cell) -> Iterator[Row]:
    shape = cell.targets.shape
    random = numpy_generator(cell.seed, "rim", cell.name, "random scores").uniform(size=shape)
    found = {"Random": _masked(cell, random)}
    for name in cell.settings.baselines:
        scores = baseline_scores(name, cell.split, cell.split.test, cell.seed, cell.name)
        found[name] = _masked(cell, scores)
        if name == "ALS":
            active = cell.activity("HP", cell.split.test)[:, None]
            yield from _user_rows(cell, "ALS × HP", _masked(cell, scores * active))
    for name, scores in found.items():  # type: ignore[assignment]
        yield from _item_rows(cell, name, scores)
        yield from _user_rows(cell, name, scores)


def _masked(cell: Cell, scores: Numbers) -> Numbers:
    return scores if cell.excluded is None else np.where(cell.excluded, -np.inf, scores)


def _further_rows(cell: Cell) -> Iterator[Row]:
    """Yield UserRec of the GRU with other factors: further activity models, the truth, and HP given to other users."""
    p, requests = cell.test_marks["GRU"], cell.split.test
    factors = {name: cell.activity(name, requests) for name in FURTHER_MODELS}
    hp = cell.activity("HP", requests)
    order = numpy_generator(cell.seed, "rim", cell.name, "shuffled activity").permutation(len(hp))
    factors["true counts"] = requests.n_future + 1e-9
    factors["HP of other users"] = hp[order]
    if cell.name == EMBEDDED:
        factors["true intensity"] = true_counts(cell)
    for name, factor in factors.items():
        yield from _user_rows(cell, method_name("GRU", name), intensity_scores(p, factor, cell.excluded))
    yield from _new_pair_rows(cell)
    taken = cell.targets / np.maximum(cell.targets.sum(1, keepdims=True), 1)
    yield from _user_rows(cell, "True marks × HP", _masked(cell, taken * hp[:, None]))
    yield from _user_rows(cell, "True marks × true counts", _masked(cell, cell.targets))


def _new_pair_rows(cell: Cell) -> Iterator[Row]:
    """Yield both precisions of the GRU without items that a user took before, for data that allow repeats."""
    if cell.excluded is not None:
        return
    past = cell.split.test.past_counts(len(cell.split.train.items))[:, cell.split.candidates].toarray() > 0
    k, c = cell.sizes
    for factor in PAPERS_MODELS:
        activity = cell.activity(factor, cell.split.test)
        scores = intensity_scores(cell.test_marks["GRU"], activity, past)
        found = {USER_REC: user_rec(scores, c)}
        if factor == "none":
            found[ITEM_REC] = item_rec(scores, k)
        for task, chosen in found.items():
            value = 100 * measures.precision(chosen, cell.targets)
            yield cell.row(method_name("GRU", factor), "precision (%)", value, part="new pairs", task=task)


def true_counts(cell: Cell) -> Numbers:
    """Return the generator's own mean number of events in the horizon, of each test request."""
    requests = cell.split.test
    _, shoppers = make_shoppers(cell.seed)
    return np.array(
        [
            shoppers.expected_count(int(user), requests.time[low:high], TEST_TIME, HORIZON)
            for user, low, high in zip(requests.user, requests.indptr[:-1], requests.indptr[1:], strict=True)
        ]
    )


N_DECILES = 10
CALIBRATED = ("HP", "Hawkes, integrated", "count and recency", "boosted counts")


def activity_rows(cell: Cell) -> Iterator[Row]:
    """Yield how λ goes with the future count, its calibration and weights, and how sure p is of both users."""
    requests, counts = cell.split.test, cell.split.test.n_future
    for name in {**PAPERS_MODELS, **FURTHER_MODELS}:
        if name == "none":
            continue
        found = cell.activity(name, requests)
        yield cell.row(name, "correlation with the future count", _correlation(found, counts), part="activity")
        ranks = _correlation(rankdata(found), rankdata(counts))
        yield cell.row(name, "rank correlation with the future count", ranks, part="activity")
        if name in CALIBRATED:
            yield from _calibration_rows(cell, name, found)
    if cell.name == EMBEDDED:
        truth = true_counts(cell)
        yield cell.row(
            "true intensity", "correlation with the future count", _correlation(truth, counts), part="activity"
        )
    yield from _weight_rows(cell)
    yield from _grid_rows(cell)
    for network in cell.networks:
        for split, asked in (("test", requests), ("validation", cell.split.validation[0])):
            value = _mean_log_probability(cell, network, asked)
            yield cell.row(network, "mean log probability of targets", value, part="activity", split=split)


def _weight_rows(cell: Cell) -> Iterator[Row]:
    """Yield what Hawkes and HP give to each kernel of past events, and to the constant, by the kernel's time scale."""
    for name, weights in (("Hawkes", hawkes_weights(cell.split)), ("HP", poisson_weights(cell.split))):
        for scale, value in zip(SCALES.tolist(), weights[: len(SCALES)].tolist(), strict=True):
            yield cell.row(name, "kernel weight", value, part="kernel", at=scale)
        yield cell.row(name, "constant", weights[-1], part="kernel")


def _grid_rows(cell: Cell) -> Iterator[Row]:
    """Yield the losses of HP and Hawkes on users left out, by grid of time scales."""
    for name, metric, losses_of in (
        ("HP", "held-out Poisson loss", losses_of_hp),
        ("Hawkes", "held-out contrast", losses_of_hawkes),
    ):
        found = losses_of(cell.split, numpy_generator(cell.seed, "rim", cell.name, "halves", name))
        for grid, value in found.items():
            method = name if grid == PAPERS_GRID else f"{name}, {grid}"
            yield cell.row(method, metric, value, part="kernel", split="validation")


def _correlation(first: Numbers, second: Numbers) -> float:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _calibration_rows(cell: Cell, name: str, found: Numbers) -> Iterator[Row]:
    order, counts = np.argsort(found, kind="stable"), cell.split.test.n_future
    for decile, places in enumerate(np.array_split(order, N_DECILES), 1):
        for metric, values in (("mean predicted", found), ("mean count", counts)):
            yield cell.row(name, metric, float(values[places].mean()), part="calibration", at=decile)


def _mean_log_probability(cell: Cell, network: str, requests: Requests) -> float:
    targets = cell.split.targets(requests)
    p = cell.probabilities(network, requests)
    return float((targets * np.log(np.maximum(p, 1e-300))).sum() / targets.sum())
