"""A Parquet file of request-level usage as a gateway logs it, made from hashes: always the same rows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

DAYS = 90
END_AT = datetime(2026, 11, 16, tzinfo=UTC)
LAST_DAY = END_AT - timedelta(days=1)
TEAMS = 100
KEYS = 1000
LOOPING_KEY = 137
"""On the last day from 10:00 to 16:00 its answers are 20 times as long: something to find."""

MODELS = (
    ("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("openai", "gpt-4.1"), ("openai", "gpt-4.1-mini"),
    ("openai", "gpt-5.4"), ("openai", "gpt-5.4-mini"), ("anthropic", "claude-opus-4-6"),
    ("anthropic", "claude-sonnet-4-5"), ("anthropic", "claude-haiku-4-5"), ("google", "gemini-2.5-flash"),
    ("google", "gemini-2.5-flash-lite"), ("google", "gemini-2.5-pro"),
)  # fmt: skip

_KEYS_SQL = f"""
create table keys as
select
    k as key_number,
    'key-' || lpad(k::varchar, 4, '0') || '-' || substr(md5('key' || k), 1, 6) as key_id,
    'team-' || lpad((k % {TEAMS})::varchar, 3, '0') as team,
    'project-' || lpad((k % {TEAMS * 2})::varchar, 3, '0') as project,
    m.provider, m.model,
    case when k % 9 = 0 then 'u-' || (1000 + k) end as user,
    ['chat-assistant', 'summarise', 'classify', 'extract-fields', 'agent-tasks', 'translate'][1 + k % 6]
        as feature,
    ['eu-west-1', 'us-east-1', 'us-west-2', 'ap-south-1'][1 + k % 4] as region,
    case when k % 20 = 3 then 'batch' else 'standard' end as service_tier,
    ['openai-python/3.54', 'litellm/1.109', 'anthropic-python/1.21', 'google-genai-python/2.4'][1 + k % 4]
        as client,
    'template-' || (k % 40) || '@v' || (1 + k % 5) as prompt_template,
    300 + (hash(k, 'prompt') % 6000)::integer as prompt_tokens,
    40 + (hash(k, 'answer') % 900)::integer as answer_tokens,
    case when m.provider = 'anthropic' then 0.5 when k % 3 = 0 then 0.3 else 0.0 end as cached_share
from range({KEYS}) as r(k)
join models m on m.position = (k // {TEAMS} + k) % {len(MODELS)}
"""

# Time runs with i and is bent by the hour of the day; few keys send most requests (number ~ u^2.5).
_REQUESTS_SQL = f"""
with drawn as (
    select i, hash(i) as h, hash(i, 'sizes') as g, i * {DAYS}.0 / $rows as day from range($rows) as r(i)
), placed as (
    select
        i, h,
        day + 0.6 * sin(2 * pi() * day) / (2 * pi()) as bent_day,
        floor({KEYS} * pow((h & 1048575) / 1048576.0, 2.5))::integer as key_number,
        0.5 + (g & 65535) / 65536.0 as prompt_size,
        0.5 + ((g >> 16) & 65535) / 65536.0 as answer_size
    from drawn
), timed as (
    select *, $start_at::timestamptz + to_microseconds((bent_day * 86400e6)::bigint) as started_at from placed
), sized as (
    select
        t.*, k.* exclude (key_number),
        (k.prompt_tokens * prompt_size)::bigint as prompt,
        (k.answer_tokens * answer_size * case
            when t.key_number = {LOOPING_KEY}
                and started_at >= $last_day::timestamptz + interval 10 hour
                and started_at < $last_day::timestamptz + interval 16 hour
            then 20 else 1 end)::bigint as answer,
        (h >> 20) % 100 = 0 as failed
    from timed t join keys k using (key_number)
)
select
    started_at, provider, model, team, project, key_id, user, feature, region, service_tier, client,
    1 as requests, failed::integer as failed_requests,
    (failed and (h >> 30) % 2 = 0)::integer as retried_requests,
    prompt - (prompt * cached_share)::bigint as input_tokens,
    case when provider = 'anthropic' then (prompt * cached_share * 0.9)::bigint
        else (prompt * cached_share)::bigint end as cache_read_tokens,
    case when provider = 'anthropic'
        then (prompt * cached_share)::bigint - (prompt * cached_share * 0.9)::bigint
        else 0 end as cache_write_5m_tokens,
    0::bigint as cache_write_1h_tokens,
    answer as output_tokens, answer // 4 as reasoning_tokens,
    prompt * 4 as input_characters, (answer - answer // 4) * 4 as output_characters,
    prompt_template, md5(i::varchar)::uuid::varchar as record_id
from sized
"""


def write_requests(path: Path, *, rows: int) -> None:
    """Write `rows` request rows, in time order, over 90 days up to `END_AT`."""
    start_at = (END_AT - timedelta(days=DAYS)).isoformat()
    parameters = {"rows": rows, "start_at": start_at, "last_day": LAST_DAY.isoformat()}
    target = str(path).replace("'", "''")
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("create table models (position integer, provider varchar, model varchar)")
        connection.executemany(
            "insert into models values (?, ?, ?)", [(i, *names) for i, names in enumerate(MODELS)]
        )
        connection.execute(_KEYS_SQL)
        connection.execute(f"copy ({_REQUESTS_SQL}) to '{target}' (format parquet)", parameters)
