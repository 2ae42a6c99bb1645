"""Model invocation logs of Bedrock: disjoint token classes, who called, and nothing of what was said."""

import json
from pathlib import Path

import pytest

from ledger.errors import RefusedError
from ledger.ingest.load import LoadOptions
from ledger.ingest.result import IngestResult
from ledger.scope import UNALLOCATED
from tests.bedrock_logs import ACCOUNT, MODEL, PROMPT, Record, call, counts, packed
from tests.usage_builder import NOW, TestLedger, memory_ledger

WHOLE = "is not a whole number of 0 or more (of at most 12 digits)"
SECRET = "looks like a secret; send an id or a hash instead"  # noqa: S105
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/search-api"


def load(ledger: TestLedger, folder: Path, *records: object) -> IngestResult:
    path = folder / "20261120T100500123Z_0a1b.json.gz"
    path.write_bytes(packed(records))
    return ledger.load(path, as_format="bedrock")


def test_a_call_becomes_usage_with_who_called(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        assert load(ledger, tmp_path, call()).new == 1
        named = 'provider, model, team, project, key_id, "user", region, service_tier'
        assert ledger.rows(f"select {named} from spend") == [
            ("aws", MODEL, "search", ACCOUNT, ROLE, UNALLOCATED, "us-east-1", UNALLOCATED)
        ]


def test_tokens_of_the_cache_are_counted_beside_the_input(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        load(ledger, tmp_path, call())
        classes = "input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens"
        assert ledger.rows(f"select {classes}, output_tokens, tokens from spend") == [(35, 7, 5, 0, 446, 493)]


@pytest.mark.parametrize(
    "usage",
    [
        {"cacheDetails": [{"ttl": "1h", "inputTokens": 4}, {"ttl": "5m", "inputTokens": 6}]},
        {"cache_creation": {"ephemeral_1h_input_tokens": 4, "ephemeral_5m_input_tokens": 6}},
    ],
)
def test_writes_kept_for_an_hour_are_told_where_the_answer_tells_them(usage: object, tmp_path: Path) -> None:
    record = call(**counts(1, 2, written=10))
    record["output"] = {"outputTokenCount": 2, "outputBodyJson": {"usage": usage}}
    with memory_ledger() as ledger:
        load(ledger, tmp_path, record)
        assert ledger.rows("select cache_write_5m_tokens, cache_write_1h_tokens from spend") == [(6, 4)]


def test_an_error_is_a_failed_request_also_without_tokens(tmp_path: Path) -> None:
    failed = call("r2", errorCode="ThrottlingException", input={"inputContentType": "x"}, output=None)
    with memory_ledger() as ledger:
        load(ledger, tmp_path, call(), failed)
        assert ledger.rows("select sum(requests), sum(failed_requests), sum(tokens) from spend") == [
            (2, 1, 493)
        ]


@pytest.mark.parametrize(
    ("model_id", "model"),
    [
        (f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}", MODEL),
        (f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.{MODEL}", f"us.{MODEL}"),
        (f"arn:aws-us-gov:bedrock:us-gov-west-1:{ACCOUNT}:inference-profile/gov.{MODEL}", f"gov.{MODEL}"),
        (
            f"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/abc123",
            "application-inference-profile/abc123",
        ),
        (f"arn:aws:bedrock:us-east-1:{ACCOUNT}:provisioned-model/p1", "provisioned-model/p1"),
        (f"global.{MODEL}", f"global.{MODEL}"),
    ],
)  # fmt: skip
def test_a_profile_stands_for_its_model(model_id: str, model: str, tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        load(ledger, tmp_path, call(modelId=model_id))
        assert ledger.rows("select model from spend") == [(model,)]


@pytest.mark.parametrize(
    ("arn", "key", "user"),
    [
        (f"arn:aws:iam::{ACCOUNT}:user/data/ann", f"arn:aws:iam::{ACCOUNT}:user/data/ann", "ann"),
        (f"{ROLE}/i-0abc", ROLE, UNALLOCATED),
        (f"{ROLE}/ann@example.com", ROLE, "ann@example.com"),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Dev_1a2b/ann",
            f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Dev_1a2b",
            "ann",
        ),
        (f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:root", UNALLOCATED),
    ],
)
def test_the_role_is_the_key_and_a_person_the_user(arn: str, key: str, user: str, tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        load(ledger, tmp_path, call(identity={"arn": arn}))
        assert ledger.rows('select key_id, "user" from spend') == [(key, user)]


def test_a_request_told_twice_counts_once_and_another_telling_is_a_conflict(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        found = load(ledger, tmp_path, call(), call(), call("r2", **counts(1, 1)), call("r2", **counts(2, 1)))
        assert (found.new, found.duplicate, found.rejected) == (1, 1, 2)


def test_loading_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        load(ledger, tmp_path, call())
        assert load(ledger, tmp_path, call()).duplicate == 1


BAD: list[tuple[Record, str, str | None, str]] = [
    (call(None), "requestId", None, "is required"),
    (call(modelId=None), "modelId", None, "is required"),
    (call(timestamp=None), "timestamp", None, "is required"),
    (call(timestamp="2026-11-20T10:00:17"), "timestamp", "2026-11-20T10:00:17", "is not RFC 3339"),
    (call(timestamp=["x"]), "timestamp", '["x"]', "is not RFC 3339"),
    (call(schemaType="Other"), "schemaType", "Other", "is not ModelInvocationLog"),
    (call(**counts(-1, 1)), "input.inputTokenCount", "-1", WHOLE),
    (call(**counts(10**30, 1)), "input.inputTokenCount", None, WHOLE),
    (call(**counts(1, 1, read=1.5)), "input.cacheReadInputTokenCount", "1.5", WHOLE),
    (call(**counts(1, 1, written=True)), "input.cacheWriteInputTokenCount", "true", WHOLE),
    (call(**counts(1, 1, read={"a": 1})), "input.cacheReadInputTokenCount", '{"a":1}', WHOLE),
    (call(output={"outputTokenCount": "many"}), "output.outputTokenCount", "many", WHOLE),
    (
        call(output={"outputBodyJson": {"usage": {"cacheDetails": [{"ttl": "1h", "inputTokens": 6}]}}}),
        "input.cacheWriteInputTokenCount", "5", "is less than its part that is kept for an hour",
    ),
    (call(identity={"arn": "AKIAIOSFODNN7EXAMPLE"}), "identity.arn", "AKIA…", SECRET),
    (call(requestMetadata={"team": "sk-live-0123456789abcdef"}), "requestMetadata", "…", SECRET),
    (call(region="r" * 600), "region", None, "is longer than 512 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "column", "value", "reason"), BAD)
def test_a_bad_record_is_rejected_with_its_place(
    record: Record, column: str, value: str | None, reason: str, tmp_path: Path
) -> None:
    with memory_ledger() as ledger:
        found = load(ledger, tmp_path, call("good"), record)
        (error,) = found.errors
        assert (found.new, error.line, error.column) == (1, 2, column)
        assert error.reason.startswith(reason)
        assert value is None or error.value == value


@pytest.mark.parametrize("text", ["[]", "7", "null", "{", '{"requestId": NaN}', '"text"'])
def test_a_line_that_is_no_record_is_rejected(text: str, tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(f"{json.dumps(call())}\n{text}\n")
    with memory_ledger() as ledger:
        found = ledger.load(path, as_format="bedrock")
        assert (found.new, found.rejected, found.errors[0].line) == (1, 1, 2)


@pytest.mark.parametrize(
    "odd", [{"identity": "x"}, {"identity": None}, {"input": []}, {"requestMetadata": ["a"]}, {"output": 3}]
)
def test_an_odd_shape_beside_the_counts_is_no_reason_to_refuse(odd: Record, tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        assert load(ledger, tmp_path, call() | odd).new == 1


def test_a_damaged_file_is_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "log.json.gz"
    path.write_bytes(packed(call(f"r{n}") for n in range(2000))[:-30])
    with memory_ledger() as ledger, pytest.raises(RefusedError, match="damaged or cut short"):
        ledger.load(path, as_format="bedrock")


def test_rejected_records_are_written_without_what_was_said(tmp_path: Path) -> None:
    path = tmp_path / "log.json.gz"
    path.write_bytes(packed([call(), call("r2", **{"modelId": None})]))
    with memory_ledger() as ledger:
        rejects = tmp_path / "rejects.csv"
        ledger.load(path, LoadOptions(now=NOW, format="bedrock", rejects=rejects), as_format="bedrock")
    assert "r2" in rejects.read_text()
    assert PROMPT not in rejects.read_text()


def test_a_file_of_another_format_says_which_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(f"{json.dumps({'requestId': 'r', 'modelId': 'm', 'schemaType': 's'})}\n")
    with memory_ledger() as ledger, pytest.raises(RefusedError, match="pass --format bedrock"):
        ledger.load(path)
