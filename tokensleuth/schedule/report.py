"""What a duty says it did, or that it is too early."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.errors import TokensleuthError


@dataclass(frozen=True, slots=True)
class DutyReport:
    """A sentence for people and figures for programs; kept in the run ledger."""

    note: str
    document: Mapping[str, object] = field(default_factory=dict)
    """Ready for `json.dumps`."""
    gave_up: bool = False
    """A part of it could not be done, and trying again would not help."""


class NotYetError(TokensleuthError):
    """Something is still awaited; no failure, and tried again a little later."""
