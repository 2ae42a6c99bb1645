"""The process of the service: takes the lock, starts workers and the web inbox, ends in good order."""

import logging
import secrets
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Event

from rich.console import Console

from tokensleuth.acting.undoing import ask_undo, end_temporary
from tokensleuth.acting.watching import Watcher
from tokensleuth.app import App
from tokensleuth.approvals import Answer
from tokensleuth.approvals.deciding import expire_lapsed
from tokensleuth.authority import rules_of
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import verify_entries
from tokensleuth.casebook.queues import release_all, waiting_letters
from tokensleuth.casebook.runs import release_runs
from tokensleuth.clock import utc_now
from tokensleuth.observing.heartbeat import Heartbeat
from tokensleuth.observing.logs import configure
from tokensleuth.observing.metrics import Metrics
from tokensleuth.observing.redaction import secrets_in
from tokensleuth.output import Outcome
from tokensleuth.people import Identity
from tokensleuth.playbooks_in_force import playbooks_of
from tokensleuth.service.acting_parts import executor_of, worker_name
from tokensleuth.service.anchors import keep_anchor, kept_anchor
from tokensleuth.service.failures import tell_of_failures
from tokensleuth.service.jobs import JobWorker
from tokensleuth.service.listening import listening
from tokensleuth.service.lock import is_shared, sole_worker
from tokensleuth.service.schedule_parts import ScheduleParts, schedule_parts
from tokensleuth.service.slack_parts import SlackParts, slack_parts
from tokensleuth.service.workers import Worker, running
from tokensleuth.settings_acts import Web
from tokensleuth.web.app import create_app
from tokensleuth.web.parts import WebParts
from tokensleuth.web.serving import served

DRAIN_S = 6.0
TICK_S = 5.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Service:
    """The running parts and how they do."""

    app: App
    casebook: Casebook
    owner: str
    watcher: Watcher
    stopping: Event = field(default_factory=Event)
    workers: list[Worker] = field(default_factory=list)
    slack: SlackParts | None = None
    schedule: ScheduleParts | None = None
    trail: str | None = None
    """What is wrong with the audit trail since the start; a person must look."""

    def undo(self, proposal_id: str, by: Identity) -> Answer:
        return ask_undo(self.casebook, proposal_id, by, rules_of(self.app.settings), utc_now())

    def tick(self) -> bool:
        """What the passing of time brings: expiries, ends of limits, looks at what was done, the anchor."""
        now, rules = utc_now(), rules_of(self.app.settings)
        expire_lapsed(self.casebook, now)
        if not self.app.settings.actions.dry_run:
            end_temporary(self.casebook, rules, now)
        self.watcher.look()
        if self.schedule and self.schedule.leadership.leads():
            tell_of_failures(self.casebook, self.schedule.failing(), self.app.settings, now)
        keep_anchor(self.casebook, self.app.settings.store.casebook_url)
        return False

    def health(self) -> Mapping[str, object]:
        """`ok` is false where a kind of work fails or Slack does not let us in."""
        with self.casebook.reading() as connection:
            waiting = waiting_letters(connection)
        failing = {w.name: w.failing for w in self.workers if w.failing}
        if self.schedule:
            failing |= self.schedule.failing()
        if self.trail:
            failing["audit"] = self.trail
        if self.slack and self.slack.unhealthy:
            failing["slack"] = self.slack.unhealthy
        oldest = min((letter["created_at"] for letter in waiting), default=None)
        return {
            "ok": not failing,
            "failing": failing,
            "letters_waiting": len(waiting),
            "oldest_letter_at": oldest.isoformat() if oldest else None,
            "dry_run": self.app.settings.actions.dry_run,
        }

    def metrics(self) -> Metrics | None:
        """What Prometheus may ask; None where it is off."""
        settings = self.app.settings.metrics
        if not settings.enabled or self.schedule is None:
            return None
        owner = self.schedule.leadership.owner if self.schedule.leadership.shared else None
        return Metrics(self.casebook, utc_now, settings, healthy=self.is_healthy, owner=owner)

    def is_healthy(self) -> bool:
        return self.health()["ok"] is True

    def check_trail(self) -> None:
        """A database that lost its end says nothing of it: the anchor that was kept beside does."""
        beside = kept_anchor(self.app.settings.store.casebook_url)
        with self.casebook.reading() as connection:
            found = verify_entries(connection, self.casebook.key, [beside] if beside else [])
        if not found.whole:
            self.trail = f"broken at entry {found.broken_at}: {found.why}"
            log.error("the audit trail is %s", self.trail)

    def start_workers(self) -> None:
        """Put them together; they run when the service does."""
        executor = executor_of(self.app, self.casebook, f"{self.owner}-executor")
        jobs = JobWorker(self.app, self.casebook, f"{self.owner}-jobs", utc_now, self.stopping)
        self.workers += [
            Worker("executor", executor.run_one),
            Worker("clock", self.tick, idle_s=TICK_S),
            Worker("jobs", jobs.step, idle_s=1.0),
        ]
        shared = is_shared(self.app.settings.store.casebook_url)
        self.schedule = schedule_parts(
            self.app, self.casebook, self.owner, shared=shared, stopping=self.stopping
        )
        self.workers += self.schedule.workers
        heartbeat = Heartbeat.configured(self.app.settings.heartbeat, self.is_healthy)
        if heartbeat:
            self.workers.append(
                Worker("heartbeat", heartbeat.step, idle_s=self.app.settings.heartbeat.every_s)
            )
        self.slack = slack_parts(self.app, self.casebook, self.owner, self.undo)
        if self.slack:
            self.workers += self.slack.workers


