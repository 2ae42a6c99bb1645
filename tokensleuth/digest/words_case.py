"""Incidents, decisions and what is open, in sentences: cause, decision, outcome, realised saving."""

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never, cast

from ledger.scope import Dimension, Scope
from tokensleuth.casebook.watches import WatchState
from tokensleuth.digest.case_facts import (
    AlertQuality,
    IncidentFact,
    Incidents,
    MeasureFact,
    TuningFact,
    Waiting,
)
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.page import (
    Block,
    Bullets,
    Column,
    Grid,
    Line,
    Name,
    Paragraph,
    Section,
    Strong,
    listed,
)
from tokensleuth.digest.saying import counted, day_text, moment_text, scope_line
from tokensleuth.people import is_told
from tokensleuth.terminal.text import usd, words

MOST_INCIDENTS = 8
MOST_WAITING = 8
MOST_STANDING = 8


def incidents_section(digest: Digest) -> Section:
    """Largest first; a week without any says so."""
    found = digest.case.incidents
    if not found.shown:
        return Section("Incidents", (Paragraph((_none(found), ".")),), rank=4)
    shown, others = found.shown[:MOST_INCIDENTS], found.shown[MOST_INCIDENTS:]
    columns = (Column("What"), Column("USD", right=True), Column("Decision"), Column("Outcome"))
    rows = tuple((_what(i), (usd(i.delta_usd, signed=True),), _decision(i), _outcome(i)) for i in shown)
    blocks: list[Block] = [Grid("incident", columns, rows)]
    if notes := [*_others(others), *_minor(found), *_saved(found)]:
        blocks.append(Paragraph((" ".join(notes),), quiet=True))
    return Section("Incidents", tuple(blocks), rank=4)


def incidents_line(digest: Digest) -> Line:
    """For the first sentences: how many, what was decided and saved, what waits."""
    found, waiting = digest.case.incidents, len(digest.case.waiting)
    told: list[str] = []
    if found.shown:
        told.append(counted(len(found.shown), "incident"))
    if found.measured:
        word = "saved" if found.saved_usd >= 0 else "cost more"
        told.append(f"{usd(abs(found.saved_usd))} measured as {word} by {counted(found.measured, 'action')}")
    if waiting:
        told.append(f"{counted(waiting, 'decision')} {'waits' if waiting == 1 else 'wait'}")
    return (f"{'; '.join(told)}.",) if told else ()


def waiting_section(digest: Digest) -> Section | None:
    """What somebody has to decide."""
    waiting = digest.case.waiting
    if not waiting:
        return None
    lines = [_waits(one) for one in waiting[:MOST_WAITING]]
    if more := len(waiting) - len(lines):
        lines.append((f"and {counted(more, 'proposal')} more: `tokensleuth proposals` lists them.",))
    return Section("Waits for a decision", (Bullets(tuple(lines)),), rank=1)


def standing_section(digest: Digest) -> Section | None:
    """How good the detector was by what people said, what they changed, and what is open."""
    case = digest.case
    lines: list[Line] = []
    if case.alerts is not None:
        lines.append(_quality(case.alerts))
    lines += [_tuning(tuning) for tuning in case.tunings[:MOST_STANDING]]
    if more := len(case.tunings) - MOST_STANDING:
        lines += [(f"{counted(more, 'more tuning')} in force.",)] if more > 0 else []
    if not case.tunings and case.alerts is not None:
        lines.append(("No tuning is in force: nothing that people planned or changed keeps alerts back.",))
    lines += [
        ("Open since ", moment_text(n.opened_at), f" ({n.severity}): ", Name(n.title), ".")
        for n in case.notices[:MOST_STANDING]
    ]
    return Section("Detector and notices", (Bullets(tuple(lines)),), rank=8) if lines else None


def _none(found: Incidents) -> str:
    minor = f"; {counted(found.minor, 'minor one')} of {usd(found.minor_usd, signed=True)} together"
    return f"None worth a person's time{minor if found.minor else ''}"


def _what(incident: IncidentFact) -> Line:
    benign = " (benign)" if incident.verdict == "benign" and incident.cause != "normal_variation" else ""
    cause = Strong(words(incident.cause).capitalize())
    return (cause, f"{benign}, ", *scope_line(incident.scope), f"; {moment_text(incident.window.start_at)}")


def _decision(incident: IncidentFact) -> Line:
    said = f"called {words(incident.feedback.replace('-', ' '))}" if incident.feedback else ""
    acts = [m for m in incident.measures if not is_told(m.action)] or list(incident.measures)
    told = [_decided(measure) for measure in acts if measure.state != "superseded"]
    parts = [*([(said,)] if said else []), *told]
    return _semicolons(parts) or ("nothing proposed",)


