"""OpenAI's schema as our fake is held to it: the vendor's client passes, what it would not send does not."""

from collections.abc import Iterator

import httpx2
import openai
import pytest

from evals.fake_openai_admin import ADMIN_KEY, FakeOpenAiAdmin, Project, fake_openai_admin
from evals.loopback import Loopback
from evals.openai_contract import Contract

P1 = "/v1/organization/projects/p1"


@pytest.fixture
def served() -> Iterator[tuple[FakeOpenAiAdmin, Loopback]]:
    with fake_openai_admin() as (fake, loopback):
        fake.projects["p1"] = Project()
        fake.projects["p1"].add_limit("o3")
        yield fake, loopback


def told(served: Loopback, method: str, path: str, body: object = None) -> int:
    with httpx2.Client(trust_env=False, headers={"Authorization": f"Bearer {ADMIN_KEY}"}) as client:
        return client.request(method, served.url + path, json=body).status_code


def test_the_vendors_client_meets_the_schema_both_ways(served: tuple[FakeOpenAiAdmin, Loopback]) -> None:
    fake, loopback = served
    fake.projects["p1"].keys = {"key_1": "user", "key_2": "service_account"}
    with openai.OpenAI(admin_api_key=ADMIN_KEY, api_key=None, base_url=f"{loopback.url}/v1") as client:
        api = client.admin.organization.projects
        assert [limit.model for limit in api.rate_limits.list_rate_limits("p1")] == ["o3"]
        api.rate_limits.update_rate_limit("rl-o3", project_id="p1", max_requests_per_1_minute=5)
        api.model_permissions.update("p1", mode="deny_list", model_ids=["o3"])
        assert api.model_permissions.retrieve("p1").api_model_ids == ["o3"]
        assert api.model_permissions.delete("p1").deleted
        assert api.spend_limit.update("p1", threshold_amount=9, currency="USD", interval="month").interval
        assert api.spend_limit.delete("p1").deleted
        assert api.api_keys.retrieve("key_2", project_id="p1").owner.type == "service_account"
        assert api.api_keys.delete("key_1", project_id="p1").deleted
    assert fake.faults == []


@pytest.mark.parametrize(("method", "path", "body", "fault"), [
    ("POST", f"{P1}/spend_limit", {"threshold_amount": 0, "currency": "USD", "interval": "month"}, "minimum"),
    ("POST", f"{P1}/spend_limit", {"threshold_amount": 5, "currency": "EUR", "interval": "month"}, "EUR"),
    ("POST", f"{P1}/rate_limits/rl-o3", {"tokens": 5}, "unknown fields ['tokens']"),
    ("POST", f"{P1}/model_permissions", {"mode": "deny", "model_ids": []}, "'deny' is not one of"),
    ("GET", f"{P1}/rate_limits?model=o3", None, "unknown parameters ['model']"),
    ("POST", f"{P1}/rate_limits", {}, "POST is not served"),
    ("DELETE", f"{P1}/rate_limits/rl-o3", None, "DELETE is not served"),
])  # fmt: skip
def test_what_the_schema_does_not_have_is_refused(
    served: tuple[FakeOpenAiAdmin, Loopback], method: str, path: str, body: object, fault: str
) -> None:
    fake, loopback = served
    assert told(loopback, method, path, body) == 400
    assert fault in fake.faults[0]


def test_an_answer_that_the_schema_does_not_have_is_found() -> None:
    contract, path = Contract.load(), "/organization/projects/{project_id}/spend_limit"
    assert contract.wrong_in_answer("GET", path, 200, {"object": "project.spend_limit"}) is not None
    assert contract.wrong_in_answer("GET", path, 404, {"detail": "Not Found"}) is not None


def test_another_key_opens_nothing(served: tuple[FakeOpenAiAdmin, Loopback]) -> None:
    with httpx2.Client(trust_env=False) as client:
        assert client.get(served[1].url + f"{P1}/spend_limit").status_code == 401
