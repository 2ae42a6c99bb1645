"""The anchor of the audit trail, kept in a file beside the casebook so that a cut-off end is noticed."""

import os
from pathlib import Path

from ledger.errors import RefusedError
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Anchor, mac_of, read_anchor
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
    """Write the present end of the trail, but only one that goes on from the kept one.

    Else the kept one stays, and `audit verify` tells what is missing or was written anew.
    """
    path, kept = anchor_file(casebook_url), kept_anchor(casebook_url)
    with casebook.reading() as connection:
        anchor = read_anchor(connection)
        goes_on = kept is None or mac_of(connection, kept.count) == kept.mac
    if path is not None and goes_on and anchor != kept:
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(f"{anchor}\n", "utf-8")
        aside.replace(path)
    return anchor
