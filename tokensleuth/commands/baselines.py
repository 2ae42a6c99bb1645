"""`tokensleuth accept-baseline`: the level of a scope called normal, taken back, and the list of them."""

from dataclasses import replace
from datetime import datetime, timedelta

from ledger.errors import RefusedError
from ledger.money import usd_text
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window, instant_text, parse_instant
from tokensleuth.app import App
from tokensleuth.baseline_level import measured_baseline
from tokensleuth.casebook import BaselineChange
from tokensleuth.casebook.opening import is_there
from tokensleuth.casebook.records import is_whole_range
from tokensleuth.clock import utc_now
from tokensleuth.output import Outcome
from tokensleuth.person import os_user
from tokensleuth.ranges import usage_extent
from tokensleuth.terminal import baseline_table, baseline_text

STILL_OPEN = timedelta(days=1)
"""An incident that lasted into the last day of usage is taken for open."""


def run(
    app: App, scope: str | None, *, from_at: str | None, reason: str | None, undone: bool, listed: bool
) -> Outcome:
    """Accept, undo or list, as the options say; raises RefusedError where they contradict each other."""
    if listed:
        if undone or from_at or reason:
            raise RefusedError("--list only shows; give it without --undo, --from and --reason")
        return list_baselines(app, Scope.parse_text(scope) if scope else EVERYTHING)
    if not scope:
        raise RefusedError("name the scope, such as team=search,key_id=k1, or all; or give --list")
    decide = undo if undone else accept
    return decide(app, Scope.parse_text(scope), from_text=from_at, reason=reason)


def accept(app: App, scope: Scope, *, from_text: str | None, reason: str | None) -> Outcome:
    """Record that the level since then is normal; accepting the same again changes nothing.

    Raises RefusedError for a scope without usage, and for an hour with no usage before or after it.
    """
    with app.ledger() as ledger:
        extent = usage_extent(ledger.reader)
        if not ledger.reader.totals([extent], where=scope):
            raise RefusedError(f"the ledger has no usage of {scope}")
        from_at = parse_instant(from_text) if from_text else _change_at(app, scope, extent)
        measured = measured_baseline(ledger.reader, scope, from_at, extent)
    change = BaselineChange(
        state="accepted",
        baseline=measured.baseline,
        usual_usd_per_day=usd_text(measured.usual_usd_per_day),
        level_usd_per_day=usd_text(measured.level_usd_per_day),
        reason=reason,
        decided_by=os_user(),
        decided_at=utc_now(),
    )
    return _saved(app, change)


def undo(app: App, scope: Scope, *, from_text: str | None, reason: str | None) -> Outcome:
    """Take back the scope's latest accepted baseline, or the one of that hour; its history is kept.

    Raises RefusedError when there is none.
    """
    from_at = parse_instant(from_text) if from_text else None
    for change in _known(app, scope):
        baseline = change.baseline
        if change.state == "accepted" and baseline.scope == scope and from_at in (None, baseline.from_at):
            undone = replace(
                change, state="undone", reason=reason, decided_by=os_user(), decided_at=utc_now()
            )
            return _saved(app, undone)
    since = f" from {instant_text(from_at)}" if from_at else ""
    raise RefusedError(f"no baseline of {scope}{since} is accepted; see: tokensleuth accept-baseline --list")


def list_baselines(app: App, scope: Scope) -> Outcome:
    """All of the scope and within it, undone ones included, latest first."""
    items = [change.as_json() for change in _known(app, scope)]
    return Outcome({"items": items}, [baseline_table(items)])


def _known(app: App, scope: Scope) -> list[BaselineChange]:
    if not is_there(app.settings.store.casebook_url):
        return []
    with app.casebook() as casebook:
        return casebook.baselines(scope=scope)


def _saved(app: App, change: BaselineChange) -> Outcome:
    with app.casebook() as casebook:
        document = casebook.save_baseline(change).as_json()
    return Outcome(document, [baseline_text(document)])


def _change_at(app: App, scope: Scope, extent: Window) -> datetime:
    """The start of the newest incident in the scope that is still open, else of the last 24 h of usage."""
    last_day = Window(extent.end_at - STILL_OPEN, extent.end_at)
    if not is_there(app.settings.store.casebook_url):
        return last_day.start_at
    with app.casebook() as casebook:
        incidents = casebook.incidents(now=utc_now(), within=last_day, scope=scope)
    starts = [str(incident["start_at"]) for incident in incidents if not is_whole_range(incident)]
    return datetime.fromisoformat(starts[0]) if starts else last_day.start_at
