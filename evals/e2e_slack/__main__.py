"""Runs it: three incidents, decided in Slack, in the browser and on the command line; each is done once."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import time
from typing import cast

from pydantic import JsonValue
from slack_sdk import WebClient

from evals.e2e_slack.service import (
    Peers,
    Served,
    approve_in_browser,
    make_demo,
    service,
    wait_for,
    write_settings,
)
from evals.e2e_slack.slack_user import Row, SlackUser, button_of, buttons
from evals.fake_webhook import FakeWebhook, fake_webhook
from evals.slack_peer import slack_peer
from evals.unavailable import Unavailable, skipped
from ledger.synthetic.demo import DEMO_RANGE

_SEED: Mapping[str, JsonValue] = {
    "team": {"name": "e2e", "domain": "e2e"},
    "users": [
        {"name": "alice", "email": "alice@example.com"},
        {"name": "bob", "email": "bob@example.com"},
    ],
    "channels": [{"name": "finops"}],
}


@dataclass(slots=True)
class Run:
    """What is played with, and what held so far."""

    served: Served
    user: SlackUser
    """Alice, an approver."""
    bob: SlackUser
    """Who is none."""
    webhook: FakeWebhook
    held: dict[str, bool] = field(default_factory=dict)

    def check(self, what: str, holds: bool) -> None:
        self.held[what] = holds
        print(f"{'ok    ' if holds else 'FAILED'} {what}", flush=True)

    def proposal(self, action: str, key: str) -> dict[str, object]:
        """The proposal of that action on the key whose name begins so."""
        found = self.served.proposals()
        return next(
            p
            for p in found
            if p["action"] == action and str(cast(Row, p["target"]).get("key_id", "")).startswith(key)
        )

    def state(self, proposal_id: str) -> str:
        return str(next(p for p in self.served.proposals() if p["id"] == proposal_id)["state"])

    def wait_done(self, proposal_id: str) -> None:
        wait_for(f"{proposal_id} is done", lambda: self.state(proposal_id) == "done", 60)


def main() -> int:
    """0 when everything held, or when a peer is missing and that is allowed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="write the messages of the channel here as JSON")
    given = parser.parse_args()
    try:
        with _running() as run:
            for step in STEPS:
                step(run)
            if given.keep:
                given.keep.write_text(json.dumps(run.user.messages(), indent=2), "utf-8")
    except Unavailable as missing:
        return skipped(missing)
    failed = [what for what, holds in run.held.items() if not holds]
    print(f"{len(run.held) - len(failed)} of {len(run.held)} held")
    return 1 if failed else 0


def is_told_of(run: Run) -> None:
    """The slash command answers at once; then three alerts, each with its chart and its buttons."""
    last = DEMO_RANGE.end_at - timedelta(hours=1)
    asked = f"{DEMO_RANGE.start_at:%Y-%m-%d}..{last:%Y-%m-%d}"
    run.check("/investigate answers 200", run.bob.command(asked) == 200)
    wait_for("three alerts", lambda: len(_alerts(run)) == 3, 120)
    alerts = _alerts(run)
    run.check("three alerts, one for each incident", len(alerts) == 3)
    run.check("each has a chart", all("slack_file" in json.dumps(a) for a in alerts))
    wait_for("the answer to the command", lambda: len(run.user.messages()) >= 4, 30)
    run.check("the command is answered in the channel", len(run.user.messages()) == 4)
    asker = f"slack:{run.bob.team}/{run.bob.user}"
    run.check("the proposals say who asked", {p["requested_by"] for p in run.served.proposals()} == {asker})


def is_refused_to_a_stranger(run: Run) -> None:
    """Bob, who is no approver, presses Approve: nothing happens, and that is recorded."""
    proposal = run.proposal("set_rate_limit", "key-data-platform")
    message = run.bob.message_of(str(proposal["incident_id"]))
    button = button_of(message, "approve", str(proposal["id"]))
    run.check("his click is answered 200", run.bob.press(message, button) == 200)
    wait_for("the refusal is recorded", lambda: _audited(run, "refused", str(proposal["id"])), 30)
    run.check("and decides nothing", run.state(str(proposal["id"])) == "pending")


def is_approved_in_slack(run: Run) -> None:
    """Alice approves with a button."""
    proposal = run.proposal("set_rate_limit", "key-data-platform")
    message = run.user.message_of(str(proposal["incident_id"]))
    button = button_of(message, "approve", str(proposal["id"]))
    before = run.webhook.changes
    codes = [run.user.press(message, button) for _ in range(5)]
    run.check("five clicks in a second are answered 200", codes == [200] * 5)
    run.wait_done(str(proposal["id"]))
    run.check("done once at the gateway", run.webhook.changes == before + 1)
    wait_for("its thread tells of it", lambda: len(run.user.thread(message)) >= 2, 30)
    wait_for("its buttons are gone", lambda: not _has_button(run, proposal, "approve"), 30)
    run.check("the message was updated in place", len(_alerts(run)) == 3)
    codes = run.user.replay()
    run.check("replays byte for byte are answered 200", set(codes) == {200})
    run.check("and change nothing", run.webhook.changes == before + 1)


