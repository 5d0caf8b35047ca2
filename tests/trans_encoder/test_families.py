"""Encoders of eight families, tiny and random: trained in both forms, frozen, chained, kept; and what is refused."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from reprise.trans_encoder import MutualTransEncoder, TransEncoder, TransEncoderInputError
from reprise.trans_encoder.distillation import Backbone, half_steps
from reprise.trans_encoder.encoders import BiEncoder, CrossEncoder
from reprise.trans_encoder.generators import templated_pairs
from reprise.trans_encoder.measures import spearman
from reprise.trans_encoder.training import Recipe, optimizer_of

POSITIONS = 80
COMMON = {
    "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": POSITIONS, "initializer_range": 0.3,
}  # fmt: skip
# Configuration, what it is given, and whether special tokens are those of RoBERTa, whose padding is number 1.
FAMILIES = {
    "bert": ("BertConfig", COMMON, False),
    "roberta": ("RobertaConfig", {**COMMON, "type_vocab_size": 1}, True),
    "xlm-roberta": ("XLMRobertaConfig", {**COMMON, "type_vocab_size": 1}, True),
    "distilbert": (
        "DistilBertConfig",
        {
            "dim": 16,
            "n_layers": 3,
            "n_heads": 2,
            "hidden_dim": 32,
            "max_position_embeddings": POSITIONS,
            "initializer_range": 0.3,
        },
        False,
    ),
    "albert": ("AlbertConfig", {**COMMON, "embedding_size": 8}, False),
    "electra": ("ElectraConfig", {**COMMON, "embedding_size": 8}, False),
    "mpnet": ("MPNetConfig", COMMON, True),
    "deberta": ("DebertaConfig", {**COMMON, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]}, False),
    "deberta-v2": (
        "DebertaV2Config",
        {**COMMON, "relative_attention": True, "pos_att_type": ["c2p"], "position_biased_input": False},
        False,
    ),
}
PADDING_BEFORE_POSITIONS = {"roberta", "xlm-roberta", "mpnet"}
SHARED_LAYERS = {"albert"}
SINGLE_PRECISION_ALONE = {"deberta"}


def save_tokenizer(folder, like_roberta):
    """Write a tokenizer of the drawn pairs' words, with the special tokens of the family; returns its size."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    drawn, _, _ = templated_pairs(300, 1, "vocabulary")
    words = sorted({word.strip(".").lower() for pair in drawn for sentence in pair for word in sentence.split()})
    special = ["<s>", "<pad>", "</s>", "<unk>"] if like_roberta else ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    begin, padding, end, unknown = (special[place] for place in ((0, 1, 2, 3) if like_roberta else (2, 0, 3, 1)))
    vocabulary = {word: place for place, word in enumerate([*special, ".", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=unknown))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pair = f"{begin} $A {end} {end} $B {end}" if like_roberta else f"{begin}:0 $A:0 {end}:0 $B:1 {end}:1"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", pair=pair, special_tokens=[(one, vocabulary[one]) for one in (begin, end)]
    )
    names = {"cls_token": begin, "pad_token": padding, "sep_token": end, "unk_token": unknown}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return len(vocabulary)


def save_model(folder, family, seed=0):
    import transformers

    name, options, like_roberta = FAMILIES[family]
    size = save_tokenizer(folder, like_roberta)
    config = getattr(transformers, name)(vocab_size=size, pad_token_id=1 if like_roberta else 0, **options)
    torch.manual_seed(seed)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {family: save_model(tmp_path_factory.mktemp(family), family) for family in FAMILIES}


@pytest.fixture(scope="module")
def pairs():
    return templated_pairs(48, 0, "tests")[0]


CONFIG = {"cross": Recipe(1e-3, 16, warmup=0.1), "bi": Recipe(1e-3, 16), "label_stretch": True, "cycles": 1, "seed": 0}


