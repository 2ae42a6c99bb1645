"""Money as an integer of 1e-12 USD (pico-dollars): sums are exact in any order, and only rendering rounds."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

PICO_PER_USD = 10**12
"""One token at 1 USD per million tokens costs 1,000,000 of these."""
PICO_PER_CENT = 10**10

_CENT = Decimal("0.01")


def usd_from_pico(pico: int) -> Decimal:
    """The exact amount in dollars."""
    return Decimal(pico).scaleb(-12)


def exact_usd_text(pico: int) -> str:
    """Dollars with every digit that matters and at least two decimals."""
    amount = usd_from_pico(pico)
    text = format(amount.normalize(), "f")
    decimals = len(text.partition(".")[2])
    return text if decimals >= 2 else format(amount, ".2f")


def cents_that_sum(parts: Sequence[int], total: int) -> list[int]:
    """Round pico-dollar `parts` to cents so that they add up to the rounded `total` (largest remainder).

    `parts` must add up to `total` before rounding; the result is in cents, in the same order.
    """
    if sum(parts) != total:
        raise ValueError(f"parts add up to {sum(parts)}, not to {total}")
    target = int((usd_from_pico(total) * 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    floors = [part // PICO_PER_CENT for part in parts]
    missing = target - sum(floors)
    by_remainder = sorted(range(len(parts)), key=lambda i: (-(parts[i] % PICO_PER_CENT), i))
    for i in by_remainder[:missing]:
        floors[i] += 1
    return floors


def cents_text(cents: int) -> str:
    """Cents as a dollar string with two decimals."""
    return str(Decimal(cents).scaleb(-2).quantize(_CENT))


def usd_text(amount: float) -> str:
    """A float of array maths as dollars and cents."""
    cents = Decimal(repr(float(amount))).quantize(_CENT)
    return str(abs(cents) if cents == 0 else cents)
