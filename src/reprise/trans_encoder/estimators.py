"""Trans-Encoder for a reader's own pairs: fit on unlabelled pairs, score pairs, encode sentences."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reprise.compute import resolve_device
from reprise.trans_encoder.checkpoints import MINILM
from reprise.trans_encoder.distillation import Backbone, DistillConfig, HalfStep, half_steps
from reprise.trans_encoder.encoders import (
    PAIR_LENGTH,
    POOLINGS,
    PRECISIONS,
    SENTENCE_LENGTH,
    BiEncoder,
    CrossEncoder,
    Encoder,
)
from reprise.trans_encoder.input_checks import (
    Pair,
    TransEncoderInputError,
    check_disjoint,
    check_gold,
    check_name,
    check_pairs,
    shown,
)
from reprise.trans_encoder.measures import spearman
from reprise.trans_encoder.option_checks import check_bi_encoder, check_config, check_source, check_whole
from reprise.trans_encoder.saving import config_of, load_forms, pooling_of_folder, save_forms

if TYPE_CHECKING:
    import pandas as pd

FORMS = ("cross", "bi")
MOST_CUT = 0.05  # share of cut texts above which a warning names the length that cuts them
WITH_LABELS, WITHOUT_LABELS = "development pairs", "agreement with the half-step before (no labels)"


def _checked(pairs: Any, argument: str) -> list[Pair]:
    if not isinstance(pairs, Iterable):
        raise TransEncoderInputError(
            f"{argument} = {shown(pairs)} is no list of pairs; give (sentence, sentence) tuples, or two columns."
        )
    names = getattr(pairs, "columns", ())
    if len(names) > 2:
        shortened = shown([str(name) for name in names])
        raise TransEncoderInputError(f"{argument} has the columns {shortened}; choose the two that hold the sentences.")
    return check_pairs(pairs, argument=argument)


def _distinct(pairs: list[Pair], *, in_any_order: bool) -> list[Pair]:
    """Return each pair once; where both orders are trained, a reversed pair is one that is there already."""
    found: dict[Any, Pair] = {}
    for pair in pairs:
        found.setdefault(frozenset(pair) if in_any_order else pair, pair)
    return list(found.values())


def _check_finite(step: HalfStep) -> None:
    for training in step.trainings:
        lost = np.flatnonzero(~np.isfinite(training.losses))
        if len(lost):
            raise TransEncoderInputError(
                f"config.{step.form}: in cycle {step.cycle} the loss was {training.losses[lost[0]]} at step "
                f"{lost[0] + 1}; give a Recipe with a lower lr."
            )


class _Distilled:
    """What self- and mutual distillation share: the loop, the choice of a cycle, scores."""

    backbones: tuple[Backbone, ...]
    config: DistillConfig

    def _fit(self, pairs: Any, dev_pairs: Any, dev_gold: ArrayLike | None, test_pairs: Any) -> None:
        pool = _distinct(_checked(pairs, "pairs"), in_any_order=self.config.symmetric)
        least = max(2, min(self.config.cross.batch_size, self.config.bi.batch_size))
        if len(pool) < least:
            raise TransEncoderInputError(
                f"pairs has {len(pool)} distinct pairs; at least {least} are needed, which is a batch: give more, or a "
                "config whose cross and bi recipes have a smaller batch_size."
            )
        dev = self._development(dev_pairs, dev_gold)
        if test_pairs is not None:
            check_disjoint(pool, _checked(test_pairs, "test_pairs"))
        self._check_backbones()
        self._warn_of_cut_texts(pool)

        def evaluate(model: Encoder) -> float:
            assert dev is not None
            return spearman(dev[1], model.score(dev[0]))  # type: ignore[operator]

        self.selection_ = WITHOUT_LABELS if dev is None else WITH_LABELS
        best: dict[str, tuple[float, HalfStep]] = {}
        lines: list[dict[str, Any]] = []
        for step in half_steps(self.backbones, pool, self.config, evaluate=None if dev is None else evaluate):
            _check_finite(step)
            agreement = spearman(step.labels, step.pool_scores)
            value = agreement if dev is None else float(np.mean([training.best for training in step.trainings]))
            value = -np.inf if np.isnan(value) else value  # all scores alike: any cycle that ranks is better
            if step.form not in best or value > best[step.form][0]:
                best[step.form] = value, step
            lines += self._history_of(step, agreement)
        self._lines = lines
        self.cross_models_ = best["cross"][1].models
        self.bi_models_ = best["bi"][1].models
        self.chosen_cycles_ = {form: best[form][1].cycle for form in FORMS}

    @staticmethod
    def _development(pairs: Any, gold: ArrayLike | None) -> tuple[list[Pair], NDArray[np.float64]] | None:
        if (pairs is None) != (gold is None):
            raise TransEncoderInputError("dev_pairs and dev_gold belong together; give both, or neither.")
        if pairs is None or gold is None:
            return None
        checked = check_pairs(_checked(pairs, "dev_pairs"), argument="dev_pairs", least=3)
        return checked, check_gold(gold, len(checked), argument="dev_gold")

    def _check_backbones(self) -> None:
        """Refuse, before anything is labelled, what students of this configuration could not be made from."""
        for place, backbone in enumerate(self.backbones):
            bi, cross = backbone.bi(), backbone.cross(self.config.seed, place)
            if self.config.init == "chained":
                cross.take_trunk_of(bi)
            for model in (bi, cross):
                model.freeze(embeddings=self.config.freeze_embeddings, n_layers=self.config.frozen_layers)

    def _warn_of_cut_texts(self, pool: list[Pair]) -> None:
        """Say, once a length, how much of the pool is longer than what the encoders read."""
        sentences = list(dict.fromkeys(sentence for pair in pool for sentence in pair))
        told = set()
        for backbone in self.backbones:
            for what, texts, model, name, limit in (
                ("sentences", sentences, backbone.bi(), "sentence_length", backbone.sentence_length),
                ("pairs", pool, backbone.cross(self.config.seed), "pair_length", backbone.pair_length),
            ):
                n_cut = model.tokenise(texts).n_cut  # type: ignore[arg-type]
                if n_cut > MOST_CUT * len(texts) and (name, limit) not in told:
                    told.add((name, limit))
                    warnings.warn(
                        f"{n_cut} of {len(texts)} {what} are longer than {limit} word pieces and are cut there; give "
                        f"{name}=… to read more.",
                        stacklevel=4,
                    )

    @staticmethod
    def _history_of(step: HalfStep, agreement: float) -> list[dict[str, Any]]:
        return [
            {
                "cycle": step.cycle,
                "form": step.form,
                "backbone": place,
                "steps": len(training.losses),
                "first loss": training.losses[0],
                "last loss": training.losses[-1],
                "development": training.best,
                "agreement": agreement,
            }
            for place, training in enumerate(step.trainings)
        ]

    @property
    def history_(self) -> pd.DataFrame:
        """One line a half-step and backbone: losses, development score, rank agreement with the labels (× 100)."""
        import pandas as pd

        return pd.DataFrame(self._fitted()._lines)

    def _fitted(self) -> Self:
        if not hasattr(self, "bi_models_"):
            raise TransEncoderInputError(f"this {type(self).__name__} is not fitted; call .fit(pairs) first.")
        return self

    def score(self, pairs: Any, form: str = "cross") -> NDArray[np.float64]:
        """Return the scores of pairs: the cross-encoder's in (0, 1), or the bi-encoder's cosines.

        Parameters
        ----------
        pairs
            Pairs of sentences.
        form
            ``"cross"`` or ``"bi"``.
        """
        if form not in FORMS:
            raise TransEncoderInputError(
                f"form={form!r} is unknown: 'cross' gives the cross-encoder's scores, 'bi' the bi-encoder's cosines."
            )
        models = self._fitted().cross_models_ if form == "cross" else self._fitted().bi_models_
        checked = _checked(pairs, "pairs")
        return np.mean([model.score(checked) for model in models], axis=0)  # type: ignore[operator]


class TransEncoder(_Distilled):
    """Self-distillation between a bi- and a cross-encoder on unlabelled pairs (paper, Section 3).

    Parameters
    ----------
    start
        Bi-encoder to begin with: a name on the model hub or a folder (paper:
        ``"princeton-nlp/unsup-simcse-bert-base-uncased"``), or ``"minilm"``, the packaged all-MiniLM-L6-v2.
    plm
        Language model that every cross-encoder begins with (paper: ``"bert-base-uncased"``); None takes the start's.
    num_layers
        Keeps that many of the lowest layers of both; None keeps all.
    pooling
        ``"cls"`` (paper) or ``"mean"``; None takes ``"mean"`` for ``"minilm"``, what a folder of sentence-transformers
        says, and else ``"cls"``: give it for a name on the hub that was trained with the mean.
    config
        Cycles, recipes, losses; the paper's by default.
    sentence_length, pair_length
        Word pieces that bi- and cross-encoders read (paper: 32 of a sentence, 64 of a pair); the rest is cut.
    precision
        ``"float32"`` or ``"bfloat16"``.
    device
        Where to compute.

    Raises
    ------
    TransEncoderInputError
        If an option is none of these, a path has no model, or the start is a cross-encoder. What depends on the model
        (more layers than it has, a length beyond its positions) is refused by `fit`, before it labels anything.

    Attributes
    ----------
    bi_, cross_
        The chosen encoders; ``bi_.save(path)`` writes a folder for sentence-transformers.
    history_
        What each half-step showed.
    chosen_cycles_
        Form to the cycle whose model was kept.
    selection_
        How it was chosen: by development pairs, or without any label.
    """

    def __init__(
        self,
        start: str | Path = MINILM,
        plm: str | Path | None = None,
        *,
        num_layers: int | None = None,
        pooling: str | None = None,
        config: DistillConfig | None = None,
        sentence_length: int = SENTENCE_LENGTH,
        pair_length: int = PAIR_LENGTH,
        precision: str = "float32",
        device: str = "auto",
    ) -> None:
        start = check_source("start", start)
        plm = start if plm is None else check_source("plm", plm)
        if num_layers is not None:
            check_whole("num_layers", num_layers, least=1)
        check_whole("sentence_length", sentence_length, least=3)
        check_whole("pair_length", pair_length, least=3)
        check_name("precision", precision, PRECISIONS)
        check_bi_encoder(start)
        pooling = pooling or ("mean" if start == MINILM else pooling_of_folder(start) or "cls")
        check_name("pooling", pooling, POOLINGS)
        self.config = DistillConfig() if config is None else config
        check_config(self.config)
        backbone = Backbone(
            start,
            plm,
            num_layers,
            pooling,
            sentence_length,
            pair_length,
            precision=precision,
            device=resolve_device(device),
        )
        self.backbones = (backbone,)

    def fit(
        self, pairs: Any, dev_pairs: Any = None, dev_gold: ArrayLike | None = None, *, test_pairs: Any = None
    ) -> Self:
        """Distil on unlabelled pairs.

        Parameters
        ----------
        pairs
            The pool; repeated pairs count once, and reversed ones, too, where both orders are trained.
        dev_pairs, dev_gold
            Pairs with scores on any scale, by whose rank correlation steps and cycles are chosen. Without them the last
            step is kept, and the cycle whose scores agree most with the half-step before.
        test_pairs
            If given, checked to be absent from the pool.

        Raises
        ------
        TransEncoderInputError
            If a pair is no pair of non-empty strings, there are fewer than one batch, gold scores do not fit or are
            all equal, or a test pair is in the pool.
        """
        self._fit(pairs, dev_pairs, dev_gold, test_pairs)
        return self

    @property
    def bi_(self) -> BiEncoder:
        """The chosen bi-encoder."""
        model = self._fitted().bi_models_[0]
        assert isinstance(model, BiEncoder)
        return model

    @property
    def cross_(self) -> CrossEncoder:
        """The chosen cross-encoder."""
        model = self._fitted().cross_models_[0]
        assert isinstance(model, CrossEncoder)
        return model

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Return the bi-encoder's unit vectors, ``(n, d)``."""
        if not isinstance(sentences, Iterable):
            raise TransEncoderInputError(f"sentences={sentences!r} is no list of sentences; give [sentence, …].")
        vectors: NDArray[np.float32] = self.bi_.encode(sentences).numpy()
        return vectors

    def save(self, path: str | Path) -> None:
        """Write both forms into a folder; sentence-transformers loads it as the bi-encoder, `load` as both.

        Raises
        ------
        TransEncoderInputError
            If nothing is fitted, or the path is that of a file.
        """
        facts = {"selection": self._fitted().selection_, "chosen_cycles": self.chosen_cycles_, "history": self._lines}
        one = self.backbones[0]
        begun = {"start": one.start, "plm": one.plm, "num_layers": one.num_layers, "config": asdict(self.config)}
        save_forms(self.bi_, self.cross_, {**facts, **begun}, path)

    @classmethod
    def load(cls, path: str | Path, *, device: str = "auto") -> Self:
        """Return the fitted model that `save` wrote: it scores and encodes, and fits anew what the saved one was.

        Its start, language model, layers and configuration are those of the saved one: `fit` begins there, not from the
        distilled weights. For these, give the folder as a start: ``TransEncoder(path)``.

        Raises
        ------
        TransEncoderInputError
            If the folder was not written by `save`, or is damaged.
        """
        bi, cross, facts = load_forms(path)
        where = resolve_device(device)
        own = cls.__new__(cls)
        own.config = config_of(facts["config"])
        begun = facts["start"], facts["plm"], facts["num_layers"]
        lengths = bi.max_length, cross.max_length
        own.backbones = (Backbone(*begun, bi.pooling, *lengths, precision=bi.precision, device=where),)
        own.bi_models_, own.cross_models_ = (bi.to(where),), (cross.to(where),)
        own.selection_, own.chosen_cycles_, own._lines = facts["selection"], facts["chosen_cycles"], facts["history"]
        return own

    def __repr__(self) -> str:
        """Return what it begins with and whether it is fitted."""
        one = self.backbones[0]
        fitted = f"cycles kept {self.chosen_cycles_}" if hasattr(self, "bi_models_") else "not fitted"
        return (
            f"TransEncoder({one.start!r}, {one.plm!r}, num_layers={one.num_layers}, pooling={one.pooling!r}; {fitted})"
        )