@pytest.fixture
def config():
    from reprise.trans_encoder import DistillConfig

    return DistillConfig(**CONFIG)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_distilled_and_kept(folders, family, pooling, pairs, config, tmp_path):
    precision = "float32" if family in SINGLE_PRECISION_ALONE else "bfloat16"
    options = {"pooling": pooling, "device": "cpu", "precision": precision}
    model = TransEncoder(folders[family], config=replace(config, freeze_embeddings=True), **options).fit(pairs)
    scores, cosines = model.score(pairs), model.score(pairs, form="bi")
    assert np.isfinite([scores, cosines]).all()
    assert ((scores > 0) & (scores < 1)).all()
    model.save(tmp_path / "kept")
    again = TransEncoder.load(tmp_path / "kept", device="cpu")
    np.testing.assert_allclose(again.score(pairs), scores, atol=1e-6)
    np.testing.assert_allclose(again.score(pairs, form="bi"), cosines, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_both_forms_are_the_librarys_models(folders, family, pairs):
    """Batches by length, segments and padding must not change what the plain model says of a pair alone."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    bi = BiEncoder.from_pretrained(folders[family], pooling="mean").eval()
    cross = CrossEncoder.from_pretrained(folders[family]).eval()
    tokenizer = AutoTokenizer.from_pretrained(folders[family])
    plain = AutoModelForSequenceClassification.from_pretrained(folders[family], num_labels=1).eval()
    plain.load_state_dict(cross.transformer.state_dict())
    texts = [bi.tokenizer(first, return_tensors="pt") for first, _ in pairs[:6]]
    both = [tokenizer(*pair, return_tensors="pt") for pair in pairs[:6]]
    if family == "distilbert":  # its tokenizer in the folder gives segments, the model takes none
        texts, both = (
            [{k: v for k, v in one.items() if k != "token_type_ids"} for one in many] for many in (texts, both)
        )
    elif family in ("roberta", "xlm-roberta"):  # one segment
        assert all(one.get("token_type_ids", torch.zeros(1)).max() == 0 for one in both)
    with torch.no_grad():
        vectors = torch.stack([bi.transformer(**one).last_hidden_state[0].mean(0) for one in texts])
        logits = torch.cat([plain(**one).logits[:, 0] for one in both])
    expected = vectors / vectors.norm(dim=1, keepdim=True)
    np.testing.assert_allclose(bi.encode([first for first, _ in pairs[:6]]), expected, atol=1e-5)
    np.testing.assert_allclose(cross.score(pairs[:6]), logits.sigmoid(), atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_word_embeddings_alone_are_frozen(folders, family):
    for model in (BiEncoder.from_pretrained(folders[family]), CrossEncoder.from_pretrained(folders[family])):
        words = model.trunk.get_input_embeddings()
        model.freeze(embeddings=True)
        frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
        assert len(frozen) == 1
        assert frozen.pop().endswith("embeddings.word_embeddings.weight")
        assert len(words.weight) > 50


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - SHARED_LAYERS))
def test_frozen_layers_stay_with_all_that_is_beneath_and_the_rest_learns(folders, family, pairs, config):
    backbone = Backbone(folders[family], folders[family])
    begun = {name: weight.clone() for name, weight in backbone.bi().state_dict().items()}
    step = list(half_steps([backbone], pairs, replace(config, frozen_layers=2)))[1]
    changed = {name for name, weight in step.models[0].state_dict().items() if not torch.equal(weight, begun[name])}
    assert changed
    assert any("layer.2." in name for name in changed)
    assert not any("layer.0." in name or "layer.1." in name or ".embedding" in name for name in changed)
    with pytest.raises(TransEncoderInputError, match="frozen_layers=3 leaves nothing to train in a model of 3 layers"):
        backbone.bi().freeze(embeddings=False, n_layers=3)


def test_layers_that_share_their_weights_cannot_be_frozen_one_by_one(folders):
    with pytest.raises(TransEncoderInputError, match=r"AlbertModel share their weights.* give frozen_layers=0"):
        BiEncoder.from_pretrained(folders["albert"]).freeze(embeddings=True, n_layers=1)


@pytest.mark.parametrize("family", FAMILIES)
def test_positions_of_the_model_are_its_limit(folders, family):
    usable = POSITIONS - 2 if family in PADDING_BEFORE_POSITIONS else POSITIONS
    long = " ".join(["dog"] * 100)
    model = BiEncoder.from_pretrained(folders[family], max_length=usable)
    assert model.tokenise([long]).lengths.tolist() == [usable]
    assert torch.isfinite(model.encode([long])).all()
    with pytest.raises(TransEncoderInputError, match=f"max_length={usable + 1} must be from 3, .* to {usable}"):
        BiEncoder.from_pretrained(folders[family], max_length=usable + 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_decay_spares_vectors_in_every_family(folders, family):
    model = CrossEncoder.from_pretrained(folders[family])
    groups = optimizer_of(model, Recipe(1e-3, 16)).param_groups
    spared = {id(w) for group in groups if group["weight_decay"] == 0 for w in group["params"]}
    names = {name for name, weight in model.named_parameters() if id(weight) in spared}
    assert all("bias" in name or "norm" in name.lower() for name in names)
    assert {n for n, _ in model.named_parameters() if n.endswith("bias") and "attention_bias" not in n} <= names


def test_two_families_teach_each_other(folders, pairs, config):
    one, other = (TransEncoder(folders[name], config=config, device="cpu") for name in ("distilbert", "roberta"))
    both = MutualTransEncoder(one, other).fit(pairs)
    assert np.isfinite(both.score(pairs)).all()
    assert {type(model.trunk).__name__ for model in both.bi_models_} == {"DistilBertModel", "RobertaModel"}


def test_weights_are_not_chained_from_one_family_into_another(folders, pairs, config):
    model = TransEncoder(folders["bert"], folders["electra"], config=replace(config, init="chained"), device="cpu")
    with pytest.raises(TransEncoderInputError, match=r"not alike \(BertModel and ElectraModel\)"):
        model.fit(pairs)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_chained_trunks_go_over_whole_though_a_form_has_no_pooler(folders, family):
    bi, cross = BiEncoder.from_pretrained(folders[family]), CrossEncoder.from_pretrained(folders[family])
    for weight in bi.parameters():
        weight.data += 1
    cross.take_trunk_of(bi)
    theirs = bi.trunk.state_dict()
    for name, weight in cross.trunk.state_dict().items():
        assert torch.equal(weight, theirs[name]) != name.startswith("pooler."), name


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - SINGLE_PRECISION_ALONE))
def test_heads_are_in_single_precision_and_can_be_copied(folders, family, pairs):
    """With logits in half precision nearly all pairs of an untrained head would share their scores."""
    torch.manual_seed(0)
    half = CrossEncoder.from_pretrained(folders[family], precision="bfloat16").eval()
    logits = half(half.tokenise(pairs).batch(np.arange(len(pairs))))
    assert logits.dtype == torch.float32
    assert not torch.equal(logits, logits.bfloat16().float())
    exact = CrossEncoder(half.transformer, half.tokenizer, precision="float32").eval()
    assert spearman(exact.score(pairs), half.score(pairs)) > 90
    for again in (copy.deepcopy(half), pickle.loads(pickle.dumps(half))):
        np.testing.assert_array_equal(again.score(pairs), half.score(pairs))
        for weight in again.parameters():
            weight.data.zero_()
        assert np.unique(again.score(pairs)).tolist() == [0.5]  # the copy's own head, not the first one's


def test_masks_that_half_precision_cannot_hold_are_refused_before_training(folders):
    with pytest.raises(TransEncoderInputError, match=r"precision='bfloat16' .* 'deberta'.* give precision='float32'"):
        CrossEncoder.from_pretrained(folders["deberta"], precision="bfloat16")


def test_weights_stored_in_half_precision_are_trained_in_single_precision(folders, tmp_path):
    from transformers import AutoModel

    AutoModel.from_pretrained(folders["bert"]).bfloat16().save_pretrained(tmp_path)
    save_tokenizer(tmp_path, like_roberta=False)
    for kind in (BiEncoder, CrossEncoder):
        assert {weight.dtype for weight in kind.from_pretrained(str(tmp_path)).parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("GPT2Config", {"n_embd": 16, "n_layer": 1, "n_head": 2}),
        ("T5Config", {"d_model": 16, "d_ff": 16, "d_kv": 8, "num_layers": 1, "num_heads": 2}),
        ("BartConfig", {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1}),
        ("BertConfig", {**COMMON, "is_decoder": True}),
        ("ViTConfig", {}),
    ],
)
def test_models_that_do_not_read_both_sides_are_refused(name, options, tmp_path):
    import transformers

    config = getattr(transformers, name)(**options)
    config.save_pretrained(tmp_path)
    for kind in (BiEncoder, CrossEncoder):
        with pytest.raises(
            TransEncoderInputError, match=f"of the kind '{config.model_type}', which is no encoder .* such as BERT"
        ):
            kind.from_pretrained(str(tmp_path))


def test_folders_without_weights_or_tokenizer_say_what_is_wrong(folders, tmp_path):
    from transformers import AutoConfig

    AutoConfig.from_pretrained(folders["bert"]).save_pretrained(tmp_path)
    with pytest.raises(
        TransEncoderInputError, match=r"the folder .* cannot be read as an encoder with its tokenizer \("
    ):
        BiEncoder.from_pretrained(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "no such family"}', encoding="utf-8")
    with pytest.raises(TransEncoderInputError, match="no such family"):
        BiEncoder.from_pretrained(str(tmp_path))
