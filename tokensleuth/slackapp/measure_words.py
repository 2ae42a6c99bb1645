"""A proposal in words: what on whom, what it would have brought and refused, how long it lasts."""

from collections.abc import Iterator
from datetime import datetime
from typing import cast

from ledger.window import short_text
from tokensleuth.casebook.decided import Asked
from tokensleuth.casebook.records import ProposalState
from tokensleuth.casebook.views import ProposalView
from tokensleuth.people import CLASS_OF
from tokensleuth.slackapp.escaping import code, prose
from tokensleuth.slackapp.look import Look, duration
from tokensleuth.slackapp.sentences import NAME, Named, plain_word, scope_text
from tokensleuth.terminal.text import Document, counted, instant, percent, usd, words

MOST_NAMES = 5


def action_class(proposal: ProposalView) -> str | None:
    """None for an action that is on no list: nobody may decide it."""
    return next((kind for name, kind in CLASS_OF.items() if name == proposal.document["action"]), None)


def measure_text(document: Document, name: Named) -> str:
    """The action with its parameters, each made safe by `name`."""
    given = cast(Document, document["parameters"])
    match document["action"]:
        case "set_rate_limit":
            return _rate_limit_text(given, name)
        case "set_budget":
            return f"Set a budget of {usd(given['max_usd'])} a {plain_word(given['period'], name)}"
        case "downgrade_model":
            return f"Answer {name(given['from_model'], NAME)} with {name(given['to_model'], NAME)}"
        case "notify_owner":
            return f"Ask the owner, {name(given['owner'], NAME)}"
        case "mark_expected":
            return f"Call it expected until {instant(given['until'])} UTC"
        case "fix_price":
            return f"Fix the price of {name(given['model'], NAME)}: {name(given['reason'], NAME)}"
        case action:
            return _PLAIN.get(str(action)) or name(action, NAME)


_PLAIN = {"block_key": "Block the key", "revoke_key": "Revoke the key for good"}


def _rate_limit_text(given: Document, name: Named) -> str:
    units = ("tokens_per_minute", "requests_per_minute")
    limits = " and ".join(f"{given[unit]:,} {words(unit)}" for unit in units if given.get(unit))
    model = f" for {name(given['model'], NAME)}" if given.get("model") else ""
    return f"Set a rate limit of {limits}{model}"


def target_text(document: Document, name: Named, most: int = NAME) -> str:
    target = cast(Document, document["target"])
    return scope_text({k: v for k, v in target.items() if k != "gateway"}, name, most)


def gateway_of(document: Document) -> str:
    return str(cast(Document, document["target"])["gateway"])


def consequences(proposal: ProposalView, look: Look) -> Iterator[str]:
    """Lines in mrkdwn: what it brings and costs, whether it lasts, and on what decision it waits."""
    document, kind = proposal.document, action_class(proposal)
    if kind != "tell":
        yield _replayed(document)
        facts = (_reversal(document), _lasts(kind, document, look), _executor(document))
        yield " ".join(filter(None, facts))
    why = prose(document["rationale"], 250)
    yield f"{why[:1].upper()}{why[1:]}."


def waits_for(proposal: ProposalView, look: Look) -> str:
    """How many people it still takes and until when, in mrkdwn; loudly where the list makes it impossible."""
    asked, people = asked_of(proposal), look.rules.people
    approved = {said.decided_by for said in proposal.words if said.verdict == "approve"}
    listed = [n for action in CLASS_OF if action == asked.action for n in people.approvers_of(action)]
    may = [name for name in listed if name not in approved | {asked.requested_by}]
    needed = max(look.rules.people_needed(asked) - len(approved), 1)
    by = f"Decide by {short_text(asked.expires_at)} UTC, in {duration(asked.expires_at - look.now)}."
    names = ", ".join(prose(name, NAME) for name in may[:MOST_NAMES])
    if len(may) < needed:
        missing = f"only {names} is" if names else "nobody is"
        return f"*It takes {needed}, and {missing} on the list: it cannot be approved.* {by}"
    others = f" and {len(may) - MOST_NAMES} others" if len(may) > MOST_NAMES else ""
    why = _why_two(asked) if needed > 1 else ""
    return f"Takes {needed}{' more' if approved else ''} of: {names}{others}{why}. {by}"


def _why_two(asked: Asked) -> str:
    if not asked.reversible:
        return ""
    share = asked.spend_share
    return f" ({'nobody knows how much' if share is None else percent(share)} of all spend is at stake)"


def asked_of(proposal: ProposalView) -> Asked:
    """What the rules of approval look at."""
    document = proposal.document
    share = document["spend_share"]
    return Asked(
        id=proposal.id,
        incident_id=str(document["incident_id"]),
        action=str(document["action"]),
        state=cast(ProposalState, proposal.state),
        round=cast(int, document["round"]),
        payload_hash=str(document["payload_hash"]),
        requested_by=str(document["requested_by"]),
        spend_share=None if share is None else float(str(share)),
        owner=None,
        expires_at=datetime.fromisoformat(str(document["expires_at"])),
        document=document,
    )


def _replayed(document: Document) -> str:
    saving, refused = document["expected_saving_usd_per_day"], document["requests_refused_per_day"]
    if saving is None:
        return "What it would save is not known."
    lost = f"refused *{counted(cast(int, refused), 'request')} a day*" if refused else "refused no request"
    if refused is None:
        lost = "refused requests: how many is not known, the source counts none"
    return f"Over the last week it would have saved *{usd(saving)} a day* and {lost}."


def _reversal(document: Document) -> str:
    if document["reversible"] is True:
        return f"Can be undone ({prose(document['undo'], NAME)})."
    return "*Final: it cannot be undone.*"


def _lasts(kind: str | None, document: Document, look: Look) -> str:
    if kind == "limit" and look.limit_hours:
        return f"Taken back by itself after {look.limit_hours} h."
    return "Stays until somebody undoes it." if document["reversible"] is True else ""


def _executor(document: Document) -> str:
    gateway = gateway_of(document)
    return (
        "*No gateway is set for it, so nothing carries it out.*"
        if gateway == "none"
        else f"By {code(gateway)}."
    )