def is_approved_in_the_browser(run: Run) -> None:
    """Carol approves a block in the web inbox."""
    proposal, before = run.proposal("block_key", "key-mobile-prod"), run.webhook.changes
    run.check("the inbox takes it", approve_in_browser(run.served.url, str(proposal["id"])) == 200)
    run.wait_done(str(proposal["id"]))
    run.check("done once at the gateway", run.webhook.changes == before + 1)
    wait_for("Slack shows it", lambda: not _has_button(run, proposal, "approve"), 30)
    message = run.user.message_of(str(proposal["incident_id"]))
    run.check("Slack's message says who", "carol" in json.dumps(message))


def is_approved_by_command(run: Run) -> None:
    """Whoever runs this approves on the command line, beside the running service."""
    proposal, before = run.proposal("set_rate_limit", "key-mobile-prod"), run.webhook.changes
    code, document = run.served.command("approve", str(proposal["id"]), "--reason", "e2e")
    run.check("the command exits 0 and shows it done", (code, document.get("state")) == (0, "done"))
    run.check("done once at the gateway", run.webhook.changes == before + 1)
    code, _ = run.served.command("approve", str(proposal["id"]))
    run.check("a second approval is refused with exit code 2", code == 2)


def is_undone_in_slack(run: Run) -> None:
    """The Undo button restores what was there."""
    proposal = run.proposal("set_rate_limit", "key-data-platform")
    message, before = run.user.message_of(str(proposal["incident_id"])), run.webhook.changes
    run.user.press(message, button_of(message, "undo", str(proposal["id"])))
    wait_for("the undo reaches the gateway", lambda: run.webhook.changes == before + 1, 30)
    wait_for("its button is gone", lambda: not _has_button(run, proposal, "undo"), 30)
    run.check("undone once", run.webhook.changes == before + 1)


def is_whole_at_the_end(run: Run) -> None:
    """Feedback is kept, nothing waits, the trail is whole."""
    proposal = run.proposal("block_key", "key-mobile-prod")
    incident = str(proposal["incident_id"])
    message = run.user.message_of(incident)
    run.user.press(message, button_of(message, "real", incident))
    wait_for("the feedback is recorded", lambda: _audited(run, "said real", incident), 30)
    code, document = run.served.command("audit", "verify")
    run.check("the audit trail is whole", code == 0 and document["whole"] is True)
    ids = [json.dumps(m.get("metadata")) for m in run.user.messages()]
    run.check("no message twice", len(set(ids)) == len(ids))
    run.check("the webhook saw no forged or repeated request", not run.webhook.faults)


STEPS: tuple[Callable[[Run], None], ...] = (
    is_told_of,
    is_refused_to_a_stranger,
    is_approved_in_slack,
    is_approved_in_the_browser,
    is_approved_by_command,
    is_undone_in_slack,
    is_whole_at_the_end,
)


@contextmanager
def _running() -> Iterator[Run]:
    with tempfile.TemporaryDirectory(prefix="tokensleuth-e2e-") as name, slack_peer(_SEED) as slack:
        folder = Path(name)
        client = WebClient(token="xoxb-e2e", base_url=slack, retry_handlers=[])  # noqa: S106
        channel, team, alice, bob = _of_slack(client)
        ledger = make_demo(folder)
        with fake_webhook(time) as (webhook, loopback):
            peers = Peers(slack, channel, team, alice, f"{loopback.url}/hook")
            config = folder / "tokensleuth.toml"
            write_settings(config, peers)
            with service(config, ledger) as served:
                people = [SlackUser(client, channel, team, user, served.url) for user in (alice, bob)]
                yield Run(served, people[0], people[1], webhook)


def _of_slack(client: WebClient) -> tuple[str, str, str, str]:
    """The channel, the workspace, Alice and Bob."""
    channels = cast(list[dict[str, str]], client.conversations_list()["channels"])
    users = cast(list[dict[str, str]], client.users_list()["members"])
    channel = next(c["id"] for c in channels if c["name"] == "finops")
    alice, bob = (next(u["id"] for u in users if u["name"] == name) for name in ("alice", "bob"))
    return channel, str(client.auth_test()["team_id"]), alice, bob


def _alerts(run: Run) -> list[Row]:
    return [m for m in run.user.messages() if list(buttons(m))]


def _has_button(run: Run, proposal: Row, verb: str) -> bool:
    message = run.user.message_of(str(proposal["incident_id"]))
    try:
        button_of(message, verb, str(proposal["id"]))
    except LookupError:
        return False
    return True


def _audited(run: Run, what: str, subject: str) -> bool:
    _, document = run.served.command("audit", "list", "--of", subject)
    return any(entry["what"] == what for entry in cast(list[Row], document["items"]))


if __name__ == "__main__":
    sys.exit(main())
