import copy

import pytest
import torch

from reprise.cold_brew.sparse import SparseMatrix
from reprise.cold_brew.student import ColdBrewStudent
from reprise.cold_brew.training import DivergenceError, Recipe


@pytest.fixture
def trained():
    torch.manual_seed(0)
    x, y = torch.randn(60, 8), torch.arange(60) % 3
    embeddings = torch.randn(60, 5) + y.unsqueeze(1)
    connected = torch.arange(60) >= 10
    student = ColdBrewStudent(8, 5, 3, k=4, hidden_channels=16)
    student.fit_embedding(x, embeddings, connected, Recipe(epochs=20))
    student.build_bank(embeddings, connected)
    masks = (torch.arange(60) % 2 == 0, torch.arange(60) % 2 == 1)
    student.fit_classifier(x, y, *masks, Recipe(epochs=20))
    return student, x, y, embeddings


def test_the_bank_is_standardised_over_its_nodes(trained):
    student, *_ = trained
    torch.testing.assert_close(student.bank.mean(0), torch.zeros(5), atol=1e-5, rtol=0)
    torch.testing.assert_close(student.bank.std(0), torch.ones(5))
    assert student.bank_nodes.tolist() == list(range(10, 60))


def test_latent_neighbours_are_connected_nodes_and_exclude_the_node_itself(trained):
    student, x, *_ = trained
    nodes = torch.arange(60)
    index, weight = student.latent_neighbours(x, nodes)
    assert index.shape == weight.shape == (60, 4)
    assert int(index.min()) >= 10
    assert not bool((index == nodes.unsqueeze(1)).any())
    new, _ = student.latent_neighbours(x[:10])
    assert torch.equal(new, index[:10])


def test_the_second_mlp_reads_features_attended_embedding_and_guess(trained, dense_attention):
    student, x, *_ = trained
    guess = student.guess(x)
    mixed = dense_attention(guess, student.bank, 4, 1.0, "dot")
    parts = [factor * part for factor, part in zip(student.part_scales, (x, mixed, guess), strict=True)]
    torch.testing.assert_close(student.predict(x), student.classifier(*parts))
    assert float((student.part_scales - 1).abs().min()) > 0.01


def test_the_parts_that_the_second_mlp_reads_have_one_size_over_the_training_nodes(trained):
    student, x, *_ = trained
    train = torch.arange(60) % 2 == 0
    for part in student.classifier_inputs(x, torch.arange(60)):
        assert float(part[train].square().sum(1).mean()) == pytest.approx(5.0, rel=1e-4)  # D, the width of the bank


@pytest.mark.parametrize("make", [torch.as_tensor, SparseMatrix.from_torch])
def test_the_second_mlp_does_not_depend_on_the_unit_of_the_features(trained, make):
    """Features a thousand times smaller give the same prediction: trained anew, with the same guess and look-up."""
    student, x, y, _ = trained
    scores = []
    for factor in (1.0, 1e-3):
        other = copy.deepcopy(student)
        with torch.no_grad():
            other.guesser.first.weights[0] /= factor
        torch.manual_seed(1)
        other.fit_classifier(make(factor * x), y, torch.arange(60) < 40, None, Recipe(epochs=5))
        scores.append(other.predict(make(factor * x)))
    torch.testing.assert_close(*scores, rtol=1e-2, atol=1e-3)


def test_parts_as_they_come_are_left_alone(trained):
    student, x, *_ = trained
    plain = ColdBrewStudent(8, 5, 3, k=4, hidden_channels=16, scale_parts=False)
    plain.load_state_dict(student.state_dict())
    parts = plain.classifier_inputs(x)
    assert torch.equal(parts[0], x)
    assert torch.equal(parts[2], student.guess(x))


def test_features_that_are_all_zero_keep_a_finite_scale(trained):
    student, x, y, _ = trained
    student.fit_classifier(0 * x, y, torch.ones(60, dtype=torch.bool), None, Recipe(epochs=1))
    assert float(student.part_scales[0]) == 1.0
    assert bool(student(0 * x).isfinite().all())


