import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprise.book.paths_in_text import LOCAL_PATH, without_local_paths
from reprise.book.text import listed, plain


def test_text_of_records_cannot_change_the_page() -> None:
    assert plain("- a [b](c) <d> {e} #f |g| 3 $ and 4 $") == (
        "\\- a \\[b\\](c) \\<d\\> \\{e\\} \\#f \\|g\\| 3 \\$ and 4 \\$"
    )
    assert plain("12. item") == "12\\. item"
    assert plain("two\nlines") == "two lines"


def test_formulas_and_code_keep_their_meaning() -> None:
    assert plain("at $\\lambda_d = 0.5$ `a_b` c_d") == "at $\\lambda_d = 0.5$ `a_b` c\\_d"


@given(st.text())
def test_plain_text_is_always_one_line(text: str) -> None:
    assert "\n" not in plain(text)


def test_an_enumeration_ends_with_and() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/ada/x/y.csv", "…/y.csv"),
        ("see (/Users/ada/notes.txt)", "see (…/notes.txt)"),
        ("C:\\Users\\ada\\data.csv", "…/data.csv"),
        ("/tmp/ipykernel_17/42.py:3", "cell:3"),
        ("https://example.org/home/page", "https://example.org/home/page"),
        ("papers/home/page.html", "papers/home/page.html"),
        ("1/2 and a/b", "1/2 and a/b"),
    ],
)
def test_local_paths_are_shortened_and_addresses_are_not(text: str, expected: str) -> None:
    assert without_local_paths(text) == expected


@given(st.text(alphabet="/abchome. \n"))
def test_no_local_path_survives(text: str) -> None:
    assert LOCAL_PATH.search(without_local_paths(text)) is None
