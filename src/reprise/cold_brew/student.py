"""The student: two MLPs and a bank of teacher embeddings in which it looks up latent neighbours (§3.2).

The look-up depends on ξ₁ alone, which is frozen while ξ₂ trains. It is therefore made once, in blocks of query
rows; the released code ranks anew, node by node, in every epoch.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from reprise.cold_brew.checks import as_mask, check_choice, check_dropout, check_whole
from reprise.cold_brew.latent_neighbours import Input, Similarity, attend, check_student_options
from reprise.cold_brew.layers import MLP
from reprise.cold_brew.sparse import Features, as_features, factor_to_norm, scale_features, take_rows, zero_rows
from reprise.cold_brew.training import History, Recipe, accuracy_and_loss, fit, refuse_divergence


class ColdBrewStudent(nn.Module):
    """Predict from features alone, with the help of embeddings that a teacher learnt on the training graph.

    Parameters
    ----------
    in_channels
        F, width of the features.
    embedding_dim
        D, width of the teacher's embedding.
    out_channels
        C, number of classes (or of regression targets).
    k
        K, number of latent neighbours (the paper's commands: 3).
    temperature, similarity
        See `attend`.
    inputs
        What ξ₂ reads besides the features: ``"neighbours"`` is ẽ (Eq. 4), ``"guess"`` is ê (the official code adds
        it). Any subset.
    hidden_channels
        Width of both MLPs.
    dropout
        Share of hidden values dropped in training.
    task
        ``"classification"`` (cross-entropy) or ``"regression"`` (squared error).
    scale_parts
        Whether ξ₂'s inputs are brought to one size, see `classifier_inputs`. As they come, features that sum to one
        a node are a thousandth of a standardised embedding, and ξ₂ hardly reads them.
    exclude_self
        Whether a node of the training graph never finds itself in the bank. Its own embedding contains its label, which
        ξ₂ would learn to copy.

    Notes
    -----
    Train in this order: `fit_embedding`, `build_bank`, `fit_classifier`. ``state_dict`` holds the bank, so that a
    saved student needs neither graph nor teacher.
    """

    bank: Tensor
    bank_nodes: Tensor
    centre: Tensor
    scale: Tensor
    part_scales: Tensor

    def __init__(
        self,
        in_channels: int,
        embedding_dim: int,
        out_channels: int,
        k: int = 3,
        temperature: float = 1.0,
        *,
        similarity: Similarity = "dot",
        inputs: Sequence[Input] = ("neighbours", "guess"),
        hidden_channels: int = 256,
        dropout: float = 0.5,
        task: Literal["classification", "regression"] = "classification",
        scale_parts: bool = True,
        exclude_self: bool = True,
    ) -> None:
        super().__init__()
        check_student_options(k=k, temperature=temperature, similarity=similarity, inputs=inputs)
        for name, width in (
            ("in_channels", in_channels),
            ("embedding_dim", embedding_dim),
            ("out_channels", out_channels),
            ("hidden_channels", hidden_channels),
        ):
            check_whole(name, width)
        check_dropout("dropout", dropout)
        check_choice("task", task, ("classification", "regression"))
        self.k, self.temperature, self.similarity = k, temperature, similarity
        self.inputs, self.task = tuple(inputs), task
        self.scale_parts, self.exclude_self = scale_parts, exclude_self
        self.guesser = MLP(in_channels, [hidden_channels], embedding_dim, dropout)
        widths = [in_channels, *[embedding_dim for _ in self.inputs]]
        self.classifier = MLP(widths, [hidden_channels], out_channels, dropout)
        self.register_buffer("bank", torch.empty(0, embedding_dim))
        self.register_buffer("bank_nodes", torch.empty(0, dtype=torch.long))
        self.register_buffer("centre", torch.zeros(embedding_dim))
        self.register_buffer("scale", torch.ones(embedding_dim))
        self.register_buffer("part_scales", torch.ones(len(widths)))

    def fit_embedding(self, x: Features, embeddings: Tensor, mask: Tensor, recipe: Recipe | None = None) -> History:
        """Train ξ₁ to guess the teacher's embedding from the features.

        Parameters
        ----------
        x
            ``(N, F)``.
        embeddings
            Ē ``(N, D)`` of the teacher; each column is standardised over the masked nodes, or the widest layer would
            dominate the squared error.
        mask
            Nodes to learn from: the paper's text says all non-isolated nodes, the released code the training nodes.
            Every tenth of them, drawn at random, is held out to decide when to stop.
        recipe
            The training recipe.

        Raises
        ------
        ValueError
            For features, embeddings or a mask that cannot be used.
        DivergenceError
            If the loss became NaN or infinite; names the epoch.
        """
        features, recipe = self._checked(x), recipe or Recipe()
        if embeddings.shape != (features.shape[0], self.bank.shape[1]):
            expected = (features.shape[0], self.bank.shape[1])
            raise ValueError(f"embeddings have shape {tuple(embeddings.shape)}; expected {expected}.")
        nodes = torch.nonzero(as_mask("mask", mask, features.shape[0], embeddings.device)).flatten()
        if nodes.numel() < 2:
            raise ValueError(f"mask marks {nodes.numel()} nodes; the embedding is learnt from at least 2.")
        known = embeddings[nodes]
        self.centre = known.mean(0)
        self.scale = known.std(0).clamp(min=1e-6)
        shuffled = nodes[torch.randperm(nodes.numel()).to(nodes.device)]
        n_held_out = max(nodes.numel() // 10, 1)
        held_out, learnt = shuffled[:n_held_out], shuffled[n_held_out:]
        target = self._standardised(embeddings)
        x_learnt, x_held_out = take_rows(features, learnt), take_rows(features, held_out)
        history = fit(
            self.guesser,
            lambda: functional.mse_loss(self.guesser(x_learnt), target[learnt]),
            recipe,
            validate=lambda: -float(functional.mse_loss(self.guesser(x_held_out), target[held_out])),
        )
        return refuse_divergence(history, recipe)

    def build_bank(self, embeddings: Tensor, mask: Tensor) -> None:
        """Keep the embeddings of the masked nodes, from which latent neighbours are taken.

        Raises
        ------
        ValueError
            If there are fewer of them than k, or the embeddings are no ``(N, D)``.
        """
        width = self.bank.shape[1]
        if embeddings.dim() != 2 or embeddings.shape[1] != width:
            raise ValueError(f"embeddings have shape {tuple(embeddings.shape)}; expected (n_nodes, {width}).")
        nodes = torch.nonzero(as_mask("mask", mask, len(embeddings), embeddings.device)).flatten()
        if nodes.numel() < self.k:
            raise ValueError(
                f"k={self.k} is above the size of the bank, {nodes.numel()}; give k from 1 to {nodes.numel()}."
            )
        self.bank_nodes = nodes
        self.bank = self._standardised(embeddings)[nodes].detach().clone()

    @torch.no_grad()
    def guess(self, x: Features) -> Tensor:
        """Return ê, the guessed and standardised teacher embedding, ``(M, D)``; without dropout."""
        training = self.guesser.training
        out = self.guesser.eval()(self._checked(x))
        self.guesser.train(training)
        return out

    @torch.no_grad()
    def latent_neighbours(self, x: Features, nodes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the latent neighbours of nodes, given features only.

        Parameters
        ----------
        x
            ``(M, F)``.
        nodes
            ``(M,)`` numbers of these nodes in the training graph; they then do not find themselves, unless
            ``exclude_self`` is off. ``None``: they are new.

        Returns
        -------
        index : Tensor
            ``(M, K)`` node numbers in the training graph, most similar first.
        weight : Tensor
            ``(M, K)`` attention, rows summing to 1.
        """
        rows, weight = self._attend(self.guess(x), nodes)
        return self.bank_nodes[rows], weight

    def _attend(self, guess: Tensor, nodes: Tensor | None) -> tuple[Tensor, Tensor]:
        size, excludes = self.bank.shape[0], nodes is not None and self.exclude_self
        if size == 0:
            raise ValueError("the student has no bank; call build_bank(embeddings, mask) first.")
        if self.k > size - excludes:
            raise ValueError(
                f"k={self.k} is above the {size} rows of the bank (less the node itself); give a smaller k."
            )
        return attend(
            guess,
            self.bank,
            self.k,
            temperature=self.temperature,
            similarity=self.similarity,  # type: ignore[arg-type]
            forbidden=self._own_rows(nodes) if nodes is not None and excludes else None,
        )

    def _own_rows(self, nodes: Tensor) -> Tensor:
        place = torch.searchsorted(self.bank_nodes, nodes).clamp(max=self.bank_nodes.numel() - 1)
        return torch.where(self.bank_nodes[place] == nodes, place, -1)

    @torch.no_grad()
    def extra_inputs(self, x: Features, nodes: Tensor | None = None, *, dropout: bool = False) -> list[Tensor]:
        """Return what ξ₂ reads besides the features, as ``inputs`` says and not yet scaled: ẽ and ê, ``(M, D)`` each.

        With ``dropout`` ξ₁ is left in the mode it is in, so that in training mode it drops values.
        """
        if not self.inputs:
            return []
        guess = self.guesser(self._checked(x)) if dropout else self.guess(x)
        made = {"guess": guess}
        if "neighbours" in self.inputs:
            rows, weight = self._attend(guess, nodes)
            # One multiply-add per neighbour: K blocks of (M, D) in turn instead of all of (M, K, D) at once.
            mixed = torch.zeros_like(guess)
            for rank in range(self.k):
                mixed += weight[:, rank : rank + 1] * self.bank[rows[:, rank]]
            made["neighbours"] = mixed
        return [made[name] for name in self.inputs]

    def classifier_inputs(
        self, x: Features, nodes: Tensor | None = None, *, dropout: bool = False
    ) -> tuple[Features, ...]:
        """Return all that ξ₂ reads: the features ``(M, F)``, then ẽ and ê, as ``inputs`` says.

        Each part is multiplied by one number, found by `fit_classifier`, that makes D the mean square norm of its rows
        over the training nodes. ξ₂'s first map starts with weights of one variance, so that all parts then have an
        equal share in what it gives. One number a part, not one a column: sparse features stay sparse.

        The arguments are those of `extra_inputs`.
        """
        features = self._checked(x)
        return self._at_their_scales(features, self.extra_inputs(features, nodes, dropout=dropout))

    def _at_their_scales(self, features: Features, extra: Sequence[Tensor]) -> tuple[Features, ...]:
        factors = self.part_scales.tolist() if self.scale_parts else [1.0 for _ in self.part_scales]
        return tuple(scale_features(part, factor) for part, factor in zip((features, *extra), factors, strict=True))

    def fit_classifier(
        self,
        x: Features,
        y: Tensor,
        train_mask: Tensor,
        val_mask: Tensor | None = None,
        recipe: Recipe | None = None,
    ) -> History:
        """Train ξ₂ on the labels of the training nodes; ξ₁ is frozen and the look-up made once.

        The sizes of ξ₂'s inputs are measured here. All training nodes are used, as in the released code; the paper's
        text names those in the tail and in isolation.

        Parameters
        ----------
        x
            ``(N, F)``, the nodes of the training graph in order.
        y
            ``(N,)`` classes, or ``(N, C)`` targets for regression.
        train_mask, val_mask
            Boolean ``(N,)``.
        recipe
            The training recipe.

        Raises
        ------
        ValueError
            For features, targets or masks that cannot be used, and before `build_bank`.
        DivergenceError
            If the loss became NaN or infinite; names the epoch.
        """
        features, recipe = self._checked(x), recipe or Recipe()
        y = self._targets(y, features.shape[0])
        extra = self.extra_inputs(features, torch.arange(features.shape[0], device=self.bank.device))
        rows = torch.nonzero(as_mask("train_mask", train_mask, features.shape[0], y.device)).flatten()
        if rows.numel() == 0:
            raise ValueError("train_mask marks no node; mark the nodes whose labels may be used.")
        checked = rows[:0]
        if val_mask is not None:
            checked = torch.nonzero(as_mask("val_mask", val_mask, features.shape[0], y.device)).flatten()
        self._check_classes(y[torch.cat([rows, checked])])
        factors = [factor_to_norm(take_rows(part, rows), self.bank.shape[1]) for part in (features, *extra)]
        self.part_scales = self.part_scales.new_tensor(factors)
        parts = self._at_their_scales(features, extra)
        learnt = tuple(take_rows(part, rows) for part in parts)
        seen = tuple(take_rows(part, checked) for part in parts)

        def loss() -> Tensor:
            return self._loss(self.classifier(*learnt), y[rows])

        def validate() -> float | tuple[float, float]:
            scores = self.classifier(*seen)
            if self.task == "classification":
                return accuracy_and_loss(scores, y[checked])
            return -float(self._loss(scores, y[checked]))

        history = fit(
            self.classifier,
            loss,
            recipe,
            validate=validate if checked.numel() else None,
            predict=lambda: self.classifier(*parts),
        )
        return refuse_divergence(history, recipe)

    def _check_classes(self, used: Tensor) -> None:
        n_classes = self.classifier.last.out_features
        if self.task == "classification" and not bool(((used >= 0) & (used < n_classes)).all()):
            wrong = int(used.max()) if int(used.max()) >= n_classes else int(used.min())
            raise ValueError(
                f"y holds the label {wrong} on a node of the masks; this student was built for the classes 0 … "
                f"{n_classes - 1} (out_channels={n_classes})."
            )

    def _targets(self, y: Any, n_nodes: int) -> Tensor:
        found = torch.as_tensor(y, device=self.centre.device)
        if len(found) != n_nodes:
            raise ValueError(f"x has {n_nodes} rows, but y has {len(found)}; one row per node is needed.")
        if self.task == "regression":
            width = self.classifier.last.out_features
            if found.shape != (n_nodes, width):
                raise ValueError(f"y has shape {tuple(found.shape)}; for regression give targets ({n_nodes}, {width}).")
            return found.to(self.centre.dtype)
        if found.is_floating_point() or found.is_complex() or found.dim() != 1:
            shape = tuple(found.shape)
            raise ValueError(f"y has shape {shape} and type {found.dtype}; give integer classes ({n_nodes},).")
        return found.long()

    def _loss(self, out: Tensor, target: Tensor) -> Tensor:
        if self.task == "classification":
            return functional.cross_entropy(out, target)
        return functional.mse_loss(out, target)

    def forward(self, x: Features, nodes: Tensor | None = None) -> Tensor:
        """Return logits ``(M, C)`` of nodes given their features; no edge is asked for.

        Parameters
        ----------
        x
            ``(M, F)``.
        nodes
            As in `latent_neighbours`.
        """
        return self.classifier(*self.classifier_inputs(x, nodes))

    @torch.no_grad()
    def predict(self, x: Features) -> Tensor:
        """Return logits ``(M, C)`` of new nodes, without dropout.

        Warns
        -----
        UserWarning
            If nodes have no non-zero feature: there is nothing to place them by.
        """
        features = self._checked(x)
        blank = int(zero_rows(features).sum())
        if blank:
            warnings.warn(
                f"{blank} nodes have no non-zero feature: a cold node without features cannot be placed.", stacklevel=2
            )
        return self.eval()(features)

    def _checked(self, x: Features) -> Features:
        features = as_features(x, self.centre.dtype)
        width = self.guesser.first.in_channels[0]
        if features.shape[1] != width:
            raise ValueError(f"the features have width {features.shape[1]}; the student was built for width {width}.")
        return features if features.device == self.centre.device else features.to(self.centre.device)

    def _standardised(self, embeddings: Tensor) -> Tensor:
        return (embeddings - self.centre) / self.scale

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *args: Any) -> None:
        # The bank's size is the training graph's, which a newly built student does not know.
        for name in ("bank", "bank_nodes"):
            if prefix + name in state:
                setattr(self, name, torch.empty_like(state[prefix + name], device=self.centre.device))
        super()._load_from_state_dict(state, prefix, *args)
