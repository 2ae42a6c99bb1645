"""Puts pseudonyms for users into the casebook, but for what was decided: that stays as people saw it.

Rewritten are the scopes that are held against usage, and what investigations, notices and digests say.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, Table, select, update

from ledger.pseudonyms import Pseudonym
from ledger.scope import UNALLOCATED
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.schema import baseline_changes, evidence, incidents, investigations, proposals
from tokensleuth.casebook.schema_acts import decisions, feedback, timelines
from tokensleuth.casebook.schema_runs import digests, notices, tunings

BATCH = 500

_DECIDED = (
    select(proposals.c.incident_id).join(decisions, decisions.c.proposal_id == proposals.c.id).distinct()
)
_INVESTIGATED = select(investigations.c.id).where(investigations.c.incident_id.not_in(_DECIDED))
_REWRITTEN: Sequence[tuple[Table, Sequence[str], Sequence[ColumnElement[bool]]]] = (
    (incidents, ("scope",), ()),
    (baseline_changes, ("scope",), ()),
    (feedback, ("scope",), ()),
    (tunings, ("scope", "document"), ()),
    (investigations, ("document",), (investigations.c.incident_id.not_in(_DECIDED),)),
    (evidence, ("arguments", "rows", "facts"), (evidence.c.investigation_id.in_(_INVESTIGATED),)),
    (timelines, ("document",), (timelines.c.incident_id.not_in(_DECIDED),)),
    (notices, ("document",), ()),
    (digests, ("document", "markdown"), ()),
)
_WORD = re.compile(r"[\w.+%@-]*[\w@]")
"""What a user's name can be in a sentence; one with spaces is found only where it stands alone."""
_LEAST_IN_TEXT = 4
"""A shorter name may be any word."""


@dataclass(frozen=True, slots=True)
class Hiding:
    """How a document is rewritten."""

    users: Collection[str]
    """The names that the ledger holds, or held."""
    pseudonym: Pseudonym

    def document(self, value: object) -> object:
        """The same with a pseudonym wherever it names a user: under `user`, alone, or in a sentence."""
        match value:
            case str():
                return self._text(value)
            case Mapping():
                return {key: self._field(str(key), below) for key, below in value.items()}
            case list():
                return [self.document(below) for below in value]
            case _:
                return value

    def _field(self, key: str, value: object) -> object:
        is_user = key == "user" and isinstance(value, str) and value not in ("", UNALLOCATED)
        return self.pseudonym(str(value)) if is_user else self.document(value)

    def _text(self, text: str) -> str:
        if text in self.users:
            return self.pseudonym(text)
        return _WORD.sub(lambda found: self._word(found[0]), text)

    def _word(self, word: str) -> str:
        return self.pseudonym(word) if len(word) >= _LEAST_IN_TEXT and word in self.users else word


def hide_in_casebook(casebook: Casebook, users: Collection[str], pseudonym: Pseudonym) -> dict[str, int]:
    """Rewrite it in small transactions; how many rows of each table changed. Doing it again is safe."""
    hiding = Hiding(frozenset(users), pseudonym)
    counts: dict[str, int] = {}
    for table, columns, conditions in _REWRITTEN:
        if changed := _hide_in(casebook, hiding, table, columns, conditions):
            counts[table.name] = changed
    return counts


def _hide_in(
    casebook: Casebook,
    hiding: Hiding,
    table: Table,
    columns: Sequence[str],
    conditions: Sequence[ColumnElement[bool]],
) -> int:
    key: list[Column[object]] = list(table.primary_key)
    with casebook.reading() as connection:
        rows = [tuple(row) for row in connection.execute(select(*key).where(*conditions))]
    changed = 0
    for start in range(0, len(rows), BATCH):
        with casebook.writing() as connection:
            for row in rows[start : start + BATCH]:
                one = [column == value for column, value in zip(key, row, strict=True)]
                changed += _hide_row(connection, hiding, table, columns, one)
    return changed


def _hide_row(
    connection: Connection,
    hiding: Hiding,
    table: Table,
    columns: Sequence[str],
    one: Sequence[ColumnElement[bool]],
) -> bool:
    found = connection.execute(select(*(table.c[name] for name in columns)).where(*one)).mappings().first()
    if found is None:
        return False
    hidden = {name: hiding.document(found[name]) for name in columns}
    changed = {name: value for name, value in hidden.items() if value != found[name]}
    if changed:
        connection.execute(update(table).where(*one).values(changed))
    return bool(changed)