def _decided(measure: MeasureFact) -> Line:
    action = words(measure.action)
    who: Line = listed([(Name(name),) for name in measure.decided_by])
    match measure.state:
        case "pending":
            return (f"{action} waits",)
        case "expired":
            return (f"{action} expired undecided",)
        case "rejected":
            why: Line = (": ", Name(measure.reason)) if measure.reason else ()
            return (f"{action} rejected", *((" by ", *who) if who else ()), *why)
        case _:
            return (f"{action} approved", *((" by ", *who) if who else ()))


def _outcome(incident: IncidentFact) -> Line:
    told = [line for measure in incident.measures if (line := _became(measure))]
    return _semicolons(told) or ("-",)


def _became(measure: MeasureFact) -> Line:
    if measure.rehearsed:
        return (f"{words(measure.action)}: rehearsed, nothing was changed",)
    if measure.state in ("failed", "unknown", "blocked"):
        return (Strong(f"{words(measure.action)}: {measure.state}"),)
    if not measure.verified or is_told(measure.action):
        return ()
    done = "done and taken back" if measure.undone else "done and verified"
    parts = [done, *_watched(measure)]
    return (f"{words(measure.action)}: {', '.join(parts)}",)


def _watched(measure: MeasureFact) -> list[str]:
    parts = []
    if measure.watch is not None:
        parts.append(_back(cast(WatchState, measure.watch)))
    if measure.saved_usd is not None:
        word = "saved" if measure.saved_usd >= 0 else "cost more:"
        parts.append(f"{word} {usd(abs(measure.saved_usd))} in {measure.watched_hours} h")
    if measure.hurts:
        parts.append("more requests fail than before")
    return parts


def _back(state: WatchState) -> str:
    match state:
        case "watching":
            return "still watched"
        case "returned":
            return "spend is back to normal"
        case "not_returned":
            return "spend is NOT back to normal"
        case "no_data":
            return "no usage came in to judge it by"
        case "undone":
            return "no longer watched"
        case _:
            assert_never(state)


def _semicolons(lines: Sequence[Line]) -> Line:
    joined: Line = ()
    for line in lines:
        joined = (*joined, "; ", *line) if joined else line
    return joined


def _others(others: Sequence[IncidentFact]) -> list[str]:
    if not others:
        return []
    total = sum((i.delta_usd for i in others), Decimal())
    return [f"{counted(len(others), 'incident')} more of {usd(total, signed=True)} together."]


def _minor(found: Incidents) -> list[str]:
    if not found.minor:
        return []
    told = f"{usd(found.minor_usd, signed=True)}{' together' if found.minor > 1 else ''}"
    return [f"{counted(found.minor, 'minor incident')} of {told} not listed."]


def _saved(found: Incidents) -> list[str]:
    if not found.measured:
        return []
    word = "not spent" if found.saved_usd >= 0 else "spent on top"
    return [
        f"Realised: {usd(abs(found.saved_usd))} {word} in the hours that were watched, against the hours before."
    ]


def _waits(waiting: Waiting) -> Line:
    target = {cast(Dimension, d): v for d, v in waiting.target.items() if d != "gateway"}
    saves = waiting.saving_usd_per_day
    told = f", would save {usd(saves)} a day" if saves is not None and saves > 0 else ""
    line: Line = (Strong(words(waiting.action).capitalize()), " on ", *scope_line(Scope.of(target)), told)
    until = "" if is_told(waiting.action) else f"; until {moment_text(waiting.expires_at)} UTC"
    return (*line, until, ": ", Name(waiting.id))


def _quality(alerts: AlertQuality) -> Line:
    since = (
        f"of the {counted(alerts.incidents, 'incident')} of the 4 weeks to {day_text(alerts.window.end_at)}"
    )
    if not alerts.judged:
        return (f"Precision of alerts is not known: {since} nobody has judged any.",)
    verdicts = f"{alerts.real} real, {alerts.expected} expected, {alerts.not_an_issue} not an issue"
    return (
        Strong(f"Precision of alerts {alerts.precision:.0%}"),
        f": {since} people judged {alerts.judged} ({verdicts}).",
    )


def _tuning(tuning: TuningFact) -> Line:
    why: Line = (": ", Name(tuning.reason)) if tuning.reason else ()
    head = f"In force until {moment_text(tuning.until_at)} UTC, {words(tuning.kind)} for "
    return (
        head,
        *scope_line(tuning.scope),
        " by ",
        Name(tuning.given_by),
        *why,
        " (undo: ",
        Name(tuning.id),
        ")",
    )
