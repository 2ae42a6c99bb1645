"""Numbers of free prose: digits or words, with their scale and unit."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from agent.claims.tokens import Tokens, counted, counted_after, low_at, next_in_clause
from agent.claims.vocabulary import DIGIT_WORDS, MULTIPLES, SCALES

Unit = Literal["usd", "percent", "points", "times", "none"]

_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?P<usd>(?:US)?\$|USD)?(?P<second>[+-]?)"
    r"(?P<digits>\d{1,3}(?:,\d{3}){1,5}|\d{1,18})(?P<decimals>\.\d{1,9})?"
    r"(?P<scale>k|K|M|bn|B)?(?P<unit>%|x|X|pp|USD|-?fold)?",
    re.ASCII,
)
_LENGTH = re.compile(r"(\d{1,6})(?:-(minute|hour|day|week|month)|(h))", re.ASCII)
_RANGE = re.compile(
    r"(?P<first>[$+]?[\d.,]{1,24}[kKMB%x]?)-(?P<second>\$?[\d.,]{1,24}(?:[kKMBx%]|bn)?)", re.ASCII
)
_FOLD = re.compile(r"([a-z]+)-?fold")

_UNITS: tuple[tuple[tuple[str, ...], Unit], ...] = (
    (("percentage", "points"), "points"), (("percentage", "point"), "points"), (("per", "cent"), "percent"),
    (("us", "dollars"), "usd"), (("percent",), "percent"), (("usd",), "usd"), (("dollars",), "usd"),
    (("dollar",), "usd"), (("times",), "times"), (("x",), "times"), (("pp",), "points"),
    (("points",), "points"), (("fold",), "times"),
)  # fmt: skip
_FEW = {"single": 1, "sole": 1, "both": 2}
LONGEST = 12
"""So many words spell a number."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number of prose that no reference stands for."""

    value: Decimal
    """With its sign, before its scale."""
    first: int
    last: int
    """The words it takes."""
    scale: Decimal = Decimal(1)
    unit: Unit = "none"
    counts: str = ""
    """What is counted, where the number says it itself: `24-hour`."""
    is_signed: bool = False
    is_word: bool = False
    """A multiple in a word, such as `doubled`."""

    @property
    def step(self) -> Decimal:
        """The place of its last digit."""
        exponent = self.value.as_tuple().exponent
        return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)


def numbers_at(tokens: Tokens, i: int) -> tuple[Number, ...]:
    """The number, or both ends of the range, that starts at a word; nothing where none does."""
    core, low = tokens[i].core, tokens[i].low
    if low in MULTIPLES:
        return (Number(MULTIPLES[low], i, i, unit="times", is_word=True),)
    if match := _LENGTH.fullmatch(core):
        return (Number(Decimal(match[1]), i, i, counts=f"{match[2] or 'hour'}s"),)
    if match := _NUMBER.fullmatch(core):
        number = _with_words(_from_digits(match, i), tokens)
        return (_with_prefix(number, tokens),) if number else ()
    if match := _RANGE.fullmatch(core):
        return tuple(_range(match, tokens, i))
    return _from_words(tokens, i)


def _from_digits(match: re.Match[str], i: int) -> Number | None:
    signs = match["sign"] + match["second"]
    if len(signs) > 1:
        return None
    value = Decimal(signs + match["digits"].replace(",", "") + (match["decimals"] or ""))
    unit: Unit = "usd" if match["usd"] or match["unit"] == "USD" else _unit(match["unit"] or "")
    if match["usd"] and match["unit"]:
        return None
    return Number(value, i, i, _scale(match["scale"]), unit, is_signed=bool(signs))


def _unit(sign: str) -> Unit:
    match sign.lower():
        case "%":
            return "percent"
        case "x" | "fold" | "-fold":
            return "times"
        case "pp":
            return "points"
        case _:
            return "none"


def _scale(suffix: str | None) -> Decimal:
    return SCALES[suffix.lower()] if suffix else Decimal(1)


def _with_words(number: Number | None, tokens: Tokens) -> Number | None:
    """With the scale and the unit that follow as words; None where they contradict what is there."""
    if number is None:
        return None
    word = next_in_clause(tokens, number.last)
    if word in SCALES and word not in ("m", "b"):
        if number.scale != 1 or number.unit not in ("none", "usd"):
            return None
        number = replace(number, scale=SCALES[word], last=number.last + 1)
    return _with_unit(number, tokens)


