import pytest

from reprise import runner
from reprise.errors import UnknownNameError


def test_an_unknown_paper_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'grda'"):
        runner.run_chapter("grdaa")