class MutualTransEncoder(_Distilled):
    """Mutual distillation: two backbones, each taught by the mean of both (paper, Section 3).

    Parameters
    ----------
    first, second
        `TransEncoder` with the two backbones; both have one configuration, which is that of the exchange.

    Attributes
    ----------
    first_, second_
        The two students of each backbone as a fitted `TransEncoder`, which encodes sentences and is saved by itself.
        Both are of one cycle, chosen by the mean of both.
    """

    def __init__(self, first: TransEncoder, second: TransEncoder) -> None:
        for name, one in (("first", first), ("second", second)):
            if not isinstance(one, TransEncoder):
                raise TransEncoderInputError(
                    f"{name}={shown(one)} must be a TransEncoder, as in TransEncoder('minilm')."
                )
        if first.config != second.config:
            raise TransEncoderInputError(
                f"first and second have different configurations ({first.config} and {second.config}), and the "
                "exchange has one; give both the same config."
            )
        self.backbones = (*first.backbones, *second.backbones)
        self.config = first.config
        self._members = (first, second)
        if first.backbones == second.backbones:
            warnings.warn(
                "both backbones are the same: averaging identical students changes nothing; give two different starts.",
                stacklevel=2,
            )

    def fit(
        self, pairs: Any, dev_pairs: Any = None, dev_gold: ArrayLike | None = None, *, test_pairs: Any = None
    ) -> Self:
        """Distil on unlabelled pairs; arguments and errors as of `TransEncoder.fit`."""
        self._fit(pairs, dev_pairs, dev_gold, test_pairs)
        return self

    @property
    def first_(self) -> TransEncoder:
        """The students of the first backbone."""
        return self._member(0)

    @property
    def second_(self) -> TransEncoder:
        """The students of the second backbone."""
        return self._member(1)

    def _member(self, place: int) -> TransEncoder:
        fitted, own = self._fitted(), copy(self._members[place])
        own.cross_models_, own.bi_models_ = (fitted.cross_models_[place],), (fitted.bi_models_[place],)
        own.selection_, own.chosen_cycles_ = fitted.selection_, fitted.chosen_cycles_
        own._lines = [{**line, "backbone": 0} for line in fitted._lines if line["backbone"] == place]
        return own

    def __repr__(self) -> str:
        """Return its two backbones and whether it is fitted."""
        fitted = f"cycles kept {self.chosen_cycles_}" if hasattr(self, "bi_models_") else "not fitted"
        return f"MutualTransEncoder({', '.join(one.start for one in self.backbones)}; {fitted})"
