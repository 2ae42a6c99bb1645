"""Proposals in a message: the pending ones with their buttons, the decided ones with how they stand."""

from collections.abc import Sequence

from tokensleuth.casebook.views import IncidentView, ProposalView
from tokensleuth.slackapp.blocks import (
    BlockButton,
    Question,
    actions,
    button,
    lines_section,
    plain_section,
    question,
)
from tokensleuth.slackapp.buttons import Verb, button_value
from tokensleuth.slackapp.escaping import code, plain, prose
from tokensleuth.slackapp.limits import Block, Part
from tokensleuth.slackapp.look import Look
from tokensleuth.slackapp.measure_words import (
    action_class,
    asked_of,
    consequences,
    measure_text,
    target_text,
    waits_for,
)
from tokensleuth.slackapp.standing import said_lines, standing
from tokensleuth.terminal.text import Document, counted, usd

MOST_SHOWN = 8
MESSAGE = 500
_ENDED = ("rejected", "expired", "superseded")


def shown_proposals(view: IncidentView) -> Sequence[tuple[int, ProposalView]]:
    """Numbered as in the report; of too many, those that wait or were acted on before those that ended."""
    numbered = list(enumerate(view.proposals, start=1))
    chosen = sorted(numbered, key=lambda n: n[1].state in _ENDED)[:MOST_SHOWN]
    return sorted(chosen, key=lambda n: n[0])


def proposal_part(number: int, proposal: ProposalView, look: Look) -> Part:
    """What is proposed, and either what a decision needs or what became of it."""
    waiting = proposal.state == "pending"
    lines = _waiting(proposal, look) if waiting else standing(proposal)
    blocks = [lines_section([f"*{number}. {_what(proposal)}", *lines])]
    blocks += _message_to_owner(proposal) if waiting else []
    buttons = _pending_buttons(proposal, look) if waiting else _later_buttons(proposal, look)
    block_id = f"proposal:{proposal.id}:{proposal.document['round']}:{proposal.state}:{len(proposal.words)}"
    return Part([*blocks, actions(block_id, buttons)], "proposal")


def _what(proposal: ProposalView) -> str:
    """After a star that it closes: in bold no span of code, whose own stars might close it."""
    document = proposal.document
    return f"{measure_text(document, prose)}*: {target_text(document, code)}"


def _waiting(proposal: ProposalView, look: Look) -> list[str]:
    """The facts of a decision; what somebody said already comes first."""
    if action_class(proposal) is None:
        return ["*This action is on no list of ours: nobody may decide it.*"]
    said = said_lines(proposal.words)
    more = ["Somebody else must approve it too."] if said else []
    return [*said, *more, *consequences(proposal, look), waits_for(proposal, look)]


def _message_to_owner(proposal: ProposalView) -> list[Block]:
    """What the owner would read."""
    parameters = proposal.document["parameters"]
    message = parameters.get("message") if isinstance(parameters, dict) else None
    return [plain_section(f"\u201c{plain(message, MESSAGE)}\u201d")] if message else []


def _pending_buttons(proposal: ProposalView, look: Look) -> list[BlockButton]:
    if action_class(proposal) is None:
        return [_details(proposal, look)]
    rehearsed = " (dry run)" if look.dry_run and action_class(proposal) != "tell" else ""
    final = proposal.document["reversible"] is not True
    approve = button(
        f"Approve{rehearsed}",
        action_id=f"approve:{proposal.id}",
        value=_value("approve", proposal, look),
        style="danger" if final else "primary",
        asks=_asks(proposal, look),
    )
    reject = button("Reject", action_id=f"reject:{proposal.id}", value=_value("reject", proposal, look))
    return [approve, reject, _details(proposal, look)]


def _later_buttons(proposal: ProposalView, look: Look) -> list[BlockButton]:
    if not proposal.can_be_undone:
        return [_details(proposal, look)]
    asks = question(
        "Undo it?",
        plain(f"{measure_text(proposal.document, plain)}: what was before is restored.", 300),
        yes="Undo",
        no="Leave it",
    )
    value = _value("undo", proposal, look)
    return [button("Undo", action_id=f"undo:{proposal.id}", value=value, asks=asks), _details(proposal, look)]


def _details(proposal: ProposalView, look: Look) -> BlockButton:
    value = _value("details", proposal, look)
    return button("Details", action_id=f"details:{proposal.id}", value=value)


def _value(verb: Verb, proposal: ProposalView, look: Look) -> str:
    document = proposal.document
    return button_value(
        verb, proposal.id, int(str(document["round"])), str(document["payload_hash"]), look.key
    )


def _asks(proposal: ProposalView, look: Look) -> Question | None:
    """A dialog before what is final or takes two people."""
    document = proposal.document
    final, needed = document["reversible"] is not True, look.rules.people_needed(asked_of(proposal))
    if not final and needed < 2:
        return None
    title = "This is final" if final else f"This takes {needed} people"
    text = plain(f"{measure_text(document, plain)}: {target_text(document, plain, 40)}", 160)
    told = f"{text}.{_at_stake(document)}{' It cannot be undone.' if final else ''}"
    if needed > 1 and final:
        told += f" It takes {needed} people."
    if look.dry_run:
        told += " Dry run: it is only rehearsed."
    return question(
        title, plain(told, 300), yes="Approve", no="Not now", style="danger" if final else "primary"
    )


def _at_stake(document: Document) -> str:
    refused, saving = document["requests_refused_per_day"], document["expected_saving_usd_per_day"]
    saves = f" Saves {usd(saving)} a day" if saving is not None else ""
    if saves and refused is None:
        return f"{saves}; how many requests it refuses is not known."
    return (
        f"{saves}, refuses {counted(int(str(refused)), 'request')} a day."
        if refused
        else f"{saves}."
        if saves
        else ""
    )
