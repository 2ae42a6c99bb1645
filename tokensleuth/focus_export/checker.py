"""Reads a FOCUS file back and counts what breaks the rules; one pass over the rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from tokensleuth.focus_export.columns import OWN_COLUMNS, FocusVersion, columns_of
from tokensleuth.focus_export.rules import Rule, rules_of
from tokensleuth.focus_export.writer import FileKind

COSTS = ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")
COUNTS = (
    "x_InputTokens", "x_CacheReadTokens", "x_CacheWrite5mTokens", "x_CacheWrite1hTokens", "x_OutputTokens",
    "x_ReasoningTokens", "x_Requests", "x_FailedRequests", "x_RetriedRequests",
)  # fmt: skip
_ROWS = (
    ("usage", "x_TokenClass is not null"),
    ("charges", "x_TokenClass is null"),
    ("unpriced", "x_CostBasis = 'unpriced'"),
    ("billed", "x_CostBasis = 'billed'"),
    ("computed", "x_CostBasis = 'computed'"),
)


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that rows break; those of `waived` have a reason that is told."""

    rule: str
    rows: int
    waived: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What is in a file and what is wrong with it."""

    rules: int
    columns: Sequence[str]
    header: Sequence[str]
    """What is wrong with the columns themselves."""
    rows: int
    kinds: dict[str, int]
    costs: dict[str, Decimal]
    counts: dict[str, int]
    broken: Sequence[Broken]

    @property
    def failures(self) -> tuple[str, ...]:
        """Everything that no waiver covers, as sentences."""
        of_rows = (f"{b.rows - b.waived:,} rows break: {b.rule}" for b in self.broken if b.rows > b.waived)
        return (*self.header, *of_rows)


def check_file(
    connection: duckdb.DuckDBPyConnection, path: Path, kind: FileKind, version: FocusVersion
) -> Checked:
    """Check the file as a reader would find it; `connection` only runs the query."""
    relation = _relation(path, typed=kind == "parquet")
    names = [str(row[0]) for row in connection.execute(f"describe from {relation}").fetchall()]
    header = tuple(_header_faults(names, version))
    rules = list(rules_of(version, typed=kind == "parquet")) if not header else []
    measures = [f"count(*) filter ({sql})" for _, sql in _ROWS]
    measures += [f"coalesce(sum(try_cast({name} as decimal(38, 12))), 0)" for name in COSTS]
    measures += [f"coalesce(sum(try_cast({name} as bigint)), 0)" for name in COUNTS]
    asked = (
        ["count(*)", *measures, *(sql for rule in rules for sql in _counts(rule))]
        if not header
        else ["count(*)"]
    )
    found = connection.execute(f"from {relation} select {', '.join(asked)}").fetchall()[0]
    if header:
        return Checked(0, names, header, int(found[0]), {}, {}, {}, ())
    values = iter(found[1:])
    kinds = {name: int(next(values)) for name, _ in _ROWS}
    costs = {name: Decimal(next(values)) for name in COSTS}
    counts = {name: int(next(values)) for name in COUNTS}
    broken = tuple(Broken(r.name, int(next(values)), int(next(values)), r.reason) for r in rules)
    return Checked(
        len(rules), names, (), int(found[0]), kinds, costs, counts, tuple(b for b in broken if b.rows)
    )


def _relation(path: Path, *, typed: bool) -> str:
    quoted = str(path).replace("'", "''")
    if typed:
        return f"read_parquet('{quoted}')"
    text = "header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', nullstr = ''"
    packed = ", compression = 'gzip'" if ".csv.gz" in path.name else ""
    return f"read_csv('{quoted}', {text}, strict_mode = true{packed})"


def _header_faults(names: Sequence[str], version: FocusVersion) -> Iterator[str]:
    """In both directions: what the version has and what only custom columns may add."""
    wanted = [column.column for column in columns_of(version)]
    own = [column.name for column in OWN_COLUMNS]
    yield from (f"column {name} of FOCUS {version} is missing" for name in wanted if name not in names)
    yield from (f"our column {name} is missing" for name in own if name not in names)
    unknown = [name for name in names if name not in wanted and not name.startswith("x_")]
    yield from (f"{name} is no column of FOCUS {version} and does not begin with x_" for name in unknown)


def _counts(rule: Rule) -> tuple[str, str]:
    waived = f"({rule.broken}) and ({rule.waived})" if rule.waived else "false"
    return f"count(*) filter ({rule.broken})", f"count(*) filter ({waived})"
