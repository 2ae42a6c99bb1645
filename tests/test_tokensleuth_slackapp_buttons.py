from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokensleuth.slackapp.buttons import UNHASHED, Button, Verb, button_value, read_button

KEY = b"k" * 32
HASH = "5117f9ef349284f1" + "0" * 48
VALUE = button_value("approve", "prop_6a4b20f67873", 3, HASH, KEY)


@pytest.mark.parametrize("verb", get_args(Verb))
def test_a_button_is_read_as_it_was_made(verb: Verb) -> None:
    value = button_value(verb, "inc_1", 0, UNHASHED, KEY)
    assert read_button(value, KEY) == Button(verb, "inc_1", 0, "0" * 16)


def test_a_button_knows_what_its_presser_saw() -> None:
    button = read_button(VALUE, KEY)
    assert button is not None
    assert button.saw(HASH)
    assert not button.saw("6" + HASH[1:])


def test_a_button_under_another_key_is_none_of_ours() -> None:
    assert read_button(VALUE, b"x" * 32) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("approve", "reject"),
        ("prop_6a", "prop_6b"),
        (".3.", ".4."),
        ("5117", "5118"),
        ("v1", "v2"),
        (".3.", ".03."),
    ],
)
def test_a_button_with_another_part_is_none_of_ours(old: str, new: str) -> None:
    assert read_button(VALUE.replace(old, new), KEY) is None


@given(st.integers(0, len(VALUE) - 1), st.characters(codec=None))
def test_one_changed_character_is_enough(at: int, other: str) -> None:
    changed = VALUE[:at] + other + VALUE[at + 1 :]
    assert read_button(changed, KEY) is None or changed == VALUE


@given(st.text(max_size=300) | st.builds(lambda t: f"{VALUE}{t}", st.text(min_size=1)))
def test_junk_is_none_of_ours_and_raises_nothing(value: str) -> None:
    assert read_button(value, KEY) is None


def test_a_value_holds_no_parameter_and_fits() -> None:
    assert VALUE.startswith(f"v1.approve.prop_6a4b20f67873.3.{HASH[:16]}.")
    assert len(button_value("not-an-issue", "p" * 64, 999_999_999, HASH, KEY)) <= 200


@pytest.mark.parametrize("subject", ["", "a.b", "a" * 65, "\u00e9"])
def test_a_subject_that_no_button_can_carry_is_refused(subject: str) -> None:
    with pytest.raises(ValueError, match="no button can carry approve"):
        button_value("approve", subject, 1, HASH, KEY)
