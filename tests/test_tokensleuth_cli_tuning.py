"""The loop on a small organisation: a key fires, is no issue, is quiet, and alerts again once undone."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest
import typer
from typer.testing import CliRunner

from tests.cli_runner import Ran, contract_errors, run
from tests.ledger_builder import at, daily
from tests.usage_builder import UsageRow, usage, write
from tokensleuth.cli_tuning import add_commands

WEEK = "2026-10-26..2026-11-01"
LARGE, SMALL = (
    ("2026-10-28T09:00:00Z", "2026-10-28T13:00:00Z"),
    ("2026-10-30T09:00:00Z", "2026-10-30T13:00:00Z"),
)
NOISY = {"team": "search", "key_id": "k2"}

Items = Sequence[Mapping[str, object]]


def hours_of(key_id: str, times: int, spike: tuple[str, str]) -> list[UsageRow]:
    """Four weeks of one key; within the spike the usage is so many times as much."""
    rows = []
    for i in range(28 * 24):
        hour = at(0, i)
        text = hour.isoformat().replace("+00:00", "Z")
        factor = times if spike[0] <= text < spike[1] else 1
        requests = round(1_000 * daily(hour) * (1 + i % 7 / 50)) * factor
        tokens = {"input_tokens": requests * 1000, "output_tokens": requests * 10}
        rows.append(usage(text, key_id=key_id, requests=requests, **tokens))
    return rows


@pytest.fixture(scope="module")
def investigated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large and a small spike, investigated."""
    folder = tmp_path_factory.mktemp("tuning")
    rows = [*hours_of("k1", 20, LARGE), *hours_of("k2", 4, SMALL)]
    for command in (("ingest", write(folder / "u.parquet", rows)), ("investigate", WEEK)):
        assert run(*command, *stores(folder)).exit_code == 0
    return folder