def serve(app: App, *, host: str | None, port: int | None) -> Outcome:
    """Run until SIGTERM or Ctrl-C; raises RefusedError where another process works on the casebook."""
    configure(app.settings.log, secrets_in(app.settings))
    url = app.settings.store.casebook_url
    with ExitStack() as stack:
        stack.enter_context(sole_worker(url))
        casebook = stack.enter_context(app.casebook())
        watcher = Watcher(casebook, app.reading_ledger, playbooks_of(app))
        service = Service(app, casebook, worker_name(), watcher)
        stack.enter_context(_ended_by_signals(service.stopping))
        if not is_shared(url):
            with casebook.writing() as connection:
                release_all(connection)
                release_runs(connection)
        service.check_trail()
        service.start_workers()
        guest = None if app.settings.approver else secrets.token_urlsafe(32)
        web = app.settings.web.model_copy(update={"host": host} if host else {})
        inbox = create_app(_web_parts(service, web, guest))
        address = stack.enter_context(served(inbox, web.host, web.port if port is None else port))
        pushed_to = stack.enter_context(listening(app))
        if service.schedule:
            # Left last: another replica may lead once nothing is done here any more.
            stack.enter_context(service.schedule.leadership.ending())
        stack.enter_context(running(service.workers, drain_s=DRAIN_S))
        if service.slack:
            stack.enter_context(service.slack.connected())
        if service.schedule:
            stack.enter_context(service.schedule.running())
        _greet(app, address, guest, pushed_to)
        service.stopping.wait()
    return Outcome({"stopped": True}, [])


def _web_parts(service: Service, web: Web, guest: str | None) -> WebParts:
    settings = service.app.settings
    return WebParts(
        casebook=service.casebook,
        rules=rules_of(settings),
        web=web,
        actions=settings.actions,
        clock=utc_now,
        ledger=service.app.reading_ledger,
        undo=service.undo,
        health=service.health,
        metrics=service.metrics(),
        slack=service.slack.ingress if service.slack else None,
        guest_token=guest,
    )


def _greet(app: App, address: str, guest: str | None, pushed_to: str | None) -> None:
    console = Console(stderr=True, highlight=False)
    mode = (
        "dry run: nothing is changed anywhere" if app.settings.actions.dry_run else "actions are carried out"
    )
    slack = "Slack is told" if app.settings.slack.is_configured else "no Slack is configured"
    console.print(f"tokensleuth serves at {address} ({mode}; {slack})", markup=False, soft_wrap=True)
    if pushed_to:
        console.print(f"OTLP clients may push to {pushed_to}", markup=False, soft_wrap=True)
    if guest:
        told = f"Nobody is set as approver yet. Look around: {address}/login?token={guest}"
        console.print(told, markup=False, soft_wrap=True)


@contextmanager
def _ended_by_signals(stopping: Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C end it in good order."""
    former = {
        number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
