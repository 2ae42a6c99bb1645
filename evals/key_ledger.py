"""A seeded ledger of many keys, written straight into the hourly cells: what detection costs at scale."""

from datetime import timedelta
from pathlib import Path

import duckdb

from ledger.migrations import migrate
from ledger.window import Window, parse_instant

DAYS = 67
END_AT = parse_instant("2026-11-16T00:00Z")
KEYS_PER_TEAM = 200
MODELS = 12

_SCOPES_SQL = f"""
insert into scopes
select k, 'openai', 'model-' || (hash(k, 'model') % {MODELS}),
    'team-' || lpad((k // {KEYS_PER_TEAM})::varchar, 4, '0'), 'project-' || (k // 20),
    'key-' || lpad(k::varchar, 6, '0'), 'UNALLOCATED', 'answers', 'us-east-1', 'standard',
    'sdk/1', 'UNALLOCATED', 'given'
from range($keys) r(k)
"""

# Share of hours in use: 10 to 100 %. Level: 4 cents to 4 dollars an hour. Busy by day, less at weekends.
# In 1 of 50 weeks of a key, 9 hours cost six times as much.
_DAY_SQL = """
insert into usage_hourly
with hours as (
    select k, h, $first::timestamp + to_hours(h::integer) as hour,
        hash(k) / 1.8446744073709552e19 as u, hash(k, 'level') / 1.8446744073709552e19 as v,
        hash(k, h) / 1.8446744073709552e19 as used, hash(k, h, 'a') / 1.8446744073709552e19 as a,
        hash(k, h, 'b') / 1.8446744073709552e19 as b, hash(k, h, 'c') / 1.8446744073709552e19 as c
    from range($keys) r(k), range($day * 24, $day * 24 + 24) s(h)
), sized as (
    select *, greatest(1, round(100 * (1 + 0.6 * sin((h % 24 - 8) / 24.0 * 2 * pi()))
        * case when isodow(hour) > 5 then 0.6 else 1 end * exp(0.9 * (a + b + c - 1.5))
        * case when hash(k, h // 168, 'event') % 50 = 0 and h % 168 between 60 and 68 then 6 else 1 end
        ))::bigint as n, (0.04 * pow(100, v) * 1e10)::bigint as pico
    from hours where used < 0.1 + 0.9 * u
)
select hour, k, false, n, n, 0, 0, n * 1000, 0, 0, 0, n * 200, 0, null, null, null, n * pico, 0, 'list'
from sized
"""


def write_key_ledger(path: Path, *, keys: int) -> None:
    """Write one scope per key and 67 days of hours up to `END_AT`, day after day."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'; set memory_limit = '1GB'")
        migrate(connection)
        connection.execute(_SCOPES_SQL, {"keys": keys})
        first = (END_AT - timedelta(days=DAYS)).replace(tzinfo=None)
        for day in range(DAYS):
            connection.execute(_DAY_SQL, {"keys": keys, "day": day, "first": first})


def covered() -> Window:
    return Window(END_AT - timedelta(days=DAYS), END_AT)
