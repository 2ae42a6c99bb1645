"""How a proposal stands, in lines: decided, carried out, verified, watched, undone; trouble is loud."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import assert_never

from ledger.window import short_text
from tokensleuth.casebook.decided import Said
from tokensleuth.casebook.executed import Execution
from tokensleuth.casebook.views import ProposalView
from tokensleuth.casebook.watches import Watch
from tokensleuth.slackapp.escaping import code, prose
from tokensleuth.slackapp.sentences import NAME
from tokensleuth.terminal.text import percent, usd, words

REASON = 300
MOST_FIELDS = 4
MOST_WORDS = 4
_BY_ITSELF = "service:expiry"
_READ_BACK = "done, and "
"""How the executor opens what it verified; the line says so itself."""


def standing(proposal: ProposalView) -> list[str]:
    """All lines in mrkdwn, in the order in which it happened."""
    lines = said_lines(proposal.words)
    match proposal.state:
        case "expired":
            lines.append("*Expired*, nobody decided in time. Investigate again to have it proposed anew.")
        case "superseded":
            lines.append("Not proposed any more: a later investigation found something else.")
        case "approved":
            lines.append("Approved; it is carried out next.")
    if proposal.execution:
        lines += executed_lines(proposal.execution)
    elif proposal.state in ("executing", "done", "failed", "unknown", "blocked"):
        lines.append(f"It is *{proposal.state}*.")
    if proposal.undo:
        lines += undone_lines(proposal.undo)
    if proposal.watch:
        lines += watched_lines(proposal.watch)
    return lines


def said_lines(words: Sequence[Said]) -> list[str]:
    """The latest words; of more it is told how many."""
    before = len(words) - MOST_WORDS
    told = [f"{before} more said something before."] if before > 0 else []
    return told + [said_text(said) for said in words[-MOST_WORDS:]]


def said_text(said: Said) -> str:
    """`alice approved at 2026-11-22 17:02 UTC: because`."""
    verb = "approved" if said.verdict == "approve" else "rejected"
    why = f": {prose(said.reason, REASON)}" if said.reason else ""
    return f"*{prose(said.decided_by, NAME)} {verb}* at {short_text(said.decided_at)} UTC{why}"


def executed_lines(execution: Execution) -> Iterator[str]:
    at = short_text(execution.finished_at or execution.started_at)
    why = prose(execution.reason or "no reason was given", REASON)
    match execution.state:
        case "executing":
            yield f"Being carried out since {at} UTC."
        case "done" if execution.dry_run:
            yield f"*Rehearsed* at {at} UTC, nothing was changed. It would: {why}"
        case "done":
            yield _done("Done", execution, f"{at} UTC")
        case "failed":
            yield f"*FAILED* at {at} UTC: {why}"
        case "blocked":
            yield f"*BLOCKED, nothing was done* at {at} UTC: {why}"
        case "unknown":
            yield f"*OUTCOME UNKNOWN* at {at} UTC: it may be changed or not; {why}"
            yield "Look at the gateway now; it is not tried again by itself."
        case _:
            assert_never(execution.state)
    if execution.state == "done" and execution.undo_at:
        yield f"Taken back by itself at {short_text(execution.undo_at)} UTC."


def undone_lines(undo: Execution) -> Iterator[str]:
    at = short_text(undo.finished_at or undo.started_at)
    by = (
        "its time was over"
        if undo.requested_by == _BY_ITSELF
        else f"asked by {prose(undo.requested_by, NAME)}"
    )
    why = prose(undo.reason or "no reason was given", REASON)
    match undo.state:
        case "executing":
            yield f"Being undone since {at} UTC, {by}."
        case "done":
            yield _done("Undone", undo, f"{at} UTC, {by}")
        case "failed":
            yield f"*UNDO FAILED* at {at} UTC, {by}: {why}"
        case "blocked":
            yield f"*UNDO REFUSED, nothing was changed* at {at} UTC, {by}: {why}"
        case "unknown":
            yield f"*OUTCOME OF THE UNDO UNKNOWN* at {at} UTC, {by}. {why} Look at the gateway now."
        case _:
            assert_never(undo.state)


def watched_lines(watch: Watch) -> Iterator[str]:
    seen = watch.result or {}
    match watch.state:
        case "watching":
            back = " It is back to normal so far." if seen.get("returned") is True else ""
            yield f"Watched until {short_text(watch.until_at)} UTC.{back}"
        case "returned":
            yield "*Usage is back to normal.*"
        case "not_returned":
            yield "*Usage is NOT back to normal* at the end of the watch: look at it again."
        case "no_data":
            yield "No usage came in while it was watched: nobody can say whether it helped."
        case "undone":
            yield "No longer watched, because it was undone."
        case _:
            assert_never(watch.state)
    yield from _saved(seen)
    if seen.get("hurts") is True:
        now, before = percent(seen.get("failed_share_after")), percent(seen.get("failed_share_before"))
        yield f"*IT HURTS:* {now} of the requests fail, {before} did before. Think of undoing it."


def _saved(seen: Mapping[str, object]) -> Iterator[str]:
    """Realised against predicted; nothing before the first hour."""
    if (saved := seen.get("saved_usd_per_day")) is None:
        return
    amount = Decimal(str(saved))
    told = f"Saves *{usd(amount)} a day*" if amount >= 0 else f"Costs *{usd(-amount)} a day more* than before"
    predicted = seen.get("predicted_usd_per_day")
    against = "" if predicted is None else f", {usd(predicted)} was predicted"
    yield f"{told} over {seen.get('hours', 0)} h{against}."


def _done(verb: str, execution: Execution, when: str) -> str:
    """With what was read before and read back after, field by field."""
    why = prose((execution.reason or "").removeprefix(_READ_BACK), REASON)
    before, after = execution.before, execution.observed
    if not before or after is None:
        return f"*{verb}* at {when}: {why}"
    names = [n for n in dict.fromkeys([*before, *after]) if before.get(n) != after.get(n)]
    told = [f"{prose(words(n), NAME)} {_value(before.get(n))} to {_value(after.get(n))}" for n in names]
    more = f"; {len(told) - MOST_FIELDS} more" if len(told) > MOST_FIELDS else ""
    changed = f" ({'; '.join(told[:MOST_FIELDS])}{more})" if told else ""
    return f"*{verb} and verified* at {when}: {why}{changed}"


def _value(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case _:
            return code(value, NAME)
