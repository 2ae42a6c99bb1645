"""One sentence, judged: kept with its references, or refused with the reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.claims.dates import date_at, is_known
from agent.claims.directions import contradiction, direction_of, wrong_bound
from agent.claims.identifiers import refused_names
from agent.claims.known import Fact, Known
from agent.claims.masking import NAME, REFERENCE, Masked
from agent.claims.matching import Said, contradicts_names, fact_for
from agent.claims.numbers import numbers_at
from agent.claims.references import Cited, Refused, as_size, cited_by, contradicting_unit, say_units_once
from agent.claims.signs import refused_signs
from agent.claims.tokens import Tokens, low_at, rate_after, tokens_of
from agent.claims.vocabulary import MULTIPLYING, ORDINARY, RATES, SAID
from agent.claims.wording import refused_words
from agent.escaping import escaped
from agent.rendering import Piece, Text

TOPIC = frozenset({"cost"})
"""What every investigation is about, and a sentence need not say."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A sentence as it is shown, and the evidence it rests on."""

    text: Text
    cited: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """A number of a sentence with the fact it states, in the order of the words."""

    first: int
    last: int
    fact: Fact


def judge(sentence: Masked, known: Known) -> Kept | Refused:
    """Hold one masked sentence against the evidence."""
    if reason := refused_signs(sentence.text):
        return Refused(reason)
    cited: list[Cited] = []
    for hidden in sentence.hidden:
        if not hidden.name:
            found = cited_by(hidden, known)
            if isinstance(found, Refused):
                return found
            cited.append(found)
    text = say_units_once(sentence.text, cited)
    return text if isinstance(text, Refused) else _weighed(Masked(text, sentence.hidden), cited, known)


def _weighed(sentence: Masked, cited: list[Cited], known: Known) -> Kept | Refused:
    """The sentence with its references resolved, held against the evidence."""
    said = _said(sentence, cited, known)
    referred = _referred(said.tokens, cited)
    if isinstance(referred, Refused):
        return referred
    cited, told = referred
    if reason := _untold(said, told):
        return Refused(reason)
    free = _free(said, known)
    if isinstance(free, Refused):
        return free
    numbers, taken = free
    told = sorted([*told, *numbers], key=lambda t: t.first)
    if reason := (
        refused_words(said.tokens, taken)
        or refused_names(said.tokens, taken, known)
        or _side_by_side(said.tokens, told)
        or _wrong_way(said.tokens, told)
        or _other_rate(said.tokens, told)
        or _of_something_else(said, told, cited)
    ):
        return Refused(reason)
    ids = [c.evidence_id for c in cited] + [t.fact.evidence_id for t in told if t.fact.evidence_id]
    return Kept(tuple(_pieces(sentence, cited)), tuple(ids))


def _said(sentence: Masked, cited: Sequence[Cited], known: Known) -> Said:
    tokens = tokens_of(sentence.text)
    written = {hidden.name for hidden in sentence.hidden if hidden.name}
    names = frozenset(written.union(*(c.names & known.names.by_lower.keys() for c in cited)))
    named = {name: known.names.by_lower[name] for name in names if name not in ORDINARY}
    return Said(tokens, "".join(f" {token.low}" for token in tokens) + " ", named, names)


def _referred(tokens: Tokens, cited: Sequence[Cited]) -> tuple[list[Cited], list[_Told]] | Refused:
    """References as they are to be shown, and the numbers among them."""
    shown: list[Cited] = []
    told: list[_Told] = []
    places = (i for i, token in enumerate(tokens) if token.is_reference)
    for one, at in zip(cited, places, strict=True):
        if reason := contradicting_unit(tokens, at, one):
            return Refused(reason)
        found: Cited | Refused = one
        if one.fact:
            direction = direction_of(tokens, at, at)
            if reason := contradiction(one.fact, direction) or wrong_bound(tokens, at, one.fact):
                return Refused(f"`{one.source}` {reason}")
            if direction.sign < 0 and one.fact.measure.is_change:
                found = as_size(one)
            told.append(_Told(at, at, one.fact))
        if isinstance(found, Refused):
            return found
        shown.append(found)
    return shown, told


