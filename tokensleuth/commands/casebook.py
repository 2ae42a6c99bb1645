"""`tokensleuth incidents`, `proposals` and `evidence`: what the casebook holds."""

import json
from collections.abc import Sequence

from rich.text import Text

from ledger.errors import RefusedError
from ledger.scope import Scope
from ledger.window import parse_range
from tokensleuth.app import App
from tokensleuth.casebook.notices import open_notices
from tokensleuth.casebook.records import ProposalState
from tokensleuth.clock import utc_now
from tokensleuth.commands.schedule import notice_lines
from tokensleuth.output import Outcome
from tokensleuth.terminal import incident_table, proposal_table


def list_incidents(app: App, time_range: str | None, *, where: Sequence[str]) -> Outcome:
    """Latest first; `time_range` keeps those that touch it."""
    now = utc_now()
    within = parse_range(time_range, now=now) if time_range else None
    with app.casebook() as casebook:
        items = casebook.incidents(now=now, within=within, scope=Scope.parse(where))
        with casebook.reading() as connection:
            notices = open_notices(connection)
    document = {"items": items, "notices": [notice.as_json() for notice in notices]}
    return Outcome(document, [incident_table(items), *notice_lines(notices)])


def list_proposals(app: App, state: ProposalState | None, *, where: Sequence[str]) -> Outcome:
    """Latest first; deciding comes with the approval commands."""
    with app.casebook() as casebook:
        items = casebook.proposals(state, now=utc_now(), scope=Scope.parse(where))
    return Outcome({"items": items}, [proposal_table(items)])


def show_evidence(app: App, evidence_id: str) -> Outcome:
    """The stored document of one tool call; raises RefusedError for an unknown id."""
    with app.casebook() as casebook:
        document = casebook.evidence(evidence_id)
    if document is None:
        raise RefusedError(
            f"no evidence `{evidence_id}` in the casebook; ids are in a report's evidence list"
        )
    return Outcome(document, [Text(json.dumps(document, indent=2, ensure_ascii=False))])
