"""The loop on a tiny model: its order, its labels, initialisations, selection, both kinds of distillation."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from reprise.trans_encoder import baselines, objectives, training
from reprise.trans_encoder.distillation import DistillConfig, half_steps, mean_score, train_student
from reprise.trans_encoder.encoders import BiEncoder, CrossEncoder
from reprise.trans_encoder.input_checks import TransEncoderInputError
from reprise.trans_encoder.measures import spearman
from reprise.trans_encoder.objectives import stretched
from reprise.trans_encoder.training import Recipe, rate_factor, train


def weights_of(model):
    return torch.cat([weight.detach().ravel() for weight in model.parameters()])


def test_defaults_are_the_papers():
    config = DistillConfig()
    assert (config.cycles, config.cross_loss, config.bi_loss, config.init) == (3, "bce", "mse", "fresh")
    assert config.cross == Recipe(2e-5, 32, 1, 0.1)
    assert config.bi == Recipe(5e-5, 128, 10, 0.0)
    assert config.symmetric
    assert not config.label_stretch


def test_forms_alternate_and_each_teaches_the_next(tiny, drawn, quick_config):
    pool = drawn[0]
    steps = list(half_steps([tiny], pool, quick_config))
    assert [(step.cycle, step.form) for step in steps] == [(1, "cross"), (1, "bi"), (2, "cross"), (2, "bi")]
    assert isinstance(steps[0].models[0], CrossEncoder)
    assert isinstance(steps[1].models[0], BiEncoder)
    np.testing.assert_allclose(steps[0].labels, tiny.bi().score(pool), atol=1e-6)
    for before, after in itertools.pairwise(steps):
        np.testing.assert_allclose(after.labels, before.models[0].score(pool), atol=1e-6)


def test_the_loop_repeats_itself_exactly(tiny, drawn, quick_config):
    one, other = (list(half_steps([tiny], drawn[0], replace(quick_config, cycles=1))) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.pool_scores, b.pool_scores)


def test_fresh_students_begin_at_the_original_weights_and_chained_ones_where_the_last_ended(
    tiny, drawn, quick_config, monkeypatch
):
    begun = []

    def remember(student, *arguments, **options):
        begun.append(student.trunk.encoder.layer[1].output.dense.weight.detach().clone())
        return train_student(student, *arguments, **options)

    monkeypatch.setattr("reprise.trans_encoder.distillation.train_student", remember)
    ended = [
        step.models[0].trunk.encoder.layer[1].output.dense.weight.detach()
        for step in half_steps([tiny], drawn[0], replace(quick_config, init="chained"))
    ]
    original = tiny.bi().trunk.encoder.layer[1].output.dense.weight
    assert torch.equal(begun[0], original)
    for before, after in zip(ended, begun[1:], strict=False):
        assert torch.equal(before, after)
    begun.clear()
    list(half_steps([tiny], drawn[0], quick_config))
    assert all(torch.equal(one, original) for one in begun)


def test_mutual_distillation_teaches_both_students_the_plain_average(tiny, drawn, quick_config):
    torch.manual_seed(3)
    other = tiny.bi()
    noisy = {name: value + 0.05 * torch.randn_like(value) for name, value in other.state_dict().items()}
    second = replace(tiny, start_weights=noisy)
    first_step, bi_step = list(half_steps([tiny, second], drawn[0], replace(quick_config, cycles=1)))
    expected = (tiny.bi().score(drawn[0]) + second.bi().score(drawn[0])) / 2
    np.testing.assert_allclose(first_step.labels, expected, atol=1e-6)
    np.testing.assert_allclose(bi_step.labels, mean_score(first_step.models, drawn[0]), atol=1e-6)
    assert len(first_step.models) == len(bi_step.models) == 2


def test_with_one_backbone_mutual_is_self_distillation(tiny, drawn, quick_config):
    config = replace(quick_config, cycles=1)
    one = list(half_steps([tiny], drawn[0], config))
    both = list(half_steps([tiny, tiny], drawn[0], config))
    np.testing.assert_allclose(one[0].labels, both[0].labels)
    assert torch.equal(weights_of(one[0].models[0]), weights_of(both[0].models[0]))


def test_a_cross_encoder_learns_both_orders_only_if_symmetric(tiny, drawn, quick_config):
    for symmetric, factor in ((True, 2), (False, 1)):
        student = tiny.cross(0)
        config = replace(quick_config, symmetric=symmetric)
        found = train_student(student, drawn[0], stretched(tiny.bi().score(drawn[0])), config)
        assert len(found.losses) == factor * len(drawn[0]) // 16


def test_students_come_near_their_teacher(tiny, drawn, quick_config):
    pool, _ = drawn
    targets = stretched(baselines.word_overlap(pool))
    config = replace(quick_config, cross=Recipe(5e-3, 8, 25), bi=Recipe(5e-3, 8, 25), evaluate_every=1000)
    for student in (tiny.cross(0), tiny.bi()):
        before = spearman(targets, student.score(pool))
        found = train_student(student, pool, targets, config)
        assert np.mean(found.losses[-5:]) < np.mean(found.losses[:5])
        assert spearman(targets, student.score(pool)) > max(before, 50)


def test_frozen_weights_stay(tiny, drawn, quick_config):
    student = tiny.bi()
    before = {name: value.clone() for name, value in student.state_dict().items()}
    config = replace(quick_config, freeze_embeddings=True, frozen_layers=1)
    train_student(student, drawn[0], stretched(tiny.bi().score(drawn[0])), config)
    changed = {n for n, value in student.state_dict().items() if not torch.equal(value, before[n])}
    assert changed
    assert not any("embeddings" in name or "layer.0." in name for name in changed)


def test_with_word_embeddings_frozen_those_of_positions_and_segments_learn(tiny, drawn, quick_config):
    for student in (tiny.bi(), tiny.cross(0)):
        before = {name: value.clone() for name, value in student.trunk.state_dict().items()}
        train_student(
            student, drawn[0], stretched(tiny.bi().score(drawn[0])), replace(quick_config, freeze_embeddings=True)
        )
        kept = {name for name, value in student.trunk.state_dict().items() if torch.equal(value, before[name])}
        assert {name for name in kept if not name.startswith("pooler.")} == {"embeddings.word_embeddings.weight"}


def test_the_best_weights_are_kept(tiny, drawn, quick_config):
    student = tiny.bi()
    seen = []

    def evaluate(model):
        seen.append((len(seen), weights_of(model)))
        return -abs(len(seen) - 2)  # the second look is the best

    targets = stretched(tiny.bi().score(drawn[0]))
    found = train_student(student, drawn[0], targets, replace(quick_config, evaluate_every=1), evaluate=evaluate)
    assert found.best_step == 2
    assert found.best == 0
    assert torch.equal(weights_of(student), seen[1][1])
    assert len(found.evaluations) == len(found.losses)


@pytest.mark.parametrize("stretch", [False, True])
def test_bi_to_bi_learns_its_own_cosines_with_the_bi_encoders_steps(tiny, drawn, quick_config, monkeypatch, stretch):
    seen = []

    def remember(student, pool, targets, config, **options):
        seen.append((pool, targets, config, options["stream"]))
        return train_student(student, pool, targets, config, **options)

    monkeypatch.setattr(baselines, "train_student", remember)
    labels, config = tiny.bi().score(drawn[0]), replace(quick_config, label_stretch=stretch)
    student, found = baselines.bi_to_bi(tiny, drawn[0], labels, config, names=("x",))
    pool, targets, used, stream = seen.pop()
    assert isinstance(student, BiEncoder)
    assert (pool, used, stream) == (drawn[0], config, ("x", "bi to bi"))
    np.testing.assert_array_equal(targets, stretched(labels) if stretch else labels)
    assert len(found.losses) == len(drawn[0]) // config.bi.batch_size
    spread = np.var(stretched(labels))
    assert (found.losses[0] > spread / 4) == stretch  # raw cosines are matched from the start, but for dropout


def test_half_precision_trains_and_scores_near_single_precision(tiny, drawn, quick_config):
    exact, half = tiny, replace(tiny, precision="bfloat16")
    for one, other in ((exact.bi(), half.bi()), (exact.cross(0), half.cross(0))):
        np.testing.assert_allclose(one.score(drawn[0]), other.score(drawn[0]), atol=0.02)
        assert not np.array_equal(one.score(drawn[0]), other.score(drawn[0]))
        assert all(weight.dtype == torch.float32 for weight in other.parameters())
    cross = half.cross(0)
    logits = cross(cross.tokenise(drawn[0]).batch(np.arange(48)))
    assert not torch.equal(logits, logits.bfloat16().float())  # eight bits would not hold them
    assert len(np.unique(cross.score(drawn[0]))) == len(set(drawn[0]))
    steps = list(half_steps([half], drawn[0], replace(quick_config, cycles=1)))
    assert all(np.isfinite(step.pool_scores).all() for step in steps)
    assert all(np.isfinite(step.trainings[0].losses).all() for step in steps)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_losses_are_computed_in_single_precision(tiny, drawn, quick_config, monkeypatch, precision):
    """A contrastive loss of products in half precision would compare cosines of eight bits."""
    seen = []
    for name in ("cross_loss", "bi_loss"):
        plain = getattr(objectives, name)
        monkeypatch.setattr(
            objectives,
            name,
            lambda *given, plain=plain: seen.append((torch.is_autocast_enabled("cpu"), *given)) or plain(*given),
        )
    plain_simcse = objectives.simcse_loss
    monkeypatch.setattr(
        baselines,
        "simcse_loss",
        lambda *given: seen.append((torch.is_autocast_enabled("cpu"), *given)) or plain_simcse(*given),
    )
    model = replace(tiny, precision=precision)
    list(half_steps([model], drawn[0], replace(quick_config, cycles=1)))
    baselines.simcse(model, [first for first, _ in drawn[0]], Recipe(1e-3, 16), quick_config)
    assert len(seen) == 6 + 3 + 3
    assert not any(one[0] for one in seen)
    assert all(value.dtype == torch.float32 for one in seen for value in one if isinstance(value, torch.Tensor))


def test_development_pairs_are_looked_at_every_few_steps_and_after_each_pass(tiny, drawn, quick_config):
    targets = stretched(tiny.bi().score(drawn[0]))
    config = replace(quick_config, bi=Recipe(1e-3, 16, epochs=3), evaluate_every=4)
    found = train_student(tiny.bi(), drawn[0], targets, config, evaluate=lambda model: 0.0)
    assert set(found.evaluations) == {3, 4, 6, 8, 9}
    assert found.best_step == 3


def test_simcse_lowers_its_loss(tiny, drawn, quick_config):
    sentences = sorted({sentence for pair in drawn[0] for sentence in pair})
    student, found = baselines.simcse(tiny, sentences, Recipe(2e-3, 16, epochs=8), quick_config)
    assert np.mean(found.losses[-5:]) < np.mean(found.losses[:5])
    assert not torch.equal(weights_of(student), weights_of(tiny.bi()))


def test_both_vectors_of_a_sentence_in_simcse_have_dropout_of_their_own(tiny, drawn, quick_config, monkeypatch):
    """With one mask for both a sentence would find itself without learning anything."""
    seen = []
    monkeypatch.setattr(
        baselines, "simcse_loss", lambda one, two, t: seen.append((one, two)) or objectives.simcse_loss(one, two, t)
    )
    baselines.simcse(tiny, [pair[0] for pair in drawn[0]], Recipe(1e-4, 16), quick_config)
    assert len(seen) == 3
    for one, two in seen:
        assert one.shape == two.shape == (16, 16)
        cosines = (one * two).sum(1)
        assert (cosines < 1 - 1e-4).all()
        assert (cosines > (one * two.roll(1, 0)).sum(1)).float().mean() > 0.5  # and yet the same sentences


def test_word_overlap_and_tfidf_are_theirs():
    pairs = [("A cat sits.", "a CAT, sits"), ("one two", "two three"), ("x", "y")]
    np.testing.assert_allclose(baselines.word_overlap(pairs), [1, 1 / 3, 0])
    found = baselines.tfidf_scores(pairs, ["a cat sits", "one two", "two three"])
    assert found[0] == pytest.approx(1)
    assert 0 < found[1] < 1
    assert found[2] == 0


def test_word_embeddings_are_a_model_without_layers(tiny, drawn):
    model = baselines.word_embedding_encoder(tiny)
    first = drawn[0][0][0]
    words = first.strip(".").split()
    reversed_words = " ".join(reversed(words)) + "."
    assert len(model.trunk.encoder.layer) == 0
    assert model.score([(first, reversed_words)])[0] < 1  # positions tell the orders apart
    tokens = model.tokenizer(first, return_tensors="pt")
    with torch.no_grad():
        mean = tiny.bi().trunk.embeddings(tokens["input_ids"], tokens["token_type_ids"])[0].mean(0)
    np.testing.assert_allclose(model.encode([first])[0], mean / mean.norm(), atol=1e-5)


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_rates_rise_linearly_then_fall_linearly_to_zero(warmup):
    factors = np.array([rate_factor(step, 40, warmup) for step in range(41)])
    top = int(40 * warmup)
    np.testing.assert_allclose(factors[:top], np.arange(1, top + 1) / (top + 1))
    np.testing.assert_allclose(factors[top:], np.linspace(1, 0, 41 - top), atol=1e-12)


def test_decay_spares_biases_and_layer_norms_and_nothing_else(tiny):
    model = tiny.cross(0)
    optimizer = training.optimizer_of(model, Recipe(1e-3, 16))
    decay = {id(w): group["weight_decay"] for group in optimizer.param_groups for w in group["params"]}
    assert all(decay[id(w)] == (0.01 if w.ndim > 1 else 0.0) for w in model.parameters())


def test_a_head_may_have_its_own_rate(tiny):
    model = tiny.cross(0)
    optimizer = training.optimizer_of(model, Recipe(1e-3, 16, head_rate=10))
    rates = {id(w): group["highest"] for group in optimizer.param_groups for w in group["params"]}
    assert all(rates[id(w)] == pytest.approx(1e-2) for w in model.head.parameters())
    assert all(rates[id(w)] == pytest.approx(1e-3) for w in model.trunk.parameters())


def test_gradients_are_clipped_and_dropout_does_not_touch_the_global_stream(tiny, drawn, monkeypatch):
    student = tiny.bi()
    table = student.tokenise([a for a, _ in drawn[0]])
    state, norms = torch.get_rng_state(), []
    step = torch.optim.AdamW.step

    def remember(optimizer, *rest):
        gradients = [w.grad.norm() for group in optimizer.param_groups for w in group["params"] if w.grad is not None]
        norms.append(float(torch.stack(gradients).norm()))
        return step(optimizer, *rest)

    monkeypatch.setattr(torch.optim.AdamW, "step", remember)
    train(student, lambda rows: 1e6 * student(table.batch(rows)).sum(), table.lengths, Recipe(1e-3, 16), (0, "x"))
    assert torch.equal(state, torch.get_rng_state())
    np.testing.assert_allclose(norms, training.LARGEST_NORM, rtol=1e-3)


def test_unknown_options_are_refused():
    with pytest.raises(TransEncoderInputError, match="init='chain' is unknown; did you mean 'chained'"):
        DistillConfig(init="chain")
    with pytest.raises(TransEncoderInputError, match="cross_loss='kl'"):
        DistillConfig(cross_loss="kl")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lr": 0}, "lr=0 must be a number above 0"),
        ({"lr": "1e-4"}, "lr='1e-4' must be a number above 0"),
        ({"lr": float("inf")}, "lr=inf must be a number above 0"),
        ({"batch_size": 0}, "batch_size=0 must be 1 or more"),
        ({"batch_size": 16.0}, "batch_size=16.0 must be 1 or more, a whole number"),
        ({"epochs": True}, "epochs=True must be 1 or more, a whole number"),
        ({"epochs": 1.5}, "epochs=1.5 must be 1 or more, a whole number"),
        ({"head_rate": float("nan")}, "head_rate=nan must be a number above 0"),
        ({"warmup": "0.1"}, "warmup='0.1' must be a share"),
        ({"warmup": 1.0}, "warmup=1.0 must be a share"),
    ],
)
def test_a_recipe_that_cannot_train_is_refused(wrong, message):
    with pytest.raises(TransEncoderInputError, match=message):
        Recipe(**{"lr": 1e-4, "batch_size": 8} | wrong)


def test_a_loop_without_cycles_is_refused():
    with pytest.raises(TransEncoderInputError, match="cycles=0 must be 1 or more"):
        DistillConfig(cycles=0)
