"""Rewards by gradient matching: how each transformation turns an image's gradient towards that of real images.

Notation of the paper: v is the mean gradient of a batch of original validation images of a class, g(θ) that of one
augmented image of the same class, G the matrix of its gradients under all transformations, so that g = G p. The
derivative of cos(v, g) by p is the *reward* r = Gᵀu (`direction` gives u). G is never formed: r_n is the derivative of
the loss of the n-th augmented image in direction u, one Jacobian-vector product for all n together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp
from torch.nn import functional

from reprise.deep_aa.image_checks import DeepAAInputError

Loss = Callable[[Tensor, Tensor], Tensor]
RewardMethod = Literal["jvp", "finite differences"]
# Longer steps cross more kinks of ReLU, shorter ones are lost in rounding (see the audit of the step, which compares
# both with forward mode).
FINITE_STEP = 1e-5
_NORMALISATION = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)
_FINE_ENOUGH = (torch.float32, torch.float64)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of every image, ``(B,)``."""
    return functional.cross_entropy(logits, labels, reduction="none")


def cosine(v: Tensor, g: Tensor) -> Tensor:
    """Return cos(v, g) of two gradients ``(D,)``, the objective of the search."""
    return torch.dot(v, g) / (v.norm() * g.norm())


def direction(v: Tensor, g: Tensor) -> Tensor:
    """Return u = (v − (vᵀg / ‖g‖²) g) / (‖v‖ ‖g‖), ``(D,)``: the derivative of cos(v, g) by g, orthogonal to g."""
    return (v - torch.dot(v, g) / torch.dot(g, g) * g) / (v.norm() * g.norm())


def policy_gradient(probabilities: Tensor, rewards: Tensor) -> Tensor:
    """Return the derivative of Σ p_n R_n by the logits of p: p_m (R_m − pᵀR), ``(T,)``, in closed form."""
    return probabilities * (rewards - torch.dot(probabilities, rewards))


