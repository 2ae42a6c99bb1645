"""Invocation logs from a bucket: real HTTP and the real boto3 against moto, and wrong answers on loopback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from evals.fake_openai import Reply
from evals.loopback import serving
from ledger.errors import RefusedError
from ledger.store import open_ledger
from tests.bedrock_logs import call, object_name, packed
from tests.log_syncs import LogSyncs
from tests.moto_bucket import ENVIRONMENT, Bucket, moto_bucket
from tests.sync_cases import HOUR, KilledError, syncing
from tests.usage_builder import FRESH_ROLL_UP, STORED_ROLL_UP
from tokensleuth.clock import utc_now
from tokensleuth.connectors.choosing import source_of
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.s3 import S3Logs
from tokensleuth.connectors.settings import SourceSettings
from tokensleuth.gateways.port import GatewayError, NotSentError, RefusedCallError

SYNC = "import sys; from tokensleuth.__main__ import main; sys.argv = ['tokensleuth', *sys.argv[1:]]; main()"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with moto_bucket() as found:
        yield found


@pytest.fixture
def logs(bucket: Bucket, tmp_path: Path) -> Iterator[LogSyncs]:
    with syncing(tmp_path) as syncs:
        yield LogSyncs(bucket, syncs)


def past(hours: int) -> datetime:
    """A moment of an hour that is over, by the real clock: moto's objects arrive when they are put."""
    return utc_now().replace(minute=7, second=0, microsecond=0) - hours * HOUR