@pytest.fixture
def home(investigated: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    shutil.copytree(investigated, tmp_path / "home")
    return tmp_path / "home"


def stores(home: Path) -> list[str | Path]:
    return ["--ledger", home / "l.duckdb", "--casebook", f"sqlite:///{home}/c.sqlite"]


def tuned(home: Path, *arguments: str) -> Ran:
    """The commands of tuning, whatever else the program has."""
    app = typer.Typer()
    add_commands(app)
    given = [*arguments, *map(str, stores(home))]
    result = CliRunner().invoke(app, given, env={"COLUMNS": "120"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, " ".join(result.stdout.split()), result.stderr)


def told(home: Path, *arguments: str) -> dict[str, object]:
    ran = tuned(home, *arguments, "--json")
    assert (ran.exit_code, ran.stderr) == (0, "")
    return dict(json.loads(ran.stdout))


def detected(home: Path) -> dict[str, object]:
    ran = run("detect", WEEK, *stores(home), "--json")
    assert not list(contract_errors("detect", ran.document))
    return ran.document


def items(document: Mapping[str, object], name: str = "items") -> Items:
    return cast(Items, document[name])


def quiet(document: Mapping[str, object]) -> Mapping[str, object]:
    return cast(Mapping[str, object], document["suppressed"])


def feedback(home: Path, key_id: str, verdict: str) -> Ran:
    """On the investigated incident of the key."""
    found = items(run("incidents", *stores(home), "--json").document)
    (incident_id,) = [i["id"] for i in found if cast(Mapping[str, str], i["scope"]).get("key_id") == key_id]
    return run("feedback", str(incident_id), verdict, *stores(home))


def test_what_is_no_issue_does_not_open_again_until_it_is_undone(home: Path) -> None:
    before = detected(home)
    assert (len(items(before, "incidents")), quiet(before)["count"]) == (2, 0)
    said = " ".join(feedback(home, "k2", "not-an-issue").stdout.split())
    assert "no alert of rises below $" in said
    after = detected(home)
    assert [i["scope"] for i in items(after, "incidents")] == [NOISY | {"key_id": "k1"}]
    assert after["spikes"] == before["spikes"]
    (kept,) = items(quiet(after), "incidents")
    (tuning,) = items(told(home, "tunings"))
    assert (kept["scope"], kept["tuning_id"]) == (NOISY, tuning["id"])
    assert f"Undo: tokensleuth tunings undo {tuning['id']}" in said
    assert told(home, "tunings", "undo", str(tuning["id"]))["state"] == "undone"
    assert items(detected(home), "incidents") == items(before, "incidents")


def test_real_opens_it_again_and_says_so(home: Path) -> None:
    feedback(home, "k2", "not-an-issue")
    assert quiet(detected(home))["count"] == 1
    assert "Ended, so that it alerts again" in " ".join(feedback(home, "k2", "real").stdout.split())
    assert quiet(detected(home))["count"] == 0


def test_people_see_how_many_stay_below(home: Path) -> None:
    feedback(home, "k2", "not-an-issue")
    shown = " ".join(run("detect", WEEK, *stores(home)).stdout.split())
    assert "1 incident worth $" in shown
    assert "below raised thresholds; see: tokensleuth tunings" in shown


def test_a_threshold_is_simulated_before_it_is_enabled(home: Path) -> None:
    document = told(home, "simulate", WEEK, "--min-usd", "100", "--where", "key_id=k2")
    assert not list(contract_errors("simulate", document))
    (lost,) = items(document, "lost")
    assert (lost["scope"], lost["said"]) == (NOISY, None)
    before, after = (cast(Mapping[str, object], document[side]) for side in ("before", "after"))
    assert (before["incidents"], after["incidents"], document["gained"]) == (1, 0, [])
    assert before["excess_usd"] == lost["excess_usd"]
    assert quiet(detected(home))["count"] == 0
    told(home, "tunings", "raise", "--min-usd", "100", "--where", "key_id=k2")
    # By hand it acts from now on: what was before is shown as it was.
    assert quiet(detected(home))["count"] == 0


def test_a_simulation_shows_a_table_and_how_to_enable_it(home: Path) -> None:
    shown = tuned(home, "simulate", WEEK, "--min-usd", "100", "--where", "key_id=k2").stdout
    assert "key_id=k2, rises below $100.00:" in shown
    assert "Enable: tokensleuth tunings raise --where 'key_id=k2' --min-usd 100" in shown
    assert "team=search, key_id=k2: nothing said" in shown


def test_a_simulation_warns_of_what_was_real(home: Path) -> None:
    feedback(home, "k2", "real")
    document = told(home, "simulate", WEEK, "--min-usd", "100", "--where", "key_id=k2")
    assert (document["lost_said_real"], items(document, "lost")[0]["said"]) == (1, "real")
    shown = tuned(home, "simulate", WEEK, "--min-usd", "100", "--where", "key_id=k2").stdout
    assert "Do not: it would keep quiet 1 incident that people said to be real." in shown


def test_a_score_can_be_simulated_too(home: Path) -> None:
    kept = told(home, "simulate", WEEK, "--min-score", "1", "--where", "team=search")
    lost = told(home, "simulate", WEEK, "--min-score", "100000", "--where", "team=search")
    assert [(len(items(d, "lost")), d["kept"]) for d in (kept, lost)] == [(0, 2), (2, 0)]


def test_settings_are_simulated_as_before(home: Path) -> None:
    document = told(home, "simulate", WEEK, "--setting", "min_usd=100")
    assert document["settings"] == {"changed": {"min_usd": {"from": 1.0, "to": 100.0}}}
    assert len(items(document, "lost")) == 1


def test_a_plan_is_added_listed_and_undone(home: Path) -> None:
    arguments = ("--start", "2026-10-30", "--end", "2026-10-31", "--what", "backfill", "--where", "key_id=k2")
    added = told(home, "plan", "add", *arguments, "--until", "2027-01-15T00:00Z")
    assert (added["kind"], added["until_at"]) == ("planned", "2027-01-15T00:00:00Z")
    assert [i["id"] for i in items(told(home, "plan", "list"))] == [added["id"]]
    shown = tuned(home, "plan", "list").stdout
    assert "Planned: backfill, 2026-10-30 to 2026-10-31" in shown
    told(home, "plan", "undo", str(added["id"]), "--reason", "put off")
    assert not items(told(home, "plan", "list"))
    (gone,) = items(told(home, "tunings", "--all"))
    assert (gone["state"], gone["reason"]) == ("undone", "put off")


def test_a_plan_says_to_an_investigation_what_the_settings_calendar_says(home: Path) -> None:
    plain = concluded(home)
    config = home / "t.toml"
    entry = f'start = "{SMALL[0]}"\nend = "{SMALL[1]}"\nwhat = "backfill"\nwhere = {{key_id = "k2"}}'
    config.write_text(f"[[calendar]]\n{entry}\n")
    by_settings = concluded(home, "--config", config)
    arguments = ("--start", SMALL[0], "--end", SMALL[1], "--what", "backfill", "--until", "2027-01-15T00:00Z")
    told(home, "plan", "add", *arguments, "--where", "key_id=k2")
    planned = concluded(home)
    assert planned["k2"] == by_settings["k2"] != plain["k2"]
    assert (plain["k2"]["verdict"], planned["k2"]["verdict"]) == ("confirmed", "benign")
    assert planned["k1"]["verdict"] == plain["k1"]["verdict"] != "benign"


def concluded(home: Path, *arguments: str | Path) -> dict[str, Mapping[str, object]]:
    """What is found of each key, but for what depends on the hour of the day."""
    ran = run("investigate", WEEK, *stores(home), "--json", *arguments)
    found = items(ran.document, "incidents")
    return {
        cast(Mapping[str, str], i["scope"])["key_id"]: {
            name: value for name, value in i.items() if name not in ("seconds", "proposals")
        }
        for i in found
    }


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("simulate", WEEK), "give either --setting, or --min-usd or --min-score"),
        (("simulate", WEEK, "--setting", "trees=5", "--min-usd", "1"), "give either --setting, or --min-usd"),
        (("simulate", WEEK, "--min-usd", "many"), "`many` is no amount of dollars above 0"),
        (("simulate", WEEK, "--min-usd", "5", "--where", "team=nobody"), "no usage of team=nobody"),
        (("simulate", WEEK, "--min-usd", "5", "--labels", "x.json"), "--labels go with --setting"),
        (("tunings", "raise", "--min-usd", "-3"), "`-3` is no amount of dollars above 0"),
        (("tunings", "undo", "tune_x"), "no tuning `tune_x`; see: tokensleuth tunings"),
        (("plan", "undo", "tune_x"), "no planned event `tune_x`; see: tokensleuth plan list"),
        (
            ("plan", "add", "--start", "soon", "--end", "2026-12-01", "--what", "x"),
            "--start `soon`: must be a day",
        ),
        (
            ("plan", "add", "--start", "2026-12-02", "--end", "2026-12-01", "--what", "x"),
            "must not be before start",
        ),
        (("plan", "add", "--start", "2026-12-02", "--end", "2026-12-03", "--what", ""), "--what ``: "),
    ],
)
def test_wrong_use_exits_with_2_and_says_what_would_be_right(
    home: Path, arguments: tuple[str, ...], why: str
) -> None:
    ran = tuned(home, *arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert why in " ".join(ran.stderr.split())


def test_lists_make_no_casebook(tmp_path: Path) -> None:
    assert told(tmp_path, "tunings") == {"items": []}
    assert "Nothing is tuned" in tuned(tmp_path, "tunings").stdout
    assert not list(tmp_path.iterdir())
