"""Which team owns what a source tells: the owner map's globs are held against ids and against names."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import product

from ledger.ingest.scopes import Attribution, Owned
from ledger.owners import OwnerRule
from ledger.pulled import Names
from ledger.scope import UNALLOCATED
from tokensleuth.connectors.port import Line, Name, Report

GATEWAY = "litellm"
"""A gateway's keys have one name, whichever provider their requests go to."""
_DIMENSIONS = ("project", "key_id", "user")


def named_owners(rules: Sequence[OwnerRule], names: Names) -> Callable[[Owned], str]:
    """The team of the first rule whose globs match, each the id or the name; else UNALLOCATED."""

    def team_of(owned: Owned) -> str:
        choices = [_called(names, owned.provider, d, getattr(owned, d)) for d in _DIMENSIONS]
        for rule in rules:
            if any(rule.matches(owned.provider, *facts) for facts in product(*choices)):
                return rule.team
        return UNALLOCATED

    return team_of


def with_names(attribution: Attribution, rules: Sequence[OwnerRule], names: Names) -> Attribution:
    return replace(attribution, team_of=named_owners(rules, names))


def has_unnamed(lines: Iterable[Line], names: Names) -> bool:
    """Whether some project, key or user has no name yet."""
    return any(
        (str(line.row.get("provider")), dimension, str(line.row[dimension])) not in names
        for line in lines
        if isinstance(line.row, dict)
        for dimension in _DIMENSIONS
        if dimension in line.row
    )


def without_keys(report: Report, globs: Sequence[str], names: Names) -> Report:
    """The report less what these keys used, so that what a gateway tells too is not counted twice."""
    if not globs:
        return report
    lines = [line for line in report.lines if not _is_of(line, globs, names)]
    kept = {line.row["record_id"] for line in lines if isinstance(line.row, dict) and "record_id" in line.row}
    remembered = {id_: row for id_, row in report.remembered.items() if id_ in kept}
    return replace(report, lines=lines, remembered=remembered)


def _is_of(line: Line, globs: Sequence[str], names: Names) -> bool:
    row = line.row
    if not isinstance(row, dict) or not isinstance(key := row.get("key_id"), str):
        return False
    called = _called(names, str(row.get("provider")), "key_id", key)
    return any(fnmatchcase(name, glob) for name in called for glob in globs)


def names_of(found: Iterable[Name]) -> dict[tuple[str, str, str], str]:
    """As the ledger keeps them."""
    return {(name.provider, name.dimension, name.id): name.name for name in found}


def _called(names: Names, provider: str, dimension: str, id_: str) -> tuple[str, ...]:
    name = names.get((provider, dimension, id_)) or names.get((GATEWAY, dimension, id_))
    return (id_,) if name is None or name == id_ else (id_, name)
