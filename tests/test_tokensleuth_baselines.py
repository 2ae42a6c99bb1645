"""`accept-baseline`: a key's spend doubles on 27 October, is accepted, and doubles again on 11 November."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from tests.cli_runner import Ran, contract_errors, run, run_json
from tests.ledger_builder import at, daily
from tests.usage_builder import UsageRow, usage, write

KEY = "team=search,key_id=k1"
DOUBLED, AGAIN = at(22, 10), at(37, 9)
BEFORE, FIRST, NEXT, LAST = (
    "2026-10-19..2026-10-25", "2026-10-26..2026-11-01", "2026-11-02..2026-11-08", "2026-11-09..2026-11-15",
)  # fmt: skip


def hours_of(key_id: str, *, doubles: bool = False) -> list[UsageRow]:
    """Six weeks of one key."""
    rows = []
    for i in range(42 * 24):
        hour = at(0, i)
        times = 2 ** ((hour >= DOUBLED) + (hour >= AGAIN)) if doubles else 1
        tokens = round(1_000_000 * daily(hour) * (1 + i % 7 / 50) * times)
        text = hour.isoformat().replace("+00:00", "Z")
        rows.append(usage(text, key_id=key_id, input_tokens=tokens))
    return rows


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The usage up to 1 November, and the first doubling investigated."""
    folder = tmp_path_factory.mktemp("found")
    rows = [*hours_of("k1", doubles=True), *hours_of("k2")]
    early = [row for row in rows if str(row["started_at"]) < "2026-11-02"]
    write(folder / "all.parquet", rows)
    assert asked(folder, "ingest", write(folder / "early.parquet", early)).exit_code == 0
    assert asked(folder, "investigate", FIRST).exit_code == 0
    return folder


