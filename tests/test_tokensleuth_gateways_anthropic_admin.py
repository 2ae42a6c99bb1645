"""Anthropic's admin API over real sockets: the gateway and the vendor's own client see one state."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import anthropic
import pytest
from pydantic import JsonValue, SecretStr

from agent.measures import BlockKey, DowngradeModel, Measure, NotifyOwner, RevokeKey, SetBudget, SetRateLimit
from agent.target import Target
from evals.fake_anthropic_admin import ADMIN_KEY, FakeAnthropicAdmin, Group, fake_anthropic_admin
from evals.fake_openai import json_reply
from evals.loopback import Loopback
from ledger.errors import RefusedError
from tests.gateway_trips import WRONG, carry_out, raised, target
from tokensleuth.gateways.anthropic_admin import AnthropicAdmin
from tokensleuth.gateways.port import GONE, CannotError, RefusedCallError

LIMIT = SetRateLimit(requests_per_minute=50, tokens_per_minute=40_000, model="claude-haiku-4-5")
BUDGET = SetBudget(max_usd=Decimal("500.00"), period="month")
WORKSPACE = target("anthropic", "project=wrkspc_1")
KEY = target("anthropic", "key_id=apikey_1")


@dataclass(frozen=True, slots=True)
class Case:
    fake: FakeAnthropicAdmin
    served: Loopback
    gateway: AnthropicAdmin
    vendor: anthropic.Anthropic
    """The vendor's own client on the same organisation."""

    @property
    def haiku(self) -> Group:
        return self.fake.groups[-1]


@pytest.fixture
def case() -> Iterator[Case]:
    with fake_anthropic_admin() as (fake, served):
        fake.keys["apikey_1"] = "active"
        fake.workspaces |= {"wrkspc_1", "wrkspc_2"}
        limits = {"requests_per_minute": 4_000, "output_tokens_per_minute": 80_000}
        for name in ("opus", "sonnet", "haiku"):
            fake.groups.append(Group(f"rl_{name}", [f"claude-{name}-4-5", f"claude-{name}-latest"], limits))
        gateway = AnthropicAdmin(served.url, SecretStr(ADMIN_KEY), timeout_s=1.0)
        with anthropic.Anthropic(api_key=ADMIN_KEY, base_url=served.url, max_retries=0) as vendor:
            yield Case(fake, served, gateway, vendor)
        gateway.close()
        assert fake.faults == []


def status(case: Case) -> str:
    return case.vendor.beta.organization.api_keys.retrieve("apikey_1").status


def overrides(case: Case) -> dict[str, int]:
    """As the vendor's client lists them."""
    listed = case.vendor.beta.organization.workspaces.rate_limits.list("wrkspc_1")
    return {limit.type: limit.value for entry in listed for limit in entry.limits}


def amounts(case: Case) -> list[str | None]:
    listed = case.vendor.beta.organization.spend_limits.list(workspace_id="wrkspc_1")
    return [limit.amount for limit in listed]


def test_a_key_is_blocked_and_unblocked(case: Case) -> None:
    trip = carry_out(case.gateway, BlockKey(), KEY)
    assert status(case) == "inactive"
    trip.undo()
    assert status(case) == "active"


def test_what_the_vendors_client_changes_the_gateway_reads(case: Case) -> None:
    trip = carry_out(case.gateway, BlockKey(), KEY)
    case.vendor.beta.organization.api_keys.update("apikey_1", status="active")
    assert trip.state() == {"status": "active"}


@pytest.mark.parametrize("over", ["archived", "expired"])
def test_a_key_that_is_over_counts_as_blocked_and_is_left_alone(case: Case, over: str) -> None:
    case.fake.keys["apikey_1"] = over
    trip = carry_out(case.gateway, BlockKey(), KEY)
    assert trip.wanted == {"status": over}
    assert case.served.writes == []


def test_a_revoked_key_is_archived_for_good(case: Case) -> None:
    place = case.gateway.plan(RevokeKey(), KEY).place
    assert case.gateway.read(place) == {"exists": True}
    case.gateway.write(place, GONE, before={"exists": True}, idempotency_key="e")
    assert (case.gateway.read(place), status(case)) == (GONE, "archived")
    back = raised(
        CannotError, lambda: case.gateway.write(place, {"exists": True}, before=GONE, idempotency_key="u")
    )
    assert "what is archived stays so" in back


