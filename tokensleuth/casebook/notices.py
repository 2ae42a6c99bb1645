"""Notices: what people are told of that is no change of spend, open until it is over."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select, update

from ledger.ids import fact_id
from ledger.window import instant_text
from tokensleuth.casebook.schema_runs import notices

NoticeKind = Literal["budget", "data_stopped", "source_failing", "service"]
Level = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that holds now."""

    kind: NoticeKind
    subject: str
    """What it is about; with the kind it names the notice for as long as it is open."""
    severity: Level
    title: str
    lines: tuple[str, ...] = ()
    owner: str | None = None
    """Whose budget or source it is; None: of all."""
    facts: Mapping[str, object] | None = None
    """The figures in it, for programs."""

    @property
    def document(self) -> dict[str, object]:
        return {
            "title": self.title,
            "lines": list(self.lines),
            "owner": self.owner,
            "facts": dict(self.facts or {}),
        }


@dataclass(frozen=True, slots=True)
class KeptNotice:
    """A notice of the casebook."""

    id: str
    notice: Notice
    opened_at: datetime
    closed_at: datetime | None

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "kind": self.notice.kind,
            "subject": self.notice.subject,
            "severity": self.notice.severity,
            **self.notice.document,
            "opened_at": instant_text(self.opened_at),
            "closed_at": instant_text(self.closed_at) if self.closed_at else None,
        }


def keep_notices(
    connection: Connection, kinds: Collection[NoticeKind], holding: Sequence[Notice], now: datetime
) -> None:
    """Make `holding` what is open of these kinds: new ones open, known ones are renewed, others close.

    Call it in a write transaction.
    """
    known = {(k.notice.kind, k.notice.subject): k for k in open_notices(connection) if k.notice.kind in kinds}
    for notice in {(n.kind, n.subject): n for n in holding}.values():
        found = known.pop((notice.kind, notice.subject), None)
        values = {"severity": notice.severity, "document": notice.document, "saved_at": now}
        if found is None:
            given = {"kind": notice.kind, "subject": notice.subject, "opened_at": now}
            number = connection.scalar(select(func.count()).select_from(notices)) or 0
            fresh = fact_id("notice", notice.kind, notice.subject, instant_text(now), number)
            connection.execute(insert(notices).values(id=fresh, **given, **values))
        else:
            connection.execute(update(notices).where(notices.c.id == found.id).values(**values))
    over = [found.id for found in known.values()]
    if over:
        connection.execute(update(notices).where(notices.c.id.in_(over)).values(closed_at=now, saved_at=now))


def open_notices(connection: Connection) -> Sequence[KeptNotice]:
    """Those that hold now, earliest first."""
    return _read(connection, notices.c.closed_at.is_(None))


def notices_since(connection: Connection, since: datetime) -> Sequence[KeptNotice]:
    """Those that are open or were at some time since then, earliest first."""
    return _read(connection, notices.c.closed_at.is_(None) | (notices.c.closed_at > since))


def notice_of(connection: Connection, notice_id: str) -> KeptNotice | None:
    """None where there is none of that id."""
    return next(iter(_read(connection, notices.c.id == notice_id)), None)


def _read(connection: Connection, condition: ColumnElement[bool]) -> Sequence[KeptNotice]:
    statement = select(notices).where(condition).order_by(notices.c.opened_at, notices.c.id)
    return [_kept(row) for row in connection.execute(statement).mappings()]


def _kept(row: RowMapping) -> KeptNotice:
    document = cast(Mapping[str, object], row["document"])
    notice = Notice(
        kind=row["kind"],
        subject=row["subject"],
        severity=row["severity"],
        title=str(document["title"]),
        lines=tuple(cast(Sequence[str], document["lines"])),
        owner=cast(str | None, document["owner"]),
        facts=cast(Mapping[str, object], document["facts"]),
    )
    return KeptNotice(row["id"], notice, row["opened_at"], row["closed_at"])
