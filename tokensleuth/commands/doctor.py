"""`tokensleuth doctor`: whether everything a run needs is there and in order."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple

from rich.table import Table
from rich.text import Text

from agent.llm.port import Limits, ModelCall
from agent.signals import FACTS
from ledger.errors import TokensleuthError
from ledger.money import usd_from_pico
from ledger.scope import EVERYTHING, UNALLOCATED
from ledger.store import Ledger
from ledger.window import Window, short_text
from playbooks import CAUSES, load_playbooks
from tokensleuth.app import App
from tokensleuth.casebook.opening import is_there
from tokensleuth.clock import utc_now
from tokensleuth.output import ExitCode, Outcome
from tokensleuth.terminal.text import printable

Status = Literal["ok", "warn", "fail"]

STALE_AFTER = timedelta(hours=26)
UNPRICED_WARN = 0.01
UNALLOCATED_WARN = 0.05
_STYLE: dict[Status, str] = {"ok": "green", "warn": "yellow", "fail": "red"}


class Check(NamedTuple):
    """One thing looked at."""

    name: str
    status: Status
    detail: str


def run(app: App, *, usd_per_day: float | None = None) -> Outcome:
    """Every check runs, also after one failed; `usd_per_day` is what the model may cost."""
    cap_usd = Limits().usd_per_day if usd_per_day is None else usd_per_day
    checks = [
        _program(),
        *_guarded("playbooks", lambda: _playbooks(app.settings.playbooks.folder)),
        *_guarded("ledger", lambda: _ledger(app)),
        *_guarded("casebook", lambda: _casebook(app, cap_usd)),
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


def _casebook(app: App, cap_usd: float) -> Iterator[Check]:
    if not is_there(app.settings.store.casebook_url):
        yield Check("casebook", "ok", "does not exist yet; the first investigation makes it")
        return
    with app.casebook() as casebook:
        incidents = casebook.incidents(now=utc_now())
        pending = casebook.proposals("pending", now=utc_now())
        calls = casebook.model_calls(utc_now().replace(hour=0, minute=0, second=0))
    yield Check("casebook", "ok", f"{len(incidents)} incidents, {len(pending)} proposals pending")
    yield model_spend([booked.call for booked in calls], cap_usd)


def model_spend(calls: Sequence[ModelCall], cap_usd: float) -> Check:
    """What the investigation's own calls of today cost; a warning where the day's cap is reached."""
    spent_usd = usd_from_pico(sum(call.cost_pico or 0 for call in calls))
    unpriced = sum(call.cost_pico is None for call in calls)
    detail = f"{len(calls)} calls today, ${spent_usd:.2f} of ${cap_usd:.2f} a day"
    told = f"{detail}; {unpriced} unpriced calls do not count" if unpriced else detail
    return Check("model", "warn" if calls and spent_usd >= cap_usd else "ok", told)


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
