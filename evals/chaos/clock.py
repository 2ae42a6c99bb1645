"""A clock that several processes share and that can be put forward, so that no lease is waited for."""

import mmap
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from tokensleuth.clock import utc_now

_SECONDS = struct.Struct("d")


@dataclass(frozen=True, slots=True)
class SharedClock:
    """The present plus what the file holds; call it."""

    memory: mmap.mmap

    @classmethod
    def at(cls, path: Path) -> Self:
        """Of that file, which is made where it is missing."""
        if not path.exists():
            path.write_bytes(_SECONDS.pack(0.0))
        with path.open("r+b") as file:
            return cls(mmap.mmap(file.fileno(), _SECONDS.size))

    def __call__(self) -> datetime:
        return utc_now() + timedelta(seconds=_SECONDS.unpack_from(self.memory)[0])

    def put_forward(self, to: datetime) -> None:
        """Never back."""
        ahead = (to - self()).total_seconds()
        if ahead > 0:
            _SECONDS.pack_into(self.memory, 0, _SECONDS.unpack_from(self.memory)[0] + ahead)

    def close(self) -> None:
        self.memory.close()
