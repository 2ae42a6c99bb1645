"""The usage of this program itself: its calls to language models, in the ledger like everybody's."""

from hashlib import md5
from typing import cast

from ledger.catalogue import bind
from ledger.engine import Engine
from ledger.scope import Scope
from ledger.window import Window

OWN_NAME = "tokensleuth"
"""The team and the client of every such row."""
OWN_USAGE = Scope((("team", OWN_NAME), ("client", OWN_NAME)))


def own_scope_ids(engine: Engine) -> list[int]:
    """The ledger's own numbers of the scopes of our usage."""
    query = bind("scopes", where=OWN_USAGE)
    return [cast(int, row[0]) for row in engine.rows(query.sql, query.parameters)]


def own_identities(engine: Engine, window: Window) -> set[int]:
    """The identities of our records in the window."""
    query = bind("identities", windows=[window], scope_ids=own_scope_ids(engine))
    return {cast(int, row[0]) for row in engine.rows(query.sql, query.parameters)}


def record_identity(provider: str, record_id: str) -> int:
    """The identity that ingest gives to a record with an id."""
    digest = md5(f"{provider}\x1f{record_id}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest, "little")
