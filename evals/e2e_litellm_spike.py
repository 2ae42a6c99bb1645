"""A spike that is really made at a real LiteLLM proxy: found, told, limited at the proxy, and taken back.

    make e2e-litellm-spike

Six virtual keys of three teams call models through the proxy; npm aimock answers behind it and bills 20,000
tokens a call. Two things are not as in life, both in the proxy's own database: three weeks of history are
copies of rows that the proxy wrote for real calls, and the rows of the loop, whose calls are all made within
seconds, are spread over the three last whole hours, since the hour that is open is never judged. One line a
check; status 1 where any failed.
"""

import hashlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

import httpx2
from pydantic import SecretStr

from evals.aimock_peer import aimock_peer
from evals.e2e_slack.service import CAROLS_TOKEN, Served, approve_in_browser, started, wait_for
from evals.fake_slack import FakeSlack, fake_slack
from evals.fake_workspace import doubled
from evals.litellm_peer.install import PeerAbsentError, PeerBrokenError
from evals.litellm_peer.proxy import Peer, litellm_peer
from evals.litellm_peer.spend_rows import SpendRows, spend_rows
from evals.litellm_peer.traffic import HOUR, REPLIES, Proxy, Row, VirtualKey, make_history, proxy_settings
from evals.unavailable import Unavailable, skipped
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.gateways.http import JsonHttp
from tokensleuth.person import os_user

DAYS = 21
SPIKING, BESIDE = "search-1", "search-2"
"""Two keys of one team."""
LOOP_CALLS = 600
CALL_USD = Decimal("0.06")
"""20,000 tokens in and 1,000 out of gpt-4o."""
JUDGED_S = 900.0
"""For a pull and what follows it; the first one asks for 84 windows. A busy machine takes minutes."""
WRITTEN_S = 120.0
"""For what takes seconds where the machine is idle."""
BEYOND = 20
"""Calls at once; a minute's worth of the usual is less than one."""
FORGETS_S = 75.0
"""A proxy keeps keys in memory for up to 60 s."""
CHANNEL = "C0FINOPS"
CENT = Decimal("0.01")


@dataclass(slots=True)
class Run:
    """One run and what it found wrong."""

    proxy: Proxy
    rows: SpendRows
    slack: FakeSlack
    keys: Mapping[str, VirtualKey]
    """By alias."""
    served: Served
    wrong: list[str] = field(default_factory=list)

    @property
    def key(self) -> VirtualKey:
        return self.keys[SPIKING]

    def counted_usd(self) -> Decimal:
        """What the proxy counts at the key itself, beside its rows."""
        return Decimal(str(self.proxy.info(self.key)["spend"]))

    def limit(self) -> tuple[object, object]:
        """Requests and tokens a minute."""
        info = self.proxy.info(self.key)
        return info["rpm_limit"], info["tpm_limit"]

    def check(self, what: str, holds: bool) -> None:
        print(f"{'ok  ' if holds else 'FAIL'} {what}", flush=True)
        if not holds:
            self.wrong.append(what)

    def listed(self, *arguments: str) -> list[Row]:
        return cast(list[Row], self.served.command(*arguments)[1]["items"])

    def duty(self, name: str) -> Row:
        return next(item for item in self.listed("schedule") if item["duty"] == name)

    def complete_until(self) -> datetime:
        """As the last pull that is done says; one may be under way."""
        found: list[str] = []

        def seen() -> bool:
            document = cast(Row | None, self.duty("sync")["document"])
            found[:] = [str(document["complete_until"])] if document else []
            return bool(found)

        wait_for("a pull that is done", seen, JUDGED_S)
        return datetime.fromisoformat(found[0])

    def state(self, proposal_id: str) -> str:
        return next(str(p["state"]) for p in self.served.proposals() if p["id"] == proposal_id)


def main() -> int:
    # So that the peers end with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = stopwatch()
    try:
        with _running() as run:
            _history_flows(run)
            incident = _spike_is_found(run)
            _is_told_right(run, incident)
            _is_told_once(run, incident)
            _is_limited_and_freed(run)
    except (PeerAbsentError, Unavailable) as absent:
        return skipped(absent)
    except PeerBrokenError as broken:
        print(f"FAIL {broken}")
        return 1
    print(f"{len(run.wrong)} wrong, {seconds_since(began):.0f} s")
    return 1 if run.wrong else 0


