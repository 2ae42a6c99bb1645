"""What an undo restores: what was there before, without limits of ours that lie under it and are over."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.executed import Execution, applied_at, executions_of
from tokensleuth.gateways.port import State, same_state


def former_state(casebook: Casebook, applied: Execution, now: datetime) -> State:
    """A limit that was set over another of ours must not bring that one back when it is over itself."""
    former = cast(State, applied.before or {})
    with casebook.reading() as connection:
        under = applied_at(connection, applied)
        taken_back = {e.id: _undo_of(executions_of(connection, e.proposal_id), e) for e in under}
    for earlier in under:
        if not same_state(former, cast(State, earlier.wanted or {})):
            continue
        if not _is_over(earlier, taken_back[earlier.id], now):
            break
        former = cast(State, earlier.before or {})
    return former


def _undo_of(found: Sequence[Execution], applied: Execution) -> Execution | None:
    return next((e for e in found if e.kind == "undo" and e.round == applied.round), None)


def _is_over(applied: Execution, undo: Execution | None, now: datetime) -> bool:
    """Whether its time is over or somebody took it back, and the limit above it was in the way."""
    if undo is None:
        return applied.undo_at is not None and applied.undo_at <= now
    return undo.state in ("blocked", "failed")
