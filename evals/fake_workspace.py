"""The state of a pretended Slack workspace: messages, files and a journal of everything that was done."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tokensleuth.clock import utc_now

Fields = Mapping[str, object]
Answer = dict[str, object]
PREVIEWS = ("unfurl_links", "unfurl_media")
"""What a post says of previews; only the journal shows it."""
MAX_BLOCKS = 50
MAX_TEXT = 40_000


class Refusal(Exception):
    """Slack's word for why it does not do something."""


@dataclass(slots=True)
class FakeWorkspace:
    """What a bot did; every effect is a line of the journal before it is answered."""

    journal: Path
    clock: Callable[[], datetime] = utc_now
    effects: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.journal.exists():
            self.effects += read_journal(self.journal)

    def call(self, method: str, fields: Fields) -> Answer:
        """Do what a method of the Web API asks for; raises Refusal."""
        calls: dict[str, Callable[[Fields], Answer]] = {
            "auth.test": lambda _: {"team_id": "T1", "user_id": "UBOT", "bot_id": "B1"},
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.postEphemeral": self._whisper,
            "conversations.open": lambda f: {"channel": {"id": f"D{str(f['users'])[1:]}"}},
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "files.getUploadURLExternal": self._begin_upload,
            "files.completeUploadExternal": self._end_upload,
        }
        if method not in calls:
            raise Refusal("unknown_method")
        return calls[method](fields)

    def put_file(self, file_id: str, content: bytes) -> None:
        self._note({"effect": "file", "file_id": file_id, "bytes": len(content)})

    def messages(self, channel: str) -> list[Answer]:
        """As they stand now, earliest first, replies included."""
        found: dict[object, Answer] = {}
        for effect in self.effects:
            if effect.get("channel") != channel:
                continue
            if effect["effect"] == "post":
                hidden = ("effect", "channel", *PREVIEWS)
                found[effect["ts"]] = {n: v for n, v in effect.items() if n not in hidden}
            elif effect["effect"] == "update":
                found[effect["ts"]] |= {n: effect[n] for n in ("text", "blocks", "metadata") if effect[n]}
        return list(found.values())

    def of(self, kind: str) -> list[Answer]:
        """All effects of a kind: post, update, whisper, file, upload."""
        return [effect for effect in self.effects if effect["effect"] == kind]

    def _post(self, fields: Fields) -> Answer:
        _check_message(fields)
        thread_ts = fields.get("thread_ts")
        if thread_ts is not None and not self._has(str(fields["channel"]), str(thread_ts)):
            raise Refusal("thread_not_found")
        shown = {name: fields.get(name) for name in ("text", "blocks", "metadata", "thread_ts")}
        made = {"effect": "post", "channel": fields["channel"], "ts": self._ts(), **shown}
        previews = {name: fields.get(name) for name in PREVIEWS}
        self._note({**made, **previews})
        return {"channel": made["channel"], "ts": made["ts"], "message": shown}

    def _update(self, fields: Fields) -> Answer:
        _check_message(fields)
        channel, ts = str(fields["channel"]), str(fields["ts"])
        if not self._has(channel, ts):
            raise Refusal("message_not_found")
        shown = {name: fields.get(name) for name in ("text", "blocks", "metadata")}
        self._note({"effect": "update", "channel": channel, "ts": ts, **shown})
        return {"channel": channel, "ts": ts}

    def _whisper(self, fields: Fields) -> Answer:
        _check_message(fields)
        shown = {name: fields.get(name) for name in ("channel", "user", "text", "blocks")}
        ts = self._ts()
        self._note({"effect": "whisper", "ts": ts, **shown})
        return {"message_ts": ts}

    def _history(self, fields: Fields) -> Answer:
        oldest = float(str(fields.get("oldest") or 0))
        top = [m for m in self.messages(str(fields["channel"])) if not m["thread_ts"]]
        return _page([m for m in reversed(top) if float(str(m["ts"])) >= oldest], fields)

    def _replies(self, fields: Fields) -> Answer:
        ts = str(fields["ts"])
        found = [m for m in self.messages(str(fields["channel"])) if ts in (m["ts"], m["thread_ts"])]
        if not found:
            raise Refusal("thread_not_found")
        return _page(found, fields)

    def _begin_upload(self, fields: Fields) -> Answer:
        file_id = f"F{len(self.effects) + 1:08d}"
        self._note({"effect": "upload", "file_id": file_id, "filename": fields.get("filename")})
        return {"file_id": file_id, "upload_url": f"upload/{file_id}"}

    def _end_upload(self, fields: Fields) -> Answer:
        files = json.loads(str(fields["files"]))
        stored = {effect["file_id"] for effect in self.of("file")}
        if not all(f["id"] in stored for f in files):
            raise Refusal("file_not_found")
        return {"files": [{"id": f["id"], "title": f.get("title")} for f in files]}

    def _has(self, channel: str, ts: str) -> bool:
        return any(m["ts"] == ts for m in self.messages(channel))

    def _ts(self) -> str:
        return f"{int(self.clock().timestamp())}.{len(self.effects) + 1:06d}"

    def _note(self, effect: Answer) -> None:
        with self.journal.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(effect) + "\n")
        self.effects.append(effect)


def read_journal(path: Path) -> Iterator[Answer]:
    """Everything that was done, in order."""
    for line in path.read_text("utf-8").splitlines():
        yield dict(json.loads(line))


def doubled(effects: Sequence[Fields]) -> list[object]:
    """Outbox ids of which more than one message was posted."""
    ids = [outbox_id_of(effect) for effect in effects if effect["effect"] == "post"]
    return sorted({i for i in ids if i is not None and ids.count(i) > 1}, key=str)


def outbox_id_of(message: Fields) -> object:
    """What a message carries in its metadata."""
    metadata = message.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    return payload.get("outbox_id") if isinstance(payload, dict) else None


def _check_message(fields: Fields) -> None:
    """A part of what Slack refuses; its own limits are checked where messages are rendered."""
    if not str(fields.get("channel", "")).startswith(("C", "D", "G")):
        raise Refusal("channel_not_found")
    blocks = fields.get("blocks") or []
    if not fields.get("text") and not blocks:
        raise Refusal("no_text")
    if not isinstance(blocks, list) or len(blocks) > MAX_BLOCKS:
        raise Refusal("invalid_blocks")
    if len(str(fields.get("text"))) > MAX_TEXT:
        raise Refusal("msg_too_long")


def _page(messages: list[Answer], fields: Fields) -> Answer:
    """Metadata only where it is asked for, as Slack does."""
    start, limit = int(str(fields.get("cursor") or 0)), int(str(fields.get("limit") or 100))
    wanted = str(fields.get("include_all_metadata")).lower() in ("1", "true")
    shown = [m if wanted else m | {"metadata": None} for m in messages[start : start + limit]]
    more = start + limit < len(messages)
    return {"messages": shown, "response_metadata": {"next_cursor": str(start + limit) if more else ""}}