def at(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_accounts_and_regions_are_found_and_read_beyond_a_page_of_a_listing(logs: LogSyncs) -> None:
    for number in range(1050):
        logs.put(past(3), f"o{number:04}", [call(f"r{number}", at(past(3)))])
    other = object_name(past(3), "a", account="444455556666")
    logs.place.put(other, packed([call("other", at(past(3)), accountId="444455556666")]), past(3))
    found = logs(now=utc_now(), days=1).result
    assert (found.new, found.rejected) == (1051, 0)
    assert logs.counted() == [(1051, 0, 1051 * 35, 1051 * 7, 1051 * 5, 1051 * 446)]
    assert logs(now=utc_now()).result.new == 0


def test_an_object_that_appears_late_is_found_and_a_damaged_one_told(logs: LogSyncs) -> None:
    logs.put(past(5), "a", [call("r1", at(past(5)))])
    assert logs(now=utc_now()).result.new == 1
    logs.put(past(9), "late", [call("r2", at(past(9)))])
    data = packed(call(f"x{n}", at(past(3))) for n in range(300))
    logs.place.put(object_name(past(3), "cut"), data[:-9], past(3))
    found = logs(now=utc_now() + HOUR, lookback=1).result
    assert (found.new, found.rejected) == (1, 1)
    assert found.errors[0].file == f"bedrock {object_name(past(3), 'cut')}"


def test_a_sync_killed_between_load_and_mark_is_completed(
    logs: LogSyncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 20):
        logs.put(past(number), "a", [call(f"r{number}", at(past(number)))])
    pulled = type(logs.syncs.ledger.pulled)
    finish = pulled.finish
    marks = 0

    def killed(*args: object, **kwargs: object) -> object:
        nonlocal marks
        marks += 1
        if marks % 2:
            raise KilledError
        return finish(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(pulled, "finish", killed)
    for _ in range(4):
        with pytest.raises(KilledError):
            logs(now=utc_now())
    monkeypatch.setattr(pulled, "finish", finish)
    logs(now=utc_now())
    assert logs.counted() == [(19, 0, 19 * 35, 19 * 7, 19 * 5, 19 * 446)]
    assert logs.syncs.rows(FRESH_ROLL_UP) == logs.syncs.rows(STORED_ROLL_UP)


def test_the_command_reads_a_bucket_and_a_process_killed_in_it_leaves_nothing_to_mend(
    bucket: Bucket, tmp_path: Path
) -> None:
    for number in range(1, 40):
        bucket.put(object_name(past(number), "a"), packed([call(f"r{number}", at(past(number)))]))
    config = tmp_path / "tokensleuth.toml"
    config.write_text(
        f'[[source]]\nkind = "bedrock"\nlocation = "{bucket.settings.location}"\n'
        f'base_url = "{bucket.url}"\nfirst_days = 2\n'
    )
    ledger = tmp_path / "ledger.duckdb"
    command = [sys.executable, "-c", SYNC, "sync", "--config", str(config), "--ledger", str(ledger)]
    for seconds in (3.0, 5.0, None):
        with subprocess.Popen(
            command, env={**os.environ}, cwd=Path(__file__).parent.parent, stdout=subprocess.DEVNULL
        ) as process:
            try:
                assert process.wait(timeout=seconds or 120) == 0
            except subprocess.TimeoutExpired:
                process.kill()
    with open_ledger(ledger, create=False) as found:
        told = found.pulled.connection.execute(
            "select sum(requests), sum(input_tokens) from spend"
        ).fetchall()
    assert told == [(39, 39 * 35)]


def read_with(reply: Reply, *, tries: int = 1) -> list[float]:
    """What was waited for before the listing came; raises what it ends in."""
    waited: list[float] = []
    with serving(lambda _: Reply(LISTED, content_type="application/xml")) as served:
        for _ in range(tries):
            served.fail(reply, method="GET")
        store = S3Logs("b", "", endpoint_url=served.url, timeout_s=5, patience=Patience(wait=waited.append))
        try:
            assert store.folders("AWSLogs/") == []
        finally:
            store.close()
    return waited


LISTED = b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated></ListBucketResult>'


def refused(status: int, code: str, *headers: tuple[str, str]) -> Reply:
    body = f"<Error><Code>{code}</Code><Message>told</Message></Error>".encode()
    return Reply(body, status, headers=headers, content_type="application/xml")


def test_a_store_that_says_later_is_asked_again_when_it_says() -> None:
    assert read_with(refused(503, "SlowDown", ("Retry-After", "7")), tries=2) == [7.0, 7.0]
    assert read_with(refused(500, "InternalError")) == [1.0]


def test_an_answer_that_is_cut_off_is_asked_for_again() -> None:
    assert read_with(Reply(LISTED, content_type="application/xml", cut_after=120)) == [1.0]


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        (refused(403, "AccessDenied"), RefusedCallError, "AccessDenied, told"),
        (refused(404, "NoSuchBucket"), RefusedCallError, "NoSuchBucket"),
        (refused(301, "PermanentRedirect"), RefusedCallError, "PermanentRedirect"),
        (Reply(b"<html>login", content_type="text/html"), NotSentError, "s3://b/: 500"),
    ],
)  # fmt: skip
def test_what_a_store_refuses_is_told(reply: Reply, kind: type[GatewayError], told: str) -> None:
    with pytest.raises(kind, match=told):
        read_with(reply, tries=5)


def test_nobody_there_is_told_without_an_end_to_waiting() -> None:
    store = S3Logs(
        "b", "", endpoint_url="http://127.0.0.1:9", timeout_s=2, patience=Patience(wait=lambda _: None)
    )
    with pytest.raises(NotSentError, match="EndpointConnectionError"):
        store.folders("AWSLogs/")


def test_no_credentials_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    store = S3Logs("b", "", endpoint_url="http://127.0.0.1:9", timeout_s=2, patience=Patience())
    with pytest.raises(RefusedCallError, match="no AWS credentials in the environment"):
        store.folders("AWSLogs/")


def test_without_boto3_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "tokensleuth.connectors.s3")
    with pytest.raises(RefusedError, match="needs boto3: install the extra s3"):
        source_of(SourceSettings(kind="bedrock", location="s3://bucket/logs"))
