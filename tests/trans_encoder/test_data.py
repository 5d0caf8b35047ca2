"""Readers on files written here, drawn pairs, and the problems that are made of them."""

import numpy as np
import pytest

from reprise.data import DataError
from reprise.trans_encoder import data, pair_files
from reprise.trans_encoder.data import key, load_problem, longest
from reprise.trans_encoder.generators import GOLD_OF_SWAP, NEGATED, SWAPPED, templated_pairs
from reprise.trans_encoder.pair_files import PairSet
from reprise.trans_encoder.settings import Settings

STRANGE = "one\u2028two\x85three"


@pytest.fixture
def files(monkeypatch):
    texts = {
        "sts-semeval/2015/STS.input.a.txt": f'"x y\tz"\nfirst {STRANGE}\tsecond\n c \td \n',
        "sts-semeval/2015/STS.gs.a.txt": "4.5\n\n0\n",
        "stsb/stsb-en-dev.csv": '"a, ""b""",c,2.5\r\nd,e,0\r\n',
        "sick2014/SICK_trial.txt": "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment\n"
        "1\ta\tb\t3.5\tNEUTRAL\n",
        "mrpc/msr-para-val.tsv": "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n"
        '1\t7\t8\t"a b\tc\r\n0\t7\t8\td\te\r\n',
    }

    class File:
        def __init__(self, text):
            self.text = text

        def read_bytes(self):
            return self.text.encode()

    class Entry:
        def __init__(self, path):
            self.path = path

    monkeypatch.setattr(pair_files, "fetch", lambda path: File(texts[path]))
    monkeypatch.setattr(pair_files, "select", lambda pattern: [Entry(p) for p in texts if p.startswith(pattern[:-1])])
    readers = (pair_files.sts_year, pair_files.sts_benchmark, pair_files.sick, pair_files.mrpc)
    for reader in readers:
        reader.cache_clear()
    yield texts
    for reader in readers:
        reader.cache_clear()


def test_sts_keeps_pairs_without_gold_aligned_and_splits_at_newlines_only(files):
    found = pair_files.sts_year(2015)
    assert found.pairs == (('"x y', 'z"'), (f"first {STRANGE}", "second"), ("c", "d"))
    np.testing.assert_array_equal(found.gold, [4.5, np.nan, 0])
    assert found.with_gold().pairs == (found.pairs[0], found.pairs[2])


def test_scores_that_do_not_fit_the_pairs_are_refused(files):
    files["sts-semeval/2015/STS.gs.a.txt"] = "4.5\n"
    with pytest.raises(DataError, match="3 pairs and 1 scores"):
        pair_files.sts_year(2015)


def test_the_benchmark_is_read_with_quotes_and_sick_by_its_header(files):
    assert pair_files.sts_benchmark("dev").pairs[0] == ('a, "b"', "c")
    assert pair_files.sick("trial").gold.tolist() == [3.5]


def test_mrpc_is_read_without_quoting_and_without_its_mark(files):
    found = pair_files.mrpc("val")
    assert found.pairs == (('"a b', "c"), ("d", "e"))
    assert found.gold.tolist() == [1, 0]


def test_drawn_pairs_have_gold_by_their_concepts():
    pairs, gold, kinds = templated_pairs(600, 3)
    assert gold.min() >= 0
    assert gold.max() == 5
    assert all(g == GOLD_OF_SWAP for g, k in zip(gold, kinds, strict=True) if k == SWAPPED)
    assert all(
        " not " in second and " not " not in first
        for (first, second), k in zip(pairs, kinds, strict=True)
        if k == NEGATED
    )
    share = [kinds.count(kind) / 600 for kind in (SWAPPED, NEGATED)]
    np.testing.assert_allclose(share, [0.05, 0.95 * 0.12], atol=0.04)
    again, same_gold, _ = templated_pairs(600, 3)
    assert again == pairs
    assert (same_gold == gold).all()


def test_a_negation_costs_a_point_and_a_half():
    _, gold, kinds = templated_pairs(3000, 5)
    by_kind = {kind: {round(float(g), 3) for g, k in zip(gold, kinds, strict=True) if k == kind} for kind in set(kinds)}
    assert {max(0.0, round(g - 1.5, 3)) for g in by_kind["plain"]} >= by_kind[NEGATED]


def test_the_pool_holds_no_held_out_pair_and_all_other_short_test_pairs():
    problem = load_problem("templated", Settings(pool_pairs=600), 1)
    pool = {key(pair) for pair in problem.pool}
    tests, held = problem.tests[data.EMBEDDED], problem.held_out[data.EMBEDDED]
    assert 0.3 < held.mean() < 0.7
    for pair, out in zip(tests.pairs, held, strict=True):
        assert (key(pair) in pool) == (not out)
    assert len(problem.pool) == 600


def test_long_sentences_stay_out_of_the_pool():
    problem = load_problem("templated", Settings(pool_pairs=64, max_words=8), 1)
    assert max(longest(pair) for pair in problem.pool) <= 8


def test_seeds_change_the_pool_and_not_the_tests():
    one, other = (load_problem("templated", Settings(), seed) for seed in (0, 1))
    assert one.tests[data.EMBEDDED].pairs == other.tests[data.EMBEDDED].pairs
    assert one.pool != other.pool
    assert load_problem("templated", Settings(), 0).pool == one.pool


def test_pairs_shared_with_the_tests_are_found_in_either_order(monkeypatch):
    tested = PairSet((("a", "b"), ("c", "d")), np.array([1.0, np.nan]), ("x", "x"))
    monkeypatch.setattr(pair_files, "sts_year", lambda year: tested)
    found = data.shared_with_tests(PairSet((("b", "a"), ("c", "d"), ("e", "f")), np.zeros(3), ("y",) * 3))
    assert found.tolist() == [True, False, False]  # the second has no gold
