"""Builds ledgers for tests: short valid usage, or rows of the synthetic organisation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pandas as pd

from ledger.engine import DuckDbEngine
from ledger.migrations import migrate
from ledger.reader import Reader
from ledger.scope import DIMENSIONS, UNALLOCATED, Dimension
from ledger.synthetic.cost import priced_usd
from ledger.synthetic.models import BY_MODEL, usd_per_token
from ledger.usage import TOKEN_CLASSES
from ledger.window import HOUR, Window
from tools.leaves import Leaves, Side, mean_of

START = datetime(2026, 10, 5, tzinfo=UTC)
"""A Monday."""

RATES: Mapping[str, tuple[int | None, ...]] = {
    "gpt-big": (2_500_000, 250_000, None, None, 10_000_000),
    "gpt-mini": (250_000, 25_000, None, None, 1_000_000),
}
"""Price per token in 1e-12 USD by class: input, cache_read, cache writes, output."""

SCOPE_COLUMNS = (
    "provider", "model", "team", "project", "key_id", "user", "feature", "region", "service_tier", "client",
    "prompt_template", "given_team",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """The usage of one scope in one hour; tokens are per request."""

    team: str = "search"
    key_id: str = "k1"
    model: str = "gpt-big"
    provider: str = "openai"
    project: str = "web"
    feature: str = "answers"
    region: str = "us-east-1"
    client: str = "sdk/1"
    service_tier: str = "standard"
    user: str = UNALLOCATED
    requests: int = 100
    failed: int = 0
    retried: int = 0
    input_tokens: float = 1000
    cache_read_tokens: float = 0
    output_tokens: float = 200
    characters_per_token: float | None = None
    price_factor: float = 1.0
    billed: bool = False
    unpriced: bool = False
    price_version: str = "book-1"
    counted: bool = True
    """False for a source that reports tokens and no requests."""

    @property
    def scope(self) -> tuple[str, ...]:
        named = (self.provider, self.model, self.team, self.project, self.key_id, self.user, self.feature)
        return (*named, self.region, self.service_tier, self.client, UNALLOCATED, self.team)


@dataclass(frozen=True, slots=True)
class Use:
    """What a leaf did in one window; tokens are sums, in the order of TOKEN_CLASSES."""

    requests: float = 0.0
    cost_pico: int = 0
    tokens: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)
    characters: tuple[float, float] = (float("nan"), float("nan"))
    failed: float = 0.0
    retried: float = 0.0
    unpriced: float = 0.0

    @property
    def uncounted(self) -> float:
        """All tokens where no request is counted."""
        return 0.0 if self.requests else sum(self.tokens)


NO_USE = Use()


def use(requests: float, *, sent: float = 1000, answered: float = 200, cached: float = 0) -> Use:
    """Use at the prices of gpt-big; tokens are per request."""
    tokens = (requests * sent, requests * cached, 0.0, 0.0, requests * answered)
    rates = [rate or 0 for rate in RATES["gpt-big"]]
    return Use(requests, round(sum(t * r for t, r in zip(tokens, rates, strict=True))), tokens)


def side_of(uses: Sequence[Use]) -> Side:
    """One side of a comparison; shapes also hold where there is no leaf."""
    columns = {
        name: np.array([getattr(u, name) for u in uses], dtype=np.float64)
        for name in ("requests", "failed", "retried", "unpriced", "uncounted")
    }
    return Side(
        **columns,
        tokens=np.array([u.tokens for u in uses], dtype=np.float64).reshape(len(uses), 5),
        characters=np.array([u.characters for u in uses], dtype=np.float64).reshape(len(uses), 2),
        cost_pico=np.array([u.cost_pico for u in uses], dtype=np.int64),
    )


def leaves_of(
    scopes: Sequence[Mapping[Dimension, str]], before: Sequence[Use], after: Sequence[Use], *, weeks: int = 4
) -> Leaves:
    """Leaves by hand, each baseline week like the others; dimensions that are not given are UNALLOCATED."""
    return leaves_over(scopes, [before] * weeks, after)


def leaves_over(
    scopes: Sequence[Mapping[Dimension, str]], weeks: Sequence[Sequence[Use]], after: Sequence[Use]
) -> Leaves:
    """The same with a row of uses for each baseline week."""
    columns = [pd.factorize(np.array([s.get(d, UNALLOCATED) for s in scopes], object)) for d in DIMENSIONS]
    codes = np.array([c for c, _ in columns], dtype=np.int64).reshape(len(DIMENSIONS), -1)
    names = tuple(np.asarray(n, dtype=object) for _, n in columns)
    now, earlier = side_of(after), tuple(side_of(week) for week in weeks)
    return Leaves(codes, names, mean_of(earlier, now), now, earlier)


Change = Callable[[datetime, Cell], Cell | None]


def daily(hour: datetime) -> float:
    """A working day's shape: busy from 8 to 20, quiet at night."""
    return 1.0 if 8 <= hour.hour < 20 else 0.3


