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
_AGAINST = (
    "Amounts are the whole incident's against what was expected, so they differ from those against last week."
)


def incidents_section(digest: Digest) -> Section:
    """Largest first; a week without any says so."""
    found = digest.case.incidents
    if not found.told:
        return Section("Incidents", (Paragraph((_none(found), ".")),), rank=4)
    shown, others = found.told[:MOST_INCIDENTS], found.told[MOST_INCIDENTS:]
    columns = (
        Column("What, and since when (UTC)"),
        Column("Against expected", right=True, speaks=True),
        Column("Decision and outcome", speaks=True),
    )
    rows = tuple((_what(i), (usd(i.delta_usd, signed=True),), _came_of(i)) for i in shown)
    notes = [*_others(others), *_ordinary(found), *_minor(found), *_saved(found), _AGAINST]
    blocks: list[Block] = [
        Grid("incident", columns, rows, is_wordy=True), Paragraph((" ".join(notes),), quiet=True),
    ]  # fmt: skip
    return Section("Incidents", tuple(blocks), rank=4)


def incidents_line(digest: Digest) -> Line:
    """For the first sentences: how many, what was decided and saved, what waits."""
    found, waiting = digest.case.incidents, len(digest.case.decisions)
    told: list[str] = []
    if found.told:
        total = usd(_total(found.told), signed=True)
        told.append(f"{counted(len(found.told), 'incident')}, {total} against what was expected")
    if found.measured:
        word = "saved" if found.saved_usd >= 0 else "cost more"
        told.append(f"{usd(abs(found.saved_usd))} measured as {word} by {counted(found.measured, 'action')}")
    if waiting:
        worth = digest.case.worth_usd_per_day
        saves = f" and would save up to {usd(worth)} a day" if worth else ""
        told.append(f"{counted(waiting, 'decision')} {'waits' if waiting == 1 else 'wait'}{saves}")
    return (f"{'; '.join(told)}.",) if told else ()


def _none(found: Incidents) -> str:
    quiet, amount = found.minor + len(found.ordinary), found.minor_usd + _total(found.ordinary)
    told = f"; {counted(quiet, 'small or ordinary change')}, {usd(amount, signed=True)} in all"
    return f"None worth a person's time{told if quiet else ''}"


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
    return [f"{counted(len(others), 'incident')} more, {usd(_total(others), signed=True)} in all."]


def _ordinary(found: Incidents) -> list[str]:
    """What was found and explained as nothing."""
    if not found.ordinary:
        return []
    total = usd(_total(found.ordinary), signed=True)
    return [f"{counted(len(found.ordinary), 'incident')} more turned out to be ordinary variation ({total})."]


def _total(incidents: Sequence[IncidentFact]) -> Decimal:
    return sum((incident.delta_usd for incident in incidents), Decimal())


def _minor(found: Incidents) -> list[str]:
    if not found.minor:
        return []
    total = usd(found.minor_usd, signed=True)
    return [f"{counted(found.minor, 'minor incident')} not listed ({total})."]


def _saved(found: Incidents) -> list[str]:
    if not found.measured:
        return []
    word = "not spent" if found.saved_usd >= 0 else "spent on top"
    return [f"Realised: {usd(abs(found.saved_usd))} {word} in the hours watched, against the hours before."]
