"""One family of data sets and one seed of the study: its problem, the backbone, and how results become rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reprise.compute import numpy_generator
from reprise.trans_encoder.baselines import word_overlap, words_of
from reprise.trans_encoder.data import Problem, load_problem
from reprise.trans_encoder.distillation import Backbone, DistillConfig, Scores
from reprise.trans_encoder.encoders import Encoder
from reprise.trans_encoder.generators import SWAPPED
from reprise.trans_encoder.input_checks import Pair
from reprise.trans_encoder.measures import bootstrap, measure, relative_ranks
from reprise.trans_encoder.names import BASE, OTHER_POOLS, SELF_BI, SELF_CROSS, START
from reprise.trans_encoder.pair_files import PairSet
from reprise.trans_encoder.settings import Settings
from reprise.trans_encoder.training import Recipe

Row = dict[str, Any]
COLUMNS = ("part", "backbone", "variant", "cycle", "group", "at")
NEGATIONS = frozenset(
    {"not", "no", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "without", "cannot"}
)
N_GROUPS = 4


@dataclass(frozen=True)
class Tested:
    """Scores that a method gave to the test pairs of each data set."""

    method: str
    variant: str
    cycle: int
    scores: dict[str, Scores]
    backbone: str


@dataclass(frozen=True)
class Cell:
    """A family and seed; what is asked for twice is computed once."""

    settings: Settings
    family: str
    seed: int
    device: torch.device
    tested: list[Tested] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def problem(self) -> Problem:
        """Pool, development and test pairs."""
        return load_problem(self.family, self.settings, self.seed)

    @cached_property
    def tests(self) -> dict[str, PairSet]:
        """Test pairs of those data sets of the family that the run asks for."""
        return {name: one for name, one in self.problem.tests.items() if name in self.settings.datasets}

    @property
    def labels(self) -> Scores:
        """The start's cosines of the pool, which `self_rows` computes first."""
        labels: Scores = self.found["labels"]
        return labels

    @cached_property
    def backbone(self) -> Backbone:
        """Where students begin."""
        s = self.settings
        return Backbone(s.start, s.plm, s.num_layers, s.pooling, precision=s.precision, device=self.device)

    @cached_property
    def config(self) -> DistillConfig:
        """The loop's options."""
        s = self.settings
        return DistillConfig(
            cycles=(s.mrpc_cycles if self.family == "mrpc" else None) or s.cycles,
            cross=Recipe(s.cross_lr, s.cross_batch, s.cross_epochs, warmup=0.1, head_rate=s.head_rate),
            bi=Recipe(s.bi_lr, s.bi_batch, s.bi_epochs),
            symmetric=s.symmetric,
            label_stretch=s.label_stretch,
            freeze_embeddings=s.freeze_embeddings,
            frozen_layers=s.frozen_layers,
            evaluate_every=s.evaluate_every,
            seed=self.seed,
        )

    @property
    def names(self) -> tuple[object, ...]:
        """Names of this family's random streams: equal streams pair all variants of a seed."""
        return ("trans-encoder", self.family)

    def evaluate(self, model: Encoder) -> float:
        """Return a model's measure on the development pairs."""
        return self.measured(model, self.problem.development)

    def measured(self, model: Encoder, pairs: PairSet) -> float:
        """Return a model's measure on any pairs with gold."""
        return measure(self.problem.kind, pairs.gold, model.score(pairs.pairs))  # type: ignore[operator]

    def test(
        self, model: Encoder, method: str, variant: str = BASE, cycle: int = 0, backbone: Backbone | None = None
    ) -> None:
        """Score all test pairs of the family and keep the scores; name another backbone than the cell's own."""
        self.keep(self.scores(model), method, variant, cycle, backbone)

    def scores(self, model: Encoder) -> dict[str, Scores]:
        """Return a model's scores of the test pairs by data set."""
        return {name: model.score(one.pairs) for name, one in self.tests.items()}  # type: ignore[operator]

    def keep(
        self,
        scores: dict[str, Scores],
        method: str,
        variant: str = BASE,
        cycle: int = 0,
        backbone: Backbone | None = None,
    ) -> None:
        """Keep scores of the test pairs, whose rows `test_rows` writes at the end."""
        name = name_of(backbone or self.backbone)
        self.tested.append(Tested(method, variant, cycle, scores, name))

    def row(self, method: str, metric: str, value: float, **columns: Any) -> Row:
        """Return one row, of the family's home data set unless another one is named."""
        common: Row = dict.fromkeys(COLUMNS)
        common |= {"dataset": self.problem.home, "split": "test", "seed": self.seed, "method": method, "metric": metric}
        return {**common, "backbone": name_of(self.backbone), "variant": BASE, "value": float(value), **columns}

    # ---- rows of the tests -----------------------------------------------------------------------------------

    def test_rows(self) -> Iterator[Row]:
        """Yield the measures of all kept scores: on all test pairs, on those in the pool and on those held out."""
        for name, pairs in self.tests.items():
            for split, chosen in self._splits(name, pairs).items():
                if chosen.sum() < 3 or np.ptp(pairs.gold[chosen]) == 0:
                    continue
                for one in self.tested:
                    if split != "test" and one.variant in OTHER_POOLS:
                        continue  # the split is by the seed's own pool
                    value = measure(self.problem.kind, pairs.gold[chosen], one.scores[name][chosen])
                    yield self._test_row(one, name, self.problem.kind, value, split=split, part="levels")
            yield from self._errors(name, pairs)
            yield from self._group_rows(name, pairs)

    def _test_row(self, one: Tested, name: str, metric: str, value: float, **columns: Any) -> Row:
        how = {"variant": one.variant, "cycle": one.cycle, "backbone": one.backbone}
        return self.row(one.method, metric, value, dataset=name, **how, **columns)

    def _splits(self, name: str, pairs: PairSet) -> dict[str, NDArray[np.bool_]]:
        known = {frozenset(pair) for pair in self.problem.pool}
        in_pool = np.array([frozenset(pair) in known for pair in pairs.pairs])
        limit = self.settings.mrpc_max_words if self.family == "mrpc" else self.settings.max_words
        # Like with like: held-out pairs that are too long for the pool would differ in more than that.
        short = np.array([limit is None or max(len(s.split()) for s in pair) <= limit for pair in pairs.pairs])
        return {
            "test": np.ones(len(pairs), dtype=bool),
            "test, in the pool": in_pool,
            "test, held out": self.problem.held_out[name] & short,
        }

    def _errors(self, name: str, pairs: PairSet) -> Iterator[Row]:
        """Yield the standard error of each method's gain over its start, by resampling of the test pairs."""
        starts = {one.variant: place for place, one in enumerate(self.tested) if one.method == START}
        generator = numpy_generator(self.seed, *self.names, "bootstrap", name)
        found = bootstrap(
            self.problem.kind,
            pairs.gold,
            [one.scores[name] for one in self.tested],
            generator,
            self.settings.bootstrap_draws,
        )
        for one, values in zip(self.tested, found, strict=True):
            metric = "standard error"
            if one.method != START:
                # A variant with another model has a start of its own.
                metric, values = f"{metric} of the gain", values - found[starts.get(one.variant, starts[BASE])]
            yield self._test_row(one, name, metric, float(np.nanstd(values, ddof=1)), part="resampling")

    def _group_rows(self, name: str, pairs: PairSet) -> Iterator[Row]:
        """Yield by how much scores are off in rank, by groups of pairs: shared words, negation, swapped roles.

        With it come the number of pairs, by which sets are to be weighted, and the standard error of the change from
        the start, the pairs being a sample.
        """
        gold = relative_ranks(pairs.gold)
        shown = (START, SELF_CROSS, SELF_BI)
        off = {
            one.method: (one, np.abs(relative_ranks(one.scores[name]) - gold))
            for one in self.tested
            if one.variant == BASE and one.cycle <= 1 and one.method in shown
        }
        for group, chosen in groups_of(pairs).items():
            n = int(chosen.sum())
            if not n:
                continue
            how = {"part": "groups", "group": group}
            yield self.row("data", "pairs", n, dataset=name, variant=None, **how)
            for method, (one, values) in off.items():
                yield self._test_row(one, name, "rank error", float(values[chosen].mean()), **how)
                if method != START and n > 1:
                    error = float((values - off[START][1])[chosen].std(ddof=1)) / n**0.5
                    yield self._test_row(one, name, "standard error of the rank error's change", error, **how)


