"""One data set and seed of the study: its images, networks and searches; what is asked for twice is computed once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from reprise.compute import resolve_device, torch_generator
from reprise.deep_aa.augmentations import augmentation
from reprise.deep_aa.baselines import default_with_cutout
from reprise.deep_aa.data import ImageProblem, load_problem
from reprise.deep_aa.names import BASE, CIFAR, DEEP_TRIVIAL, SEARCHED, SIMPLE
from reprise.deep_aa.networks import DigitNetwork, WideResNet
from reprise.deep_aa.policy import Policy
from reprise.deep_aa.search import DeepAASearch, SearchConfig
from reprise.deep_aa.settings import Settings
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.training import Augmentation, Recipe, accuracy, train

Row = dict[str, Any]
COLUMNS = ("part", "network", "variant", "layer", "operation", "level", "step", "at")
DIGIT_SEARCH_RATE, DIGIT_RATE = 2e-3, 4e-3  # with 4e-3 strongly augmented digits are fitted, to 98 % of the images
SEARCH_EPSILON, FINAL_EPSILON = 1e-3, 1e-5  # of batch normalisation, as in the paper's two code bases


@dataclass(frozen=True)
class Search:
    """A search with what it left behind."""

    policy: Policy
    history: list[dict[str, float]]
    search: DeepAASearch


@dataclass(frozen=True)
class Cell:
    """A data set and seed."""

    settings: Settings
    dataset: str
    seed: int
    _networks: dict[str, nn.Module] = field(default_factory=dict)
    _searches: dict[tuple[Any, ...], Search] = field(default_factory=dict)

    @cached_property
    def device(self) -> torch.device:
        """Where everything is computed."""
        return resolve_device(self.settings.device)

    @cached_property
    def problem(self) -> ImageProblem:
        """The images and what each is for."""
        s = self.settings
        return load_problem(self.dataset, self.seed, digit_images=s.digit_images, archive=s.cifar_archive)

    @cached_property
    def space(self) -> AugmentationSpace:
        """The paper's transformations, for images of this size."""
        return AugmentationSpace(self.problem.size, self.problem.fill)

    @property
    def is_photographs(self) -> bool:
        """Whether the images are those of CIFAR."""
        return self.dataset == CIFAR

    @property
    def names(self) -> tuple[object, ...]:
        """Names of this cell's random streams."""
        return ("deep-aa", self.dataset)

    @property
    def network_name(self) -> str:
        """How the final network is called in rows."""
        s = self.settings
        return f"WRN-{s.depth}-{s.width}" if self.is_photographs else "three convolutions"

    def row(self, part: str, method: str, metric: str, value: float, **columns: Any) -> Row:
        """Return one row, of the test split and the base variant unless others are named."""
        common: Row = dict.fromkeys(COLUMNS)
        common |= {"dataset": self.dataset, "split": "test", "seed": self.seed, "method": method, "metric": metric}
        return {**common, "part": part, "network": self.network_name, "variant": BASE, "value": float(value), **columns}

    def part(self, name: str) -> tuple[Tensor, Tensor]:
        """Return images and labels of ``"pretraining"``, ``"search"``, ``"validation"``, ``"train"`` or ``"test"``."""
        images, labels = self.problem.part(getattr(self.problem, name))
        return images.to(self.device), labels.to(self.device)

    # ---- networks ----------------------------------------------------------------------------------------------------

    def new_network(self, *, searching: bool, name: str) -> nn.Module:
        """Return an untrained network; equal names, equal weights."""
        s, p = self.settings, self.problem
        generator = torch_generator(self.seed, *self.names, "weights", name)
        if not self.is_photographs:
            network: nn.Module = DigitNetwork(
                len(p.class_names), mean=p.mean, deviation=p.deviation, generator=generator
            )
        else:
            network = WideResNet(
                s.search_depth if searching else s.depth,
                s.search_width if searching else s.width,
                len(p.class_names),
                mean=p.mean,
                deviation=p.deviation,
                stem_stride=s.stem_stride,
                epsilon=SEARCH_EPSILON if searching else FINAL_EPSILON,
                initialisation="he" if searching else "default",
                generator=generator,
            )
        return network.to(self.device)

    def recipe(self, *, searching: bool, times: int = 1) -> Recipe:
        """Return how networks are trained, with so many times the settings' passes; all methods share it."""
        s = self.settings
        if not self.is_photographs:
            epochs = s.digit_pretraining_epochs if searching else s.digit_epochs
            warmup = 0.0 if searching else s.warmup
            rate = DIGIT_SEARCH_RATE if searching else DIGIT_RATE
            return Recipe(times * epochs, s.batch_size, rate, warmup, 5e-4, "adamw")
        epochs = s.pretraining_epochs if searching else s.epochs
        return Recipe(times * epochs, s.batch_size, warmup=0.0 if searching else s.warmup)

    def pretrained(self, method: str | None = None) -> nn.Module:
        """Return the search network, trained with the augmentation of a method (the settings' by default)."""
        s = self.settings
        method = method or (s.pretraining if self.is_photographs else s.digit_pretraining)
        if method not in self._networks:
            network = self.new_network(searching=True, name="search network")
            augment = augmentation(method, self.space)
            recipe = self.recipe(searching=True)
            names = (*self.names, "pretraining")
            self._networks[method] = train(
                network, *self.part("pretraining"), augment, recipe, seed=self.seed, names=names
            )
        return self._networks[method]

    def trained(self, augment: Augmentation, *, parts: tuple[str, ...] = ("train",), times: int = 1) -> nn.Module:
        """Return the final network trained with an augmentation; weights and order of images are the seed's.

        ``times`` multiplies the passes.
        """
        found = [self.part(name) for name in parts]
        images, labels = (torch.cat(tensors) for tensors in zip(*found, strict=True))
        network = self.new_network(searching=False, name="final network")
        recipe = self.recipe(searching=False, times=times)
        return train(network, images, labels, augment, recipe, seed=self.seed, names=(*self.names, "final"))

    def accuracy(self, network: nn.Module, part: str) -> float:
        """Return a network's accuracy on a part, in per cent."""
        return accuracy(network, *self.part(part))

    # ---- search ------------------------------------------------------------------------------------------------------

    @cached_property
    def config(self) -> SearchConfig:
        """The options of the search."""
        s = self.settings
        return SearchConfig(
            n_layers=s.n_layers,
            steps=s.steps,
            units=s.units,
            n_validation=min(s.n_validation, self._fewest_to_validate),
            n_cached=s.n_cached,
            n_grad=s.n_grad,
            n_prefix=s.n_prefix,
            std_weight=s.std_weight,
            lr=s.search_rate,
            init_identity=s.init_identity,
            method=s.rewards,
            stop_identity=s.stop_identity,
        )

    @property
    def _fewest_to_validate(self) -> int:
        labels = self.problem.labels[torch.from_numpy(self.problem.validation)]
        return int(torch.bincount(labels, minlength=len(self.problem.class_names)).min())

    def search(self, *, pretraining: str | None = None, search_seed: int = 0, **changes: Any) -> Search:
        """Return a search with some options changed; the base has none.

        Parameters
        ----------
        pretraining
            Method whose augmentation the search network was trained with.
        search_seed
            Number of a repetition with other draws on the same network.
        **changes
            Fields of `SearchConfig`.
        """
        key = (pretraining, search_seed, *sorted(changes.items()))
        if key not in self._searches:
            search = DeepAASearch(
                self.pretrained(pretraining),
                self.space,
                replace(self.config, **changes),
                seed=self.seed + 1000 * search_seed,
                checkpoint=self._checkpoint(key),
            )
            policy = search.fit(*self.part("search"), *self.part("validation"))
            self._searches[key] = Search(policy, search.history_.to_dict("records"), search)
        return self._searches[key]

    def _checkpoint(self, key: tuple[Any, ...]) -> Path | None:
        if not self.settings.checkpoint_folder:
            return None
        words = "-".join("_".join(map(str, k)) if isinstance(k, tuple) else str(k) for k in key)
        return Path(self.settings.checkpoint_folder).expanduser() / f"{self.dataset}-{self.seed}-{words}.pt"

    def augmentation(self, method: str) -> Augmentation:
        """Return what a method does to images in training."""
        if method == SEARCHED:
            return self.search().policy
        if method == SIMPLE:
            return self.search().policy.first(1).then(default_with_cutout(self.space))
        # As deep as the searched policy, if its search stopped early, too.
        n_layers = self.search().policy.n_layers if method == DEEP_TRIVIAL else self.settings.n_layers
        return augmentation(method, self.space, n_layers=n_layers)
