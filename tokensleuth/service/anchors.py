"""The anchor of the audit trail, kept in a file beside the casebook so that a cut-off end is noticed."""

import os
from pathlib import Path

from ledger.errors import RefusedError
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Anchor, read_anchor
from tokensleuth.casebook.opening import file_of


def anchor_file(casebook_url: str) -> Path | None:
    """Beside a casebook in SQLite; for PostgreSQL the posted anchors must do."""
    path = file_of(casebook_url)
    return path.with_name(f"{path.name}.anchor") if path else None


def kept_anchor(casebook_url: str) -> Anchor | None:
    """The one kept last; None where there is none."""
    path = anchor_file(casebook_url)
    if path is None or not path.exists():
        return None
    try:
        return Anchor.parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"the anchor {path} cannot be read: {error}") from None


def keep_anchor(casebook: Casebook, casebook_url: str) -> Anchor:
    """Write the present end of the trail, unless the kept one is further: `audit verify` tells of that."""
    with casebook.reading() as connection:
        anchor = read_anchor(connection)
    path, kept = anchor_file(casebook_url), kept_anchor(casebook_url)
    if path is not None and (kept is None or kept.count < anchor.count):
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(f"{anchor}\n", "utf-8")
        aside.replace(path)
    return anchor