def name_of(backbone: Backbone) -> str:
    """Return how a backbone is called in rows: its start, how many layers are kept, and whether it was trained here."""
    layers = "" if backbone.num_layers is None else f", {backbone.num_layers} layers"
    trained = "" if backbone.start_weights is None else ", after SimCSE"
    name = {"minilm": "MiniLM"}.get(backbone.start, backbone.start.split("/")[-1])
    return f"{name}{layers}{trained}"


def groups_of(pairs: PairSet) -> dict[str, NDArray[np.bool_]]:
    """Return masks of pairs: quarters by shared words, one sentence negated, swapped roles (of drawn pairs)."""
    overlap = word_overlap(pairs.pairs)
    order = np.argsort(overlap, kind="stable")
    groups = {}
    for place, rows in enumerate(np.array_split(order, N_GROUPS)):
        groups[f"shared words, quarter {place + 1}"] = np.isin(np.arange(len(pairs)), rows)
    groups["one sentence negated"] = np.array([_is_negated(pair) for pair in pairs.pairs])
    groups[SWAPPED] = np.array([source == SWAPPED for source in pairs.source])
    return groups


def _is_negated(pair: Pair) -> bool:
    first, second = (any(_negates(word) for word in words_of(sentence)) for sentence in pair)
    return first != second


def _negates(word: str) -> bool:
    return word in NEGATIONS or word.replace("’", "'").endswith("n't")


def quantiles(values: Sequence[float] | Scores) -> dict[float, float]:
    """Return the quantiles by which a distribution of scores is drawn."""
    levels = np.round(np.linspace(0, 1, 21), 2)
    return dict(zip(levels.tolist(), np.quantile(values, levels).tolist(), strict=True))
