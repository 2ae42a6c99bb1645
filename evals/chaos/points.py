"""The named points at which a worker is killed, and the switch that does it."""

import os
import signal
from dataclasses import dataclass, field
from itertools import chain
from threading import Lock

COMMITS = (
    "click stored",
    "click taken",
    "decision",
    "refusal",
    "undo asked",
    "click handled",
    "expiry",
    "claim",
    "intent",
    "try",
    "end",
    "letter taken",
    "letter sent",
)
"""Transactions that write; each has a point before and one after its commit."""
CALLS = ("gateway read", "gateway write", "gateway read back", "post", "update", "whisper")
"""Calls to the outside; each has a point before and one after, when the answer is there but not yet used."""
POINTS = tuple(chain.from_iterable((f"before {name}", f"after {name}") for name in (*COMMITS, *CALLS)))
RANDOM = "at a random time"


@dataclass(slots=True)
class KillSwitch:
    """Ends this process with SIGKILL when it comes to a point for the n-th time."""

    point: str | None = None
    nth: int = 1
    lock: Lock = field(default_factory=Lock)

    def at(self, point: str) -> None:
        if point != self.point:
            return
        with self.lock:
            self.nth -= 1
            if self.nth == 0:
                os.kill(os.getpid(), signal.SIGKILL)
