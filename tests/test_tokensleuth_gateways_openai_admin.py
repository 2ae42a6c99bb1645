"""OpenAI's admin API over real sockets, against a fake that is held to OpenAI's own schema."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from pydantic import SecretStr

from agent.measures import BlockKey, DowngradeModel, MarkExpected, Measure, RevokeKey, SetBudget, SetRateLimit
from agent.target import Target
from evals.fake_openai import Reply, json_reply
from evals.fake_openai_admin import ADMIN_KEY, FakeOpenAiAdmin, Project, fake_openai_admin
from evals.loopback import Loopback, Request, serving
from ledger.errors import RefusedError
from tests.gateway_trips import WRONG, carry_out, raised, target
from tokensleuth.clock import utc_now
from tokensleuth.gateways.openai_admin import OpenAiAdmin
from tokensleuth.gateways.port import (
    GONE,
    CannotError,
    NotSentError,
    Place,
    RefusedCallError,
)

LIMIT = SetRateLimit(tokens_per_minute=40_000, model="gpt-4o")
BUDGET = SetBudget(max_usd=Decimal("120.50"), period="month")
DOWNGRADE = DowngradeModel(from_model="gpt-4o", to_model="gpt-4o-mini")
SEARCH = target("openai", "project=proj_search")
KEY = target("openai", "key_id=key_leaked")


@dataclass(frozen=True, slots=True)
class Case:
    fake: FakeOpenAiAdmin
    served: Loopback
    gateway: OpenAiAdmin

    @property
    def project(self) -> Project:
        return self.fake.projects["proj_search"]


@pytest.fixture
def case() -> Iterator[Case]:
    with fake_openai_admin() as (fake, served):
        for name in ("proj_a", "proj_b", "proj_search"):
            fake.projects[name] = Project()
        for model in ("o3", "o4-mini", "gpt-4o-mini", "gpt-4o"):
            fake.projects["proj_search"].add_limit(model)
        gateway = OpenAiAdmin(f"{served.url}/v1", SecretStr(ADMIN_KEY), timeout_s=1.0)
        yield Case(fake, served, gateway)
        gateway.close()
        assert fake.faults == []


def cannot(gateway: OpenAiAdmin, measure: Measure, where: Target) -> str:
    return raised(CannotError, lambda: gateway.plan(measure, where))


def test_a_limit_of_one_model_is_set_beyond_the_first_page_and_undone(case: Case) -> None:
    measure = SetRateLimit(tokens_per_minute=40_000, requests_per_minute=30, model="gpt-4o")
    trip = carry_out(case.gateway, measure, SEARCH)
    assert trip.before == {"max_tokens_per_1_minute": 200_000, "max_requests_per_1_minute": 500}
    assert case.project.limits["rl-gpt-4o"]["max_tokens_per_1_minute"] == 40_000
    trip.undo()
    assert case.project.limits["rl-gpt-4o"]["max_requests_per_1_minute"] == 500


def test_a_limit_that_is_not_asked_for_is_neither_read_nor_written(case: Case) -> None:
    trip = carry_out(case.gateway, LIMIT, SEARCH)
    assert trip.place.fields == ("max_tokens_per_1_minute",)
    assert case.project.limits["rl-gpt-4o"]["max_requests_per_1_minute"] == 500


def test_the_model_of_the_target_serves_where_the_limit_names_none(case: Case) -> None:
    carry_out(
        case.gateway, SetRateLimit(requests_per_minute=5), target("openai", "project=proj_search", "model=o3")
    )
    assert case.project.limits["rl-o3"]["max_requests_per_1_minute"] == 5


def test_a_model_without_a_limit_is_a_place_that_does_not_exist(case: Case) -> None:
    place = case.gateway.plan(SetRateLimit(requests_per_minute=5, model="gpt-9"), SEARCH).place
    assert case.gateway.read(place) is None
    told = raised(
        RefusedCallError,
        lambda: case.gateway.write(place, {"max_requests_per_1_minute": 5}, before={}, idempotency_key="e"),
    )
    assert told == "OpenAI project proj_search has no rate limit for gpt-9"


def test_a_first_denial_makes_a_policy_that_undo_deletes(case: Case) -> None:
    trip = carry_out(case.gateway, DOWNGRADE, SEARCH)
    assert case.project.permissions is not None
    assert case.project.permissions["model_ids"] == ["gpt-4o"]
    trip.undo()
    assert case.project.permissions is None


@pytest.mark.parametrize(("mode", "before", "after"), [
    ("deny_list", ["o3"], ["gpt-4o", "o3"]),
    ("deny_list", ["gpt-4o"], ["gpt-4o"]),
    ("allow_list", ["o3", "gpt-4o-mini", "gpt-4o"], ["gpt-4o-mini", "o3"]),
    ("allow_list", ["gpt-4o-mini"], ["gpt-4o-mini"]),
])  # fmt: skip
def test_a_denial_keeps_what_the_policy_already_says(
    case: Case, mode: str, before: list[str], after: list[str]
) -> None:
    case.project.permissions = {"object": "project.model_permissions", "mode": mode, "model_ids": [*before]}
    trip = carry_out(case.gateway, DOWNGRADE, SEARCH)
    assert case.project.permissions == {
        "object": "project.model_permissions",
        "mode": mode,
        "model_ids": after,
    }
    trip.undo()
    assert case.project.permissions["model_ids"] == sorted(before)


def test_a_policy_that_somebody_changed_meanwhile_is_not_replaced(case: Case) -> None:
    place = case.gateway.plan(DOWNGRADE, SEARCH).place
    before = case.gateway.read(place) or {}
    case.project.permissions = {
        "mode": "deny_list",
        "model_ids": ["o3"],
        "object": "project.model_permissions",
    }
    wanted = case.gateway.wanted(DOWNGRADE, before)
    told = raised(
        RefusedCallError, lambda: case.gateway.write(place, wanted, before=before, idempotency_key="e")
    )
    assert "since it was read; nothing written" in told
    assert case.served.writes == []


@pytest.mark.parametrize(("mode", "models"), [("deny_list", ["gpt-4o-mini"]), ("allow_list", ["gpt-4o"])])
def test_a_downgrade_to_a_model_that_is_not_allowed_is_refused(
    case: Case, mode: str, models: list[str]
) -> None:
    told = raised(CannotError, lambda: case.gateway.wanted(DOWNGRADE, {"mode": mode, "model_ids": [*models]}))
    assert "does not allow gpt-4o-mini" in told


def test_the_words_of_a_downgrade_say_that_nothing_answers_in_its_place(case: Case) -> None:
    assert "refused until the program asks for gpt-4o-mini" in case.gateway.plan(DOWNGRADE, SEARCH).told


def test_a_cap_is_set_in_cents_and_deleted_by_undo(case: Case) -> None:
    trip = carry_out(case.gateway, BUDGET, SEARCH)
    assert case.project.spend_limit is not None
    assert case.project.spend_limit["threshold_amount"] == 12_050
    trip.undo()
    assert case.project.spend_limit is None


def test_a_cap_that_was_there_is_set_again_by_undo(case: Case) -> None:
    case.project.spend_limit = {
        "object": "project.spend_limit", "threshold_amount": 99, "currency": "USD", "interval": "month",
        "enforcement": {"status": "enforcing"},
    }  # fmt: skip
    carry_out(case.gateway, BUDGET, SEARCH).undo()
    assert case.project.spend_limit["threshold_amount"] == 99


def test_a_cap_in_another_currency_is_not_taken_for_dollars(case: Case) -> None:
    carry_out(case.gateway, BUDGET, SEARCH)
    assert case.project.spend_limit is not None
    case.project.spend_limit["currency"] = "EUR"
    place = case.gateway.plan(BUDGET, SEARCH).place
    assert "it is in EUR per month" in raised(RefusedCallError, lambda: case.gateway.read(place))


def test_the_words_of_a_cap_say_that_it_may_refuse_all_calls_at_once(case: Case) -> None:
    assert "all its calls are refused at once" in case.gateway.plan(BUDGET, SEARCH).told


def test_a_key_is_found_among_the_projects_and_deleted(case: Case) -> None:
    case.project.keys["key_leaked"] = "user"
    trip = carry_out(case.gateway, RevokeKey(), KEY)
    assert (trip.before, trip.wanted) == ({"exists": True}, GONE)
    assert case.project.keys == {}


def test_only_the_project_that_the_target_names_is_asked_for_the_key(case: Case) -> None:
    case.project.keys["key_leaked"] = "user"
    carry_out(case.gateway, RevokeKey(), target("openai", "project=proj_search", "key_id=key_leaked"))
    assert not [asked for asked in case.served.asked if "proj_a" in asked.path]


def test_deleting_a_key_that_goes_meanwhile_is_a_success(case: Case) -> None:
    case.project.keys["key_leaked"] = "user"
    place = case.gateway.plan(RevokeKey(), KEY).place
    case.served.fail(json_reply({"error": {"message": "No API key found"}}, status=404), method="DELETE")
    case.gateway.write(place, GONE, before={"exists": True}, idempotency_key="e")
    assert case.served.writes


def test_a_deleted_key_does_not_come_back(case: Case) -> None:
    case.project.keys["key_leaked"] = "user"
    trip = carry_out(case.gateway, RevokeKey(), KEY)
    assert "cannot be brought back" in raised(CannotError, trip.undo)


def test_the_key_of_a_service_account_is_left_alone(case: Case) -> None:
    case.project.keys["key_leaked"] = "service_account"
    place = case.gateway.plan(RevokeKey(), KEY).place
    told = raised(
        CannotError, lambda: case.gateway.write(place, GONE, before={"exists": True}, idempotency_key="e")
    )
    assert "belongs to a service account" in told
    assert case.served.writes == []


@pytest.mark.parametrize(("measure", "where", "why"), [
    (LIMIT, target("openai", "team=search"), "needs a project; the target is team=search"),
    (LIMIT, target("openai", "project=UNALLOCATED"), "needs a project"),
    (SetRateLimit(tokens_per_minute=1), SEARCH, "needs a model"),
    (SetRateLimit(model="o3"), SEARCH, "names neither"),
    (LIMIT, target("openai", "project=p", "model=o3"), "name one model"),
    (LIMIT, target("openai", "project=p", "key_id=key_1"), "more than the target"),
    (DOWNGRADE, target("openai", "project=p", "model=o3"), "the target about o3"),
    (BUDGET, target("openai", "project=p", "model=o3"), "all spend of project p"),
    (SetBudget(max_usd=Decimal(1), period="day"), SEARCH, "by calendar month only, not by day"),
    (BlockKey(), KEY, "an empty list of scopes means all permissions"),
    (RevokeKey(), SEARCH, "needs a key_id"),
    (RevokeKey(), target("openai", "key_id=sk-proj-abcdefghijklmnop"), "no id of an OpenAI key"),
    (MarkExpected(until=utc_now()), SEARCH, "nothing that OpenAI executes"),
])  # fmt: skip
def test_what_openai_has_no_lever_for_is_refused_with_the_reason(
    case: Case, measure: Measure, where: Target, why: str
) -> None:
    assert why in cannot(case.gateway, measure, where)


def test_of_what_looks_like_a_key_only_the_beginning_is_told(case: Case) -> None:
    leaked = "sk-proj-abcdefghijklmnop"
    raised(CannotError, lambda: case.gateway.plan(RevokeKey(), target("openai", f"key_id={leaked}")), leaked)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_to_a_write_says_whether_it_may_have_acted(case: Case, name: str) -> None:
    reply, kind, _ = WRONG[name]
    place = case.gateway.plan(LIMIT, SEARCH).place
    case.served.fail(reply)
    state = {"max_tokens_per_1_minute": 40_000}
    raised(kind, lambda: case.gateway.write(place, state, before={}, idempotency_key="e"), ADMIN_KEY)


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("measure", [LIMIT, BUDGET, DOWNGRADE], ids=["limits", "cap", "models"])
def test_a_wrong_answer_to_a_read_changed_nothing(case: Case, name: str, measure: Measure) -> None:
    reply, _, kind = WRONG[name]
    place = case.gateway.plan(measure, SEARCH).place
    case.served.fail(reply, method="GET")
    raised(kind, lambda: case.gateway.read(place), ADMIN_KEY)


def test_the_wait_that_openai_asks_for_is_handed_on(case: Case) -> None:
    case.served.fail(Reply(b"{}", 429, headers=(("Retry-After", "7"),)), method="GET")
    with pytest.raises(NotSentError) as failed:
        case.gateway.read(case.gateway.plan(BUDGET, SEARCH).place)
    assert failed.value.retry_after_s == 7.0


def test_a_key_that_the_server_repeats_is_not_told(case: Case) -> None:
    case.served.fail(
        json_reply({"error": {"message": f"no such key: {ADMIN_KEY}"}}, status=403), method="GET"
    )
    place = case.gateway.plan(BUDGET, SEARCH).place
    assert "***" in raised(RefusedCallError, lambda: case.gateway.read(place), ADMIN_KEY)


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gateway = OpenAiAdmin(f"http://127.0.0.1:{probe.getsockname()[1]}/v1", SecretStr(ADMIN_KEY))
        state = {"threshold_amount": 5}
        place = gateway.plan(BUDGET, SEARCH).place
        raised(NotSentError, lambda: gateway.write(place, state, before={}, idempotency_key="e"), ADMIN_KEY)
        gateway.close()


def test_a_list_without_end_is_given_up() -> None:
    def endless(_request: Request) -> Reply:
        return json_reply({"object": "list", "data": [{"id": "rl-o3", "model": "o3",
            "max_requests_per_1_minute": 1, "max_tokens_per_1_minute": 1}], "has_more": True})  # fmt: skip

    with serving(endless) as served:
        gateway = OpenAiAdmin(f"{served.url}/v1", SecretStr(ADMIN_KEY))
        place = gateway.plan(LIMIT, SEARCH).place
        assert "first 20 pages" in raised(RefusedCallError, lambda: gateway.read(place))
        gateway.close()


def test_each_write_carries_the_execution_as_its_idempotency_key(case: Case) -> None:
    carry_out(case.gateway, BUDGET, SEARCH)
    assert {sent.headers.get("idempotency-key") for sent in case.served.writes} == {"exec-1"}


def test_an_id_stays_in_its_place_in_the_path(case: Case) -> None:
    odd = target("openai", "project=../../users?x=1")
    assert case.gateway.read(case.gateway.plan(BUDGET, odd).place) == {"threshold_amount": None}
    assert case.served.asked[-1].path == "/v1/organization/projects/..%2F..%2Fusers%3Fx=1/spend_limit"
    dots = Place("project_spend_limit", {"project": ".."}, ("threshold_amount",))
    raised(CannotError, lambda: case.gateway.read(dots))


def test_the_environment_of_the_model_plays_no_part(monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "of-the-model")
    gateway = OpenAiAdmin(f"{case.served.url}/v1", SecretStr(ADMIN_KEY))
    carry_out(gateway, BUDGET, SEARCH)
    assert {asked.headers["authorization"] for asked in case.served.asked} == {f"Bearer {ADMIN_KEY}"}
    assert "of-the-model" not in str([asked.headers for asked in case.served.asked])
    gateway.close()


@pytest.mark.parametrize("key", ["", "sk admin", "sk-admin\n", "sk-ädmin"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_told(key: str) -> None:
    with pytest.raises(RefusedError) as failed:
        OpenAiAdmin("http://127.0.0.1:9/v1", SecretStr(key))
    assert not key or key not in str(failed.value)


@pytest.mark.parametrize("url", ["", "api.openai.com", "ftp://api.openai.com", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(RefusedError, match="OpenAI's base_url"):
        OpenAiAdmin(url, SecretStr(ADMIN_KEY))


def test_the_gateway_prints_without_its_key(case: Case) -> None:
    assert repr(case.gateway) == "OpenAiAdmin('127.0.0.1')"
    assert case.gateway.name == "openai"
