"""What a duty says it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DutyReport:
    """A sentence for people and figures for programs; kept in the run ledger."""

    note: str
    document: Mapping[str, object] = field(default_factory=dict)
    """Ready for `json.dumps`."""
