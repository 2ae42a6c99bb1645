"""The process that is killed: the service's inbox, executor, outbox and clock, without ledger and web pages.

It loads first, then reads its Order as one line of JSON from stdin, prints its port, and works until stdin
ends.
"""

import json
import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from pydantic import SecretStr

from evals.chaos.calls import PointedGateway, PointedSlack
from evals.chaos.clock import SharedClock
from evals.chaos.commits import EXECUTOR, Commits
from evals.chaos.people import RAILS, RULES
from evals.chaos.points import KillSwitch
from ledger.errors import RefusedError
from ledger.scope import Scope
from tokensleuth.acting.executor import Executor
from tokensleuth.acting.undoing import ask_undo, end_temporary
from tokensleuth.approvals.deciding import expire_lapsed
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.queues import release_all
from tokensleuth.casebook.records import Touched
from tokensleuth.gateways.litellm import LiteLlm
from tokensleuth.people import Identity
from tokensleuth.service.anchors import keep_anchor
from tokensleuth.service.lock import is_shared, sole_worker
from tokensleuth.service.workers import Worker, running
from tokensleuth.slackapp.handlers import InboxWorker
from tokensleuth.slackapp.ingress import SlackIngress
from tokensleuth.slackapp.letters import LetterRendering
from tokensleuth.slackapp.sender import OutboxSender
from tokensleuth.slackapp.web_api import WebApi

IDLE_S = 0.03


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to do, and where it dies."""

    casebook: str
    key: str
    clock: str
    litellm: str
    litellm_key: str
    slack: str
    signing_secret: str
    point: str | None = None
    nth: int = 1

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


@dataclass(frozen=True, slots=True)
class SmallSpend:
    """Every target spends little, so that one person is enough."""

    def touched(self, _: Scope) -> Touched | None:
        return Touched(0.01, None)


def main() -> int:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    line = sys.stdin.readline()
    if not line:
        return 0
    order = Order(**json.loads(line))
    with ExitStack() as stack:
        stack.enter_context(sole_worker(order.casebook))
        casebook = stack.enter_context(Casebook.open(order.casebook, key=order.key.encode()))
        if not is_shared(order.casebook):
            with casebook.writing() as connection:
                release_all(connection)
        clock, switch = SharedClock.at(Path(order.clock)), KillSwitch(order.point, order.nth)
        Commits(switch).listen(casebook.engine)
        ingress = SlackIngress(casebook, SecretStr(order.signing_secret), clock)
        port = stack.enter_context(_served(ingress))
        stack.enter_context(running(_workers(casebook, order, clock, switch), drain_s=8.0))
        print(port, flush=True)
        sys.stdin.read()
    return 0


def _workers(casebook: Casebook, order: Order, clock: SharedClock, switch: KillSwitch) -> list[Worker]:
    owner = f"{os.getpid()}-{secrets.token_hex(4)}"
    gateway = PointedGateway(LiteLlm(order.litellm, SecretStr(order.litellm_key)), switch)
    executor = Executor(casebook, {"litellm": gateway}, RAILS, SmallSpend(), f"{owner}-executor", clock)
    api = PointedSlack(WebApi.at(order.slack, SecretStr("xoxb-chaos")), switch)
    render = LetterRendering(casebook.key, RULES, clock, dry_run=False)
    sender = OutboxSender(casebook, api, render, f"{owner}-sender", clock)

    def undo(proposal_id: str, by: Identity) -> object:
        return ask_undo(casebook, proposal_id, by, RULES, clock())

    inbox = InboxWorker(casebook, RULES, undo, _no_investigation, f"{owner}-inbox", clock)  # type: ignore[arg-type]

    def tick() -> bool:
        expire_lapsed(casebook, clock())
        end_temporary(casebook, RULES, clock())
        keep_anchor(casebook, order.casebook)
        return False

    return [
        Worker(EXECUTOR, executor.run_one, idle_s=IDLE_S),
        Worker("inbox", lambda: inbox.handle_one(clock()), idle_s=IDLE_S),
        Worker("sender", lambda: sender.send_one(clock()), idle_s=IDLE_S),
        Worker("clock", tick, idle_s=0.1),
    ]


def _no_investigation(time_range: str, by: Identity, channel: str, *, request_id: str) -> None:
    raise RefusedError(f"{by} asked in {channel} for {time_range} as {request_id}, and nothing is looked at")


@contextmanager
def _served(ingress: SlackIngress) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            reply = ingress.respond(list(self.headers.items()), body)
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield http.server_address[1]
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
