"""Dates and times of free prose, as far as they say something, and whether an instant is meant."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from agent.claims.known import Instant
from agent.claims.tokens import Tokens, low_at

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = {**{m[:3]: k for k, m in enumerate(MONTHS, 1)}, "sept": 9}
_SHORT_DAYS = {**{d[:3]: k for k, d in enumerate(DAYS)}, "tues": 1, "thu": 3, "thur": 3, "thurs": 3}
_ALSO_WORDS = frozenset({"may", "march", "mar", "dec", "jan", "sun", "sat", "mon", "wed", "fri"})
"""Months and days only with a capital letter."""

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.0{1,6})?)?(?:Z|\+00:00)?)?", re.ASCII
)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?Z?", re.ASCII)
_HALF_DAY = re.compile(r"(\d{1,2})(?::(\d\d))?(am|pm|a\.m|p\.m)", re.ASCII)
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?", re.ASCII)
_DAYS = re.compile(r"(\d{1,2})-(\d{1,2})", re.ASCII)
_YEAR = re.compile(r"(?:19|20)\d\d", re.ASCII)
_BETWEEN = frozenset({"at", "on", "of", "the", "from", "in"})
_RANGE = frozenset({"to", "and", "until", "through", "-"})
_BEFORE_YEAR = frozenset({"in", "of", "since", "during", "until"})


@dataclass(frozen=True, slots=True)
class When:
    """A date or a time; what it does not say is None."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None

    def means(self, instant: Instant) -> bool:
        at = instant.at
        if instant.day_only and self.hour is not None:
            return False
        pairs = (
            (self.year, at.year), (self.month, at.month), (self.day, at.day), (self.weekday, at.weekday()),
            (self.hour, at.hour), (self.minute, at.minute), (self.second, at.second),
        )  # fmt: skip
        return all(said is None or said == value for said, value in pairs)

    def joined(self, other: "When") -> "When | None":
        """Both together; None where they say the same part."""
        names = ("year", "month", "day", "weekday", "hour", "minute", "second")
        if any(getattr(self, n) is not None and getattr(other, n) is not None for n in names):
            return None
        return When(*(getattr(other if getattr(self, n) is None else self, n) for n in names))


class Dated(NamedTuple):
    """What a date says, and the last word it takes."""

    whens: tuple[When, ...]
    last: int


def is_known(when: When, instants: Iterable[Instant]) -> bool:
    return any(when.means(instant) for instant in instants)


def date_at(tokens: Tokens, i: int) -> Dated | None:
    """The date that starts at a word, joined with the time or weekday beside it; None where none does."""
    found = _part_at(tokens, i)
    while found and len(found.whens) == 1:
        start = found.last + 1
        while low_at(tokens, start) in _BETWEEN:
            start += 1
        more = _part_at(tokens, start) if start < len(tokens) and start - found.last <= 3 else None
        both = found.whens[0].joined(more.whens[0]) if more and len(more.whens) == 1 else None
        if more is None or both is None:
            break
        found = Dated((both,), more.last)
    return found


def _part_at(tokens: Tokens, i: int) -> Dated | None:
    core = tokens[i].core
    if match := _ISO.fullmatch(core):
        parts = [int(p) if p else None for p in match.groups()]
        return Dated((When(parts[0], parts[1], parts[2], None, *parts[3:]),), i)
    if weekday := _weekday(core):
        return Dated((When(weekday=weekday - 1),), i)
    return _clock(tokens, i) or _month_first(tokens, i) or _day_first(tokens, i) or _year(tokens, i)


def _weekday(core: str) -> int:
    """1 of a Monday; 0 of no weekday."""
    low = core.lower()
    if low in DAYS:
        return DAYS.index(low) + 1
    return _SHORT_DAYS[low] + 1 if low in _SHORT_DAYS and core[0].isupper() else 0


def _month(core: str) -> int:
    """1 of January; 0 of no month."""
    low = core.lower()
    if low in _ALSO_WORDS and not core[0].isupper():
        return 0
    if low in MONTHS:
        return MONTHS.index(low) + 1
    return _SHORT.get(low, 0) if core[:1].isupper() else 0


def _clock(tokens: Tokens, i: int) -> Dated | None:
    core, low = tokens[i].core, tokens[i].low
    if low in ("midnight", "noon"):
        return Dated((When(hour=12 if low == "noon" else 0, minute=0),), i)
    last = i
    if low_at(tokens, i + 1) in ("am", "pm", "a.m", "p.m") and not tokens[i].after:
        low, last = low + low_at(tokens, i + 1), i + 1
    if match := _HALF_DAY.fullmatch(low):
        hour = int(match[1]) % 12 + (12 if match[3][0] == "p" else 0)
        return Dated((When(hour=hour, minute=int(match[2] or 0)),), last)
    if match := _CLOCK.fullmatch(core):
        second = int(match[3]) if match[3] else None
        return Dated((When(hour=int(match[1]), minute=int(match[2]), second=second),), i)
    return None


def _month_first(tokens: Tokens, i: int) -> Dated | None:
    month = _month(tokens[i].core)
    following = low_at(tokens, i + 1)
    if not month or (i == 0 and tokens[i].low == "may" and not _DAY.fullmatch(following)):
        return None
    if days := _DAYS.fullmatch(following):
        year, last = _year_after(tokens, i + 1)
        return Dated(tuple(When(year, month, int(day)) for day in days.groups()), last)
    if _DAY.fullmatch(following) and not tokens[i].after.strip("."):
        year, last = _year_after(tokens, i + 1)
        return Dated((When(year, month, _day(following)),), last)
    year, last = _year_after(tokens, i)
    return Dated((When(year, month),), last)


def _day_first(tokens: Tokens, i: int, *, is_end: bool = False) -> Dated | None:
    if i >= len(tokens):
        return None
    core = tokens[i].low
    first = _DAYS.fullmatch(core)
    if not first and not _DAY.fullmatch(core):
        return None
    is_start = not first and not is_end and low_at(tokens, i + 1) in _RANGE
    if is_start and (second := _day_first(tokens, i + 2, is_end=True)):
        when = second.whens[0]
        return Dated((When(when.year, when.month, _day(core)), *second.whens), second.last)
    at = i + 2 if low_at(tokens, i + 1) == "of" else i + 1
    month = _month(tokens[at].core) if at < len(tokens) else 0
    if not month or tokens[i].after:
        return None
    year, last = _year_after(tokens, at)
    days = first.groups() if first else (str(_day(core)),)
    return Dated(tuple(When(year, month, int(day)) for day in days), last)


def _day(text: str) -> int:
    return int(text.rstrip("stndrh"))


def _year_after(tokens: Tokens, i: int) -> "YearAfter":
    following = low_at(tokens, i + 1)
    if _YEAR.fullmatch(following):
        return YearAfter(int(following), i + 1)
    return YearAfter(None, i)


class YearAfter(NamedTuple):
    year: int | None
    last: int


def _year(tokens: Tokens, i: int) -> Dated | None:
    if _YEAR.fullmatch(tokens[i].core) and low_at(tokens, i - 1) in _BEFORE_YEAR:
        return Dated((When(year=int(tokens[i].core)),), i)
    return None
