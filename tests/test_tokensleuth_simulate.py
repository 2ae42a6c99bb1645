"""`simulate`: what other settings would have found; two keys, a large and a small spike."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from tests.cli_runner import Ran, contract_errors, run, run_json
from tests.ledger_builder import at, daily
from tests.usage_builder import UsageRow, usage, write

WEEK = "2026-10-26..2026-11-01"
LARGE = {"scope": {"key_id": "k1"}, "start_at": "2026-10-28T09:00:00Z", "end_at": "2026-10-28T13:00:00Z"}
SMALL = {"scope": {"key_id": "k2"}, "start_at": "2026-10-30T09:00:00Z", "end_at": "2026-10-30T13:00:00Z"}
CALM = {"scope": {"team": "search"}, "start_at": "2026-10-31T09:00:00Z", "end_at": "2026-10-31T13:00:00Z"}
RAISED = "min_usd=100"


def hours_of(key_id: str, times: int, spike: Mapping[str, object]) -> list[UsageRow]:
    """Four weeks of one key; within the spike the usage is so many times as much."""
    rows = []
    for i in range(28 * 24):
        hour = at(0, i)
        text = hour.isoformat().replace("+00:00", "Z")
        factor = times if str(spike["start_at"]) <= text < str(spike["end_at"]) else 1
        tokens = round(1_000_000 * daily(hour) * (1 + i % 7 / 50)) * factor
        rows.append(usage(text, key_id=key_id, input_tokens=tokens))
    return rows


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulate")
    rows = [*hours_of("k1", 20, LARGE), *hours_of("k2", 4, SMALL)]
    assert run("ingest", write(folder / "u.parquet", rows), "--ledger", folder / "l.duckdb").exit_code == 0
    (folder / "labels.json").write_text(json.dumps([LARGE | {"kind": "key_leak"}, CALM]), "utf-8")
    return folder


def simulated(home: Path, *arguments: str | Path) -> Ran:
    return run("simulate", WEEK, "--ledger", home / "l.duckdb", *arguments)


def document_of(home: Path, *arguments: str | Path) -> dict[str, object]:
    ran = run_json("simulate", WEEK, "--ledger", home / "l.duckdb", *arguments)
    assert ran.exit_code == 0
    assert not list(contract_errors("simulate", ran.document))
    return ran.document


def listed(document: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    return cast(Sequence[Mapping[str, object]], document[name])


def nested(document: Mapping[str, object], *names: str) -> object:
    found: object = document
    for name in names:
        found = cast(Mapping[str, object], found)[name]
    return found


def test_a_higher_gate_loses_the_small_incident_and_keeps_the_large_one(home: Path) -> None:
    document = document_of(home, "--setting", RAISED)
    assert document["settings"] == {"changed": {"min_usd": {"from": 1.0, "to": 100.0}}}
    assert (nested(document, "before", "incidents"), nested(document, "after", "incidents")) == (2, 1)
    (lost,) = listed(document, "lost")
    assert (lost["scope"], lost["start_at"]) == ({"team": "search", "key_id": "k2"}, SMALL["start_at"])
    assert (document["kept"], document["gained"], document["labels"]) == (1, [], None)
    assert lost["false_alarm"] is None


def test_the_way_back_gains_what_was_lost(home: Path, tmp_path: Path) -> None:
    config = tmp_path / "t.toml"
    config.write_text("[detection]\nmin_usd = 100.0\n", "utf-8")
    document = document_of(home, "--setting", "min_usd=1", "--config", config)
    assert [i["start_at"] for i in listed(document, "gained")] == [SMALL["start_at"]]
    assert not document["lost"]


def test_the_same_settings_find_the_same(home: Path) -> None:
    document = document_of(home, "--setting", "min_usd=1")
    assert document["before"] == document["after"]
    assert (document["kept"], document["lost"], document["gained"]) == (2, [], [])


def test_the_numbers_are_those_of_detect(home: Path) -> None:
    found = run_json("detect", WEEK, "--ledger", home / "l.duckdb").document
    document = document_of(home, "--setting", RAISED)
    assert nested(document, "before", "incidents") == len(listed(found, "incidents"))
    assert nested(document, "before", "incidents_per_week") == 2.0
    (lost,) = listed(document, "lost")
    (same,) = [i for i in listed(found, "incidents") if i["id"] == lost["id"]]
    assert same["excess_usd"] == lost["excess_usd"]
    assert lost["spike_count"] == len(cast(Sequence[int], same["spikes"]))


def test_labels_tell_hits_misses_and_false_alarms_before_and_after(home: Path) -> None:
    document = document_of(home, "--setting", RAISED, "--labels", home / "labels.json")
    common = {"hits": 1, "misses": 1, "recall": 0.5}
    assert nested(document, "labels", "before") == common | {"false_alarms": 1, "precision": 0.5}
    assert nested(document, "labels", "after") == common | {"false_alarms": 0, "precision": 1.0}
    assert [i["false_alarm"] for i in listed(document, "lost")] == [True]


def test_only_labels_of_the_range_and_the_scope_count(home: Path, tmp_path: Path) -> None:
    early = LARGE | {"start_at": "2026-10-01T00:00:00Z", "end_at": "2026-10-02T00:00:00Z"}
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps([LARGE, SMALL, early]), "utf-8")
    document = document_of(home, "--setting", RAISED, "--labels", labels, "--where", "key_id=k2")
    assert nested(document, "labels", "count") == 1
    (item,) = cast(Sequence[Mapping[str, object]], nested(document, "labels", "items"))
    assert (item["scope"], item["hit_before"], item["hit_after"]) == (SMALL["scope"], True, False)


def test_people_get_a_sentence_and_tables(home: Path) -> None:
    shown = " ".join(simulated(home, "--setting", RAISED, "--labels", home / "labels.json").stdout.split())
    assert "min_usd 1.0 -> 100.0: incidents 2 -> 1: 1 lost worth $" in shown
    assert "none gained; 2.0 -> 1.0 a week" in shown
    assert "key_id=k2" in shown
    assert "false alarm" in shown


def test_nothing_is_saved(home: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in home.iterdir())
    casebook = f"sqlite:///{tmp_path}/c.sqlite"
    assert simulated(home, "--setting", RAISED, "--casebook", casebook).exit_code == 0
    assert sorted(path.name for path in home.iterdir()) == before
    assert not (tmp_path / "c.sqlite").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--setting", "colour=red"], "`colour` is no setting of detection"),
        (["--setting", "trees=many"], "trees = 'many': must be a whole number (int)"),
        (["--setting", RAISED, "--labels", "none.json"], "none.json: cannot be read"),
        (["--setting", RAISED, "--where", "team=nobody"], "no usage of team=nobody"),
    ],
)
def test_wrong_use_exits_with_2_and_one_line(home: Path, arguments: list[str], told: str) -> None:
    ran = simulated(home, *arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert told in ran.stderr
