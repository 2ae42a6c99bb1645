"""The tool that tells the first hour in which a mechanism acted, maybe long before it was noticed."""

from datetime import UTC, datetime, timedelta

import numpy as np

from ledger.errors import RefusedError
from ledger.reader import Reader
from ledger.remembered import remembering
from ledger.scope import EVERYTHING, Scope
from ledger.window import HOUR, Window, instant_text
from tools.answer import Row, Scalar, ToolAnswer, answer, asked
from tools.change_points import find_step
from tools.comparison import Comparison, compare_with, widened
from tools.onset_drivers import Driver, driver_of, read_past, volume
from tools.split import MECHANISMS, Mechanism

LOOK_BACK = timedelta(hours=96)
"""A weekend and the nights beside it: what begins then may be noticed on Monday."""
LOOK_ON = timedelta(hours=168)
"""What begins later in a window is not how it began."""
MOVES: tuple[Mechanism, ...] = ("model_mix", "tier_mix", "tokenizer")
"""Work that moves to a new value is told by its share: somebody may have tried the value before."""
MOST_ROWS = 12


def onset(reader: Reader, window: Window, *, where: Scope = EVERYTHING, lead: str) -> ToolAnswer:
    """Tell the first hour in which the effect `lead` (of `slices`) acted on a scope: windows start when it
    was noticed, maybe hours later.

    Looks at what the effect moves (`driver`) hour by hour against the same hours of up to 4 earlier weeks,
    from 96 hours before the window on. Facts: `onset_at`, left out where the levels do not differ clearly;
    `hours_before_window` (below 0: later than its start); `before_level`, `after_level` of the driver. Rows
    around the onset, at most 12: `hour`, `actual`, `usual`. What was never used before began with its first
    use. `no_data`: no usage.
    """
    kind = _mechanism(lead)
    compared = compare_with(reader, window)
    arguments = asked(window, where, lead=lead)
    first = None if kind in MOVES else _first_use(reader, compared, where)
    look = _looked_at(reader, window, first)
    past = read_past(reader, look, widened(where) if kind in MOVES else where)
    if past is None:
        return answer("onset", arguments, compared, where, found=False)
    if first is not None:
        return _answered(compared, where, lead, look, volume(past), first)
    driver = driver_of(kind, past, where, reader)
    step = find_step(driver.actual, driver.usual, int((window.start_at - look.start_at) / HOUR))
    at = None if step is None else look.start_at + step.place * HOUR
    return _answered(compared, where, lead, look, driver, at)


def _mechanism(lead: str) -> Mechanism:
    for mechanism in MECHANISMS:
        if mechanism == lead:
            return mechanism
    raise RefusedError(f"unknown effect `{lead}`; known are {', '.join(MECHANISMS)}")


def _first_use(reader: Reader, compared: Comparison, where: Scope) -> datetime | None:
    """The first hour of a scope that was never used in the weeks compared."""
    table, extent = remembering(reader).scope_table(), reader.extent()
    first = table.first_hour[table.inside(where)]
    if not first.size or extent is None:
        return None
    at = datetime.fromtimestamp(int(first.min()) * 3600, UTC)
    return at if max(compared.known_until, extent.start_at + HOUR) <= at < compared.window.end_at else None


def _looked_at(reader: Reader, window: Window, first: datetime | None) -> Window:
    """The hours before the window as far as the ledger reaches, and its own."""
    extent = reader.extent()
    start_at = window.start_at - LOOK_BACK
    if first is not None:
        start_at = min(start_at, first - MOST_ROWS // 2 * HOUR)
    if extent is not None:
        start_at = min(max(start_at, extent.start_at), window.start_at)
    look_on = max(window.start_at, first or window.start_at) + LOOK_ON
    return Window(start_at, min(window.end_at, look_on))


def _answered(
    compared: Comparison, where: Scope, lead: str, look: Window, driver: Driver, at: datetime | None
) -> ToolAnswer:
    start_at = compared.window.start_at
    place = int(((at or start_at) - look.start_at) / HOUR)
    facts: dict[str, Scalar] = {
        "driver": driver.name,
        "before_level": _told(driver.level(slice(0, place))),
        "after_level": _told(driver.level(slice(place, None))),
    }
    if at is not None:
        facts |= {"onset_at": instant_text(at), "hours_before_window": int((start_at - at) / HOUR)}
    return answer(
        "onset", asked(compared.window, where, lead=lead), compared, where,
        rows=_rows(look, driver, place), facts=facts,
    )  # fmt: skip


def _rows(look: Window, driver: Driver, place: int) -> list[Row]:
    first = max(place - MOST_ROWS // 2, 0)
    hours = range(first, min(first + MOST_ROWS, look.hours))
    return [
        {
            "hour": instant_text(look.start_at + i * HOUR),
            "actual": _told(driver.level(slice(i, i + 1))),
            "usual": _told(float(driver.usual[i] / driver.per[i])) if driver.per[i] else None,
        }
        for i in hours
    ]


def _told(level: float | None) -> float | None:
    """Four significant digits."""
    return None if level is None or not np.isfinite(level) else float(f"{level:.4g}")