def _history_flows(run: Run) -> None:
    wait_for("hours judged", lambda: run.duty("detect")["state"] == "done", JUDGED_S)
    until = run.complete_until()
    run.check(f"spend logs are pulled until {until}, and judged", True)
    run.check("nothing is told of ordinary hours", run.listed("incidents") == [])
    first = until - DAYS * 24 * HOUR
    told, spent = _ledger_usd(run, first, until), run.rows.spent(first, until)
    run.check(f"the ledger has {told} USD, the proxy {spent}", abs(told - spent) < CENT)


def _spike_is_found(run: Run) -> Row:
    """A loop: one key asks the same over and over, as fast as it is answered."""
    before, since = run.counted_usd(), utc_now()
    statuses = run.proxy.called(run.key, LOOP_CALLS)
    run.check(f"{LOOP_CALLS} calls are answered through the proxy", statuses == [200] * LOOP_CALLS)
    wait_for("their spend rows", lambda: run.rows.count(run.key.key_id, since) >= LOOP_CALLS, WRITTEN_S)
    until = run.complete_until()
    moved = run.rows.spread(run.key.key_id, since, until - 3 * HOUR, until)
    run.check(f"the proxy wrote a spend row for each: {moved}", moved == LOOP_CALLS)
    more = before + LOOP_CALLS * CALL_USD
    wait_for("its count of the key", lambda: abs(run.counted_usd() - more) < CENT, WRITTEN_S)
    run.check(f"and counts {LOOP_CALLS * CALL_USD} USD more for the key", True)
    asked = stopwatch()
    wait_for("an incident", lambda: bool(run.listed("incidents")), JUDGED_S)
    run.check(f"the spike is found {seconds_since(asked):.0f} s after its rows were there", True)
    return run.listed("incidents")[0]


def _is_told_right(run: Run, incident: Row) -> None:
    scope = cast(Row, incident["scope"])
    run.check(f"at the key that loops, {SPIKING}: {scope}", scope.get("key_id") == run.key.key_id)
    run.check(f"{incident['verdict']}: {incident['cause']}", incident["cause"] == "runaway_loop")
    start_at, end_at = (datetime.fromisoformat(str(incident[name])) for name in ("start_at", "end_at"))
    actual, spent = Decimal(str(incident["actual_usd"])), run.rows.spent(start_at, end_at, run.key.key_id)
    run.check(
        f"{actual} USD in it from {start_at} to {end_at}, the proxy has {spent}", abs(actual - spent) < CENT
    )
    run.check(f"{incident['delta_usd']} USD of it are above the expectation", _effects_add_up(incident))


def _effects_add_up(incident: Row) -> bool:
    effects = cast(list[Row], incident["effects"])
    return sum(Decimal(str(effect["usd"])) for effect in effects) == Decimal(str(incident["delta_usd"]))


def _is_told_once(run: Run, incident: Row) -> None:
    """An alert of its own in the channel; what is told later of it stands in its thread."""

    def alerts() -> list[Row]:
        told = run.slack.workspace.messages(CHANNEL)
        return [m for m in told if not m["thread_ts"] and str(incident["id"]) in json.dumps(m)]

    wait_for("an alert in Slack", lambda: bool(alerts()), WRITTEN_S)
    run.check("one alert is in the channel", len(alerts()) == 1)
    run.check("and it names the key", run.key.key_id in json.dumps(alerts()))


