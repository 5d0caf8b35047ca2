"""The library's face on a tiny model."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reprise.trans_encoder import MutualTransEncoder, TransEncoder, TransEncoderInputError, estimators
from reprise.trans_encoder.estimators import WITH_LABELS, WITHOUT_LABELS


@pytest.fixture
def model(tiny_source, quick_config):
    return TransEncoder(tiny_source, config=quick_config, pooling="mean", device="cpu")


def test_it_scores_pairs_and_encodes_sentences(model, drawn):
    pairs, gold = drawn
    fitted = model.fit(pairs, pairs, gold)
    assert fitted is model
    scores, cosines = model.score(pairs), model.score(pairs, form="bi")
    assert ((scores > 0) & (scores < 1)).all()
    vectors = [model.encode([pair[side] for pair in pairs]) for side in (0, 1)]
    np.testing.assert_allclose((vectors[0] * vectors[1]).sum(1), cosines, atol=1e-5)
    assert model.selection_ == WITH_LABELS
    best = model.history_.groupby("form")["development"].idxmax()
    assert {form: model.history_.loc[row, "cycle"] for form, row in best.items()} == model.chosen_cycles_


def test_without_development_pairs_agreement_chooses_and_it_says_so(model, drawn):
    model.fit(drawn[0])
    assert model.selection_ == WITHOUT_LABELS
    assert model.history_["development"].isna().all()
    best = model.history_.groupby("form")["agreement"].idxmax()
    assert {form: model.history_.loc[row, "cycle"] for form, row in best.items()} == model.chosen_cycles_


def test_repeated_pairs_count_once(model, drawn):
    model.fit(drawn[0] * 2)
    assert model.history_["steps"].tolist()[:2] == [6, 3]


def test_repeated_pairs_are_no_pool(model, drawn):
    with pytest.raises(TransEncoderInputError, match="has 1 distinct pairs; at least 16 are needed, which is a batch"):
        model.fit([drawn[0][0]] * 32)


@pytest.mark.parametrize("nothing", [None, 3])
def test_no_list_of_pairs_is_refused_with_words(model, nothing):
    with pytest.raises(TransEncoderInputError, match=f"pairs = {nothing} is no list of pairs; give"):
        model.fit(nothing)


def test_a_frame_with_more_columns_is_refused_by_their_names(model, drawn):
    frame = pd.DataFrame(drawn[0], columns=["first", "second"]).assign(score=1.0)
    with pytest.raises(TransEncoderInputError, match=r"has the columns \['first', 'second', 'score'\]; choose the two"):
        model.fit(frame)
    checked = estimators._checked(frame[["first", "second"]], "pairs")
    assert checked == drawn[0]


def test_texts_that_are_cut_are_warned_of_and_lengths_can_be_given(tiny_source, quick_config, drawn):
    config = replace(quick_config, cycles=1)
    options = {"pooling": "mean", "config": config, "device": "cpu"}
    with (
        pytest.warns(UserWarning, match=r"sentences are longer than 5 word pieces .* give sentence_length"),
        pytest.warns(UserWarning, match=r"48 of 48 pairs are longer than 8 word pieces .* give pair_length"),
    ):
        TransEncoder(tiny_source, sentence_length=5, pair_length=8, **options).fit(drawn[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        longer = TransEncoder(tiny_source, sentence_length=48, pair_length=60, **options).fit(drawn[0])
    assert (longer.bi_.max_length, longer.cross_.max_length) == (48, 60)
    with pytest.raises(TransEncoderInputError, match="max_length=65 must be from 3 to 64"):
        TransEncoder(tiny_source, pair_length=65, **options).fit(drawn[0])


def test_a_cycle_whose_scores_are_all_alike_is_not_kept(model, drawn, monkeypatch):
    """Its rank agreement is no number, which nothing is greater than."""
    agreements = iter([np.nan, np.nan, 10.0, 20.0])
    monkeypatch.setattr(estimators, "spearman", lambda *_: next(agreements))
    model.fit(drawn[0])
    assert model.chosen_cycles_ == {"cross": 2, "bi": 2}


def test_two_backbones_score_by_their_mean(tiny_source, model, drawn, quick_config):
    other = TransEncoder(tiny_source, num_layers=1, pooling="mean", config=quick_config, device="cpu")
    both = MutualTransEncoder(model, other).fit(drawn[0])
    expected = np.mean([one.score(drawn[0]) for one in both.cross_models_], axis=0)
    np.testing.assert_allclose(both.score(drawn[0]), expected)
    assert len(both.history_) == 8


def test_identical_backbones_are_warned_of(model):
    with pytest.warns(UserWarning, match="both backbones are the same"):
        MutualTransEncoder(model, model)


def test_bad_input_is_refused(model, drawn):
    pairs, gold = drawn
    with pytest.raises(TransEncoderInputError, match=r"is not fitted; call \.fit"):
        model.score(pairs)
    with pytest.raises(TransEncoderInputError, match="has 3 distinct pairs; at least 16"):
        model.fit(pairs[:3])
    with pytest.raises(TransEncoderInputError, match="give both, or neither"):
        model.fit(pairs, dev_pairs=pairs)
    with pytest.raises(TransEncoderInputError, match="dev_gold has the shape"):
        model.fit(pairs, pairs, gold[:3])
    with pytest.raises(TransEncoderInputError, match="dev_gold is 1 for all"):
        model.fit(pairs, pairs, np.ones(len(pairs)))
    with pytest.raises(TransEncoderInputError, match="48 of the 48 test pairs are in the pool"):
        model.fit(pairs, test_pairs=pairs)
    model.config = replace(model.config, cycles=1)
    model.fit(pairs)
    with pytest.raises(TransEncoderInputError, match="form='croos' is unknown; did you mean 'cross'"):
        model.score(pairs, form="croos")
