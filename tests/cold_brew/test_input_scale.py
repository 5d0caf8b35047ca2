"""How large features are beside embeddings: the numbers by hand, and what is said of them, on made rows."""

import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix
from tests.cold_brew.made_rows import seeds
from torch_geometric.data import Data

from reprise.cold_brew import input_scale, load_graph
from reprise.cold_brew.input_scale import EMBEDDING, FEATURES, SHARE, START
from reprise.cold_brew.ladder import METHOD_OF
from reprise.cold_brew.layers import SEConv
from reprise.cold_brew.methods import NOISE_SE_STD
from reprise.cold_brew.outcome import GRAPH_CHANNELS
from reprise.cold_brew.rules import GCN, GENERATOR, MLP, STUDENT, TEACHER
from reprise.cold_brew.student import ColdBrewStudent
from reprise.cold_brew.student_variants import STUDENT_CHANNELS
from reprise.rows import tidy

X = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])


@pytest.mark.parametrize("x", [X, X.numpy(), csr_matrix(X.numpy()), X.to_sparse_csr()])
def test_the_table_has_the_share_by_hand(x):
    table = input_scale.scale_table({"tiny": Data(x=x, y=torch.tensor([0, 4]))}).iloc[0]
    width = GRAPH_CHANNELS + 5
    assert table[FEATURES] == pytest.approx((0.5 + 1.0) / 2)
    assert table[EMBEDDING] == width
    assert table[SHARE] == pytest.approx(100 * 0.75 / (0.75 + 2 * width))
    assert table[START] == pytest.approx(NOISE_SE_STD / (0.75 * 2 / (3 + GRAPH_CHANNELS)) ** 0.5)


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
    layer = SEConv(40, GRAPH_CHANNELS, num_nodes=500, se_std=NOISE_SE_STD)
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


def rungs(data_set, levels, metric="accuracy on the ladder"):
    """Rungs on isolated nodes, of which the first of a comparison varies over the seeds."""
    lines = []
    for name, value in levels.items():
        method = METHOD_OF.get(name)
        how = {"method": name} if method is None else {"method": method, "setting": name}
        varies = 1.0 if name in ("ẽ and ê", TEACHER) else 0.0
        lines += seeds(data_set, "isolation", value=value, metric=metric, spread=varies, **how)
    return lines


def test_the_share_of_the_features_and_what_an_mlp_gets_from_them_are_said():
    rows = tidy(overall("wisconsin", 84, 61) + overall("cora", 75, 83) + overall("texas", 80, 80.1))
    said = input_scale.features_in_the_student(scales(wisconsin=0.01, cora=0.05, texas=0.01, sub_topics=37), rows)
    assert "would be about 0.01 to 0.05 % on the real graphs (a node's features sum to one) and 37 % on" in said
    assert "wisconsin 84.0 against 61.0 (GCN 62.0; MLP − student +23.0 [21.8, 24.2])" in said
    assert "cora" not in said
    assert "texas" not in said
    assert "What that changes" not in said  # no ladder was climbed
    assert "looked at" not in said


def test_what_one_size_changes_is_said_by_graph():
    lines = rungs("cora", {"ẽ and ê": 70, "ẽ and ê, not scaled": 60, MLP: 60, "MLP, x scaled": 58})
    for name, value in (("ẽ and ê", 80), ("ẽ and ê, not scaled", 70)):
        lines += seeds("cora", "overall", STUDENT, value, "accuracy on the ladder", setting=name, spread=0.0)
    said = input_scale.features_in_the_student(scales(cora=0.05), tidy(lines))
    assert "for the student of the GCN on isolated nodes (points): cora +10.0 [8.8, 11.2]. And" in said
    assert "And on all test nodes (points): cora +10.0 [10.0, 10.0]. " in said
    assert (
        "(points, of 1 looked at): on isolated nodes MLP on cora −2.0 [−2.0, −2.0]; on all test nodes nowhere." in said
    )
    level = rungs("cora", {MLP: 60, "MLP, x scaled": 60})
    assert "on isolated nodes nowhere; on" in input_scale.features_in_the_student(scales(cora=0.05), tidy(level))


def test_without_real_graphs_nothing_is_said_of_them():
    said = input_scale.features_in_the_student(scales(sub_topics=37), tidy(overall(GENERATOR, 90, 60)))
    assert "the features would be 37 % on the generator." in said
    assert "real graphs" not in said
    assert "MLP" not in said


def test_what_noise_at_the_start_of_embeddings_costs_is_the_ablations():
    lines = rungs("chameleon", {TEACHER: 50, "E from noise": 26, "E from noise, masked": 49})
    said = input_scale.embeddings_from_their_start(scales(chameleon=0.2, cora=0.1), tidy(lines))
    assert "would start about 7.2 times as long as one of *XW*" in said
    assert "zero − noise at the same η (points): chameleon +24.0 [22.8, 25.2]." in said
    assert said.endswith("left in (points): chameleon +23.0 [23.0, 23.0].")
    bare = input_scale.embeddings_from_their_start(scales(dblp=0.2), tidy(overall("dblp", 80, 70)))
    assert "points" not in bare
    assert "behind" not in said + bare


def test_a_teacher_behind_the_gcn_from_zero_is_not_blamed_on_noise():
    lines = seeds("chameleon", "isolation", TEACHER, 26) + seeds("chameleon", "isolation", GCN, 51, spread=0.0)
    lines += seeds("cora", "isolation", TEACHER, 50.1) + seeds("cora", "isolation", GCN, 50, spread=0.0)
    said = input_scale.embeddings_from_their_start(scales(chameleon=0.2, cora=0.1), tidy(lines))
    assert "isolated nodes of chameleon 26 % against 51 % (−25.0 [−26.2, −23.8]): there noise is not" in said
    assert "cora 50" not in said
