"""The README's examples run as they stand, and its commands are understood."""

import re
import shlex
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from reprise import cli, parameters, runner
from reprise.catalogue import PAPERS, find_paper

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
OWN_DATA = (REPOSITORY / "book" / "use-it-on-your-own-data.md").read_text(encoding="utf-8")
OWN_DATA_SECTIONS = {
    section.partition(")=")[0]: blocks
    for section in OWN_DATA.split("(your-data-")[1:]
    if (blocks := re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL))
}
EXAMPLES = {re.search(r"from reprise\.(\w+)", block)[1]: block for block in BLOCKS}
COMMANDS = [line.partition("#")[0].strip() for line in README.splitlines() if line.startswith(".venv/bin/reprise ")]


def table_of_three_domains():
    numbers = np.random.default_rng(0)
    domain = np.repeat([0, 1, 2], 20)
    X = numbers.normal(size=(60, 2))
    y = np.where(domain == 0, X[:, 0] > 0, -1)
    return {"adjacency": np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]), "X": X, "y": y, "domain": domain}


def files_of_three_domains():
    names = table_of_three_domains()
    samples = pd.DataFrame(names["X"], columns=["warmth", "rain"]).assign(domain=names["domain"])
    samples["label"] = (samples["warmth"] > 0).astype(int).where(samples["domain"] < 2)
    samples.to_csv("samples.csv", index=False)
    pd.DataFrame({"first": [0, 1], "second": [1, 2]}).to_csv("neighbours.csv", index=False)
    return {}


def files_of_a_graph():
    names = graph_and_newcomers()
    data = names.pop("data")
    pd.DataFrame(data.x.numpy()).assign(label=data.y.numpy()).to_csv("nodes.csv", index=False)
    pd.DataFrame(data.edge_index.numpy().T, columns=["from", "to"]).to_csv("links.csv", index=False)
    return names


def graph_and_newcomers():
    from reprise.cold_brew import sub_topic_world
    from reprise.cold_brew.splits import label_scarce_masks

    data = sub_topic_world(0, n_nodes=300)
    masks = label_scarce_masks(data.y, 0, per_class=8, validation_per_class=8)
    data.train_mask, data.val_mask, data.test_mask = masks.train, masks.validation, masks.test
    return {"data": data, "new_features": data.x[:7]}


def log_of_a_shop():
    numbers = np.random.default_rng(0)
    customer, article = numbers.integers(0, 200, 3000), numbers.integers(0, 12, 3000)
    days = pd.to_timedelta(numbers.uniform(0, 60, 3000), unit="D")
    columns = {"user": customer, "item": article + 4700, "time": pd.Timestamp("2024-01-01") + days}
    events = pd.DataFrame(columns)
    events["user"], events["item"] = "customer " + events["user"].astype(str), "article " + events["item"].astype(str)
    events.to_csv("events.csv", index=False)
    return {}


def test_the_example_of_domain_adaptation_labels_every_row(monkeypatch):
    from reprise.grda import estimators

    monkeypatch.setattr(estimators, "GRDAClassifier", partial(estimators.GRDAClassifier, n_steps=20))
    names = table_of_three_domains()
    exec(EXAMPLES["grda"], names)
    assert set(names["labels"]) <= {0, 1}
    assert len(names["labels"]) == 60


def test_the_example_of_cold_start_classifies_every_newcomer(capsys):
    names = graph_and_newcomers()
    exec(EXAMPLES["cold_brew"], names)
    assert names["classes"].shape == (7,)
    assert "feature contribution ratio" in capsys.readouterr().out


def test_the_example_of_attribution_shares_out_a_value(capsys):
    tracks = tracks_and_a_predictor()
    names = {"tracks": tracks["table"], "predict": tracks["predict"], "value": lambda masks: masks.sum(1)}
    exec(EXAMPLES["walk_alone"], names)
    assert names["shares"].tolist() == pytest.approx([1.0] * 6)
    assert "past" in capsys.readouterr().out


def graph_with_texts():
    from reprise.giant_xrt import text_blocks

    world = text_blocks(n=120)
    links = world.adjacency.tocoo()
    pd.DataFrame({"text": world.texts}).to_csv("nodes.csv", index=False)
    pd.DataFrame({"from": links.row, "to": links.col}).to_csv("links.csv", index=False)
    return {"training_edges": world.adjacency, "new_texts": world.texts[:3]}


