"""Decisions on the command line: what they answer, what they do, and how they exit."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import update

from evals.fake_litellm import MASTER_KEY
from tests.cli_office import KEY, Office, answer, office_in
from tests.cli_runner import run
from tests.decision_builders import click, stored, web
from tests.test_tokensleuth_main import started
from tokensleuth.authority import rules_of
from tokensleuth.casebook.executed import begin, change, executions_of
from tokensleuth.casebook.schema import proposals
from tokensleuth.clock import utc_now
from tokensleuth.service.acting_parts import executor_of
from tokensleuth.service.lock import sole_worker


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("LITELLM_MASTER_KEY", MASTER_KEY)
    for name in ("TOKENSLEUTH_SECRET", "SLACK_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with office_in(tmp_path) as made:
        yield made


def test_an_approval_is_carried_out_and_verified_at_once(office: Office) -> None:
    wanted = office.propose()
    ran = office.run("approve", wanted)
    assert answer(ran) == (0, "me approved it")
    assert (ran.document["state"], ran.document["execution"]["state"]) == ("done", "done")  # type: ignore[index]
    assert office.proxy.proxy.keys[KEY]["tpm_limit"] == 40_000
    assert len(office.proxy.effects) == 1


def test_people_are_told_what_came_of_it_and_how_to_take_it_back(office: Office) -> None:
    wanted = office.propose()
    ran = run("approve", wanted, *office.options)
    assert ran.exit_code == 0
    assert "me approved it." in ran.stdout
    assert f"To take it back: tokensleuth undo {wanted}" in ran.stdout


def test_an_undo_restores_what_was_there(office: Office) -> None:
    wanted = office.propose()
    office.run("approve", wanted)
    ran = office.run("undo", wanted)
    assert answer(ran) == (0, "me takes it back")
    assert office.proxy.proxy.keys[KEY]["tpm_limit"] is None
    assert answer(office.run("undo", wanted)) == (2, "me took it back already; that is done")


def test_an_undo_of_what_somebody_changed_since_exits_with_part(office: Office) -> None:
    wanted = office.propose()
    office.run("approve", wanted)
    office.proxy.proxy.keys[KEY]["tpm_limit"] = 7
    ran = office.run("undo", wanted)
    assert ran.exit_code == 1
    assert "somebody changed it since" in str(ran.document["undo_execution"])
    assert office.proxy.proxy.keys[KEY]["tpm_limit"] == 7


def test_a_guard_rail_that_blocks_an_approved_action_exits_with_part(office: Office) -> None:
    wanted = office.propose()
    path = office.folder / "tokensleuth.toml"
    path.write_text(f'{path.read_text("utf-8")}\n[proposals]\nprotected_keys = ["{KEY[:8]}*"]\n', "utf-8")
    ran = office.run("approve", wanted)
    assert (ran.exit_code, ran.document["state"]) == (1, "blocked")
    assert "is protected" in str(ran.document["execution"])
    assert office.proxy.writes == []


def test_a_dry_run_changes_nothing_and_says_so(office: Office) -> None:
    office.allow("limit", dry_run=True)
    wanted = office.propose()
    ran = office.run("approve", wanted)
    assert (ran.exit_code, ran.document["execution"]["dry_run"]) == (0, True)  # type: ignore[index]
    assert office.proxy.writes == []
    assert answer(office.run("undo", wanted)) == (2, "there is nothing to undo: it was a dry run")


def test_who_may_not_is_refused(office: Office) -> None:
    office.allow("tell")
    wanted = office.propose()
    for command in (["approve", wanted], ["reject", wanted, "--reason", "no"]):
        code, told = answer(office.run(*command))
        assert (code, told) == (2, "me may not decide on limit actions; those who may are alice")


def test_who_asked_for_it_is_refused(office: Office) -> None:
    code, told = answer(office.run("approve", office.propose(requested_by="me")))
    assert (code, told) == (2, "me asked for it, so somebody else must approve it")


@pytest.mark.parametrize("proposal_id", ["prop_none", "prop_\x01", "x" * 300])
def test_a_proposal_that_is_none_is_refused(office: Office, proposal_id: str) -> None:
    for command in (["approve"], ["reject", "--reason=no"], ["undo"]):
        code, told = answer(office.run(*command, proposal_id))
        assert (code, told) == (2, f"there is no proposal {proposal_id}")


def test_what_is_expired_is_refused(office: Office) -> None:
    code, told = answer(office.run("approve", office.propose(hours=-0.1)))
    assert code == 2
    assert "it expired at" in told


def test_a_rejection_takes_a_reason_and_is_final(office: Office) -> None:
    wanted = office.propose()
    assert answer(office.run("reject", wanted))[0] == 2
    ran = office.run("reject", wanted, "--reason", "it is a load test")
    assert answer(ran) == (0, "me rejected it")
    assert (ran.document["state"], ran.document["execution"]) == ("rejected", None)
    assert answer(office.run("approve", wanted)) == (2, "me rejected it already")


def test_the_first_of_two_waits_and_the_second_does_it(office: Office) -> None:
    wanted = office.propose("revoke_key")
    ran = office.run("approve", wanted)
    assert answer(ran) == (0, "me approved; it takes 2 people, so one more must")
    assert answer(office.run("approve", wanted))[0] == 2
    assert KEY in office.proxy.proxy.keys
    app = office.app
    with office.casebook() as casebook:
        second = click(casebook, wanted, web("alice"), by_rules=rules_of(app.settings), now=utc_now())
        assert executor_of(app, casebook, "w1").run_one()
        assert stored(casebook, wanted).state == "done"
    assert second.outcome == "approved"
    assert KEY not in office.proxy.proxy.keys


def test_without_waiting_it_is_left_to_the_service(office: Office) -> None:
    wanted = office.propose()
    ran = office.run("approve", wanted, "--no-wait")
    assert (ran.exit_code, ran.document["state"]) == (0, "approved")
    assert office.proxy.writes == []
    items = office.run("proposals", "--state=approved").document["items"]
    assert [item["id"] for item in items] == [wanted]  # type: ignore[attr-defined]


def test_beside_a_running_service_it_waits_for_the_service_to_do_it(office: Office) -> None:
    wanted, over = office.propose(), Event()

    def serve() -> None:
        with office.casebook() as casebook:
            executor = executor_of(office.app, casebook, "the-service")
            while not over.wait(0.02):
                executor.run_one()

    service = Thread(target=serve)
    with sole_worker(office.url):
        service.start()
        try:
            ran, undone = office.run("approve", wanted), office.run("undo", wanted)
        finally:
            over.set()
            service.join()
    assert [ran.document["state"], ran.exit_code, undone.exit_code] == ["done", 0, 0]
    assert len(office.proxy.effects) == 2
    with office.casebook() as casebook, casebook.reading() as connection:
        assert [e.state for e in executions_of(connection, wanted)] == ["done", "done"]


def test_beside_a_running_service_without_waiting_nothing_is_done_here(office: Office) -> None:
    wanted = office.propose()
    with sole_worker(office.url):
        assert office.run("approve", wanted, "--no-wait").document["state"] == "approved"
    assert office.proxy.writes == []


def test_a_gateway_whose_secret_cannot_be_used_blocks_and_does_not_hang(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENSLEUTH_WEBHOOK_SECRET", "short")
    wanted = office.propose(gateway="webhook")
    ran = office.run("approve", wanted)
    assert (ran.exit_code, ran.document["state"]) == (1, "blocked")


def test_bytes_that_are_no_text_on_the_command_line_are_told(office: Office) -> None:
    wanted = office.propose()
    for arguments in (["approve", "prop_\udcff"], ["reject", wanted, "--reason", "\udcff"]):
        ran = started(*arguments, "--json", *office.options)
        assert ran.returncode in (0, 2)
        assert "Traceback" not in ran.stderr
    with office.casebook() as casebook:
        assert stored(casebook, wanted).state == "rejected"


def test_what_was_perhaps_written_is_unknown_once_nobody_can_look(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of the gateway was taken away after a crash: `blocked` would say that nothing happened."""
    wanted = office.propose()
    office.run("approve", wanted, "--no-wait")
    monkeypatch.delenv("LITELLM_MASTER_KEY")
    with office.casebook() as casebook:
        asked, begun_at = stored(casebook, wanted), utc_now() - timedelta(minutes=11)
        with casebook.writing() as connection:
            begun = begin(
                connection, asked, "apply", gateway="litellm", dry_run=False, requested_by="me", owner="w0",
                now=begun_at,
            )  # fmt: skip
            tried_until_now = {"tries": 1, "next_at": utc_now()}
            change(connection, begun.id, "w0", wanted={"tpm_limit": 40_000}, before={}, **tried_until_now)
            connection.execute(update(proposals).values(state="executing"))
        assert executor_of(office.app, casebook, "w1").run_one()
        assert stored(casebook, wanted).state == "unknown"
