"""The project that a culprit is, for gateways that limit the models of whole projects and nothing smaller."""

from datetime import timedelta

from agent.measures import Gateway
from agent.reach import BY_PROJECT
from ledger.reader import Reader
from ledger.scope import UNALLOCATED, Scope
from ledger.window import Window

_LATELY = timedelta(weeks=4)


def with_its_project(reader: Reader, scope: Scope, gateway: Gateway, window: Window) -> Scope:
    """The scope with its project pinned, where that project's use of the model is the scope's and no more.

    Looked at over the window and four weeks before; where somebody else works in the project with the model,
    a limit would hit them too, so the scope stays as it is.
    """
    pinned = scope.as_dict()
    if gateway not in BY_PROJECT or "project" in pinned or "model" not in pinned:
        return scope
    lately = Window(window.start_at - _LATELY, window.end_at)
    inside = reader.totals([lately], by=["project"], where=scope)
    if len(inside) != 1:
        return scope
    ((found, ours),) = inside.items()
    project = found.as_dict()["project"]
    whole = Scope.of([("project", project), ("model", pinned["model"])])
    everybody = reader.totals([lately], by=["project"], where=whole)
    alone = project != UNALLOCATED and list(everybody.values()) == [ours]
    return scope.with_value("project", project) if alone else scope
