"""The service with nothing but an OpenAI admin key: a spike is found, told, approved, done and verified.

    make e2e-serve

One line a step; status 1 where any failed. OpenAI is ours on loopback, in the shapes of its own schema.
"""

import hashlib
import math
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import httpx2

from evals.e2e_slack.service import CAROLS_TOKEN, Served, approve_in_browser, started, wait_for
from evals.fake_openai import Reply
from evals.fake_openai_admin import ADMIN_KEY, FakeOpenAiAdmin, Project
from evals.fake_openai_usage import FakeOpenAiUsage
from evals.loopback import Request, serving
from tokensleuth.clock import utc_now
from tokensleuth.person import os_user

HOUR = timedelta(hours=1)
DAYS = 21
MODEL, OTHER = "gpt-4o", "gpt-4o-mini"
TEAMS = {"proj_search": "search-prod", "proj_ads": "ads-prod", "proj_help": "help-prod"}
SPIKING = "proj_search"
KEYS = (1, 2, 3)
Row = dict[str, object]


@dataclass(slots=True)
class Run:
    """One run and what it found wrong."""

    usage: FakeOpenAiUsage
    admin: FakeOpenAiAdmin
    served: Served
    wrong: list[str] = field(default_factory=list)

    def check(self, what: str, holds: bool) -> None:
        sys.stdout.write(f"{'ok  ' if holds else 'FAIL'} {what}\n")
        sys.stdout.flush()
        if not holds:
            self.wrong.append(what)

    def duty(self, name: str) -> Row:
        _, document = self.served.command("schedule")
        items = cast(list[Row], document["items"])
        return next(item for item in items if item["duty"] == name)

    def complete_until(self) -> datetime:
        """As the last pull that is done says; one may be under way."""
        found: list[str] = []

        def seen() -> bool:
            document = cast(Row | None, self.duty("sync")["document"])
            found[:] = [str(document["complete_until"])] if document else []
            return bool(found)

        wait_for("a pull that is done", seen, 120)
        return datetime.fromisoformat(found[0])

    def limit(self) -> object:
        """The tokens a minute that OpenAI allows the project now."""
        project = self.admin.projects[SPIKING]
        return project.limits[f"rl-{MODEL}"]["max_tokens_per_1_minute"]


def main() -> int:
    with _running() as run:
        _data_flows(run)
        _spike_is_told(run)
        _is_approved_and_verified(run)
        _is_told_to_machines(run)
        _the_rest_works_beside(run)
    sys.stdout.write(f"{len(run.wrong)} wrong\n")
    return 1 if run.wrong else 0


def _data_flows(run: Run) -> None:
    wait_for("hours judged", lambda: run.duty("detect")["state"] == "done", 240)
    run.check(f"usage is pulled until {run.complete_until()}, and judged", True)
    _, found = run.served.command("incidents")
    run.check("nothing is told of ordinary hours", found["items"] == [])
    _, doctor = run.served.command("doctor")
    run.check("doctor finds nothing that fails", doctor["ok"] is True)


def _spike_is_told(run: Run) -> None:
    """One model of a project does many times its work for three hours; the reports of it come late."""
    until = run.complete_until()
    began = utc_now()
    for number in range(3):
        for key in KEYS:
            _use(run.usage, until - (number + 1) * HOUR, SPIKING, key, MODEL, 3_000)
    wait_for("an incident", lambda: bool(run.served.command("incidents")[1]["items"]), 900)
    seconds = (utc_now() - began).total_seconds()
    incident = cast(list[Row], run.served.command("incidents")[1]["items"])[0]
    scope = cast(Row, incident["scope"])
    run.check(f"the spike is found after {seconds:.0f} s: {scope}", scope.get("team") == "search")
    run.check("a person is told within 5 minutes of the next pull", seconds < 300 + 120)


def _is_approved_and_verified(run: Run) -> None:
    waiting = [p for p in run.served.proposals("pending") if p["action"] == "set_rate_limit"]
    run.check("a rate limit at OpenAI is proposed", bool(waiting))
    if not waiting:
        return
    before, proposal_id = run.limit(), str(waiting[0]["id"])
    run.check("it is approved in the browser", approve_in_browser(run.served.url, proposal_id) == 200)
    # It touches more than 5 % of the day's spend, so a second person must say so too.
    code, _ = run.served.command("approve", proposal_id)
    run.check("a second person approves by command", code == 0)
    wait_for("the action", lambda: _state(run, proposal_id) not in ("approved", "executing", "pending"), 60)
    run.check(f"it is done and verified{_why(run, proposal_id)}", _state(run, proposal_id) == "done")
    asked = cast(Row, waiting[0]["parameters"])["tokens_per_minute"]
    run.check(f"OpenAI allows {run.limit()} tokens a minute now, {before} before", run.limit() == asked)
    code, _ = run.served.command("undo", proposal_id)
    run.check("and it is undone", code == 0 and run.limit() == before)
    run.check("OpenAI's schema has nothing to object", run.admin.faults == [])


