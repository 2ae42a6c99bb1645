"""Which incidents are worth a person's morning: those of at least a share of an average day's spend."""

from datetime import timedelta
from decimal import Decimal

from ledger.money import usd_from_pico
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window

_DAYS = 28


def material_usd(reader: Reader, window: Window, share: float, where: Scope = EVERYTHING) -> Decimal:
    """The least excess that is material in `window`: `share` of the scope's spend on an average day."""
    a_day = average_day_usd(reader, window, where)
    return (a_day * Decimal(repr(share))).quantize(Decimal("0.01"))


def average_day_usd(reader: Reader, window: Window, where: Scope = EVERYTHING) -> Decimal:
    """Over the 28 days before the end of the window, as far as the ledger goes back; 0 where it does not."""
    extent = reader.extent()
    known = Window(window.end_at - timedelta(days=_DAYS), window.end_at).overlap(extent) if extent else None
    if known is None:
        return Decimal()
    spent = sum(m.cost_pico for m in reader.totals([known], where=where).values())
    return usd_from_pico(spent) * 24 / known.hours


def is_material(excess_usd: object, least_usd: Decimal) -> bool:
    """Whether an amount of the contract reaches the least, up or down."""
    return abs(Decimal(str(excess_usd))) >= least_usd
