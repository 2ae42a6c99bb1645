"""A receiver killed at any moment, flushing or not, loses nothing it answered and counts nothing twice."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2

from ledger.sources.otlp_metrics import KnownSeries
from ledger.sources.otlp_scope import Naming
from ledger.store import open_ledger
from tests.otlp_cases import HOUR, START, OtlpDesk, Series
from tests.usage_builder import FRESH_ROLL_UP, STORED_ROLL_UP
from tokensleuth.otlp.intake import read_request
from tokensleuth.otlp.spool import Spool, open_spool

REQUESTS = 40
KILLED_AFTER = 7
"""Requests, about; then a new process takes its place."""
SERVE = """
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from ledger.store import open_ledger
from tests.otlp_cases import HOUR, START, OtlpDesk
from tokensleuth.otlp.receiver import create_otlp_app
from tokensleuth.otlp.settings import OtlpSettings
from tokensleuth.otlp.spool import open_spool
from tokensleuth.web.serving import served

folder = Path(sys.argv[1])
spooling = open_spool(folder / "spool.sqlite", START)
with spooling as spool, open_ledger(folder / "ledger.duckdb", wait_s=10) as ledger:
    app = create_otlp_app(spool, OtlpSettings(), lambda: START + 24 * HOUR)
    with served(app, "127.0.0.1", 0) as url:
        print(url, flush=True)
        desk = OtlpDesk(url, spool, ledger, folder, [START])
        while True:
            desk.flush(START + 24 * HOUR)
            Event().wait(0.01)
"""


@dataclass(slots=True)
class Service:
    folder: Path
    process: "subprocess.Popen[str] | None" = None
    url: str = ""
    kills: int = 0

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(self.folder)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
            env=dict(os.environ),
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None
            self.kills += 1

    def post(self, document: object) -> None:
        """Until it is answered, as an exporter does."""
        while True:
            if self.process is None:
                self.start()
            try:
                answer = httpx2.post(f"{self.url}/v1/metrics", json=document, timeout=10)
            except httpx2.TransportError:
                self.kill()
                continue
            assert answer.status_code == 200
            return


@contextmanager
def service(folder: Path) -> Iterator[Service]:
    running = Service(folder)
    try:
        yield running
    finally:
        running.kill()


def test_totals_after_kills_are_those_of_what_was_answered(tmp_path: Path) -> None:
    random_ = random.Random(0)  # noqa: S311
    delta, running = Series(service="delta"), Series(service="running", cumulative=True)
    minute = timedelta(minutes=20)
    with service(tmp_path) as served_:
        for number in range(1, REQUESTS + 1):
            end = START + number * minute
            served_.post(delta.request(delta.point("input", 10, end - minute, end)))
            if random_.random() < 1 / KILLED_AFTER:
                served_.kill()
            served_.post(running.request(running.point("input", 7 * number, START, end, calls=number)))
            if random_.random() < 1 / KILLED_AFTER:
                served_.kill()
    assert served_.kills > 3
    with (
        open_spool(tmp_path / "spool.sqlite", START) as spool,
        open_ledger(tmp_path / "ledger.duckdb") as ledger,
    ):
        desk = OtlpDesk("", spool, ledger, tmp_path, [START])
        desk.flush(START + 24 * HOUR)
        assert desk.total() == (2 * REQUESTS, 17 * REQUESTS, 0)
        connection = ledger.pulled.connection
        assert connection.execute(FRESH_ROLL_UP).fetchall() == connection.execute(STORED_ROLL_UP).fetchall()


FLUSH = SERVE.replace("while True:", "for _ in range(1):").replace("print(url, flush=True)", "")


def test_flushes_that_are_killed_leave_what_one_flush_would_have_loaded(tmp_path: Path) -> None:
    random_ = random.Random(1)  # noqa: S311
    with open_spool(tmp_path / "spool.sqlite", START) as spool:
        fill(spool)
    kills = 0
    for _ in range(6):
        command = [sys.executable, "-c", FLUSH, str(tmp_path)]
        with subprocess.Popen(command, cwd=Path(__file__).parent.parent) as process:
            try:
                process.wait(timeout=random_.uniform(1.2, 3.5))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
    with (
        open_spool(tmp_path / "spool.sqlite", START) as spool,
        open_ledger(tmp_path / "ledger.duckdb") as ledger,
    ):
        desk = OtlpDesk("", spool, ledger, tmp_path, [])
        desk.flush(START + 24 * HOUR)
        assert desk.total() == (23 * 60 * 40, 23 * 60 * 40 * 10, 0)
    assert kills


def fill(spool: Spool) -> None:
    """Forty series, exported every minute of 23 hours."""
    known = KnownSeries(Naming())
    series = [Series(service=f"s{number}") for number in range(40)]
    now = int((START + 24 * HOUR).timestamp()) * 10**9
    requests = []
    for minute in range(23 * 60):
        start = START + minute * timedelta(minutes=1)
        for one in series:
            point = one.point("input", 10, start, start + timedelta(minutes=1))
            requests.append(
                read_request("metrics", "json", json.dumps(one.request(point)).encode(), known, now)
            )
    spool.receive(requests, START)
