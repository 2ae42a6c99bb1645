"""Slack's Web API through its own SDK: nothing is sent twice by itself, and every failure gets a class."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPException
from typing import Final, Self, TypeVar
from urllib.error import URLError
from urllib.parse import urlsplit

from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from tokensleuth.slackapp.port import (
    BadAuthError,
    Blocks,
    LostError,
    NotAcceptedError,
    Posted,
    RetryLaterError,
    SlackError,
)

EVENT_TYPE: Final = "tokensleuth_letter"
TIMEOUT_S: Final = 15
"""For each of connecting and reading; well within the lease of a letter."""
PAGE: Final = 100
MAX_PAGES: Final = 50
UNREACHABLE_S: Final = 10
_BUSY_S: Final = 30

# Of docs.slack.dev/reference/methods: what an operator must mend, and what says nothing about the outcome.
_BAD_AUTH = frozenset({
    "access_denied", "account_inactive", "ekm_access_denied", "invalid_auth", "missing_scope",
    "no_permission", "not_allowed_token_type", "not_authed", "org_login_required", "team_access_not_granted",
    "token_expired", "token_revoked",
})  # fmt: skip
_UNKNOWN = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable", "timeout"})
_BUSY = frozenset({"accesslimited", "rate_limited", "ratelimited"})

T = TypeVar("T")


def vendor_logger() -> logging.Logger:
    """For the SDK, which writes whole bodies to its log; what matters is told by our errors."""
    logger = logging.getLogger("tokensleuth.slackapp.sdk")
    logger.setLevel(logging.CRITICAL)
    return logger


def web_client(base_url: str, token: SecretStr | None, *, timeout_s: int = TIMEOUT_S) -> WebClient:
    """A client that tries once; a proxy of the environment is not used for loopback."""
    client = WebClient(
        token=token.get_secret_value() if token else None,
        base_url=base_url,
        timeout=timeout_s,
        retry_handlers=[],
        logger=vendor_logger(),
    )
    if is_loopback(urlsplit(base_url).hostname):
        client.proxy = None
    return client


def is_loopback(host: str | None) -> bool:
    return host in ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class WebApi:
    """The port over HTTP."""

    client: WebClient = field(repr=False)
    direct: dict[str, str] = field(default_factory=dict)
    """The conversations of people that direct messages went to."""

    @classmethod
    def at(cls, base_url: str, token: SecretStr, *, timeout_s: int = TIMEOUT_S) -> Self:
        return cls(web_client(base_url, token, timeout_s=timeout_s))

    def post(
        self, channel: str, text: str, blocks: Blocks, *, outbox_id: str, thread_ts: str | None = None
    ) -> Posted:
        place = self._conversation(channel)
        answer = _called(
            lambda: self.client.chat_postMessage(
                channel=place,
                text=text,
                blocks=[dict(block) for block in blocks] or None,
                thread_ts=thread_ts,
                metadata=_metadata(outbox_id),
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        return Posted(_text(answer, "channel"), _text(answer, "ts"))

    def update(self, channel: str, ts: str, text: str, blocks: Blocks, *, outbox_id: str) -> None:
        place = self._conversation(channel)
        shown = [dict(block) for block in blocks]
        _called(
            lambda: self.client.chat_update(
                channel=place, ts=ts, text=text, blocks=shown, metadata=_metadata(outbox_id)
            )
        )

    def whisper(self, channel: str, user: str, text: str, blocks: Blocks) -> str:
        shown = [dict(block) for block in blocks] or None
        answer = _called(
            lambda: self.client.chat_postEphemeral(channel=channel, user=user, text=text, blocks=shown)
        )
        return _text(answer, "message_ts")

    def upload(self, name: str, content: bytes, alt_text: str) -> str:
        answer = _called(
            lambda: self.client.files_upload_v2(
                filename=name, content=content, title=alt_text, alt_txt=alt_text
            )
        )
        files = answer.get("files")
        first = files[0] if isinstance(files, list) and files else {}
        return _text(first, "id")

    def find(
        self, channel: str, outbox_id: str, *, since: datetime, thread_ts: str | None = None
    ) -> Posted | None:
        place = self._conversation(channel)
        oldest, cursor = f"{since.timestamp():.6f}", None
        for _ in range(MAX_PAGES):
            page = self._page(place, thread_ts, oldest, cursor)
            ts = _ts_of(page, outbox_id)
            if ts is not None:
                return Posted(place, ts)
            cursor = _next(page)
            if cursor is None:
                return None
        raise LostError(f"more than {MAX_PAGES * PAGE} messages since then: cannot tell whether it is out")

    def _page(
        self, place: str, thread_ts: str | None, oldest: str, cursor: str | None
    ) -> Mapping[str, object]:
        if thread_ts is None:
            return _called(
                lambda: self.client.conversations_history(
                    channel=place, oldest=oldest, cursor=cursor, limit=PAGE, include_all_metadata=True
                )
            )
        return _called(
            lambda: self.client.conversations_replies(
                channel=place, ts=thread_ts, cursor=cursor, limit=PAGE, include_all_metadata=True
            )
        )

    def _conversation(self, channel: str) -> str:
        """A person's direct messages have an id of their own, which history and update ask for."""
        if channel[:1] not in ("U", "W"):
            return channel
        if channel not in self.direct:
            answer = _called(lambda: self.client.conversations_open(users=channel))
            opened = answer.get("channel")
            self.direct[channel] = _text(opened if isinstance(opened, dict) else {}, "id")
        return self.direct[channel]


