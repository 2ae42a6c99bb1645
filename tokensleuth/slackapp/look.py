"""What a message needs to know beside the incident: the hour, the rules, the links, who is named."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.slackapp.escaping import escaped

LATE = timedelta(minutes=15)
_USER = re.compile(r"[UW][A-Z0-9]{2,}")
_GROUP = re.compile(r"S[A-Z0-9]{2,}")


@dataclass(frozen=True, slots=True)
class Look:
    """How it looks from where it is sent."""

    key: bytes = field(repr=False)
    """Signs the buttons."""
    rules: ApprovalRules
    now: datetime
    link_base: str | None = None
    """Address of the web inbox; no other link is ever in a message."""
    mention: tuple[str, ...] = ()
    """Slack users and user groups of the route."""
    chart_file: str | None = None
    """Slack's id of the uploaded chart."""
    dry_run: bool = True
    asked_at: datetime | None = None
    """When the message was due."""
    sent_at: datetime | None = None
    """When it was first sent; None while it is not."""
    limit_hours: int = 0
    """After how many hours limits are taken back; 0: never."""

    @property
    def mentions(self) -> str:
        """The only mentions of a message, each followed by a space."""
        users = [f"<@{m}> " for m in self.mention if _USER.fullmatch(m)]
        return "".join(users + [f"<!subteam^{m}> " for m in self.mention if _GROUP.fullmatch(m)])

    @property
    def late(self) -> str | None:
        """How late it is, where that matters."""
        if self.asked_at is None:
            return None
        age = (self.sent_at or self.now) - self.asked_at
        return duration(age) if age > LATE else None

    def link(self, path: str, label: str) -> str | None:
        """A link into the web inbox; `path` is made of ids of ours."""
        if self.link_base is None:
            return None
        address = escaped(f"{self.link_base}/{path}").replace("|", "%7C")
        return f"<{address}|{escaped(label)}>"


def duration(span: timedelta) -> str:
    """`2 d 3 h`, `3 h 20 min`, `12 min`."""
    minutes = max(round(span.total_seconds() / 60), 0)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{rest} min"
