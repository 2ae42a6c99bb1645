"""The casebook keeps one row per incident, keeps decisions, and gives back the objects of the contract."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from agent.llm.port import CallUsage, ModelCall
from ledger.scope import Scope
from ledger.window import Window
from tokensleuth.casebook import BookedCall, Casebook, EvidenceDocument, InvestigationRecord
from tokensleuth.casebook.schema import evidence, incidents, investigations, proposals

CONTRACT = Path(__file__).parents[1] / "docs" / "contract"
NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)
INCIDENT_ID = "inc_4be2a90c1d77"
INVESTIGATED = (incidents, investigations, evidence, proposals)
LIMIT, NOTIFY = "prop_c5d81fa2037b", "prop_17a9e6b04c28"


def incident(**changed: object) -> dict[str, Any]:
    documented = json.loads((CONTRACT / "examples" / "investigate.json").read_text("utf-8"))
    return {**documented["incidents"][0], **changed}


def proposed(*ids: str) -> list[dict[str, Any]]:
    return [p for p in incident()["proposals"] if p["id"] in ids]


def record(at: datetime = NOW, **changed: object) -> InvestigationRecord:
    document = incident(**changed)
    full = [
        EvidenceDocument(
            id=listed["id"],
            tool=listed["tool"],
            arguments=listed["arguments"],
            status=listed["status"],
            rows=[{"key_id": f"k{i}", "usd": Decimal("7.5000")} for i in range(listed["rows"])],
            facts={"delta_usd": Decimal("83.70"), "share": 0.957},
        )
        for listed in document["evidence"]
    ]
    return InvestigationRecord(incident=document, evidence=full, saved_at=at)


def rows(casebook: Casebook) -> dict[str, int]:
    """Of the tables that hold investigations."""
    with casebook.engine.begin() as connection:
        counts = {t.name: connection.scalar(select(func.count()).select_from(t)) for t in INVESTIGATED}
    return {name: int(count or 0) for name, count in counts.items()}


def decide(casebook: Casebook, proposal_id: str, state: str) -> None:
    with casebook.engine.begin() as connection:
        connection.execute(update(proposals).where(proposals.c.id == proposal_id).values(state=state))


def states(casebook: Casebook, now: datetime = NOW) -> dict[object, object]:
    return {p["id"]: p["state"] for p in casebook.proposals(now=now)}


def is_contract(name: str, document: object) -> bool:
    schema = json.loads((CONTRACT / f"{name}.schema.json").read_text("utf-8"))
    return Draft202012Validator(schema).is_valid(document)


def test_a_saved_incident_comes_back_as_it_was(casebook: Casebook) -> None:
    casebook.save(record())
    found = casebook.incident(INCIDENT_ID, now=NOW)
    assert found is not None
    stored = incident()
    assert {name: found[name] for name in stored if name != "proposals"} == {
        name: value for name, value in stored.items() if name != "proposals"
    }
    assert found["saved_at"] == "2026-11-04T09:00:00Z"


def test_a_saved_incident_carries_its_proposals_in_their_order_with_their_state(casebook: Casebook) -> None:
    casebook.save(record())
    found = casebook.incident(INCIDENT_ID, now=NOW)
    assert found is not None
    more = {"incident_id": INCIDENT_ID, "state": "pending", "proposed_at": "2026-11-04T09:00:00Z"}
    kept = cast(list[dict[str, object]], found["proposals"])
    wanted = [p | more for p in incident()["proposals"]]
    assert [{name: k[name] for name in w} for k, w in zip(kept, wanted, strict=True)] == wanted


def test_lists_fulfil_the_contract(casebook: Casebook) -> None:
    casebook.save(record())
    assert is_contract("incidents", {"items": casebook.incidents(now=NOW)})
    assert is_contract("proposals", {"items": casebook.proposals(now=NOW)})


def test_an_empty_casebook_lists_nothing(casebook: Casebook) -> None:
    assert casebook.incidents(now=NOW) == []
    assert casebook.proposals(now=NOW) == []
    assert casebook.incident("inc_none", now=NOW) is None
    assert casebook.evidence("ev_none") is None


def test_saving_the_same_investigation_again_doubles_nothing(casebook: Casebook) -> None:
    casebook.save(record())
    once = rows(casebook)
    casebook.save(record(NOW + timedelta(hours=1), seconds=0.9))
    assert rows(casebook) == once == {"incidents": 1, "investigations": 1, "evidence": 3, "proposals": 2}
    found = casebook.incident(INCIDENT_ID, now=NOW)
    assert found is not None
    assert (found["seconds"], found["saved_at"]) == (0.9, "2026-11-04T10:00:00Z")


def test_the_first_time_of_saving_is_kept(casebook: Casebook) -> None:
    casebook.save(record())
    casebook.save(record(NOW + timedelta(hours=1)))
    with casebook.engine.begin() as connection:
        row = connection.execute(select(incidents.c.first_saved_at, incidents.c.saved_at)).one()
    assert tuple(row) == (NOW, NOW + timedelta(hours=1))
    assert {p["proposed_at"] for p in casebook.proposals(now=NOW)} == {"2026-11-04T09:00:00Z"}


def test_another_conclusion_is_a_new_investigation_of_the_same_incident(casebook: Casebook) -> None:
    casebook.save(record())
    casebook.save(record(NOW + timedelta(hours=1), cause="key_leak", actual_usd="120.00", delta_usd="107.60"))
    assert rows(casebook)["incidents"] == 1
    assert rows(casebook)["investigations"] == 2
    assert [i["cause"] for i in casebook.incidents(now=NOW)] == ["key_leak"]


def test_evidence_of_an_investigation_is_replaced_not_piled_up(casebook: Casebook) -> None:
    casebook.save(record())
    casebook.save(record(evidence=incident()["evidence"][:1]))
    assert rows(casebook)["evidence"] == 1


def test_a_proposal_that_is_no_longer_made_is_superseded(casebook: Casebook) -> None:
    casebook.save(record())
    casebook.save(record(proposals=proposed(LIMIT)))
    assert states(casebook) == {LIMIT: "pending", NOTIFY: "superseded"}
    found = casebook.incident(INCIDENT_ID, now=NOW)
    assert found is not None
    assert [p["id"] for p in found["proposals"]] == [LIMIT]  # type: ignore[attr-defined]


def test_no_proposals_any_more_supersede_all_pending_ones(casebook: Casebook) -> None:
    casebook.save(record())
    casebook.save(record(proposals=[]))
    assert set(states(casebook).values()) == {"superseded"}


def test_a_superseded_proposal_that_is_made_again_is_pending_again(casebook: Casebook) -> None:
    for ids in ([LIMIT, NOTIFY], [LIMIT], [LIMIT, NOTIFY]):
        casebook.save(record(proposals=proposed(*ids)))
    assert states(casebook) == {LIMIT: "pending", NOTIFY: "pending"}


@pytest.mark.parametrize("state", ["approved", "rejected", "executing", "done", "unknown"])
def test_a_decided_proposal_is_never_written_over(casebook: Casebook, state: str) -> None:
    casebook.save(record())
    decide(casebook, LIMIT, state)
    changed = [p | {"parameters": {"tokens_per_minute": 1}} for p in proposed(LIMIT)]
    casebook.save(record(proposals=changed))
    casebook.save(record(proposals=[]))
    (kept,) = (p for p in casebook.proposals(now=NOW) if p["id"] == LIMIT)
    assert (kept["state"], kept["parameters"]) == (state, {"tokens_per_minute": 40000})


def test_a_pending_proposal_takes_the_new_parameters(casebook: Casebook) -> None:
    casebook.save(record())
    casebook.save(record(proposals=[p | {"parameters": {"tokens_per_minute": 9}} for p in proposed(LIMIT)]))
    assert casebook.proposals("pending", now=NOW)[0]["parameters"] == {"tokens_per_minute": 9}


def test_proposals_of_another_incident_are_left_alone(casebook: Casebook) -> None:
    casebook.save(record())
    casebook.save(record(id="inc_other", proposals=[]))
    assert set(states(casebook).values()) == {"pending"}


def test_pending_proposals_past_their_expiry_are_shown_as_expired(casebook: Casebook) -> None:
    casebook.save(record())
    decide(casebook, NOTIFY, "approved")
    expiry = datetime(2026, 11, 5, 20, tzinfo=UTC)
    assert states(casebook, expiry - timedelta(seconds=1)) == {LIMIT: "pending", NOTIFY: "approved"}
    assert states(casebook, expiry) == {LIMIT: "expired", NOTIFY: "approved"}
    assert [p["id"] for p in casebook.proposals("expired", now=expiry)] == [LIMIT]
    assert casebook.proposals("pending", now=expiry) == []


def test_incidents_come_latest_first_and_can_be_limited(casebook: Casebook) -> None:
    for day in (1, 5, 3):
        casebook.save(record(id=f"inc_{day}", start_at=f"2026-10-0{day}T00:00:00Z", proposals=[]))
    assert [i["id"] for i in casebook.incidents(now=NOW)] == ["inc_5", "inc_3", "inc_1"]
    assert [i["id"] for i in casebook.incidents(now=NOW, limit=2)] == ["inc_5", "inc_3"]


def test_incidents_are_found_by_the_hours_they_overlap(casebook: Casebook) -> None:
    casebook.save(record())
    start_at, end_at = datetime(2026, 11, 3, 14, tzinfo=UTC), datetime(2026, 11, 3, 20, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert casebook.incidents(now=NOW, within=Window(end_at - hour, end_at + hour))
    assert not casebook.incidents(now=NOW, within=Window(end_at, end_at + hour))
    assert not casebook.incidents(now=NOW, within=Window(start_at - hour, start_at))


def test_lists_can_be_narrowed_to_a_scope(casebook: Casebook) -> None:
    casebook.save(record())
    search, ads = Scope.parse(["team=search"]), Scope.parse(["team=ads"])
    assert len(casebook.incidents(now=NOW, scope=search)) == 1
    assert len(casebook.proposals(now=NOW, scope=search)) == 2
    assert casebook.incidents(now=NOW, scope=ads) == casebook.proposals(now=NOW, scope=ads) == []


def test_evidence_is_kept_whole_with_money_as_text(casebook: Casebook) -> None:
    casebook.save(record())
    found = casebook.evidence("ev_9a1c0e55b2f4")
    assert found is not None
    assert found["facts"] == {"delta_usd": "83.70", "share": 0.957}
    assert found["rows"] == [{"key_id": f"k{i}", "usd": "7.5000"} for i in range(6)]
    assert (found["tool"], found["status"], found["incident_id"]) == ("key_activity", "ok", INCIDENT_ID)


def test_evidence_named_by_two_investigations_is_the_latest(casebook: Casebook) -> None:
    casebook.save(record(NOW + timedelta(hours=1), id="inc_later", proposals=[]))
    casebook.save(record())
    found = casebook.evidence("ev_9a1c0e55b2f4")
    assert found is not None
    assert found["incident_id"] == "inc_later"


def test_money_that_is_no_decimal_text_is_refused_and_nothing_is_saved(casebook: Casebook) -> None:
    for amount in (83.7, "NaN", "a lot"):
        with pytest.raises(Exception, match="is not a decimal string of dollars"):
            casebook.save(record(delta_usd=amount))
    assert sum(rows(casebook).values()) == 0


def test_a_failure_in_the_middle_of_a_save_leaves_the_earlier_state(casebook: Casebook) -> None:
    casebook.save(record())
    bad = [p | {"rationale": float("nan")} for p in proposed(NOTIFY)]
    with pytest.raises(Exception, match=r"not JSON compliant|Out of range float"):
        casebook.save(record(cause="key_leak", proposals=[*proposed(LIMIT), *bad]))
    found = casebook.incident(INCIDENT_ID, now=NOW)
    assert found is not None
    assert found["cause"] == "retry_storm"


def test_a_question_asked_twice_in_one_investigation_is_one_piece_of_evidence(casebook: Casebook) -> None:
    document = EvidenceDocument("ev_1", "breakdown", {"by": "team"}, "no_data", [], {})
    casebook.save(InvestigationRecord(incident(), [document, replace(document, status="ok")], NOW))
    found = casebook.evidence("ev_1")
    assert found is not None
    assert found["status"] == "ok"


def test_evidence_may_hold_read_only_mappings_but_nothing_json_has_no_word_for(casebook: Casebook) -> None:
    document = EvidenceDocument("ev_1", "breakdown", MappingProxyType({"by": "team"}), "ok", [], {})
    casebook.save(InvestigationRecord(incident(), [document], NOW))
    found = casebook.evidence("ev_1")
    assert found is not None
    assert found["arguments"] == {"by": "team"}
    with pytest.raises(Exception, match="is not a JSON value"):
        casebook.save(InvestigationRecord(incident(), [replace(document, facts={"at": NOW})], NOW))


def test_a_naive_time_of_saving_is_refused() -> None:
    with pytest.raises(ValueError, match="is not an aware UTC instant"):
        record(datetime(2026, 11, 4, 9))  # noqa: DTZ001


def test_many_threads_can_save_at_once(casebook: Casebook) -> None:
    def save(number: int) -> None:
        casebook.save(record(id=f"inc_{number % 4}", proposals=[]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(save, range(32)))
    assert rows(casebook) == {"incidents": 4, "investigations": 4, "evidence": 12, "proposals": 0}


def test_rows_point_at_their_parents(casebook: Casebook) -> None:
    casebook.save(record())
    with casebook.engine.begin() as connection:
        current = connection.scalar(select(incidents.c.investigation_id))
        assert connection.scalars(select(investigations.c.id)).all() == [current]
        assert set(connection.scalars(select(evidence.c.investigation_id))) == {current}


def test_a_row_without_its_parent_is_refused(casebook: Casebook) -> None:
    orphan = {"id": "i", "incident_id": "inc_none", "analyst": "a", "degraded": False, "document": {}}
    with pytest.raises(IntegrityError), casebook.engine.begin() as connection:
        connection.execute(insert(investigations).values(orphan | {"saved_at": NOW}))


def booked(number: int = 1, at: datetime = NOW, *, cost_pico: int | None = 5) -> BookedCall:
    """A call for an incident that is not saved."""
    used = CallUsage(
        input_tokens=9, cache_read_tokens=8, output_tokens=7, reasoning_tokens=6, estimated=number == 2
    )
    call = ModelCall(
        id=f"call_{number}", incident_id="inc_to_come", at=at, model="gpt-5", usage=used, cost_pico=cost_pico
    )
    return BookedCall(call, "openai")


def test_model_calls_come_back_as_they_were_earliest_first(casebook: Casebook) -> None:
    calls = [
        booked(1),
        booked(2, NOW - timedelta(microseconds=1), cost_pico=None),
        booked(3, cost_pico=9**18),
    ]
    for call in calls:
        casebook.save_model_call(call)
    assert casebook.model_calls() == [calls[1], calls[0], calls[2]]
    assert casebook.model_calls(NOW) == [calls[0], calls[2]]


def test_a_model_call_is_kept_once_and_as_it_was_first(casebook: Casebook) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(casebook.save_model_call, [booked()] * 16))
    casebook.save_model_call(booked(cost_pico=7))
    assert casebook.model_calls() == [booked()]


def test_what_model_calls_cost_is_summed_from_an_instant_on(casebook: Casebook) -> None:
    assert casebook.spent_pico(NOW) == 0
    for number, cost_pico in enumerate((10**18, 3, None)):
        casebook.save_model_call(booked(number, NOW + timedelta(hours=number), cost_pico=cost_pico))
    assert casebook.spent_pico(NOW) == 10**18 + 3
    assert casebook.spent_pico(NOW + timedelta(microseconds=1)) == 3
    assert casebook.spent_pico(NOW + timedelta(hours=2)) == 0
