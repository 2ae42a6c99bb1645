"""How fast Slack is answered while detection runs: signed clicks at 50 a second for 10 seconds.

`python -m evals.acks` starts the real service on the demo's ledger, with the fake Slack, and asks it for
investigations, which it runs beside; it also tells how long a restart takes until it is ready.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import perf_counter, time
from urllib.parse import urlencode

import httpx2

from evals.e2e_slack.service import SIGNING_SECRET, Peers, Served, make_demo, service, write_settings
from evals.fake_slack import fake_slack
from evals.results import Figure, Section
from ledger.synthetic.demo import DEMO_RANGE
from tokensleuth.slackapp.signing import sign

PER_SECOND, SECONDS = 50, 10
JOBS, UNDER_WAY_S = 6, 4.0
P99_MS, MAX_MS, READY_S = 500.0, 3000.0, 10.0
_TEAM, _CHANNEL, _USER = "T0000001", "C0000001", "U0000001"


@dataclass(frozen=True, slots=True)
class Acks:
    """What was measured."""

    answered: int
    refused: int
    """Answers that were not 200."""
    p50_ms: float
    p99_ms: float
    max_ms: float
    ready_s: float
    """From starting the process to serving, the second time."""


def measured() -> Acks:
    """Run it once."""
    with tempfile.TemporaryDirectory(prefix="tokensleuth-acks-") as name:
        folder = Path(name)
        ledger = make_demo(folder)
        with fake_slack(folder / "slack.jsonl") as slack:
            config = folder / "tokensleuth.toml"
            write_settings(config, Peers(slack.base_url, _CHANNEL, _TEAM, _USER, "http://127.0.0.1:9/hook"))
            with service(config, ledger):
                pass
            began = perf_counter()
            with service(config, ledger) as served:
                ready_s = perf_counter() - began
                with _detecting(served):
                    answers = _clicked(served.url)
    taken = sorted(ms for ms, _ in answers)
    return Acks(
        answered=len(answers),
        refused=sum(status != 200 for _, status in answers),
        p50_ms=taken[len(taken) // 2],
        p99_ms=taken[int(len(taken) * 0.99)],
        max_ms=taken[-1],
        ready_s=ready_s,
    )


def section(acks: Acks) -> Section:
    """As it stands in RESULTS.md."""
    figures = (
        Figure("clicks answered", acks.answered, f"at {PER_SECOND} a second, while detection runs"),
        Figure("answers that were not 200", acks.refused, "", "0", acks.refused == 0),
        Figure("median", acks.p50_ms, "ms"),
        Figure("99th percentile", acks.p99_ms, "ms", f"under {P99_MS:.0f}", acks.p99_ms < P99_MS),
        Figure("longest", acks.max_ms, "ms", f"under {MAX_MS:.0f}", acks.max_ms < MAX_MS),
        Figure("restart to ready", acks.ready_s, "s", f"under {READY_S:.0f}", acks.ready_s < READY_S),
    )
    return Section("Answering Slack", "python -m evals.acks", figures)


@contextmanager
def _detecting(served: Served) -> Iterator[None]:
    """Investigations of the demo's week, as people ask for them: the service runs one after the other."""
    span = f"{DEMO_RANGE.start_at:%Y-%m-%d}..{DEMO_RANGE.end_at:%Y-%m-%d}"
    with httpx2.Client(base_url=served.url, timeout=30) as client:
        for number in range(JOBS):
            body, headers = _signed_form(_command(span, number))
            client.post("/slack/commands", content=body, headers=headers).raise_for_status()
    Event().wait(UNDER_WAY_S)
    yield


def _clicked(url: str) -> list[tuple[float, int]]:
    """Milliseconds and status of each answer; a click is sent when it is due, whatever the others do."""
    began = perf_counter()
    with httpx2.Client(base_url=url, timeout=30) as client, ThreadPoolExecutor(32) as pool:

        def click(number: int) -> tuple[float, int]:
            wait = began + number / PER_SECOND - perf_counter()
            Event().wait(max(wait, 0))
            body, headers = _signed_form(_click(number))
            sent = perf_counter()
            status = client.post("/slack/actions", content=body, headers=headers).status_code
            return (perf_counter() - sent) * 1000, status

        return list(pool.map(click, range(PER_SECOND * SECONDS)))


def _command(span: str, number: int) -> dict[str, str]:
    return {
        "command": "/investigate",
        "text": span,
        "team_id": _TEAM,
        "channel_id": _CHANNEL,
        "user_id": _USER,
        "user_name": "alice",
        "trigger_id": f"{number}.0",
    }


def _click(number: int) -> dict[str, str]:
    payload = {
        "type": "block_actions",
        "user": {"id": _USER, "username": "alice", "team_id": _TEAM},
        "team": {"id": _TEAM, "domain": "bench"},
        "channel": {"id": _CHANNEL, "name": "finops"},
        "container": {"type": "message", "message_ts": "1.2", "channel_id": _CHANNEL, "is_ephemeral": False},
        "message": {"ts": "1.2"},
        "actions": [{"type": "button", "action_id": "approve", "value": f"x.{number}", "action_ts": "1.2"}],
        "trigger_id": f"{number}.1",
        "api_app_id": "A1",
    }
    return {"payload": json.dumps(payload)}


def _signed_form(fields: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    body, at = urlencode(fields).encode(), str(int(time()))
    return body, {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": sign(body, SIGNING_SECRET, at),
        "Content-Type": "application/x-www-form-urlencoded",
    }


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    acks = measured()
    print(acks)
    return 0 if all(figure.met is not False for figure in section(acks).figures) else 1


if __name__ == "__main__":
    sys.exit(main())
