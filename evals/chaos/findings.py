"""What a trial left behind, and what is found wrong with it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, select

from evals.chaos.clicks import Acknowledged
from evals.chaos.incidents import Case
from evals.fake_litellm_journal import Write
from evals.fake_litellm_state import Row
from evals.fake_workspace import Answer
from tokensleuth.casebook.schema_acts import inbox


@dataclass(slots=True)
class Findings:
    """What went wrong, by kind, and what is only counted."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    """Slack messages that came twice."""
    others: list[str] = field(default_factory=list)
    """Order, audit, states, undo."""
    loud: Counter[str] = field(default_factory=Counter)
    """Executions that ended otherwise than done, and were told so."""
    repeated_writes: int = 0
    """Of a state that was there already: no second effect."""
    whispers_given_up: int = 0
    """Answers to one person that may or may not have gone out before a death: never sent again."""
    decisions: int = 0
    effects: int = 0
    messages: int = 0

    @property
    def violations(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.duplicates, *self.others]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a finished trial left behind."""

    connection: Connection
    case: Case
    acknowledged: Sequence[Acknowledged]
    writes: Sequence[Write]
    """Those at the proxy that were applied."""
    keys: Mapping[str, Row]
    effects: Sequence[Answer]
    """Those at Slack."""

    @property
    def clicks(self) -> Sequence[RowMapping]:
        """All that came in, be it that nobody was told so."""
        return self.connection.execute(select(inbox)).mappings().all()
