"""What the commands print is what the contract says, on small ledgers; and each takes the same options."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from typer.core import TyperGroup
from typer.main import get_group

from evals.fake_litellm import MASTER_KEY
from tests.cli_office import Office, office_in
from tests.cli_runner import Ran, contract_errors, run_json
from tests.ledger_builder import at, daily
from tests.reconciling_cases import BIG, TOKENS, Source, books_in, of_day, varied
from tests.usage_builder import UsageRow, usage, write
from tokensleuth.app import App, Overrides
from tokensleuth.casebook.notices import Notice, keep_notices
from tokensleuth.casebook.runs import plan_runs
from tokensleuth.cli import app
from tokensleuth.clock import utc_now

WEEK = "2026-10-26..2026-11-01"
SPIKE = ("2026-10-30T09:00:00Z", "2026-10-30T13:00:00Z")
SETTINGS = """
[[budget]]
name = "all of it"
usd = 900
[[budget]]
name = "ample"
where = { team = "s*" }
usd = 1000000
owner = "alice"
[retention]
usage_days = 35
"""
PRIVATE = "[privacy]\npseudonymous_users = true\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four weeks of a key with one spike, investigated."""
    folder = tmp_path_factory.mktemp("contract")
    (folder / "t.toml").write_text(SETTINGS, "utf-8")
    (folder / "private.toml").write_text(SETTINGS + PRIVATE, "utf-8")
    for command in (("ingest", write(folder / "u.parquet", hours())), ("investigate", WEEK)):
        assert run_json(*command, *stores(folder)).exit_code == 0
    opened = App.configured(Overrides(ledger=folder / "l.duckdb")).casebook()
    with opened as casebook, casebook.writing() as connection:
        plan_runs(connection, "detect", [at(28)], utc_now())
        keep_notices(connection, ["service"], [Notice("service", "x", "low", "a title")], utc_now())
    return folder


def hours() -> list[UsageRow]:
    rows = []
    for i in range(28 * 24):
        hour = at(0, i)
        text = hour.isoformat().replace("+00:00", "Z")
        requests = round(1_000 * daily(hour) * (1 + i % 7 / 50)) * (4 if SPIKE[0] <= text < SPIKE[1] else 1)
        tokens = {"input_tokens": requests * 1000, "output_tokens": requests * 10}
        rows.append(usage(text, key_id="k2", user="bob@example.com", requests=requests, **tokens))
    return rows


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    shutil.copytree(made, tmp_path / "home")
    return tmp_path / "home"


def stores(home: Path, config: str = "t.toml") -> list[str | Path]:
    return ["--ledger", home / "l.duckdb", "--config", home / config]


def told(home: Path, schema: str, *arguments: str | Path, config: str = "t.toml") -> Mapping[str, object]:
    return kept_to(schema, run_json(*arguments, *stores(home, config)))


def kept_to(schema: str, ran: Ran, exit_code: int = 0) -> Mapping[str, object]:
    assert ran.exit_code == exit_code, ran.stderr
    assert list(contract_errors(schema, ran.document)) == []
    return ran.document


def items(document: Mapping[str, object], name: str = "items") -> Sequence[Mapping[str, object]]:
    return cast(Sequence[Mapping[str, object]], document[name])


READ = [
    ("forecast", "forecast --by team"),
    ("forecast", "forecast --where key_id=k2 --at 2026-10-06T00:00Z"),
    ("budgets", "budgets"),
    ("schedule", "schedule"),
    ("digest", "digest --week 2026-W44"),
    ("digest", "digest --week 2026-W44 --team search"),
    ("digest", "digest --week 2020-W01"),
    ("billing", f"billing {WEEK}"),
    ("tunings", "plan list"),
    ("audit-verify", "audit verify"),
    ("audit-list", "audit list"),
    ("retention", "retention --dry-run"),
    ("pseudonym", "pseudonym bob@example.com"),
    ("token", "token alice"),
    ("simulate", f"simulate {WEEK} --setting min_usd=1000"),
]


@pytest.mark.parametrize(("schema", "command"), READ)
def test_a_command_that_reads_keeps_to_its_schema(made: Path, schema: str, command: str) -> None:
    told(made, schema, *command.split())


def test_what_nobody_did_yet_keeps_to_the_schema_too(tmp_path: Path) -> None:
    casebook = ("--casebook", f"sqlite:///{tmp_path}/c.sqlite")
    for schema, command in (("schedule", "schedule"), ("tunings", "tunings"), ("audit-list", "audit list")):
        assert items(kept_to(schema, run_json(*command.split(), *casebook))) is not None


def test_incidents_come_with_the_notices_that_are_open(made: Path) -> None:
    assert [notice["title"] for notice in items(told(made, "incidents", "incidents"), "notices")] == [
        "a title"
    ]


@pytest.mark.parametrize("version", ["1.4", "1.2"])
def test_an_export_keeps_to_its_schema(made: Path, tmp_path: Path, version: str) -> None:
    wanted = ("2026-10-30..2026-10-30", "--output", tmp_path / "bill.csv", "--version", version)
    told(made, "export-focus", "export", "focus", *wanted)


