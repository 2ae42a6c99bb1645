"""Digests in the casebook: one for each ISO week and audience, ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Connection, insert, select, update

from tokensleuth.casebook.records import JsonObject
from tokensleuth.casebook.schema_runs import digests


@dataclass(frozen=True, slots=True)
class KeptDigest:
    """A digest as it was told; what it says does not change any more."""

    week: str
    """Such as 2026-W46."""
    audience: str
    """`organisation` or `team:NAME`."""
    document: JsonObject
    """`digest`, the document of the contract; `slack`, the message; `chart`, a specification or null;
    `channels`, to which a letter was written."""
    markdown: str
    made_at: datetime

    @property
    def channels(self) -> list[str]:
        return cast(list[str], self.document["channels"])


def read_digest(connection: Connection, week: str, audience: str) -> KeptDigest | None:
    """The digest of that week and audience; None where none was made."""
    row = connection.execute(select(digests).where(*_key(week, audience))).mappings().first()
    if row is None:
        return None
    document = cast(JsonObject, row["document"])
    return KeptDigest(row["week"], row["audience"], document, row["markdown"], row["made_at"])


def keep_digest(connection: Connection, digest: KeptDigest) -> bool:
    """Call it in a write transaction; False where there is one already, which stays as it is."""
    if read_digest(connection, digest.week, digest.audience) is not None:
        return False
    names = ("week", "audience", "document", "markdown", "made_at")
    connection.execute(insert(digests).values({name: getattr(digest, name) for name in names}))
    return True


def note_channels(connection: Connection, digest: KeptDigest, channels: list[str]) -> None:
    """Where letters of a kept digest go, which had none."""
    document: Mapping[str, object] = digest.document | {"channels": channels}
    connection.execute(
        update(digests).where(*_key(digest.week, digest.audience)).values(document=dict(document))
    )


def _key(week: str, audience: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return digests.c.week == week, digests.c.audience == audience
