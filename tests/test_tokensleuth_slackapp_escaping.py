from collections.abc import Callable

import pytest

from tokensleuth.slackapp.escaping import clean, code, plain, plain_lines, prose, width


@pytest.mark.parametrize("call", ["<!channel>", "<!here>", "<@U0ALICE>", "<#C1>", "<http://x.example|here>"])
def test_control_sequences_of_slack_are_shown_and_not_obeyed(call: str) -> None:
    for shown in (code(call), prose(call), plain(call)):
        assert not set("<>") & set(shown)


@pytest.mark.parametrize("call", ["@here", "@Channel", "@everyone"])
def test_a_call_to_everybody_loses_its_sign(call: str) -> None:
    assert clean(call) == f"(at){call[1:]}"


def test_an_address_is_shown_and_is_no_link() -> None:
    assert clean("see https://evil.example and www.evil.example") == (
        "see https[:]//evil.example and www[.]evil.example"
    )


def test_an_emoji_is_shown_by_its_name() -> None:
    assert clean(":tada::boom:") == "\u2236tada:\u2236boom:"


def test_a_time_of_day_stays_a_time_of_day() -> None:
    assert clean("from 10:00 to 12:00") == "from 10:00 to 12:00"


@pytest.mark.parametrize(
    "hidden",
    ["\u202e", "\u2066", "\u200b", "\u2060", "\U000e0041", "\ufe0f", "\U000e0100", "\u3164", "\u00ad"],
)
def test_what_nobody_sees_is_removed(hidden: str) -> None:
    assert clean(f"a{hidden}b") == "ab"


@pytest.mark.parametrize("broken", ["\n", "\u2028", "\u2029", "\x00", "\x1b", "\x85"])
def test_what_ends_a_line_or_steers_a_terminal_becomes_a_space(broken: str) -> None:
    assert clean(f"a{broken}b") == "a b"


def test_half_a_character_is_replaced_and_can_be_sent() -> None:
    assert clean("a\ud800b").encode() == "a\ufffdb".encode()


def test_a_span_of_code_cannot_be_closed_from_inside() -> None:
    assert code("a`b```c") == "`a'b'''c`"


def test_nothing_in_prose_formats() -> None:
    assert prose("*a* ~b~ `c` _d_ key_id") == "\u2217a\u2217 \u223cb\u223c 'c' \u02cdd\u02cd key_id"


def test_an_empty_name_is_a_dash() -> None:
    assert (code("\u200b"), plain(""), prose(" ")) == ("`-`", "-", "-")


def test_a_long_text_is_cut_between_escapes_and_says_how_much_is_missing() -> None:
    shown = prose("&" * 1000, 100)
    assert shown == f"{'&amp;' * 13}... (987 more characters)"


@pytest.mark.parametrize("make", [code, plain, prose])
def test_a_cut_text_keeps_to_its_width_in_the_units_of_slack(make: Callable[[str, int], str]) -> None:
    assert width(make("\U0001f4b8" * 10_000, 100)) <= 100


def test_lines_that_do_not_fit_are_counted() -> None:
    assert plain_lines(["a" * 40, "", "b" * 40, "c"], 80) == f"{'a' * 40}\n(2 more lines)"
