"""What each method adds to the prediction loss: the six objectives of the paper's tables over the same networks.

In each, D descends on its loss and E ascends on it with the adversarial weight, and the two gradients are kept apart:
by gradient reversal, or (ADDA, whose E has a loss of its own) by a detached copy on either side. The released
training loop adds E's gradient to D's, which leaves D with (1 - weight) times its own: nothing at weight 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import softplus

from reprise.errors import unknown_name
from reprise.grda.discriminator import PairedRows, PairWeights, weighted_pair_loss
from reprise.grda.networks import (
    PROBABILITY_FLOOR,
    ConditionalDiscriminator,
    Discriminator,
    Encoder,
    Predictor,
    log_probabilities,
    reverse_gradient,
    seedwise,
)

MethodName = Literal["source-only", "dann", "adda", "cdann", "mdd", "grda"]
Task = Literal["classification", "regression"]

LARGEST_TARGET_DISPARITY = 1.0


@dataclass(frozen=True)
class Shape:
    """Sizes of a problem: seeds, domains, how many of them are sources, input features, outputs, embedding."""

    n_seeds: int
    n_domains: int
    n_sources: int
    n_features: int
    n_outputs: int
    embedding_width: int


@dataclass(frozen=True)
class Batch:
    """One step's data; the source domains come first.

    Attributes
    ----------
    features
        (S, N, B, d); of the sources only for a method that needs no others.
    targets
        Of the sources: int64 classes (S, n_sources, B), or floats (S, n_sources, B, h).
    embedding
        z of the domains, (S, N, k).
    subset
        The domains that GRDA compares, (S, m), and `pairs`, their weights (S, m, m); None for other methods.
    """

    features: Tensor
    targets: Tensor
    embedding: Tensor
    subset: Tensor | None = None
    pairs: PairWeights | None = None


@dataclass(frozen=True)
class Losses:
    """One step's losses, each of shape (S,): prediction, adversarial (L_d), and what is differentiated."""

    prediction: Tensor
    adversarial: Tensor
    total: Tensor


@dataclass(eq=False)
class Networks:
    """E, F and the method's discriminator (None for Source-only), for S seeds."""

    encoder: Encoder
    predictor: Predictor
    discriminator: nn.Module | None

    def modules(self) -> dict[str, nn.Module]:
        """Return the networks by name, without the missing one."""
        named = {"encoder": self.encoder, "predictor": self.predictor, "discriminator": self.discriminator}
        return {name: module for name, module in named.items() if module is not None}


def _mean_over_rows(values: Tensor) -> Tensor:
    return values.flatten(1).mean(1)


def _chosen(log_probability: Tensor, classes: Tensor) -> Tensor:
    return -log_probability.gather(-1, classes.unsqueeze(-1)).squeeze(-1)


def prediction_loss(outputs: Tensor, targets: Tensor, task: Task) -> Tensor:
    """Return L_f of the sources' rows: negative log-likelihood, or squared error averaged over the outputs; (S,)."""
    if task == "regression":
        return _mean_over_rows((outputs - targets).square())
    return _mean_over_rows(_chosen(log_probabilities(outputs), targets))


@dataclass(frozen=True)
class Objective:
    """A method: its discriminator, its losses, and what an uninformative discriminator's loss would be.

    Parameters
    ----------
    name
        The method's name.
    discriminator
        Function of (shape, hidden width, task, discriminator width) that makes D.
    adversarial
        Function of (networks, codes, outputs, batch, options) that returns L_d and the term to differentiate.
    uninformative
        Function of (shape, task) that returns the loss of a D that knows nothing; the unit of the history.
    uses_targets
        Whether a step needs the target domains' rows.
    predicts_targets
        Whether a step needs F's outputs on the target domains' rows.
    """

    name: MethodName
    discriminator: Callable[[Shape, int, Task, int], nn.Module | None]
    adversarial: Callable[["Networks", Tensor, Tensor, Batch, "LossOptions"], tuple[Tensor, Tensor]] | None
    uninformative: Callable[[Shape, Task], float]
    uses_targets: bool = True
    predicts_targets: bool = False

    def losses(self, networks: Networks, batch: Batch, options: "LossOptions") -> Losses:
        """Compute one step's losses; the gradient of the sum of ``total`` trains all networks at once."""
        codes = networks.encoder(batch.features, batch.embedding)
        n_sources = batch.targets.shape[1]
        outputs = networks.predictor(codes if self.predicts_targets else codes[:, :n_sources])
        prediction = prediction_loss(outputs[:, :n_sources], batch.targets, options.task)
        if self.adversarial is None:
            return Losses(prediction, torch.zeros_like(prediction), prediction)
        adversarial, differentiated = self.adversarial(networks, codes, outputs, batch, options)
        return Losses(prediction, adversarial, prediction + differentiated)


@dataclass(frozen=True)
class LossOptions:
    """What the losses need to know: the task, the adversarial weight λ_d, and which rows GRDA pairs."""

    task: Task
    adversarial_weight: float
    rows: PairedRows = "matched"


def _domain_loss(scores: Tensor) -> Tensor:
    n_seeds, n_domains, n_rows = scores.shape[:3]
    domains = torch.arange(n_domains, device=scores.device).view(1, -1, 1).expand(n_seeds, -1, n_rows)
    return _mean_over_rows(_chosen(torch.log_softmax(scores, -1), domains))


