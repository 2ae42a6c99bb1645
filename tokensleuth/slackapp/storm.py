"""One message for many incidents: how many, how much, whose, the largest, and where all of them are."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import cast

from ledger.scope import UNALLOCATED
from tokensleuth.casebook.views import IncidentView
from tokensleuth.slackapp.alert import rendered
from tokensleuth.slackapp.blocks import context, header, lines_section, section
from tokensleuth.slackapp.escaping import code, prose
from tokensleuth.slackapp.limits import Rendered
from tokensleuth.slackapp.look import Look
from tokensleuth.slackapp.sentences import in_one_line
from tokensleuth.terminal.text import Document, counted, usd

LARGEST = 10
A_BLOCK = 5
"""So many lines to a block."""
MOST_TEAMS = 8


def storm(views: Sequence[IncidentView], counted_incidents: int, total_usd: Decimal, look: Look) -> Rendered:
    """`views` are those at hand, the largest at least; the count and the total are of all."""
    total = usd(total_usd, signed=True)
    told = f"{counted(counted_incidents, 'incident')}: {total} together"
    by_size = sorted(views, key=lambda view: -abs(_usd(view)))
    lines = list(largest_lines(by_size[:LARGEST], look))
    rest = counted_incidents - len(lines)
    notices = [f"*This message is {look.late} late.*"] if look.late else []
    if look.dry_run:
        notices.append("*Dry run:* nothing is changed anywhere.")
    blocks = [
        header(told),
        section(
            f"{look.mentions}Too many for a message each: they are told of together here, and this is kept "
            f"up to date.\n*By team:* {_teams(by_size, counted_incidents)}."
        ),
        *(lines_section(lines[i : i + A_BLOCK]) for i in range(0, len(lines), A_BLOCK)),
        context(_where(rest, look), *notices),
    ]
    return rendered(prose(told, 500), blocks)


def largest_lines(views: Sequence[IncidentView], look: Look) -> Iterator[str]:
    """A line for each incident: amount, cause, whose, when, what waits, its id."""
    for number, view in enumerate(views, start=1):
        waiting = sum(proposal.state == "pending" for proposal in view.proposals)
        to_decide = f"{waiting} to decide, " if waiting else ""
        link = look.link(f"incidents/{view.id}", view.id) or code(view.id, 70)
        yield f"{number}. {in_one_line(view.incident)}, {to_decide}{link}"


def _teams(views: Sequence[IncidentView], of: int) -> str:
    """Amounts by team, largest first; those beyond the most are added up."""
    ordered = sorted(views, key=_team)
    sums = [
        (team, len(group), sum(map(_usd, group), Decimal()))
        for team, group in ((team, list(found)) for team, found in groupby(ordered, key=_team))
    ]
    sums.sort(key=lambda team: -abs(team[2]))
    told = [f"{code(team, 40)} {usd(u, signed=True)} in {n}" for team, n, u in sums[:MOST_TEAMS]]
    if others := sums[MOST_TEAMS:]:
        amount = sum((u for _, _, u in others), Decimal())
        incidents = sum(n for _, n, _ in others)
        told.append(f"{counted(len(others), 'other team')} {usd(amount, signed=True)} in {incidents}")
    if len(views) < of:
        told.append(f"of the {len(views)} largest")
    return "; ".join(told) or "none"


def _where(rest: int, look: Look) -> str:
    others = f"{counted(rest, 'incident')} more, none lost" if rest > 0 else "These are all of them"
    link = look.link("incidents", "all in the inbox")
    where = link or "list them with `tokensleuth incidents`"
    return f"{others}: {where}; decide there or with `tokensleuth approve ID`"


def _team(view: IncidentView) -> str:
    return str(cast(Document, view.incident["scope"]).get("team") or UNALLOCATED)


def _usd(view: IncidentView) -> Decimal:
    return Decimal(str(view.incident["delta_usd"]))
