"""Settings, a ledger, a casebook and a proxy on loopback, for commands that decide and act."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from evals.fake_litellm import FakeLiteLlm, fake_litellm
from ledger.window import instant_text
from tests.cli_runner import Ran, run, run_json
from tests.decision_builders import SMALL, asked_for, propose
from tests.usage_builder import usage, write
from tokensleuth.app import App, Overrides
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.records import Touched
from tokensleuth.clock import utc_now
from tokensleuth.people import token_digest
from tokensleuth.person import os_user

KEY = sha256(b"k1").hexdigest()
SETTINGS = """
[actions]
dry_run = {dry_run}
max_spend_share = 1.0
[gateways.litellm]
base_url = "{url}"
[[approver]]
name = "me"
os_user = "{os_user}"
may = {may}
[[approver]]
name = "alice"
slack = "U0ALICE"
os_user = "unix-alice"
web_token_sha256 = "{token}"
may = ["limit", "block", "revoke", "tell"]
"""


@dataclass(slots=True)
class Office:
    """A folder with settings, a ledger and a casebook, and the proxy they lead to."""

    folder: Path
    proxy: FakeLiteLlm

    def allow(self, *may: str, dry_run: bool = False) -> None:
        values = {
            "dry_run": str(dry_run).lower(),
            "url": self.proxy.url,
            "os_user": os_user(),
            "may": list(may),
            "token": token_digest("token of alice"),
        }
        (self.folder / "tokensleuth.toml").write_text(SETTINGS.format(**values), "utf-8")

    @property
    def options(self) -> list[str]:
        return [f"--config={self.folder}/tokensleuth.toml", f"--ledger={self.folder}/l.duckdb"]

    @property
    def app(self) -> App:
        return App.configured(Overrides(self.folder / "tokensleuth.toml", self.folder / "l.duckdb"))

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/l.casebook.sqlite"

    def run(self, *arguments: str) -> Ran:
        return run_json(*arguments, *self.options)

    @contextmanager
    def casebook(self) -> Iterator[Casebook]:
        with Casebook.open(self.url) as opened:
            yield opened

    def propose(
        self,
        action: str = "set_rate_limit",
        *,
        gateway: str = "litellm",
        requested_by: str = "service:schedule",
        hours: float = 4,
    ) -> str:
        expires_at = instant_text((utc_now() + timedelta(hours=hours)).replace(microsecond=0))
        target = {"gateway": gateway, "team": "search", "key_id": KEY}
        with self.casebook() as casebook:
            document = asked_for(action, target=target, expires_at=expires_at)
            touched = Touched(SMALL.spend_share, "search")
            return propose(casebook, document, requested_by=requested_by, touched=touched, at=utc_now())


@contextmanager
def office_in(folder: Path) -> Iterator[Office]:
    """Where the OS user may everything; the proxy serves until the block ends."""
    with fake_litellm() as proxy:
        proxy.add_key(KEY)
        made = Office(folder, proxy)
        made.allow("limit", "block", "revoke", "tell")
        rows = [usage(team="search", key_id=KEY, input_tokens=1_000_000)]
        assert run("ingest", write(folder / "u.csv", rows), *made.options).exit_code == 0
        yield made


def answer(ran: Ran) -> tuple[int, str]:
    """The exit code, and what the person is told."""
    told = ran.document.get("answer") or {"told": ran.document.get("error")}
    assert isinstance(told, dict)
    return ran.exit_code, str(told["told"])
