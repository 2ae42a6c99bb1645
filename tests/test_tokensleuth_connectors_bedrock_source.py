"""Invocation logs from a folder: every record once, whenever its object comes, and nothing that was said."""

import gzip
import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import RefusedError
from tests.bedrock_logs import PROMPT, ROLE, call, counts, object_name, packed
from tests.log_syncs import Folder, LogSyncs
from tests.sync_cases import HOUR, NOW, KilledError, hour, syncing
from tokensleuth.connectors import log_lines
from tokensleuth.connectors.choosing import source_of
from tokensleuth.connectors.log_lines import DamagedError, lines_of
from tokensleuth.connectors.settings import SourceSettings

MINUTE = timedelta(minutes=1)


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[LogSyncs]:
    root = tmp_path / "logs"
    root.mkdir()
    with syncing(tmp_path) as syncs:
        yield LogSyncs(Folder(root), syncs)


def at(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_every_record_comes_once_to_the_token(logs: LogSyncs) -> None:
    for number in range(1, 30):
        logs.put(hour(number), "a", [call(f"r{number}", at(hour(number) + MINUTE))])
    assert logs().result.new == 29
    assert logs.counted() == [(29, 0, 29 * 35, 29 * 7, 29 * 5, 29 * 446)]


def test_a_second_sync_changes_nothing(logs: LogSyncs) -> None:
    for number in range(1, 30):
        logs.put(hour(number), "a", [call(f"r{number}", at(hour(number) + MINUTE))])
    logs()
    before = logs.syncs.totals()
    found = logs().result
    assert (found.new, found.restated, found.rejected) == (0, 0, 0)
    assert logs.syncs.totals() == before


def test_the_open_hour_is_never_taken(logs: LogSyncs) -> None:
    logs.put(hour(0), "a", [call("open", at(hour(0))), call("last", at(hour(0) - timedelta(seconds=1)))])
    outcome = logs()
    assert (outcome.result.new, outcome.complete_until) == (1, hour(0))
    assert logs.syncs.rows("select started_at::varchar from usage") == [("2026-11-22 08:59:59",)]
    assert logs(now=NOW + HOUR).result.new == 1


def test_what_is_written_in_the_minutes_after_an_hour_is_found_at_once(logs: LogSyncs) -> None:
    logs.put(hour(1), "a", [call("r1", at(hour(1) + 59 * MINUTE))], arrived_at=hour(0) + 4 * MINUTE)
    assert logs().result.new == 1


def test_an_object_that_comes_late_into_an_old_folder_is_found(logs: LogSyncs) -> None:
    logs.put(hour(30), "a", [call("r1", at(hour(30)))])
    logs()
    logs.put(hour(30), "late", [call("r2", at(hour(30)))], arrived_at=NOW + 10 * MINUTE)
    assert logs(now=NOW + HOUR, lookback=1).result.new == 1


def test_an_object_later_than_the_lookback_is_not_looked_for(logs: LogSyncs) -> None:
    logs()
    logs.put(hour(80), "late", [call("r1", at(hour(80)))], arrived_at=NOW + 10 * MINUTE)
    assert logs(now=NOW + HOUR, lookback=1).result.read == 0


def test_a_copy_of_a_bucket_whose_objects_all_arrived_today_is_read_as_it_was(logs: LogSyncs) -> None:
    for number in range(1, 24 * 9):
        logs.put(hour(number), "a", [call(f"r{number}", at(hour(number)))], arrived_at=hour(2))
    logs(days=10)
    assert logs.counted()[0][0] == 24 * 9 - 1


def test_records_of_other_hours_than_their_folder_are_not_lost(logs: LogSyncs) -> None:
    random_ = random.Random(7)  # noqa: S311
    for number in range(2, 40):
        skew = timedelta(minutes=random_.randint(-300, 110))
        when = min(hour(number) + skew, hour(0) - MINUTE)
        logs.put(hour(number), "a", [call(f"r{number}", at(when))], arrived_at=max(when, hour(number)))
    logs(days=3)
    assert logs.counted()[0][0] == 38
    assert logs().result.new == 0


@pytest.mark.parametrize("seed", range(6))
def test_objects_that_arrive_over_many_syncs_give_the_totals_of_one(seed: int, logs: LogSyncs) -> None:
    random_ = random.Random(seed)  # noqa: S311
    told = 0
    for sync in range(8):
        now = NOW - (8 - sync) * HOUR
        for number in range(random_.randint(0, 6)):
            when = now - timedelta(minutes=random_.randint(0, 900))
            into = random_.randint(0, 10**6)
            told += into
            record = call(f"{sync}-{number}", at(when), **counts(into, 1))
            logs.put(when, f"{sync}-{number}", [record], arrived_at=now - MINUTE)
        logs(now=now, lookback=random_.choice([1, 3, 48]))
    logs(now=NOW + 2 * HOUR, lookback=1)
    assert logs.counted()[0][2] == (told or None)


def test_a_damaged_object_is_told_and_read_again_when_it_is_whole(logs: LogSyncs) -> None:
    data = packed(call(f"r{n}", at(hour(3))) for n in range(500))
    name = object_name(hour(3), "a")
    logs.place.put(name, data[:-20], hour(3) + MINUTE)
    logs.put(hour(3), "b", [call("good", at(hour(3)))])
    found = logs().result
    (error,) = found.errors
    assert (found.new, error.file, error.column) == (1, f"bedrock {name}", "object")
    assert error.reason.startswith("is damaged or cut short")
    logs.place.put(name, data, hour(3) + 2 * MINUTE)
    assert logs().result.new == 500


def test_a_bad_line_is_told_by_object_and_line_and_the_rest_is_taken(logs: LogSyncs) -> None:
    name = object_name(hour(3), "a")
    good = json.dumps(call("r1", at(hour(3))))
    bad = [
        "{", "[]", "\xff", '{"timestamp": 7}', '{"timestamp": "2026-11-22T06:00:00"}', "", '{"a": NaN}',
        json.dumps(call("r2", at(hour(3)), **counts(-1, 1))), "9" * 400,
    ]  # fmt: skip
    data = gzip.compress("\n".join([good, *bad, ""]).encode("latin-1"))
    logs.place.put(name, data, hour(3) + MINUTE)
    result = logs().result
    assert (result.new, result.rejected) == (1, 8)
    assert [error.file.rpartition(":")[2] for error in result.errors] == [
        "9",
        "2",
        "3",
        "4",
        "5",
        "6",
        "8",
        "10",
    ]
    assert all(error.file.startswith(f"bedrock {name}:") for error in result.errors)


def test_a_record_from_the_future_of_its_object_is_told(logs: LogSyncs) -> None:
    logs.put(hour(20), "a", [call("r1", at(hour(3)))])
    (error,) = logs().result.errors
    assert (error.column, error.reason) == (
        "timestamp",
        "is long after the hour of its folder, and after the object was written",
    )


def test_bodies_in_files_of_their_own_and_other_files_are_not_read(logs: LogSyncs) -> None:
    logs.put(hour(3), "a", [call("r1", at(hour(3)))])
    folder = object_name(hour(3), "a").rpartition("/")[0]
    for name in (
        f"{folder}/data/r1_input.json.gz",
        f"{folder}/amazon-bedrock-logs-permission-check",
        "x.json",
    ):
        logs.place.put(name, b"not read", hour(3))
    assert (logs().result.read, logs().result.duplicate) == (1, 1)


def test_what_was_said_never_reaches_the_disk(logs: LogSyncs) -> None:
    logs.put(hour(3), "a", [call("r1", at(hour(3))), call("r2", at(hour(3)), modelId=None)])
    assert logs().result.rejected == 1
    assert not any((logs.syncs.folder / "spool").iterdir())
    assert PROMPT.encode() not in (logs.syncs.folder / "ledger.duckdb").read_bytes()


def test_keys_of_a_gateway_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with syncing(tmp_path) as syncs:
        logs = LogSyncs(Folder(tmp_path / "logs", except_keys=("*assumed-role/litellm/*",)), syncs)
        other = {"arn": ROLE.replace("search-api", "litellm")}
        logs.put(hour(3), "a", [call("r1", at(hour(3))), call("r2", at(hour(3)), identity=other)])
        assert logs().result.new == 1


def test_a_sync_killed_between_load_and_mark_loses_and_doubles_nothing(logs: LogSyncs) -> None:
    for number in range(1, 40):
        logs.put(hour(number), "a", [call(f"r{number}", at(hour(number)))])
    for opens in range(1, 12):
        logs.syncs.opens_left = opens
        with pytest.raises(KilledError):
            logs()
    logs.syncs.opens_left = None
    logs()
    assert logs.counted() == [(39, 0, 39 * 35, 39 * 7, 39 * 5, 39 * 446)]


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("", "no location; write s3://BUCKET/PREFIX"),
        ("/nowhere/at/all", "is no folder and no s3://BUCKET"),
        ("s3://", "names no bucket"),
    ],
)
def test_a_place_that_is_none_is_told(location: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        source_of(SourceSettings(kind="bedrock", location=location))


def test_a_line_longer_than_a_line_may_be_is_told_and_the_next_one_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_lines, "MAX_LINE_BYTES", 10)
    data = b"short\n" + b"x" * 35 + b"\nshort\n" + b"y" * 10
    assert list(lines_of(data)) == [b"short\n", None, b"short\n", None]


