"""`tokensleuth playbooks` and `doctor`: what is in force, and whether a file is right."""

from pathlib import Path
from typing import cast

import pytest

from playbooks import CAUSES
from tests.cli_runner import run, run_json
from tests.playbook_texts import GOOD

Items = list[dict[str, object]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ours"
    made.mkdir()
    (tmp_path / "tokensleuth.toml").write_text(f"[playbooks]\nfolder = '{made}'\n")
    return made


def configured(folder: Path) -> tuple[str, Path]:
    return "--config", folder.parent / "tokensleuth.toml"


def checked(folder: Path) -> dict[str, object]:
    arguments = ("--ledger", folder / "l.duckdb", *configured(folder))
    checks = cast(Items, run_json("doctor", *arguments).document["checks"])
    return next(check for check in checks if check["name"] == "playbooks")


def test_the_shipped_playbooks_are_listed(folder: Path) -> None:
    items = cast(Items, run_json("playbooks", *configured(folder)).document["items"])
    assert list(dict.fromkeys(item["cause"] for item in items)) == list(CAUSES)
    assert {item["name"] for item in items} - set(CAUSES) == {
        "volume_growth_by_tokens",
        "volume_drop_by_tokens",
    }
    leak = next(item for item in items if item["name"] == "key_leak")
    assert leak["tell"] == ["security", "owner", "finops"]
    assert leak["verify_when"] == {"fact": "new_origin_share", "op": "at_most", "value": 0.0, "hours": 24}


def test_own_playbooks_are_listed_with_where_they_come_from(folder: Path) -> None:
    (folder / "impatient_client.md").write_text(GOOD)
    (folder / "retry_storm.md").write_text(GOOD)
    document = run_json("playbooks", *configured(folder)).document
    own = [item for item in cast(Items, document["items"]) if item["from"] == "folder"]
    assert document["folder"] == str(folder)
    assert [(o["name"], o["cause"], o["replaces"]) for o in own] == [
        ("impatient_client", "retry_storm", False),
        ("retry_storm", "retry_storm", True),
    ]


def test_the_table_shows_names_whole_in_a_narrow_terminal(folder: Path) -> None:
    (folder / "impatient_client.md").write_text(GOOD)
    shown = run("playbooks", *configured(folder)).stdout
    assert all(name in shown for name in (*CAUSES, "impatient_client", "downgrade_model", "folder"))
    assert max(map(len, shown.splitlines())) <= 80


def test_a_right_file_is_ok_and_thresholds_without_a_source_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "impatient_client.md"
    path.write_text(GOOD)
    ran = run("playbooks", "--check", path)
    told = "OK: impatient_client is one more for retry_storm, with 2 rules; 1 without a source."
    assert (ran.exit_code, " ".join(ran.stdout.split())) == (0, told)
    document = run_json("playbooks", "--check", path).document
    assert (document["ok"], document["without_source"]) == (True, 1)


def test_a_wrong_file_exits_with_2_and_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "impatient_client.md"
    path.write_text(GOOD.replace('"rise"', '"risen"'))
    ran = run_json("playbooks", "--check", path)
    assert ran.exit_code == 2
    assert str(ran.document["error"]).startswith(
        f"{path}:19: refutes.0.fact = 'risen': no evidence gives it; did you mean rise? known are "
    )


def test_a_file_that_is_not_there_exits_with_2(tmp_path: Path) -> None:
    assert run("playbooks", "--check", tmp_path / "none.md").exit_code == 2
    assert run("playbooks", "--check", tmp_path).exit_code == 2


def test_a_wrong_folder_refuses_the_list(folder: Path) -> None:
    (folder / "impatient_client.md").write_text("nothing")
    ran = run("playbooks", *configured(folder))
    assert ran.exit_code == 2
    assert "impatient_client.md:1: a playbook starts with TOML" in " ".join(ran.stderr.split())


def test_doctor_tells_the_state_of_the_folder(folder: Path) -> None:
    assert checked(folder)["status"] == "warn"
    (folder / "impatient_client.md").write_text(GOOD)
    (folder / "retry_storm.md").write_text(GOOD)
    told = f"2 from {folder}: 1 added, 1 in place of a shipped one"
    assert (checked(folder)["status"], checked(folder)["detail"]) == ("ok", told)
    (folder / "wrong.md").write_text("nothing")
    assert checked(folder)["status"] == "fail"
    assert "wrong.md:1" in str(checked(folder)["detail"])


def test_an_investigation_goes_by_the_folder_and_refuses_a_wrong_one(folder: Path) -> None:
    usage, stores = folder.parent / "usage.csv", ("--ledger", folder.parent / "l.duckdb")
    usage.write_text("started_at,model,input_tokens\n2026-11-01T00:00:00Z,gpt-4o,1000\n")
    run("ingest", usage, *stores)
    (folder / "wrong.md").write_text("nothing")
    asked = ("investigate", "2026-11-01", "--explain", *stores, *configured(folder))
    ran = run_json(*asked)
    assert (ran.exit_code, "wrong.md:1: a playbook starts" in str(ran.document["error"])) == (2, True)
    (folder / "wrong.md").unlink()
    assert run_json(*asked).exit_code == 0
