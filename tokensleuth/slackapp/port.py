"""What the service asks of Slack, and how that can end.

SlackError
    RetryLaterError   surely not out; may be tried again after so many seconds
    LostError         nobody knows whether it went out: look before sending it again
    NotAcceptedError  surely not out, and never will be as it is
    BadAuthError      the token or its scopes do not do: nothing can be sent until a person changes that
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Blocks = Sequence[Mapping[str, object]]


class SlackError(Exception):
    """Base of how a call to Slack fails; messages never hold a token."""


class RetryLaterError(SlackError):
    """Slack is busy or not to be reached, and did nothing."""

    def __init__(self, why: str, after_s: int) -> None:
        super().__init__(f"{why}; again in {after_s} s")
        self.after_s = after_s


class LostError(SlackError):
    """No answer, or none that says whether it was done."""


class NotAcceptedError(SlackError):
    """Slack refuses what was asked; its word for why is in `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Slack refused it: {reason}")
        self.reason = reason


class BadAuthError(SlackError):
    """Slack does not let the bot in."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message is."""

    channel: str
    """Slack's id of the conversation, also where a person was named."""
    ts: str


class SlackApi(Protocol):
    """Every method raises SlackError.

    `channel` is a conversation, or a person for a direct message.
    """

    def post(
        self, channel: str, text: str, blocks: Blocks, *, outbox_id: str, thread_ts: str | None = None
    ) -> Posted:
        """A new message that carries the outbox id, in a thread where one is named."""
        ...

    def update(self, channel: str, ts: str, text: str, blocks: Blocks, *, outbox_id: str) -> None:
        """Change a message in place."""
        ...

    def whisper(self, channel: str, user: str, text: str, blocks: Blocks) -> str:
        """What only one person sees; gives its ts."""
        ...

    def upload(self, name: str, content: bytes, alt_text: str) -> str:
        """A file that belongs to no channel; gives its id."""
        ...

    def find(
        self, channel: str, outbox_id: str, *, since: datetime, thread_ts: str | None = None
    ) -> Posted | None:
        """The message with that outbox id that was posted since, where there is one."""
        ...