@dataclass(slots=True)
class LedgerBuilder:
    """Collects hourly cells, then writes them into a ledger in memory."""

    start_at: datetime = START
    cells: list[tuple[datetime, Cell]] = field(default_factory=list)
    rates: Mapping[str, tuple[int | None, ...]] = field(default_factory=lambda: RATES)

    def run(
        self, cell: Cell, *, days: float, since: float = 0, shape: Callable[[datetime], float] = daily
    ) -> "LedgerBuilder":
        """One scope's traffic for some days, hour by hour."""
        first = self.start_at + timedelta(days=since)
        for i in range(int(days * 24)):
            hour = first + i * HOUR
            factor = shape(hour) * (1 + 0.02 * ((hour.weekday() * 7 + hour.hour * 3) % 5 - 2))
            parts = (round(n * factor) for n in (cell.requests, cell.failed, cell.retried))
            requests, failed, retried = parts
            if requests:
                self.cells.append((hour, replace(cell, requests=requests, failed=failed, retried=retried)))
        return self

    def change(self, window: Window, how: Change) -> "LedgerBuilder":
        """Rewrite the cells of a window; None removes one."""
        changed = []
        for hour, cell in self.cells:
            new = how(hour, cell) if window.start_at <= hour < window.end_at else cell
            if new is not None:
                changed.append((hour, new))
        self.cells = changed
        return self

    def reader(self) -> Reader:
        connection = duckdb.connect()
        migrate(connection)
        scopes = {scope: i for i, scope in enumerate(dict.fromkeys(c.scope for _, c in self.cells))}
        _insert(connection, "scopes", pd.DataFrame([(i, *s) for s, i in scopes.items()]))
        _insert(connection, "usage_hourly", pd.DataFrame(self._rows(scopes)))
        _insert(connection, "rates", pd.DataFrame(self._rate_rows(), dtype=object))
        return Reader(DuckDbEngine(connection))

    def _rows(self, scopes: Mapping[tuple[str, ...], int]) -> list[tuple[object, ...]]:
        return [_row(hour, cell, scopes[cell.scope], self.rates[cell.model]) for hour, cell in self.cells]

    def _rate_rows(self) -> list[tuple[object, ...]]:
        used = {(c.provider, c.model, c.service_tier, h.date()) for h, c in self.cells}
        return [(*u, None, *self.rates[u[1]], u[1], False, "book-1") for u in sorted(used)]


def _row(hour: datetime, cell: Cell, scope_id: int, rates: tuple[int | None, ...]) -> tuple[object, ...]:
    n = cell.requests
    tokens = [round(n * t) for t in (cell.input_tokens, cell.cache_read_tokens, 0, 0, cell.output_tokens)]
    cost = round(cell.price_factor * sum(t * (r or 0) for t, r in zip(tokens, rates, strict=True)))
    per_token = cell.characters_per_token
    characters = (None, None) if per_token is None else _characters(tokens, per_token)
    billed, computed = (cost, cost) if cell.billed else (None, None if cell.unpriced else cost)
    version = None if cell.unpriced else cell.price_version
    unpriced = sum(tokens) if cell.unpriced else 0
    requests = (n, cell.failed, cell.retried) if cell.counted else (0, 0, 0)
    counts = (*requests, *tokens, 0, *characters)
    return (hour.replace(tzinfo=None), scope_id, cell.billed, 1, *counts, billed, computed, unpriced, version)


def _characters(tokens: list[int], per_token: float) -> tuple[int, int]:
    return round(sum(tokens[:4]) * per_token), round(tokens[4] * per_token)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    if len(frame):
        frame = frame.astype(object).where(frame.notna(), None)
        connection.register("given", frame)
        columns = connection.execute(f"describe {table}").fetchall()  # table names are ours
        casts = ", ".join(f'cast("{c}" as {kind[1]})' for c, kind in zip(frame.columns, columns, strict=True))
        connection.execute(f"insert into {table} select {casts} from given")
        connection.unregister("given")


