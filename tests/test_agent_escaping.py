"""Names from data are shown, never read as Markdown."""

import pytest

from agent.escaping import escaped, unescaped


@pytest.mark.parametrize("special", list("\\|*_`[]<>#~&"))
def test_each_special_character_is_escaped(special: str) -> None:
    assert escaped(f"a{special}b") == f"a\\{special}b"


def test_plain_names_stay_as_they_are() -> None:
    assert escaped("team search-eu, key k1 (prod) 50%") == "team search-eu, key k1 (prod) 50%"


def test_a_name_stays_on_its_line() -> None:
    assert escaped("a\n# b\u2028c\x1b") == "a \\# b c "


def test_what_was_escaped_is_shown_as_it_was() -> None:
    name = "key_a*b`[x](y) <b> & ~ | \\ #1 www.x.example https://y me@z"
    assert unescaped(escaped(name)) == name
