from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from tokensleuth.acting_checks import acting_checks
from tokensleuth.app import App, Overrides
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.queues import Letter, put_in_outbox, put_off, take_from_outbox
from tokensleuth.casebook.saying import say
from tokensleuth.casebook.schema_acts import audit, outbox
from tokensleuth.clock import utc_now
from tokensleuth.settings import Settings

ALICE = {"name": "alice", "os_user": "alice", "may": ["limit", "block", "tell"]}


def told(settings: Mapping[str, object], casebook: Casebook | None = None) -> dict[str, tuple[str, str]]:
    app = App(Settings.model_validate(settings))
    return {check.name: (check.status, check.detail) for check in acting_checks(app, casebook)}


def test_without_approvers_nobody_may_decide() -> None:
    status, detail = told({})["approvers"]
    assert (status, "[[approver]]" in detail) == ("warn", True)


def test_who_may_revoke_alone_is_told_of_since_it_takes_two() -> None:
    status, detail = told({"approver": [{**ALICE, "may": ["limit", "block", "tell", "revoke"]}]})["approvers"]
    assert (status, "takes two people" in detail) == ("warn", True)


def test_a_class_of_actions_that_nobody_may_decide_on_is_named() -> None:
    assert (
        "nobody may decide on block"
        in told({"approver": [{**ALICE, "may": ["limit", "tell"]}]})["approvers"][1]
    )


def test_the_approvers_are_listed() -> None:
    assert told({"approver": [ALICE]})["approvers"] == ("ok", "alice")


def test_a_dry_run_is_told_of() -> None:
    assert told({})["actions"][0] == "ok"


def test_a_gateway_without_its_secret_is_told_of_with_its_name() -> None:
    settings = {"proposals": {"gateway": "litellm"}, "actions": {"dry_run": False}}
    status, detail = told(settings)["gateway"]
    assert (status, "LITELLM_MASTER_KEY" in detail) == ("warn", True)


def test_a_gateway_with_its_secret_is_in_order_and_the_secret_is_not_shown() -> None:
    settings = Settings.model_validate({"proposals": {"gateway": "litellm"}})
    litellm = settings.gateways.litellm.model_copy(update={"secret": SecretStr("sk-very-secret")})
    gateways = settings.gateways.model_copy(update={"litellm": litellm})
    checks = list(acting_checks(App(settings.model_copy(update={"gateways": gateways})), None))
    assert ("gateway", "ok") in [(check.name, check.status) for check in checks]
    assert "very-secret" not in str(checks)


def test_acting_without_any_gateway_is_told_of() -> None:
    assert told({"actions": {"dry_run": False}})["gateway"][0] == "warn"


def test_what_slack_lacks_is_named() -> None:
    status, detail = told({"slack": {"channel": "C123"}})["slack"]
    assert status == "warn"
    assert detail.startswith("slack.team_id and SLACK_BOT_TOKEN and SLACK_APP_TOKEN or SLACK_SIGNING_SECRET")


def test_letters_that_do_not_get_out_are_told_of(casebook: Casebook) -> None:
    now = utc_now()
    with casebook.writing() as connection:
        put_in_outbox(connection, Letter("out_1", "slack:C1", "result", None, {"channel": "C1"}), now)
        letter = take_from_outbox(connection, "me", now)
        assert letter is not None
        put_off(connection, outbox, letter.number, "me", until=now, why="Slack is away")
    assert told({}, casebook)["outbox"] == ("warn", "1 letter waiting: Slack is away")


def test_a_trail_that_was_changed_is_a_failure(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/c.sqlite"
    app = App.configured(Overrides(ledger=tmp_path / "l.duckdb", casebook=url))
    with Casebook.open(url) as casebook:
        assert say(casebook, "inc_none", "real", "alice", utc_now()) is None
        with casebook.writing() as connection:
            row = {"number": 1, "at": utc_now(), "actor": "x", "what": "y", "subject": "z"}
            connection.execute(audit.insert().values({**row, "document": {}, "mac": "0" * 64}))
        found = {check.name: check.status for check in acting_checks(app, casebook)}
    assert found["audit"] == "fail"


def test_a_whole_trail_is_in_order(casebook: Casebook) -> None:
    assert told({}, casebook)["audit"][0] == "ok"
