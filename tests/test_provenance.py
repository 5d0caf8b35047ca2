import functools
import importlib.util
import sys
import types
from importlib import metadata

import numpy as np  # noqa: F401  (library_versions names what is loaded)
import pytest
import torch  # noqa: F401

from reprise import provenance


@pytest.mark.parametrize(
    "other",
    ["def f(x):\n    '''Say more.'''\n    return x + 1", "def f(x):  # why\n\n    return x+1"],
    ids=["docstring", "layout and comment"],
)
def test_words_and_layout_do_not_change_a_fingerprint(other):
    assert provenance.source_fingerprint("def f(x):\n    return x + 1") == provenance.source_fingerprint(other)


@pytest.mark.parametrize("other", ["def f(x):\n    return x + 2", "def g(x):\n    return x + 1"])
def test_numbers_and_names_change_a_fingerprint(other):
    assert provenance.source_fingerprint("def f(x):\n    return x + 1") != provenance.source_fingerprint(other)


def test_the_description_of_a_setting_does_not_count_and_its_default_does():
    first = provenance.source_fingerprint("x: int = Field(1, description='one')")
    assert first == provenance.source_fingerprint("x: int = Field(1, description='the number one')")
    assert first != provenance.source_fingerprint("x: int = Field(2, description='one')")


def test_a_string_that_is_not_a_docstring_counts():
    first, second = "def f():\n    return 'a'", "def f():\n    return 'b'"
    assert provenance.source_fingerprint(first) != provenance.source_fingerprint(second)


def test_the_modules_behind_a_module_are_followed_through_imports():
    behind = provenance.modules_behind("reprise.verification")
    assert {"reprise.verification", "reprise.claims", "reprise.rows", "reprise.record"} <= set(behind)


def test_what_no_row_depends_on_is_left_out():
    behind = provenance.modules_behind("reprise.runner")
    assert not {"reprise.errors", "reprise.paths", "reprise.data", "reprise.settings"} & set(behind)


def test_a_package_as_such_determines_no_rows():
    assert not provenance.determines_rows("reprise.grda")
    assert provenance.determines_rows("reprise.grda.study")
    assert "reprise.cold_brew" not in provenance.modules_behind("reprise.cold_brew.study")


def test_a_module_outside_the_package_has_nothing_behind_it():
    assert provenance.modules_behind("numpy.linalg") == {}


def test_a_rule_given_other_thresholds_has_another_fingerprint():
    from reprise.stats import seeds_to_settle

    ten = functools.partial(seeds_to_settle, threshold=10)
    thirty = functools.partial(seeds_to_settle, threshold=30)
    assert provenance.function_fingerprint(ten) != provenance.function_fingerprint(thirty)
    assert provenance.function_fingerprint(ten) == provenance.function_fingerprint(
        functools.partial(seeds_to_settle, threshold=10)
    )


def test_a_changed_constant_that_a_rule_reads_changes_its_fingerprint(monkeypatch):
    from reprise import stats

    before = provenance.function_fingerprint(stats.t_interval)
    assert before == provenance.function_fingerprint(stats.t_interval)
    monkeypatch.setattr(stats, "LEVEL", 0.9)
    assert before != provenance.function_fingerprint(stats.t_interval)


def test_a_changed_helper_that_a_rule_calls_changes_its_fingerprint(monkeypatch):
    from reprise import stats

    before = provenance.function_fingerprint(stats.t_interval)
    monkeypatch.setattr(stats, "_values", stats.holm)
    assert before != provenance.function_fingerprint(stats.t_interval)


def test_how_a_finding_is_reported_and_worded_decides_nothing():
    from reprise.grda.claims import lead_in_accuracy

    parts = {}
    provenance._collect(lead_in_accuracy, parts, ("reprise",))
    assert {"reprise.stats.t_interval", "reprise.rows.per_seed"} <= set(parts)
    assert not any(name.startswith(("reprise.claims.", "reprise.numerals.")) for name in parts)


def test_the_digest_ignores_the_order_of_keys():
    assert provenance.digest({"a": 1, "b": 2}) == provenance.digest({"b": 2, "a": 1})


def test_library_versions_name_python_and_torch():
    assert {"python", "torch", "numpy"} <= set(provenance.library_versions())


def test_library_versions_name_what_was_loaded_and_nothing_else(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", types.ModuleType("transformers"))
    monkeypatch.delitem(sys.modules, "monai", raising=False)
    versions = provenance.library_versions()
    assert versions["transformers"] == metadata.version("transformers")
    assert "monai" not in versions


@pytest.mark.parametrize(("name", "module"), provenance.NUMERICAL_LIBRARIES.items())
def test_each_library_is_installed_under_the_name_that_is_looked_for(name: str, module: str):
    assert metadata.version(name)
    assert importlib.util.find_spec(module)
