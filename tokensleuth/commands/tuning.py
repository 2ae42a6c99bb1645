"""`tokensleuth tunings` and `tokensleuth plan`: what people changed of what they are alerted of."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from pydantic import ValidationError
from rich.text import Text

from detectors.incidents import Direction
from ledger.errors import RefusedError
from ledger.scope import Scope
from ledger.window import parse_instant
from tokensleuth.app import App
from tokensleuth.authority import local_user, people_of
from tokensleuth.casebook.opening import is_there
from tokensleuth.casebook.tunings import Tuning, TuningKind, read_tunings
from tokensleuth.clock import utc_now
from tokensleuth.output import Outcome
from tokensleuth.terminal.tunings import tuning_table
from tokensleuth.tuning.changing import ByHand, raise_by_hand, undo_tuning
from tokensleuth.tuning.planning import Plan, add_plan
from tokensleuth.tuning.words import price_words, tuning_words, undo_words
from tools.calendar import CalendarEntry

_CENTS = Decimal("0.00")
_LEAST, _MOST = Decimal("0.01"), Decimal(10) ** 15
"""What no threshold is below or above; such amounts are written without an exponent."""


def list_tunings(app: App, *, kind: TuningKind | None, where: Sequence[str], everything: bool) -> Outcome:
    """Those in force, or with `everything` also what lapsed or was undone."""
    now, scope = utc_now(), Scope.parse(where)
    found = _known(app)
    shown = [t for t in found if kind in (None, t.kind) and scope.contains(t.scope)]
    items = [t.as_json(now) for t in shown if everything or t.is_in_force(now)]
    return Outcome({"items": items}, [tuning_table(items)])


def undo(app: App, tuning_id: str, *, kind: TuningKind | None, reason: str | None) -> Outcome:
    """Take it back as the present OS user."""
    now = utc_now()
    with app.casebook() as casebook:
        undone = undo_tuning(casebook, tuning_id, _person(app), now, kind=kind, reason=reason)
    return Outcome(undone.as_json(now), [Text(f"No longer in force: {tuning_words(undone)}.")])


def raise_threshold(
    app: App, *, where: Sequence[str], min_usd: str, direction: Direction, days: int, reason: str | None
) -> Outcome:
    """Raise that of a scope, for so many days."""
    now = utc_now()
    asked = ByHand(
        scope=Scope.parse(where),
        direction=direction,
        min_usd=parse_usd(min_usd),
        lasts=timedelta(days=days),
        reason=reason,
        by=_person(app),
    )
    with app.casebook() as casebook:
        chosen = raise_by_hand(casebook, asked, now)
    document = chosen.tuning.as_json(now) | {"would_have_kept_quiet": chosen.price.as_json()}
    told = f"{_changed(chosen.tuning)} {price_words(chosen.price)}. A possible key leak always alerts."
    return Outcome(document, [Text(told)])


def add(
    app: App,
    *,
    start: str,
    end: str,
    what: str,
    where: Sequence[str],
    until: str | None,
    reason: str | None,
) -> Outcome:
    """Plan an event, as a `[[calendar]]` table of the settings says it."""
    now = utc_now()
    until_at = parse_instant(until) if until else None
    entry = _entry(start, end, what, Scope.parse(where))
    with app.casebook() as casebook:
        tuning = add_plan(casebook, Plan(entry, until_at, reason, _person(app)), now)
    return Outcome(tuning.as_json(now), [Text(_changed(tuning))])


def parse_usd(text: str) -> Decimal:
    """An amount above 0, with its cents also where they are 0; raises RefusedError."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not _LEAST <= amount < _MOST:
        raise RefusedError(f"`{text}` is no amount of dollars above 0, such as 62.50")
    return amount + _CENTS


def _entry(start: str, end: str, what: str, scope: Scope) -> CalendarEntry:
    given: dict[str, object] = {"start": start, "end": end, "what": what, "where": scope.as_dict()}
    try:
        return CalendarEntry.model_validate(given)
    except ValidationError as error:
        raise RefusedError("\n".join(_wrong(given, error))) from None


def _wrong(given: dict[str, object], error: ValidationError) -> list[str]:
    """One line for each value that will not do."""
    lines = []
    for wrong in error.errors():
        name = str(wrong["loc"][0]) if wrong["loc"] else ""
        told = wrong["msg"].removeprefix("Value error, ")
        lines.append(f"--{name} `{given[name]}`: {told}" if name in given else told)
    return lines


def _changed(tuning: Tuning) -> str:
    return f"{tuning_words(tuning)}. {undo_words([tuning])}."


def _person(app: App) -> str:
    return people_of(app.settings).person(local_user())


def _known(app: App) -> Sequence[Tuning]:
    """A casebook that does not exist yet holds none, and is not made."""
    if not is_there(app.settings.store.casebook_url):
        return []
    with app.casebook() as casebook, casebook.reading() as connection:
        return read_tunings(connection)
