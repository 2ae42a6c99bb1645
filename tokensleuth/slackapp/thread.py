"""What is said in an incident's thread, as it happens; and the details of a proposal for who asks."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, cast

from ledger.window import short_text
from tokensleuth.casebook.executed import Execution
from tokensleuth.casebook.views import IncidentView, ProposalView
from tokensleuth.slackapp.alert import feedback_text, rendered
from tokensleuth.slackapp.blocks import context, lines_section, plain_section, section
from tokensleuth.slackapp.escaping import code, plain, prose
from tokensleuth.slackapp.limits import Block, Part, Rendered, fitted
from tokensleuth.slackapp.look import Look
from tokensleuth.slackapp.measure_words import action_class, asked_of, measure_text, target_text
from tokensleuth.slackapp.sentences import NAME, title
from tokensleuth.slackapp.standing import executed_lines, undone_lines, watched_lines
from tokensleuth.terminal.text import counted, percent

ThreadKind: TypeAlias = Literal["decided", "executed", "undone", "watched", "refused", "feedback", "found"]
LONG = 1000
JSON_WIDTH = 1500


def thread_letter(kind: ThreadKind, body: Mapping[str, object], view: IncidentView, look: Look) -> Rendered:
    """One message of the thread; what it is about is looked up in the view as it is now."""
    lines = _lines(kind, body, view, look)
    first = lines[0].replace("*", "")
    return rendered(f"{first} ({prose(title(view.incident), 160)})", [lines_section(lines)])


def _lines(kind: ThreadKind, body: Mapping[str, object], view: IncidentView, look: Look) -> list[str]:
    match kind:
        case "decided":
            return _decided(body, view, look)
        case "refused":
            about = _about(_proposal(body, view))
            return [f"*NOT DONE:* {about}", prose(body.get("told") or "no reason was given", LONG)]
        case "feedback":
            return _feedback(body, view)
        case "found":
            told = prose(body.get("text") or "late data came in", LONG)
            return [f"*The numbers changed:* {told}", "The message above shows them as they are now."]
        case "executed" | "undone" | "watched":
            return _after(kind, body, view)


def _decided(body: Mapping[str, object], view: IncidentView, look: Look) -> list[str]:
    lines = [f"{prose(body.get('told') or 'it was decided', LONG)}: {_about(_proposal(body, view))}"]
    if body.get("reason"):
        lines.append(f"Because: {prose(body['reason'], LONG)}")
    if body.get("outcome") == "approved":
        lines.append(
            "It is rehearsed next: this is a dry run." if look.dry_run else "It is carried out next."
        )
    return lines


def _after(kind: str, body: Mapping[str, object], view: IncidentView) -> list[str]:
    proposal = _proposal(body, view)
    if proposal is None or proposal.execution is None:
        return [f"{_about(proposal)} was {prose(kind, NAME)}; a later investigation took its place."]
    if kind == "executed":
        lines = list(executed_lines(proposal.execution))
    elif kind == "undone" and proposal.undo:
        lines = list(undone_lines(proposal.undo))
    else:
        lines = list(watched_lines(proposal.watch)) if proposal.watch else ["It is no longer watched."]
    return [lines[0], _about(proposal), *lines[1:]]


def _feedback(body: Mapping[str, object], view: IncidentView) -> list[str]:
    """The row with its end where it is there already, else the letter's own words."""
    given = next((f for f in view.feedback if f.given_by == body.get("by")), None)
    if given is not None and given.verdict == body.get("verdict"):
        return [feedback_text(given)]
    verdict = prose(str(body.get("verdict", "")).replace("-", " "), NAME)
    return [f"*{prose(body.get('by') or 'somebody', NAME)} called it {verdict}*"]


def _proposal(body: Mapping[str, object], view: IncidentView) -> ProposalView | None:
    """By its id or that of one of its executions."""
    wanted = {body.get("proposal_id"), body.get("execution_id")} - {None}
    return next((p for p in view.proposals if wanted & {p.id, *_execution_ids(p)}), None)


def _execution_ids(proposal: ProposalView) -> Sequence[str]:
    return [e.id for e in (proposal.execution, proposal.undo) if e is not None]


def _about(proposal: ProposalView | None) -> str:
    if proposal is None:
        return "a proposal of before"
    document = proposal.document
    return f"{measure_text(document, code)}, {target_text(document, code)}"


def details(proposal: ProposalView, view: IncidentView, look: Look) -> Rendered:
    """Everything a decision is about, in full, for the person who asks."""
    document = proposal.document
    head = f"*{measure_text(document, prose)}*: {target_text(document, code, 260)}"
    asked = asked_of(proposal)
    needed = look.rules.people_needed(asked) if action_class(proposal) else 0
    share = "not known" if asked.spend_share is None else percent(asked.spend_share)
    facts = [
        f"Asked for by {prose(asked.requested_by, NAME)}",
        f"Takes {counted(needed, 'approval')}; expires {short_text(asked.expires_at)} UTC",
        f"Part of all spend of the last 24 h: {share}",
        f"To undo it: {prose(document['undo'], LONG)}",
        f"Why: {prose(document['rationale'], LONG)}",
    ]
    evidence = ", ".join(code(e, 40) for e in cast(Sequence[object], document["evidence"])[:20]) or "none"
    about = (
        f"Evidence: {evidence}; read one with `tokensleuth evidence ID`",
        f"{code(proposal.id)}, round {asked.round}, hash {code(asked.payload_hash[:16])}",
        f"Incident {code(view.id)}",
        *filter(None, [look.link(f"proposals/{proposal.id}", "Open in the inbox")]),
    )
    blocks = fitted(
        [
            Part([section(head), lines_section(facts)], "fact", 0),
            *(Part([block], "part") for block in _documents(document)),
            *(Part([block], "state", 2) for block in _attempts(proposal)),
        ],
        last=[Part([context(*about)], "context", 0)],
        where=context("They are in the inbox and in `tokensleuth proposals --json`"),
    )
    return rendered(f"Details: {measure_text(document, prose)}", blocks)


def _documents(document: Mapping[str, object]) -> list[Block]:
    return [_json_block(name, document[name]) for name in ("target", "parameters")]


def _attempts(proposal: ProposalView) -> list[Block]:
    """What was read before, what was wanted and what was read back: the undo plan."""
    blocks = []
    for execution in (proposal.execution, proposal.undo):
        if execution is not None:
            blocks.append(
                section(f"*{'Undo' if execution.kind == 'undo' else 'Execution'}* {_attempt(execution)}")
            )
            states = {"before": execution.before, "wanted": execution.wanted, "read back": execution.observed}
            blocks += [_json_block(name, state) for name, state in states.items() if state is not None]
    return blocks


def _attempt(execution: Execution) -> str:
    rehearsed = ", dry run" if execution.dry_run else ""
    place = "" if execution.place is None else f" at {code(json.dumps(execution.place), 300)}"
    why = f": {prose(execution.reason, LONG)}" if execution.reason else ""
    return f"{code(execution.id)} by {code(execution.gateway)}{rehearsed}, {execution.state}{place}{why}"


def _json_block(name: str, value: object) -> Block:
    return plain_section(f"{name.capitalize()}: {plain(json.dumps(value, ensure_ascii=False), JSON_WIDTH)}")
