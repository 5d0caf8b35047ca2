import pytest
import torch

from reprise.trans_encoder.distillation import Backbone, DistillConfig
from reprise.trans_encoder.generators import templated_pairs
from reprise.trans_encoder.training import Recipe


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def drawn():
    pairs, gold, _ = templated_pairs(48, 0, "tests")
    return pairs, gold


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory):
    """A folder with a random BERT of two layers and width 16, and its tokenizer of the templates' words."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    pairs, _, _ = templated_pairs(400, 1, "vocabulary")
    words = sorted({word.strip(".").lower() for pair in pairs for sentence in pair for word in sentence.split()})
    letters = [*"abcdefghijklmnopqrstuvwxyz.", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *words]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def tiny(tiny_source):
    return Backbone(tiny_source, tiny_source, pooling="mean")


@pytest.fixture
def quick_config():
    return DistillConfig(
        cycles=2,
        cross=Recipe(1e-3, 16, warmup=0.1),
        bi=Recipe(1e-3, 16),
        label_stretch=True,
        evaluate_every=2,
        seed=0,
    )
