"""Files of OTLP requests, as the file exporter of the OpenTelemetry collector writes them."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import RefusedError
from ledger.ingest.preflight import GZIP_MAGIC
from ledger.ingest.result import RowError
from ledger.sources.otlp_json import json_document
from ledger.sources.otlp_metrics import KnownSeries
from ledger.sources.otlp_raw import Encoding, Signal, Undecodable
from tokensleuth.otlp.intake import Intake, read_request

SUFFIXES = (".json", ".jsonl", ".ndjson", ".pb", ".binpb")
_PROTOBUF = (".pb", ".binpb")
_MOST_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class FileReading:
    """What one file holds; `errors` are of lines that are no request, and of points and spans."""

    requests: Sequence[Intake]
    errors: Sequence[RowError]
    rejected: int
    warnings: Sequence[str] = ()


def otlp_files(path: Path) -> list[Path]:
    """The path itself, or the files of known suffixes in a folder, in name order."""
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.is_file() and _suffix(p) in SUFFIXES)
    if not found:
        raise RefusedError(f"{path}: no {', '.join(SUFFIXES)} file (or .gz of one) in this folder")
    return found


def read_file(path: Path, series: KnownSeries, now: int) -> FileReading:
    """Raises RefusedError where the file as a whole is none; `now` in nanoseconds."""
    body = _content(path)
    if not body.strip():
        raise RefusedError(f"{path}: the file is empty")
    if _suffix(path) in _PROTOBUF:
        return _reading(path, [_Told(None, _protobuf_request(path, body, series, now))])
    if _suffix(path) not in SUFFIXES:
        raise RefusedError(f"{path}: unknown kind of file; OTLP comes as {', '.join(SUFFIXES)} (or .gz)")
    return _reading(path, list(_json_requests(body, series, now)))


@dataclass(frozen=True, slots=True)
class _Told:
    line: int | None
    found: Intake | str
    """Or why it is none."""


def _json_requests(body: bytes, series: KnownSeries, now: int) -> Iterator[_Told]:
    """One document, or one in each line."""
    lines = body.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not _is_request(lines[0]) and _is_request(body):
        lines = [body]
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _Told(number, _json_request(line, series, now))


def _is_request(text: bytes) -> bool:
    try:
        return bool(json_document(text))
    except Undecodable:
        return False


def _json_request(line: bytes, series: KnownSeries, now: int) -> Intake | str:
    try:
        document = json_document(line)
        for key, signal in _SIGNALS.items():
            if key in document:
                return read_request(signal, "json", line.strip(), series, now, of_file=True)
    except Undecodable as error:
        return str(error)
    return f"has none of {', '.join(f'`{key}`' for key in _SIGNALS)}"


def _protobuf_request(path: Path, body: bytes, series: KnownSeries, now: int) -> Intake:
    """Nothing in a message says which it is: it is the one in which something is found."""
    found: list[Intake] = []
    signals: tuple[Signal, ...] = ("metrics", "traces")
    encoding: Encoding = "protobuf"
    for signal in signals:
        try:
            found.append(read_request(signal, encoding, body, series, now, of_file=True))
        except Undecodable:
            continue
    telling = [intake for intake in found if not intake.is_empty]
    if len(telling) == 1:
        return telling[0]
    if not found:
        raise RefusedError(f"{path}: no OTLP request of metrics or traces")
    if telling:
        raise RefusedError(f"{path}: can be read as metrics and as traces; export it as JSON")
    return found[0]


def _reading(path: Path, told: Sequence[_Told]) -> FileReading:
    requests, errors, rejected = [], [], 0
    for one in told:
        if isinstance(one.found, str):
            errors.append(RowError(str(path), one.line, None, None, one.found))
            rejected += 1
        elif not one.found.is_empty:
            requests.append(one.found)
            rejected += len(one.found.wrong)
            errors += [
                RowError(str(path), one.line, w.column, w.value, f"{w.place}: {w.reason}")
                for w in one.found.wrong
            ]
    warnings = () if requests or errors else (f"{path}: no token usage in it",)
    return FileReading(requests, errors, rejected, warnings)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            gzipped = file.read(2) == GZIP_MAGIC
        if gzipped:
            with gzip.open(path) as packed:
                body = packed.read(_MOST_BYTES + 1)
        else:
            body = path.read_bytes()
    except OSError as error:
        raise RefusedError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error) as error:
        raise RefusedError(f"{path}: the gzip data is damaged or cut short: {error}") from None
    if len(body) > _MOST_BYTES:
        raise RefusedError(f"{path}: over {_MOST_BYTES:,} bytes; split it by lines")
    return body


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


_SIGNALS: dict[str, Signal] = {"resourceMetrics": "metrics", "resourceSpans": "traces"}