def _untold(said: Said, referred: Sequence[_Told]) -> str:
    """A reference the sentence does not name: `spend was {E1.expected_usd}` tells it as something else."""
    for one in referred:
        parts = sorted(one.fact.measure.words - TOPIC)
        missing = [part for part in parts if part in SAID and not said.says(part)]
        if missing:
            return f"a number is `{'_'.join(missing)}`, and the sentence does not say so"
    return ""


def _free(said: Said, known: Known) -> tuple[list[_Told], set[int]] | Refused:
    """The numbers of free prose with their facts, and the words that numbers and dates take."""
    told: list[_Told] = []
    taken: set[int] = set()
    i = 0
    while i < len(said.tokens):
        last = i
        if date := date_at(said.tokens, i):
            last = date.last
            instants = [at for at in known.instants if said.says("baseline") or not at.is_baseline]
            if not all(is_known(when, instants) for when in date.whens):
                return Refused(f"`{_words(said.tokens, i, last)}` is no instant of the evidence")
            taken.update(range(i, last + 1))
        is_rate = low_at(said.tokens, i - 1) == "per" and rate_after(said.tokens, i - 2) == "mtok"
        if is_rate:
            taken.add(i)
        for number in () if date or is_rate else numbers_at(said.tokens, i):
            last = max(last, number.last)
            fact = fact_for(number, said, known)
            if fact is None:
                return Refused(f"`{_words(said.tokens, i, last)}` is in no evidence")
            told.append(_Told(number.first, number.last, fact))
            taken.update(range(number.first, number.last + 1))
        i = last + 1
    return told, taken


def _words(tokens: Tokens, first: int, last: int) -> str:
    return " ".join(token.core for token in tokens[first : last + 1])


def _side_by_side(tokens: Tokens, told: Sequence[_Told]) -> str:
    ends = {t.last for t in told if not tokens[t.last].after}
    return "two numbers stand side by side" if any(t.first - 1 in ends for t in told) else ""


def _wrong_way(tokens: Tokens, told: Sequence[_Told]) -> str:
    """`rose from $5 to $3`."""
    for one, other in pairwise(told):
        joined = one.last + 2 == other.first and low_at(tokens, one.last + 1) == "to"
        if joined and low_at(tokens, one.first - 1) == "from" and one.fact.kind == other.fact.kind:
            sign = direction_of(tokens, one.first, one.first).sign
            if sign * (other.fact.value - one.fact.value) < 0:
                return "tells the opposite of its two numbers"
    return ""


def _other_rate(tokens: Tokens, told: Sequence[_Told]) -> str:
    """`daily` beside numbers none of which is per day; `each`, which multiplies."""
    rates = {t.fact.measure.rate for t in told}
    wrong = [t.low for t in tokens if RATES.get(t.low, "-") not in {*rates, "-"} or t.low in MULTIPLYING]
    for token, following in pairwise(tokens):
        is_rate = token.low in ("a", "an", "each", "every", "per") and following.low in RATES.values()
        if is_rate and following.low not in rates:
            wrong.append(f"{token.low} {following.low}")
    return f"`{wrong[0]}`: no number of the sentence is" if wrong and told else ""


def _of_something_else(said: Said, told: Sequence[_Told], cited: Sequence[Cited]) -> str:
    """A number that is of another name than the sentence tells, or a name no number is of."""
    for one in told:
        if other := contradicts_names(one.fact, said):
            return f"a number of `{other}` is told of `{', '.join(sorted(said.named))}`"
    about = {name for t in told for name in t.fact.names} | {name for c in cited for name in c.names}
    if told and said.named and not said.all_names & about:
        return f"`{', '.join(sorted(said.named))}` is named, and no number of the sentence is about it"
    return ""


def _pieces(sentence: Masked, cited: Sequence[Cited]) -> Iterator[Piece]:
    """Free prose escaped, names as the data has them, references for the renderer."""
    hidden, shown = iter(sentence.hidden), iter(cited)
    plain = ""
    for sign in sentence.text:
        if sign == REFERENCE:
            next(hidden)
            if plain:
                yield escaped(plain)
            # The id of evidence is ours, and stands here as in the rest of a report.
            yield next(shown).piece
            plain = ""
        else:
            plain += next(hidden).source if sign == NAME else sign
    if plain:
        yield escaped(plain)
