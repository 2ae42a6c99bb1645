"""The showback as a CSV file: every digit of every amount, a row for each team, or for each key of a team."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from ledger.money import exact_usd_text
from ledger.usage import TOKEN_CLASSES
from ledger.window import instant_text
from tokensleuth.digest.facts import Digest, ShowbackRow, Used

_COLUMNS = (
    "week", "start_at", "end_at", "team", "key_id", "cost_usd", "last_week_usd", "change_usd", "share",
    "requests", "failed_requests", "retried_requests", *(f"{name}_tokens" for name in TOKEN_CLASSES),
    "unpriced_tokens", "wasted_usd", "batch_usd",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet would work out rather than show."""


def write_showback(digest: Digest, path: Path) -> None:
    path.write_text(showback_csv(digest), "utf-8")


def showback_csv(digest: Digest) -> str:
    """`last_week_usd` and `change_usd` are empty where there is no week to compare with.

    A name that a spreadsheet would take for a formula has an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_row(digest, row) for row in digest.showback)
    return text.getvalue()


def _row(digest: Digest, row: ShowbackRow) -> list[str]:
    window = digest.week.known or digest.week.week.window
    team, key = (row.name, "") if digest.team is None else (digest.team, row.name)
    total = digest.spend.now.cost_pico
    share = f"{row.now.cost_pico / total:.6f}" if total else ""
    return [
        digest.week.week.name,
        instant_text(window.start_at),
        instant_text(window.end_at),
        _shown(team),
        _shown(key),
        *_amounts(row),
        share,
        *_counts(row.now),
    ]


def _amounts(row: ShowbackRow) -> Iterator[str]:
    yield exact_usd_text(row.now.cost_pico)
    if row.last is None:
        yield from ("", "")
        return
    yield exact_usd_text(row.last.cost_pico)
    yield exact_usd_text(row.now.cost_pico - row.last.cost_pico)


def _counts(used: Used) -> Iterator[str]:
    yield from (str(n) for n in (used.requests, used.failed, used.retried))
    yield from (str(getattr(used.tokens, name)) for name in TOKEN_CLASSES)
    yield str(used.unpriced_tokens)
    yield exact_usd_text(used.wasted_pico)
    yield exact_usd_text(used.batch_pico)


def _shown(name: str) -> str:
    return f"'{name}" if name.startswith(_FORMULA) else name
