"""The process of one job: investigates a range, announces what it finds, and answers who asked."""

import sys
from collections.abc import Mapping

from ledger.errors import RefusedError, TokensleuthError
from ledger.ids import fact_id
from ledger.scope import EVERYTHING
from ledger.window import parse_range
from tokensleuth.alerts import announce_found
from tokensleuth.app import App
from tokensleuth.authority import people_of
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.queues import Letter, put_in_outbox
from tokensleuth.children import ordered_app, taken_order
from tokensleuth.clock import utc_now
from tokensleuth.investigation import InvestigatedRange, investigate_range
from tokensleuth.observing.logs import configure
from tokensleuth.observing.redaction import secrets_in
from tokensleuth.people import Identity


def main() -> int:
    """0 when it was answered, be it that the range is wrong; 1 when it may be tried again."""
    with taken_order() as order:
        return _obeyed(order)


def _obeyed(order: Mapping[str, str]) -> int:
    app = ordered_app(order)
    configure(app.settings.log, secrets_in(app.settings))
    try:
        found = _investigated(app, order)
    except TokensleuthError as error:
        _answer(app, order, [], str(error))
        return 0 if isinstance(error, RefusedError) else 1
    _answer(app, order, [i.investigation.finding.incident_id for i in found.incidents], None)
    return 0


def _investigated(app: App, order: Mapping[str, str]) -> InvestigatedRange:
    now = utc_now()
    window = parse_range(order["range"], now=now)
    by = people_of(app.settings).person(Identity(order["by_kind"], order["by_name"]))  # type: ignore[arg-type]
    with app.reading_ledger() as ledger:
        found = investigate_range(
            app,
            ledger.reader,
            window,
            where=EVERYTHING,
            explain=False,
            now=now,
            progress=lambda _done, _total, _what: None,
            requested_by=by,
        )
        with app.casebook() as casebook:
            announce_found(app, casebook, ledger.reader, found, now)
    return found


def _answer(app: App, order: Mapping[str, str], incident_ids: list[str], error: str | None) -> None:
    """A letter to the channel that asked."""
    channel = order.get("channel")
    if channel is None:
        return
    body = {"channel": channel, "range": order["range"], "incidents": incident_ids, "error": error}
    letter_id = fact_id("out", order["id"], "result")
    with app.casebook() as casebook:
        _put(casebook, Letter(letter_id, f"slack:{channel}", "result", None, body))


def _put(casebook: Casebook, letter: Letter) -> None:
    with casebook.writing() as connection:
        put_in_outbox(connection, letter, utc_now())


if __name__ == "__main__":
    sys.exit(main())
