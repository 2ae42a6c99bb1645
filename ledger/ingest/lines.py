"""Physical lines of CSV records: DuckDB counts records, people look for lines."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

_QUOTE_OPENS = re.compile(rb' *"')
_CHUNK_BYTES = 1 << 20
MAX_LINE_BYTES = 4_000_000


class Begin(NamedTuple):
    """Where a record really begins: the parser may point at the blank lines or the line end before it."""

    byte_at: int
    line: int
    text: str
    """Its first line."""


def begins_at(path: Path, offsets: Iterable[int]) -> list[Begin]:
    """The first line with anything on it from each byte offset on; offsets ascend."""
    found = []
    with path.open("rb") as file:
        line, at = 1, 0
        for offset in offsets:
            line, at = line + _newlines(file, offset - at), max(at, offset)
            text = file.readline(MAX_LINE_BYTES)
            while text and not text.strip(b"\r\n"):
                line, at = line + 1, at + len(text)
                text = file.readline(MAX_LINE_BYTES)
            found.append(Begin(at, line, text.decode("utf-8", "replace").rstrip("\r\n")))
            file.seek(at)
    return found


def _newlines(file: BinaryIO, size: int) -> int:
    """Line ends in the next `size` bytes, which are read."""
    lines = 0
    while size > 0 and (chunk := file.read(min(_CHUNK_BYTES, size))):
        lines, size = lines + chunk.count(b"\n"), size - len(chunk)
    return lines


def record_lines(path: Path, wanted: Collection[int], refused: Mapping[int, int]) -> dict[int, int]:
    """The line at which each wanted record begins.

    Records are numbered from 0 as DuckDB numbers them: without the header, blank lines and what it refused
    (`refused`: byte offset -> line ends inside). The file is read up to the last record wanted.
    """
    last = max(wanted, default=-1)
    with path.open("rb") as file:
        numbered = zip(range(last + 1), _kept_records(file, refused), strict=False)
        return {record: line for record, line in numbered if record in wanted}


def _kept_records(file: BinaryIO, refused: Mapping[int, int]) -> Iterator[int]:
    """The first line of each record after the header."""
    line = 1 + _lines_of_record(file, file.readline())
    begins_at = file.tell()
    while text := file.readline():
        if begins_at in refused:
            lines = 1 + sum(1 for _ in range(refused[begins_at]) if file.readline())
        else:
            lines = _lines_of_record(file, text)
            if text.strip(b"\r\n"):
                yield line
        line, begins_at = line + lines, file.tell()


def _lines_of_record(file: BinaryIO, text: bytes) -> int:
    """Read on to the end of the record whose first line is `text`."""
    lines, inside = 1, _ends_in_quotes(text, inside=False)
    while inside and (text := file.readline()):
        lines, inside = lines + 1, _ends_in_quotes(text, inside=True)
    return lines


def _ends_in_quotes(line: bytes, *, inside: bool) -> bool:
    """Whether a quoted cell is still open where the line ends."""
    at, cell_begins = 0, not inside
    while True:
        if inside:
            end = line.find(b'"', at)
            if end < 0:
                return True
            if line[end + 1 : end + 2] == b'"':
                at = end + 2
                continue
            inside, at = False, end + 1
        elif cell_begins and (opened := _QUOTE_OPENS.match(line, at)):
            inside, at, cell_begins = True, opened.end(), False
            continue
        comma = line.find(b",", at)
        if comma < 0:
            return False
        at, cell_begins = comma + 1, True
