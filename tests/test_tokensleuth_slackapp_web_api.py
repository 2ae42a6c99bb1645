"""The adapter of Slack's Web API: one request for each call, and a class for each way it can fail."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from evals.fake_slack import FakeSlack, How, fake_slack
from evals.slack_peer import slack_peer
from evals.unavailable import Unavailable
from tests.slack_letters import TOKEN
from tokensleuth.clock import utc_now
from tokensleuth.slackapp.port import (
    BadAuthError,
    LostError,
    NotAcceptedError,
    RetryLaterError,
    SlackError,
)
from tokensleuth.slackapp.web_api import WebApi, web_client

SEED: dict[str, JsonValue] = {
    "team": {"name": "Home", "domain": "home"},
    "users": [{"name": "ada", "real_name": "Ada", "email": "ada@example.com"}],
}
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[FakeSlack]:
    with fake_slack(tmp_path / "slack.jsonl") as server:
        yield server


@pytest.fixture(scope="module")
def peer() -> Iterator[WebApi]:
    try:
        with slack_peer(SEED) as url:
            yield WebApi.at(url, TOKEN)
    except Unavailable as missing:
        pytest.skip(str(missing))


def failure(slack: FakeSlack, *, token: SecretStr = TOKEN) -> SlackError:
    with pytest.raises(SlackError) as raised:
        WebApi.at(slack.base_url, token, timeout_s=1).post("C1", "hello", [], outbox_id="out_1")
    return raised.value


@pytest.mark.parametrize(
    ("how", "word", "kind"),
    [
        ("lost_reply", "", LostError),
        ("lost_request", "", LostError),
        ("broken", "", LostError),
        ("html", "", LostError),
        ("refuse", "fatal_error", LostError),
        ("refuse", "a sentence, no word", LostError),
        ("busy", "", RetryLaterError),
        ("refuse", "ratelimited", RetryLaterError),
        ("refuse", "invalid_auth", BadAuthError),
        ("refuse", "token_revoked", BadAuthError),
        ("refuse", "account_inactive", BadAuthError),
        ("refuse", "missing_scope", BadAuthError),
        ("refuse", "channel_not_found", NotAcceptedError),
        ("refuse", "not_in_channel", NotAcceptedError),
        ("refuse", "msg_too_long", NotAcceptedError),
    ],
)
def test_each_failure_has_its_class_and_is_one_request(
    slack: FakeSlack, how: How, word: str, kind: type[SlackError]
) -> None:
    slack.fail("chat.postMessage", how, word=word)
    assert type(failure(slack)) is kind
    assert slack.asked == ["chat.postMessage"]


def test_it_waits_as_long_as_slack_says(slack: FakeSlack) -> None:
    slack.fail("chat.postMessage", "busy", seconds=41)
    failed = failure(slack)
    assert isinstance(failed, RetryLaterError)
    assert failed.after_s == 41


def test_no_failure_shows_the_token(slack: FakeSlack) -> None:
    told = str(failure(slack, token=SecretStr("xoxp-secret")))
    assert told == "Slack does not let the bot in: not_authed"
    assert "secret" not in repr(WebApi.at(slack.base_url, SecretStr("xoxp-secret")))


def test_a_proxy_of_the_environment_is_not_used_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    assert web_client("http://127.0.0.1:1/api/", TOKEN).proxy is None
    assert web_client("https://slack.com/api/", TOKEN).proxy == "http://proxy.example.com:3128"


def test_a_message_is_found_beyond_the_first_page(slack: FakeSlack) -> None:
    api = WebApi.at(slack.base_url, TOKEN)
    first = api.post("C1", "first", [], outbox_id="out_first")
    for number in range(130):
        slack.workspace.call("chat.postMessage", {"channel": "C1", "text": f"{number}"})
    assert api.find("C1", "out_first", since=utc_now() - AN_HOUR) == first
    assert api.find("C1", "out_other", since=utc_now() - AN_HOUR) is None


def test_another_slack_keeps_finds_and_changes_what_is_posted(peer: WebApi) -> None:
    channel = peer.client.conversations_list()["channels"][0]["id"]
    posted = peer.post(channel, "alert", [], outbox_id="out_1")
    reply = peer.post(channel, "reply", [], outbox_id="out_2", thread_ts=posted.ts)
    peer.update(channel, posted.ts, "changed", [], outbox_id="out_1")
    since = utc_now() - AN_HOUR
    assert peer.find(channel, "out_1", since=since) == posted
    assert peer.find(channel, "out_2", since=since, thread_ts=posted.ts) == reply
    assert peer.find(channel, "out_3", since=since) is None


def test_another_slack_takes_files_and_what_one_person_sees(peer: WebApi) -> None:
    channel = peer.client.conversations_list()["channels"][0]["id"]
    user = peer.client.auth_test()["user_id"]
    assert peer.upload("incident.png", b"\x89PNG", "a chart").startswith("F")
    assert peer.whisper(channel, user, "only you", [])


def test_another_slack_takes_direct_messages(peer: WebApi) -> None:
    user = peer.client.users_list()["members"][-1]["id"]
    posted = peer.post(user, "hello", [], outbox_id="out_direct")
    assert posted.channel.startswith("D")
    assert peer.find(user, "out_direct", since=utc_now() - AN_HOUR) == posted


def test_another_slack_refuses_in_the_same_words(peer: WebApi) -> None:
    with pytest.raises(NotAcceptedError, match="channel_not_found"):
        peer.post("C0NONE", "hello", [], outbox_id="out_9")
