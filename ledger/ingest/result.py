"""What became of the rows of a file, in the shape of the `ingest --json` contract."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

MAX_ERRORS = 1_000
"""`errors` lists that many; `rejected` counts all."""


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one row, or with `line` None the whole file, was not taken."""

    file: str
    line: int | None
    column: str | None
    value: str | None
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else self.file
        what = f" {self.column}={self.value!r}" if self.column else ""
        return f"{place}:{what} {self.reason}"


@dataclass(frozen=True, slots=True)
class IngestResult:
    """Rows read = new + duplicate + restated + rejected."""

    read: int = 0
    new: int = 0
    duplicate: int = 0
    restated: int = 0
    rejected: int = 0
    charges: int = 0
    """Rows of a bill that are no hourly token usage; counted in new, duplicate and restated too."""
    warnings: tuple[str, ...] = ()
    errors: tuple[RowError, ...] = ()

    def with_warnings(self, *more: str) -> "IngestResult":
        """The same result with warnings added, such as those of pricing."""
        return replace(self, warnings=(*self.warnings, *more))

    def as_json(self) -> dict[str, object]:
        return {
            "read": self.read,
            "new": self.new,
            "duplicate": self.duplicate,
            "restated": self.restated,
            "rejected": self.rejected,
            "charges": self.charges,
            "warnings": list(self.warnings),
            "errors": [
                {"file": e.file, "line": e.line, "column": e.column, "value": e.value, "reason": e.reason}
                for e in self.errors
            ],
        }


def added(results: Iterable[IngestResult]) -> IngestResult:
    """The results of several files as one; warnings said once each, errors up to the limit."""
    every = list(results)
    return IngestResult(
        read=sum(r.read for r in every),
        new=sum(r.new for r in every),
        duplicate=sum(r.duplicate for r in every),
        restated=sum(r.restated for r in every),
        rejected=sum(r.rejected for r in every),
        charges=sum(r.charges for r in every),
        warnings=tuple(dict.fromkeys(w for r in every for w in r.warnings)),
        errors=limited([e for r in every for e in r.errors]),
    )


def limited(errors: Sequence[RowError]) -> tuple[RowError, ...]:
    return tuple(errors[:MAX_ERRORS])
