import pandas as pd
from tests.test_judging import QUANTITY, claim, rows

from reprise import tables
from reprise.claims import Control
from reprise.grda.settings import Settings
from reprise.judging import judge
from reprise.record import SummaryRow
from reprise.rows import select


def test_the_difference_from_the_paper_stands_beside_both():
    row = SummaryRow(
        dataset="d", split="t", method="m", metric="a", n=3, mean=70.0, low=60.0, high=80.0,
        paper_value=72.1, paper_source="Table 1", variant={"pairing": "row"},
    )  # fmt: skip
    frame = tables.paper_beside_ours([row], ["pairing"])
    assert frame.loc[0, "paper"] == "72.1"
    assert frame.loc[0, "ours − paper"] == "−2"
    assert frame.loc[0, "pairing"] == "row"


def test_html_is_escaped_and_headers_have_a_scope():
    html = tables.to_html(pd.DataFrame({"<a>": ["<script>"], "n": [1]}), "x & y")
    assert "<script>" not in html
    assert 'scope="col"' in html
    assert "<caption>x &amp; y</caption>" in html
    assert '<td class="number">1</td>' in html


def test_missing_values_are_a_dash():
    assert "<td>—</td>" in tables.to_html(pd.DataFrame({"a": [None, "b"]}))


def test_what_diverged_and_what_was_not_there_to_measure_are_told_apart():
    row = SummaryRow(dataset="d", split="t", method="m", metric="a", n=3, mean=None, low=None, high=None)
    ours = "ours (mean ± half-width of the 95 % interval)"
    assert tables.paper_beside_ours([row]).loc[0, ours] == "diverged"
    assert tables.paper_beside_ours([row], no_number="no test node").loc[0, ours] == "no test node"


def test_the_table_of_claims_names_the_quantity_of_our_figure():
    (verdict,) = judge([claim()], rows(10), reduced_scale=False)
    frame = tables.claims_frame([claim()], [verdict])
    assert frame.loc[0, "ours"].endswith("] (ours − theirs, points)")
    assert tables.claims_frame([claim()]).loc[0, "ours"] == "—"
    assert tables.verdicts_frame([verdict]).loc[0, "quantity"] == QUANTITY
    assert tables.verdicts_data([verdict]).loc[0, "estimate"] == verdict.estimate


def test_the_table_of_claims_leaves_out_the_interval_of_a_single_value():
    (verdict,) = judge([claim()], rows(10), reduced_scale=False)
    single = verdict.model_copy(update={"evidence": "loses 0.38 [-inf, inf], n = 1; MLP 0.4 [0.3, 0.5], n = 3."})
    shown = tables.claims_frame([claim()], [single]).loc[0, "evidence"]
    assert shown == "loses 0.38, n = 1; MLP 0.4 [0.3, 0.5], n = 3."


def test_a_control_that_was_not_run_is_shown_as_such():
    controls = [Control("absent", lambda rows: (bool(len(select(rows, method="absent"))), ""))]
    verdicts = judge([claim(controls=tuple(controls))], rows(10), reduced_scale=False)
    assert tables.controls_frame(verdicts)["holds"].tolist() == ["not run"]


def test_parameters_are_written_without_the_marks_of_a_programming_language():
    frame = tables.parameters_frame(Settings(datasets=("dg-15-generated", "dg-60-generated"), yardsticks=()))
    values = frame.set_index("parameter")["value"]
    assert values["datasets"] == "dg-15-generated, dg-60-generated"
    assert (values["yardsticks"], values["n_steps"]) == ("none", "500")
