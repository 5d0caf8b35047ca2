import pytest

from reprise.claims import Claim, Finding
from reprise.stats import Interval


def better(rows):
    """Decide C1.

    The interval of ours − theirs lies above zero.
    """
    return Finding("reproduced", "above.", Interval(1.0, 0.5, 1.5, 5), quantity="ours − theirs, points")


def claim(**changes):
    fields = {
        "id": "C1", "text": "Ours is better.", "source": "Table 1", "kind": "ordering", "paper_value": "+12",
        "rule": better, "data_sets": ("real",), **changes,
    }  # fmt: skip
    return Claim(**fields)


def test_a_claim_needs_a_rule_or_a_reason():
    with pytest.raises(ValueError, match="either a rule or"):
        claim(rule=None)


def test_a_rule_needs_a_docstring_since_readers_see_it():
    with pytest.raises(ValueError, match="docstring"):
        claim(rule=lambda rows: None)


def test_the_rule_in_words_is_the_paragraph_after_the_docstrings_summary():
    assert claim().rule_text == "The interval of ours − theirs lies above zero."


@pytest.mark.parametrize("given", [{"interval": Interval(1, 0, 2, 3)}, {"quantity": "ours − theirs"}])
def test_a_finding_says_what_its_estimate_is_an_estimate_of(given):
    with pytest.raises(ValueError, match="give both or neither"):
        Finding("reproduced", "evidence.", **given)
