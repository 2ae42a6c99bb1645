"""Evidence: the stored answer of one tool call, and the boundary at which tools are called."""

import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, JsonValue

from ledger.ids import fact_id
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tools.answer import Status, ToolAnswer

log = logging.getLogger(__name__)

StoredRow = dict[str, Decimal | int | float | str | dict[str, str] | None]


class Evidence(BaseModel):
    """What a tool answered; the arguments say all that was asked, so the id names the question."""

    model_config = ConfigDict(frozen=True)

    id: str
    tool: str
    arguments: dict[str, JsonValue]
    status: Status
    window: Window
    baseline: tuple[Window, ...] = ()
    where: Scope = EVERYTHING
    rows: tuple[StoredRow, ...] = ()
    facts: dict[str, Decimal | int | float | str] = {}

    def number(self, name: str) -> float | None:
        """A fact as a number; None where it is not defined or is text."""
        value = self.facts.get(name)
        return None if value is None or isinstance(value, str) else float(value)

    def as_json(self) -> dict[str, JsonValue]:
        """The entry of `investigate --json`."""
        return {
            "id": self.id,
            "tool": self.tool,
            "arguments": self.arguments,
            "status": self.status,
            "rows": len(self.rows),
        }


def stored(given: ToolAnswer) -> Evidence:
    """Keep a tool's answer as evidence."""
    return Evidence(
        id=given.id,
        tool=given.tool,
        arguments=_json_arguments(given.arguments),
        status=given.status,
        window=given.window,
        baseline=given.baseline,
        where=given.where,
        rows=tuple(
            {k: dict(v) if isinstance(v, Mapping) else v for k, v in row.items()} for row in given.rows
        ),
        facts={k: v for k, v in given.facts.items() if v is not None},
    )


def call_tool(name: str, ask: Callable[[], ToolAnswer], *, window: Window, where: Scope) -> Evidence:
    """Call a tool; whatever it raises becomes evidence with status `failed`, and the traceback is logged."""
    try:
        return stored(ask())
    except Exception:  # the tool-call boundary: one failing tool must not sink the investigation
        log.exception("tool %s failed on %s, %s", name, where, window)
        arguments = {"window": window.as_json(), "where": dict(where.items)}
        return Evidence(
            id=fact_id("ev", name, arguments),
            tool=name,
            arguments=_json_arguments(arguments),
            status="failed",
            window=window,
            where=where,
        )


def names_in(evidence: Sequence[Evidence]) -> frozenset[str]:
    """Every value of a dimension that a tool answered or was asked about."""
    found = {v for e in evidence for _, v in e.where.items}
    for row in (row for e in evidence for row in e.rows):
        for value in row.values():
            found |= (
                {value}
                if isinstance(value, str)
                else set(value.values())
                if isinstance(value, dict)
                else set()
            )
    return frozenset(found)


def _json_arguments(arguments: Mapping[str, object]) -> dict[str, JsonValue]:
    """Plain JSON values of a call's arguments."""
    plain: dict[str, JsonValue] = {}
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            plain[name] = {str(k): str(v) for k, v in value.items()}
        elif isinstance(value, (list, tuple)):
            plain[name] = [str(v) for v in value]
        elif value is None or isinstance(value, (str, int, float)):
            plain[name] = value
        else:
            raise TypeError(f"argument {name} of a tool is a {type(value).__name__}, which is not JSON")
    return plain
