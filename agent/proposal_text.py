"""Proposals as lines of a report, in the words of the terminal."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from agent.escaping import escaped
from agent.finding import Proposal
from agent.measures import (
    BlockKey,
    DowngradeModel,
    FixPrice,
    MarkExpected,
    Measure,
    NotifyOwner,
    RevokeKey,
    SetBudget,
    SetRateLimit,
)
from agent.reasons import capital, words
from agent.rendering import Piece, Ref, Text, named_scope
from ledger.window import short_text


def proposal_lines(proposals: Sequence[Proposal]) -> Iterator[Text]:
    """A numbered line for each: what and on whom, what it would have brought, why, and its id."""
    if not proposals:
        yield ("Nothing is proposed.",)
    for i, proposal in enumerate(proposals, start=1):
        what = f"{capital(_action(proposal.measure))}: {escaped(named_scope(proposal.target.scope))}"
        rationale = f" {capital(escaped(proposal.rationale))}. ({proposal.id})"
        yield (f"{i}. {what}.", *_consequences(proposal), rationale)


def _action(measure: Measure) -> str:
    """A measure with its parameters, in the words of the terminal."""
    match measure:
        case SetRateLimit(tokens_per_minute=tokens, requests_per_minute=requests, model=model):
            limits = {"tokens": tokens, "requests": requests}
            told = " and ".join(f"{n:,} {unit} per minute" for unit, n in limits.items() if n)
            return f"set rate limit to {told}{f' for {escaped(model)}' if model else ''}"
        case SetBudget(max_usd=amount, period=period):
            return f"set budget of ${amount:,} a {period}"
        case DowngradeModel(from_model=old, to_model=new):
            return f"downgrade model from {escaped(old)} to {escaped(new)}"
        case FixPrice(model=model, reason=reason):
            return f"fix price of {escaped(model)}, {escaped(reason)}"
        case NotifyOwner(owner=owner):
            return f"notify owner {escaped(owner)}"
        case MarkExpected(until=until):
            return f"mark expected until {short_text(until)} UTC"
        case BlockKey() | RevokeKey():
            return words(measure.action)
        case _:
            assert_never(measure)


def _consequences(proposal: Proposal) -> Iterator[Piece]:
    """What it would have brought and refused over the last week, and that it is final where it is."""
    if proposal.expected_saving_usd_per_day is not None and proposal.evidence:
        replay = proposal.evidence[0]
        yield from (" Over the last week it would have saved ", Ref(replay, "saving_usd_per_day", "usd"))
        if proposal.requests_refused_per_day:
            refused = Ref(replay, "requests_refused_per_day", "count")
            yield from (" and refused ", refused, " requests")
        yield f" a day ({replay})."
        if proposal.requests_refused_per_day is None:
            yield " How many requests it would have refused is not known: the source counts none."
    if not proposal.reversible:
        yield " It cannot be undone."
