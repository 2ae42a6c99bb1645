"""The one door for what people say of an incident: their word and what it changes, in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tokensleuth.announcing.quieting import height_of_document, is_tunable
from tokensleuth.announcing.severity import is_leak
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.feedback import Feedback, FeedbackVerdict
from tokensleuth.casebook.records import JsonObject
from tokensleuth.casebook.saying import QUIET_FOR, say_within
from tokensleuth.casebook.store import read_incident
from tokensleuth.casebook.tunings import Tuning, append_tuning, tuning_of, tunings_in_force
from tokensleuth.people import Identity, People
from tokensleuth.terminal.text import usd
from tokensleuth.thresholds import Height
from tokensleuth.tuning.price import Price, least_real, past_concerned
from tokensleuth.tuning.raising import LASTS, raised
from tokensleuth.tuning.thresholding import Wanted, direction_of, new_threshold, standing_of, threshold_id
from tokensleuth.tuning.words import ended_words, raised_words, unchanged_words


@dataclass(frozen=True, slots=True)
class Judgement:
    """One person's word on one incident."""

    incident_id: str
    verdict: FeedbackVerdict
    by: Identity
    quiet_for: timedelta = QUIET_FOR
    """How long `expected` keeps the scope quiet."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was kept, and what it changed."""

    given: Feedback
    at: datetime
    changed: tuple[Tuning, ...] = ()
    told: str = ""
    """For the person: what changed, until when, and how to undo it. Of `expected`: nothing but the mark."""
    price: Price | None = None
    """What the raised threshold would have kept quiet in the last 28 days."""

    def as_json(self) -> dict[str, object]:
        return self.given.as_json() | {
            "tunings": [tuning.as_json(self.at) for tuning in self.changed],
            "told": self.told,
            "would_have_kept_quiet": self.price.as_json() if self.price else None,
        }


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where a word is being worked in: within one write transaction."""

    connection: Connection
    key: bytes
    person: str
    now: datetime


def judge(casebook: Casebook, said: Judgement, people: People, now: datetime) -> Judged | None:
    """Keep the word and change what follows from it; None where there is no such incident.

    Anybody's word counts, and `real` from anybody ends raised thresholds: that only alerts more. To raise
    one takes a local user, or an approver who may mark things.
    """
    with casebook.writing() as connection:
        desk = _Desk(connection, casebook.key, people.person(said.by), now)
        given = say_within(
            connection,
            casebook.key,
            said.incident_id,
            said.verdict,
            desk.person,
            now,
            quiet_for=said.quiet_for,
        )
        incident = read_incident(connection, said.incident_id, now=now) if given else None
        if given is None or incident is None:
            return None
        match said.verdict:
            case "expected":
                return Judged(given, now)
            case "real":
                return _end(desk, given, incident)
            case "not-an-issue":
                return _raise(desk, given, incident, may=may_tune(said.by, people))


def may_tune(identity: Identity, people: People) -> bool:
    """Whether they may make alerts fewer; marking a scope as expected by proposal takes the same right."""
    return identity.kind == "os" or people.may(identity, "mark_expected")


def _end(desk: _Desk, given: Feedback, incident: JsonObject) -> Judged:
    """What was quieted where something real happened is alerted of again."""
    scope = height_of_document(incident).scope
    standing = tunings_in_force(desk.connection, desk.now, "threshold")
    because = f"{given.incident_id} is real"
    ended = tuple(
        replace(t, state="undone", reason=because, given_by=desk.person, given_at=desk.now)
        for t in standing
        if t.threshold().covers(scope)
    )
    for tuning in ended:
        append_tuning(desk.connection, tuning, "ended a threshold", desk.key)
    return Judged(given, desk.now, ended, ended_words(ended))


def _raise(desk: _Desk, given: Feedback, incident: JsonObject, *, may: bool) -> Judged:
    """So that an incident of this height does not open again for a month, as far as that is allowed."""
    why_not = _why_not(incident, may=may, person=desk.person)
    if why_not is not None:
        return Judged(given, desk.now, told=unchanged_words(why_not))
    height = height_of_document(incident)
    standing = _standing(desk, height)
    past = past_concerned(desk.connection, height.scope, direction_of(height), desk.now)
    goal = raised(height.usd, standing_of(standing), least_real(past))
    if goal is None:
        why_not = f"one of {usd(least_real(past))} in this scope was said to be real in the last 4 weeks"
        return Judged(given, desk.now, told=unchanged_words(why_not))
    wanted = Wanted(
        scope=height.scope,
        direction=direction_of(height),
        min_usd=goal.min_usd,
        first_usd=goal.first_usd,
        from_at=min([height.window.start_at, desk.now, *([standing.from_at] if standing else [])]),
        until_at=desk.now + LASTS,
        incident_id=given.incident_id,
        reason="not an issue",
    )
    tuning = new_threshold(wanted, desk.person, desk.now)
    append_tuning(desk.connection, tuning, "raised a threshold", desk.key)
    price = Price(tuple(p for p in past if abs(p.height.usd) < goal.min_usd))
    return Judged(given, desk.now, (tuning,), raised_words(tuning, goal, height.usd, price), price)


def _standing(desk: _Desk, height: Height) -> Tuning | None:
    """The threshold of the scope that is in force."""
    found = tuning_of(desk.connection, threshold_id(height.scope, direction_of(height)))
    return found if found and found.is_in_force(desk.now) else None


def _why_not(incident: JsonObject, *, may: bool, person: str) -> str | None:
    """Why the word counts and still raises nothing."""
    if not may:
        return f"{person} is not in the settings as an approver who may `tell`"
    if is_leak(incident):
        return "a possible key leak always alerts"
    if not is_tunable(incident):
        return "nobody is alerted of such an incident for its height"
    return None
