"""The search: layer by layer, each optimised with those before it frozen, until one prefers to do nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import torch
from torch import Tensor, nn

from reprise.compute import torch_generator
from reprise.deep_aa import search_checks as checks
from reprise.deep_aa.gradient_rewards import (
    Loss,
    RewardMethod,
    cosine,
    cross_entropy,
    direction,
    gradients_of,
    policy_gradient,
)
from reprise.deep_aa.image_checks import DeepAAInputError, check_images, to_bytes
from reprise.deep_aa.policy import Policy, draw_index
from reprise.deep_aa.policy_checks import check_choice, check_space
from reprise.deep_aa.search_state import SearchState, fingerprint, load_state, save_state
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.step_rewards import Rewards, stacked
from reprise.deep_aa.training import as_floats
from reprise.deep_aa.units import AnyGradients, Units, UnitSource

if TYPE_CHECKING:
    import pandas as pd

Parameters = Literal["all", "last"]
ADAM_EPSILON = 1e-7
# Constants of the loss in the first layer and in the others; Adam does not see them, apart from its epsilon.
LOSS_SCALES = (0.25, 16.0)
PROBED = 8  # images


@dataclass(frozen=True)
class SearchConfig:
    """Options of a search; the defaults are the paper's code's for CIFAR (512 steps: the paper's text).

    Attributes
    ----------
    n_layers
        Most layers to search.
    steps
        Policy steps a layer.
    units
        Images behind a step, two or more, each with its own class and validation gradient.
    n_validation
        Validation images behind a gradient v.
    n_cached
        Validation gradients computed once a class and used again; 0 draws a new one for every unit.
    n_grad
        Sequences sampled for g from the second layer on (EXP_gT).
    n_prefix
        Images from the layers before, on each of which all candidates are tried (EXP_G).
    std_weight
        c of mean − c · std over units, from the second layer on; the first layer has none.
    lr
        Adam's rate.
    init_identity
        Logit of identity at the start, over the others' 0.
    params
        Match gradients of ``"all"`` weights, or of the ``"last"`` layer.
    method
        Rewards by ``"jvp"`` or by central ``"finite differences"``: two forward passes instead of a forward-mode one.
    stop_identity
        A layer with more probability on identity than this, above 0 and up to 1, is the last one; 1: none is.
    noise
        Replaces v by noise: the control in which nothing can be gained.
    """

    n_layers: int = 5
    steps: int = 512
    units: int = 16
    n_validation: int = 64
    n_cached: int = 0
    n_grad: int = 556
    n_prefix: int = 16
    std_weight: float = 1.0
    lr: float = 0.025
    init_identity: float = 8.0
    params: Parameters = "all"
    method: RewardMethod = "jvp"
    stop_identity: float = 0.9
    noise: bool = False

    def __post_init__(self) -> None:
        counts = ("n_layers", "steps", "units", "n_validation", "n_grad", "n_prefix")
        checks.check_counts(**{name: getattr(self, name) for name in counts})
        checks.check_spread(self.units)
        checks.check_finite(lr=self.lr, std_weight=self.std_weight, init_identity=self.init_identity)
        checks.check_positive(lr=self.lr)
        checks.check_threshold(self.stop_identity)
        check_choice("params", self.params, get_args(Parameters))
        check_choice("method", self.method, get_args(RewardMethod))
        checks.check_counts(0, n_cached=self.n_cached)
        if not isinstance(self.noise, bool):
            raise DeepAAInputError(f"noise={self.noise!r} must be True or False.")
        if self.std_weight < 0:
            raise DeepAAInputError(f"std_weight={self.std_weight!r} may not be negative; 0 leaves out the penalty.")


class DeepAASearch:
    """Search of a policy by gradient matching (Section 3 of the paper).

    Parameters
    ----------
    model
        Frozen classifier in evaluation mode: float images in [0, 1], ``(B, C, H, W)``, to logits. It has to normalise
        inside.
    space
        The transformations; by default the paper's, for images of the size that `fit` is given.
    config
        Options.
    loss
        Maps logits and labels to losses ``(B,)``.
    seed
        Of all draws.
    checkpoint
        File that keeps the state; a search that was interrupted goes on from it and finds the same policy.
    checkpoint_every
        Steps between two writings of it.

    Attributes
    ----------
    history_
        One line a step: cosine, rewards, entropy, identity's probability, skipped units.
    policy_
        What `fit` returned.
    """

    def __init__(
        self,
        model: nn.Module,
        space: AugmentationSpace | None = None,
        config: SearchConfig | None = None,
        *,
        loss: Loss = cross_entropy,
        seed: int = 0,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 32,
    ) -> None:
        checks.check_counts(checkpoint_every=checkpoint_every)
        if space is not None:
            check_space(space)
        if config is not None and not isinstance(config, SearchConfig):
            raise DeepAAInputError(f"config is a {type(config).__name__}; give a SearchConfig, such as SearchConfig().")
        self.config = SearchConfig() if config is None else config
        self.model, self.space, self.loss, self.seed = model, space, loss, seed
        self.gradients = self._frozen()
        self.checkpoint = checks.check_checkpoint(checkpoint)
        self.checkpoint_every = checkpoint_every

    def fit(self, x_search: Tensor, y_search: Tensor, x_validation: Tensor, y_validation: Tensor) -> Policy:
        """Search on images of a reader's own.

        Parameters
        ----------
        x_search, y_search
            Images to be augmented, ``(N, C, H, W)`` as uint8 or floats in [0, 1], and their classes.
        x_validation, y_validation
            Images whose gradients are to be matched; none of them among the others.

        Returns
        -------
        Policy
            The layers found, the one that ended the search included.

        Raises
        ------
        DeepAAInputError
            If images or labels do not fit, a class has too few images, the checkpoint belongs to another search, or
            over half of a step's units have no gradient.
        """
        self.gradients = self._frozen()  # the network may have been trained, or moved, in between
        data = self._checked(x_search, y_search, x_validation, y_validation)
        checks.warn_if_identity_stays(self.config.steps, self.config.lr, self.config.init_identity)
        space = self.space or AugmentationSpace((data[0].shape[2], data[0].shape[3]))
        source = self.source(*data)
        state = self._start(space, data)
        while not state.done:
            self._search_layer(space, source, state)
        self.policy_ = Policy(torch.stack(state.layers), space)
        self._history = state.history
        return self.policy_

    @property
    def history_(self) -> pd.DataFrame:
        """One line a step of every layer."""
        import pandas as pd

        if not hasattr(self, "_history"):
            raise DeepAAInputError(
                "this search has not run; call .fit(x_search, y_search, x_validation, y_validation)."
            )
        return pd.DataFrame(self._history)

    def source(self, x_search: Tensor, y_search: Tensor, x_validation: Tensor, y_validation: Tensor) -> UnitSource:
        """Return the source of units of checked data."""
        classes = checks.check_class_counts(y_search, y_validation, self.config.n_validation)
        c = self.config
        return UnitSource(
            self.gradients, x_search, y_search, x_validation, y_validation, classes, c.n_validation, c.n_cached,
            self.seed, c.noise,
        )  # fmt: skip

    # ---- before ------------------------------------------------------------------------------------------------------

    def _frozen(self) -> AnyGradients:
        return gradients_of(self.model, self.loss, self.config.params, self.config.method)

    def _checked(
        self, x_search: Tensor, y_search: Tensor, x_validation: Tensor, y_validation: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        device = next(self.model.parameters()).device
        images = [to_bytes(check_images(x)).to(device) for x in (x_search, x_validation)]
        if images[0].shape[1:] != images[1].shape[1:]:
            raise DeepAAInputError(
                f"search images are {tuple(images[0].shape[1:])}, validation images {tuple(images[1].shape[1:])}; give "
                "both in one size."
            )
        for x, name in zip(images, ("x_search", "x_validation"), strict=True):
            checks.check_counts(**{f"the number of {name}": len(x)})
        n_classes = checks.check_model(self.model, images[0])
        labels = [
            checks.check_labels(y, len(x), n_classes, name).to(device)
            for y, x, name in zip((y_search, y_validation), images, ("y_search", "y_validation"), strict=True)
        ]
        checks.warn_of_overlap(images[0], images[1])
        checks.warn_of_darkness(images[0])
        return images[0], labels[0], images[1], labels[1]

    def _start(self, space: AugmentationSpace, data: Sequence[Tensor]) -> SearchState:
        logits = first_logits(space, self.config.init_identity)
        if self.checkpoint is None:
            return SearchState("", logits.new_zeros(0), logits)
        weights = {**dict(self.model.named_buffers()), **dict(self.model.named_parameters())}
        name = fingerprint(asdict(self.config), self.seed, space, self.loss, weights, data)
        with torch.no_grad():
            probe = self.loss(self.model(as_floats(data[0][:PROBED])), data[1][:PROBED]).double().cpu()
        if self.checkpoint.is_file():
            return load_state(self.checkpoint, name, probe)
        return SearchState(name, probe, logits)

    # ---- one layer ---------------------------------------------------------------------------------------------------

    def _search_layer(self, space: AugmentationSpace, source: UnitSource, state: SearchState) -> None:
        config = self.config
        theta = state.logits.clone().requires_grad_(True)
        adam = torch.optim.Adam([theta], lr=config.lr, eps=ADAM_EPSILON)
        if state.optimiser is not None:
            adam.load_state_dict(state.optimiser)
        number = len(state.layers)
        for step in range(state.step, config.steps):
            generator = torch_generator(self.seed, "deep-aa", "search", number, step)
            probabilities = theta.detach().softmax(0)
            found = self.rewards(space, source.draw(config.units, generator), [*state.layers, probabilities], generator)
            objective = found.objective(config.std_weight if number else 0.0)
            theta.grad = -LOSS_SCALES[min(number, 1)] * policy_gradient(probabilities, objective)
            adam.step()
            state.history.append({"layer": number + 1, "step": step, **found.summary(probabilities, objective, space)})
            state.logits, state.optimiser, state.step = theta.detach().clone(), adam.state_dict(), step + 1
            if self.checkpoint is not None and state.step % self.checkpoint_every == 0:
                save_state(self.checkpoint, state)
        state.finish_layer(first_logits(space, config.init_identity))
        last = float(state.layers[-1][space.identity]) > config.stop_identity
        state.done = last or len(state.layers) == config.n_layers
        if self.checkpoint is not None:
            save_state(self.checkpoint, state)

    def rewards(
        self, space: AugmentationSpace, units: Units, layers: Sequence[Tensor], generator: torch.Generator
    ) -> Rewards:
        """Return cosine and rewards of the last layer's transformations, for each unit.

        The first layer is exact: g = G p over all transformations. Behind it, g is the mean over sampled sequences, and
        the rewards are averaged over sampled prefixes.

        Raises
        ------
        DeepAAInputError
            If over half of the units have a zero gradient, fewer than two have another one, or one is not finite.
        """
        *before, probabilities = layers
        n_prefix = self.config.n_prefix if before else 1
        prefixes = through(space, before, units.images.repeat_interleave(n_prefix, 0), generator)
        candidates = space.expand(prefixes, generator).unflatten(0, (len(units), n_prefix))
        sampled = None
        if before:
            repeated = units.images.repeat_interleave(self.config.n_grad, 0)
            sampled = through(space, layers, repeated, generator).unflatten(0, (len(units), self.config.n_grad))
        cosines, rewards = [], []
        for unit in range(len(units)):
            tried = as_floats(candidates[unit].flatten(0, 1))
            label, v = units.labels[unit], units.targets[unit]
            if sampled is None:
                g = self.gradients.mean_gradient(tried, label.expand(len(tried)), probabilities.to(v))
            else:
                g = self.gradients.mean_gradient(as_floats(sampled[unit]), label.expand(len(sampled[unit])))
            checks.check_finite_gradient(v.norm(), g.norm())
            if not (v.norm() > 0 and g.norm() > 0):
                continue
            found = self.gradients.rewards(tried, label.expand(len(tried)), direction(v, g))
            rewards.append(found.view(n_prefix, -1).mean(0).double().cpu())
            cosines.append(float(cosine(v, g)))
        return Rewards(cosines, stacked(rewards, len(units)), len(units) - len(rewards))


def first_logits(space: AugmentationSpace, init_identity: float) -> Tensor:
    """Return the logits that a layer starts with, ``(T,)`` in float64: identity's, 0 elsewhere, minus their mean."""
    logits = torch.zeros(len(space), dtype=torch.float64)
    logits[space.identity] = init_identity
    return logits - logits.mean()


def through(space: AugmentationSpace, layers: Sequence[Tensor], images: Tensor, generator: torch.Generator) -> Tensor:
    """Return images after one draw from each layer, ``(B, C, H, W)`` as uint8; without layers the images themselves."""
    for probabilities in layers:
        index = draw_index(probabilities, len(images), generator)
        images = space.apply(images, index.to(images.device), generator)
    return images


def search_policy(
    model: nn.Module,
    x_search: Tensor,
    y_search: Tensor,
    x_validation: Tensor,
    y_validation: Tensor,
    *,
    space: AugmentationSpace | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    **options: Any,
) -> Policy:
    """Search a policy for a frozen network on a reader's own images: `DeepAASearch` in one call.

    Parameters
    ----------
    model, x_search, y_search, x_validation, y_validation, space, seed, checkpoint
        As in `DeepAASearch` and its ``fit``.
    **options
        Fields of `SearchConfig`.

    Returns
    -------
    Policy
        A torch module that augments batches.

    Raises
    ------
    DeepAAInputError
        As in `DeepAASearch.fit`, and if an option does not exist.
    """
    known = SearchConfig.__dataclass_fields__
    if unknown := [name for name in options if name not in known]:
        raise DeepAAInputError(f"{unknown[0]}={options[unknown[0]]!r} is no option; known: {', '.join(known)}.")
    config = replace(SearchConfig(), **options)
    search = DeepAASearch(model, space, config, seed=seed, checkpoint=checkpoint)
    return search.fit(x_search, y_search, x_validation, y_validation)
