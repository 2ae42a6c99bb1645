"""One of the processes that race: clicks from threads that start together, beside an executor.

    python -m evals.racing CASEBOOK_URL GATEWAY_URL

reads trials as lines of JSON, `[PROPOSAL, [CLICK, ...]]`, and answers each with the outcomes of its clicks.
"""

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier, Event, Thread
from typing import Final, Literal

from pydantic import SecretStr

from evals.fake_litellm import MASTER_KEY
from ledger.scope import Scope
from tokensleuth.acting.executor import Executor
from tokensleuth.acting.guards import GuardRails
from tokensleuth.approvals import Request, decide
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.decided import Verdict, read_asked
from tokensleuth.casebook.records import Touched
from tokensleuth.clock import utc_now
from tokensleuth.gateways.choosing import Gateways, GatewaySettings
from tokensleuth.people import Approver, Identity, People, token_digest
from tokensleuth.service.acting_parts import worker_name
from tokensleuth.settings_acts import Actions

KEY: Final = b"the casebook key of the races"
NAMES = ("alice", "bob", "carol", "dave")
TEAM = "T0RACE"
Door = Literal["slack", "web", "os"]


@dataclass(frozen=True, slots=True)
class Click:
    """One of a person, through one of their doors."""

    name: str
    door: Door
    verdict: Verdict

    @property
    def by(self) -> Identity:
        names = {"slack": f"{TEAM}/U0{self.name.upper()}", "web": self.name, "os": f"unix-{self.name}"}
        return Identity(self.door, names[self.door])


@dataclass(frozen=True, slots=True)
class Trial:
    """A proposal and the clicks on it."""

    proposal_id: str
    incident_id: str
    action: str
    clicks: Sequence[Click]


@dataclass(frozen=True, slots=True)
class KnownSpend:
    """Every target is small and unchanged."""

    def touched(self, scope: Scope) -> Touched:
        return Touched(0.01, "search", frozenset({scope.as_dict()["key_id"]}))


def rules() -> ApprovalRules:
    listed = tuple(
        Approver(
            name=name,
            slack=f"U0{name.upper()}",
            os_user=f"unix-{name}",
            web_token_sha256=token_digest(name),
            may=("limit", "block", "revoke"),
        )
        for name in NAMES
    )
    return ApprovalRules(People(listed, TEAM))


def executor(casebook: Casebook, gateway_url: str) -> Executor:
    """One whose guard rails count no actions, since all trials are of one day."""
    actions = Actions(dry_run=False, max_actions_per_day=100_000, max_revocations_per_day=100_000)
    return Executor(
        casebook=casebook,
        gateways=Gateways({"litellm": GatewaySettings(SecretStr(MASTER_KEY), gateway_url)}),
        rails=GuardRails(rules(), actions),
        spend=KnownSpend(),
        owner=worker_name(),
        clock=utc_now,
    )


def answers(casebook: Casebook, worker: Executor, proposal_id: str, clicks: Sequence[Click]) -> Sequence[str]:
    """All at once; then until nothing of what was approved is left to be done here."""
    clicked = Event()
    acting = Thread(target=_execute, args=(worker, clicked))
    acting.start()
    with casebook.reading() as connection:
        asked = read_asked(connection, proposal_id)
    seen = asked.payload_hash if asked else None
    together = Barrier(len(clicks))

    def click(one: Click) -> str:
        request = Request(proposal_id, one.verdict, one.by, seen, "raced")
        together.wait()
        return decide(casebook, request, rules(), utc_now()).outcome

    try:
        with ThreadPoolExecutor(len(clicks)) as threads:
            return list(threads.map(click, clicks))
    finally:
        clicked.set()
        acting.join()


def _execute(worker: Executor, clicked: Event) -> None:
    while True:
        over = clicked.is_set()
        if not worker.run_one() and over:
            return
        clicked.wait(0.001)


def main() -> None:
    casebook_url, gateway_url = sys.argv[1:]
    with Casebook.open(casebook_url, key=KEY) as casebook:
        worker = executor(casebook, gateway_url)
        print("ready", flush=True)
        for line in sys.stdin:
            proposal_id, clicks = json.loads(line)
            told = answers(casebook, worker, proposal_id, [Click(**click) for click in clicks])
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
