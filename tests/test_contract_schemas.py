"""The schemas under docs/contract accept the documented examples and refuse each way of breaking them."""

from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ledger.scope import DIMENSIONS
from tests.contract_changes import CONTRACT, NAMES, Change, Missing, Steps, accepts, example, schema

EFFECTS = [
    *("volume", "retries", "new_entities", "gone_entities", "model_mix", "tier_mix", "input_length"),
    *("output_length", "cache", "tokenizer", "price", "unpriced", "trend"),
]

INCIDENT: Steps = ("incidents", 0)
PROPOSAL: Steps = ("incidents", 0, "proposals", 0)
SPIKE: Steps = ("spikes", 0)


def test_there_is_one_schema_and_one_example_per_command() -> None:
    assert {p.name for p in CONTRACT.glob("*.schema.json")} == {f"{n}.schema.json" for n in NAMES}
    assert {p.stem for p in (CONTRACT / "examples").glob("*.json")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_documented_example_is_accepted(name: str) -> None:
    Draft202012Validator(schema(name)).validate(example(name))


def test_definitions_of_the_same_name_are_the_same_in_every_schema() -> None:
    seen: dict[str, object] = {}
    for name in NAMES:
        for key, definition in schema(name).get("$defs", {}).items():
            assert seen.setdefault(key, definition) == definition, f"{key} differs in {name}"


def test_the_dimensions_of_a_scope_are_those_of_the_ledger() -> None:
    assert schema("detect")["$defs"]["scope"]["propertyNames"]["enum"] == list(DIMENSIONS)


def test_the_effects_are_the_closed_list() -> None:
    assert schema("investigate")["$defs"]["effect"]["properties"]["name"]["enum"] == EFFECTS


def test_the_effects_of_the_example_sum_to_its_delta() -> None:
    incident = example("investigate")["incidents"][0]
    assert sum(Decimal(effect["usd"]) for effect in incident["effects"]) == Decimal(incident["delta_usd"])


BROKEN = [
    Change("investigate", ("range",), Missing),
    Change("investigate", ("range", "start_at"), "2026-11-01"),
    Change("investigate", ("range", "start_at"), "2026-11-01T00:00:00+00:00"),
    Change("investigate", ("range", "start_at"), "2026-13-01T00:00:00Z"),
    Change("investigate", ("incidents",), {}),
    Change("investigate", (*INCIDENT, "id"), "4be2a90c1d77"),
    Change("investigate", (*INCIDENT, "delta_usd"), 83.7),
    Change("investigate", (*INCIDENT, "delta_usd"), "83.7"),
    Change("investigate", (*INCIDENT, "delta_usd"), "$83.70"),
    Change("investigate", (*INCIDENT, "delta_usd"), "8.37E+1"),
    Change("investigate", (*INCIDENT, "delta_usd"), "NaN"),
    Change("investigate", (*INCIDENT, "delta_usd"), None),
    Change("investigate", (*INCIDENT, "scope"), {"team": None}),
    Change("investigate", (*INCIDENT, "scope"), {"squad": "search"}),
    Change("investigate", (*INCIDENT, "verdict"), "guilty"),
    Change("investigate", (*INCIDENT, "verdict"), "benign"),
    Change("investigate", (*INCIDENT, "cause"), "gremlins"),
    Change("investigate", (*INCIDENT, "cause"), "unknown"),
    Change("investigate", (*INCIDENT, "confidence"), 1.2),
    Change("investigate", (*INCIDENT, "confidence"), "0.93"),
    Change("investigate", (*INCIDENT, "analyst"), "human"),
    Change("investigate", (*INCIDENT, "degraded"), "no"),
    Change("investigate", (*INCIDENT, "unpriced_tokens"), -1),
    Change("investigate", (*INCIDENT, "seconds"), None),
    Change("investigate", (*INCIDENT, "cost", "usd"), "-0.01"),
    Change("investigate", (*INCIDENT, "cost", "llm_calls"), 0.5),
    Change("investigate", (*INCIDENT, "alternatives", 0, "refuted_by"), "ev_1"),
    Change("investigate", (*INCIDENT, "culprits", 0, "cause"), Missing),
    Change("investigate", (*INCIDENT, "culprits", 0, "share"), "95.7%"),
    Change("investigate", (*INCIDENT, "effects", 4), Missing),
    Change("investigate", (*INCIDENT, "effects", 4, "name"), "volume"),
    Change("investigate", (*INCIDENT, "effects", 4, "name"), "weather"),
    Change("investigate", (*INCIDENT, "effects", 4, "usd"), 0),
    Change("investigate", (*INCIDENT, "changes", 0, "kind"), "rumour"),
    Change("investigate", (*INCIDENT, "evidence", 0, "status"), "maybe"),
    Change("investigate", (*INCIDENT, "evidence", 0, "rows"), [{}]),
    Change("investigate", (*INCIDENT, "evidence", 0, "arguments"), "by=key_id"),
    Change("investigate", (*PROPOSAL, "action"), "delete_team"),
    Change("investigate", (*PROPOSAL, "target"), {"key_id": "k1"}),
    Change("investigate", (*PROPOSAL, "target", "gateway"), "carrier_pigeon"),
    Change("investigate", (*PROPOSAL, "parameters"), {}),
    Change("investigate", (*PROPOSAL, "parameters"), {"tokens_per_minute": "40000"}),
    Change("investigate", (*PROPOSAL, "parameters"), {"tokens_per_minute": 40000, "colour": "red"}),
    Change("investigate", (*PROPOSAL, "expected_saving_usd_per_day"), 61.0),
    Change("investigate", (*PROPOSAL, "requests_refused_per_day"), 12.5),
    Change("investigate", (*PROPOSAL, "reversible"), None),
    Change("investigate", (*PROPOSAL, "expires_at"), None),
    Change("detect", ("series_scored",), "120"),
    Change("detect", ("incidents", 0, "spikes"), []),
    Change("detect", ("incidents", 0, "excess_usd"), None),
    Change("detect", (*SPIKE, "direction"), "sideways"),
    Change("detect", (*SPIKE, "detected_at"), None),
    Change("detect", (*SPIKE, "score"), "7.9"),
    Change("detect", (*SPIKE, "actual_usd"), 96.1),
    Change("detect", (*SPIKE, "series", "metric"), Missing),
    Change("detect", ("scores", 0, "values"), ["high"]),
    Change("detect-live", ("model", "late_hours"), -1),
    Change("detect-live", ("model", "reason"), ""),
    Change("detect-live", ("not_scored", 0, "scopes", 0), {"squad": "x"}),
    Change("detect-live", ("not_scored", 0, "reason"), Missing),
    Change("refit", ("learnt",), []),
    Change("refit", ("kept", 0), "2026-11-01"),
    Change("refit", ("baselines", 0, "from_at"), Missing),
    Change("ingest", ("read",), -1),
    Change("ingest", ("rejected",), True),
    Change("ingest", ("errors", 0, "line"), 0),
    Change("ingest", ("errors", 0, "reason"), Missing),
    Change("ingest", ("warnings",), None),
    Change("incidents", ("items", 0, "saved_at"), Missing),
    Change("incidents", ("items", 0, "proposals", 0, "state"), Missing),
    Change("incidents", ("items", 0, "effects"), []),
    Change("proposals", ("items", 0, "state"), "perhaps"),
    Change("proposals", ("items", 0, "incident_id"), Missing),
    Change("doctor", ("checks", 0, "status"), "green"),
    Change("doctor", ("checks",), []),
    Change("doctor", ("ok",), False),
    Change("doctor", ("checks", 0, "status"), "fail"),
    Change("reprice", ("applied",), Missing),
    Change("reprice", ("after_usd",), 18.24),
    Change("accept-baseline", ("state",), "perhaps"),
    Change("accept-baseline", ("scope", "squad"), "x"),
    Change("accept-baseline", ("level_usd_per_day",), 84.65),
    Change("baselines", ("items", 0, "decided_by"), ""),
    Change("baselines", ("items", 0, "acts_from"), Missing),
    Change("detect", ("baselines", 0, "acts"), None),
    Change("detect", ("suppressed", "worth_usd"), 4.1),
    Change("detect", ("suppressed", "incidents", 0, "tuning_id"), Missing),
    Change("detect-live", ("suppressed", "count"), None),
    Change("incidents", ("notices", 0, "opened_at"), "2026-11-22 21:12"),
    Change("incidents", ("notices", 0, "severity"), "grave"),
    Change("incidents", ("items", 0, "kind"), "reconciliation"),
    Change("simulate", ("settings", "changed", "fire_score", "to"), Missing),
    Change("simulate", ("before", "worth_usd"), 120.0),
    Change("simulate", ("kept",), None),
    Change("simulate", ("lost", 0, "direction"), "sideways"),
    Change("simulate", ("gained", 0, "spike_count"), 0),
    Change("simulate", ("labels", "after", "precision"), 1.2),
    Change("simulate", ("labels", "items", 0, "hit_after"), None),
    Change("simulate", ("threshold",), {"scope": {}, "direction": "up", "min_usd": "100", "min_score": None}),
    Change("simulate", ("lost", 0, "said"), "perhaps"),
]


@pytest.mark.parametrize("change", BROKEN, ids=lambda c: f"{c.schema} {'.'.join(map(str, c.path))} {c.value}")
def test_a_broken_document_is_refused(change: Change) -> None:
    assert not accepts(change.schema, change.applied())


def required_fields(name: str) -> list[str]:
    return [str(field) for field in schema(name)["required"]]


@pytest.mark.parametrize("name", NAMES)
def test_every_top_level_field_of_the_contract_is_required(name: str) -> None:
    for field in required_fields(name):
        assert not accepts(name, Change(name, (field,), Missing).applied()), field


@pytest.mark.parametrize(
    "path", [INCIDENT, PROPOSAL, (*INCIDENT, "culprits", 0), (*INCIDENT, "evidence", 0), (*INCIDENT, "cost")]
)
def test_every_field_of_an_investigated_object_is_required(path: Steps) -> None:
    found: Any = example("investigate")
    for step in path:
        found = found[step]
    for field in found:
        assert not accepts("investigate", Change("investigate", (*path, field), Missing).applied()), field


@pytest.mark.parametrize("field", ["unit_of_work", "x"])
def test_added_fields_are_accepted(field: str) -> None:
    assert accepts("investigate", Change("investigate", (field,), 1).applied())
    assert accepts("investigate", Change("investigate", (*INCIDENT, field), None).applied())
    assert accepts("investigate", Change("investigate", (*PROPOSAL, field), {}).applied())


VALID = [
    Change("investigate", (*INCIDENT, "delta_usd"), "-1234567.891234"),
    Change("investigate", (*INCIDENT, "delta_usd"), "0.00"),
    Change("investigate", (*INCIDENT, "end_at"), "2026-11-03T20:00:00.250Z"),
    Change("investigate", (*INCIDENT, "scope"), {}),
    Change("investigate", (*INCIDENT, "culprits", 0, "share"), None),
    Change("investigate", (*PROPOSAL, "expected_saving_usd_per_day"), None),
    Change("investigate", ("incidents",), []),
    Change("detect", (*SPIKE, "expected_usd"), None),
    Change("detect", ("scores",), Missing),
    Change("ingest", ("charges",), Missing),
    Change("doctor", ("checks", 0, "status"), "warn"),
    Change("accept-baseline", ("reason",), None),
    Change("detect", ("baselines",), Missing),
    Change("detect-live", ("model", "reason"), None),
    Change("detect-live", ("not_scored",), []),
    Change("simulate", ("labels",), None),
    Change("simulate", ("lost", 0, "false_alarm"), None),
    Change("simulate", ("lost", 0, "said"), "real"),
    Change("detect", ("suppressed", "incidents"), []),
    Change("incidents", ("notices",), []),
]


@pytest.mark.parametrize("change", VALID, ids=lambda c: f"{c.schema} {'.'.join(map(str, c.path))} {c.value}")
def test_other_valid_documents_are_accepted(change: Change) -> None:
    assert accepts(change.schema, change.applied())


VERDICTS = [
    ("benign", "normal_variation", True),
    ("confirmed", "normal_variation", False),
    ("accounting_artifact", "accounting_artifact", True),
    ("confirmed", "accounting_artifact", False),
    ("inconclusive", "unknown", True),
    ("benign", "volume_growth", True),
    ("confirmed", "volume_drop", True),
    ("inconclusive", "new_workload", False),
    ("benign", "key_leak", False),
    ("accounting_artifact", "price_change", False),
]


@pytest.mark.parametrize(("verdict", "cause", "allowed"), VERDICTS)
def test_a_cause_goes_with_its_verdicts_only(verdict: str, cause: str, allowed: bool) -> None:
    document = example("investigate")
    document["incidents"][0] |= {"verdict": verdict, "cause": cause}
    assert accepts("investigate", document) is allowed


ACTIONS: list[tuple[str, dict[str, object], bool]] = [
    ("set_budget", {"max_usd": "500.00", "period": "month"}, True),
    ("downgrade_model", {"from_model": "gpt-5", "to_model": "gpt-5-mini"}, True),
    ("block_key", {}, True),
    ("revoke_key", {}, False),
    ("fix_price", {"model": "acme-7b", "reason": "no price"}, True),
    ("notify_owner", {"owner": "search", "message": "look"}, True),
    ("mark_expected", {"until": "2026-12-01T00:00:00Z"}, True),
]


@pytest.mark.parametrize(("action", "parameters", "reversible"), ACTIONS)
def test_each_action_takes_its_own_parameters_only(
    action: str, parameters: dict[str, object], reversible: bool
) -> None:
    document = example("investigate")
    proposal = document["incidents"][0]["proposals"][0]
    proposal |= {"action": action, "parameters": parameters, "reversible": reversible}
    assert accepts("investigate", document)
    proposal["parameters"] = parameters | {"tokens_per_minute": 1}
    assert not accepts("investigate", document)
    for name in parameters:
        proposal["parameters"] = {key: value for key, value in parameters.items() if key != name}
        assert not accepts("investigate", document), name


def test_a_key_that_is_revoked_is_never_called_reversible() -> None:
    document = example("investigate")
    document["incidents"][0]["proposals"][0] |= {"action": "revoke_key", "parameters": {}}
    assert not accepts("investigate", document)


def test_the_dollars_of_a_budget_are_a_decimal_string() -> None:
    document = example("investigate")
    parameters = {"max_usd": 500, "period": "month"}
    document["incidents"][0]["proposals"][0] |= {"action": "set_budget", "parameters": parameters}
    assert not accepts("investigate", document)