def test_a_node_may_be_let_find_itself():
    torch.manual_seed(0)
    x = torch.randn(30, 8)
    finds = ColdBrewStudent(8, 8, 3, k=1, similarity="cosine", exclude_self=False)
    every = torch.ones(30, dtype=torch.bool)
    finds.build_bank(x, every)
    finds.guess = lambda x: x  # a perfect guess
    assert finds.latent_neighbours(x, torch.arange(30))[0].flatten().tolist() == list(range(30))
    finds.exclude_self = True
    assert not bool((finds.latent_neighbours(x, torch.arange(30))[0].flatten() == torch.arange(30)).any())


def test_the_prediction_of_a_node_does_not_depend_on_the_others_asked_for(trained):
    student, x, *_ = trained
    torch.testing.assert_close(student.predict(x)[3:4], student.predict(x[3:4]))


def test_sparse_and_dense_features_give_the_same_prediction(trained):
    student, x, *_ = trained
    torch.testing.assert_close(student.predict(x), student.predict(SparseMatrix.from_torch(x)))
    torch.testing.assert_close(student.predict(x), student.predict(x.to_sparse_csr()))


def test_a_saved_student_needs_neither_graph_nor_teacher(trained, tmp_path):
    student, x, *_ = trained
    torch.save(student.state_dict(), tmp_path / "student.pt")
    fresh = ColdBrewStudent(8, 5, 3, k=4, hidden_channels=16)
    fresh.load_state_dict(torch.load(tmp_path / "student.pt", weights_only=True))
    assert torch.equal(fresh.predict(x), student.predict(x))


def test_the_first_mlp_is_frozen_while_the_second_trains(trained):
    student, x, y, _ = trained
    before = {name: value.clone() for name, value in student.guesser.state_dict().items()}
    student.fit_classifier(x, y, torch.ones(60, dtype=torch.bool), None, Recipe(epochs=3))
    for name, value in student.guesser.state_dict().items():
        assert torch.equal(value, before[name])


def test_regression_learns_a_linear_target():
    torch.manual_seed(0)
    x = torch.randn(200, 6)
    target = x[:, :1] * 2 - x[:, 1:2]
    student = ColdBrewStudent(6, 4, 1, task="regression", hidden_channels=32, dropout=0.0)
    embeddings = x @ torch.randn(6, 4)
    everyone = torch.ones(200, dtype=torch.bool)
    student.fit_embedding(x, embeddings, everyone, Recipe(epochs=50, dropout=0))
    student.build_bank(embeddings, everyone)
    student.fit_classifier(x, target, torch.arange(200) < 150, torch.arange(200) >= 150, Recipe(epochs=200))
    error = float((student.predict(x)[150:] - target[150:]).square().mean() / target.var())
    assert error < 0.15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k=0; give at least 1"),
        ({"temperature": 0.0}, "temperature=0.0; give a number above 0"),
        ({"similarity": "l2"}, "similarity='l2'"),
        ({"inputs": ("edges",)}, "'edges'"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ColdBrewStudent(8, 5, 3, **options)


def test_more_neighbours_than_the_bank_holds_are_refused():
    student = ColdBrewStudent(8, 5, 3, k=4)
    with pytest.raises(ValueError, match="k=4 is above the size of the bank, 3"):
        student.build_bank(torch.randn(10, 5), torch.arange(10) < 3)
    student.build_bank(torch.randn(10, 5), torch.arange(10) < 4)
    with pytest.raises(ValueError, match="less the node itself"):
        student.latent_neighbours(torch.randn(10, 8), torch.arange(10))


def test_a_student_without_a_bank_says_so():
    with pytest.raises(ValueError, match="call build_bank"):
        ColdBrewStudent(8, 5, 3).predict(torch.randn(2, 8))


def test_another_feature_width_is_refused_with_both_widths(trained):
    with pytest.raises(ValueError, match="width 9; the student was built for width 8"):
        trained[0].predict(torch.randn(2, 9))


def test_embeddings_of_another_shape_and_empty_masks_are_refused():
    student, x = ColdBrewStudent(8, 5, 3), torch.randn(6, 8)
    with pytest.raises(ValueError, match=r"shape \(6, 4\); expected \(6, 5\)"):
        student.fit_embedding(x, torch.randn(6, 4), torch.ones(6, dtype=torch.bool))
    with pytest.raises(ValueError, match="at least 2"):
        student.fit_embedding(x, torch.randn(6, 5), torch.zeros(6, dtype=torch.bool))


def test_a_cold_node_without_features_is_warned_about(trained):
    with pytest.warns(UserWarning, match="1 nodes have no non-zero feature"):
        trained[0].predict(torch.zeros(1, 8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 2.5}, "k=2.5"),
        ({"k": True}, "k=True"),
        ({"temperature": float("nan")}, "temperature=nan"),
        ({"temperature": "1"}, "temperature='1'"),
        ({"inputs": ("guess", "guess")}, "given twice"),
        ({"inputs": "guess"}, "use a tuple"),
        ({"hidden_channels": 0}, "hidden_channels=0"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"task": "ranking"}, "task='ranking'"),
    ],
)
def test_further_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ColdBrewStudent(8, 5, 3, **options)


