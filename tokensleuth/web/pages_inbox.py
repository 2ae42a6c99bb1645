"""The first page: what waits for a decision, and what was decided lately."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from tokensleuth.casebook.notices import open_notices
from tokensleuth.casebook.views import incident_of
from tokensleuth.people import CLASS_OF
from tokensleuth.web.parts import WebParts
from tokensleuth.web.reading import find_proposal, is_empty, read_inbox
from tokensleuth.web.rendering import page
from tokensleuth.web.shown import card, cards, execution_told, watch_told
from tokensleuth.web.site import LoggedIn, PartsHere, logged_in

ALL_CLASSES = tuple(dict.fromkeys(CLASS_OF.values()))


def inbox_routes() -> APIRouter:
    """`/`, and the page that asks once more before what is final."""
    router = APIRouter(dependencies=[Depends(logged_in)])
    router.get("/")(inbox)
    router.get("/proposals/{proposal_id}")(proposal)
    router.get("/proposals/{proposal_id}/confirm")(confirm)
    return router


def inbox(request: Request, parts: PartsHere, session: LoggedIn) -> Response:
    now = parts.clock()
    with parts.casebook.reading() as connection:
        found, empty = read_inbox(connection, now), is_empty(connection)
        notices = open_notices(connection)
    groups = [
        (view, [c for c in cards(view, parts.rules, session, now) if c.is_open]) for view in found.waiting
    ]
    context = {
        "groups": groups,
        "waiting": sum(len(open_cards) for _, open_cards in groups),
        "more": found.more,
        "decided": [card(view, parts.rules, session, now) for view in found.decided],
        "unnamed": classes_without_approver(parts),
        "is_empty": empty,
        "notices": notices,
        "nobody": not parts.rules.people.approvers,
        "execution_told": execution_told,
        "watch_told": watch_told,
    }
    return page(request, "inbox.html", context)


def proposal(proposal_id: str, parts: PartsHere) -> Response:
    """Where links of messages lead: its place on the page of its incident."""
    with parts.casebook.reading() as connection:
        incident_id = incident_of(connection, proposal_id)
    if incident_id is None:
        raise HTTPException(404, f"there is no proposal {proposal_id}")
    return RedirectResponse(f"/incidents/{incident_id}#{proposal_id}", 303)


def confirm(request: Request, proposal_id: str, parts: PartsHere, session: LoggedIn) -> Response:
    """What cannot be undone is approved on a page of its own."""
    now = parts.clock()
    with parts.casebook.reading() as connection:
        view = find_proposal(connection, proposal_id, now)
    if view is None:
        raise HTTPException(404, f"there is no proposal {proposal_id}, or it is not proposed any more")
    return page(request, "confirm.html", {"card": card(view, parts.rules, session, now)})


def classes_without_approver(parts: WebParts) -> Sequence[str]:
    """Classes of actions that nobody may decide on."""
    held = {each for approver in parts.rules.people.approvers for each in approver.may}
    return [name for name in ALL_CLASSES if name not in held]