def _dann(networks: Networks, codes: Tensor, outputs: Tensor, batch: Batch, options: LossOptions):
    """D: which of the N domains is it? E maximises D's negative log-likelihood."""
    loss = _domain_loss(_discriminator(networks)(reverse_gradient(codes, options.adversarial_weight)))
    return loss, loss


def _cdann(networks: Networks, codes: Tensor, outputs: Tensor, batch: Batch, options: LossOptions):
    """As DANN; D also sees F's detached class probabilities (in regression its predictions)."""
    conditions = outputs.detach()
    if options.task == "classification":
        conditions = torch.softmax(conditions, -1)
    reversed_codes = reverse_gradient(codes, options.adversarial_weight)
    loss = _domain_loss(_discriminator(networks)(reversed_codes, conditions))
    return loss, loss


def _adda(networks: Networks, codes: Tensor, outputs: Tensor, batch: Batch, options: LossOptions):
    """D: -log D(source) - log(1 - D(target)); E: -log D(target), with D frozen."""
    discriminator, n_sources = _discriminator(networks), batch.targets.shape[1]
    scores = discriminator(codes.detach())
    loss = _surprise(scores[:, :n_sources]) + _surprise(-scores[:, n_sources:])
    frozen = {name: parameter.detach() for name, parameter in discriminator.named_parameters()}
    confusion = _surprise(functional_call(discriminator, frozen, codes[:, n_sources:]))
    return loss, loss + options.adversarial_weight * confusion


def _surprise(scores: Tensor) -> Tensor:
    # Mean of -log σ(score).
    return _mean_over_rows(seedwise(softplus, -scores))


def _mdd(networks: Networks, codes: Tensor, outputs: Tensor, batch: Batch, options: LossOptions):
    """D is a second head F': it agrees with F on the sources and disagrees on the targets, half and half."""
    n_sources, decided = batch.targets.shape[1], outputs.detach()
    second = _discriminator(networks)(reverse_gradient(codes, options.adversarial_weight))
    if options.task == "classification":
        disagreement = _chosen(log_probabilities(second), decided.argmax(-1))
        source = disagreement[:, :n_sources]
        target = seedwise(_surprise_of_agreement, disagreement[:, n_sources:])
    else:
        disparity = (second - decided).square()
        source = disparity[:, :n_sources]
        target = -disparity[:, n_sources:].clamp(max=LARGEST_TARGET_DISPARITY)
    loss = 0.5 * (_mean_over_rows(source) + _mean_over_rows(target))
    return loss, loss


def _surprise_of_agreement(disagreement: Tensor) -> Tensor:
    # -log(1 - p) from -log p.
    return -torch.log1p(-torch.exp(-disagreement).clamp(max=1 - PROBABILITY_FLOOR))


def _grda(networks: Networks, codes: Tensor, outputs: Tensor, batch: Batch, options: LossOptions):
    """D: are the two rows' domains adjacent? N times the weighted pair loss on the step's subset of domains."""
    if batch.subset is None or batch.pairs is None:
        raise ValueError("batch has no subset of domains; draw one for GRDA.")
    seeds = torch.arange(len(codes), device=codes.device).unsqueeze(-1)
    compared = reverse_gradient(codes[seeds, batch.subset], options.adversarial_weight)
    n_domains = codes.shape[1]
    loss = n_domains * weighted_pair_loss(_discriminator(networks)(compared), batch.pairs, options.rows)
    return loss, loss


def _discriminator(networks: Networks) -> nn.Module:
    if networks.discriminator is None:
        raise ValueError("networks have no discriminator; make them for an adversarial method.")
    return networks.discriminator


def _mdd_uninformative(shape: Shape, task: Task) -> float:
    if task == "regression":
        return math.nan
    return 0.5 * (math.log(shape.n_outputs) - math.log1p(-1 / shape.n_outputs))


OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("source-only", lambda *_: None, None, lambda *_: math.nan, uses_targets=False),
        Objective(
            "dann",
            lambda shape, width, *_: Discriminator(shape.n_seeds, width, shape.n_domains),
            _dann,
            lambda shape, _: math.log(shape.n_domains),
        ),
        Objective(
            "adda",
            lambda shape, width, *_: Discriminator(shape.n_seeds, width, 1),
            _adda,
            lambda *_: 2 * math.log(2),
        ),
        Objective(
            "cdann",
            lambda shape, width, *_: ConditionalDiscriminator(shape.n_seeds, width, shape.n_outputs, shape.n_domains),
            _cdann,
            lambda shape, _: math.log(shape.n_domains),
            predicts_targets=True,
        ),
        Objective(
            "mdd",
            lambda shape, width, *_: Predictor(shape.n_seeds, width, shape.n_outputs),
            _mdd,
            _mdd_uninformative,
            predicts_targets=True,
        ),
        Objective(
            "grda",
            lambda shape, width, _, outputs: Discriminator(shape.n_seeds, width, outputs),
            _grda,
            lambda shape, _: shape.n_domains * math.log(2),
        ),
    )
}
METHODS: tuple[str, ...] = tuple(OBJECTIVES)


def find_objective(name: str) -> Objective:
    """Return the objective of a method.

    Raises
    ------
    UnknownNameError
        If there is no such method.
    """
    if name not in OBJECTIVES:
        raise unknown_name("method", name, list(OBJECTIVES))
    return OBJECTIVES[name]
