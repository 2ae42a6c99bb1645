"""Incidents: the list, one with its chart and report, and the evidence behind its numbers."""

from collections.abc import Sequence
from typing import cast

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import Response

from tokensleuth.casebook import JsonObject
from tokensleuth.casebook.views import IncidentView, read_view
from tokensleuth.incident_chart import page_png
from tokensleuth.web.effects import effect_bars
from tokensleuth.web.parts import WebParts
from tokensleuth.web.reading import PAGE, read_incident_rows
from tokensleuth.web.rendering import page
from tokensleuth.web.report_blocks import report_sections
from tokensleuth.web.shown import cards, execution_told, watch_told
from tokensleuth.web.site import LoggedIn, PartsHere, logged_in

MOST_ROWS = 500
"""Rows of evidence on a page; the rest is in the API."""


def incident_routes() -> APIRouter:
    """`/incidents...` and `/evidence...`."""
    router = APIRouter(dependencies=[Depends(logged_in)])
    router.get("/incidents")(incidents)
    router.get("/incidents/{incident_id}")(incident)
    router.get("/incidents/{incident_id}/chart.png")(chart)
    router.get("/evidence/{evidence_id}")(evidence)
    return router


def incidents(
    request: Request,
    parts: PartsHere,
    after: str | None = None,
) -> Response:
    with parts.casebook.reading() as connection:
        rows = read_incident_rows(connection, after=after)
    shown, last = rows[:PAGE], rows[PAGE - 1]["id"] if len(rows) > PAGE else None
    return page(request, "incidents.html", {"rows": shown, "next": last, "after": after})


def incident(request: Request, incident_id: str, parts: PartsHere, session: LoggedIn) -> Response:
    view = incident_here(parts, incident_id)
    listed = cast(Sequence[JsonObject], view.incident["evidence"])
    context = {
        "view": view,
        "incident": view.incident,
        "bars": effect_bars(view.incident),
        "sections": report_sections(str(view.incident["report"])),
        "cards": cards(view, parts.rules, session, parts.clock()),
        "tools": {str(each["id"]): str(each["tool"]) for each in listed},
        "by": split_by,
        "warnings": warnings_of(view.incident),
        "execution_told": execution_told,
        "watch_told": watch_told,
    }
    return page(request, "incident.html", context)


def chart(incident_id: str, parts: PartsHere, narrow: bool = False) -> Response:
    png = page_png(incident_here(parts, incident_id), narrow=narrow)
    if png is None:
        raise HTTPException(404, f"no hours of {incident_id} were kept to chart")
    return Response(png, media_type="image/png")


def evidence(request: Request, evidence_id: str, parts: PartsHere) -> Response:
    found = parts.casebook.evidence(evidence_id)
    if found is None:
        raise HTTPException(404, f"there is no evidence {evidence_id}")
    rows = cast(Sequence[JsonObject], found["rows"])
    context = {
        "evidence": found,
        "columns": list(dict.fromkeys(name for row in rows for name in row)),
        "rows": rows[:MOST_ROWS],
        "left_out": max(0, len(rows) - MOST_ROWS),
    }
    return page(request, "evidence.html", context)


def incident_here(parts: WebParts, incident_id: str) -> IncidentView:
    """Raises 404 where there is none of that id."""
    with parts.casebook.reading() as connection:
        view = read_view(connection, incident_id, now=parts.clock())
    if view is None:
        raise HTTPException(404, f"there is no incident {incident_id}")
    return view


def split_by(evidence: JsonObject) -> Sequence[str]:
    """The dimensions that a question split its answer by."""
    given = cast(JsonObject, evidence["arguments"]).get("by")
    return [given] if isinstance(given, str) else cast(Sequence[str], given or ())


def warnings_of(incident: JsonObject) -> list[str]:
    """What limits how far its numbers can be trusted."""
    told = []
    if unpriced := cast(int, incident.get("unpriced_tokens", 0)):
        told.append(f"{unpriced:,} tokens have no price and are not in these amounts")
    if claims := cast(int, incident.get("unsupported_claims", 0)):
        told.append(f"{claims:,} claims of the analyst were not backed by evidence and are left out")
    if incident.get("degraded"):
        because = cast(Sequence[str], incident.get("degraded_because", []))
        told += list(because) or ["a configured part failed; this is the reduced analysis"]
    return told
