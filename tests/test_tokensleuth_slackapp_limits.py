import pytest

from tokensleuth.slackapp import blocks
from tokensleuth.slackapp.limits import MOST_SHOWN, Block, Part, check, fitted


def plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text}


def dialog(**texts: str) -> Block:
    said = {"title": "t", "text": "q", "confirm": "y", "deny": "n"} | texts
    return pressed(confirm={name: plain(text) for name, text in said.items()})


def pressed(**fields: object) -> Block:
    element = {"type": "button", "text": plain("b"), "action_id": "a", "value": "v"} | fields
    return {"type": "actions", "elements": [element], "block_id": "b"}


def table(rows: int, columns: int = 2, text: str = "x") -> Block:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns for _ in range(rows)]}


TOO_MUCH: dict[str, list[Block]] = {
    "blocks": [blocks.divider()] * 51,
    "no blocks": [],
    "header": [{"type": "header", "text": plain("x" * 151)}],
    "section": [{"type": "section", "text": plain("x" * 3001)}],
    "empty section": [{"type": "section", "text": plain("")}],
    "field": [{"type": "section", "fields": [plain("x" * 2001)]}],
    "fields": [{"type": "section", "fields": [plain("x")] * 11}],
    "context": [{"type": "context", "elements": [plain("x" * 2001)]}],
    "context elements": [{"type": "context", "elements": [plain("x")] * 11}],
    "buttons": [{"type": "actions", "elements": [{"type": "button", "text": plain("b")}] * 26}],
    "label": [pressed(text=plain("x" * 76))],
    "value": [pressed(value="x" * 2001)],
    "url": [pressed(url="x" * 3001)],
    "title of a dialog": [dialog(title="x" * 101)],
    "question of a dialog": [dialog(text="x" * 301)],
    "answer of a dialog": [dialog(deny="x" * 31)],
    "alt text": [{"type": "image", "alt_text": "x" * 2001}],
    "action id": [pressed(action_id="x" * 256)],
    "block id": [{"type": "divider", "block_id": "x" * 256}],
    "block id twice": [{"type": "divider", "block_id": "x"}] * 2,
    "action id twice": [pressed(), pressed() | {"block_id": "c"}],
    "two tables": [table(1), table(1)],
    "rows": [table(101)],
    "columns": [table(1, 21)],
    "no columns": [table(1, 0)],
    "uneven rows": [{"type": "table", "rows": [*table(1)["rows"], *table(1, 3)["rows"]]}],  # type: ignore[misc]
    "cell": [table(1, text="x" * 2001)],
    "empty cell": [table(1, text="")],
    "table": [table(11, 1, text="x" * 1000)],
    "in all": [blocks.plain_section("x" * 3000)] * 5,
    "astral": [{"type": "header", "text": plain("\U0001f4b8" * 76)}],
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_what_slack_would_refuse_is_an_error_here(what: str) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        check(TOO_MUCH[what], "text")


@pytest.mark.parametrize("text", ["", "x" * 4001])
def test_the_text_for_notifications_has_its_limit(text: str) -> None:
    with pytest.raises(ValueError, match="text has"):
        check([blocks.divider()], text)


def test_half_a_character_cannot_be_sent() -> None:
    with pytest.raises(UnicodeEncodeError):
        check([blocks.divider()], "\ud800")


def test_what_just_fits_passes() -> None:
    most = [blocks.header("x" * 150), *[blocks.plain_section("x" * 2900)] * 4, pressed(), table(100)]
    check(most[:4] + most[5:], "x" * 4000)


WHERE = blocks.context("The rest is in the inbox")


def some(count: int, text: str = "x", rank: int = 1) -> list[Part]:
    return [Part([blocks.plain_section(text)], "proposal", rank) for _ in range(count)]


def test_what_fits_is_whole_and_nothing_is_said_of_the_rest() -> None:
    assert fitted(some(3), where=WHERE) == [blocks.plain_section("x")] * 3


def test_what_is_left_out_is_counted_and_told_where() -> None:
    shown = fitted(some(60), last=some(1, "end", rank=0), where=WHERE)
    assert len(shown) == 50
    assert shown[-2]["elements"][0]["text"] == (  # type: ignore[index]
        "*Left out for length:* 12 proposals. The rest is in the inbox"
    )
    assert shown[-1] == blocks.plain_section("end")


def test_the_lowest_rank_stays_where_there_is_too_much_text() -> None:
    shown = fitted([*some(4, "a" * 2900, rank=2), *some(1, "b" * 2900)], where=WHERE)
    assert [b["text"]["text"][0] for b in shown[:-1]] == ["a", "a", "a", "b"]  # type: ignore[index]
    check(shown, "text")


def test_what_was_left_out_before_is_told_too() -> None:
    shown = fitted(some(1), where=WHERE, missing={"culprit": 1})
    assert "1 culprit." in str(shown[-1])
    assert MOST_SHOWN < 13_200
