"""How many messages of their own there may be in any hour, and which incidents may still use it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tokensleuth.settings_acts import Severity

HOUR = timedelta(hours=1)

_RESERVED = 5
"""One message in so many is kept for high severity: a flood of small ones must not hide a key leak."""


def fits(due_at: datetime, more: int, taken: Iterable[datetime], limit: int) -> bool:
    """Whether with `more` messages at `due_at` no hour, wherever it begins, has more than `limit`.

    Messages later than `due_at` count too: some wait for quiet hours to end, and clocks are set back.
    """
    near = [at for at in taken if abs(at - due_at) < HOUR]
    begins = [due_at, *(at for at in near if at <= due_at)]
    fullest = max(sum(begin <= at < begin + HOUR for at in near) for begin in begins)
    return fullest + more <= limit


def allowance(limit: int, urgency: Severity, *, waits: bool) -> int:
    """How much of the hour's limit an incident may use up.

    Those that wait for the end of quiet hours leave half for what happens around then.
    """
    if urgency == "high":
        return limit
    return max(1, limit // 2) if waits else limit - limit // _RESERVED
