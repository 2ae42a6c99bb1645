"""One thing that `doctor` looked at."""

from typing import Literal, NamedTuple

Status = Literal["ok", "warn", "fail"]


class Check(NamedTuple):
    """What was looked at, how it is, and what would be right."""

    name: str
    status: Status
    detail: str
