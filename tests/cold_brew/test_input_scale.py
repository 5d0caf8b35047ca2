"""How large features are beside embeddings: the numbers by hand, and what is said of them, on made rows."""

import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix
from tests.cold_brew.made_rows import row, seeds
from torch_geometric.data import Data

from reprise.cold_brew import input_scale, load_graph
from reprise.cold_brew.input_scale import EMBEDDING, FEATURES, SHARE, START
from reprise.cold_brew.layers import SEConv
from reprise.cold_brew.methods import SE_STD
from reprise.cold_brew.outcome import GRAPH_CHANNELS
from reprise.cold_brew.rules import GCN, GENERATOR, MLP, STUDENT, TEACHER
from reprise.cold_brew.student import ColdBrewStudent
from reprise.cold_brew.student_variants import STUDENT_CHANNELS
from reprise.rows import tidy

X = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])


def test_the_mean_square_norm_is_that_of_the_rows_dense_or_sparse():
    assert input_scale.mean_square_norm(X) == pytest.approx((0.5 + 1.0) / 2)
    assert input_scale.mean_square_norm(csr_matrix(X.numpy())) == pytest.approx(0.75)
    assert input_scale.mean_square_norm(X.to_sparse_csr()) == pytest.approx(0.75)


def test_the_table_has_the_share_by_hand():
    table = input_scale.scale_table({"tiny": Data(x=X, y=torch.tensor([0, 4]))}).iloc[0]
    width = GRAPH_CHANNELS + 5
    assert table[EMBEDDING] == width
    assert table[SHARE] == pytest.approx(100 * 0.75 / (0.75 + 2 * width))
    assert table[START] == pytest.approx(SE_STD / (0.75 * 2 / (3 + GRAPH_CHANNELS)) ** 0.5)


def test_the_share_is_that_of_the_students_first_map_at_its_start():
    """Draw x and a standardised bank of the real sizes and let the untrained map weigh them."""
    torch.manual_seed(0)
    x, y = torch.rand(400, 300), torch.arange(400) % 5
    x = x / x.sum(1, keepdim=True)
    width = GRAPH_CHANNELS + 5
    student = ColdBrewStudent(300, width, 5, hidden_channels=STUDENT_CHANNELS)
    weights = list(student.classifier.first.weights)
    sizes = [
        float((part @ weight.detach()).square().mean())
        for part, weight in zip((x, torch.randn(400, width), torch.randn(400, width)), weights, strict=True)
    ]
    computed = input_scale.scale_table({"made": Data(x=x, y=y)}).iloc[0]
    assert computed[SHARE] == pytest.approx(100 * sizes[0] / sum(sizes), rel=0.15)


def test_the_start_of_the_embeddings_is_that_of_the_layer():
    torch.manual_seed(0)
    x = torch.rand(500, 40)
    layer = SEConv(40, GRAPH_CHANNELS, num_nodes=500, se_std=SE_STD)
    with torch.no_grad():
        rms = layer.structural.square().mean().sqrt() / (x @ layer.linear.weights[0]).square().mean().sqrt()
    computed = input_scale.scale_table({"made": Data(x=x, y=torch.zeros(500))}).iloc[0]
    assert computed[START] == pytest.approx(float(rms), rel=0.1)


def test_on_the_generator_the_features_count():
    table = input_scale.scale_table({GENERATOR: load_graph(GENERATOR)}).iloc[0]
    assert 20 < table[SHARE] < 60
    assert input_scale.shown(pd.DataFrame([table]))[SHARE].item() == f"{table[SHARE]:.2f}"


def scales(**shares):
    return pd.DataFrame(
        [
            {"data set": name.replace("_", "-"), FEATURES: 0.1, EMBEDDING: 69.0, SHARE: share, START: 7.2}
            for name, share in shares.items()
        ]
    )


def overall(data_set, mlp, student):
    lines = seeds(data_set, "overall", MLP, mlp, spread=0.0) + seeds(data_set, "overall", STUDENT, student)
    return lines + seeds(data_set, "overall", GCN, 62, spread=0.0)


def test_the_share_of_the_features_and_what_an_mlp_gets_from_them_are_said():
    rows = tidy(overall("wisconsin", 84, 61) + overall("cora", 75, 83) + overall("texas", 80, 80.1))
    said = input_scale.features_in_the_student(scales(wisconsin=0.01, cora=0.05, texas=0.01, sub_topics=37), rows)
    assert "are about 0.01 to 0.05 % on the real graphs and 37 % on the generator" in said
    assert "wisconsin 84.0 against 61.0 (GCN 62.0; MLP − student +23.0 [21.8, 24.2])" in said
    assert "cora" not in said
    assert "texas" not in said
    assert said.endswith("the run made again.")


def test_without_real_graphs_nothing_is_said_of_them():
    said = input_scale.features_in_the_student(scales(sub_topics=37), tidy(overall(GENERATOR, 90, 60)))
    assert "On the generator the features are 37 %" in said
    assert "MLP" not in said


def penalties(data_set, values):
    how = (data_set, "overall", TEACHER, "structural penalty")
    return [row(*how, value, seed=seed) for seed, value in enumerate(values)]


def cold(data_set, teacher):
    lines = seeds(data_set, "isolation", TEACHER, teacher)
    return lines + seeds(data_set, "isolation", GCN, 51, spread=0.0)


def test_the_start_of_embeddings_is_blamed_only_where_they_are_free_and_the_teacher_is_behind():
    graphs = scales(chameleon=0.2, cora=0.1, citeseer=0.1, dblp=0.1)
    lines = penalties("chameleon", (0, 0, 10)) + cold("chameleon", 26)
    lines += penalties("cora", (10, 0, 10)) + cold("cora", 26) + penalties("citeseer", (0, 0, 0)) + cold("citeseer", 55)
    said = input_scale.embeddings_from_their_start(graphs, tidy(lines))
    assert "chameleon 7.2, cora 7.2" in said
    assert "On chameleon η is 0 in 2 of 3 seeds" in said
    assert "teacher reaches 26 %, the plain GCN 51 % (−25.0 [−26.2, −23.8])" in said
    assert "On cora" not in said
    assert "On citeseer" not in said
    bare = input_scale.embeddings_from_their_start(graphs, tidy(cold("dblp", 26)))
    assert "noise" not in bare
