"""What forms do: approve, reject, undo, feedback; each answers with a page that tells what became of it."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import RedirectResponse, Response

from ledger.window import short_text
from tokensleuth.approvals import Answer, Request, decide
from tokensleuth.casebook.decided import Verdict
from tokensleuth.casebook.feedback import Feedback, FeedbackVerdict
from tokensleuth.casebook.views import incident_of
from tokensleuth.people import Identity
from tokensleuth.tuning.judging import Judgement, judge
from tokensleuth.web.parts import WebParts
from tokensleuth.web.reading import find_proposal
from tokensleuth.web.rendering import redirect_saying
from tokensleuth.web.shown import asked_of
from tokensleuth.web.site import Acting, PartsHere

Hash = Annotated[str, Form(max_length=64)]
Reason = Annotated[str, Form(max_length=500)]


def acting_routes() -> APIRouter:
    """Every POST of the pages."""
    router = APIRouter()
    router.post("/proposals/{proposal_id}/approve")(approve)
    router.post("/proposals/{proposal_id}/reject")(reject)
    router.post("/proposals/{proposal_id}/undo")(undo)
    router.post("/incidents/{incident_id}/feedback")(feedback)
    return router


def approve(
    proposal_id: str,
    parts: PartsHere,
    by: Acting,
    payload_hash: Hash = "",
    reason: Reason = "",
    confirmed: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    if confirmed != "yes" and _is_final(parts, proposal_id):
        return RedirectResponse(f"/proposals/{proposal_id}/confirm", 303)
    return _decided(parts, by, proposal_id, "approve", payload_hash, reason)


def reject(
    proposal_id: str, parts: PartsHere, by: Acting, payload_hash: Hash = "", reason: Reason = ""
) -> Response:
    return _decided(parts, by, proposal_id, "reject", payload_hash, reason)


def undo(proposal_id: str, parts: PartsHere, by: Acting) -> Response:
    refuse_unknown(parts, proposal_id)
    return _told(parts, parts.undo(proposal_id, by))


def feedback(
    incident_id: str,
    parts: PartsHere,
    by: Acting,
    verdict: Annotated[FeedbackVerdict, Form()],
    days: Annotated[int, Form(ge=1, le=7)] = 7,
) -> Response:
    said = Judgement(incident_id, verdict, by, timedelta(days=days))
    judged = judge(parts.casebook, said, parts.rules.people, parts.clock())
    if judged is None:
        raise HTTPException(404, f"there is no incident {incident_id}")
    told = ". ".join(filter(None, [_said(judged.given), judged.told]))
    return redirect_saying(parts, f"/incidents/{incident_id}#feedback", "good", told)


def decided_by(
    parts: WebParts, by: Identity, proposal_id: str, verdict: Verdict, payload_hash: str | None, reason: str
) -> Answer:
    """Through the one door; raises 404 for a proposal there is none of."""
    refuse_unknown(parts, proposal_id)
    request = Request(proposal_id, verdict, by, payload_hash or None, reason.strip() or None)
    return decide(parts.casebook, request, parts.rules, parts.clock())


def refuse_unknown(parts: WebParts, proposal_id: str) -> None:
    """Raises 404."""
    with parts.casebook.reading() as connection:
        if incident_of(connection, proposal_id) is None:
            raise HTTPException(404, f"there is no proposal {proposal_id}")


def _decided(
    parts: WebParts, by: Identity, proposal_id: str, verdict: Verdict, payload_hash: str, reason: str
) -> Response:
    return _told(parts, decided_by(parts, by, proposal_id, verdict, payload_hash, reason))


def _told(parts: WebParts, answer: Answer) -> Response:
    where = f"/incidents/{answer.incident_id}#{answer.proposal_id}" if answer.incident_id else "/"
    if answer.outcome == "refused":
        return redirect_saying(parts, where, "bad", f"Nothing was done: {answer.told}")
    return redirect_saying(parts, where, "good", answer.told)


def _is_final(parts: WebParts, proposal_id: str) -> bool:
    with parts.casebook.reading() as connection:
        view = find_proposal(connection, proposal_id, parts.clock())
    return view is not None and not asked_of(view.document).reversible


def _said(given: Feedback) -> str:
    if given.until_at is not None:
        return f"{given.given_by} expected it: quiet until {short_text(given.until_at)} UTC"
    return f"{given.given_by} said it is {'a real problem' if given.verdict == 'real' else 'not an issue'}"
