"""The signed endpoint takes what Slack signed, once, and tells nobody else anything."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import select

from evals.signature_mutations import SECRET, tried
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.schema_acts import inbox
from tokensleuth.slackapp.ingress import Reply, SlackIngress
from tokensleuth.slackapp.signing import MAX_BODY_BYTES, Unverified, Verified, sign, verified

# Of docs.slack.dev/authentication/verifying-requests-from-slack.
STAMP = "1531420618"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
    b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
NOW = datetime.fromtimestamp(int(STAMP), UTC)
TOKEN = "xyzz0WbapA4vBCDEFasx0q6G"  # noqa: S105

CLICK = {
    "type": "block_actions",
    "token": TOKEN,
    "team": {"id": "T1", "domain": "home"},
    "user": {"id": "U1", "username": "ada", "team_id": "T1"},
    "channel": {"id": "C1", "name": "spend"},
    "container": {"type": "message", "message_ts": "1700000000.000100", "channel_id": "C1"},
    "response_url": "https://hooks.slack.com/actions/secret",
    "actions": [{"type": "button", "action_id": "a", "value": "v1.approve.prop_1"}],
}
COMMAND = {
    "token": TOKEN, "command": "/investigate", "text": "last-24h", "team_id": "T1", "user_id": "U1",
    "channel_id": "C1", "response_url": "https://hooks.slack.com/commands/secret",
}  # fmt: skip


@pytest.fixture
def ingress(tmp_path: Path) -> Iterator[SlackIngress]:
    with Casebook.open(f"sqlite:///{tmp_path}/c.sqlite", key=b"k" * 32) as casebook:
        yield SlackIngress(casebook, SecretStr(SECRET), lambda: NOW)


def headers(body: bytes, stamp: str = STAMP, secret: str = SECRET) -> list[tuple[str, str]]:
    signature = sign(body, secret, stamp)
    return [("x-slack-request-timestamp", stamp), ("x-slack-signature", signature)]


def sent(ingress: SlackIngress, fields: dict[str, str] | bytes) -> Reply:
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    return ingress.respond(headers(body), body)


def stored(ingress: SlackIngress) -> list[dict[str, object]]:
    with ingress.casebook.reading() as connection:
        return [dict(row) for row in connection.execute(select(inbox)).mappings()]


def check(body: bytes = BODY, signature: str = SIGNATURE, at: datetime = NOW) -> Verified | Unverified:
    given = [("X-Slack-Request-Timestamp", STAMP), ("X-Slack-Signature", signature)]
    return verified(given, body, SECRET, at)


def test_the_request_of_slacks_documentation_is_verified() -> None:
    found = check()
    assert isinstance(found, Verified)
    assert found.text == BODY.decode()


def test_it_signs_as_the_sdk_does() -> None:
    theirs = SignatureVerifier(SECRET).generate_signature(timestamp=STAMP, body=BODY)
    assert sign(BODY, SECRET, STAMP) == theirs == SIGNATURE


@pytest.mark.parametrize("seconds", [-301, 301, 10**6])
def test_a_request_of_another_time_is_turned_away(seconds: int) -> None:
    assert check(at=NOW + timedelta(seconds=seconds)) == Unverified(401, "the timestamp is not of now")


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_clocks_may_be_five_minutes_apart(seconds: int) -> None:
    assert isinstance(check(at=NOW + timedelta(seconds=seconds)), Verified)


@pytest.mark.parametrize(
    "signature",
    [SIGNATURE.upper(), SIGNATURE + "\n", " " + SIGNATURE, "v1=" + SIGNATURE[3:], "", "v0=" + "é" * 64],
)
def test_a_signature_of_another_form_is_turned_away(signature: str) -> None:
    assert isinstance(check(signature=signature), Unverified)


def test_a_header_that_is_there_twice_is_turned_away() -> None:
    twice = [("X-Slack-Request-Timestamp", STAMP), *[("x-slack-signature", SIGNATURE)] * 2]
    assert isinstance(verified(twice, BODY, SECRET, NOW), Unverified)


def test_without_a_secret_nothing_is_verified() -> None:
    assert isinstance(verified(headers(BODY, secret=""), BODY, "", NOW), Unverified)


def test_what_is_too_big_is_told_so_before_it_is_looked_at() -> None:
    assert verified([], b"a" * (MAX_BODY_BYTES + 1), SECRET, NOW) == Unverified(
        413, f"{MAX_BODY_BYTES + 1} bytes are more than {MAX_BODY_BYTES}"
    )


def test_a_click_is_stored_without_token_and_address(ingress: SlackIngress) -> None:
    assert sent(ingress, {"payload": json.dumps(CLICK)}) == Reply(200)
    [row] = stored(ingress)
    assert row["body"] == {
        "kind": "click", "team": "T1", "user_team": "T1", "user": "U1", "is_bot": False, "channel": "C1",
        "message_ts": "1700000000.000100", "value": "v1.approve.prop_1",
    }  # fmt: skip
    assert (row["source"], row["state"]) == ("slack_http", "new")


def test_a_replayed_request_is_stored_once_and_answered_alike(ingress: SlackIngress) -> None:
    assert {sent(ingress, {"payload": json.dumps(CLICK)}).status for _ in range(3)} == {200}
    assert len(stored(ingress)) == 1


def test_the_command_is_answered_at_once(ingress: SlackIngress) -> None:
    answer = sent(ingress, COMMAND)
    told = json.loads(answer.body)
    assert told["response_type"] == "ephemeral"
    assert told["text"].startswith("Looking at `last-24h`")
    assert TOKEN not in str(stored(ingress))
    assert "hooks.slack.com" not in str(stored(ingress))


def test_the_command_says_what_is_no_range(ingress: SlackIngress) -> None:
    told = json.loads(sent(ingress, COMMAND | {"text": "<!channel> soon"}).body)["text"]
    assert "&lt;!channel&gt; soon" in told


@pytest.mark.parametrize(
    "fields",
    [
        {"payload": "{"}, {"payload": "[" * 100_000}, {"payload": json.dumps({"type": "view_submission"})},
        {"payload": json.dumps(CLICK | {"channel": None})}, {"payload": '{"type": NaN}'}, {},
        {"payload": json.dumps(CLICK | {"channel": {"id": "C1\x00"}})}, {"command": "/other"},
        b"payload=1&payload=2", b"%ff=%fe", b"&" * 1000, b"a&" * 100, b"", b'{"type": "event_callback"}',
    ],
)  # fmt: skip
def test_what_has_another_form_is_stored_to_be_refused(
    ingress: SlackIngress, fields: dict[str, str] | bytes
) -> None:
    assert sent(ingress, fields) == Reply(200)
    [row] = stored(ingress)
    assert isinstance(row["body"], dict)
    assert row["body"]["kind"] == "odd"


def test_slacks_look_at_the_certificate_is_answered(ingress: SlackIngress) -> None:
    assert sent(ingress, {"ssl_check": "1", "token": TOKEN}) == Reply(200)
    assert stored(ingress) == []


def test_slacks_question_at_the_setup_is_answered(ingress: SlackIngress) -> None:
    asked = json.dumps({"type": "url_verification", "token": TOKEN, "challenge": "3eZbrw1a"}).encode()
    assert json.loads(sent(ingress, asked).body) == {"challenge": "3eZbrw1a"}


def test_a_casebook_that_takes_nothing_is_told_as_503(ingress: SlackIngress) -> None:
    with Casebook.open(str(ingress.casebook.engine.url), key=b"k" * 32, lock_timeout_s=0.05) as other:
        waiting = SlackIngress(other, ingress.secret, ingress.clock)
        with ingress.casebook.writing():
            assert sent(waiting, {"payload": json.dumps(CLICK)}) == Reply(503)
        assert sent(waiting, {"payload": json.dumps(CLICK)}) == Reply(200)


def test_neither_body_nor_signature_is_logged(
    ingress: SlackIngress, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ingress.respond([("x-slack-signature", SIGNATURE), ("x-slack-request-timestamp", "1531420619")], BODY)
    assert "changed on the way" in caplog.text
    assert not any(part in caplog.text for part in (TOKEN, SIGNATURE[3:], "roadrunner", SECRET))
    assert SECRET not in repr(ingress)


def test_no_mutated_request_is_taken_and_none_breaks_the_endpoint(ingress: SlackIngress) -> None:
    outcome = tried(ingress.casebook, 500, seed=7)
    assert (outcome.taken, outcome.broken, outcome.stored) == (0, 0, 0)
