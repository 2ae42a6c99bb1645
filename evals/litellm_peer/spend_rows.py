"""The spend rows of a proxy in its own database: counted, summed, copied into the past, moved."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composable, Identifier

_TIMES = ("startTime", "endTime", "completionStartTime")
_COLUMNS = """select column_name from information_schema.columns
    where table_name = 'LiteLLM_SpendLogs' and column_name <> 'request_id' order by ordinal_position"""
_CALLED = """from "LiteLLM_SpendLogs"
    where api_key = %s and "startTime" >= %s and not starts_with(request_id, 'copy-')"""
_COUNT = f"select count(*) {_CALLED}"
_SPENT = """select coalesce(sum(spend::numeric), 0) from "LiteLLM_SpendLogs"
    where "startTime" >= %s and "startTime" < %s and (%s::text is null or api_key = %s)"""
_SPREAD = f"""
    with ordered as (
        select request_id, count(*) over () as total,
            row_number() over (order by "startTime", request_id) - 1 as place
        {_CALLED}),
    moves as (select request_id, %s::timestamp + place * (%s::interval / total) as moment from ordered)
    update "LiteLLM_SpendLogs" as logs set
        "startTime" = moment,
        "endTime" = "endTime" + (moment - "startTime"),
        "completionStartTime" = "completionStartTime" + (moment - "startTime")
    from moves where moves.request_id = logs.request_id"""
_ASKED = """create temp table asked (
    asked_key text, asked_model text, asked_hour timestamp, asked_times int) on commit drop"""
_COPY = """
    with first as (
        select distinct on (api_key, model_group) * from "LiteLLM_SpendLogs"
        where status is distinct from 'failure' order by api_key, model_group, "startTime"),
    copies as (
        select first.*, asked_hour + (place - 0.5) * (interval '1 hour' / asked_times) as moment
        from asked join first on api_key = asked_key and model_group = asked_model,
            generate_series(1, asked_times) as place)
    insert into "LiteLLM_SpendLogs" (request_id, {names})
    select 'copy-' || md5(api_key || model_group || moment), {values} from copies"""


@dataclass(frozen=True, slots=True)
class Copies:
    """How often a key did in an hour what its first row of a model tells."""

    key_id: str
    model: str
    hour: datetime
    times: int


@dataclass(frozen=True, slots=True)
class SpendRows:
    """Reads and writes them beside the proxy, which keeps no copy of them."""

    connection: "psycopg.Connection[TupleRow]"

    def count(self, key_id: str, since: datetime) -> int:
        """Rows of calls of a key that began at an instant or later; copies are none."""
        return int(str(self._one(_COUNT, (key_id, _naive(since)))))

    def spent(self, start_at: datetime, end_at: datetime, key_id: str | None = None) -> Decimal:
        """What the rows of all, or of a key, sum up to."""
        return Decimal(str(self._one(_SPENT, (_naive(start_at), _naive(end_at), key_id, key_id))))

    def copy(self, copies: Sequence[Copies]) -> int:
        """Add rows like those that are there, spread over the hours; how many they are."""
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.execute(_ASKED)
            with cursor.copy("copy asked from stdin") as lines:
                for each in copies:
                    lines.write_row((each.key_id, each.model, _naive(each.hour), each.times))
            names = [str(name) for (name,) in self.connection.execute(_COLUMNS)]
            columns = SQL(", ").join(map(Identifier, names))
            cursor.execute(SQL(_COPY).format(names=columns, values=SQL(", ").join(map(_moved, names))))
            return cursor.rowcount

    def spread(self, key_id: str, since: datetime, start_at: datetime, end_at: datetime) -> int:
        """Move the calls of a key since an instant evenly into a window; how many rows they are."""
        asked = (key_id, _naive(since), _naive(start_at), end_at - start_at)
        return self.connection.execute(_SPREAD, asked).rowcount

    def _one(self, asked: str, values: Sequence[object]) -> object:
        found = self.connection.execute(asked.encode(), values).fetchone()
        return found[0] if found else 0


@contextmanager
def spend_rows(database: str) -> Iterator[SpendRows]:
    """A connection of its own until the block ends."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield SpendRows(connection)


def _moved(name: str) -> Composable:
    """A column of a copy: times move with their row, all else is as it was."""
    column = Identifier(name)
    return SQL("""{} + (moment - "startTime")""").format(column) if name in _TIMES else column


def _naive(instant: datetime) -> datetime:
    """The proxy keeps UTC without saying so."""
    return instant.astimezone(UTC).replace(tzinfo=None)
