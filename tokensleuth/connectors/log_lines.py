"""The lines of a log object, unpacked within bounds."""

import gzip
import zlib
from collections.abc import Iterator
from io import BytesIO

from ledger.ingest.lines import MAX_LINE_BYTES
from ledger.ingest.preflight import GZIP_MAGIC

MAX_UNPACKED_BYTES = 4 << 30
"""Of one object; a small one can be packed so that it has no end."""


class DamagedError(ValueError):
    """What was packed cannot be unpacked to its end."""


def lines_of(data: bytes, most: int = MAX_UNPACKED_BYTES) -> Iterator[bytes | None]:
    """Every line, None for one that is longer than a line may be; raises DamagedError."""
    file = gzip.GzipFile(fileobj=BytesIO(data)) if data[:2] == GZIP_MAGIC else BytesIO(data)
    unpacked = 0
    whole = True
    try:
        while text := file.readline(MAX_LINE_BYTES):
            unpacked += len(text)
            if unpacked > most:
                raise DamagedError(f"holds more than {most:,} bytes")
            ends = text.endswith(b"\n") or len(text) < MAX_LINE_BYTES
            if not whole or not ends:
                text = b""
            if ends:
                yield text if whole else None
            whole = ends
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DamagedError(f"is damaged or cut short: {error}") from None
    if not whole:
        yield None
