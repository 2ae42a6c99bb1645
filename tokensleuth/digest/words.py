"""The page of a digest, written by code: every number in it is a fact, every sentence a function of facts."""

import math

from tokensleuth.digest.amounts import cents_of
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.page import Line, Name, Page, Tile, Tone
from tokensleuth.digest.saying import cents_text, counted, round_usd, share_text
from tokensleuth.digest.words_case import incidents_line, incidents_section
from tokensleuth.digest.words_data import billing_line, billing_section, data_section, gaps_line
from tokensleuth.digest.words_month import month_line, month_section
from tokensleuth.digest.words_movers import movers_section
from tokensleuth.digest.words_spend import change_section, spend_lines, week_line
from tokensleuth.digest.words_standing import standing_section, waiting_section
from tokensleuth.digest.words_use import coming_section, showback_section, use_section
from tokensleuth.terminal.text import usd

PAGE_SECTIONS = (
    waiting_section,
    change_section,
    movers_section,
    incidents_section,
    month_section,
    coming_section,
    use_section,
    billing_section,
    showback_section,
    standing_section,
    data_section,
)
"""In the order in which they are read."""


def page_of(digest: Digest) -> Page:
    """What the audience reads."""
    lead = (
        *spend_lines(digest),
        billing_line(digest),
        gaps_line(digest),
        incidents_line(digest),
        month_line(digest),
    )
    sections = [section for make in PAGE_SECTIONS if (section := make(digest)) is not None]
    return Page(
        title=_title(digest),
        subtitle=week_line(digest.week),
        lead=tuple(line for line in lead if line),
        tiles=tuple(_tiles(digest)),
        sections=tuple(sections),
    )


def _title(digest: Digest) -> Line:
    head = f"AI spend, week {digest.week.week}"
    return (head,) if digest.team is None else (f"{head}: team ", Name(digest.team))


def _tiles(digest: Digest) -> list[Tile]:
    return [_spend(digest), _month(digest), _decisions(digest), _waste(digest)]


def _spend(digest: Digest) -> Tile:
    spend = digest.spend
    if digest.week.known is None:
        return Tile("Spend", "-", "not known")
    value = cents_text(cents_of(spend.now.cost_pico))
    if spend.last is None:
        return Tile("Spend", value, "no week to compare with")
    note = f"{cents_text(spend.change_cents, signed=True)} against last week"
    tone: Tone = "bad" if spend.change_cents > 0 else "good" if spend.change_cents < 0 else "plain"
    return Tile("Spend", value, note, tone)


def _month(digest: Digest) -> Tile:
    outlook = digest.month.outlook
    if outlook is None or math.isnan(outlook.mid[-1]):
        return Tile("Month end", "-", "not known yet")
    over = [s for s in digest.month.budgets if s.crossing is None or s.crossing.likely]
    if not digest.month.budgets:
        return Tile("Month end, forecast", round_usd(outlook.mid[-1]), "no budget is set")
    note = "within budget" if not over else f"over {counted(len(over), 'budget')}"
    return Tile("Month end, forecast", round_usd(outlook.mid[-1]), note, "bad" if over else "good")


def _decisions(digest: Digest) -> Tile:
    waiting, found, worth = len(digest.case.decisions), digest.case.incidents, digest.case.worth_usd_per_day
    saved = f", {usd(found.saved_usd)} saved" if found.measured and found.saved_usd > 0 else ""
    note = f"up to {usd(worth)} a day to save" if worth else f"{counted(len(found.told), 'incident')}{saved}"
    return Tile("Decisions that wait", f"{waiting:,}", note, "bad" if waiting else "plain")


def _waste(digest: Digest) -> Tile:
    now = digest.spend.now
    if digest.week.known is None:
        return Tile("Failed and retried", "-", "not known")
    share = share_text(now.wasted_pico, now.cost_pico)
    note = f"{share} of the spend" if now.cost_pico else "nothing was spent"
    return Tile("Failed and retried", cents_text(cents_of(now.wasted_pico)), note)
