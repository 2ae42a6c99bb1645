"""Runs trials until enough workers have died, and sums up what was found."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from evals.chaos.checks import check_audit, check_trial
from evals.chaos.clicks import People
from evals.chaos.clock import SharedClock
from evals.chaos.faults import stir
from evals.chaos.findings import Findings, Seen
from evals.chaos.fleet import Fleet, Plan
from evals.chaos.incidents import Case, open_case
from evals.chaos.trial import Stuck, Trial
from evals.chaos.worker import Order
from evals.fake_litellm import MASTER_KEY, FakeLiteLlm, fake_litellm
from evals.fake_slack import FakeSlack, fake_slack
from evals.fake_workspace import FakeWorkspace
from evals.postgres_server import postgres_server
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Anchor
from tokensleuth.clock import seconds_since, stopwatch
from tokensleuth.service.anchors import kept_anchor

KEY = b"the casebook key of the chaos trials"
SECRET = "the signing secret of the chaos trials"  # noqa: S105
MOST_TRIALS_PER_KILL = 2


@dataclass(slots=True)
class Ran:
    """The outcome of all trials."""

    database: str
    seed: int
    wanted: int
    trials: int = 0
    faults: int = 0
    """Calls to the outside that were made to fail."""
    clicks_sent: int = 0
    clicks_acknowledged: int = 0
    landed: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    findings: Findings = field(default_factory=Findings)
    restarts_s: list[float] = field(default_factory=list)
    seconds: float = 0.0


Told = Callable[[str], None]


def run_chaos(*, kills: int, seed: int, postgres: bool, told: Told) -> Ran:
    """Trials on one casebook until so many kills have landed; raises Unavailable without PostgreSQL."""
    ran = Ran("postgresql" if postgres else "sqlite", seed, kills)
    began = stopwatch()
    with tempfile.TemporaryDirectory(prefix="tokensleuth-chaos-") as name, _database(name, postgres) as url:
        Casebook.open(url, key=KEY).close()
        with _surroundings(url, Path(name), Plan(Random(seed), kills), shared=postgres) as parts:  # noqa: S311
            _run_trials(parts, ran, told)
    ran.seconds = seconds_since(began)
    return ran


@dataclass(slots=True)
class _Parts:
    """What outlives the workers."""

    url: str
    casebook: Casebook
    slack: FakeSlack
    litellm: FakeLiteLlm
    fleet: Fleet
    people: People
    clock: SharedClock
    log: Path
    anchors: list[Anchor] = field(default_factory=list)


@contextmanager
def _database(folder: str, postgres: bool) -> Iterator[str]:
    if not postgres:
        yield f"sqlite:///{folder}/casebook.sqlite"
        return
    with postgres_server() as server, server.database() as url:
        yield url


@contextmanager
def _surroundings(url: str, folder: Path, plan: Plan, *, shared: bool) -> Iterator[_Parts]:
    with ExitStack() as stack:
        clock = SharedClock.at(folder / "clock")
        stack.callback(clock.close)
        workspace = FakeWorkspace(folder / "slack.jsonl", clock=clock)
        slack = stack.enter_context(fake_slack(workspace.journal, workspace=workspace))
        litellm = stack.enter_context(fake_litellm(folder / "litellm.jsonl"))
        casebook = stack.enter_context(Casebook.open(url, key=KEY))
        order = Order(
            url, KEY.decode(), str(folder / "clock"), litellm.url, MASTER_KEY, slack.base_url, SECRET
        )
        fleet = Fleet(order, folder / "workers.log", plan, size=2 if shared else 1)
        stack.callback(fleet.stop)
        pool = stack.enter_context(ThreadPoolExecutor(4))
        people = People(KEY, SECRET, clock, lambda: fleet.port, pool)
        stack.callback(people.giving_up.set)
        yield _Parts(url, casebook, slack, litellm, fleet, people, clock, fleet.log)


def _run_trials(parts: _Parts, ran: Ran, told: Told) -> None:
    plan = parts.fleet.plan
    while plan.total < ran.wanted and ran.trials < MOST_TRIALS_PER_KILL * ran.wanted + 2:
        case = open_case(parts.casebook, parts.litellm, f"{ran.seed}", ran.trials, parts.clock())
        ran.trials += 1
        ran.faults += stir(plan.random, parts.litellm, parts.slack)
        trial = Trial(parts.casebook, parts.slack, parts.fleet, parts.people, parts.clock, case)
        try:
            trial.run()
        except Stuck as stuck:
            ran.findings.lost.append(f"stuck in trial {ran.trials}: {stuck}")
            break
        _check(parts, case, ran)
        waiting = ", ".join(r.point for r in parts.fleet.running if r.point) or "nothing"
        told(
            f"trial {ran.trials}: {plan.total} of {ran.wanted} kills, "
            f"{len(ran.findings.violations)} faults; to die next: {waiting}"
        )
        if ran.trials % 3 == 0:
            parts.fleet.disarm()
    parts.fleet.stop()
    _sum_up(parts, ran)


def _check(parts: _Parts, case: Case, ran: Ran) -> None:
    acknowledged = [a for a in parts.people.acknowledged if a.click.case is case]
    effects = [e for e in parts.slack.workspace.effects if e.get("channel") == case.channel]
    with parts.casebook.reading() as connection:
        seen = Seen(connection, case, acknowledged, parts.litellm.writes, parts.litellm.proxy.keys, effects)
        check_trial(seen, ran.findings)
        if kept := kept_anchor(parts.url):
            parts.anchors.append(kept)
        check_audit(connection, KEY, parts.anchors, ran.findings)


def _sum_up(parts: _Parts, ran: Ran) -> None:
    plan = parts.fleet.plan
    ran.landed, ran.missed, ran.restarts_s = plan.landed, plan.missed, parts.fleet.restarts_s
    ran.clicks_sent, ran.clicks_acknowledged = parts.people.sent, len(parts.people.acknowledged)
    ran.findings.others += parts.fleet.faults
    ran.findings.others += [f"no worker ever came to `{point}`" for point in plan.never_met]
    log = parts.log.read_text("utf-8", "replace") if parts.log.exists() else ""
    if "Traceback" in log:
        ran.findings.others.append(f"a worker raised: ...{log[-1500:]}")
