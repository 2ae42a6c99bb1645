"""What waits for a decision, how good the detector was, what people changed, and what is open."""

from typing import cast

from ledger.scope import Dimension, Scope
from tokensleuth.casebook.quality import AlertQuality
from tokensleuth.digest.case_facts import TuningFact, Waiting
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.page import Bullets, Line, Name, Section, Strong
from tokensleuth.digest.saying import counted, moment_text, scope_line
from tokensleuth.people import is_told
from tokensleuth.terminal.text import usd, words

MOST_WAITING = 8
MOST_STANDING = 8


def waiting_section(digest: Digest) -> Section | None:
    """What somebody has to decide; what only tells somebody something is counted."""
    waiting = digest.case.waiting
    if not waiting:
        return None
    acts = [one for one in waiting if not is_told(one.action)]
    lines = [_waits(one) for one in acts[:MOST_WAITING]]
    told = len(waiting) - len(acts)
    others = [f"{len(acts) - len(lines)} more to act"] if len(acts) > len(lines) else []
    others += [f"{told} only to tell somebody or to mark"] if told else []
    if others:
        lines.append((f"{' and '.join(others)}: tokensleuth proposals lists them.",))
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
        lines.append(("No tuning is in force: nothing that people planned or changed keeps alerts back.",))
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


def _waits(waiting: Waiting) -> Line:
    target = {cast(Dimension, d): v for d, v in waiting.target.items() if d != "gateway"}
    saves = waiting.saving_usd_per_day
    told = f", would save {usd(saves)} a day" if saves is not None and saves > 0 else ""
    line: Line = (Strong(words(waiting.action).capitalize()), " on ", *scope_line(Scope.of(target)), told)
    until = "" if is_told(waiting.action) else f"; until {moment_text(waiting.expires_at)} UTC"
    return (*line, until, ": ", Name(waiting.id))


def _quality(alerts: AlertQuality) -> Line:
    told = f"of {counted(alerts.alerted, 'incident')} told of in 4 weeks"
    said = f"{alerts.real} real, {alerts.expected} expected, {alerts.not_an_issue} not an issue"
    said += f", {alerts.silent} not judged" if alerts.silent else ""
    quiet = f"; {alerts.kept_quiet} kept quiet by marks and thresholds" if alerts.kept_quiet else ""
    if alerts.precision is None:
        return (f"Precision of alerts is not known: {told}, nobody called one real or no issue{quiet}.",)
    return (Strong(f"Precision of alerts {alerts.precision:.0%}"), f": {told}, {said}{quiet}.")


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
