"""Counts wrong tokens, so that nobody tries many."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

MOST_FAILURES: Final = 10
"""Wrong tokens a minute, of all callers of the process together."""

_MINUTE: Final = timedelta(minutes=1)


@dataclass(slots=True)
class Throttle:
    """Counts failures of the last minute."""

    failures: deque[datetime] = field(default_factory=deque)
    lock: Lock = field(default_factory=Lock)

    def is_open(self, now: datetime) -> bool:
        with self.lock:
            while self.failures and self.failures[0] <= now - _MINUTE:
                self.failures.popleft()
            return len(self.failures) < MOST_FAILURES

    def failed(self, now: datetime) -> None:
        with self.lock:
            self.failures.append(now)