def _is_told_to_machines(run: Run) -> None:
    with httpx2.Client(base_url=run.served.url) as client:
        health, metrics = client.get("/healthz"), client.get("/metrics")
    run.check("health is green", health.status_code == 200)
    run.check("Prometheus is told of runs", "tokensleuth_runs_total" in metrics.text)


def _the_rest_works_beside(run: Run) -> None:
    """Commands answer while the service runs."""
    for arguments in (["digest"], ["billing"], ["forecast"], ["schedule"], ["audit", "verify"]):
        code, _ = run.served.command(*arguments)
        run.check(f"{' '.join(arguments)} answers beside the service", code == 0)
    target = run.served.ledger.with_name("focus.csv")
    code, _ = run.served.command("export", "focus", "last-7d", "-o", str(target), "--version", "1.4")
    run.check("export focus writes a file", code == 0 and target.stat().st_size > 0)


def _state(run: Run, proposal_id: str) -> str:
    return next(str(p["state"]) for p in run.served.proposals() if p["id"] == proposal_id)


def _why(run: Run, proposal_id: str) -> str:
    """What became of it, where that is not what it should be."""
    _, trail = run.served.command("audit", "list")
    told = cast(list[Row], trail["items"])[:2]
    return "" if _state(run, proposal_id) == "done" else f": {told}"


def _use(usage: FakeOpenAiUsage, at: datetime, project: str, key: int, model: str, requests: int) -> None:
    usage.add(
        at, project_id=project, api_key_id=f"key_{project.removeprefix('proj_')}_{key}", model=model,
        input_uncached=requests * 1200, output=requests * 300, requests=requests,
    )  # fmt: skip


def _fill(usage: FakeOpenAiUsage, until: datetime) -> None:
    """Three weeks of ordinary work of nine keys, each with two models."""
    draw = random.Random(5)  # noqa: S311 - traffic
    usage.projects |= TEAMS
    for number in range(DAYS * 24):
        at = until - (number + 1) * HOUR
        shape = 1 + 0.6 * math.sin((at.hour - 9) / 24 * 2 * math.pi)
        for size, project in enumerate(TEAMS, start=1):
            for key in KEYS:
                requests = max(round(120 * size * shape * draw.uniform(0.9, 1.1)), 1)
                _use(usage, at, project, key, MODEL, requests)
                _use(usage, at, project, key, OTHER, requests * 4)


def _answering(usage: FakeOpenAiUsage, admin: FakeOpenAiAdmin) -> Callable[[Request], Reply]:
    """One host, as OpenAI is: reports and lists by the one, limits and keys by the other."""

    def answer(request: Request) -> Reply:
        reply = usage.answer(request)
        return admin.answer(request) if reply.status == 404 else reply

    return answer


@contextmanager
def _running() -> Iterator[Run]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        usage, admin = FakeOpenAiUsage(key=ADMIN_KEY), FakeOpenAiAdmin()
        for name in TEAMS:
            admin.projects[name] = Project()
            admin.projects[name].add_limit(MODEL, tokens=2_000_000, requests=10_000)
        _fill(usage, utc_now().replace(minute=0, second=0))
        openai = stack.enter_context(serving(_answering(usage, admin)))
        config = folder / "tokensleuth.toml"
        config.write_text(_settings(f"{openai.url}/v1"), "utf-8")
        environment = {**os.environ, "OPENAI_ADMIN_KEY": ADMIN_KEY, "COLUMNS": "200"}
        served = stack.enter_context(started(config, folder / "ledger.duckdb", environment))
        yield Run(usage, admin, served)


def _settings(openai: str) -> str:
    """The address of the peer, and who may decide: all else is as it comes."""
    digest = hashlib.sha256(CAROLS_TOKEN.encode()).hexdigest()
    return (
        f'[gateways.openai]\nbase_url = "{openai}"\n[proposals]\ngateway = "openai"\n'
        "[actions]\ndry_run = false\n[web]\nport = 0\n"
        f'[[owner]]\nteam = "search"\nproject = "search-*"\n'
        f'[[approver]]\nname = "carol"\nweb_token_sha256 = "{digest}"\nmay = ["limit", "block", "tell"]\n'
        f'[[approver]]\nname = "ops"\nos_user = "{os_user()}"\nmay = ["limit", "block", "tell"]\n'
    )


if __name__ == "__main__":
    sys.exit(main())
