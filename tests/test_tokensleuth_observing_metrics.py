"""Metrics tell what the casebook holds, in the formats Prometheus reads, across restarts and retention."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import insert

from tests.incident_documents import NOW, incident_document, proposal_document, save_incidents
from tests.web_site import browser, parts_over
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.casebook.leaders import take_lead
from tokensleuth.casebook.notices import Notice, keep_notices
from tokensleuth.casebook.queues import Letter, put_in_outbox
from tokensleuth.casebook.schema_runs import runs
from tokensleuth.observing.metrics import Metrics
from tokensleuth.observing.settings import MetricsSettings

HOUR = timedelta(hours=1)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def metrics_of(casebook: Casebook, **given: object) -> Metrics:
    return Metrics(casebook, lambda: NOW, **given)  # type: ignore[arg-type]


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = metrics.scrape().body.decode()
    return {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return samples(metrics).get((f"tokensleuth_{name}", tuple(sorted(labels.items()))))


def add_run(
    casebook: Casebook,
    duty: str = "detect",
    hours_ago: int = 2,
    state: str = "done",
    *,
    seconds: float | None = 7.0,
    document: Mapping[str, object] | None = None,
) -> None:
    slot = NOW.replace(minute=0) - hours_ago * HOUR
    row = {"duty": duty, "slot": slot, "state": state, "tries": 1, "planned_at": slot, "next_at": slot}
    with casebook.writing() as connection:
        connection.execute(
            insert(runs).values(**row, seconds=seconds, document=document, finished_at=slot + HOUR)
        )


def test_an_empty_casebook_scrapes_as_zeros_and_as_absent_where_nothing_is_known(casebook: Casebook) -> None:
    metrics = metrics_of(casebook)

    assert value(metrics, "proposals_waiting") == 0
    assert value(metrics, "letters_waiting") == 0
    assert value(metrics, "incidents_open", severity="high") == 0
    assert value(metrics, "hours_behind") is None
    assert value(metrics, "leader") is None
    assert value(metrics, "healthy") == 1


def test_ended_runs_are_counted_and_timed_by_duty(casebook: Casebook) -> None:
    add_run(casebook, hours_ago=3, seconds=0.2)
    add_run(casebook, hours_ago=2, seconds=7.0)
    add_run(casebook, hours_ago=1, state="failed", seconds=5000.0)
    metrics = metrics_of(casebook)

    assert value(metrics, "runs_total", duty="detect", state="done") == 2
    assert value(metrics, "runs_total", duty="detect", state="failed") == 1
    assert value(metrics, "run_seconds_bucket", duty="detect", le="0.5") == 1
    assert value(metrics, "run_seconds_bucket", duty="detect", le="3600.0") == 2
    assert value(metrics, "run_seconds_bucket", duty="detect", le="+Inf") == 3
    assert value(metrics, "run_seconds_count", duty="detect") == 3
    assert value(metrics, "run_seconds_sum", duty="detect") == pytest.approx(5007.2)


def test_the_hours_behind_end_at_the_first_hour_that_is_not_judged(casebook: Casebook) -> None:
    add_run(casebook, hours_ago=1)
    assert value(metrics_of(casebook), "hours_behind") == 0
    add_run(casebook, hours_ago=4, state="due", seconds=None)
    assert value(metrics_of(casebook), "hours_behind") == 4
    assert value(metrics_of(casebook), "runs_open", duty="detect", state="due") == 1


def test_streams_are_told_as_the_last_pull_found_them(casebook: Casebook) -> None:
    items = [
        {"source": "openai", "stream": "usage", "complete_until": "2026-11-03T19:00:00Z", "error": None},
        {"source": "broken", "stream": None, "complete_until": None, "error": "no key"},
    ]
    add_run(casebook, "sync", 1, document={"items": items})
    found = value(metrics_of(casebook), "source_complete_until_seconds", source="openai", stream="usage")

    assert found == datetime(2026, 11, 3, 19, tzinfo=UTC).timestamp()
    assert value(metrics_of(casebook), "source_complete_until_seconds", source="broken", stream="") is None


def test_a_failing_source_is_counted_each_time_it_begins_to_fail(casebook: Casebook) -> None:
    failing = Notice("source_failing", "openai", "medium", "openai cannot be reached")
    for hours, holding in enumerate(([failing], [], [failing])):
        with casebook.writing() as connection:
            keep_notices(connection, ["source_failing"], holding, NOW + hours * HOUR)
    metrics = metrics_of(casebook)

    assert value(metrics, "source_failures_total", source="openai") == 2
    assert value(metrics, "notices_open", kind="source_failing", severity="medium") == 1


def test_incidents_are_open_by_what_they_were_told_as(casebook: Casebook) -> None:
    old = {"start_at": "2026-10-01T00:00:00Z", "end_at": "2026-10-01T03:00:00Z"}
    save_incidents(
        casebook,
        incident_document("inc_now"),
        incident_document("inc_old", **old),
        incident_document("inc_asks", proposals=[proposal_document()], **old),
        incident_document("inc_benign", verdict="benign"),
    )
    with casebook.writing() as connection:
        for severity in ("low", "high"):
            entry = Entry("tokensleuth", "announced", "inc_asks", {"severity": severity}, NOW)
            append_entry(connection, entry, casebook.key)
    metrics = metrics_of(casebook)

    assert value(metrics, "incidents_open", severity="high") == 1
    assert value(metrics, "incidents_open", severity="untold") == 1
    assert value(metrics, "proposals_waiting") == 1


def test_letters_tell_how_long_the_oldest_waits(casebook: Casebook) -> None:
    with casebook.writing() as connection:
        put_in_outbox(connection, Letter("out_1", "slack:C1", "alert", None, {}), NOW - 2 * HOUR)
        put_in_outbox(connection, Letter("out_2", "slack:C1", "alert", None, {}), NOW - HOUR)
    metrics = metrics_of(casebook)

    assert value(metrics, "letters_waiting") == 2
    assert value(metrics, "letters_oldest_age_seconds") == 7200


def test_a_process_says_whether_it_leads(casebook: Casebook) -> None:
    with casebook.writing() as connection:
        assert take_lead(connection, "replica-1", NOW)

    assert value(metrics_of(casebook, owner="replica-1"), "leader") == 1
    assert value(metrics_of(casebook, owner="replica-2"), "leader") == 0


def test_the_build_and_the_process_are_told(casebook: Casebook) -> None:
    found = samples(metrics_of(casebook))

    assert any(name == "tokensleuth_build_info" and labels[1][0] == "version" for name, labels in found)
    assert found["process_resident_memory_bytes", ()] > 0


def test_openmetrics_is_given_to_who_asks_for_it(casebook: Casebook) -> None:
    add_run(casebook)
    scraped = metrics_of(casebook).scrape(OPENMETRICS)
    found = openmetrics_families(scraped.body.decode())  # type: ignore[no-untyped-call]
    families = {family.name: family for family in found}

    assert scraped.content_type.startswith("application/openmetrics-text")
    assert families["tokensleuth_runs"].type == "counter"
    assert families["tokensleuth_run_seconds"].type == "histogram"


def test_no_label_holds_a_key_a_user_or_an_incident(casebook: Casebook) -> None:
    save_incidents(casebook, incident_document("inc_1", scope={"user": "alice@example.com", "key_id": "k1"}))
    text = metrics_of(casebook).scrape().body.decode()

    assert not [told for told in ("alice", "k1", "inc_1") if told in text]


def test_the_web_app_serves_metrics_to_who_is_admitted(casebook: Casebook) -> None:
    settings = MetricsSettings(token=SecretStr("scraping-token"))
    client = browser(parts_over(casebook, metrics=metrics_of(casebook, settings=settings)))
    answer = client.get("/metrics", headers={"Authorization": "Bearer scraping-token", "Accept": OPENMETRICS})

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 401


def test_metrics_are_open_like_health_without_a_token_and_gone_where_they_are_off(casebook: Casebook) -> None:
    assert browser(parts_over(casebook, metrics=metrics_of(casebook))).get("/metrics").status_code == 200
    assert browser(parts_over(casebook)).get("/metrics").status_code == 404