def _is_limited_and_freed(run: Run) -> None:
    waiting = [p for p in run.served.proposals("pending") if p["action"] == "set_rate_limit"]
    run.check("a rate limit at LiteLLM is proposed", bool(waiting))
    if not waiting:
        return
    proposal_id, asked = str(waiting[0]["id"]), cast(dict[str, int], waiting[0]["parameters"])
    run.check(f"of the key, which has none: {asked}", run.limit() == (None, None))
    # It touches more than 5 % of the day's spend, so a second person must say so too.
    run.check("carol approves in the browser", approve_in_browser(run.served.url, proposal_id) == 200)
    code, _ = run.served.command("approve", proposal_id)
    run.check("a second person approves by command", code == 0)
    wait_for(
        "the action", lambda: run.state(proposal_id) not in ("approved", "executing", "pending"), WRITTEN_S
    )
    run.check(f"it is {run.state(proposal_id)}, which is verified", run.state(proposal_id) == "done")
    wanted = asked.get("requests_per_minute"), asked.get("tokens_per_minute")
    run.check(f"the proxy has the limit {run.limit()}", run.limit() == wanted)
    statuses = run.proxy.called(run.key, BEYOND)
    told = (
        f"of {BEYOND} calls at once {statuses.count(200)} are served, {statuses.count(429)} refused with 429"
    )
    run.check(told, statuses.count(429) > 0 and set(statuses) <= {200, 429})
    run.check("and so is a further one", run.proxy.called(run.key, 1) == [429])
    run.check("the other key of the team is served", run.proxy.called(run.keys[BESIDE], 1) == [200])
    code, _ = run.served.command("undo", proposal_id)
    run.check("it is undone by command", code == 0 and run.limit() == (None, None))
    wait_for("service again", lambda: run.proxy.called(run.key, 1) == [200], FORGETS_S)
    run.check("and the key is served again", run.proxy.called(run.key, BEYOND) == [200] * BEYOND)
    run.check("Slack was told nothing twice", doubled(run.slack.workspace.effects) == [])
    code, _ = run.served.command("audit", "verify")
    run.check("the audit trail holds", code == 0)


def _ledger_usd(run: Run, start_at: datetime, end_at: datetime) -> Decimal:
    """All that the ledger says was billed."""
    _, document = run.served.command("billing", f"{start_at.isoformat()}..{end_at.isoformat()}")
    return Decimal(str(document["billed_usd"]))


@contextmanager
def _running() -> Iterator[Run]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(aimock_peer(REPLIES))
        (folder / "litellm.yaml").write_text(proxy_settings(upstream), "utf-8")
        peer = stack.enter_context(litellm_peer(folder / "litellm.yaml"))
        bearer = {"Authorization": SecretStr(f"Bearer {peer.master_key}")}
        proxy = Proxy(
            stack.enter_context(httpx2.Client(base_url=peer.url, timeout=60.0, trust_env=False)),
            stack.enter_context(closing(JsonHttp(peer.url, bearer, 30.0))),
        )
        rows, keys = stack.enter_context(spend_rows(peer.database)), proxy.made()
        print(f"{make_history(proxy, rows, keys.values(), DAYS)} rows of history", flush=True)
        slack = stack.enter_context(fake_slack(folder / "slack.jsonl"))
        config = folder / "tokensleuth.toml"
        config.write_text(_settings(peer, slack), "utf-8")
        environment = {**os.environ, "LITELLM_MASTER_KEY": peer.master_key, "SLACK_BOT_TOKEN": "xoxb-e2e",
                       "SLACK_SIGNING_SECRET": "of this run", "COLUMNS": "200"}  # fmt: skip
        served = stack.enter_context(started(config, folder / "ledger.duckdb", environment))
        yield Run(proxy, rows, slack, keys, served)


def _settings(peer: Peer, slack: FakeSlack) -> str:
    """The addresses of the peers, and who may decide: all else is as it comes."""
    digest = hashlib.sha256(CAROLS_TOKEN.encode()).hexdigest()
    may = 'may = ["limit", "block", "tell"]'
    return (
        f'[slack]\nchannel = "{CHANNEL}"\nbase_url = "{slack.base_url}"\n'
        f'[[source]]\nkind = "litellm"\nbase_url = "{peer.url}"\nfirst_days = {DAYS}\n'
        f'[gateways.litellm]\nbase_url = "{peer.url}"\n[proposals]\ngateway = "litellm"\n'
        "[actions]\ndry_run = false\n[web]\nport = 0\n"
        f'[[approver]]\nname = "carol"\nweb_token_sha256 = "{digest}"\n{may}\n'
        f'[[approver]]\nname = "ops"\nos_user = "{os_user()}"\n{may}\n'
    )


if __name__ == "__main__":
    sys.exit(main())
