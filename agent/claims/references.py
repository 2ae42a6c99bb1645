"""References of prose to fields of the evidence, with the units around them said once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.claims.fields import FORMATS, Kind
from agent.claims.known import NAMING, Fact, Known, fact_at, row_and_name
from agent.claims.masking import REFERENCE, Hidden
from agent.claims.names import lowered
from agent.claims.tokens import Tokens, counted_after, narrowed_wrongly, rate_after, unsaid_qualifier
from agent.rendering import Piece, Ref


@dataclass(frozen=True, slots=True)
class Cited:
    """What a reference stands for."""

    piece: Piece
    evidence_id: str
    source: str
    fact: Fact | None = None
    """None of text."""
    names: frozenset[str] = frozenset()
    """What text may be told with."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a sentence is dropped."""

    reason: str


_UNITS_AFTER: tuple[tuple[re.Pattern[str], tuple[Kind, ...]], ...] = (
    (re.compile(r"%| ?per ?cent\b|%| (?:percentage points?|pp)\b"), ("share", "points")),
    (re.compile(r"x\b|-fold\b| times\b| x\b"), ("ratio",)),
    (re.compile(r" (?:USD|(?:US )?dollars?)\b", re.IGNORECASE), ("usd",)),
)
"""A unit behind a reference, and the kinds that print it themselves."""
_POINTS = re.compile(r" (?:percentage points?|pp)\b")
_USD_BEFORE = re.compile(r"(?:US)?\$ ?$|USD $")
_SCALED = re.compile(r" (?:[kmb]|bn|thousands?|millions?|billions?|trillions?|hundreds?|dozens?|tens)\b",
                     re.IGNORECASE)  # fmt: skip
_FREE_BEFORE = re.compile(r"(?:^| )[(\"']{0,4}$")
_FREE_AFTER = re.compile(r"[).,;:!\"']{0,4}(?: |$)")
COUNTS_AS = {"keys": "switchers", "errors": "failed", "failures": "failed", "retries": "retried",
             "spreads": "spread"}  # fmt: skip


def cited_by(hidden: Hidden, known: Known) -> Cited | Refused:
    """The reference resolved; a reference to nothing is refused."""
    label, _, field = hidden.source[1:-1].partition(".")
    found = known.evidence.get(label)
    if found is None:
        return Refused(f"`{hidden.source}` refers to no evidence")
    if not field:
        return Cited(found.id, found.id, f"{{{found.id}}}")
    source = f"{{{found.id}.{field}}}"
    row, name = row_and_name(found, field)
    value = (found.facts if row is None else row).get(name)
    if isinstance(value, str) and value.strip():
        names = value.split(", ") if name in NAMING else []
        return Cited(Ref(found.id, field, "text"), found.id, source, names=frozenset(map(lowered, names)))
    fact = fact_at(found, field)
    if fact is None:
        return Refused(f"`{hidden.source}` refers to no value")
    if fact.kind == "flag":
        return Refused(f"`{hidden.source}` is a yes or no, no number to show")
    return Cited(Ref(found.id, field, FORMATS[fact.kind]), found.id, source, fact)


def say_units_once(text: str, cited: Sequence[Cited]) -> str | Refused:
    """The sentence without the units that the renderer prints; refused where a unit contradicts."""
    written, rest = "", text
    for one in cited:
        before, _, rest = rest.partition(REFERENCE)
        written += before
        kind = one.fact.kind if one.fact else "text"
        if match := _USD_BEFORE.search(written[-6:]):
            if kind != "usd":
                return Refused(f"`{one.source}` is no amount in dollars")
            written = written[: len(written) - len(match[0])]
        for unit, kinds in _UNITS_AFTER:
            if match := unit.match(rest):
                if kind not in kinds or (_POINTS.match(match[0]) and kind != "points"):
                    return Refused(f"`{one.source}` is not in the unit behind it")
                rest = (" points" if _POINTS.match(match[0]) else "") + rest[match.end() :]
        if _is_glued(written, rest):
            return Refused(f"something is glued to `{one.source}`")
        written += REFERENCE
    return written + rest


def _is_glued(written: str, rest: str) -> bool:
    is_free = _FREE_BEFORE.search(written[-6:]) and _FREE_AFTER.match(rest)
    return not is_free or _SCALED.match(rest) is not None


def contradicting_unit(tokens: Tokens, at: int, cited: Cited) -> str:
    """Why what follows a reference cannot be what it counts; nothing where it can."""
    if cited.fact is None:
        return ""
    measure = cited.fact.measure
    counts, last = counted_after(tokens, at)
    if counts and not {counts, COUNTS_AS.get(counts, counts)} & measure.words:
        return f"`{cited.source}` does not count {counts}"
    between = [token.low for token in tokens[at + 1 : last + 3]] if counts else []
    if wrong := narrowed_wrongly(between, measure.words):
        return f"`{cited.source}` does not count what is {wrong}"
    lows = [token.low for token in tokens]
    if counts and (unsaid := unsaid_qualifier(measure.words, lows)):
        return f"`{cited.source}` counts only what is {unsaid}"
    rate = rate_after(tokens, last)
    return f"`{cited.source}` is not per {rate}" if rate and rate != measure.rate else ""


def as_size(cited: Cited) -> Cited | Refused:
    """A negative change behind a word for down: its size in dollars; other units have no such format."""
    if not isinstance(cited.piece, Ref) or cited.fact is None or cited.fact.kind != "usd":
        return Refused(f"`{cited.source}` is negative: tell it without a word for down")
    return replace(cited, piece=replace(cited.piece, format="size_usd"))