def test_arrays_and_doubles_are_answered_as_floats(trained):
    student, x, *_ = trained
    expected = student.predict(x)
    for given in (x.double(), x.numpy(), x.double().numpy()):
        assert torch.equal(student.predict(given), expected)
    counts = (10 * x).long()
    assert torch.equal(student.predict(counts), student.predict(counts.float()))
    with pytest.raises(ValueError, match=r"for a single node x\[None\]"):
        student.predict(x[0])


def test_a_student_of_doubles_reads_floats(trained):
    student, x, *_ = trained
    assert copy.deepcopy(student).double().predict(x).dtype == torch.float64


def test_masks_and_targets_of_the_classifier_are_checked(trained):
    student, x, y, _ = trained
    everyone = torch.ones(60, dtype=torch.bool)
    for targets, masks, message in [
        (y, (~everyone,), "train_mask marks no node"),
        (y, (None,), "train_mask is None"),
        (y, (everyone, everyone[:3]), "val_mask has shape"),
        (y[:5], (everyone,), "x has 60 rows, but y has 5"),
        (y.float(), (everyone,), "give integer classes"),
    ]:
        with pytest.raises(ValueError, match=message):
            student.fit_classifier(x, targets, *masks)


def test_targets_of_a_regression_have_the_students_width():
    student = ColdBrewStudent(8, 5, 2, task="regression")
    with pytest.raises(ValueError, match=r"y has shape \(6,\); for regression give targets \(6, 2\)"):
        student.fit_classifier(torch.randn(6, 8), torch.randn(6), torch.ones(6, dtype=torch.bool))


def test_labels_beyond_the_classes_and_a_bank_of_the_wrong_width_are_refused(trained):
    student, x, y, embeddings = trained
    every = torch.ones(60, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"y holds the label 3 .*out_channels=3"):
        student.fit_classifier(x, torch.where(y == 2, 3, y), every)
    with pytest.raises(ValueError, match=r"embeddings have shape \(60, 4\); expected \(n_nodes, 5\)"):
        student.build_bank(embeddings[:, :4], every)


def test_a_student_whose_training_diverges_says_so(trained):
    _, x, _, embeddings = trained
    every = torch.ones(60, dtype=torch.bool)
    with pytest.raises(DivergenceError, match="training diverged"):
        ColdBrewStudent(8, 5, 3).fit_embedding(x, embeddings * float("nan"), every, Recipe(epochs=3))
