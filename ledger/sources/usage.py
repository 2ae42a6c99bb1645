"""Usage files as documented: their columns are the contract's, so nothing is mapped."""

from collections.abc import Sequence

import duckdb

from ledger.errors import RefusedError
from ledger.ingest.contract import COLUMN, REQUIRED
from ledger.ingest.preflight import UsageFile
from ledger.ingest.source import Source, Tags, refuse_other_format
from ledger.ingest.table import ContractTable, RawTable

_PANDAS_INDEX = "__index_level_0__"


def _check(file: UsageFile, names: Sequence[str]) -> None:
    refuse_other_format(file, names)
    if unknown := sorted(set(names) - set(COLUMN)):
        listed = ", ".join(f"`{name}`" for name in unknown)
        raise RefusedError(f"{file.name}: unknown column {listed}{_hint(names)}")
    if missing := [name for name in REQUIRED if name not in names]:
        listed = ", ".join(f"`{name}`" for name in missing)
        raise RefusedError(f"{file.name}: required column {listed} is missing")


def _hint(names: Sequence[str]) -> str:
    if len(names) == 1:
        return "; is it separated by something other than commas?"
    return "; pandas wrote its index: use index=False" if _PANDAS_INDEX in names else ""


def _as_is(_connection: duckdb.DuckDBPyConnection, raw: RawTable, _tags: Tags) -> ContractTable:
    return ContractTable(raw, raw.relation, raw.row, raw.types)


USAGE = Source(
    physical=("csv", "jsonl", "json", "parquet"),
    required=REQUIRED,
    json_keys=tuple(COLUMN),
    other_json_keys="refused",
    check_columns=_check,
    adapt=_as_is,
)
