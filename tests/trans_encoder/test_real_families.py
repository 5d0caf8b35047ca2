"""The families of real data sets on small files' worth of pairs: pools, leaks, MRPC, another task's pool."""

import numpy as np
import pytest

from reprise.rows import per_seed, select
from reprise.trans_encoder import data, leaks, pair_files, study, summaries, variants
from reprise.trans_encoder.claims import pools_of_the_task_help_more
from reprise.trans_encoder.generators import templated_pairs
from reprise.trans_encoder.names import MRPC, OTHER_POOL, SELF_CROSS, SEVEN_SETS, START
from reprise.trans_encoder.pair_files import PairSet
from reprise.trans_encoder.settings import Settings
from reprise.verification import published_numbers

N = 40
pytestmark = pytest.mark.filterwarnings("ignore:.*labels were clipped")


def pair_set(name, n=N, *, binary=False, without_gold=0):
    pairs, gold, _ = templated_pairs(n, 7, name)
    gold = (gold > np.median(gold)).astype(float) if binary else gold.copy()
    gold[:without_gold] = np.nan
    return PairSet(tuple(pairs), gold, (name,) * n)


@pytest.fixture
def families(monkeypatch):
    """All readers give drawn pairs; the development part repeats five pairs of 2012, one of them turned round."""
    years = {year: pair_set(f"sts {year}", without_gold=4) for year in pair_files.YEARS}
    tested = years[2012].with_gold().pairs[:5]
    own = pair_set("dev", N - 5)
    repeated = (tested[0][::-1], *tested[1:])
    development = PairSet((*repeated, *own.pairs), np.arange(N, dtype=float), ("dev",) * N)
    benchmark = {"train": pair_set("train"), "dev": development, "test": pair_set("test")}
    monkeypatch.setattr(pair_files, "sts_year", years.get)
    monkeypatch.setattr(pair_files, "sts_benchmark", benchmark.get)
    monkeypatch.setattr(pair_files, "sick", lambda part: pair_set(f"sick {part}"))
    monkeypatch.setattr(pair_files, "mrpc", lambda part: pair_set(f"mrpc {part}", 80, binary=True))
    return years, development


@pytest.fixture
def options(tiny_source):
    return {
        "start": tiny_source, "plm": tiny_source, "num_layers": 2, "frozen_layers": 0, "seeds": (0,), "pool_pairs": 64,
        "mrpc_pool_pairs": 64, "test_pairs": 30, "dev_pairs": 30, "cycles": 1, "cross_lr": 1e-3, "bi_lr": 1e-3,
        "evaluate_every": 3, "bootstrap_draws": 50, "device": "cpu",
    }  # fmt: skip


def test_the_pool_of_sts_is_the_union_of_all_parts_with_pairs_that_have_no_gold(families):
    years, _ = families
    pool = data.unlabelled_pool("sts")
    assert len(set(pool)) == len(pool)
    expected = {p for year in years.values() for p in year.pairs}
    expected |= {p for part in pair_files.BENCHMARK_PARTS for p in pair_files.sts_benchmark(part).pairs}
    expected |= {p for part in pair_files.SICK_FILES for p in pair_files.sick(part).pairs}
    assert set(pool) == expected
    assert years[2013].pairs[0] in pool
    assert all(np.isfinite(data.whole_test_set(name).gold).all() for name in SEVEN_SETS)


def test_leak_free_development_pairs_are_those_that_no_year_tests_on(families, options):
    years, development = families
    problem = data.load_problem("sts", Settings(**options, datasets=SEVEN_SETS), 0)
    assert data.shared_with_tests(development).sum() == 5
    gold_scored = {data.key(pair) for year in years.values() for pair in year.with_gold().pairs}
    assert not {data.key(pair) for pair in problem.leak_free.pairs} & gold_scored
    assert set(problem.leak_free.pairs) <= set(development.pairs)
    assert len(problem.leak_free) == 30
    assert set(problem.tests) == set(SEVEN_SETS)


def test_leaks_of_a_drawn_problem_are_counted(families, options):
    settings = Settings(**{**options, "dev_pairs": None, "test_pairs": None}, datasets=SEVEN_SETS)
    problem = data.load_problem("sts", settings, 0)
    tested = {data.key(pair) for one in problem.tests.values() for pair in one.pairs}
    expected = sum(data.key(pair) in tested for pair in problem.development.pairs)
    assert leaks.tested_development_pairs(problem) == expected >= 5
    half_seen, held = leaks.half_seen_pairs(problem, None)
    pooled = {sentence for pair in problem.pool for sentence in pair}
    out = {data.key(p) for n, one in problem.tests.items() for p in one.take(problem.held_out[n]).pairs}
    assert held == len(out)
    assert half_seen == sum(bool(pair & pooled) for pair in out)
    pooled_pairs = {data.key(pair) for pair in problem.pool}
    n = sum(data.key(pair) in pooled_pairs for one in problem.tests.values() for pair in one.pairs)
    total = sum(len(one) for one in problem.tests.values())
    assert leaks.pooled_test_pairs(problem) == (n, total)
    assert f"has {n} of the {total} tested pairs" in leaks.pool_drawn_in_words(settings)
    assert leaks.pool_drawn_in_words(Settings(**options, datasets=(MRPC,))) == ""
    said = leaks.leaks_in_words(settings)
    assert f"{expected} of {N}" in said
    assert leaks.leaks_in_words(Settings(**options, datasets=(MRPC,))) == ""


def test_mrpc_is_measured_by_the_area_under_the_curve(families, options):
    rows = study.run(Settings(**options, datasets=(MRPC,), variants=("bi to bi", "mutual")))
    assert set(rows["dataset"]) == {MRPC}
    levels = select(rows, part="levels")
    assert set(levels["metric"]) == {"auc"}
    assert levels["value"].between(0, 100).all()
    table = summaries.binary_table(rows, published_numbers("trans_encoder")).set_index("method")
    assert {START, "Self, cross, cycle 1", "Bi → bi"} <= set(table.index)
    assert table.loc["Self, cross, cycle 1", "paper (BERT-base)"] == "76.21"
    own = per_seed(rows, part="levels", method=SELF_CROSS, cycle=1, split="test", variant="as in the paper")
    assert table.loc["Self, cross, cycle 1", "ours"] == f"{own.item():.1f}"


def test_another_tasks_pool_holds_no_pair_of_the_own_task_and_its_claim_can_be_judged(families, options, monkeypatch):
    pools = []
    loop = variants._loop
    monkeypatch.setattr(
        variants, "_loop", lambda cell, pool, *rest, **more: pools.append(pool) or loop(cell, pool, *rest, **more)
    )
    settings = Settings(**{**options, "seeds": (0, 1)}, datasets=SEVEN_SETS, variants=("small pool", "other pool"))
    rows = study.run(settings)
    own = {data.key(pair) for pair in data.unlabelled_pool("sts")}
    others = [pool for pool in pools if len(pool) == 64]
    assert len(others) == 2
    for pool in others:
        assert {data.key(pair) for pair in pool} <= {data.key(pair) for pair in data.unlabelled_pool("mrpc")} - own
    assert set(select(rows, variant=OTHER_POOL, part="data")["value"]) == {64}
    assert "own − other task" in pools_of_the_task_help_more(rows).evidence
