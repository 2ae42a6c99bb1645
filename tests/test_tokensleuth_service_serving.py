"""The real process: ready in seconds, alone on its casebook, and gone in good order when it is told."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM
from threading import Event
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import pytest

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.service.anchors import anchor_file

READY_S = 10.0
"""Of its own processor time: how long that takes by the clock depends on what else this machine does."""
DRAIN_S = 10.0
ADDRESS = re.compile(r"tokensleuth serves at (http://\S+)")


@dataclass(slots=True)
class Served:
    """A running service."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    log: Path
    began: float

    def address(self) -> str | None:
        found = ADDRESS.search(self.log.read_text("utf-8"))
        return found[1] if found else None

    def ready(self) -> float:
        """Seconds of processor time from its start to the first healthy answer."""
        while seconds_since(self.began) < 60 and self.process.poll() is None:
            address = self.address()
            if address and _is_healthy(address):
                return self._processor_s()
            Event().wait(0.02)
        pytest.fail(f"not ready: {self.log.read_text('utf-8')}")

    def _processor_s(self) -> float:
        """User and system time, fields 14 and 15 of proc_pid_stat(5)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _is_healthy(address: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(f"{address}/healthz", timeout=5) as answer:
            return bool(json.load(answer)["ok"])
    except URLError:
        return False


@contextmanager
def serving(folder: Path, name: str = "service") -> Iterator[Served]:
    log = folder / f"{name}.log"
    command = [sys.executable, "-m", "tokensleuth", "serve", "--port", "0",
               "--ledger", str(folder / "ledger.duckdb")]  # fmt: skip
    hidden = ("TOKENSLEUTH", "SLACK", "LITELLM", "OPENAI", "ANTHROPIC")
    environment = {n: v for n, v in os.environ.items() if not n.startswith(hidden)}
    with log.open("wb") as out:
        began = stopwatch()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)
    try:
        yield Served(process, folder, log, began)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_it_is_ready_soon_stays_alone_and_drains_when_it_is_told(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        assert first.ready() < READY_S
        with serving(tmp_path, "second") as second:
            assert second.process.wait(30) != 0
            told = second.log.read_text("utf-8")
            assert f"process {first.process.pid} works on this casebook already" in told
        began = stopwatch()
        first.process.send_signal(SIGTERM)
        assert first.process.wait(30) == 0
        assert seconds_since(began) < DRAIN_S


def test_after_a_kill_the_next_one_is_ready_as_soon(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        first.ready()
        first.process.send_signal(SIGKILL)
        first.process.wait(10)
    with serving(tmp_path, "next") as following:
        assert following.ready() < READY_S
        assert "dry run" in following.log.read_text("utf-8")


def test_it_starts_without_what_only_investigations_need() -> None:
    heavy = "{'langgraph', 'sklearn', 'statsmodels', 'openai'}"
    code = f"import sys, tokensleuth.service.serving; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_trail_that_lost_its_end_is_red_from_the_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.casebook.sqlite"
    with Casebook.open(url) as casebook, casebook.writing() as connection:
        append_entry(connection, Entry("a", "did", "x", {}, utc_now()), casebook.key)
    anchor = anchor_file(url)
    assert anchor is not None
    anchor.write_text(f"2:{'0' * 64}\n", "utf-8")
    with serving(tmp_path) as served:
        while served.address() is None and served.process.poll() is None:
            Event().wait(0.05)
        with pytest.raises(HTTPError, match="503") as refused:
            build_opener(ProxyHandler({})).open(f"{served.address()}/healthz", timeout=5)
        health = json.load(refused.value)
        refused.value.close()
    assert "missing at the end" in health["failing"]["audit"]
