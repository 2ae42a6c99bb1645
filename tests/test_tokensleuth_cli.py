import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from ledger.synthetic.demo import write_demo
from tests.cli_runner import Ran, contract_errors, run, run_json

WEEK = "2026-11-09..2026-11-15"
Documents = Sequence[Mapping[str, object]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    write_demo(folder / "usage", file_format="parquet")
    ingested = run_json("ingest", *usage_of(folder), *stores(folder))
    assert ingested.exit_code == 0
    return folder


@pytest.fixture(scope="module")
def investigated(home: Path) -> Ran:
    return run_json("investigate", WEEK, "--chart", home / "charts", *stores(home))


def stores(home: Path) -> list[str]:
    return ["--ledger", str(home / "ledger.duckdb"), "--casebook", f"sqlite:///{home}/casebook.sqlite"]


def usage_of(home: Path) -> list[Path]:
    return sorted((home / "usage").glob("*.parquet"))


def listed(document: Mapping[str, object], name: str) -> Documents:
    return cast(Documents, document[name])


def test_loading_the_same_files_again_finds_only_duplicates(home: Path) -> None:
    document = run_json("ingest", home / "usage", *stores(home)).document
    # The folder also holds injected.json, which is refused as a file of its own.
    assert document["duplicate"] == document["read"]
    assert document["new"] == 0


def test_ingest_keeps_the_contract(home: Path) -> None:
    ran = run_json("ingest", usage_of(home)[0], *stores(home))
    assert ran.exit_code == 0
    assert not list(contract_errors("ingest", ran.document))


def test_ingest_tells_a_wrong_row_and_exits_with_1(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(
        "started_at,model,input_tokens\n2026-11-01T00:00:00Z,gpt-4o,1\n2026-11-01T00:00:00Z,gpt-4o,-1\n"
    )
    ran = run_json("ingest", wrong, *stores(tmp_path))
    assert ran.exit_code == 1
    assert [(e["line"], e["column"], e["value"]) for e in listed(ran.document, "errors")] == [
        (3, "input_tokens", "-1")
    ]


def test_the_rejected_rows_of_several_files_go_to_a_file_each(tmp_path: Path) -> None:
    for name in ("one", "two"):
        text = f"started_at,model,input_tokens\n2026-11-01T00:00:00Z,{name},-1\n"
        (tmp_path / f"{name}.csv").write_text(text)
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    run_json("ingest", *files, "--rejects", tmp_path / "bad.csv", *stores(tmp_path))
    assert "one" in (tmp_path / "bad-one.csv").read_text()
    assert "two" in (tmp_path / "bad-two.csv").read_text()


def test_a_refused_file_exits_with_2_and_says_why(tmp_path: Path) -> None:
    page = tmp_path / "login.csv"
    page.write_text("<!DOCTYPE html><html></html>")
    ran = run_json("ingest", page, *stores(tmp_path))
    assert ran.exit_code == 2
    assert "HTML" in str(listed(ran.document, "errors")[0]["reason"])


def test_detect_keeps_the_contract_and_saves_nothing(home: Path, tmp_path: Path) -> None:
    casebook = f"sqlite:///{tmp_path}/c.sqlite"
    ran = run_json("detect", WEEK, "--scores", "--ledger", home / "ledger.duckdb", "--casebook", casebook)
    assert not list(contract_errors("detect", ran.document))
    assert all(len(cast(Sequence[object], s["values"])) == 168 for s in listed(ran.document, "scores"))
    assert not (tmp_path / "c.sqlite").exists()


def test_investigate_keeps_the_contract(investigated: Ran) -> None:
    assert investigated.exit_code == 0
    assert not list(contract_errors("investigate", investigated.document))


def test_investigate_finds_what_was_injected_with_its_cause(home: Path, investigated: Ran) -> None:
    injected = json.loads((home / "usage" / "injected.json").read_text("utf-8"))
    found = {(i["cause"], str(i["start_at"])[:10]) for i in listed(investigated.document, "incidents")}
    assert {(i["cause"], i["start_at"][:10]) for i in injected} <= found


def test_effects_add_up_to_the_change_to_the_cent(investigated: Ran) -> None:
    for incident in listed(investigated.document, "incidents"):
        effects = cast(Documents, incident["effects"])
        assert sum(Decimal(str(e["usd"])) for e in effects) == Decimal(str(incident["delta_usd"]))
        difference = Decimal(str(incident["actual_usd"])) - Decimal(str(incident["expected_usd"]))
        assert difference == Decimal(str(incident["delta_usd"]))


def test_every_chart_is_a_png(home: Path, investigated: Ran) -> None:
    incidents = listed(investigated.document, "incidents")
    assert incidents
    for incident in incidents:
        assert (home / "charts" / f"{incident['id']}.png").read_bytes().startswith(b"\x89PNG")


def test_a_second_investigation_updates_and_never_doubles(home: Path, investigated: Ran) -> None:
    again = run_json("investigate", WEEK, *stores(home)).document
    ids = [i["id"] for i in listed(investigated.document, "incidents")]
    assert [i["id"] for i in listed(again, "incidents")] == ids
    stored = run_json("incidents", *stores(home)).document
    assert sorted(str(i["id"]) for i in listed(stored, "items") if i["id"] in ids) == sorted(map(str, ids))
    assert not list(contract_errors("incidents", stored))


def test_proposals_wait_for_a_decision(home: Path, investigated: Ran) -> None:
    document = run_json("proposals", *stores(home)).document
    assert not list(contract_errors("proposals", document))
    proposed = {
        p["id"] for i in listed(investigated.document, "incidents") for p in cast(Documents, i["proposals"])
    }
    assert proposed <= {p["id"] for p in listed(document, "items")}


def test_each_piece_of_evidence_can_be_looked_up(home: Path, investigated: Ran) -> None:
    incident = listed(investigated.document, "incidents")[0]
    for item in cast(Documents, incident["evidence"]):
        assert run_json("evidence", str(item["id"]), *stores(home)).document["tool"] == item["tool"]


def test_an_unknown_evidence_id_is_refused_in_json_too(home: Path) -> None:
    ran = run_json("evidence", "ev_none", *stores(home))
    assert ran.exit_code == 2
    assert "ev_none" in str(ran.document["error"])


def test_explain_makes_the_range_one_incident_without_a_trend(home: Path) -> None:
    ran = run_json("investigate", "2026-11-10", "--explain", "--where", "team=data-platform", *stores(home))
    assert not list(contract_errors("investigate", ran.document))
    (incident,) = listed(ran.document, "incidents")
    assert incident["scope"] == {"team": "data-platform"}
    assert {e["name"]: e["usd"] for e in cast(Documents, incident["effects"])}["trend"] == "0.00"


def test_a_quiet_range_is_explained_as_benign_or_inconclusive(home: Path) -> None:
    ran = run_json("investigate", "2026-11-05", "--where", "team=checkout", *stores(home))
    assert ran.document["detected"] == 0
    (incident,) = listed(ran.document, "incidents")
    assert incident["verdict"] in {"benign", "inconclusive"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("investigate", "last-week"), "is not a range"),
        (("investigate", "2020-01-01"), "no usage in"),
        (("detect", WEEK, "--where", "colour=red"), "unknown dimension"),
        (("investigate", WEEK, "--config", "none.toml"), "cannot be read"),
    ],
)
def test_wrong_use_exits_with_2_and_one_line(home: Path, arguments: tuple[str, ...], told: str) -> None:
    ran = run(*arguments, *stores(home))
    assert ran.exit_code == 2
    assert told in ran.stderr.replace("\n", " ")
    assert not ran.stdout


