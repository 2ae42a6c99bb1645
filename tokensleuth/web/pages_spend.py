"""The spend explorer and the audit trail."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from ledger.errors import RefusedError, TokensleuthError
from ledger.scope import DIMENSIONS
from ledger.usage import METRICS
from tokensleuth.casebook.audit import read_anchor
from tokensleuth.web.reading import PAGE, read_trail
from tokensleuth.web.rendering import page
from tokensleuth.web.site import PartsHere, logged_in
from tokensleuth.web.spend import FINER, Spend, asked, spend

Where = Annotated[list[str], Query(default_factory=list, max_length=10)]
Day = Annotated[str | None, Query(alias="from", max_length=10)]


def spend_routes() -> APIRouter:
    """`/spend` and `/audit`."""
    router = APIRouter(dependencies=[Depends(logged_in)])
    router.get("/spend")(explore)
    router.get("/audit")(audit)
    return router


def explore(
    request: Request,
    parts: PartsHere,
    where: Where,
    by: str = "team",
    metric: str = "cost_usd",
    first: Day = None,
    to: str | None = None,
) -> Response:
    """The ledger is open only while this page is made: another process may want it."""
    found: Spend | None = None
    trouble, status = None, 200
    try:
        with parts.ledger() as ledger:
            if extent := ledger.reader.extent():
                pinned = [pair for pair in where if pair]
                question = asked(extent, by=by, metric=metric, first=first, last=to, where=pinned)
                found = spend(ledger.reader, question)
    except TokensleuthError as error:
        trouble, status = str(error), 400 if isinstance(error, RefusedError) else 503
    context = {
        "spend": found,
        "trouble": trouble,
        "dimensions": DIMENSIONS,
        "metrics": METRICS,
        "finer": FINER,
        "given": {"by": by, "metric": metric, "from": first, "to": to, "where": where},
    }
    return page(request, "spend.html", context, status=status)


def audit(
    request: Request,
    parts: PartsHere,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    subject: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    wanted = subject or None
    with parts.casebook.reading() as connection:
        rows = read_trail(connection, before=before, subject=wanted)
        anchor = read_anchor(connection)
    shown, last = rows[:PAGE], rows[PAGE - 1]["number"] if len(rows) > PAGE else None
    context = {"rows": shown, "next": last, "before": before, "anchor": anchor, "subject": wanted}
    return page(request, "audit.html", context)