def test_revoking_a_key_that_goes_meanwhile_is_a_success(case: Case) -> None:
    place = case.gateway.plan(RevokeKey(), KEY).place
    case.fake.keys.clear()
    case.gateway.write(place, GONE, before={"exists": True}, idempotency_key="e")
    assert case.gateway.read(place) == GONE


def test_a_key_that_is_not_there_cannot_be_blocked(case: Case) -> None:
    case.fake.keys.clear()
    place = case.gateway.plan(BlockKey(), KEY).place
    assert case.gateway.read(place) is None
    raised(
        RefusedCallError,
        lambda: case.gateway.write(place, {"status": "inactive"}, before={}, idempotency_key="e"),
    )


def test_the_group_of_a_model_is_found_beyond_the_first_page_and_undo_clears_the_override(case: Case) -> None:
    trip = carry_out(case.gateway, LIMIT, WORKSPACE)
    assert trip.before == {"requests_per_minute": None, "input_tokens_per_minute": None}
    assert overrides(case) == {"requests_per_minute": 50, "input_tokens_per_minute": 40_000}
    trip.undo()
    assert overrides(case) == {}


def test_an_override_that_was_there_is_set_again_by_undo_and_others_are_left_alone(case: Case) -> None:
    case.haiku.overrides["wrkspc_1"] = {"requests_per_minute": 900, "output_tokens_per_minute": 7}
    carry_out(case.gateway, LIMIT, WORKSPACE).undo()
    assert overrides(case) == {"requests_per_minute": 900, "output_tokens_per_minute": 7}


def test_an_alias_of_a_model_belongs_to_its_group(case: Case) -> None:
    carry_out(case.gateway, SetRateLimit(requests_per_minute=5, model="claude-opus-latest"), WORKSPACE)
    assert case.fake.groups[0].overrides == {"wrkspc_1": {"requests_per_minute": 5}}


def test_the_words_of_a_limit_say_what_counts_and_how_slow_it_is(case: Case) -> None:
    plan = case.gateway.plan(LIMIT, WORKSPACE)
    assert "only input tokens count" in plan.told
    assert plan.slow is not None
    assert "within about an hour" in plan.slow


def test_a_model_without_a_group_is_a_place_that_does_not_exist(case: Case) -> None:
    place = case.gateway.plan(SetRateLimit(requests_per_minute=5, model="claude-9"), WORKSPACE).place
    assert case.gateway.read(place) is None
    raised(
        RefusedCallError,
        lambda: case.gateway.write(place, {"requests_per_minute": 5}, before={}, idempotency_key="e"),
    )


def test_a_cap_is_set_in_cents_as_text_and_deleted_by_undo(case: Case) -> None:
    trip = carry_out(case.gateway, BUDGET, WORKSPACE)
    assert amounts(case) == ["50000"]
    trip.undo()
    assert amounts(case) == []


def test_a_cap_that_was_there_is_set_again_by_undo(case: Case) -> None:
    scope = {"type": "workspace", "workspace_id": "wrkspc_1"}
    case.vendor.beta.organization.spend_limits.set(amount="700", scope=scope, period="monthly")  # type: ignore[arg-type]
    carry_out(case.gateway, BUDGET, WORKSPACE).undo()
    assert amounts(case) == ["700"]


def test_the_cap_of_another_workspace_is_not_taken_for_ours(case: Case) -> None:
    carry_out(case.gateway, BUDGET, target("anthropic", "project=wrkspc_2"))
    assert case.gateway.read(case.gateway.plan(BUDGET, WORKSPACE).place) == {"amount": None}


def test_of_a_list_that_is_not_filtered_only_the_monthly_cap_of_the_workspace_counts(case: Case) -> None:
    def row(workspace: str, period: str) -> JsonValue:
        scope: JsonValue = {"type": "workspace", "workspace_id": workspace}
        return {"id": "spl_1", "amount": "9", "currency": "USD", "period": period, "scope": scope}

    rows = [row("wrkspc_2", "monthly"), row("wrkspc_1", "weekly")]
    case.served.fail(json_reply({"data": rows, "next_page": None}), method="GET")
    assert case.gateway.read(case.gateway.plan(BUDGET, WORKSPACE).place) == {"amount": None}


