"""Weeks of small ledgers and what their digests say; run it to rewrite the golden files of the digest."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from ledger.reader import Reader
from ledger.scope import Scope
from ledger.window import Window
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tokensleuth.budgets.settings import Budget
from tokensleuth.casebook.audit import Anchor
from tokensleuth.casebook.quality import AlertQuality
from tokensleuth.digest.building import Given, read_week
from tokensleuth.digest.case_facts import (
    CaseFacts,
    IncidentFact,
    Incidents,
    MeasureFact,
    NoticeFact,
    TuningFact,
    Waiting,
)
from tokensleuth.digest.document import digest_document
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.markdown import markdown
from tokensleuth.digest.outcomes import Outcome
from tokensleuth.digest.posting import how_to_read
from tokensleuth.digest.showback_csv import showback_csv
from tokensleuth.digest.web_page import web_page
from tokensleuth.digest.week import Week
from tokensleuth.digest.words import page_of
from tokensleuth.slackapp.digest_message import slack_message

GOLDEN = Path(__file__).parent / "golden" / "digest"
WEEK = Week(2026, 45)
"""The fifth of the ledger: 2 to 8 November, after the month has changed."""
MADE_AT = datetime(2026, 11, 9, 7, tzinfo=UTC)
HOSTILE = "a|b*c <script>=1"
"""A team that is called so."""
SEARCH = Cell(team="search", key_id="k-search", requests=400, cache_read_tokens=300)
SUPPORT = Cell(team="support", key_id="k-support", model="gpt-mini", requests=900, failed=9)


def ledger() -> LedgerBuilder:
    """Five weeks; in the last one a retry storm, a new key, and a team that moved to the dearer model."""
    builder = LedgerBuilder()
    builder.run(SEARCH, days=35)
    builder.run(SUPPORT, days=35)
    builder.run(Cell(team=HOSTILE, key_id="k-odd", service_tier="batch", requests=60), days=35)
    builder.run(Cell(team="UNALLOCATED", key_id="k-nobody", requests=5), days=35)
    builder.run(Cell(team="search", key_id="k-new", requests=50), days=4, since=31)
    builder.change(span(29, 6, hours=8), _storm)
    return builder.change(Window(at(32), at(35)), _switched)


def _storm(_: datetime, cell: Cell) -> Cell:
    if cell.key_id != "k-search":
        return cell
    return replace(cell, requests=cell.requests * 4, failed=cell.requests * 3, retried=cell.requests * 3)


def _switched(_: datetime, cell: Cell) -> Cell:
    return replace(cell, model="gpt-big") if cell.key_id == "k-support" else cell


@cache
def reader() -> Reader:
    return ledger().reader()


def given() -> Given:
    """A budget that is crossed, one that is not, and outcomes of a team."""
    solved = [Outcome(at(28 + i).date(), "support", "ticket solved", Decimal(100 + i)) for i in range(7)]
    budgets = (Budget(name="all of it", usd=Decimal(60)), Budget(name="ample", usd=Decimal(100_000)))
    return Given(budgets=budgets, outcomes=solved)


def digest_of(
    week: Week = WEEK, *, team: str | None = None, now: datetime = MADE_AT, source: Reader | None = None
) -> Digest:
    """As the command makes it, without a casebook."""
    return read_week(source or reader(), None, week, given(), now, by_team=team is not None).digest(team)


def case_facts() -> CaseFacts:
    """One of everything that people see."""
    storm = IncidentFact(
        id="inc_storm",
        window=span(29, 6, hours=8),
        scope=Scope((("team", "search"), ("key_id", "k-search"))),
        cause="retry_storm",
        verdict="confirmed",
        delta_usd=Decimal("31.25"),
        feedback="real",
        measures=(
            measure("prop_1", "set_rate_limit", "done", watch="returned", saved="12.40", hours=24),
            measure("prop_2", "block_key", "rejected", reason="it is *ours*"),
        ),
    )
    switch = IncidentFact(
        id="inc_switch",
        window=span(32, hours=72),
        scope=Scope((("team", "support"),)),
        cause="model_switch",
        verdict="benign",
        delta_usd=Decimal("-4.10"),
        feedback=None,
        measures=(measure("prop_3", "downgrade_model", "pending", decided=()),),
    )
    return CaseFacts(
        incidents=Incidents((storm, switch), 2, Decimal("0.31"), 1, Decimal("12.40")),
        waiting=(
            Waiting(
                "prop_3",
                "inc_switch",
                "downgrade_model",
                {"gateway": "none", "team": "support"},
                Decimal("3.20"),
                MADE_AT + timedelta(hours=3),
            ),
            Waiting(
                "prop_4", "inc_storm", "notify_owner", {"gateway": "none", "team": "search"}, None, MADE_AT
            ),
        ),
        alerts=AlertQuality(6, 3, 1, 1, 1, 2),
        tunings=(
            TuningFact(
                "tun_1", "planned", Scope((("team", HOSTILE),)), "launch of <b>", at(40), None, "alice"
            ),
        ),
        notices=(NoticeFact("data_stopped", "No usage from openai since 08:00", "high", at(34)),),
        anchor=Anchor(41, "ab" * 32),
    )


def measure(
    name: str,
    action: str,
    state: str,
    *,
    decided: tuple[str, ...] = ("alice",),
    reason: str | None = None,
    watch: str | None = None,
    saved: str | None = None,
    hours: int = 0,
) -> MeasureFact:
    amount = None if saved is None else Decimal(saved)
    return MeasureFact(
        name, action, state, decided, reason, False, state == "done", False, watch, hours, amount, False
    )


def full() -> Digest:
    """The organisation's week with all there can be."""
    return replace(digest_of(), case=case_facts())


def _slack(digest: Digest) -> str:
    message = slack_message(page_of(digest), how_to_read(digest))
    return _json({"text": message.text, "blocks": message.blocks})


def _json(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _first() -> Digest:
    return digest_of(Week(2026, 41))


def _partial() -> Digest:
    return digest_of(now=at(31, 14))


def _later() -> Digest:
    return digest_of(Week(2026, 46), now=at(43))


GOLDENS: dict[str, Callable[[], str]] = {
    "organisation.md": lambda: markdown(page_of(full())),
    "organisation.html": lambda: web_page(page_of(full()), {}),
    "organisation.slack.json": lambda: _slack(full()),
    "organisation.json": lambda: _json(digest_document(full())),
    "organisation.csv": lambda: showback_csv(full()),
    "team.md": lambda: markdown(page_of(digest_of(team="search"))),
    "team_hostile.slack.json": lambda: _slack(digest_of(team=HOSTILE)),
    "first_week.md": lambda: markdown(page_of(_first())),
    "partial_week.md": lambda: markdown(page_of(_partial())),
    "later_week.md": lambda: markdown(page_of(_later())),
}


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for each, make in GOLDENS.items():
        (GOLDEN / each).write_text(make(), "utf-8")
