"""What can be told of a file before a row is parsed: its format, its compression, whether it is text."""

import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ledger.errors import RefusedError

Physical = Literal["csv", "jsonl", "json", "parquet"]

_SUFFIXES: dict[str, Physical] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_HTML = re.compile(rb"^\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)
_HEAD_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class UsageFile:
    """A file that exists, is not empty and is of a known physical format."""

    path: Path
    physical: Physical
    gzipped: bool

    @property
    def name(self) -> str:
        return str(self.path)


def inspect_file(path: Path) -> UsageFile:
    """Recognise a file by its content and name; raises RefusedError for what cannot be usage."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise RefusedError(f"{path}: cannot be read: {error.strerror}") from None
    gzipped = head[:2] == GZIP_MAGIC
    file_ = UsageFile(path, _physical(path, head), gzipped)
    if file_.physical == "parquet":
        return file_
    _check_text(file_, head_of(file_))
    return file_


def usage_files(path: Path) -> list[Path]:
    """The path itself, or the files of known formats in a folder, in name order."""
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.is_file() and _suffix(p) in _SUFFIXES)
    if not found:
        raise RefusedError(f"{path}: no .csv, .jsonl, .json or .parquet file (or .gz of one) in this folder")
    return found


def csv_header(file: UsageFile) -> list[str]:
    """The column names in lower case and file order; the header must be one line of UTF-8."""
    first = head_of(file).split(b"\n", 1)[0]
    text = first.decode("utf-8-sig").rstrip("\r")
    if "\r" in text:
        raise RefusedError(f"{file.name}: lines end with a carriage return alone; save it with line feeds")
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except csv.Error as error:
        raise RefusedError(f"{file.name}:1: the header is not CSV: {error}") from None
    if not names:
        raise RefusedError(f"{file.name}:1: the first line is empty; it must name the columns")
    return [name.strip().lower() for name in names]


def head_of(file: UsageFile) -> bytes:
    """The first megabyte, decompressed."""
    try:
        if not file.gzipped:
            with file.path.open("rb") as plain:
                return plain.read(_HEAD_BYTES)
        with gzip.open(file.path) as zipped:
            return zipped.read(_HEAD_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise RefusedError(f"{file.name}: the gzip data is damaged or cut short: {error}") from None


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def _physical(path: Path, head: bytes) -> Physical:
    if not head:
        raise RefusedError(f"{path}: the file is empty")
    if head == b"PAR1":
        return "parquet"
    physical = _SUFFIXES.get(_suffix(path))
    if physical is None:
        raise RefusedError(
            f"{path}: unknown kind of file; usage comes as .csv, .jsonl, .json or .parquet (or .gz)"
        )
    if physical == "parquet" and head[:2] != GZIP_MAGIC:
        raise RefusedError(f"{path}: not Parquet: it starts with {head!r} instead of b'PAR1'")
    return physical


def _check_text(file: UsageFile, head: bytes) -> None:
    if not head.strip():
        raise RefusedError(f"{file.name}: the file is empty")
    first = head.split(b"\n", 1)[0]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in first:
        raise RefusedError(f"{file.name}: not UTF-8 text (UTF-16 or binary); save it as UTF-8")
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise RefusedError(f"{file.name}: this is an HTML or XML page, not usage (a login page, perhaps)")
    try:
        first.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(
            f"{file.name}:1: not UTF-8 at byte {error.start}; save the file as UTF-8"
        ) from None
