"""The JSON API: the same answers and the same one door, with a bearer token instead of a cookie."""

import hmac
from typing import Annotated, cast

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from playbooks import ActionName
from tokensleuth.approvals import Answer
from tokensleuth.casebook import JsonObject, ProposalState
from tokensleuth.casebook.audit import read_anchor
from tokensleuth.people import CLASS_OF, Identity, token_digest
from tokensleuth.web.acts import decided_by, refuse_unknown
from tokensleuth.web.pages_incidents import incident_here
from tokensleuth.web.parts import WebParts
from tokensleuth.web.reading import PAGE, find_proposal, read_incident_rows, read_trail
from tokensleuth.web.site import PartsHere, site_of

_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Decided(BaseModel):
    """The body of a decision."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    payload_hash: str = Field(max_length=64)
    """Of the proposal as it was read: what has changed since is refused."""
    reason: str = Field(default="", max_length=500)


async def reader(request: Request) -> Identity | None:
    """Who may read: a holder of a web token, or of the guest token, who is nobody. Raises 401."""
    parts = site_of(request).parts
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    holder = parts.rules.people.holder_of(token) if scheme.lower() == "bearer" else None
    if holder is None and not _is_guest(parts, scheme, token):
        raise HTTPException(401, "send the header Authorization: Bearer TOKEN", _CHALLENGE)
    return holder


async def decider(holder: Annotated[Identity | None, Depends(reader)]) -> Identity:
    """Who may act; raises 403 for a guest."""
    if holder is None:
        raise HTTPException(403, "the guest token can look at everything and do nothing")
    return holder


Decider = Annotated[Identity, Depends(decider)]


def api_routes() -> APIRouter:
    """`/api/v1`."""
    router = APIRouter(prefix="/api/v1", dependencies=[Depends(reader)], default_response_class=JSONResponse)
    _add_reading(router)
    _add_acting(router)
    return router


def _add_reading(router: APIRouter) -> None:

    router.get("/proposals")(proposals)
    router.get("/incidents")(incidents)
    router.get("/incidents/{incident_id}")(incident)
    router.get("/evidence/{evidence_id}")(evidence)
    router.get("/audit")(audit)


def proposals(parts: PartsHere, state: ProposalState | None = None) -> JsonObject:
    return {"items": parts.casebook.proposals(state, now=parts.clock())}


def incidents(parts: PartsHere, after: str | None = None) -> JsonObject:
    with parts.casebook.reading() as connection:
        rows = read_incident_rows(connection, after=after)
    more = len(rows) > PAGE
    return {"items": rows[:PAGE], "next_after": rows[PAGE - 1]["id"] if more else None}


def incident(parts: PartsHere, incident_id: str) -> JsonObject:
    return incident_here(parts, incident_id).as_json()


def evidence(parts: PartsHere, evidence_id: str) -> JsonObject:
    found = parts.casebook.evidence(evidence_id)
    if found is None:
        raise HTTPException(404, f"there is no evidence {evidence_id}")
    return found


def audit(
    parts: PartsHere,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    subject: Annotated[str | None, Query(max_length=64)] = None,
) -> JsonObject:
    with parts.casebook.reading() as connection:
        rows, anchor = read_trail(connection, before=before, subject=subject), read_anchor(connection)
    more = len(rows) > PAGE
    following = rows[PAGE - 1]["number"] if more else None
    return {"items": rows[:PAGE], "next_before": following, "anchor": str(anchor)}


def _add_acting(router: APIRouter) -> None:

    router.post("/proposals/{proposal_id}/approve")(approve)
    router.post("/proposals/{proposal_id}/reject")(reject)
    router.post("/proposals/{proposal_id}/undo")(undo)


def approve(parts: PartsHere, by: Decider, proposal_id: str, body: Decided) -> JSONResponse:
    answer = decided_by(parts, by, proposal_id, "approve", body.payload_hash, body.reason)
    return _answered(parts, by, answer)


def reject(parts: PartsHere, by: Decider, proposal_id: str, body: Decided) -> JSONResponse:
    answer = decided_by(parts, by, proposal_id, "reject", body.payload_hash, body.reason)
    return _answered(parts, by, answer)


def undo(parts: PartsHere, by: Decider, proposal_id: str) -> JSONResponse:
    refuse_unknown(parts, proposal_id)
    return _answered(parts, by, parts.undo(proposal_id, by))


def _answered(parts: WebParts, by: Identity, answer: Answer) -> JSONResponse:
    """A refusal is 403 for who is not on the list of such actions, else 409."""
    if answer.outcome != "refused":
        return JSONResponse(answer.as_json())
    with parts.casebook.reading() as connection:
        view = find_proposal(connection, answer.proposal_id, parts.clock())
    action = cast(ActionName, view.document["action"]) if view else None
    listed = action is None or (action in CLASS_OF and parts.rules.people.may(by, action))
    return JSONResponse({"error": answer.told, **answer.as_json()}, 409 if listed else 403)


def _is_guest(parts: WebParts, scheme: str, token: str) -> bool:
    guest = parts.guest_token
    if guest is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(token_digest(token), token_digest(guest))
