"""The real service as a process of its own, with the demo's ledger, told of its peers by settings."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import cast

import httpx2

from evals.child_process import stop
from evals.fake_webhook import SECRET
from tokensleuth.person import os_user

START_S = 60.0
SIGNING_SECRET = "e2e-signing-secret"  # noqa: S105 - of this run only
CAROLS_TOKEN = "carols-web-token-of-this-run"  # noqa: S105
_SERVES_AT = re.compile(r"serves at (http://127\.0\.0\.1:\d+)")


@dataclass(frozen=True, slots=True)
class Served:
    """A running service."""

    url: str
    config: Path
    ledger: Path
    environment: Mapping[str, str]
    pid: int

    def command(self, *arguments: str) -> tuple[int, dict[str, object]]:
        """Run a command of the program beside the service; its exit code and JSON."""
        whole = [*_program(), *arguments, "--json", *_where(self.config, self.ledger)]
        ran = subprocess.run(whole, env=self.environment, capture_output=True, text=True, timeout=180)
        return ran.returncode, json.loads(ran.stdout or "{}")

    def proposals(self, state: str = "all") -> list[dict[str, object]]:
        """As the command lists them."""
        _, document = self.command("proposals", "--state", state)
        return cast(list[dict[str, object]], document["items"])


@dataclass(frozen=True, slots=True)
class Peers:
    """Where the service finds what it talks with."""

    slack: str
    channel: str
    team: str
    user: str
    webhook: str


def write_settings(path: Path, peers: Peers) -> None:
    """Alice decides in Slack, Carol in the browser, whoever runs this on the command line."""
    digest = hashlib.sha256(CAROLS_TOKEN.encode()).hexdigest()
    everything = 'may = ["limit", "block", "revoke", "tell"]'
    path.write_text(
        f'[slack]\nchannel = "{peers.channel}"\nteam_id = "{peers.team}"\nbase_url = "{peers.slack}"\n'
        f'[proposals]\ngateway = "webhook"\n[gateways.webhook]\nbase_url = "{peers.webhook}"\n'
        # What is found is told by the commands of this run, not by the service on its own.
        "[schedule]\nenabled = false\n[actions]\ndry_run = false\n[web]\nport = 0\n"
        f'[[approver]]\nname = "alice"\nslack = "{peers.user}"\n{everything}\n'
        f'[[approver]]\nname = "carol"\nweb_token_sha256 = "{digest}"\n{everything}\n'
        f'[[approver]]\nname = "ops"\nos_user = "{os_user()}"\n{everything}\n',
        "utf-8",
    )


def make_demo(folder: Path) -> Path:
    """A ledger with the demo's usage, and a casebook that knows nothing yet."""
    subprocess.run([*_program(), "demo", "--dir", str(folder)], check=True, capture_output=True)
    for path in folder.glob("ledger.c*"):
        path.unlink()
    return folder / "ledger.duckdb"


@contextmanager
def service(config: Path, ledger: Path) -> Iterator[Served]:
    """Start it, wait until it says where it serves, and end it in good order."""
    environment = {
        **os.environ,
        "SLACK_BOT_TOKEN": "xoxb-e2e",
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "TOKENSLEUTH_WEBHOOK_SECRET": SECRET,
        "COLUMNS": "200",
    }
    with started(config, ledger, environment) as served:
        yield served


@contextmanager
def started(config: Path, ledger: Path, environment: Mapping[str, str]) -> Iterator[Served]:
    """The same in an environment of the caller's."""
    log = config.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*_program(), "serve", *_where(config, ledger)], env=environment, stdout=out, stderr=out
        )
    try:
        yield Served(_address(process, log), config, ledger, environment, process.pid)
    finally:
        stop(process)


def wait_for(what: str, seen: Callable[[], bool], within_s: float) -> None:
    """Until the callable gives something true; raises TimeoutError with what was waited for."""
    deadline = monotonic() + within_s
    while not seen():
        if monotonic() > deadline:
            raise TimeoutError(f"{what}: not seen within {within_s:.0f} s")
        Event().wait(0.3)


def approve_in_browser(url: str, proposal_id: str) -> int:
    """As a browser without JavaScript does: log in, read the form, send it; the status it ends with."""
    with httpx2.Client(base_url=url, follow_redirects=True, headers={"Origin": url}) as browser:
        browser.post("/login", data={"token": CAROLS_TOKEN})
        page = browser.get("/").text
        form = re.search(rf'action="(/proposals/{proposal_id}/approve)".*?</form>', page, re.DOTALL)
        if form is None:
            raise LookupError(f"no form to approve {proposal_id} in the inbox")
        fields = dict(re.findall(r'name="([^"]+)"\s+value="([^"]*)"', form.group(0)))
        return browser.post(form.group(1), data=fields).status_code


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = monotonic() + START_S
    while monotonic() < deadline and process.poll() is None:
        if found := _SERVES_AT.search(log.read_text("utf-8")):
            return found.group(1)
        Event().wait(0.1)
    raise TimeoutError(f"the service did not start: {log.read_text('utf-8')[-2000:]}")


def _program() -> list[str]:
    return [sys.executable, "-m", "tokensleuth"]


def _where(config: Path, ledger: Path) -> list[str]:
    return ["--config", str(config), "--ledger", str(ledger)]
