"""Money on a page: whole cents that add up the way a reader adds them."""

from collections.abc import Sequence

from ledger.money import PICO_PER_CENT


def cents_of(pico: int) -> int:
    """To the nearest cent, halves up: the difference of two amounts rounds like the amounts."""
    return (2 * pico + PICO_PER_CENT) // (2 * PICO_PER_CENT)


def shared_permille(parts: Sequence[int]) -> list[int]:
    """Each part of the whole in tenths of a per cent; together they are 1,000, or nothing of nothing."""
    whole = sum(parts)
    if whole <= 0:
        return [0] * len(parts)
    return shared_cents([part * 1000 * PICO_PER_CENT // whole for part in parts], 1000)


def shared_cents(parts: Sequence[int], total_cents: int) -> list[int]:
    """Each part in cents, rounded up or down so that together they are `total_cents`.

    The largest remainders are rounded up. `total_cents` must be within a cent of the parts' sum.
    """
    floors = [part // PICO_PER_CENT for part in parts]
    missing = total_cents - sum(floors)
    if not 0 <= missing <= len(parts):
        raise ValueError(f"{sum(parts)} of 1e-12 USD cannot be told as {total_cents} cents")
    order = sorted(range(len(parts)), key=lambda i: (-(parts[i] % PICO_PER_CENT), i))
    for i in order[:missing]:
        floors[i] += 1
    return floors