def pairs_of_sentences():
    from reprise.trans_encoder import templated_pairs

    pairs, _, _ = templated_pairs(40, seed=0)
    pd.DataFrame(pairs, columns=["first", "second"]).to_csv("pairs.csv", index=False)
    return {"new_pairs": pairs[:4]}


def series_by_time():
    from reprise.psa_gan import make_panel

    make_panel(5, days=35).to_frame().to_csv("panel.csv")
    return {}


def samples_and_a_pool():
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True, as_frame=True)
    chosen = pd.Series(range(len(X))) % 5 != 0
    table = X.assign(label=y)
    table[chosen].to_csv("samples.csv", index=False)
    table[~chosen].to_csv("pool.csv", index=False)
    return {"groups": np.arange(chosen.sum()) // 2}


def pictures_of_a_grid():
    labels = pd.DataFrame([(s, z, a) for s in range(3) for z in range(6) for a in range(10)])
    labels.columns = ["shape", "size", "angle"]
    images = np.random.default_rng(0).integers(0, 255, (180, 3, 64, 64), dtype=np.uint8)
    labels.to_csv("labels.csv", index=False)
    np.save("images.npy", images)
    return {}


def tracks_and_a_predictor():
    from reprise.walk_alone import from_dataframe
    from reprise.walk_alone.constant_velocity import shared_velocity

    frames, agents, scenes = (a.ravel() for a in np.meshgrid(range(22), range(3), range(2), indexing="ij"))
    table = pd.DataFrame({"frame": frames, "agent": agents, "scene": scenes, "x": 0.4 * frames, "y": 1.0 * agents})
    table["x"] += np.random.default_rng(0).normal(0, 0.05, len(table))
    held_out = from_dataframe(table, scene="scene", radius=3.0)
    return {"table": table[table["scene"] == 0], "predict": shared_velocity, "held_out": held_out}


def images_and_a_classifier():
    import torch
    from torch import nn

    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    classes = torch.arange(128) // 2 % 2
    images = torch.rand(128, 3, 16, 16)
    np.save("images.npy", images.numpy())
    np.save("classes.npy", classes.numpy())
    return {"model": nn.Sequential(*layers, nn.Linear(8, 2)), "loader": [(images[:8], classes[:8])]}


def files_of_tracks():
    names = tracks_and_a_predictor()
    names.pop("table").to_csv("tracks.csv", index=False)
    return names


@pytest.fixture
def short_trainings(monkeypatch, tmp_path):
    """Let the recipes train for moments, and write where nobody looks; all else in them stays."""
    from reprise.cold_brew import estimator
    from reprise.cold_brew.training import Recipe
    from reprise.deep_aa import search
    from reprise.grda import estimators
    from reprise.in_domain import training
    from reprise.psa_gan import estimator as window_estimator
    from reprise.psa_gan import fid
    from reprise.psa_gan.encoder import EncoderRecipe
    from reprise.rim import estimators as rim_estimators
    from reprise.trans_encoder import estimators as pair_estimators
    from reprise.walk_alone import own_predictors

    monkeypatch.chdir(tmp_path)
    whole_search = search.search_policy
    monkeypatch.setattr(search, "search_policy", lambda *given, **o: whole_search(*given, **{**o, "steps": 1}))
    shallow = partial(pair_estimators.TransEncoder, num_layers=1)
    monkeypatch.setattr(pair_estimators, "TransEncoder", shallow)
    monkeypatch.setattr(pair_estimators.BiEncoder, "save", lambda model, path: None)
    train_predictor = own_predictors.train_predictor
    monkeypatch.setattr(
        own_predictors, "train_predictor", lambda windows, **given: train_predictor(windows, **{**given, "epochs": 1})
    )
    own_log = rim_estimators.RecurrentIntensityModel
    monkeypatch.setattr(rim_estimators, "RecurrentIntensityModel", partial(own_log, epochs=1, width=8))
    own_windows = window_estimator.PSAGAN
    few_steps = {"max_steps": 6, "channels": 4, "batch_size": 8}
    monkeypatch.setattr(window_estimator, "PSAGAN", lambda **given: own_windows(**{**given, **few_steps}))
    monkeypatch.setattr(fid, "SMALL_RECIPE", EncoderRecipe(8, 2, 8, 12, batch_size=5, max_length=40, n_steps=5))
    options = training.TrainingOptions
    quick = partial(estimators.GRDAClassifier, n_steps=5, hidden_width=8, embedding=np.eye(3))
    monkeypatch.setattr(estimators, "GRDAClassifier", quick)
    monkeypatch.setattr(estimator, "ColdBrew", partial(estimator.ColdBrew, recipe=Recipe(epochs=3)))
    monkeypatch.setattr(estimator, "fcr_report", partial(estimator.fcr_report, recipe=Recipe(epochs=3), n_boot=10))
    monkeypatch.setattr(training, "TrainingOptions", lambda **given: options(**{**given, "n_steps": 2}))


# What writes the files with which a recipe of the page on own data begins, and returns what else it takes for granted.
OWN_DATA_NAMES = {
    "grda": files_of_three_domains,
    "cold-brew": files_of_a_graph,
    "diva": samples_and_a_pool,
    "in-domain": pictures_of_a_grid,
    "walk-alone": files_of_tracks,
    "rim": log_of_a_shop,
    "giant-xrt": graph_with_texts,
    "trans-encoder": pairs_of_sentences,
    "psa-gan": series_by_time,
    "deep-aa": images_and_a_classifier,
}


def run_recipe(section):
    import sklearn

    names = OWN_DATA_NAMES.get(section, dict)()
    with sklearn.config_context():
        for block in OWN_DATA_SECTIONS[section]:
            exec(block, names)
    return names


@pytest.mark.parametrize("section", OWN_DATA_SECTIONS)
def test_each_recipe_on_own_data_runs_by_itself_from_its_files_to_its_end(
    section, short_trainings, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    run_recipe(section)


def test_the_recipes_give_what_the_page_on_own_data_says(short_trainings, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run_recipe("grda")
    assert len(names["labels"]) == 60
    assert names["scores"].shape == (4,)
    assert len(re.findall(r"^[01] [01]\.\d+$", capsys.readouterr().out, flags=re.MULTILINE)) == 2
    names = run_recipe("cold-brew")
    assert 0 <= names["accuracy"] <= 1
    assert re.search(r"^[01]\.\d+$", capsys.readouterr().out, flags=re.MULTILINE)


def test_the_page_on_own_data_is_linked_and_has_one_recipe_for_each_published_chapter():
    assert "(book/use-it-on-your-own-data.md)" in README
    published = {p.package for p in PAPERS if (REPOSITORY / "results" / "standard" / f"{p.package}.json").is_file()}
    assert published <= {section.replace("-", "_") for section in OWN_DATA_SECTIONS}
    headings = re.findall(r"^## (.+)$", OWN_DATA, flags=re.MULTILINE)
    assert len(headings) == len(set(headings)) == len(OWN_DATA_SECTIONS) + 1  # and where to find more


def test_the_recipe_for_time_series_scores_on_held_out_steps(short_trainings, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run_recipe("psa-gan")
    assert names["windows"].shape == (10, 5, 32)
    assert names["paths"].shape == (50, 5, 24)
    assert [panel.values.isnan().sum() for panel in names["filled"]] == [0] * 10
    scores = re.findall(r"^(\S+) ± \S+ \(floor (\S+), corrected", capsys.readouterr().out, flags=re.MULTILINE)
    assert len(scores) == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_are_understood(command, monkeypatch):
    runs = []
    monkeypatch.setattr(runner, "run_chapter", lambda paper, **options: runs.append((paper, options)))
    monkeypatch.setattr("reprise.data.fetch_all", lambda *_, **__: {})
    monkeypatch.setattr("reprise.verification.verify", lambda _: (SimpleNamespace(verdicts=()), [], []))
    result = CliRunner().invoke(cli.application, shlex.split(command)[1:], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    for paper, options in runs:
        parameters.resolve_parameters(find_paper(paper), options["profile"], options["overrides"])


def test_the_published_record_that_the_text_names_is_there():
    assert all((REPOSITORY / name).is_file() for name in re.findall(r"`(results/\S+\.json)`", README))
