import pytest

from reprise import method_styles
from reprise.errors import UnknownNameError


@pytest.mark.parametrize("field", method_styles.METHODS_BY_FIELD)
def test_no_two_methods_of_a_field_look_the_same(field):
    looks = [(style.colour, style.marker) for style in method_styles.METHODS_BY_FIELD[field].values()]
    assert len(set(looks)) == len(looks)


def test_no_method_is_registered_in_two_fields():
    assert len(method_styles.METHODS) == sum(len(looks) for looks in method_styles.METHODS_BY_FIELD.values())


def test_an_unregistered_method_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'GRDA'"):
        method_styles.style_of("GRDAA")
