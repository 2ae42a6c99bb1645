"""One trial: an incident is told of, decided on, acted upon and undone, while workers die."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from evals.chaos.clicks import Click, People
from evals.chaos.clock import SharedClock
from evals.chaos.fleet import Fleet, wait
from evals.chaos.incidents import Case, Role
from evals.chaos.people import ALICE, BOB, STRANGER
from evals.chaos.progress import Progress, progress
from evals.fake_slack import FakeSlack
from evals.fake_workspace import outbox_id_of
from tokensleuth.casebook import Casebook
from tokensleuth.slackapp.buttons import Verb

QUIET_S = 0.35
"""So long must nothing happen before the clock is put forward, or the trial goes on."""
QUIET_SHARED_S = 1.0
LONGEST_S = 90.0
DECISIONS: Sequence[tuple[str, Verb, Role]] = (
    (ALICE, "approve", "limited"),
    (ALICE, "approve", "limited"),
    (BOB, "approve", "budgeted"),
    (ALICE, "approve", "downgraded"),
    (BOB, "approve", "blocked"),
    (ALICE, "approve", "revoked"),
    (BOB, "approve", "revoked"),
    (BOB, "reject", "rejected"),
    (ALICE, "approve", "raced"),
    (BOB, "reject", "raced"),
    (STRANGER, "approve", "left"),
)
"""Pressed at once; one is pressed twice, and one by somebody who may not."""
UNDOS: Sequence[tuple[str, Verb, Role]] = (
    (BOB, "undo", "budgeted"),
    (ALICE, "undo", "blocked"),
    (BOB, "undo", "blocked"),
)


class Stuck(Exception):
    """Something waits and nothing will come of it."""


@dataclass(slots=True)
class Trial:
    """The parts that live through all deaths, and the case at hand."""

    casebook: Casebook
    slack: FakeSlack
    fleet: Fleet
    people: People
    clock: SharedClock
    case: Case
    pressed: list["Future[None]"] = field(default_factory=list)

    def run(self) -> None:
        """Raises Stuck where it does not come to an end."""
        ts = self._alerted()
        self._press(DECISIONS, ts)
        self._press(UNDOS, ts)
        self.clock.put_forward(self.clock() + timedelta(hours=25))
        self._settle()

    def _press(self, clicks: Sequence[tuple[str, Verb, Role]], ts: str) -> None:
        case = self.case
        made = [Click(user, verb, case.asked[role], case, ts) for user, verb, role in clicks]
        self.pressed = self.people.press(made)
        self._settle()
        for done in self.pressed:
            done.result()

    def _alerted(self) -> str:
        """Until the message is there; a worker may be dead before it has noted so."""
        found: list[str] = []

        def is_there(_: Progress) -> bool:
            posts = self.slack.workspace.of("post")
            found.extend(str(post["ts"]) for post in posts if outbox_id_of(post) == self.case.alert_id)
            return bool(found)

        self._work_until(is_there, settled=False)
        return found[0]

    def _settle(self) -> None:
        """Until nothing is left to do and all clicks are taken."""
        self._work_until(lambda now: now.is_done and not self._clicking, settled=True)

    @property
    def _clicking(self) -> bool:
        return any(not done.done() for done in self.pressed)

    def _work_until(self, reached: Callable[[Progress], bool], *, settled: bool) -> None:
        """`settled`: only counts when nothing has happened for a while."""
        deadline, before, since = monotonic() + LONGEST_S, None, monotonic()
        while monotonic() < deadline:
            now = progress(self.casebook, self.clock())
            self.fleet.keep_up(is_busy=self._clicking or not now.is_done)
            if not settled and reached(now):
                return
            if now != before or self._clicking:
                before, since = now, monotonic()
            elif self._is_quiet(since):
                if reached(now):
                    return
                self._put_forward(now)
                since = monotonic()
            wait(0.03)
        raise Stuck(f"{progress(self.casebook, self.clock())} after {LONGEST_S:.0f} s")

    def _is_quiet(self, since: float) -> bool:
        """Longer where several work: a lease must not end while its holder is only slow."""
        quiet = QUIET_S if self.fleet.size == 1 else QUIET_SHARED_S
        return self.fleet.port is not None and monotonic() - max(since, self.fleet.ready_at) > quiet

    def _put_forward(self, now: Progress) -> None:
        """To the next instant at which anything is due."""
        if now.next_at is not None:
            self.clock.put_forward(now.next_at + timedelta(seconds=1))
