"""The message of an incident: facts by code, what can be decided, and the model's words apart."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from ledger.window import short_text
from tokensleuth.casebook.feedback import Feedback
from tokensleuth.casebook.views import IncidentView, ProposalView
from tokensleuth.slackapp.blocks import (
    actions,
    button,
    context,
    divider,
    header,
    image,
    section,
)
from tokensleuth.slackapp.buttons import UNHASHED, Verb, button_value
from tokensleuth.slackapp.escaping import code, plain, prose
from tokensleuth.slackapp.facts import culprits, effects, seen_before, words_of_model
from tokensleuth.slackapp.limits import Block, Part, Rendered, check, fitted
from tokensleuth.slackapp.look import Look
from tokensleuth.slackapp.proposals import proposal_part, shown_proposals
from tokensleuth.slackapp.sentences import (
    NAME,
    doubts,
    title,
    what_happened,
)
from tokensleuth.terminal.text import Document, instant, parts

MOST_EVIDENCE = 4
_TOLD = {
    "unknown": "*OUTCOME UNKNOWN*",
    "failed": "*FAILED*",
    "blocked": "*BLOCKED*",
    "pending": "to decide",
    "approved": "under way",
    "executing": "under way",
}
_IN_ORDER = (
    *("*OUTCOME UNKNOWN*", "*UNDO IN TROUBLE*", "*HURTS*", "*FAILED*", "*BLOCKED*"),
    *(
        "to decide",
        "to be approved by a second person",
        "under way",
        "done",
        "rehearsed",
        "undone",
        "rejected",
        "expired",
        "superseded",
    ),
)
FEEDBACK: Sequence[tuple[Verb, str]] = (
    ("real", "Real"),
    ("expected", "Expected"),
    ("not-an-issue", "Not an issue"),
)


def alert(view: IncidentView, look: Look) -> Rendered:
    """The whole message as it stands now; any incident fits, and what is left out is told."""
    incident = view.incident
    first = Part(list(_first(view, look)), "headline", 0)
    evidence = [
        Part(list(_chart(incident, look)), "chart", 2),
        Part(list(effects(incident)), "table of effects", 2),
        Part(list(culprits(incident)), "list of culprits", 3),
        Part(list(seen_before(incident)), "line on earlier incidents", 4),
        Part(list(words_of_model(incident)), "section of the model", 5),
    ]
    proposals = [proposal_part(number, proposal, look) for number, proposal in shown_proposals(view)]
    hidden = len(view.proposals) - len(proposals)
    if proposals:
        proposals[0] = Part([divider(), *proposals[0].blocks], "proposal")
    last = Part([divider(), _feedback(view, look), _context(view, look)], "context", 0)
    blocks = fitted(
        [first, *evidence, *proposals],
        last=[last],
        where=context(_where(view.id, look)),
        missing={"proposal": hidden} if hidden else {},
    )
    return rendered(_text(view, look), blocks)


def rendered(text: str, blocks: Sequence[Block]) -> Rendered:
    """The message, checked; raises ValueError where it breaks a limit."""
    check(blocks, text)
    return Rendered(text, list(blocks))


def _text(view: IncidentView, look: Look) -> str:
    """What a notification shows."""
    told = [title(view.incident), stands(view).replace("*", ""), "dry run" if look.dry_run else ""]
    return prose("; ".join(filter(None, told)), 1000)


def stands(view: IncidentView) -> str:
    """How many proposals wait, and what became of the others; trouble first and loud."""
    states = Counter(_stands(proposal) for proposal in view.proposals)
    others = [told for told in states if told not in _IN_ORDER]
    return ", ".join(f"{states[told]} {told}" for told in (*_IN_ORDER, *others) if told in states)


def _stands(proposal: ProposalView) -> str:
    if proposal.undo is not None:
        return {"done": "undone", "executing": "under way"}.get(proposal.undo.state, "*UNDO IN TROUBLE*")
    if proposal.watch is not None and (proposal.watch.result or {}).get("hurts") is True:
        return "*HURTS*"
    if proposal.state == "done" and proposal.execution is not None and proposal.execution.dry_run:
        return "rehearsed"
    if proposal.state == "pending" and proposal.words:
        return "to be approved by a second person"
    return _TOLD.get(proposal.state, proposal.state)


def _first(view: IncidentView, look: Look) -> Iterator[Block]:
    incident = view.incident
    yield header(title(incident))
    now = stands(view) or "nothing is proposed"
    yield section(f"{look.mentions}{what_happened(incident)}\n*Now:* {now}.")
    notices = [f"*Mind:* {'; '.join(told)}."] if (told := list(doubts(incident))) else []
    if look.late:
        notices.append(f"*This alert is {look.late} late.*")
    if look.dry_run:
        notices.append("*Dry run:* what is approved is rehearsed, and nothing is changed anywhere.")
    if notices:
        yield context(*notices)


def _chart(incident: Document, look: Look) -> Iterator[Block]:
    if look.chart_file is not None:
        told = f"Chart of dollars per hour, actual against expected. {title(incident)}"
        yield image(look.chart_file, plain(told, 500))


def _feedback(view: IncidentView, look: Look) -> Block:
    buttons = [
        button(
            label,
            action_id=f"{verb}:{view.id}",
            value=button_value(verb, view.id, 0, UNHASHED, look.key),
        )
        for verb, label in FEEDBACK
    ]
    return actions(f"feedback:{view.id}:{len(view.feedback)}", buttons)


def feedback_text(given: Feedback) -> str:
    """`alice called it expected at ..., until ...`."""
    until = f", not alerted of until {short_text(given.until_at)} UTC" if given.until_at else ""
    verdict = given.verdict.replace("-", " ")
    at = short_text(given.given_at)
    return f"*{prose(given.given_by, NAME)} called it {verdict}* at {at} UTC{until}"


def _context(view: IncidentView, look: Look) -> Block:
    said = feedback_text(view.feedback[0]) if view.feedback else "Is it real? Say so with the buttons above."
    incident = view.incident
    ids = [str(e["id"]) for e in parts(incident, "evidence")]
    named = dict.fromkeys(chain.from_iterable(_cited(c) for c in parts(incident, "culprits")))
    told = [code(i, 40) for i in [*named, *(i for i in ids if i not in named)][:MOST_EVIDENCE]]
    more = f" and {len(ids) - len(told)} more" if len(ids) > len(told) else ""
    link = look.link(f"incidents/{view.id}", "Open in the inbox")
    as_of = f"as investigated {instant(incident['saved_at'])} UTC" if "saved_at" in incident else ""
    about = ", ".join(filter(None, [code(view.id, 70), as_of, link]))
    evidence = (
        f"Evidence: {', '.join(told)}{more}; read one with `tokensleuth evidence ID`"
        if told
        else "No evidence."
    )
    return context(said, about, evidence)


def _cited(culprit: Document) -> list[str]:
    found = culprit["evidence"]
    return [str(i) for i in found] if isinstance(found, list) else []


def _where(incident_id: str, look: Look) -> str:
    link = look.link(f"incidents/{incident_id}", "All of it is in the inbox")
    return link or "All of it: `tokensleuth proposals`, `tokensleuth incidents`"