def _with_unit(number: Number, tokens: Tokens) -> Number | None:
    for words, unit in _UNITS:
        following = tuple(
            next_in_clause(tokens, number.last + k) if k == 0 or not tokens[number.last + k].after else ""
            for k in range(len(words))
            if number.last + k < len(tokens)
        )
        if following == words:
            return _in_unit(number, words, unit)
    return number


def _in_unit(number: Number, words: tuple[str, ...], unit: Unit) -> Number | None:
    if number.unit not in ("none", unit) or (number.unit == unit and unit != "usd"):
        return None
    return replace(number, unit=unit, last=number.last + len(words))


def _with_prefix(number: Number, tokens: Tokens) -> Number:
    """`USD 900`."""
    before = number.first - 1
    if number.unit == "none" and low_at(tokens, before) in ("usd", "$") and not tokens[before].after:
        return replace(number, unit="usd")
    return number


def _range(match: re.Match[str], tokens: Tokens, i: int) -> Iterator[Number]:
    """Both ends; the first takes scale and unit of the second where it has none."""
    ends = [_NUMBER.fullmatch(match[end]) for end in ("first", "second")]
    low, high = (_from_digits(end, i) if end else None for end in ends)
    high = _with_words(high, tokens)
    if low is None or high is None:
        return
    unit = low.unit if high.unit == "none" else high.unit
    scale = high.scale if low.scale == 1 else low.scale
    yield replace(low, unit=unit, scale=scale, last=high.last)
    yield replace(high, unit=unit)


def _from_words(tokens: Tokens, i: int) -> tuple[Number, ...]:
    low = tokens[i].low
    if low == "no" and counted_after(tokens, i)[0]:
        return (Number(Decimal(0), i, i),)
    if low in _FEW and counted_after(tokens, i)[0]:
        return (Number(Decimal(_FEW[low]), i, i),)
    if (match := _FOLD.fullmatch(low)) and match[1] in DIGIT_WORDS:
        return (Number(Decimal(DIGIT_WORDS[match[1]]), i, i, unit="times"),)
    if counts := _spelled_length(low):
        return (Number(Decimal(DIGIT_WORDS[low.split("-")[0]]), i, i, counts=counts),)
    last = _end_of_words(tokens, i)
    if last is None or (last == i and low == "one" and not _is_counting(tokens, i)):
        return ()
    parts = [
        part for k in range(i, last + 1) for part in tokens[k].low.split("-") if part not in ("and", "a")
    ]
    spelled = _spelled(parts, i, last)
    number = _with_unit(spelled, tokens) if spelled else None
    return (_with_prefix(number, tokens),) if number else ()


def _spelled_length(low: str) -> str:
    """`hours` of `six-hour`."""
    first, _, second = low.partition("-")
    return counted(second) if first in DIGIT_WORDS and second else ""


def _is_counting(tokens: Tokens, i: int) -> bool:
    """Whether `one` is a number here: `one key`, `one percent`, not `the one that`."""
    word = next_in_clause(tokens, i)
    return bool(counted(word)) or any(word == words[0] for words, _ in _UNITS) or word in SCALES


def _end_of_words(tokens: Tokens, i: int) -> int | None:
    """The last word of a spelled number that starts here; None where none does."""
    if not _is_number_word(tokens[i].low):
        return None
    last = i
    while (word := next_in_clause(tokens, last)) and last - i < LONGEST:
        joined = word == "and" and tokens[last].low == "hundred"
        if not _is_number_word(low_at(tokens, last + 2) if joined else word):
            break
        last += 2 if joined else 1
    return last


def _is_number_word(low: str) -> bool:
    return bool(low) and all(p in DIGIT_WORDS or p == "hundred" or p in _LARGE for p in low.split("-"))


_LARGE = {word: int(SCALES[word]) for word in ("thousand", "million", "billion", "trillion")}


def _spelled(parts: list[str], first: int, last: int) -> Number | None:
    """The value of number words; a large one at the end is a scale: `two million` is rounded."""
    scale = Decimal(1)
    if parts[-1] in _LARGE:
        scale = Decimal(_LARGE[parts.pop()])
    total = group = 0
    for part in parts:
        if part in _LARGE:
            total, group = total + (group or 1) * _LARGE[part], 0
        elif part == "hundred":
            group = (group or 1) * 100
        elif _fits(group, DIGIT_WORDS[part]):
            group += DIGIT_WORDS[part]
        else:
            return None
    return Number(Decimal(total + group if parts else 1), first, last, scale)


def _fits(group: int, more: int) -> bool:
    """Whether one goes on saying the number: `twenty five`, `hundred twelve`, not `five seven`."""
    return group % 100 == 0 or (group % 100 >= 20 and group % 10 == 0 and 0 < more < 10)
