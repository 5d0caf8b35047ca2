"""One data set and seed of the study: its split, what the models say of it, and how rows are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reprise.compute import numpy_generator
from reprise.rim import hawkes
from reprise.rim.activity import FURTHER_MODELS, PAPERS_MODELS
from reprise.rim.data import RETAIL, load_split
from reprise.rim.events import Codes, Numbers, Requests
from reprise.rim.marks import MarkModel, MarkOptions, Network, train_mark
from reprise.rim.measures import blocks_of
from reprise.rim.ranking import intensity_scores
from reprise.rim.settings import Settings
from reprise.rim.splits import Split

Row = dict[str, Any]
COLUMNS = ("part", "task", "multiplier", "served", "solver", "block", "at")
NO_FACTOR = "none"


def method_name(mark: str, factor: str) -> str:
    """Return how a mark model with an activity model is called in rows: ``GRU × HP``, or ``GRU`` alone."""
    return mark if factor == NO_FACTOR else f"{mark} × {factor}"


@dataclass(frozen=True)
class Cell:
    """A data set and seed; what is asked for twice is computed once."""

    settings: Settings
    name: str
    seed: int
    device: torch.device

    @cached_property
    def split(self) -> Split:
        """Training events, test and validation requests."""
        return load_split(self.name, self.seed)

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """Return k₁ and c₁: one per cent of the items for a user, and of the users for an item, rounded up."""
        n_items, n_users = len(self.split.candidates), len(self.split.test)
        share = self.settings.share
        return int(np.ceil(share * n_items - 1e-9)), int(np.ceil(share * n_users - 1e-9))

    @cached_property
    def targets(self) -> NDArray[np.float64]:
        """Return Y of the test requests, (N, M)."""
        return self.split.targets(self.split.test)

    @cached_property
    def excluded(self) -> NDArray[np.bool_] | None:
        """Return the pairs of the test that must not be chosen."""
        return self.split.excluded(self.split.test)

    @property
    def networks(self) -> tuple[Network, ...]:
        """Mark models of this data set."""
        return ("GRU", "Transformer") if self.name in self.settings.transformer_sets else ("GRU",)

    @cached_property
    def marks(self) -> dict[str, MarkModel]:
        """Train the mark models."""
        return {network: self._trained(network) for network in self.networks}

    def _trained(self, network: Network) -> MarkModel:
        s = self.settings
        gru_epochs = s.retail_epochs if self.name == RETAIL else s.gru_epochs
        epochs, batch = (gru_epochs, s.gru_batch) if network == "GRU" else (s.transformer_epochs, s.transformer_batch)
        options = MarkOptions(network, s.width, epochs, batch)
        return train_mark(self.split.train, options, self.seed, self.name, device=self.device)

    @cached_property
    def test_marks(self) -> dict[str, Numbers]:
        """Return p(y | x) of the test requests by mark model, (N, M) each."""
        return {network: self.probabilities(network, self.split.test) for network in self.networks}

    def probabilities(self, network: str, requests: Requests) -> Numbers:
        """Return p(y | x) of any requests over the candidates."""
        return self.marks[network].scores(requests, self.split.candidates).probabilities()

    @cached_property
    def predictors(self) -> dict[str, Any]:
        """Fit the activity models: name to a function of requests."""
        return {name: fit(self.split) for name, fit in {**PAPERS_MODELS, **FURTHER_MODELS}.items()}

    def activity(self, factor: str, requests: Requests) -> Numbers:
        """Return λ(x) > 0 of requests."""
        return hawkes.positive(self.predictors[factor](requests))

    def scores(self, network: str, factor: str) -> Numbers:
        """Return λ p of the test requests, −∞ where a pair must not be chosen."""
        return intensity_scores(self.test_marks[network], self.activity(factor, self.split.test), self.excluded)

    def blocks(self, side: str) -> Codes:
        """Return the block of each test request's user, or of each candidate item; equal in all seeds."""
        split = self.split
        codes, n = (
            (split.test.user, len(split.train.users)) if side == "users" else (split.candidates, len(split.train.items))
        )
        return blocks_of(codes, n, numpy_generator(0, "rim", self.name, "blocks", side))

    def row(self, method: str, metric: str, value: float, **columns: Any) -> Row:
        """Return one row of the study."""
        common: Row = dict.fromkeys(COLUMNS)
        common |= {"dataset": self.name, "split": "test", "seed": self.seed, "method": method, "metric": metric}
        return {**common, "value": float(value), **columns}

    def block_rows(self, method: str, metric: str, sums: Numbers, **columns: Any) -> Iterator[Row]:
        """Yield one row a block."""
        for block, value in enumerate(sums.tolist()):
            yield self.row(method, metric, value, block=block, **columns)
