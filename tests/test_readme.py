"""The README's examples run as they stand, and its commands are understood."""

import re
import shlex
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from reprise import cli, parameters, runner
from reprise.catalogue import find_paper

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
OWN_DATA = (REPOSITORY / "book" / "use-it-on-your-own-data.md").read_text(encoding="utf-8")
OWN_DATA_BLOCKS = re.findall(r"```python\n(.*?)```", OWN_DATA, flags=re.DOTALL)
EXAMPLES = {re.search(r"from reprise\.(\w+)", block)[1]: block for block in BLOCKS}
COMMANDS = [line.partition("#")[0].strip() for line in README.splitlines() if line.startswith(".venv/bin/reprise ")]


def table_of_three_domains():
    numbers = np.random.default_rng(0)
    domain = np.repeat([0, 1, 2], 20)
    X = numbers.normal(size=(60, 2))
    y = np.where(domain == 0, X[:, 0] > 0, -1)
    return {"adjacency": np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]), "X": X, "y": y, "domain": domain}


def graph_and_newcomers():
    from reprise.cold_brew import sub_topic_world
    from reprise.cold_brew.splits import label_scarce_masks

    data = sub_topic_world(0, n_nodes=300)
    masks = label_scarce_masks(data.y, 0, per_class=8, validation_per_class=8)
    data.train_mask, data.val_mask, data.test_mask = masks.train, masks.validation, masks.test
    return {"data": data, "new_features": data.x[:7]}


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


def test_the_page_on_own_data_that_the_text_links_runs_from_beginning_to_end(monkeypatch, capsys):
    import sklearn

    from reprise.cold_brew import estimator
    from reprise.cold_brew.training import Recipe
    from reprise.grda import estimators

    assert "(book/use-it-on-your-own-data.md)" in README
    quick = partial(estimators.GRDAClassifier, n_steps=5, hidden_width=8, embedding=np.eye(3))
    monkeypatch.setattr(estimators, "GRDAClassifier", quick)
    monkeypatch.setattr(estimator, "ColdBrew", partial(estimator.ColdBrew, recipe=Recipe(epochs=3)))
    monkeypatch.setattr(estimator, "fcr_report", partial(estimator.fcr_report, recipe=Recipe(epochs=3), n_boot=10))
    names = table_of_three_domains() | graph_and_newcomers()
    names["y"] = np.where(names["domain"] < 2, names["X"][:, 0] > 0, -1)
    with sklearn.config_context():
        for block in OWN_DATA_BLOCKS:
            exec(block, names)
    assert len(names["labels"]) == 60
    assert names["scores"].shape == (4,)
    assert 0 <= names["accuracy"] <= 1
    out = capsys.readouterr().out
    assert len(re.findall(r"^[01] [01]\.\d+$", out, flags=re.MULTILINE)) == 2
    assert re.search(r"^[01]\.\d+$", out, flags=re.MULTILINE)


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