def test_a_small_object_that_unpacks_without_end_is_given_up() -> None:
    with pytest.raises(DamagedError, match="holds more than 1,000,000 bytes"):
        list(lines_of(gzip.compress(b"\n" * 2_000_000), most=1_000_000))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ODD = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "requestId", "modelId", "accountId", "region", "identity", "input", "output", "errorCode",
    "requestMetadata", "schemaType", "performanceConfig",
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=4), min_size=1, max_size=5))
def test_records_of_any_shape_are_taken_or_told_and_end_no_sync(
    records: list[dict[str, object]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    (folder / "logs").mkdir()
    with syncing(folder) as syncs:
        logs = LogSyncs(Folder(folder / "logs"), syncs)
        made = [{**call(f"r{n}", at(hour(3))), **record} for n, record in enumerate(records)]
        logs.put(hour(3), "a", made)
        outcome = logs()
    assert outcome.error is None
    assert outcome.result.read == len(made)


@pytest.mark.parametrize("count", ["9" * 5000, "1e999", "-0", "1E5", '"\\ud800"', "[" * 300 + "]" * 300])
def test_counts_that_no_machine_holds_are_told(count: str, logs: LogSyncs) -> None:
    text = json.dumps(call("r1", at(hour(3)), **counts(424242, 1))).replace("424242", count)
    logs.place.put(object_name(hour(3), "a"), f"{text}\n".encode(), hour(3))
    outcome = logs()
    assert (outcome.error, outcome.result.read) == (None, 1)
