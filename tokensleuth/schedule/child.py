"""The process of one batch of slots: does the duty, and prints what came of it as one line of JSON."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime

from ledger.errors import TokensleuthError
from tokensleuth.children import ordered_app, taken_order
from tokensleuth.observing.logs import configure
from tokensleuth.observing.redaction import secrets_in
from tokensleuth.schedule.performing import GAVE_UP, NOT_YET, perform
from tokensleuth.schedule.report import NotYetError


def main() -> int:
    """0 when it is done, else 1, NOT_YET or GAVE_UP: the last line says why."""
    with taken_order() as order:
        return _obeyed(order)


def _obeyed(order: Mapping[str, str]) -> int:
    app = ordered_app(order)
    configure(app.settings.log, secrets_in(app.settings))
    slots = [datetime.fromisoformat(slot) for slot in order["slots"].split()]
    try:
        report = perform(app, order["duty"], slots, datetime.fromisoformat(order["now"]))
    except NotYetError as error:
        return _told(str(error), {}, NOT_YET)
    except TokensleuthError as error:
        return _told(str(error), {}, 1)
    return _told(report.note, dict(report.document), GAVE_UP if report.gave_up else 0)


def _told(note: str, document: dict[str, object], code: int) -> int:
    sys.stdout.write(json.dumps({"note": note, "document": document}) + "\n")
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
