"""The library's face on a tiny model."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reprise.trans_encoder import DistillConfig, MutualTransEncoder, TransEncoder, TransEncoderInputError, estimators
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


def test_a_reversed_pair_is_another_one_only_where_one_order_is_trained(model, drawn):
    both = [*drawn[0], *((second, first) for first, second in drawn[0])]
    assert estimators._distinct(both, in_any_order=True) == drawn[0]
    assert estimators._distinct(both, in_any_order=False) == both
    model.fit(both)
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
    with pytest.raises(
        TransEncoderInputError, match="max_length=65 must be from 5, a word piece of each sentence, to 64"
    ):
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


def test_the_students_of_each_backbone_encode_and_are_kept_by_themselves(
    tiny_source, model, drawn, quick_config, tmp_path
):
    other = TransEncoder(tiny_source, num_layers=1, pooling="mean", config=quick_config, device="cpu")
    both = MutualTransEncoder(model, other)
    assert "not fitted" in repr(both)
    with pytest.raises(TransEncoderInputError, match="is not fitted"):
        both.second_.encode(["A dog."])
    both.fit(drawn[0])
    assert "cycles kept" in repr(both)
    for place, one in enumerate((both.first_, both.second_)):
        np.testing.assert_array_equal(one.score(drawn[0]), both.cross_models_[place].score(drawn[0]))
        vectors = [one.encode([pair[side] for pair in drawn[0]]) for side in (0, 1)]
        np.testing.assert_allclose((vectors[0] * vectors[1]).sum(1), both.bi_models_[place].score(drawn[0]), atol=1e-5)
        assert len(one.history_) == 4
        one.save(tmp_path / str(place))
        again = TransEncoder.load(tmp_path / str(place), device="cpu")
        np.testing.assert_allclose(again.score(drawn[0]), one.score(drawn[0]), atol=1e-6)
    with pytest.raises(TransEncoderInputError, match="is not fitted"):
        model.score(drawn[0])  # what was given stays as it was


def test_two_configurations_of_one_exchange_are_refused(tiny_source, model, quick_config):
    other = TransEncoder(tiny_source, num_layers=1, config=replace(quick_config, cycles=1), device="cpu")
    with pytest.raises(TransEncoderInputError, match=r"different configurations .* give both the same config"):
        MutualTransEncoder(model, other)


def test_texts_cut_by_the_second_backbone_are_warned_of(tiny_source, model, drawn, quick_config):
    short = TransEncoder(tiny_source, num_layers=1, config=quick_config, device="cpu", sentence_length=5)
    with pytest.warns(UserWarning, match="sentences are longer than 5 word pieces"):
        MutualTransEncoder(model, short).fit(drawn[0])


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
    with pytest.raises(
        TransEncoderInputError, match=r"form='cosine' is unknown: 'cross' gives .* 'bi' the bi-encoder's cosines"
    ):
        model.score(pairs, form="cosine")


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_what_is_saved_scores_as_before_and_sentence_transformers_loads_it(
    tiny_source, quick_config, drawn, tmp_path, pooling
):
    from sentence_transformers import SentenceTransformer

    config = replace(quick_config, cycles=1)
    lengths = {"sentence_length": 30, "pair_length": 50}
    model = TransEncoder(tiny_source, config=config, pooling=pooling, device="cpu", **lengths).fit(drawn[0])
    model.save(tmp_path / "kept")
    again = TransEncoder.load(tmp_path / "kept", device="cpu")
    for form in ("cross", "bi"):
        np.testing.assert_allclose(again.score(drawn[0], form), model.score(drawn[0], form), atol=1e-6)
    assert (again.bi_.max_length, again.cross_.max_length) == (30, 50)
    assert (again.selection_, again.chosen_cycles_) == (model.selection_, model.chosen_cycles_)
    pd.testing.assert_frame_equal(again.history_, model.history_)
    vectors = SentenceTransformer(str(tmp_path / "kept"), device="cpu").encode([drawn[0][0][0]])
    np.testing.assert_allclose(vectors, model.encode([drawn[0][0][0]]), atol=1e-5)
    assert again.config == model.config
    assert again.backbones == model.backbones
    again.fit(drawn[0])  # as the first one was: from the start
    np.testing.assert_allclose(again.score(drawn[0]), model.score(drawn[0]), atol=1e-6)
    # The folder says how it pools: a start without a word about it must not fall back to the paper's.
    assert TransEncoder(str(tmp_path / "kept"), device="cpu").backbones[0].pooling == pooling


def test_a_folder_that_pools_in_another_way_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}', encoding="utf-8")
    with pytest.raises(TransEncoderInputError, match="pools by none of mean and cls"):
        TransEncoder(str(tmp_path))
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}', encoding="utf-8")
    assert TransEncoder(str(tmp_path)).backbones[0].pooling == "mean"


def test_a_folder_with_a_module_that_would_be_left_out_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    kinds = [{"type": f"sentence_transformers.models.{kind}"} for kind in ("Transformer", "Pooling", "Dense")]
    (tmp_path / "modules.json").write_text(json.dumps(kinds), encoding="utf-8")
    with pytest.raises(TransEncoderInputError, match="has the module Dense, which is not built"):
        TransEncoder(str(tmp_path))
    (tmp_path / "modules.json").write_text(json.dumps(kinds[:2]), encoding="utf-8")
    assert TransEncoder(str(tmp_path)).backbones[0].pooling == "cls"


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_cross_encoder_is_no_start(model, tiny_source, quick_config, drawn, tmp_path, pooling):
    config = replace(quick_config, cycles=1)
    TransEncoder(tiny_source, config=config, pooling=pooling, device="cpu").fit(drawn[0]).save(tmp_path / "kept")
    with pytest.raises(TransEncoderInputError, match=r"is a cross-encoder, .* give a bi-encoder"):
        TransEncoder(str(tmp_path / "kept" / "cross-encoder"))
    assert TransEncoder("minilm", plm=str(tmp_path / "kept" / "cross-encoder")).backbones[0].plm
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(TransEncoderInputError, match=r"has an unreadable config\.json"):
        TransEncoder(str(tmp_path))


def test_damaged_folders_say_so(model, drawn, tmp_path):
    model.config = replace(model.config, cycles=1)
    model.fit(drawn[0]).save(tmp_path / "kept")
    for name, broken in (("cross-encoder/head.safetensors", b"cut"), ("trans_encoder.json", b"{")):
        (tmp_path / "kept" / name).write_bytes(broken)
        with pytest.raises(TransEncoderInputError, match=r"is damaged .* save the model anew"):
            TransEncoder.load(tmp_path / "kept")


def test_folders_that_are_none_are_refused(model, drawn, tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    model.config = replace(model.config, cycles=1)
    model.fit(drawn[0])
    for path in (None, tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(TransEncoderInputError, match="must be a folder"):
            model.save(path)
    with pytest.raises(
        TransEncoderInputError, match=r"has no trans_encoder\.json: give a folder that TransEncoder\.save"
    ):
        TransEncoder.load(tmp_path)
    with pytest.raises(TransEncoderInputError, match=r"path='None' has no trans_encoder\.json"):
        TransEncoder.load(None)
    with pytest.raises(TransEncoderInputError, match="sentences=None is no list"):
        model.encode(None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": None}, "start=None must be the name"),
        ({"num_layers": "2"}, "num_layers='2' must be a whole number"),
        ({"num_layers": 1.5}, "num_layers=1.5 must be a whole number"),
        ({"num_layers": 0}, "num_layers=0 must be a whole number, 1 or more"),
        ({"sentence_length": None}, "sentence_length=None must be a whole number"),
        ({"pooling": "max"}, "pooling='max' is unknown"),
        ({"precision": "bf16"}, "precision='bf16' is unknown"),
        ({"config": {}}, "config={} must be a DistillConfig"),
        ({"config": DistillConfig(cross=None)}, "config.cross=None must be a Recipe"),
        ({"config": DistillConfig(label_stretch="no")}, "config.label_stretch='no' must be True or False"),
        ({"config": DistillConfig(frozen_layers=-1)}, "config.frozen_layers=-1 must be a whole number, 0 or more"),
        ({"config": DistillConfig(seed="a")}, "config.seed='a' must be a whole number, 0 or more"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_loaded(options, message):
    with pytest.raises(TransEncoderInputError, match=message):
        TransEncoder(**options)
    with pytest.raises(TransEncoderInputError, match="first='minilm' must be a TransEncoder"):
        MutualTransEncoder("minilm", "minilm")


def test_folders_without_a_model_and_paths_without_a_folder_are_told_apart(tmp_path):
    with pytest.raises(TransEncoderInputError, match=r"is a folder without config\.json"):
        TransEncoder(str(tmp_path))
    with pytest.raises(TransEncoderInputError, match="there is no such folder"):
        TransEncoder("minilm", plm=str(tmp_path / "none"))


def test_more_frozen_layers_than_there_are_are_refused(tiny_source, quick_config, drawn):
    model = TransEncoder(tiny_source, config=replace(quick_config, frozen_layers=3), device="cpu")
    with pytest.raises(TransEncoderInputError, match="frozen_layers=3 leaves nothing to train in a model of 2 layers"):
        model.fit(drawn[0])


def test_what_it_is_stands_in_its_name(model):
    assert "pooling='mean'; not fitted" in repr(model)
