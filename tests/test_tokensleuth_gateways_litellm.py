"""The LiteLLM gateway against a proxy that keeps state: what is written, read back and undone."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from agent.measures import (
    BlockKey,
    DowngradeModel,
    FixPrice,
    Measure,
    NotifyOwner,
    RevokeKey,
    SetBudget,
    SetRateLimit,
)
from agent.target import Target
from evals.fake_litellm import MASTER_KEY, FakeLiteLlm, fake_litellm
from evals.fake_litellm_journal import FaultKind, read_journal
from ledger.scope import Scope
from tokensleuth.gateways.http import JsonHttp
from tokensleuth.gateways.http_answer import MissingError
from tokensleuth.gateways.litellm import LiteLlm
from tokensleuth.gateways.port import (
    GONE,
    CannotError,
    Gateway,
    GatewayError,
    NotSentError,
    Place,
    RefusedCallError,
    State,
    UnsureError,
    same_state,
)


def at(*pins: str) -> Target:
    return Target(gateway="litellm", scope=Scope.parse(pins))


KEY = "a" * 64
ON_KEY = at(f"key_id={KEY}", "team=search")
ON_TEAM = at("team=search")
TOKENS = SetRateLimit(tokens_per_minute=40_000)
TO_MINI = DowngradeModel(from_model="gpt-4o", to_model="gpt-4o-mini")


@pytest.fixture
def proxy() -> Iterator[FakeLiteLlm]:
    with fake_litellm() as fake:
        fake.add_team("team-1", team_alias="search")
        fake.add_key(KEY, team_id="team-1", key_alias="bot", metadata={"owner": "bob"})
        yield fake


@pytest.fixture
def gateway(proxy: FakeLiteLlm) -> Iterator[LiteLlm]:
    with closing(LiteLlm(proxy.url, SecretStr(MASTER_KEY), timeout_s=5.0)) as made:
        yield made


def present(gateway: Gateway, place: Place) -> State:
    state = gateway.read(place)
    assert state is not None
    return state


def carry_out(gateway: Gateway, measure: Measure, target: Target = ON_KEY) -> tuple[Place, State, State]:
    """Place, state before and state wanted, after it was written and read back."""
    place = gateway.plan(measure, target).place
    before = present(gateway, place)
    wanted = gateway.wanted(measure, before)
    gateway.write(place, wanted, before=before, idempotency_key="exec-1")
    assert same_state(gateway.read(place), wanted)
    return place, before, wanted


MEASURES: dict[str, tuple[Measure, dict[str, JsonValue]]] = {
    "tokens": (TOKENS, {"tpm_limit": 40_000}),
    "both": (
        SetRateLimit(tokens_per_minute=5, requests_per_minute=6),
        {"tpm_limit": 5, "rpm_limit": 6},
    ),
    "model": (
        SetRateLimit(requests_per_minute=3, model="gpt-4o"),
        {"model_rpm_limit": {"gpt-4o": 3}},
    ),
    "day": (SetBudget(max_usd=Decimal("1.50"), period="day"), {"max_budget": 1.5, "budget_duration": "1d"}),
    "week": (SetBudget(max_usd=Decimal(9), period="week"), {"max_budget": 9, "budget_duration": "7d"}),
    "month": (SetBudget(max_usd=Decimal(9), period="month"), {"max_budget": 9, "budget_duration": "30d"}),
    "alias": (TO_MINI, {"aliases": {"gpt-4o": "gpt-4o-mini"}}),
    "block": (BlockKey(), {"blocked": True}),
}


@pytest.mark.parametrize(("measure", "state"), MEASURES.values(), ids=MEASURES.keys())
def test_a_measure_takes_and_its_undo_restores(
    gateway: LiteLlm, measure: Measure, state: dict[str, JsonValue]
) -> None:
    place, before, wanted = carry_out(gateway, measure)
    assert wanted == state
    gateway.write(place, before, before=wanted, idempotency_key="undo-1")
    assert same_state(gateway.read(place), before)


@pytest.mark.parametrize("name", ["tokens", "both", "model", "day"])
def test_limits_and_budgets_work_on_a_team_named_by_its_alias(gateway: LiteLlm, name: str) -> None:
    place, before, wanted = carry_out(gateway, MEASURES[name][0], ON_TEAM)
    assert place.ids == {"team": "search"}
    gateway.write(place, before, before=wanted, idempotency_key="undo-1")
    assert same_state(gateway.read(place), before)


def test_a_write_is_attributed_and_carries_the_idempotency_key(proxy: FakeLiteLlm, gateway: LiteLlm) -> None:
    carry_out(gateway, TOKENS)
    (write,) = proxy.writes
    assert (write.path, write.body) == ("/key/update", {"key": KEY, "tpm_limit": 40_000})
    assert (write.changed_by, write.idempotency_key) == ("tokensleuth", "exec-1")


def test_a_limit_for_one_model_keeps_those_of_others(proxy: FakeLiteLlm, gateway: LiteLlm) -> None:
    proxy.proxy.keys[KEY]["metadata"] = {"owner": "bob", "model_rpm_limit": {"claude-sonnet": 9}}
    carry_out(gateway, MEASURES["model"][0])
    assert proxy.proxy.keys[KEY]["metadata"] == {
        "owner": "bob",
        "model_rpm_limit": {"claude-sonnet": 9, "gpt-4o": 3},
    }


def test_maps_are_never_sent_as_null(proxy: FakeLiteLlm, gateway: LiteLlm) -> None:
    place = gateway.plan(TO_MINI, ON_KEY).place
    gateway.write(place, {"aliases": None}, before={}, idempotency_key="undo-1")
    assert proxy.writes[0].body == {"key": KEY, "aliases": {}}


def test_an_alias_keeps_the_others(proxy: FakeLiteLlm, gateway: LiteLlm) -> None:
    proxy.proxy.keys[KEY]["aliases"] = {"fast": "gpt-4o"}
    _, _, wanted = carry_out(gateway, TO_MINI)
    assert wanted == {"aliases": {"fast": "gpt-4o", "gpt-4o": "gpt-4o-mini"}}


def test_an_alias_that_others_lead_back_is_refused(gateway: LiteLlm) -> None:
    with pytest.raises(CannotError, match="already has gpt-4o-mini answered by gpt-4o"):
        gateway.wanted(TO_MINI, {"aliases": {"gpt-4o-mini": "gpt-4o"}})
    with pytest.raises(CannotError, match="its own downgrade"):
        gateway.wanted(DowngradeModel(from_model="a", to_model="a"), {})


@pytest.mark.parametrize(("dear", "cheap"), [("gpt-4o", "gpt-9-mini"), ("gpt-9", "gpt-4o-mini")])
def test_an_alias_of_a_model_the_proxy_does_not_serve_is_refused(
    proxy: FakeLiteLlm, gateway: LiteLlm, dear: str, cheap: str
) -> None:
    with pytest.raises(CannotError, match="serves no model 'gpt-9"):
        carry_out(gateway, DowngradeModel(from_model=dear, to_model=cheap))
    assert proxy.writes == []


def test_a_served_wildcard_stands_for_its_models(proxy: FakeLiteLlm, gateway: LiteLlm) -> None:
    proxy.proxy.models = ("openai/*",)
    carry_out(gateway, DowngradeModel(from_model="openai/gpt-4o", to_model="openai/gpt-4o-mini"))


def test_a_deletion_takes_once_and_its_repetition_is_a_success(proxy: FakeLiteLlm, gateway: LiteLlm) -> None:
    place, before, wanted = carry_out(gateway, RevokeKey())
    gateway.write(place, wanted, before=before, idempotency_key="exec-1")
    assert wanted == GONE == gateway.read(place)
    assert len(proxy.effects) == 1


def test_a_deletion_cannot_be_undone(gateway: LiteLlm) -> None:
    place, before, wanted = carry_out(gateway, RevokeKey())
    with pytest.raises(CannotError, match="cannot be brought back"):
        gateway.write(place, before, before=wanted, idempotency_key="undo-1")


def test_what_does_not_exist_is_read_as_none_and_not_written(gateway: LiteLlm) -> None:
    for target in (_key("b" * 64), at("team=nobody")):
        place = gateway.plan(TOKENS, target).place
        assert gateway.read(place) is None
        with pytest.raises(MissingError):
            gateway.write(place, {"tpm_limit": 1}, before={}, idempotency_key="exec-1")
        assert gateway.holder(target) is None


def test_the_holder_is_the_team_else_the_alias(proxy: FakeLiteLlm, gateway: LiteLlm) -> None:
    proxy.add_key("b" * 64, key_alias="lonely")
    proxy.add_key("c" * 64)
    held = [gateway.holder(_key(letter * 64)) for letter in "abc"]
    assert held == ["team-1", "lonely", "UNALLOCATED"]
    assert gateway.holder(ON_TEAM) == "team-1"


def test_a_description_has_no_secret(gateway: LiteLlm) -> None:
    assert gateway.describe(ON_KEY) == {
        "alias": "bot", "team_id": "team-1", "spend_usd": 0.0, "blocked": False,
    }  # fmt: skip
    assert MASTER_KEY not in repr(gateway)


def test_a_team_whose_alias_two_bear_is_refused(proxy: FakeLiteLlm, gateway: LiteLlm) -> None:
    proxy.add_team("team-2", team_alias="search")
    with pytest.raises(RefusedCallError, match="name it by its team_id"):
        gateway.read(gateway.plan(TOKENS, ON_TEAM).place)


def test_a_team_whose_alias_holds_the_name_is_another(proxy: FakeLiteLlm, gateway: LiteLlm) -> None:
    proxy.add_team("team-2", team_alias="research", tpm_limit=7)
    assert present(gateway, gateway.plan(TOKENS, ON_TEAM).place) == {"tpm_limit": None}


def _key(key: str) -> Target:
    return at(f"key_id={key}")


IMPOSSIBLE: dict[str, tuple[Measure, Target, str]] = {
    "plaintext": (TOKENS, _key("sk-plain-1234"), "not the SHA-256"),
    "alias": (TOKENS, _key("bot"), "not the SHA-256"),
    "own": (BlockKey(), _key(sha256(MASTER_KEY.encode()).hexdigest()), "tokensleuth itself uses"),
    "nobody": (TOKENS, at("model=gpt-4o"), "a key or a team"),
    "unallocated": (TOKENS, at("team=UNALLOCATED"), "a key or a"),
    "elsewhere": (TOKENS, Target(gateway="openai", scope=ON_KEY.scope), "is at openai"),
    "no limit": (SetRateLimit(), ON_KEY, "neither tokens nor requests"),
    "no budget": (SetBudget(max_usd=Decimal("0.004"), period="day"), ON_KEY, "refuses everything"),
    "team block": (BlockKey(), ON_TEAM, "only a team"),
    "team revoke": (RevokeKey(), ON_TEAM, "only a team"),
    "team alias": (TO_MINI, ON_TEAM, "only a team"),
    "price": (FixPrice(model="m", reason="r"), ON_KEY, "no action fix_price"),
    "notify": (NotifyOwner(owner="o", message="m"), ON_KEY, "no action notify_owner"),
}


@pytest.mark.parametrize(("measure", "target", "reason"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_what_it_cannot_do_is_refused_without_a_call(
    proxy: FakeLiteLlm, gateway: LiteLlm, measure: Measure, target: Target, reason: str
) -> None:
    with pytest.raises(CannotError, match=reason) as caught:
        gateway.plan(measure, target)
    assert "sk-" not in str(caught.value)
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        (TOKENS, "limit key aaaaaaaaaaaa to 40,000 tokens per minute"),
        (MEASURES["model"][0], "limit key aaaaaaaaaaaa to 3 requests per minute for gpt-4o"),
        (MEASURES["day"][0], "limit key aaaaaaaaaaaa to 1.50 USD a day; spend since its last reset counts"),
        (TO_MINI, "answer gpt-4o with gpt-4o-mini for key aaaaaaaaaaaa"),
        (BlockKey(), "block key aaaaaaaaaaaa"),
        (RevokeKey(), "delete key aaaaaaaaaaaa for good"),
    ],
)
def test_a_plan_says_in_one_line_what_it_does(gateway: LiteLlm, measure: Measure, told: str) -> None:
    assert gateway.plan(measure, ON_KEY).told == told


FAULTS: dict[FaultKind, tuple[type[GatewayError], bool]] = {
    "refuse": (RefusedCallError, False),
    "later": (NotSentError, False),
    "error_before": (UnsureError, False),
    "error_after": (UnsureError, True),
    "drop_before": (UnsureError, False),
    "drop_after": (UnsureError, True),
    "html": (UnsureError, False),
}


@pytest.mark.parametrize(("kind", "outcome"), FAULTS.items(), ids=FAULTS.keys())
def test_after_a_fault_reading_tells_and_a_second_write_has_one_effect(
    proxy: FakeLiteLlm, gateway: LiteLlm, kind: FaultKind, outcome: tuple[type[GatewayError], bool]
) -> None:
    place = gateway.plan(TOKENS, ON_KEY).place
    proxy.fail(kind)
    with pytest.raises(outcome[0]):
        gateway.write(place, {"tpm_limit": 5}, before={}, idempotency_key="exec-1")
    assert same_state(gateway.read(place), {"tpm_limit": 5}) is outcome[1]
    gateway.write(place, {"tpm_limit": 5}, before={}, idempotency_key="exec-1")
    assert len(proxy.effects) == 1


def test_a_wrong_admin_key_is_a_refusal(proxy: FakeLiteLlm) -> None:
    with closing(LiteLlm(proxy.url, SecretStr("sk-wrong-1234"))) as gateway:
        with pytest.raises(RefusedCallError, match="status 401") as caught:
            gateway.holder(ON_KEY)
        assert "sk-wrong" not in str(caught.value)


def test_an_answer_of_another_shape_is_refused_without_its_values(
    proxy: FakeLiteLlm, gateway: LiteLlm
) -> None:
    proxy.proxy.keys[KEY]["tpm_limit"] = "sk-hush"
    with pytest.raises(RefusedCallError, match=r"a key is not understood: info\.tpm_limit") as caught:
        gateway.read(gateway.plan(TOKENS, ON_KEY).place)
    assert "hush" not in str(caught.value)


@contextmanager
def killed_after(journal: Path) -> Iterator[JsonHttp]:
    """A proxy of its own process, killed in the end."""
    command = [sys.executable, "-m", "evals.fake_litellm", "--port", "0", "--state", str(journal)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with closing(JsonHttp(url, {"Authorization": f"Bearer {MASTER_KEY}"})) as http:
            yield http
        process.kill()


def test_the_fake_takes_its_state_up_after_a_kill(tmp_path: Path) -> None:
    journal = tmp_path / "writes.jsonl"
    with killed_after(journal) as http:
        http.post("/key/generate", {"key": "sk-made"}, idempotency_key="seed")
        http.post("/fake/fail", {"kind": "drop_after"}, idempotency_key="fault")
        with pytest.raises(UnsureError):
            http.post("/key/block", {"key": "sk-made"}, idempotency_key="exec-1")
    with killed_after(journal) as http:
        answer = http.get("/key/info", {"key": "sk-made"})
    assert isinstance(answer, dict)
    assert isinstance(answer["info"], dict)
    assert answer["info"]["blocked"] is True
    assert [(write.path, write.changed) for write in read_journal(journal)] == [
        ("/key/generate", True),
        ("/key/block", True),
    ]
    assert "sk-made" not in journal.read_text()
