"""Amazon Bedrock's model invocation logs, from a bucket or a folder; prompts and answers go no further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import JsonValue
from pydantic_core import from_json

from ledger.errors import RefusedError
from ledger.ingest.lines import MAX_LINE_BYTES
from ledger.ingest.secrets import shortened
from ledger.ingest.source import SourceFormat
from ledger.sources.bedrock import PROVIDER
from ledger.sources.told import Wrong
from ledger.window import HOUR, Window
from tokensleuth.connectors.log_folder import FolderLogs
from tokensleuth.connectors.log_lines import DamagedError, lines_of
from tokensleuth.connectors.log_store import Listing, LogObject, LogStore
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.port import Line, Name, Report, SourceStream
from tokensleuth.connectors.settings import SourceSettings

STEP_HOURS = 3
"""Read and loaded at once, where `page_hours` is not less."""
_BUCKET = "s3://"
_TOP = (
    "schemaType", "timestamp", "accountId", "region", "requestId", "modelId", "errorCode", "requestMetadata",
    "performanceConfig",
)  # fmt: skip
_INPUT = ("inputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")
_USAGE = ("cacheDetails", "cache_creation")


@dataclass(frozen=True, slots=True)
class BedrockLogs:
    """The records of whole hours, whichever object they lie in."""

    listing: Listing
    source: str
    except_keys: Sequence[str] = ()
    step: timedelta = STEP_HOURS * HOUR
    name: str = "invocation-logs"
    grain: timedelta = HOUR
    format: SourceFormat = "bedrock"

    def pull(self, window: Window) -> Report:
        lines: list[Line] = []
        wrong: list[Wrong] = []
        for found in self.listing.of(window):
            taken, refused = self._records(found, window)
            lines += taken
            wrong += refused if found.is_of(window) else []
        return Report(lines=lines, wrong=wrong)

    def _records(self, found: LogObject, window: Window) -> tuple[list[Line], list[Wrong]]:
        """Of one object; of one that is damaged nothing is taken: it is read again at the next sync."""
        place = f"{self.source} {found.name}"
        data = self.listing.store.content(found.name)
        if data is None:
            return [], [Wrong(place, "object", None, "is gone since it was listed")]
        lines: list[Line] = []
        wrong: list[Wrong] = []
        try:
            for number, text in enumerate(lines_of(data), start=1):
                told = self._record(text, f"{place}:{number}", found, window)
                if isinstance(told, Line):
                    lines.append(told)
                elif told is not None:
                    wrong.append(told)
        except DamagedError as error:
            return [], [Wrong(place, "object", None, str(error))]
        return lines, wrong

    def _record(self, text: bytes | None, place: str, of: LogObject, window: Window) -> Line | Wrong | None:
        """None for a blank line, what is left out by its key, and what another window takes."""
        if text is None:
            return Wrong(place, "line", None, f"is longer than {MAX_LINE_BYTES:,} bytes")
        if not text.strip():
            return None
        record = _parsed(text)
        if record is None:
            return Wrong(place, "line", None, "is not a JSON object")
        at = _instant(record.get("timestamp"))
        if at is None:
            return Wrong(place, "timestamp", _shown(record.get("timestamp")), "is no instant with an offset")
        if at >= of.told_until:
            late = "is long after the hour of its folder, and after the object was written"
            return Wrong(place, "timestamp", _shown(record["timestamp"]), late)
        if at >= window.end_at or (at < window.start_at and not of.is_of(window)):
            return None
        if record.get("requestId") is None:
            return Wrong(place, "requestId", None, "is required")
        return None if self._is_left_out(record) else Line(place, kept(record))

    def _is_left_out(self, record: Mapping[str, JsonValue]) -> bool:
        identity = record.get("identity")
        arn = identity.get("arn") if isinstance(identity, dict) else None
        return any(fnmatchcase(str(arn), glob) for glob in self.except_keys)


class BedrockSource:
    """The logs of every account and region that lie in one place."""

    provider = PROVIDER

    def __init__(self, settings: SourceSettings, *, patience: Patience | None = None) -> None:
        """Raises RefusedError for a place that is none, and where what reads it is not installed."""
        self.name = settings.called
        self._store = _store(settings, patience or Patience())
        late = settings.lookback_hours * HOUR
        step = min(settings.page_hours, STEP_HOURS) * HOUR
        logs = BedrockLogs(Listing(self._store, late), self.name, settings.except_keys, step)
        self.streams: Sequence[SourceStream] = (logs,)

    def names(self) -> Sequence[Name]:
        """None: roles and users are told by their names."""
        return ()

    def close(self) -> None:
        self._store.close()


def kept(record: Mapping[str, JsonValue]) -> JsonValue:
    """What the ledger reads of a record."""
    output = _object(record.get("output"))
    usage = _object(_object(output.get("outputBodyJson")).get("usage"))
    return {
        **{name: record[name] for name in _TOP if record.get(name) is not None},
        "identity": _only(_object(record.get("identity")), ("arn",)),
        "input": _only(_object(record.get("input")), _INPUT),
        "output": {
            **_only(output, ("outputTokenCount",)),
            **({"outputBodyJson": {"usage": told}} if (told := _only(usage, _USAGE)) else {}),
        },
    }


def _store(settings: SourceSettings, patience: Patience) -> LogStore:
    location = settings.location
    if not location:
        raise RefusedError(
            f"{settings.called}: no location; write s3://BUCKET/PREFIX, or the folder that holds AWSLogs"
        )
    if not location.startswith(_BUCKET):
        folder = Path(location)
        if not folder.is_dir():
            raise RefusedError(f"{settings.called}: location {location!r} is no folder and no s3://BUCKET")
        return FolderLogs(folder)
    try:
        # Imported here: boto3 is an extra, and who reads a folder does without.
        from tokensleuth.connectors.s3 import S3Logs
    except ModuleNotFoundError as error:
        if error.name not in ("boto3", "botocore"):
            raise
        raise RefusedError(
            f"{settings.called}: reading {location} needs boto3: install the extra s3, tokensleuth[s3]"
        ) from None
    bucket, _, prefix = location.removeprefix(_BUCKET).partition("/")
    if not bucket:
        raise RefusedError(f"{settings.called}: location {location!r} names no bucket; write s3://BUCKET")
    prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
    address = settings.address or None
    return S3Logs(bucket, prefix, endpoint_url=address, timeout_s=settings.timeout_s, patience=patience)


def _parsed(text: bytes) -> dict[str, JsonValue] | None:
    try:
        found = from_json(text, allow_inf_nan=False)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _instant(value: JsonValue) -> datetime | None:
    """Anything that is no text with an offset is none."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _shown(value: JsonValue) -> str | None:
    return None if value is None else shortened(str(value))


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _only(found: Mapping[str, JsonValue], names: Sequence[str]) -> dict[str, JsonValue]:
    return {name: found[name] for name in names if found.get(name) is not None}