def _called(call: Callable[[], SlackResponse]) -> Mapping[str, object]:
    """The answer's document; the SDK fails with an AttributeError on JSON that is no object."""
    try:
        answer = call().data
    except SlackApiError as error:
        raise _of_answer(error) from None
    except (ConnectionRefusedError, URLError) as error:
        raise _of_network(error) from None
    except (OSError, HTTPException, SlackClientError, ValueError, AttributeError) as error:
        raise LostError(f"no answer from Slack: {type(error).__name__}") from None
    if not isinstance(answer, dict):
        raise LostError("Slack's answer is no JSON object")
    return answer


def _of_network(error: OSError) -> SlackError:
    """Without a connection nothing was done."""
    reason = error.reason if isinstance(error, URLError) else error
    name = type(reason).__name__ if isinstance(reason, OSError) else "URLError"
    if name in ("ConnectionRefusedError", "gaierror"):
        return RetryLaterError(f"Slack cannot be reached: {name}", UNREACHABLE_S)
    return LostError(f"no answer from Slack: {name}")


def _of_answer(error: SlackApiError) -> SlackError:
    answer = error.response
    status, document = answer.status_code, answer.data if isinstance(answer.data, dict) else {}
    said = document.get("error")
    word = said if isinstance(said, str) and said.isidentifier() and len(said) <= 100 else None
    if status == 429 or word in _BUSY:
        return RetryLaterError("Slack asks to wait", _seconds(answer.headers))
    if word in _BAD_AUTH or status in (401, 403):
        return BadAuthError(f"Slack does not let the bot in: {word or status}")
    if word is None or word in _UNKNOWN or status >= 500:
        return LostError(f"Slack answered {status} {word or 'without a reason that can be read'}")
    return NotAcceptedError(word)


def _seconds(headers: Mapping[str, object]) -> int:
    given = next((str(v) for name, v in headers.items() if name.lower() == "retry-after"), "")
    return min(max(int(given), 1), 3600) if given.isascii() and given.isdigit() else _BUSY_S


def _metadata(outbox_id: str) -> dict[str, object]:
    return {"event_type": EVENT_TYPE, "event_payload": {"outbox_id": outbox_id}}


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise LostError(f"Slack's answer has no {name}")
    return value


def _ts_of(page: Mapping[str, object], outbox_id: str) -> str | None:
    messages = page.get("messages")
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, dict) and _outbox_id(message.get("metadata")) == outbox_id:
            return _text(message, "ts")
    return None


def _outbox_id(metadata: object) -> object:
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    return payload.get("outbox_id") if isinstance(payload, dict) else None


def _next(page: Mapping[str, object]) -> str | None:
    about = page.get("response_metadata")
    cursor = about.get("next_cursor") if isinstance(about, dict) else None
    return cursor if isinstance(cursor, str) and cursor else None
