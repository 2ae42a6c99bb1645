"""Two replicas of the service on one PostgreSQL: the leader is killed while it judges, the other goes on.

    python -m evals.replicas

One line a step; status 1 where any failed.
"""

import os
import re
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from signal import SIGKILL, SIGTERM

from sqlalchemy import select

from evals.e2e_slack.service import Served, started, wait_for
from evals.fake_openai_usage import ADMIN_KEY, FakeOpenAiUsage, fake_openai_usage
from evals.postgres_server import postgres_server
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.keyfile import key_from_text
from tokensleuth.casebook.leaders import database_time, leader
from tokensleuth.casebook.runs import plan_runs
from tokensleuth.casebook.schema_acts import outbox
from tokensleuth.casebook.schema_runs import runs
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.schedule.duties import DETECT, SYNC

HOUR = timedelta(hours=1)
DAYS = 10
MISSED = 60
"""Hours put up to be judged just before the kill, as after an outage."""
SECRET = "the secret of both replicas"  # noqa: S105 - of this run only
TAKEN_OVER_S = 45.0
DRAINED_S = 10.0
_CLOSED = re.compile(r"detect of (\S+ \S+): done")


@dataclass(slots=True)
class Run:
    """One run and what it found wrong."""

    casebook: Casebook
    replicas: tuple[Served, Served]
    wrong: list[str] = field(default_factory=list)

    def check(self, what: str, holds: bool) -> None:
        sys.stdout.write(f"{'ok  ' if holds else 'FAIL'} {what}\n")
        sys.stdout.flush()
        if not holds:
            self.wrong.append(what)

    def leader(self) -> Served | None:
        with self.casebook.reading() as connection:
            name = leader(connection, database_time(connection, utc_now()))
        return next((r for r in self.replicas if name and name.startswith(f"{r.pid}-")), None)

    def states(self, duty: str) -> dict[datetime, str]:
        with self.casebook.reading() as connection:
            rows = connection.execute(select(runs.c.slot, runs.c.state).where(runs.c.duty == duty))
            return {row.slot: row.state for row in rows}

    def ended_after(self, at: datetime) -> bool:
        with self.casebook.reading() as connection:
            return connection.scalar(select(runs.c.slot).where(runs.c.finished_at > at).limit(1)) is not None

    def logs(self) -> str:
        return "".join(replica.config.with_suffix(".log").read_text("utf-8") for replica in self.replicas)


def main() -> int:
    with ExitStack() as stack:
        run = _started(stack)
        leading = _one_leads(run)
        if leading is not None:
            other = next(replica for replica in run.replicas if replica is not leading)
            _is_killed_while_it_judges(run, leading, other)
            _each_hour_is_judged_once(run)
            _ends_in_good_order(run, other)
    sys.stdout.write(f"{len(run.wrong)} wrong\n")
    return 1 if run.wrong else 0


def _one_leads(run: Run) -> Served | None:
    wait_for("a leader", lambda: run.leader() is not None, 60)
    wait_for("a first hour judged", lambda: "done" in run.states(DETECT).values(), 240)
    found = run.leader()
    run.check(
        f"process {found.pid if found else None} leads, and has judged the first hour", found is not None
    )
    return found


def _is_killed_while_it_judges(run: Run, leading: Served, other: Served) -> None:
    last = max(run.states(DETECT))
    with run.casebook.writing() as connection:
        plan_runs(connection, DETECT, [last - number * HOUR for number in range(1, MISSED + 1)], utc_now())
    wait_for("judging under way", lambda: "running" in run.states(DETECT).values(), 60)
    children = _children(leading.pid)
    os.kill(leading.pid, SIGKILL)
    killed_at, watch = utc_now(), stopwatch()
    run.check(f"the leader is killed while {len(children)} child works", len(children) == 1)
    wait_for("its child is gone", lambda: not any(_lives(child) for child in children), 20)
    run.check(f"its child ends by itself after {seconds_since(watch):.1f} s", seconds_since(watch) < 10)
    wait_for("another leader", lambda: run.leader() is other, 120)
    took = seconds_since(watch)
    run.check(f"the other replica leads {took:.1f} s after the kill", took <= TAKEN_OVER_S)
    wait_for("work done by it", lambda: run.ended_after(killed_at), 120)
    run.check(f"and has done what was due {seconds_since(watch):.1f} s after the kill", True)


def _each_hour_is_judged_once(run: Run) -> None:
    wait_for("all hours judged", lambda: set(run.states(DETECT).values()) == {"done"}, 240)
    states = run.states(DETECT)
    first, last = min(states), max(states)
    hours = int((last - first) / HOUR) + 1
    run.check(f"{len(states)} hours of {hours} are judged, none is missing", len(states) == hours > MISSED)
    closed = _CLOSED.findall(run.logs())
    run.check(f"{len(closed)} batches were closed, none of them twice", len(closed) == len(set(closed)) > 1)
    with run.casebook.reading() as connection:
        letters = list(connection.scalars(select(outbox.c.id)))
    run.check("no letter is written of ordinary hours", letters == [])
    slots = run.states(SYNC)
    run.check(f"{len(slots)} pulls, none of them failed", "failed" not in slots.values())


def _ends_in_good_order(run: Run, served: Served) -> None:
    watch = stopwatch()
    os.kill(served.pid, SIGTERM)
    wait_for("its end", lambda: not _lives(served.pid), 60)
    run.check(f"it ends {seconds_since(watch):.1f} s after SIGTERM", seconds_since(watch) <= DRAINED_S)
    with run.casebook.reading() as connection:
        found = leader(connection, database_time(connection, utc_now()))
    run.check("and lets another lead at once", found is None)
    run.check("nothing is left as running", "running" not in run.states(SYNC).values())


def _started(stack: ExitStack) -> Run:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    postgres = stack.enter_context(postgres_server())
    url = stack.enter_context(postgres.database())
    fake, openai = stack.enter_context(fake_openai_usage())
    _fill(fake, utc_now().replace(minute=0, second=0))
    environment = {
        **os.environ,
        "OPENAI_ADMIN_KEY": ADMIN_KEY,
        "TOKENSLEUTH_SECRET": SECRET,
        "COLUMNS": "200",
    }
    replicas = []
    for name in ("one", "two"):
        config = folder / f"{name}.toml"
        config.write_text(
            f'[store]\ncasebook = "{url}"\n[web]\nport = 0\n[schedule]\nsync_minutes = 1\n'
            f'[[source]]\nkind = "openai"\nbase_url = "{openai.url}/v1"\nfirst_days = {DAYS}\n'
        )
        replicas.append(stack.enter_context(started(config, folder / "ledger.duckdb", environment)))
    casebook = stack.enter_context(Casebook.open(url, key=key_from_text(SECRET)))
    return Run(casebook, (replicas[0], replicas[1]))


def _fill(fake: FakeOpenAiUsage, until: datetime) -> None:
    """The same every day."""
    fake.pages.most = 168
    for number in range(DAYS * 24):
        at = until - (number + 1) * HOUR
        requests = 100 + at.hour
        fake.add(
            at, project_id="proj_1", api_key_id="key_1", model="gpt-4o",
            input_uncached=requests * 3000, output=requests * 700, requests=requests,
        )  # fmt: skip


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] or [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def _lives(pid: int) -> bool:
    """A zombie, whose parent has not yet asked, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
