"""Text from data made safe for Slack: a key, a team or a note may be called anything, and shows as that."""

import re
import unicodedata
from collections.abc import Callable, Iterable

NAME_WIDTH = 100
PROSE_WIDTH = 400
_ROOM = 34
"""For the words that say how much was left out."""

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Blank or invisible, though Unicode files them under letters, marks and symbols."""
_BROADCAST = re.compile(r"@(?=here|channel|everyone|group)", re.IGNORECASE)
_ADDRESS = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)
"""What turns text into a link by itself, in clients that do so."""
_EMOJI = re.compile(r":(?=[^\s:]{1,100}:)")
_MARKS = {"*": "\u2217", "`": "'", "~": "\u223c"}
_LOOSE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""One that may start or end italics; within a word it does not."""


def width(text: str) -> int:
    """Characters as Slack's clients count them: one beyond the basic plane counts as two."""
    return len(text) + sum(c > "\uffff" for c in text)


def clean(value: object) -> str:
    """One line that shows what it says: nothing invisible, no order of writing turned, no live address,
    no call to a channel, no emoji by its name."""
    line = " ".join("".join(map(_visible, str(value))).split())
    line = _ADDRESS.sub(lambda found: f"[{found[0]}]", line)
    return _EMOJI.sub("\u2236", _BROADCAST.sub("(at)", line))


def plain(value: object, most: int = NAME_WIDTH) -> str:
    """For plain_text and the cells of a table, which read no markup; never empty."""
    return _fitted(clean(value), most, _angled) or "-"


def prose(value: object, most: int = PROSE_WIDTH) -> str:
    """For mrkdwn, after words of ours on the same line: no mark in it formats."""
    return _fitted(_LOOSE_UNDERSCORE.sub("\u02cd", clean(value)), most, _unmarked) or "-"


def code(value: object, most: int = NAME_WIDTH) -> str:
    """For mrkdwn, as a span of code, from which a name can be copied."""
    return f"`{_fitted(clean(value), most - 2, _coded) or '-'}`"


def plain_lines(values: Iterable[object], most: int) -> str:
    """Lines for plain_text; which do not fit are counted."""
    lines = [line for value in values if (line := clean(value))]
    kept: list[str] = []
    left = most - _ROOM
    for line in lines:
        shown = _fitted(line, max(left, _ROOM), _angled)
        if width(shown) + 1 > left:
            break
        kept.append(shown)
        left -= width(shown) + 1
    if missing := len(lines) - len(kept):
        kept.append(f"({missing:,} more line{'s' * (missing > 1)})")
    return "\n".join(kept)


def escaped(text: str) -> str:
    """The three characters that Slack reads as control characters, in words of ours."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or character in _INVISIBLE or _selects_variation(character):
        return ""
    if category in ("Cc", "Zl", "Zp"):
        return " "
    return "\ufffd" if category in ("Cs", "Co", "Cn") else character


def _selects_variation(character: str) -> bool:
    """They are marks that nobody sees, 256 of them: text can be hidden in them."""
    return (
        "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
        or "\u180b" <= character <= "\u180d"
    )


def _angled(character: str) -> str:
    """Nobody documents whether plain_text decodes entities, so that brackets are replaced there."""
    return {"<": "\u2039", ">": "\u203a"}.get(character, character)


def _unmarked(character: str) -> str:
    return escaped(_MARKS.get(character, character))


def _coded(character: str) -> str:
    return escaped("'" if character == "`" else character)


def _fitted(text: str, most: int, encode: Callable[[str], str]) -> str:
    """Each character encoded, cut between two of them where it is too long, and saying so."""
    pieces = [encode(character) for character in text]
    if sum(map(width, pieces)) <= most:
        return "".join(pieces)
    kept, left = [], most - _ROOM
    for piece in pieces:
        left -= width(piece)
        if left < 0:
            break
        kept.append(piece)
    return f"{''.join(kept)}... ({len(pieces) - len(kept):,} more characters)"
