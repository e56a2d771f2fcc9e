"""Reading what gateways send, whatever it is."""

import pytest

from gateways.bodies import text, word


@pytest.mark.parametrize("value", [None, "", 7, [], {}, "a\0b"])
def test_what_is_no_word_is_none(value: object) -> None:
    assert word({"name": value}, "name") is None
    with pytest.raises(ValueError, match="no name"):
        text({"name": value}, "name")


def test_a_word_is_taken_as_it_is() -> None:
    assert word({"name": "pay_1"}, "name") == text({"name": "pay_1"}, "name") == "pay_1"
