"""Incidents in sentences: cause, decision, outcome, realised saving."""

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never, cast

from tokensleuth.casebook.watches import WatchState
from tokensleuth.digest.case_facts import (
    IncidentFact,
    Incidents,
    MeasureFact,
)
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.page import (
    Block,
    Column,
    Grid,
    Line,
    Name,
    Paragraph,
    Section,
    Strong,
    listed,
)
from tokensleuth.digest.saying import counted, moment_text, scope_line
from tokensleuth.people import is_told
from tokensleuth.terminal.text import usd, words

MOST_INCIDENTS = 8


def incidents_section(digest: Digest) -> Section:
    """Largest first; a week without any says so."""
    found = digest.case.incidents
    if not found.shown:
        return Section("Incidents", (Paragraph((_none(found), ".")),), rank=4)
    shown, others = found.shown[:MOST_INCIDENTS], found.shown[MOST_INCIDENTS:]
    columns = (Column("What"), Column("USD", right=True), Column("Decision and outcome"))
    rows = tuple((_what(i), (usd(i.delta_usd, signed=True),), _came_of(i)) for i in shown)
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


def _none(found: Incidents) -> str:
    minor = f"; {counted(found.minor, 'minor one')} of {usd(found.minor_usd, signed=True)} together"
    return f"None worth a person's time{minor if found.minor else ''}"


def _what(incident: IncidentFact) -> Line:
    benign = " (benign)" if incident.verdict == "benign" and incident.cause != "normal_variation" else ""
    cause = Strong(words(incident.cause).capitalize())
    return (cause, f"{benign}, ", *scope_line(incident.scope), f"; {moment_text(incident.window.start_at)}")


def _came_of(incident: IncidentFact) -> Line:
    return _semicolons([line for line in (_decision(incident), _outcome(incident)) if line])


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
    return _semicolons(told)


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
    return [f"Realised: {usd(abs(found.saved_usd))} {word} in the hours watched, against the hours before."]
