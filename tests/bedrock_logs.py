"""Model invocation logs as Bedrock writes them, for files, folders and buckets of tests."""

import gzip
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

ACCOUNT = "111122223333"
REGION = "us-east-1"
PROMPT = "what was asked of the model"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/search-api/i-0abc"
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"

Record = dict[str, object]


def call(request_id: object = "r1", at: object = "2026-11-20T10:00:17Z", **fields: object) -> Record:
    """One Converse call of 35 tokens in, 7 read from the cache, 5 written to it, and 446 out."""
    record: Record = {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": at,
        "accountId": ACCOUNT,
        "identity": {"arn": ROLE},
        "region": REGION,
        "requestId": request_id,
        "operation": "Converse",
        "modelId": MODEL,
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": {"messages": [{"role": "user", "content": [{"text": PROMPT}]}]},
            "inputTokenCount": 35,
            "cacheReadInputTokenCount": 7,
            "cacheWriteInputTokenCount": 5,
        },
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": {"output": {"text": PROMPT}, "usage": {"inputTokens": 35, "outputTokens": 446}},
            "outputTokenCount": 446,
        },
        "inferenceRegion": REGION,
        "errorCode": None,
        "requestMetadata": {"team": "search"},
    }
    return record | fields


def counts(into: int, out: int, *, read: object = 0, written: object = 0) -> Record:
    """`input` and `output` of a record."""
    return {
        "input": {
            "inputTokenCount": into, "cacheReadInputTokenCount": read, "cacheWriteInputTokenCount": written,
        },
        "output": {"outputTokenCount": out},
    }  # fmt: skip


def packed(records: Iterable[object]) -> bytes:
    return gzip.compress("".join(f"{json.dumps(record)}\n" for record in records).encode())


def object_name(hour: datetime, name: str, *, prefix: str = "", account: str = ACCOUNT) -> str:
    """Where Bedrock puts an object of an hour."""
    at = f"AWSLogs/{account}/BedrockModelInvocationLogs/{REGION}/{hour:%Y/%m/%d/%H}"
    return f"{prefix}{at}/{name}.json.gz"


def write_object(root: Path, hour: datetime, name: str, records: Iterable[object]) -> Path:
    path = root / object_name(hour, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(records))
    return path
