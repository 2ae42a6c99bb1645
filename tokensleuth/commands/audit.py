"""`tokensleuth audit verify` and `audit list`: whether the record of what was done is whole; what it says."""

from collections.abc import Sequence

from tokensleuth.app import App
from tokensleuth.casebook.audit import Anchor, read_entries, verify_entries
from tokensleuth.output import ExitCode, Outcome
from tokensleuth.service.anchors import kept_anchor
from tokensleuth.terminal.acts import audit_table, audit_text


def verify(app: App, anchors: Sequence[str]) -> Outcome:
    """Walk the chain and hold it against the anchor kept beside the casebook and those that are given."""
    given = [Anchor.parse(text) for text in anchors]
    beside = kept_anchor(app.settings.store.casebook_url)
    with app.casebook() as casebook, casebook.reading() as connection:
        found = verify_entries(connection, casebook.key, [*given, *([beside] if beside else [])])
    document = {
        "whole": found.whole,
        "entries": found.anchor.count,
        "anchor": str(found.anchor),
        "broken_at": found.broken_at,
        "why": found.why,
        "anchors_compared": len(given) + bool(beside),
    }
    return Outcome(document, [audit_text(found)], ExitCode.DONE if found.whole else ExitCode.PART)


def list_entries(app: App, *, subject: str | None, limit: int) -> Outcome:
    """Latest first."""
    with app.casebook() as casebook, casebook.reading() as connection:
        entries = read_entries(connection, subject=subject, limit=limit)
    return Outcome({"items": entries}, [audit_table(entries)])
