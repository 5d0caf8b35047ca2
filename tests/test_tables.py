import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprise import tables
from reprise.record import SummaryRow


@given(st.floats(1e-6, 1e4))
def test_the_half_width_is_shown_with_two_significant_digits_at_least(half):
    shown = f"{half:.{tables.decimals_for(half)}f}"
    assert float(shown) == pytest.approx(half, rel=0.05) or half >= 100


def test_an_equal_interval_is_shown_as_such():
    assert tables.with_interval(5.0, 5.0, 5.0) == "5.00 ± 0"


def test_one_seed_is_shown_without_an_interval():
    assert tables.with_interval(5.0, None, None) == "5.00"


def test_the_difference_from_the_paper_stands_beside_both():
    row = SummaryRow(
        dataset="d", split="t", method="m", metric="a", n=3, mean=70.0, low=60.0, high=80.0,
        paper_value=72.1, paper_source="Table 1", variant={"pairing": "row"},
    )  # fmt: skip
    frame = tables.paper_beside_ours([row], ["pairing"])
    assert frame.loc[0, "paper"] == "72.1"
    assert frame.loc[0, "ours − paper"] == "-2"
    assert frame.loc[0, "pairing"] == "row"


def test_html_is_escaped_and_headers_have_a_scope():
    html = tables.to_html(pd.DataFrame({"<a>": ["<script>"], "n": [1]}), "x & y")
    assert "<script>" not in html
    assert 'scope="col"' in html
    assert "<caption>x &amp; y</caption>" in html
    assert '<td class="number">1</td>' in html


def test_missing_values_are_a_dash():
    assert "<td>—</td>" in tables.to_html(pd.DataFrame({"a": [None, "b"]}))
