"""The Slack peer keeps what is posted: what the sender relies on, seen through slack_sdk's own client."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from pydantic import JsonValue
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from evals import slack_install
from evals.slack_peer import slack_peer
from evals.unavailable import Unavailable

BLOCKS: list[dict[str, JsonValue]] = [
    {"type": "section", "block_id": "what", "text": {"type": "mrkdwn", "text": "Spend doubled."}},
    {
        "type": "actions",
        "block_id": "decide",
        "elements": [
            {
                "type": "button",
                "action_id": "approve",
                "value": "prop_1",
                "text": {"type": "plain_text", "text": "Approve"},
            }
        ],
    },
]
LETTER = {"event_type": "letter", "event_payload": {"outbox_id": "out_1"}}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)

Message = dict[str, object]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    seed: dict[str, JsonValue] = {
        "users": [{"name": "ana", "email": "ana@example.com"}],
        "channels": [{"name": "finops"}],
    }
    try:
        with slack_peer(seed) as made:
            yield made
    except Unavailable as missing:
        pytest.skip(str(missing))


@pytest.fixture
def client(url: str) -> WebClient:
    return WebClient(token="xoxb-1", base_url=url, retry_handlers=[])  # noqa: S106


@pytest.fixture
def channel(client: WebClient) -> str:
    listed = cast(list[dict[str, str]], client.conversations_list()["channels"])
    return next(known["id"] for known in listed if known["name"] == "finops")


def post(client: WebClient, channel: str, thread: str | None = None) -> str:
    posted = client.chat_postMessage(
        channel=channel, text="Spend doubled.", blocks=BLOCKS, metadata=LETTER, thread_ts=thread
    )
    return str(posted["ts"])


def read(client: WebClient, channel: str, ts: str) -> Message:
    """The peer has no `oldest` and `latest`: it always gives the latest messages."""
    found = client.conversations_history(channel=channel, include_all_metadata=True)
    return next(m for m in cast(list[Message], found["messages"]) if m["ts"] == ts)


def test_a_message_comes_back_with_its_blocks_and_metadata(client: WebClient, channel: str) -> None:
    message = read(client, channel, post(client, channel))
    assert message["blocks"] == BLOCKS
    assert message["metadata"] == LETTER


def test_an_update_replaces_text_blocks_and_metadata_in_place(client: WebClient, channel: str) -> None:
    ts = post(client, channel)
    changed = {"event_type": "letter", "event_payload": {"outbox_id": "out_2"}}
    client.chat_update(channel=channel, ts=ts, text="Done.", blocks=BLOCKS[:1], metadata=changed)
    message = read(client, channel, ts)
    assert (message["text"], message["blocks"], message["metadata"]) == ("Done.", BLOCKS[:1], changed)
    assert "edited" in message


def test_replies_are_in_the_thread_with_their_metadata_and_not_in_the_channel(
    client: WebClient, channel: str
) -> None:
    parent = post(client, channel)
    reply = post(client, channel, thread=parent)
    found = client.conversations_replies(channel=channel, ts=parent, include_all_metadata=True)
    messages = cast(list[Message], found["messages"])
    assert [(m["ts"], m["metadata"]) for m in messages] == [(parent, LETTER), (reply, LETTER)]
    history = cast(list[Message], client.conversations_history(channel=channel)["messages"])
    assert reply not in [m["ts"] for m in history]


def test_a_file_can_be_uploaded_to_no_channel_and_shown_in_a_block(client: WebClient, channel: str) -> None:
    uploaded = client.files_upload_v2(filename="chart.png", content=PNG, title="chart")
    file = cast(dict[str, object], uploaded["file"])
    assert (file["channels"], file["size"], file["mimetype"]) == ([], len(PNG), "image/png")
    image = {"type": "image", "alt_text": "chart", "slack_file": {"id": file["id"]}}
    ts = str(client.chat_postMessage(channel=channel, text="chart", blocks=[image])["ts"])
    assert read(client, channel, ts)["blocks"] == [image]


def test_a_file_can_be_shared_into_a_thread(client: WebClient, channel: str) -> None:
    parent = post(client, channel)
    client.files_upload_v2(channel=channel, thread_ts=parent, filename="chart.png", content=PNG)
    found = client.conversations_replies(channel=channel, ts=parent)
    assert [m.get("subtype") for m in cast(list[Message], found["messages"])] == [None, "file_share"]


def test_what_is_not_there_is_refused_as_slack_refuses_it(client: WebClient, channel: str) -> None:
    with pytest.raises(SlackApiError, match="message_not_found"):
        client.chat_update(channel=channel, ts="1.000001", text="Done.")
    with pytest.raises(SlackApiError, match="channel_not_found"):
        client.chat_postMessage(channel="C_NONE", text="Done.")


def test_a_person_is_written_to_in_a_conversation_opened_with_them(client: WebClient) -> None:
    ana = client.users_lookupByEmail(email="ana@example.com")["user"]["id"]
    direct = str(client.conversations_open(users=[ana])["channel"]["id"])
    assert read(client, direct, post(client, direct))["blocks"] == BLOCKS


def test_it_says_how_to_install_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(Unavailable, match=r"emulate 0\.12\.2 is not installed; run python -m evals"):
        slack_install.installed()
    script = tmp_path / "tokensleuth-emulate" / "0.12.2" / "node_modules" / "emulate" / "dist" / "index.js"
    script.parent.mkdir(parents=True)
    script.touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match=r"no Node 22\.15 or newer; run python -m evals\.slack_install"):
        slack_install.installed()
