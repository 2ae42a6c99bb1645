"""Figures as people write them: dollars, shares, counts, days, scopes."""

from datetime import date, datetime
from decimal import Decimal

from agent.waterfall import effect_label
from ledger.money import usd_from_pico
from ledger.scope import Scope
from tokensleuth.digest.amounts import cents_of
from tokensleuth.digest.facts import Effect
from tokensleuth.digest.page import Line, Name, Piece

_EXACT = 10_000
"""Counts below are written with every digit."""
_BIG = ((10**3, "k"), (10**6, "M"), (10**9, "B"), (10**12, "T"))
_SCOPE_WORDS = {"key_id": "key", "service_tier": "tier"}


def cents_text(cents: int, *, signed: bool = False) -> str:
    """`$1,234.50`, `-$3.00`; `signed` puts a plus before a rise."""
    sign = "-" if cents < 0 else "+" if signed and cents else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02}"


def pico_text(pico: int) -> str:
    """To the cent; what is less than half of one says so."""
    cents = cents_of(pico)
    return "less than $0.01" if pico and not cents else cents_text(cents)


def small_text(pico: int, per: int) -> str:
    """An amount for each of `per`, with three digits that matter and at least two decimals."""
    if not per:
        return "-"
    amount = usd_from_pico(pico) / per
    decimals = max(2, 2 - amount.adjusted()) if amount else 2
    return f"{'-' if amount < 0 else ''}${abs(amount):,.{decimals}f}"


def round_usd(amount: float) -> str:
    """A forecast is not told to the cent, unless it is small."""
    sign, size = "-" if amount < 0 else "", abs(amount)
    return f"{sign}${size:,.0f}" if size >= 100 else f"{sign}${size:,.2f}"


def share_text(part: float, whole: float) -> str:
    """A part in per cent; what is there but small is not told as 0 %."""
    if not whole:
        return "-"
    share = part / whole + 0.0
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{share * 100:.1f} %" if share < 0.1 else f"{share * 100:,.0f} %"


def permille_text(permille: int, *, is_there: bool) -> str:
    """A share that was rounded so that it adds up; what is there is not told as 0 %."""
    return "<0.1 %" if is_there and not permille else f"{permille / 10:.1f} %"


def many(number: int) -> str:
    """A large count in few digits: 25.9M."""
    if number < _EXACT:
        return f"{number:,}"
    for size, letter in _BIG:
        if number / size < 999.5:
            return f"{number / size:.3g}{letter}"
    size, letter = _BIG[-1]
    return f"{number / size:,.0f}{letter}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def day_text(day: date | datetime) -> str:
    """`Mon 9 Nov`."""
    return f"{day:%a} {day.day} {day:%b}"


def moment_text(at: datetime) -> str:
    return f"{day_text(at)} {at:%H:%M}"


def scope_line(scope: Scope) -> Line:
    """`team search, key k1`; of everything, `all spend`."""
    pieces: list[Piece] = []
    for dimension, value in scope.items:
        word = _SCOPE_WORDS.get(dimension, dimension)
        pieces += [f"{', ' if pieces else ''}{word} ", Name(value)]
    return tuple(pieces) or ("all spend",)


def effect_text(effect: Effect) -> str:
    """`more requests +$61.00`."""
    return f"{effect_label(effect.name, Decimal(effect.cents))} {cents_text(effect.cents, signed=True)}"
