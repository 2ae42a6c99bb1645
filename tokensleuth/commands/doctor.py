"""`tokensleuth doctor`: whether everything a run needs is there and in order."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from rich.table import Table
from rich.text import Text

from agent.signals import FACTS
from ledger.errors import TokensleuthError
from ledger.scope import EVERYTHING, UNALLOCATED
from ledger.store import Ledger
from ledger.window import Window, short_text
from playbooks import CAUSES, load_playbooks
from tokensleuth.acting_checks import acting_checks
from tokensleuth.app import App
from tokensleuth.casebook.opening import is_there
from tokensleuth.checks import Check, Status
from tokensleuth.clock import utc_now
from tokensleuth.commands.reconcile import completeness_checks
from tokensleuth.model_checks import model_checks
from tokensleuth.output import ExitCode, Outcome
from tokensleuth.terminal.text import printable

STALE_AFTER = timedelta(hours=26)
UNPRICED_WARN = 0.01
UNALLOCATED_WARN = 0.05
_STYLE: dict[Status, str] = {"ok": "green", "warn": "yellow", "fail": "red"}


def run(app: App) -> Outcome:
    """Every check runs, also after one failed."""
    checks = [
        _program(),
        *_guarded("playbooks", lambda: _playbooks(app.settings.playbooks.folder)),
        *_guarded("ledger", lambda: _ledger(app)),
        *_guarded("casebook", lambda: _casebook(app)),
    ]
    ok = all(check.status != "fail" for check in checks)
    document = {"checks": [check._asdict() for check in checks], "ok": ok}
    return Outcome(document, [_table(checks)], ExitCode.DONE if ok else ExitCode.UNREACHABLE)


def _table(checks: Sequence[Check]) -> Table:
    table = Table.grid(padding=(0, 2))
    for check in checks:
        detail = Text(printable(check.detail), overflow="fold")
        table.add_row(Text(check.status, style=_STYLE[check.status]), check.name, detail)
    return table


def _guarded(name: str, checks: Callable[[], Iterator[Check]]) -> list[Check]:
    try:
        return list(checks())
    except TokensleuthError as error:
        return [Check(name, "fail", str(error))]


def _program() -> Check:
    python = ".".join(str(part) for part in sys.version_info[:3])
    return Check("program", "ok", f"tokensleuth {version('tokensleuth')} on Python {python}")


def _playbooks(folder: Path | None) -> Iterator[Check]:
    found = load_playbooks(folder, facts=FACTS)
    own = [playbook for playbook in found if playbook.origin == "folder"]
    if folder is None:
        yield Check("playbooks", "ok", f"{len(found)} shipped; no folder of your own is set")
    elif not own:
        yield Check("playbooks", "warn", f"{folder} holds no playbook: a playbook is a .md file")
    else:
        replaced = sum(playbook.name in CAUSES for playbook in own)
        told = f"{len(own) - replaced} added, {replaced} in place of a shipped one"
        yield Check("playbooks", "ok", f"{len(own)} from {folder}: {told}")


def _casebook(app: App) -> Iterator[Check]:
    if not is_there(app.settings.store.casebook_url):
        yield Check("casebook", "ok", "does not exist yet; the first investigation makes it")
        yield from model_checks(app, None)
        yield from acting_checks(app, None)
        return
    with app.casebook() as casebook:
        incidents = casebook.incidents(now=utc_now())
        pending = casebook.proposals("pending", now=utc_now())
        yield Check("casebook", "ok", f"{len(incidents)} incidents, {len(pending)} proposals pending")
        yield from model_checks(app, casebook)
        yield from acting_checks(app, casebook)


def _ledger(app: App) -> Iterator[Check]:
    path = app.settings.store.ledger
    if not path.exists():
        yield Check("ledger", "warn", f"{path} does not exist yet; load usage: tokensleuth ingest FILE")
        return
    with app.ledger() as ledger:
        extent = ledger.reader.extent()
        if extent is None:
            yield Check("ledger", "warn", f"{path} is empty; load usage: tokensleuth ingest FILE")
            return
        yield Check("ledger", "ok", f"{path}: {extent.days:.0f} days, {extent}")
        yield _freshness(extent)
        if app.settings.source:
            yield from completeness_checks(app, ledger, app.settings.reconciliation)
        yield from _coverage(app, ledger, extent)


def _freshness(extent: Window) -> Check:
    age = utc_now() - extent.end_at
    stale = age > STALE_AFTER
    detail = f"usage reaches {short_text(extent.end_at)} UTC"
    return Check(
        "freshness", "warn" if stale else "ok", f"{detail}, {age.days} days ago" if stale else detail
    )


def _coverage(app: App, ledger: Ledger, extent: Window) -> Iterator[Check]:
    totals = ledger.reader.totals([extent], by=["team"])
    spend = sum(m.cost_pico for m in totals.values())
    nobody = totals.get(EVERYTHING.with_value("team", UNALLOCATED))
    share = nobody.cost_pico / spend if nobody and spend else 0.0
    detail = f"{share:.1%} of spend has no team" + (
        "; add [[owner]] rules" if share > UNALLOCATED_WARN else ""
    )
    yield Check("ownership", "warn" if share > UNALLOCATED_WARN else "ok", detail)
    summary = ledger.pricing(app.price_book())
    share = summary.unpriced_tokens / summary.tokens if summary.tokens else 0.0
    yield Check("prices", "warn" if share > UNPRICED_WARN else "ok", f"{1 - share:.2%} of tokens are priced")
    yield from (Check("prices", "warn", line) for line in summary.warnings())