class Gradients(Protocol):
    """Mean gradients and directional derivatives of a frozen network's loss."""

    def mean_gradient(self, images: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return Σ weight_i ∇L(x_i), ``(D,)``; without weights the mean."""

    def rewards(self, images: Tensor, labels: Tensor, u: Tensor) -> Tensor:
        """Return uᵀ∇L(x_i) of every image, ``(B,)``."""


def normalisation_weights(model: nn.Module) -> set[str]:
    """Return the names of the scales and shifts of normalisation layers."""
    return {
        f"{name}.{parameter}" if name else parameter
        for name, module in model.named_modules()
        if isinstance(module, _NORMALISATION)
        for parameter, _ in module.named_parameters(recurse=False)
    }


def trained_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return the weights w that gradients are taken by: all that are trained but those of normalisation layers.

    Raises
    ------
    DeepAAInputError
        If there are none; lists what was excluded.
    """
    excluded = normalisation_weights(model)
    chosen = {n: p.detach() for n, p in model.named_parameters() if n not in excluded and p.requires_grad}
    if not chosen:
        left_out = ", ".join(sorted(excluded)) or "none"
        raise DeepAAInputError(
            "the model has no weight that requires a gradient, so there is nothing to match; call "
            f"model.requires_grad_(True). Excluded as normalisation: {left_out}."
        )
    return chosen


def check_frozen(model: nn.Module) -> None:
    """Refuse a model in training mode, in which the images of a batch change one another's gradients.

    Raises
    ------
    DeepAAInputError
        If it is no module, or any of its modules is in training mode.
    """
    if not isinstance(model, nn.Module):
        raise DeepAAInputError(f"model is a {type(model).__name__}; give a torch.nn.Module in evaluation mode.")
    training = [name or type(model).__name__ for name, module in model.named_modules() if module.training]
    if training:
        raise DeepAAInputError(
            f"the model is in training mode ({training[0]}): batch normalisation and dropout would mix images; call "
            "model.eval() first."
        )


def _one_each(losses: Tensor, labels: Tensor) -> Tensor:
    if losses.shape != labels.shape:
        raise DeepAAInputError(
            f"loss gives {tuple(losses.shape)} for {len(labels)} images; it has to give one number each "
            "(reduction='none')."
        )
    return losses


@dataclass
class WeightGradients:
    """Gradients by all convolutional and dense weights.

    Parameters
    ----------
    model
        Any torch model in evaluation mode, from images to logits.
    loss
        Maps logits ``(B, n_classes)`` and labels ``(B,)`` to losses ``(B,)``.
    method
        Rewards by forward-mode Jacobian-vector products, or by central finite differences along u: two forward passes.
    finite_step
        Length of a finite step over ‖w‖, so that the step is ``finite_step · ‖w‖ / ‖u‖`` along u.
    """

    model: nn.Module
    loss: Loss = cross_entropy
    method: RewardMethod = "jvp"
    finite_step: float = FINITE_STEP

    def __post_init__(self) -> None:
        check_frozen(self.model)
        if self.method not in ("jvp", "finite differences"):
            raise DeepAAInputError(f"method={self.method!r} is unknown; use 'jvp' or 'finite differences'.")
        self._weights = trained_weights(self.model)
        coarse = [str(w.dtype).removeprefix("torch.") for w in self._weights.values() if w.dtype not in _FINE_ENOUGH]
        if coarse and self.method == "finite differences":
            raise DeepAAInputError(
                f"method='finite differences' takes steps that weights of {coarse[0]} round away; use method='jvp', or "
                "model.float()."
            )
        own = {**dict(self.model.named_parameters()), **dict(self.model.named_buffers())}
        self._others = {name: value.detach() for name, value in own.items() if name not in self._weights}
        self._flat = torch.cat([w.reshape(-1) for w in self._weights.values()])

    @property
    def n_weights(self) -> int:
        """Length D of a gradient."""
        return self._flat.numel()

    def losses(self, images: Tensor, labels: Tensor, flat: Tensor) -> Tensor:
        """Return the losses ``(B,)`` at weights given as one vector ``(D,)``."""
        sizes = [w.numel() for w in self._weights.values()]
        parts = flat.split(sizes)
        weights = {n: part.view(w.shape) for (n, w), part in zip(self._weights.items(), parts, strict=True)}
        return _one_each(self.loss(functional_call(self.model, {**weights, **self._others}, (images,)), labels), labels)

    def mean_gradient(self, images: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return Σ weight_i ∇L(x_i), ``(D,)``; without weights the mean."""
        with torch.enable_grad():
            flat = self._flat.clone().requires_grad_(True)
            losses = self.losses(images, labels, flat)
            total = losses.mean() if weights is None else torch.dot(losses, weights.to(losses))
            return torch.autograd.grad(total, flat)[0]

    def rewards(self, images: Tensor, labels: Tensor, u: Tensor) -> Tensor:
        """Return uᵀ∇L(x_i) of every image, ``(B,)``."""
        if self.method == "jvp":
            try:
                with torch.no_grad():
                    return jvp(lambda flat: self.losses(images, labels, flat), (self._flat,), (u,))[1]
            except NotImplementedError as error:
                reason = str(error).splitlines()[0]
                raise DeepAAInputError(
                    f"method='jvp' cannot differentiate this model ({reason}); use method='finite differences'."
                ) from error
        step = self.finite_step * self._flat.norm() / u.norm()
        with torch.no_grad():
            ahead = self.losses(images, labels, self._flat + step * u)
            return (ahead - self.losses(images, labels, self._flat - step * u)) / (2 * step)


@dataclass
class LastLayerGradients:
    """Gradients by the last dense layer alone, from forward passes only.

    The gradient of an image there is δ hᵀ with δ = ∂L/∂logits and h its features (a 1 appended for a bias), so that
    every inner product is (δᵢ·δⱼ)(hᵢ·hⱼ), and a reward is δᵢᵀ U hᵢ.

    Parameters
    ----------
    model
        Any torch model in evaluation mode whose logits are the output of one of its `torch.nn.Linear`.
    loss
        Maps logits and labels to losses ``(B,)``.
    """

    model: nn.Module
    loss: Loss = cross_entropy

    def __post_init__(self) -> None:
        check_frozen(self.model)
        self._dense = {name: module for name, module in self.model.named_modules() if isinstance(module, nn.Linear)}
        if not self._dense:
            raise DeepAAInputError("params='last' needs a torch.nn.Linear that gives the logits; this model has none.")

    def factors(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return δ ``(B, n_classes)`` and h ``(B, n_features + 1)``, without the 1 if the layer has no bias.

        Raises
        ------
        DeepAAInputError
            If no dense layer gives the logits, or the one that does is not trained.
        """
        logits, head, features = self._head_of(images)
        with torch.enable_grad():
            logits = logits.detach().requires_grad_(True)
            delta = torch.autograd.grad(_one_each(self.loss(logits, labels), labels).sum(), logits)[0]
        if head.bias is None:
            return delta, features
        return delta, torch.cat([features, features.new_ones(len(features), 1)], dim=1)

    def _head_of(self, images: Tensor) -> tuple[Tensor, nn.Linear, Tensor]:
        """Return logits, the dense layer whose output they are, and what went into it."""
        seen: list[tuple[nn.Linear, Tensor, Tensor]] = []

        def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            seen.append((module, inputs[0].detach(), output))  # type: ignore[arg-type]

        handles = [module.register_forward_hook(keep) for module in self._dense.values()]
        try:
            with torch.no_grad():
                logits = self.model(images)
        finally:
            for handle in handles:
                handle.remove()
        for head, features, output in reversed(seen):
            if output is logits or (output.shape == logits.shape and torch.equal(output, logits)):
                if not head.weight.requires_grad:
                    raise DeepAAInputError("params='last': the dense layer that gives the logits requires no gradient.")
                return logits, head, features
        raise DeepAAInputError(
            f"params='last' needs a torch.nn.Linear that gives the logits; none of {', '.join(self._dense)} does. Use "
            "params='all'."
        )

    def mean_gradient(self, images: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return Σ weight_i δ_i h_iᵀ, flattened to ``(D,)``; without weights the mean."""
        delta, features = self.factors(images, labels)
        if weights is None:
            weights = torch.full((len(delta),), 1 / len(delta))
        return ((delta * weights.to(delta)[:, None]).T @ features).reshape(-1)

    def rewards(self, images: Tensor, labels: Tensor, u: Tensor) -> Tensor:
        """Return δ_iᵀ U h_i of every image, ``(B,)``."""
        delta, features = self.factors(images, labels)
        return ((delta @ u.view(delta.shape[1], -1)) * features).sum(1)


def gradient_rewards(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    weights: Tensor,
    v: Tensor,
    *,
    loss: Loss = cross_entropy,
    params: Literal["all", "last"] = "all",
    method: RewardMethod = "jvp",
) -> tuple[float, Tensor]:
    """Return cos(v, g) and the rewards r = Gᵀu of the augmented versions of one image (Section 3 of the paper).

    Parameters
    ----------
    model
        Frozen network in evaluation mode.
    images
        One image under every transformation, ``(T, C, H, W)``, as the model takes them.
    labels
        Its label, ``(T,)``.
    weights
        Probabilities p of the transformations, ``(T,)``.
    v
        Gradient to match, ``(D,)``, e.g. `WeightGradients.mean_gradient` of validation images.
    loss, method
        As in `WeightGradients`.
    params
        ``"all"`` weights, or the ``"last"`` dense layer only.

    Returns
    -------
    cosine
        cos(v, Gp).
    rewards
        r, ``(T,)``; pᵀr = 0 up to rounding.

    Raises
    ------
    DeepAAInputError
        If the model is in training mode, has no weights, or a gradient is zero.
    """
    gradients = gradients_of(model, loss, params, method)
    g = gradients.mean_gradient(images, labels, weights)
    if not (v.norm() > 0 and g.norm() > 0):
        raise DeepAAInputError(
            f"a gradient is zero (‖v‖ = {float(v.norm()):.3g}, ‖g‖ = {float(g.norm()):.3g}): the image is fitted "
            "perfectly, and no direction is better than another; leave it out."
        )
    return float(cosine(v, g)), gradients.rewards(images, labels, direction(v, g))


def gradients_of(
    model: nn.Module, loss: Loss = cross_entropy, params: str = "all", method: RewardMethod = "jvp"
) -> WeightGradients | LastLayerGradients:
    """Return the gradients by all weights or by the last layer's.

    Raises
    ------
    DeepAAInputError
        If ``params`` is neither ``"all"`` nor ``"last"``.
    """
    if params == "all":
        return WeightGradients(model, loss, method)
    if params == "last":
        return LastLayerGradients(model, loss)
    raise DeepAAInputError(f"params={params!r} is unknown; use 'all' or 'last'.")
