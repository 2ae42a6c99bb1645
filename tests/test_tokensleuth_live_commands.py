"""`refit` and `detect --live`, from files: late usage arrives, a refit is missing."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from tests.cli_runner import Ran, contract_errors, run, run_json
from tests.ledger_builder import at, daily
from tests.usage_builder import UsageRow, usage, write

LATE = at(28, 20)
"""50 h before the end of usage."""


def hours_of(
    key_id: str, *, days: float, since: float = 0, late_times: float = 1, level: int = 2_000_000
) -> list[UsageRow]:
    rows = []
    for i in range(int(since * 24), int(days * 24)):
        hour = at(0, i)
        times = late_times if hour == LATE else 1
        tokens = round(level * daily(hour) * (1 + i % 7 / 50) * times)
        text = hour.isoformat().replace("+00:00", "Z")
        rows.append(usage(text, key_id=key_id, input_tokens=tokens))
    return rows


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 days and 22 hours of two keys, loaded and learnt up to the last midnight; a third began since."""
    folder = tmp_path_factory.mktemp("loaded")
    days = 30 + 22 / 24
    rows = [
        *hours_of("k1", days=days),
        *hours_of("k2", days=days),
        *hours_of("k3", days=days, since=30.5, level=9),
    ]
    assert asked(folder, "ingest", write(folder / "all.parquet", rows)).exit_code == 0
    assert asked(folder, "refit").exit_code == 0
    return folder


@pytest.fixture
def mine(loaded: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    shutil.copytree(loaded, tmp_path / "mine")
    return tmp_path / "mine"


def asked(home: Path, *arguments: str | Path) -> Ran:
    return run(*arguments, "--ledger", home / "l.duckdb")


def document_of(home: Path, *arguments: str | Path) -> dict[str, object]:
    ran = run_json(*arguments, "--ledger", home / "l.duckdb")
    assert ran.exit_code == 0, ran.stderr
    return ran.document


def starts(home: Path) -> list[object]:
    incidents = cast(Sequence[Mapping[str, object]], document_of(home, "detect", "--live")["incidents"])
    return [incident["start_at"] for incident in incidents]


def test_refit_tells_what_it_learnt(mine: Path) -> None:
    document = document_of(mine, "refit")
    assert not list(contract_errors("refit", document))
    assert document["fitted_at"] == "2026-11-04T00:00:00Z"
    assert document["learnt"] == ["2026-11-04T00:00:00Z"]
    assert document["kept"] == ["2026-10-28T00:00:00Z", "2026-11-04T00:00:00Z"]
    shown = asked(mine, "refit").stdout
    assert "Model of 2026-11-04 00:00 UTC: 8 series, learnt from 2026-10-05 00:00 UTC on" in shown


def test_the_live_document_keeps_the_contract(loaded: Path) -> None:
    document = document_of(loaded, "detect", "--live")
    assert not list(contract_errors("detect-live", document))
    assert document["range"] == {"start_at": "2026-11-01T22:00:00Z", "end_at": "2026-11-04T22:00:00Z"}
    assert document["model"] == {"fitted_at": "2026-11-04T00:00:00Z", "late_hours": 0, "reason": None}


def test_a_key_that_began_since_is_named(loaded: Path) -> None:
    document = document_of(loaded, "detect", "--live")
    assert document["not_scored"] == [
        {
            "reason": "not used before 2026-11-04 00:00, when the model was made",
            "series": 2,
            "scopes": [{"key_id": "k3"}, {"team": "search", "key_id": "k3"}],
        }
    ]
    shown = " ".join(asked(loaded, "detect", "--live").stdout.split())
    assert "2 series not scored: not used before 2026-11-04 00:00" in shown


def test_usage_restated_fifty_hours_late_gives_its_incident_and_restated_back_takes_it(mine: Path) -> None:
    assert starts(mine) == []
    restated = hours_of("k1", days=31, late_times=9)
    again = [row for row in restated if row["started_at"] == "2026-11-02T20:00:00Z"]
    asked(mine, "ingest", write(mine / "late.parquet", again))
    assert set(starts(mine)) == {"2026-11-02T20:00:00Z"}
    asked(mine, "ingest", mine / "all.parquet")
    assert starts(mine) == []


def test_detect_live_saves_nothing(mine: Path) -> None:
    asked(mine, "detect", "--live")
    assert sorted(path.name for path in mine.iterdir()) == ["all.parquet", "l.duckdb"]


def test_a_missing_refit_is_told(mine: Path) -> None:
    rows = hours_of("k1", days=33.5, since=30.9)
    asked(mine, "ingest", write(mine / "more.parquet", rows))
    shown = " ".join(asked(mine, "detect", "--live").stdout.split())
    assert (
        "model of 2026-11-04 00:00 in force, 3 days late: "
        "the refit of 2026-11-07 00:00 did not run or failed; run: tokensleuth refit"
    ) in shown
    assert document_of(mine, "detect", "--live")["model"] == {
        "fitted_at": "2026-11-04T00:00:00Z",
        "late_hours": 72,
        "reason": "the refit of 2026-11-07 00:00 did not run or failed; run: tokensleuth refit",
    }


def test_without_a_model_it_says_what_to_run(tmp_path: Path) -> None:
    asked(tmp_path, "ingest", write(tmp_path / "few.parquet", hours_of("k1", days=1)))
    ran = asked(tmp_path, "detect", "--live")
    assert ran.exit_code == 2
    assert "no model is kept; make one: tokensleuth refit" in " ".join(ran.stderr.split())


def test_too_little_usage_to_learn_from_is_refused(tmp_path: Path) -> None:
    asked(tmp_path, "ingest", write(tmp_path / "few.parquet", hours_of("k1", days=2)))
    ran = asked(tmp_path, "refit")
    assert ran.exit_code == 2
    assert "2 whole days of usage before 2026-10-07T00:00:00Z; 3 are needed" in " ".join(ran.stderr.split())


@pytest.mark.parametrize("given", [["last-24h"], ["--where", "team=search"], ["--scores"]])
def test_live_takes_no_range_and_no_scope(loaded: Path, given: list[str]) -> None:
    ran = asked(loaded, "detect", "--live", *given)
    assert ran.exit_code == 2
    assert "give it without RANGE, --where and --scores" in " ".join(ran.stderr.split())


def test_an_accepted_level_is_learnt_by_the_next_refit(mine: Path) -> None:
    asked(mine, "accept-baseline", "key_id=k2", "--from", "2026-11-02T10:00Z")
    (told,) = cast(Sequence[Mapping[str, object]], document_of(mine, "detect", "--live")["baselines"])
    assert told["acts"] is False
    assert document_of(mine, "refit")["baselines"] == [
        {"scope": {"key_id": "k2"}, "from_at": "2026-11-02T10:00:00Z"}
    ]
    (told,) = cast(Sequence[Mapping[str, object]], document_of(mine, "detect", "--live")["baselines"])
    assert told["acts"] is True