def test_feedback_and_what_follows_from_it_keep_to_their_schemas(home: Path) -> None:
    (incident,) = items(told(home, "incidents", "incidents"))
    for verdict in ("not-an-issue", "expected", "real", "not-an-issue"):
        told(home, "feedback", "feedback", str(incident["id"]), verdict)
    told(home, "tunings", "tunings", "--all")
    told(home, "digest", "digest", "--week", "2026-W44")
    told(home, "audit-list", "audit", "list")


def test_what_is_kept_quiet_keeps_to_the_schema(home: Path) -> None:
    (incident,) = items(told(home, "incidents", "incidents"))
    told(home, "feedback", "feedback", str(incident["id"]), "not-an-issue")
    quiet = cast(Mapping[str, object], told(home, "detect", "detect", WEEK)["suppressed"])
    assert quiet["count"] == 1


@pytest.mark.parametrize("amount", ["100", "1e2", "62.505"])
def test_a_simulated_threshold_has_its_cents(made: Path, amount: str) -> None:
    found = told(made, "simulate", "simulate", WEEK, "--min-usd", amount, "--where", "key_id=k2")
    assert cast(Mapping[str, object], found["threshold"])["min_usd"] in ("100.00", "62.505")


def test_thresholds_and_plans_keep_to_the_schema(home: Path) -> None:
    raised = told(home, "tuning", "tunings", "raise", "--min-usd", "100", "--where", "team=search")
    days = ("--start", "2099-12-01", "--end", "2099-12-03")
    planned = told(home, "tuning", "plan", "add", *days, "--where", "team=search", "--what", "launch")
    assert len(items(told(home, "tunings", "tunings"))) == 2
    told(home, "tuning", "tunings", "undo", str(raised["id"]))
    told(home, "tuning", "plan", "undo", str(planned["id"]), "--reason", "put off")
    told(home, "tunings", "tunings", "--all")


def test_what_is_forgotten_and_hidden_keeps_to_the_schemas(home: Path) -> None:
    for rehearsed in (("--dry-run",), ()):
        told(home, "pseudonymise", "pseudonymise", *rehearsed, config="private.toml")
    told(home, "retention", "retention")
    told(home, "audit-verify", "audit", "verify")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("LITELLM_MASTER_KEY", MASTER_KEY)
    with office_in(tmp_path) as opened:
        yield opened


def test_decisions_keep_to_the_schema_whatever_comes_of_them(office: Office) -> None:
    limit = office.propose()
    kept_to("decision", office.run("approve", limit))
    kept_to("decision", office.run("undo", limit))
    kept_to("decision", office.run("undo", limit), 2)
    revocation = office.propose("revoke_key")
    kept_to("decision", office.run("approve", revocation))
    kept_to("decision", office.run("reject", revocation, "--reason", "no"))
    kept_to("decision", office.run("approve", "prop_none"), 2)
    kept_to("audit-list", office.run("audit", "list"))


def test_differences_from_the_bill_keep_to_the_schemas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-test")
    with books_in(tmp_path) as books:
        books.feeds = (Source("openai"),)
        now = utc_now()
        for number in range(4):
            day, tokens = now.date() - timedelta(days=6 - number), varied(TOKENS, number)
            books.use(BIG, day, tokens, loaded_at=now)
            books.bill_tokens(BIG, day, of_day(tokens), factor=0.7)
            books.bill("openai", day, "web search tool calls", 3)
        books.pull(until=now.date(), now=now)
    ledger = ("--ledger", tmp_path / "ledger.duckdb")
    kept_to("completeness", run_json("reconcile", "--completeness", *ledger))
    found = kept_to("reconcile", run_json("reconcile", "--save", *ledger))
    assert (len(items(found, "findings")), len(items(found, "saved"))) == (1, 1)
    (kept,) = items(kept_to("incidents", run_json("incidents", *ledger)))
    assert (kept["kind"], kept["reason"], kept["settled"]) == ("reconciliation", "contract_discount", False)


def options(group: TyperGroup, *path: str) -> Iterator[tuple[str, set[str]]]:
    """Those of every command, by its name as it is typed; a group may do something by itself."""
    if path and not group.no_args_is_help:
        yield " ".join(path), {option for parameter in group.params for option in parameter.opts}
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from options(command, *path, name)
        else:
            taken = {option for parameter in command.params for option in parameter.opts}
            yield " ".join((*path, name)), taken


SHARED = {"--json", "--config", "--ledger", "--casebook"}
WITHOUT = {
    "serve": {"--json"},
    "demo": {"--ledger", "--casebook"},
    "playbooks": {"--ledger", "--casebook"},
}
"""What runs until it is stopped prints no document; what opens no store of the settings takes no other."""


def test_every_command_takes_the_shared_options() -> None:
    found = dict(options(get_group(app)))
    assert {"detect", "tunings", "tunings raise", "export focus", "audit verify"} <= set(found)
    for name, taken in found.items():
        assert SHARED - taken == WITHOUT.get(name, set()), name


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("token", "give the approver's name"),
        ("pseudonym", "give a user as sources name them"),
    ],
)
def test_an_empty_name_is_refused(tmp_path: Path, command: str, why: str) -> None:
    ran = run_json(command, "", "--casebook", f"sqlite:///{tmp_path}/c.sqlite")
    assert ran.exit_code == 2
    assert why in str(ran.document["error"])
