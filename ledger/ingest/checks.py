"""SQL that turns a raw column into its value, and says what is wrong where it is none."""

from collections.abc import Callable, Iterator, Sequence

from ledger.ingest.contract import COLUMN, MAX_COST_USD, MAX_COUNT, MAX_TEXT, MEASURES, PARTS, Column
from ledger.ingest.table import Problem
from ledger.money import PICO_PER_USD

_INTEGERS = {
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
}
_FLOATS = {"FLOAT", "DOUBLE"}
INSTANT = r"^\d{4}-\d{2}-\d{2}[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$"
CONTROL_CHARACTERS = r"[\x00-\x1f\x7f]"
TOO_LONG = f"is longer than {MAX_TEXT} characters"
HAS_CONTROL_CHARACTERS = "has control characters"
COUNT = r"^\d{1,12}(\.0+)?$"
_MONEY = r"^\d{1,12}(\.\d*)?([eE][+-]?\d{1,2})?$"


def is_typed(kind: str) -> bool:
    """Whether a Parquet column needs no text parsing."""
    return kind in _INTEGERS or kind in _FLOATS or kind.startswith(("DECIMAL", "TIMESTAMP"))


def accepted_type(column: Column, kind: str) -> bool:
    """Whether a Parquet column of this type can hold the contract's column."""
    if kind == "VARCHAR":
        return True
    match column.kind:
        case "instant":
            return kind == "TIMESTAMP WITH TIME ZONE"
        case "text":
            return kind in _INTEGERS
        case "count" | "optional_count":
            return kind in _INTEGERS or kind in _FLOATS or kind.startswith("DECIMAL")
        case "money":
            return kind in _INTEGERS or kind in _FLOATS or kind.startswith("DECIMAL")


def value_sql(column: Column, kind: str) -> str:
    """The typed value: TIMESTAMP in UTC, BIGINT, or 1e-12 USD; NULL where there is none or it is wrong."""
    raw = f'"{column.name}"'
    match column.kind:
        case "instant":
            typed = raw if is_typed(kind) else f"try_cast(upper({raw}) as timestamptz)"
            return f"make_timestamp(epoch_us({typed}))"
        case "text":
            return f"cast({raw} as varchar)"
        case "count" | "optional_count":
            whole = (
                f"try_cast({raw} as bigint)"
                if kind != "VARCHAR"
                else f"try_cast(split_part({raw}, '.', 1) as bigint)"
            )
            return f"coalesce({whole}, {column.default})" if column.kind == "count" else whole
        case "money":
            return f"try(cast(try_cast({raw} as decimal(38, 12)) * {PICO_PER_USD} as bigint))"


def problems(types: dict[str, str]) -> list[Problem]:
    """Everything to check on one row, in the order in which it is reported."""
    return [*_column_problems(types), *_part_problems(types)]


def problem_sql(found: Sequence[Problem]) -> str:
    """SQL of the number of the first problem of a row, from 1; 0 where there is none."""
    return f"cast(case when false then 0 {problem_cases(found)} else 0 end as usmallint)"


def problem_cases(found: Sequence[Problem], *, after: int = 0) -> str:
    """The branches of a CASE that numbers problems from `after` + 1."""
    return " ".join(f"when {problem.when} then {i}" for i, problem in enumerate(found, start=after + 1))


def _column_problems(types: dict[str, str]) -> Iterator[Problem]:
    for name, kind in types.items():
        column = COLUMN[name]
        yield from _PROBLEMS[column.kind](f'"{name}"', name, kind)


def _instant_problems(raw: str, name: str, kind: str) -> Iterator[Problem]:
    yield Problem(name, f"{raw} is null", "is required")
    value = value_sql(COLUMN[name], kind)
    if not is_typed(kind):
        format_reason = "is not RFC 3339 with an offset; write it as 2026-11-01T09:30:00Z"
        yield Problem(name, f"not regexp_matches({raw}, '{INSTANT}')", format_reason)
        yield Problem(name, f"{value} is null", "is no instant of the calendar")
    else:
        yield Problem(name, f"not isfinite({raw})", "is not a finite instant")
    yield Problem(name, f"{value} < timestamp '2015-01-01'", "is before 2015")
    yield Problem(name, f"{value} > $now + interval 1 hour", "is more than 1 hour in the future")


def _count_problems(raw: str, name: str, kind: str) -> Iterator[Problem]:
    wrong = "is not a whole number of 0 or more"
    if kind == "VARCHAR":
        yield Problem(name, f"not regexp_matches({raw}, '{COUNT}')", f"{wrong} (of at most 12 digits)")
        return
    if kind in _FLOATS:
        yield Problem(name, f"not isfinite({raw}) or {raw} <> floor({raw})", wrong)
    elif kind.startswith("DECIMAL"):
        yield Problem(name, f"{raw} <> floor({raw})", wrong)
    if not kind.startswith("U"):
        yield Problem(name, f"{raw} < 0", "is negative")
    if kind not in {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"}:
        yield Problem(name, f"{raw} > {MAX_COUNT}", f"is over {MAX_COUNT:,}, more than one row can hold")


def _money_problems(raw: str, name: str, kind: str) -> Iterator[Problem]:
    wrong = "is not an amount of 0 or more in USD"
    if kind == "VARCHAR":
        yield Problem(name, f"not regexp_matches({raw}, '{_MONEY}')", wrong)
        raw = f"try_cast({raw} as double)"
    elif kind in _FLOATS:
        yield Problem(name, f"not isfinite({raw})", wrong)
    yield Problem(name, f"{raw} < 0", "is negative")
    yield Problem(name, f"{raw} > {MAX_COST_USD}", f"is over {MAX_COST_USD:,} USD for one row")


def _text_problems(raw: str, name: str, kind: str) -> Iterator[Problem]:
    # The other texts are checked once per distinct scope, in `scopes`.
    if name == "record_id" and kind == "VARCHAR":
        yield Problem(name, f"length({raw}) > {MAX_TEXT}", TOO_LONG)
        yield Problem(name, f"regexp_matches({raw}, '{CONTROL_CHARACTERS}')", HAS_CONTROL_CHARACTERS)


_PROBLEMS: dict[str, Callable[[str, str, str], Iterator[Problem]]] = {
    "instant": _instant_problems,
    "text": _text_problems,
    "count": _count_problems,
    "optional_count": _count_problems,
    "money": _money_problems,
}


def _part_problems(types: dict[str, str]) -> Iterator[Problem]:
    defaults = {column.name: column.default for column in MEASURES}
    for part, whole in PARTS:
        if part in types:
            of = value_sql(COLUMN[whole], types[whole]) if whole in types else str(defaults[whole])
            value = value_sql(COLUMN[part], types[part])
            yield Problem(part, f"{value} > {of}", f"is more than `{whole}`, of which it is a part")
