"""The signed webhook over real sockets, against a receiver that follows docs/webhook.md."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.measures import BlockKey, DowngradeModel, FixPrice, Measure, RevokeKey, SetBudget, SetRateLimit
from agent.target import Target
from evals.fake_openai import json_reply
from evals.fake_webhook import SECRET, FakeWebhook, fake_webhook
from evals.loopback import Loopback
from ledger.errors import RefusedError
from tests.gateway_trips import WRONG, carry_out, raised, target
from tokensleuth.clock import utc_instant
from tokensleuth.gateways.port import GONE, CannotError, NotSentError, Place, RefusedCallError, same_state
from tokensleuth.gateways.webhook import Webhook, signature

KEY = target("webhook", "key_id=k1")
TEAM = target("webhook", "team=search")
LIMIT = SetRateLimit(tokens_per_minute=40_000)


@dataclass(slots=True)
class Case:
    fake: FakeWebhook
    served: Loopback
    gateway: Webhook


@pytest.fixture
def case() -> Iterator[Case]:
    with fake_webhook(lambda: utc_instant().timestamp()) as (fake, served):
        gateway = Webhook(served.url, SecretStr(SECRET), timeout_s=1.0)
        yield Case(fake, served, gateway)
        gateway.close()


@pytest.mark.parametrize(("measure", "where", "state"), [
    (LIMIT, KEY, {"tokens_per_minute": 40_000}),
    (SetRateLimit(requests_per_minute=5, model="m"), TEAM, {"requests_per_minute": 5}),
    (SetBudget(max_usd=Decimal(7), period="day"), TEAM, {"max_usd": "7.00", "period": "day"}),
    (DowngradeModel(from_model="a", to_model="b"), TEAM, {"answered_with": "b"}),
    (BlockKey(), KEY, {"blocked": True}),
])  # fmt: skip
def test_each_measure_is_written_once_read_back_and_undone(
    case: Case, measure: Measure, where: Target, state: dict[str, object]
) -> None:
    trip = carry_out(case.gateway, measure, where)
    assert trip.wanted == state
    assert (case.fake.changes, case.fake.faults) == (1, [])
    trip.undo()
    assert same_state(trip.state(), dict.fromkeys(state))


def test_undo_goes_back_to_what_was_there(case: Case) -> None:
    carry_out(case.gateway, SetRateLimit(tokens_per_minute=90_000), KEY)
    place = case.gateway.plan(LIMIT, KEY).place
    before = case.gateway.read(place)
    assert before == {"tokens_per_minute": 90_000}
    case.gateway.write(place, {"tokens_per_minute": 40_000}, before=before, idempotency_key="exec-2")
    case.gateway.write(place, before, before={"tokens_per_minute": 40_000}, idempotency_key="undo-2")
    assert case.gateway.read(place) == before


def test_a_deleted_key_is_gone_and_deleting_it_again_is_a_success(case: Case) -> None:
    place = case.gateway.plan(RevokeKey(), KEY).place
    for key in ("e1", "e2"):
        case.gateway.write(place, GONE, before={"exists": True}, idempotency_key=key)
        assert case.gateway.read(place) == GONE
    assert case.fake.changes == 1


def test_a_target_that_is_not_there_has_no_state(case: Case) -> None:
    case.fake.deleted.add("k1")
    place = case.gateway.plan(BlockKey(), KEY).place
    assert case.gateway.read(place) is None
    state = {"blocked": True}
    raised(RefusedCallError, lambda: case.gateway.write(place, state, before={}, idempotency_key="e"), SECRET)


def test_the_limits_of_two_models_are_two_places() -> None:
    gateway = Webhook("http://127.0.0.1:9", SecretStr(SECRET))
    places = {
        gateway.plan(SetRateLimit(tokens_per_minute=1, model=m), TEAM).place.ids["model"] for m in ("a", "b")
    }
    assert places == {"a", "b"}
    gateway.close()


def test_the_body_is_canonical_and_says_what_the_page_says(case: Case) -> None:
    carry_out(case.gateway, LIMIT, KEY)
    sent = case.served.asked[-2].body
    body = json.loads(sent)
    assert sent == json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert (body["verb"], body["action"], body["target"]) == ("write", "set_rate_limit", {"key_id": "k1"})
    assert (body["state"], body["before"]) == ({"tokens_per_minute": 40_000}, {"tokens_per_minute": None})
    page = (Path(__file__).parent.parent / "docs" / "webhook.md").read_text()
    assert not [name for name in body if f'"{name}":' not in page]


def test_a_signature_is_the_one_of_a_known_vector() -> None:
    made = signature(SecretStr("0123456789abcdef"), "1700000000", b'{"a":1}')
    assert (
        made == "v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23"
    )  # openssl dgst -sha256 -hmac


def test_a_body_that_was_changed_on_the_way_does_not_pass(case: Case) -> None:
    carry_out(case.gateway, LIMIT, KEY)
    last = case.served.asked[-1]
    forged = type(last)(last.method, last.path, last.query, last.headers, last.body.replace(b"k1", b"k2"))
    assert case.fake.answer(forged).status == 401
    assert case.fake.faults == ["the signature is wrong"]


def test_a_request_that_comes_twice_or_late_does_not_pass(case: Case) -> None:
    carry_out(case.gateway, LIMIT, KEY)
    assert case.fake.answer(case.served.asked[-1]).status == 401
    case.fake.now = lambda: utc_instant().timestamp() + 301
    raised(RefusedCallError, lambda: case.gateway.read(case.gateway.plan(LIMIT, KEY).place), SECRET)
    assert case.fake.faults == ["the request was seen before", "the request is too old"]


def test_a_receiver_with_another_secret_refuses(case: Case) -> None:
    other = Webhook(case.served.url, SecretStr("another-secret-of-16"))
    place = other.plan(LIMIT, KEY).place
    told = raised(RefusedCallError, lambda: other.read(place), "another-secret-of-16", SECRET)
    assert "the signature is wrong" in told
    other.close()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_says_whether_a_write_may_have_acted_and_that_a_read_did_not(
    case: Case, name: str
) -> None:
    reply, written, read = WRONG[name]
    place = case.gateway.plan(BlockKey(), KEY).place
    case.served.fail(reply)
    case.served.fail(reply)
    state = {"blocked": True}
    raised(written, lambda: case.gateway.write(place, state, before={}, idempotency_key="e"), SECRET)
    raised(read, lambda: case.gateway.read(place), SECRET)


@pytest.mark.parametrize("document", [{"state": []}, {"state": "on"}, {"status": "ok"}])
def test_an_answer_without_a_state_is_not_taken_for_one(case: Case, document: dict[str, object]) -> None:
    case.served.fail(json_reply(json.loads(json.dumps(document))))
    raised(NotSentError, lambda: case.gateway.read(case.gateway.plan(BlockKey(), KEY).place))


def test_of_an_answer_only_the_fields_that_were_asked_for_are_kept(case: Case) -> None:
    case.served.fail(json_reply({"state": {"blocked": False, "api_key": "sk-plaintext"}}))
    assert case.gateway.read(Place("block_key", {"key_id": "k1"}, ("blocked",))) == {"blocked": False}


@pytest.mark.parametrize(("measure", "where", "why"), [
    (BlockKey(), TEAM, "needs a key_id"),
    (RevokeKey(), TEAM, "needs a key_id"),
    (SetRateLimit(), KEY, "names neither"),
    (LIMIT, target("webhook"), "all spend"),
    (DowngradeModel(from_model="a", to_model="b"), target("webhook", "model=c"), "the target about c"),
    (FixPrice(model="m", reason="r"), KEY, "nothing that a gateway executes"),
])  # fmt: skip
def test_what_makes_no_sense_is_not_sent(case: Case, measure: Measure, where: Target, why: str) -> None:
    assert why in raised(CannotError, lambda: case.gateway.plan(measure, where))


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(RefusedError, match="at least 16 characters"):
        Webhook("http://127.0.0.1:9", SecretStr("short"))


def test_the_gateway_prints_without_its_secret(case: Case) -> None:
    assert SECRET not in repr(case.gateway)
    assert case.gateway.name == "webhook"
