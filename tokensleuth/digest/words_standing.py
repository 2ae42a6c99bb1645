"""What waits for a decision, how good the detector was, what people changed, and what is open."""

from typing import cast

from ledger.scope import Dimension, Scope
from tokensleuth.casebook.quality import AlertQuality
from tokensleuth.digest.case_facts import Decision, TuningFact, Waiting
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.page import Bullets, Line, Name, Section, Strong
from tokensleuth.digest.saying import counted, moment_text, scope_line, share_text
from tokensleuth.people import is_told
from tokensleuth.terminal.text import usd, words

MOST_WAITING = 8
MOST_WAYS = 3
MOST_STANDING = 8


def waiting_section(digest: Digest) -> Section | None:
    """What somebody has to decide; what only tells somebody something is counted."""
    waiting = digest.case.waiting
    if not waiting:
        return None
    decisions = digest.case.decisions
    lines = [_decision(decision) for decision in decisions[:MOST_WAITING]]
    told = sum(is_told(one.action) for one in waiting)
    more = len(decisions) - len(lines)
    others = [f"{counted(more, 'more decision')}"] if more else []
    others += [f"{counted(told, 'proposal')} only to tell somebody or to mark something"] if told else []
    if others:
        lines.append((f"{' and '.join(others)}: tokensleuth proposals lists all.",))
    return Section("Waits for a decision", (Bullets(tuple(lines)),), rank=1)


def standing_section(digest: Digest) -> Section | None:
    """How good the detector was by what people said, what they changed, and what is open."""
    case = digest.case
    lines: list[Line] = []
    if case.alerts is not None:
        lines.append(_quality(case.alerts))
    lines += [_tuning(tuning) for tuning in case.tunings[:MOST_STANDING]]
    lines += _more(len(case.tunings), "tuning")
    if not case.tunings and case.alerts is not None:
        lines.append(("No alert is held back: nothing is planned, and no threshold was changed.",))
    lines += [
        ("Open since ", moment_text(n.opened_at), f" ({n.severity}): ", Name(n.title), ".")
        for n in case.notices[:MOST_STANDING]
    ]
    lines += _more(len(case.notices), "open notice")
    return Section("Detector and notices", (Bullets(tuple(lines)),), rank=8) if lines else None


def _more(count: int, noun: str) -> list[Line]:
    """How many there are beyond those that are told one by one."""
    more = count - MOST_STANDING
    return [(f"And {counted(more, f'more {noun}')}.",)] if more > 0 else []


def _decision(decision: Decision) -> Line:
    """The way that saves most with its target, then the others."""
    best, *others = decision.ways
    target = {cast(Dimension, d): v for d, v in best.target.items() if d != "gateway"}
    saves = _saves(best)
    line: Line = (
        Strong(words(best.action).capitalize()),
        " for ",
        *scope_line(Scope.of(target)),
        f" would save {saves}" if saves else "",
        " (",
        Name(best.id),
        ")",
    )
    for other in others[:MOST_WAYS]:
        saves = _saves(other)
        line = (*line, f"; or {words(other.action)}{f', {saves}' if saves else ''} (", Name(other.id), ")")
    more = len(others) - MOST_WAYS
    until = f"; open until {moment_text(min(way.expires_at for way in decision.ways))} UTC."
    return (*line, f"; or {counted(more, 'other way')}" if more > 0 else "", until)


def _saves(waiting: Waiting) -> str:
    saves = waiting.saving_usd_per_day
    return f"{usd(saves)} a day" if saves is not None and saves > 0 else ""


def _quality(alerts: AlertQuality) -> Line:
    quiet = f"; {alerts.kept_quiet} kept quiet by marks and thresholds" if alerts.kept_quiet else ""
    if not alerts.alerted:
        return (f"Nobody was alerted in the last 4 weeks{quiet}.",)
    told = f"of {counted(alerts.alerted, 'incident')} alerted in the last 4 weeks"
    said = f"{alerts.real} real, {alerts.expected} expected, {alerts.not_an_issue} not an issue"
    said += f", {alerts.silent} not judged" if alerts.silent else ""
    if alerts.precision is None:
        return (f"Precision of alerts is not known: {told}, none was called real or not an issue{quiet}.",)
    right = share_text(alerts.precision, 1)
    return (Strong(f"Precision of alerts: {right}"), f"; {told}, {said}{quiet}.")


def _tuning(tuning: TuningFact) -> Line:
    why: Line = (" (", Name(tuning.reason), ")") if tuning.reason else ()
    by: Line = (f"; until {moment_text(tuning.until_at)} UTC, by ", Name(tuning.given_by), *why)
    return (
        "In force for ",
        *scope_line(tuning.scope),
        ": ",
        Name(tuning.what),
        *by,
        "; undo ",
        Name(tuning.id),
        ".",
    )
