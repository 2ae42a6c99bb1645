"""The audit trail: rows that are only added, each signed together with the one before it.

The chain finds a changed, removed or inserted row; that rows are missing at its end only an anchor tells, the
count and last signature kept somewhere else.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, func, insert, select
from sqlalchemy.exc import OperationalError

from ledger.errors import RefusedError
from ledger.window import instant_text
from tokensleuth.casebook.schema_acts import audit
from tokensleuth.casebook.storable import storable

_START = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done or refused, and by whom."""

    actor: str
    what: str
    """Such as `approved`, `refused`, `executed`."""
    subject: str
    """The id of what it was done to."""
    document: Mapping[str, object]
    at: datetime


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of the trail at some time; kept elsewhere, it shows whether rows are missing."""

    count: int
    mac: str

    def __str__(self) -> str:
        return f"{self.count}:{self.mac}"

    @classmethod
    def parse(cls, given: str) -> "Anchor":
        """From `COUNT:MAC`; raises RefusedError."""
        count, _, mac = given.strip().partition(":")
        if not count.isdecimal() or len(mac) != 64:
            raise RefusedError(f"`{given}` is no anchor; it is COUNT:MAC as `audit verify` prints it")
        return cls(int(count), mac)


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether the trail is whole."""

    anchor: Anchor
    """Of the rows that hold."""
    broken_at: int | None = None
    """The number of the first bad entry."""
    why: str | None = None

    @property
    def whole(self) -> bool:
        return self.why is None


def append_entry(connection: Connection, entry: Entry, key: bytes) -> None:
    """Add a row inside the caller's write transaction, which keeps others from adding until it commits."""
    last = read_anchor(connection)
    row = {
        "number": last.count + 1,
        "at": entry.at,
        "actor": storable(entry.actor, 255),
        "what": entry.what,
        "subject": storable(entry.subject, 64),
        "document": dict(entry.document),
    }
    connection.execute(insert(audit).values({**row, "mac": _mac(key, last.mac, row)}))


def read_anchor(connection: Connection) -> Anchor:
    """Count and signature of the last row."""
    statement = select(audit.c.number, audit.c.mac).order_by(audit.c.number.desc()).limit(1)
    row = connection.execute(statement).first()
    return Anchor(row.number, row.mac) if row else Anchor(0, _START)


def read_entries(
    connection: Connection, *, subject: str | None = None, limit: int | None = None
) -> list[dict[str, object]]:
    """Latest first."""
    statement = select(audit).order_by(audit.c.number.desc()).limit(limit)
    if subject is not None:
        statement = statement.where(audit.c.subject == storable(subject))
    copied = ("number", "actor", "what", "subject", "document", "mac")
    return [
        {name: row[name] for name in copied} | {"at": instant_text(row["at"])}
        for row in connection.execute(statement).mappings()
    ]


def mac_of(connection: Connection, number: int) -> str:
    """The signature of an entry; of entry 0 what the first one continues, and empty where there is none."""
    found = connection.scalar(select(audit.c.mac).where(audit.c.number == number))
    return str(found or "") if number else _START


def count_entries(connection: Connection) -> int:
    return int(connection.scalar(select(func.count()).select_from(audit)) or 0)


def verify_entries(connection: Connection, key: bytes, anchors: list[Anchor]) -> Verified:
    """Walk the whole trail; then hold it against every anchor that was kept."""
    macs = [_START]
    for row in _rows(connection):
        number = len(macs)
        why = _wrong(row, number, macs[-1], key)
        if why is not None:
            return Verified(Anchor(number - 1, macs[-1]), number, why)
        macs.append(str(row["mac"]) if row else "")
    return _held_against(macs, anchors)


def _rows(connection: Connection) -> Iterator[RowMapping | None]:
    """In order; None, and no more, at a row that holds no values of an entry."""
    try:
        yield from connection.execute(select(audit).order_by(audit.c.number)).mappings()
    except (ValueError, TypeError, RecursionError):
        yield None
    except OperationalError as error:
        if "decode" not in str(error.orig).lower():
            raise
        yield None


def _wrong(row: RowMapping | None, number: int, before: str, key: bytes) -> str | None:
    """What is wrong with the row that should be entry `number`."""
    if row is None:
        return f"entry {number} cannot be read: it holds something else than an entry"
    if row["number"] != number:
        return f"entry {number} is missing: {row['number']} comes next"
    try:
        expected = _mac(key, before, row)
    except TypeError:
        expected = ""
    if not hmac.compare_digest(str(row["mac"]).encode(), expected.encode()):
        return f"entry {number} is not as it was signed, or the key is another"
    return None


def _held_against(macs: list[str], anchors: list[Anchor]) -> Verified:
    end = Anchor(len(macs) - 1, macs[-1])
    for anchor in sorted(anchors, key=lambda a: a.count):
        if anchor.count > end.count:
            missing = (
                f"{anchor.count - end.count} entries are missing at the end: an anchor has {anchor.count}"
            )
            return Verified(end, end.count + 1, missing)
        if macs[anchor.count] != anchor.mac:
            why = f"entry {anchor.count} is not the one an anchor names: the trail was written anew"
            return Verified(end, anchor.count, why)
    return Verified(end)


def _mac(key: bytes, before: str, row: Mapping[str, object] | RowMapping) -> str:
    at = row["at"]
    if not isinstance(at, datetime):
        raise TypeError(f"{at!r} is no instant")
    copied = [row[name] for name in ("number", "actor", "what", "subject", "document")]
    signed = json.dumps(
        [before, at.astimezone(UTC).isoformat(), *copied], sort_keys=True, separators=(",", ":")
    )
    return hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
