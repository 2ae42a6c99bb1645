"""The pretended Slack keeps what was done in a journal, and fails when it is told to."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM

import pytest

from evals.fake_workspace import FakeWorkspace, Refusal, doubled, read_journal
from tests.slack_letters import TOKEN
from tokensleuth.slackapp.port import BadAuthError
from tokensleuth.slackapp.web_api import WebApi


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The URL of one in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "evals.fake_slack",
        "--port",
        "0",
        "--journal",
        str(tmp_path / "j.jsonl"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    with process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.send_signal(SIGTERM)
        try:
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_it_serves_by_itself_fails_when_told_and_keeps_a_journal(served: str, tmp_path: Path) -> None:
    order = json.dumps({"method": "*", "how": "refuse", "word": "invalid_auth"}).encode()
    control = served.replace("/api/", "/control/fail")
    with urllib.request.urlopen(urllib.request.Request(control, order), timeout=5) as answer:  # noqa: S310
        assert json.load(answer) == {"ok": True}
    api = WebApi.at(served, TOKEN)
    with pytest.raises(BadAuthError):
        api.post("C1", "hello", [], outbox_id="out_1")
    posted = api.post("C1", "hello", [], outbox_id="out_1")
    [effect] = read_journal(tmp_path / "j.jsonl")
    assert (effect["ts"], effect["text"]) == (posted.ts, "hello")


def test_a_workspace_goes_on_from_its_journal(tmp_path: Path) -> None:
    first = FakeWorkspace(tmp_path / "j.jsonl")
    first.call("chat.postMessage", {"channel": "C1", "text": "hello"})
    assert FakeWorkspace(tmp_path / "j.jsonl").messages("C1") == first.messages("C1")


def test_doubled_messages_are_seen(tmp_path: Path) -> None:
    workspace = FakeWorkspace(tmp_path / "j.jsonl")
    metadata = {"event_payload": {"outbox_id": "out_1"}}
    for _ in range(2):
        assert doubled(workspace.effects) == []
        workspace.call("chat.postMessage", {"channel": "C1", "text": "hello", "metadata": metadata})
    assert doubled(workspace.effects) == ["out_1"]


@pytest.mark.parametrize(
    ("method", "fields", "word"),
    [
        ("chat.postMessage", {"channel": "nowhere", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C1"}, "no_text"),
        ("chat.postMessage", {"channel": "C1", "text": "x", "thread_ts": "1.1"}, "thread_not_found"),
        ("chat.postMessage", {"channel": "C1", "text": "x", "blocks": [{}] * 51}, "invalid_blocks"),
        ("chat.postMessage", {"channel": "C1", "text": "x" * 40_001}, "msg_too_long"),
        ("chat.update", {"channel": "C1", "text": "x", "ts": "1.1"}, "message_not_found"),
        ("conversations.replies", {"channel": "C1", "ts": "1.1"}, "thread_not_found"),
        ("files.completeUploadExternal", {"files": '[{"id": "F1"}]'}, "file_not_found"),
        ("chat.delete", {}, "unknown_method"),
    ],
)
def test_it_refuses_in_slacks_words(
    tmp_path: Path, method: str, fields: dict[str, object], word: str
) -> None:
    with pytest.raises(Refusal, match=word):
        FakeWorkspace(tmp_path / "j.jsonl").call(method, fields)