def test_without_a_ledger_the_user_is_told_what_to_do(tmp_path: Path) -> None:
    ran = run("investigate", WEEK, *stores(tmp_path))
    assert ran.exit_code == 2
    assert "tokensleuth ingest FILE" in ran.stderr.replace("\n", " ")


def test_doctor_keeps_the_contract(home: Path) -> None:
    ran = run_json("doctor", *stores(home))
    assert ran.exit_code == 0
    assert not list(contract_errors("doctor", ran.document))


def test_reprice_shows_before_it_writes(home: Path, tmp_path: Path) -> None:
    config = tmp_path / "t.toml"
    config.write_text(
        '[[price_override]]\nmodel = "gpt-4.1"\nkind = "percent_off"\nvalue = 50\n'
        'valid_from = 2026-01-01\nsource = "test"\n'
    )
    shown = run_json("reprice", "--config", config, *stores(home)).document
    assert not list(contract_errors("reprice", shown))
    assert Decimal(str(shown["delta_usd"])) < 0
    assert run_json("reprice", "--config", config, *stores(home)).document == shown


def test_people_get_tables_instead_of_json(home: Path, investigated: Ran) -> None:
    assert investigated.exit_code == 0
    shown = run("investigate", WEEK, *stores(home))
    assert "Retry storm" in shown.stdout
    assert "data-platform" in run("incidents", *stores(home)).stdout
    assert "prop_" in run("proposals", *stores(home)).stdout
    assert "spikes in" in run("detect", WEEK, *stores(home)).stdout
