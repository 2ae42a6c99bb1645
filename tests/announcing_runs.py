"""Announcing in tests: rules, many incidents at once, what was queued, and a sender of all that is due."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import SecretStr
from sqlalchemy import select

from tests.incident_documents import NOW, incident_document, save_incidents
from tokensleuth.announcing import AlertRules, Announced, Usual, announce
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.queues import Queued, finish_outbox, take_from_outbox
from tokensleuth.casebook.schema_acts import messages, outbox
from tokensleuth.casebook.telling import Message, message_is_out
from tokensleuth.settings_acts import Route, SlackSettings

DEFAULT = "CDEFAULT"
USUAL = Usual(day_usd=Decimal(1000))
USD = {"low": "1.00", "medium": "100.00", "high": "900.00"}
"""Changes over 6 hours that have such a severity."""


def rules(*routes: Route, **slack: object) -> AlertRules:
    given = {"channel": DEFAULT, "bot_token": SecretStr("xoxb-test")} | slack
    return AlertRules(SlackSettings.model_validate(given), routes, USUAL)


def spikes(casebook: Casebook, count: int, *, prefix: str = "inc", usd: str = USD["medium"]) -> list[str]:
    """Each by one cent more than the one before."""
    cents = Decimal("0.01")
    documents = [
        incident_document(f"{prefix}_{i:04}", delta_usd=str(Decimal(usd) + i * cents)) for i in range(count)
    ]
    return save_incidents(casebook, *documents)


def announced(casebook: Casebook, *ids: str, at: datetime = NOW, by: AlertRules | None = None) -> Announced:
    return announce(casebook, ids, by or rules(), at)


def told(casebook: Casebook) -> Sequence[Message]:
    """All messages, by incident and channel."""
    statement = select(messages).order_by(messages.c.incident_id, messages.c.channel)
    with casebook.reading() as connection:
        return [Message(**row) for row in connection.execute(statement).mappings()]


def letters(casebook: Casebook, *kinds: str) -> list[Queued]:
    """Those in the outbox, sent or not, in order."""
    statement = select(outbox).where(outbox.c.kind.in_(kinds)).order_by(outbox.c.number)
    with casebook.reading() as connection:
        return [
            Queued(r.number, r.id, r.kind, r.incident_id, r.lane, r.letter, r.tries, r.next_at)
            for r in connection.execute(statement)
        ]


def kinds(casebook: Casebook) -> list[str]:
    """What is in the outbox, in order."""
    with casebook.reading() as connection:
        return list(connection.scalars(select(outbox.c.kind).order_by(outbox.c.number)))


def send_due(casebook: Casebook, now: datetime) -> list[Queued]:
    """Send everything whose turn it is, as the sender does."""
    sent = []
    with casebook.writing() as connection:
        while letter := take_from_outbox(connection, "sender", now):
            if letter.kind in ("alert", "storm"):
                message_is_out(connection, letter.id, f"ts {letter.number}")
            finish_outbox(connection, letter.number, "sender", reply={}, now=now)
            sent.append(letter)
    return sent
