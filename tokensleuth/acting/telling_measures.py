"""Measures that no gateway executes: tell an owner, mark a scope as expected, note a wrong price."""

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from sqlalchemy import Connection

from agent.measures import FixPrice, MarkExpected, NotifyOwner
from ledger.ids import fact_id
from tokensleuth.acting.action import Action
from tokensleuth.casebook.decided import Asked, words_of
from tokensleuth.casebook.executed import Execution, ExecutionKind
from tokensleuth.casebook.feedback import Feedback, add_feedback
from tokensleuth.casebook.queues import Letter, put_in_outbox
from tokensleuth.settings_acts import Route


@dataclass(frozen=True, slots=True)
class TellingMeasures:
    """Where owners are reached."""

    routes: tuple[Route, ...] = ()
    channel: str | None = None
    """Where notices go that no route names; None: there is no Slack."""

    def told(self, action: Action, kind: ExecutionKind) -> str:
        """What it comes to, for the record."""
        if kind == "undo":
            return "the mark is taken back"
        match action.measure:
            case NotifyOwner(owner=owner):
                channels = self._channels(owner)
                where = (
                    " and ".join(channels)
                    if channels
                    else "nowhere: no channel is set, so tell them yourself"
                )
                return f"the message to {owner} goes to {where}"
            case MarkExpected(until=until):
                return f"{action.target.scope} is not alerted of until {until:%Y-%m-%d %H:%M} UTC"
            case FixPrice(model=model):
                return f"noted; add an alias or a price of {model}, then: tokensleuth reprice --apply"
            case _:
                return "noted"

    def write(
        self, connection: Connection, execution: Execution, asked: Asked, action: Action, now: datetime
    ) -> None:
        """The letters or the mark, in the transaction that ends the execution."""
        if execution.kind == "undo":
            by = execution.requested_by
            add_feedback(connection, Feedback(asked.incident_id, "real", {}, None, by, now))
            return
        match action.measure:
            case NotifyOwner(owner=owner, message=message):
                for channel in self._channels(owner):
                    body = {"channel": channel, "owner": owner, "message": message}
                    letter_id = fact_id("out", execution.id, channel)
                    letter = Letter(letter_id, f"slack:{channel}", "notice", asked.incident_id, body)
                    put_in_outbox(connection, letter, now)
            case MarkExpected(until=until):
                scope = {str(d): v for d, v in action.target.scope.items}
                by = words_of(connection, asked.id, asked.round)[-1].decided_by
                mark = Feedback(asked.incident_id, "expected", scope, until, by, now)
                add_feedback(connection, mark)
            case _:
                pass

    def _channels(self, owner: str) -> list[str]:
        """Those of the routes that name the owner, else the default one."""
        named = [r.channel for r in self.routes if r.owner is not None and fnmatchcase(owner, r.owner)]
        default = [self.channel] if self.channel else []
        return list(dict.fromkeys(named)) or default