def test_an_organisation_that_bills_in_another_currency_is_refused(case: Case) -> None:
    carry_out(case.gateway, BUDGET, WORKSPACE)
    case.fake.spend_limits["spl_0"]["currency"] = "EUR"
    place = case.gateway.plan(BUDGET, WORKSPACE).place
    assert "it is in EUR" in raised(RefusedCallError, lambda: case.gateway.read(place))


@pytest.mark.parametrize(("measure", "where", "why"), [
    (DowngradeModel(from_model="a", to_model="b"), WORKSPACE, "no lever that denies or replaces a model"),
    (LIMIT, target("anthropic", "team=search"), "needs a project"),
    (LIMIT, target("anthropic", "project=wrkspc_1", "key_id=apikey_1"), "more than the target"),
    (SetRateLimit(requests_per_minute=5), WORKSPACE, "needs a model"),
    (SetBudget(max_usd=Decimal(5), period="week"), WORKSPACE, "by month only, not by week"),
    (BlockKey(), WORKSPACE, "needs a key_id"),
    (RevokeKey(), target("anthropic", "key_id=sk-ant-api03-abcdef"), "no id of an Anthropic key"),
    (NotifyOwner(owner="o", message="m"), WORKSPACE, "nothing that Anthropic executes"),
])  # fmt: skip
def test_what_anthropic_has_no_lever_for_is_refused_with_the_reason(
    case: Case, measure: Measure, where: Target, why: str
) -> None:
    assert why in raised(CannotError, lambda: case.gateway.plan(measure, where))


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_to_a_write_says_whether_it_may_have_acted(case: Case, name: str) -> None:
    reply, kind, _ = WRONG[name]
    place = case.gateway.plan(BlockKey(), KEY).place
    case.served.fail(reply)
    state = {"status": "inactive"}
    raised(kind, lambda: case.gateway.write(place, state, before={}, idempotency_key="e"), ADMIN_KEY)


@pytest.mark.parametrize("name", [name for name in WRONG if name != "200 null"])
@pytest.mark.parametrize("measure", [LIMIT, BUDGET], ids=["limits", "caps"])
def test_a_wrong_answer_to_a_read_changed_nothing(case: Case, name: str, measure: Measure) -> None:
    reply, _, kind = WRONG[name]
    place = case.gateway.plan(measure, WORKSPACE).place
    case.served.fail(reply, method="GET")
    raised(kind, lambda: case.gateway.read(place), ADMIN_KEY)


def test_a_workspace_that_is_not_there_has_no_limits_to_read(case: Case) -> None:
    place = case.gateway.plan(LIMIT, target("anthropic", "project=wrkspc_9")).place
    assert "there is no such list" in raised(RefusedCallError, lambda: case.gateway.read(place))


def test_a_write_whose_answer_is_lost_may_have_acted(case: Case) -> None:
    place = case.gateway.plan(BlockKey(), KEY).place
    case.served.fail(WRONG["no answer"][0], acts=True)
    with pytest.raises(WRONG["no answer"][1]):
        case.gateway.write(place, {"status": "inactive"}, before={}, idempotency_key="e")
    assert case.gateway.read(place) == {"status": "inactive"}


def test_an_organisation_without_the_preview_is_told_so(case: Case) -> None:
    told = "writes are not enabled for this organization"
    case.served.fail(json_reply({"type": "error", "error": {"type": "x", "message": told}}, status=403))
    place = case.gateway.plan(BUDGET, WORKSPACE).place
    said = raised(
        RefusedCallError, lambda: case.gateway.write(place, {"amount": "5"}, before={}, idempotency_key="e")
    )
    assert told in said


def test_each_write_carries_the_execution_as_its_idempotency_key(case: Case) -> None:
    carry_out(case.gateway, LIMIT, WORKSPACE)
    assert {sent.headers.get("idempotency-key") for sent in case.served.writes} == {"exec-1"}


def test_a_key_that_is_empty_is_refused() -> None:
    with pytest.raises(RefusedError, match="Authorization"):
        AnthropicAdmin("http://127.0.0.1:9", SecretStr(""))


def test_the_gateway_prints_without_its_key(case: Case) -> None:
    assert ADMIN_KEY not in repr(case.gateway)
    assert case.gateway.name == "anthropic"
