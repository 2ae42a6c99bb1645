"""Labelled incidents: read from a file, and what a run hit, missed and told falsely by them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from detectors.incidents import Incident
from ledger.errors import RefusedError
from ledger.scope import Scope
from ledger.window import Window
from tokensleuth.matching import SharedSpend


@dataclass(frozen=True, slots=True)
class Label:
    """Something that truly happened, or that a person called an incident."""

    scope: Scope
    window: Window
    kind: str | None = None

    def tells_of(self, incident: Incident, shared: SharedSpend) -> bool:
        """Whether they overlap in time and share spend; a label has no direction."""
        return self.window.overlap(incident.window) is not None and shared.of(self.scope, incident.scope)


class _Written(BaseModel):
    """A label as a file has it; other fields are let be, so that the incidents of `detect` can be labels."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    scope: dict[str, str]
    start_at: AwareDatetime
    end_at: AwareDatetime
    kind: str | None = Field(default=None, validation_alias=AliasChoices("kind", "cause"))

    def as_label(self) -> Label:
        scope = Scope.parse(f"{dimension}={value}" for dimension, value in self.scope.items())
        return Label(scope, Window(self.start_at.astimezone(UTC), self.end_at.astimezone(UTC)), self.kind)


_LABELS = TypeAdapter(list[_Written])
_RIGHT = '[{"scope": {"team": "search"}, "start_at": "2026-11-03T14:00:00Z", "end_at": "..."}]'


def read_labels(path: Path) -> tuple[Label, ...]:
    """The labels of a JSON file; raises RefusedError that names the file and what is wrong in it."""
    try:
        written = _LABELS.validate_python(json.loads(path.read_text("utf-8")))
        return tuple(label.as_label() for label in written)
    except OSError as error:
        raise RefusedError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(str(part) for part in wrong["loc"]) or "the document"
        raise RefusedError(f"{path}: {place}: {wrong['msg'].lower()}; labels are {_RIGHT}") from None
    except ValueError as error:
        raise RefusedError(f"{path}: not JSON: {error}; labels are {_RIGHT}") from None
    except RefusedError as error:
        raise RefusedError(f"{path}: {error}") from None


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How one run fares by the labels of its range."""

    hits: tuple[bool, ...]
    """Of each label, whether at least one incident tells of it."""
    false_alarms: tuple[bool, ...]
    """Of each incident, whether no label tells of it."""

    @property
    def precision(self) -> float | None:
        """Share of the incidents that a label tells of; None without incidents."""
        return 1 - sum(self.false_alarms) / len(self.false_alarms) if self.false_alarms else None

    @property
    def recall(self) -> float | None:
        """Share of the labels that were hit; None without labels."""
        return sum(self.hits) / len(self.hits) if self.hits else None


def score_by_labels(
    incidents: Sequence[Incident], labels: Sequence[Label], shared: SharedSpend
) -> LabelScore:
    """Several incidents may tell of one label, and one incident of several labels."""
    told = [[label.tells_of(incident, shared) for label in labels] for incident in incidents]
    return LabelScore(
        hits=tuple(any(row[i] for row in told) for i in range(len(labels))),
        false_alarms=tuple(not any(row) for row in told),
    )
