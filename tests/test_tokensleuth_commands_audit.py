"""Feedback, the audit trail and web tokens on the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli_office import Office, office_in
from tests.cli_runner import run, run_json
from tests.decision_builders import rules
from tokensleuth.people import token_digest


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.delenv("TOKENSLEUTH_SECRET", raising=False)
    with office_in(tmp_path) as made:
        yield made


@pytest.mark.parametrize(("verdict", "quiet"), [("expected", True), ("not-an-issue", False), ("real", False)])
def test_feedback_is_kept_and_told(office: Office, verdict: str, quiet: bool) -> None:
    office.propose()
    ran = office.run("feedback", "inc_1", verdict)
    assert (ran.exit_code, ran.document["given_by"], ran.document["verdict"]) == (0, "me", verdict)
    assert (ran.document["until_at"] is not None) is quiet


@pytest.mark.parametrize(
    "arguments",
    [
        ["inc_none", "real"],
        ["inc_1", "dunno"],
        ["inc_1", "expected", "--days=8"],
        ["inc_1"],
        ["inc_\x01", "real"],
    ],
    ids=str,
)
def test_feedback_that_cannot_be_kept_is_refused(office: Office, arguments: list[str]) -> None:
    office.propose()
    assert run("feedback", *arguments, *office.options).exit_code == 2


def test_an_incident_called_expected_is_not_acted_upon(office: Office) -> None:
    wanted = office.propose()
    office.run("feedback", "inc_1", "expected")
    ran = office.run("approve", wanted)
    assert (ran.exit_code, ran.document["state"]) == (1, "blocked")
    office.run("feedback", "inc_1", "real")


def test_a_whole_trail_verifies_and_lists_what_was_done(office: Office) -> None:
    wanted = office.propose()
    office.run("approve", wanted)
    ran = office.run("audit", "verify")
    assert (ran.exit_code, ran.document["whole"], ran.document["entries"]) == (0, True, 3)
    listed = office.run("audit", "list", "--of", wanted).document["items"]
    assert isinstance(listed, list)
    assert [entry["what"] for entry in listed] == ["approved", "proposed"]
    assert len(office.run("audit", "list", "--limit", "1").document["items"]) == 1  # type: ignore[arg-type]


def test_a_changed_trail_exits_1_and_names_the_first_bad_entry(office: Office) -> None:
    office.run("reject", office.propose(), "--reason", "no")
    with office.casebook() as casebook, casebook.writing() as connection:
        connection.exec_driver_sql("update audit set actor = 'nobody' where number = 2")
    ran = office.run("audit", "verify")
    assert (ran.exit_code, ran.document["broken_at"], ran.document["entries"]) == (1, 2, 1)
    assert "broken at entry 2" in run("audit", "verify", *office.options).stdout


def test_a_cut_off_trail_is_found_by_a_noted_anchor(office: Office) -> None:
    office.run("reject", office.propose(), "--reason", "no")
    anchor = str(office.run("audit", "verify").document["anchor"])
    with office.casebook() as casebook, casebook.writing() as connection:
        connection.exec_driver_sql("delete from audit where number = 2")
    assert office.run("audit", "verify").exit_code == 0
    ran = office.run("audit", "verify", "--anchor", anchor)
    assert (ran.exit_code, ran.document["broken_at"]) == (1, 2)
    assert office.run("audit", "verify", "--anchor", "2:beef").exit_code == 2


def test_a_token_opens_the_web_inbox_for_its_person_only() -> None:
    ran = run_json("token", "alice")
    token, digest = str(ran.document["token"]), ran.document["web_token_sha256"]
    assert (ran.exit_code, token_digest(token)) == (0, digest)
    assert run_json("token", "alice").document["token"] != token
    assert rules().people.holder_of(token) is None