def at(day: int, hour: int = 0) -> datetime:
    """An instant that many days after the ledger's start."""
    return START + timedelta(days=day, hours=hour)


def span(day: int, hour: int = 0, *, hours: int = 24) -> Window:
    return Window(at(day, hour), at(day, hour) + hours * HOUR)


SCOPE = (
    'provider, model, team, project, key_id, "user", feature, region, service_tier, client, prompt_template'
)
_TEXT = (
    "provider", "model", "team", "project", "key_id", "user", "feature", "region", "service_tier", "client",
    "prompt_template",
)  # fmt: skip
_COUNTS = (
    "failed_requests, retried_requests, input_tokens, cache_read_tokens, cache_write_5m_tokens, "
    "cache_write_1h_tokens, output_tokens"
)


def reader_of(rows: pd.DataFrame) -> Reader:
    """A ledger in memory that holds the rows."""
    connection = duckdb.connect()
    migrate(connection)
    given = rows.assign(
        started_at=rows["started_at"].dt.tz_localize(None),
        listed=priced_usd(rows),
        **{name: rows[name].astype("object").fillna("UNALLOCATED").astype("str") for name in _TEXT},
    )
    connection.register("given", given)
    distinct = f"select distinct {SCOPE} from given"
    connection.execute(f"insert into scopes select row_number() over (), {SCOPE}, team from ({distinct})")
    loaded = "1, 'synthetic', 'usage', timestamp '2026-11-17', count(*), count(*), 0, 0, 0"
    connection.execute(f"insert into loads select {loaded} from given")
    _insert_usage(connection)
    _insert_cells(connection)
    _insert_rates(connection, given)
    connection.unregister("given")
    return Reader(DuckDbEngine(connection))


def _insert_usage(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"""
        insert into usage
        select row_number() over (), started_at, s.scope_id, requests, {_COUNTS}, reasoning_tokens,
            input_characters, output_characters, cast(cost_usd * 1e6 as bigint) * 1000000, 1
        from given g join scopes s using ({SCOPE})
    """)


def _insert_cells(connection: duckdb.DuckDBPyConnection) -> None:
    sums = ", ".join(f"cast(sum({name.strip()}) as bigint)" for name in f"requests, {_COUNTS}".split(","))
    known = ", ".join(f"'{name}'" for name in BY_MODEL)
    connection.execute(f"""
        insert into usage_hourly
        select started_at, s.scope_id, cost_usd is not null, count(*), {sums},
            coalesce(cast(sum(reasoning_tokens) as bigint), 0),
            case when count(input_characters) = count(*) then cast(sum(input_characters) as bigint) end,
            case when count(output_characters) = count(*) then cast(sum(output_characters) as bigint) end,
            case when count(cost_usd) > 0 then cast(sum(cost_usd) * 1e12 as bigint) end,
            case when g.model in ({known}) then cast(sum(listed) * 1e12 as bigint) end,
            case when g.model in ({known}) then 0 else cast(sum(input_tokens + cache_read_tokens
                + cache_write_5m_tokens + cache_write_1h_tokens + output_tokens) as bigint) end,
            case when g.model in ({known}) then 'list-1' end
        from given g join scopes s using ({SCOPE})
        group by started_at, s.scope_id, g.model, cost_usd is not null
    """)


def _insert_rates(connection: duckdb.DuckDBPyConnection, given: pd.DataFrame) -> None:
    used = given.assign(day=given["started_at"].dt.date)[["provider", "model", "service_tier", "day"]]
    rows = [
        (u.provider, u.model, u.service_tier, u.day, *_rates(str(u.model), str(u.service_tier)))
        for u in used.drop_duplicates().itertuples()
    ]
    rates = pd.DataFrame(rows, columns=["provider", "model", "tier", "day", "i", "r", "w5", "w1", "o"])
    connection.register("rated", rates)
    columns = "provider, model, tier, day, null, i, r, w5, w1, o, model, false, 'list-1'"
    connection.execute(f"insert into rates select {columns} from rated")
    connection.unregister("rated")


def _rates(model: str, tier: str) -> list[int | None]:
    if model not in BY_MODEL:
        return [None] * len(TOKEN_CLASSES)
    return [round(usd_per_token(model, c, service_tier=tier) * 1e12) for c in TOKEN_CLASSES]