@pytest.fixture(scope="module")
def accepted(found: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The doubling accepted on 1 November, and the usage since."""
    folder = tmp_path_factory.mktemp("accepted") / "a"
    shutil.copytree(found, folder)
    assert asked(folder, "accept-baseline", KEY, "--reason", "a new product").exit_code == 0
    assert asked(folder, "ingest", folder / "all.parquet").exit_code == 0
    return folder


@pytest.fixture
def mine(accepted: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    shutil.copytree(accepted, tmp_path / "mine")
    return tmp_path / "mine"


def asked(home: Path, *arguments: str | Path) -> Ran:
    return run(*arguments, "--ledger", home / "l.duckdb")


def document_of(home: Path, *arguments: str | Path) -> dict[str, object]:
    ran = run_json(*arguments, "--ledger", home / "l.duckdb")
    assert ran.exit_code == 0
    return ran.document


def listed(document: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    return cast(Sequence[Mapping[str, object]], document[name])


def starts(home: Path, week: str, *options: str) -> list[object]:
    """When the incidents that `detect` finds in the week began."""
    return [i["start_at"] for i in listed(document_of(home, "detect", week, *options), "incidents")]


def states(home: Path, *options: str) -> list[tuple[object, object]]:
    document = document_of(home, "accept-baseline", "--list", *options)
    assert not list(contract_errors("baselines", document))
    return [(item["from_at"], item["state"]) for item in listed(document, "items")]


def test_a_doubling_is_an_incident_until_it_is_accepted(found: Path) -> None:
    assert starts(found, BEFORE) == []
    assert starts(found, FIRST) == ["2026-10-27T10:00:00Z"]


def test_a_level_that_stays_after_it_was_accepted_is_no_incident(accepted: Path) -> None:
    assert starts(accepted, NEXT) == []


def test_further_growth_is_an_incident_of_what_it_adds(accepted: Path) -> None:
    (incident,) = listed(document_of(accepted, "detect", LAST), "incidents")
    assert incident["start_at"] == "2026-11-11T09:00:00Z"
    times = float(str(incident["actual_usd"])) / float(str(incident["expected_usd"]))
    assert times == pytest.approx(2, rel=0.1)


def test_hours_before_the_change_are_judged_as_they_were_lived(accepted: Path) -> None:
    assert starts(accepted, BEFORE) == []
    assert starts(accepted, FIRST) == ["2026-10-27T10:00:00Z"]


def test_detect_tells_which_baselines_a_range_is_judged_by(accepted: Path) -> None:
    def acting(week: str) -> list[object]:
        document = document_of(accepted, "detect", week)
        assert not list(contract_errors("detect", document))
        return [baseline["acts"] for baseline in listed(document, "baselines")]

    assert [acting(week) for week in (BEFORE, FIRST, NEXT)] == [[], [False], [True]]
    shown = " ".join(asked(accepted, "detect", FIRST).stdout.split())
    assert "acts on ranges that start at 2026-10-28 10:00 UTC or later" in shown


def test_a_question_about_another_scope_has_nothing_to_do_with_it(accepted: Path) -> None:
    document = document_of(accepted, "detect", NEXT, "--where", "key_id=k2")
    assert document["baselines"] == []


def test_a_question_narrowed_to_the_scope_goes_by_it(accepted: Path) -> None:
    assert starts(accepted, NEXT, "--where", "key_id=k1") == []


def test_investigate_and_simulate_go_by_it_too(mine: Path) -> None:
    assert document_of(mine, "investigate", NEXT)["detected"] == 0
    simulated = document_of(mine, "simulate", NEXT, "--setting", "fire_score=9")
    assert cast(Mapping[str, object], simulated["before"])["incidents"] == 0


def test_accepting_tells_the_levels_the_change_and_who_decided(found: Path, tmp_path: Path) -> None:
    casebook = f"sqlite:///{tmp_path}/c.sqlite"
    at_noon = ["--from", "2026-10-27T10:00Z", "--reason", "a new product", "--casebook", casebook]
    document = document_of(found, "accept-baseline", KEY, *at_noon)
    assert not list(contract_errors("accept-baseline", document))
    assert document["from_at"] == "2026-10-27T10:00:00Z"
    assert document["until_at"] == "2026-11-02T00:00:00Z"
    times = float(str(document["level_usd_per_day"])) / float(str(document["usual_usd_per_day"]))
    assert times == pytest.approx(2, rel=0.01)
    assert document["reason"] == "a new product"
    assert document["decided_by"]


def test_the_change_is_where_the_open_incident_began(accepted: Path) -> None:
    assert states(accepted) == [("2026-10-27T10:00:00Z", "accepted")]


def test_without_an_open_incident_the_change_is_a_day_ago(found: Path, tmp_path: Path) -> None:
    casebook = f"sqlite:///{tmp_path}/c.sqlite"
    document = document_of(found, "accept-baseline", "key_id=k2", "--casebook", casebook)
    assert document["from_at"] == "2026-11-01T00:00:00Z"


def test_a_range_that_was_only_explained_is_no_open_incident(mine: Path) -> None:
    asked(mine, "investigate", LAST, "--explain", "--where", "key_id=k2")
    assert document_of(mine, "accept-baseline", "key_id=k2")["from_at"] == "2026-11-15T00:00:00Z"


def test_accepting_the_same_again_changes_nothing(mine: Path) -> None:
    first = listed(document_of(mine, "accept-baseline", "--list"), "items")[0]
    again = document_of(mine, "accept-baseline", KEY, "--from", "2026-10-27T10:00Z", "--reason", "other")
    assert again == first
    assert len(states(mine)) == 1


def test_the_second_doubling_can_be_accepted_as_well(mine: Path) -> None:
    document_of(mine, "accept-baseline", KEY, "--from", "2026-11-11T09:00Z")
    assert starts(mine, "2026-11-13..2026-11-15") == []
    assert [state for _, state in states(mine)] == ["accepted", "accepted"]


def test_undo_restores_what_was_judged_before_and_keeps_the_history(mine: Path) -> None:
    document = document_of(mine, "accept-baseline", KEY, "--undo", "--reason", "a mistake")
    assert not list(contract_errors("accept-baseline", document))
    assert (document["state"], document["reason"]) == ("undone", "a mistake")
    assert starts(mine, NEXT) == ["2026-10-27T10:00:00Z"]
    assert states(mine) == [("2026-10-27T10:00:00Z", "undone")]


def test_what_was_undone_can_be_accepted_again(mine: Path) -> None:
    document_of(mine, "accept-baseline", KEY, "--undo")
    document_of(mine, "accept-baseline", KEY, "--from", "2026-10-27T10:00Z")
    assert starts(mine, NEXT) == []


def test_undo_takes_the_latest_or_the_one_of_an_hour(mine: Path) -> None:
    document_of(mine, "accept-baseline", KEY, "--from", "2026-11-11T09:00Z")
    document_of(mine, "accept-baseline", KEY, "--undo", "--from", "2026-10-27T10:00Z")
    assert [state for _, state in states(mine)] == ["accepted", "undone"]
    document_of(mine, "accept-baseline", KEY, "--undo")
    assert [state for _, state in states(mine)] == ["undone", "undone"]


def test_detect_and_the_list_make_no_casebook(found: Path, tmp_path: Path) -> None:
    casebook = f"sqlite:///{tmp_path}/c.sqlite"
    assert states(found, "--casebook", casebook) == []
    document_of(found, "detect", FIRST, "--casebook", casebook)
    assert not (tmp_path / "c.sqlite").exists()


def test_people_read_what_was_accepted_and_by_whom(accepted: Path) -> None:
    shown = " ".join(asked(accepted, "accept-baseline", "--list").stdout.split())
    assert "2026-10-27 10:00" in shown
    assert "a new product" in shown
    told = asked(accepted, "accept-baseline", KEY, "--from", "2026-10-27T10:00Z").stdout
    assert "is normal from 2026-10-27 10:00 UTC on" in " ".join(told.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name the scope, such as team=search,key_id=k1"),
        (["team=nobody"], "the ledger has no usage of team=nobody"),
        (["squad=x"], "unknown dimension `squad`"),
        ([KEY, "--from", "2026-10-27"], "write it as 2026-10-27T00:00Z"),
        ([KEY, "--from", "2026-10-05T00:00Z"], "does not lie between the first and the last hour of usage"),
        ([KEY, "--from", "2026-12-01T00:00Z"], "does not lie between the first and the last hour of usage"),
        (
            [KEY, "--undo", "--from", "2026-10-28T00:00Z"],
            "no baseline of team=search, key_id=k1 from 2026-10",
        ),
        (["key_id=k2", "--undo"], "no baseline of key_id=k2 is accepted; see: tokensleuth accept-baseline"),
        (["--list", "--undo"], "--list only shows"),
    ],
)
def test_wrong_use_exits_with_2_and_one_line(accepted: Path, arguments: list[str], told: str) -> None:
    ran = asked(accepted, "accept-baseline", *arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert told in ran.stderr
