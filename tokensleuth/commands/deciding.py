"""`tokensleuth approve`, `reject` and `undo`: a person's word through the one door, and what came of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from threading import Event

from rich.text import Text

from ledger.errors import RefusedError
from tokensleuth.acting.executor import Executor
from tokensleuth.acting.undoing import ask_undo
from tokensleuth.app import App
from tokensleuth.approvals import Answer, Request, decide
from tokensleuth.authority import local_user, rules_of
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.decided import Verdict, read_asked
from tokensleuth.casebook.views import ProposalView, read_view
from tokensleuth.clock import utc_now
from tokensleuth.output import ExitCode, Outcome, ProgressBar
from tokensleuth.service.acting_parts import executor_of, worker_name
from tokensleuth.service.lock import sole_worker
from tokensleuth.terminal.acts import answer_text, proposal_text

PATIENCE = timedelta(seconds=60)
"""How long the outcome is waited for; after that it goes on without us, and `proposals` tells."""
_POLL_S = 0.25


def run_decision(
    app: App, proposal_id: str, verdict: Verdict, *, reason: str | None, wait: bool, progress: ProgressBar
) -> Outcome:
    """Decide as the operating system's user, then see an approval through."""
    if verdict == "reject" and not reason:
        raise RefusedError("say why with --reason: it is kept, and helps the next investigation")
    with app.casebook() as casebook:
        with casebook.reading() as connection:
            asked = read_asked(connection, proposal_id)
        seen = asked.payload_hash if asked else None
        request = Request(proposal_id, verdict, local_user(), seen, reason)
        answer = decide(casebook, request, rules_of(app.settings), utc_now())
        done = (
            _see_through(app, casebook, answer, progress) if wait and answer.outcome == "approved" else None
        )
        return _outcome(casebook, answer, done)


def run_undo(app: App, proposal_id: str, *, wait: bool, progress: ProgressBar) -> Outcome:
    """Ask for the former state, then see it restored."""
    with app.casebook() as casebook:
        answer = ask_undo(casebook, proposal_id, local_user(), rules_of(app.settings), utc_now())
        done = (
            _see_through(app, casebook, answer, progress) if wait and answer.outcome == "approved" else None
        )
        return _outcome(casebook, answer, done)


def _see_through(app: App, casebook: Casebook, answer: Answer, progress: ProgressBar) -> ProposalView | None:
    """Do it here where nobody else works on the casebook, else wait for the service to do it."""

    def settled() -> ProposalView | None:
        return _settled(casebook, answer)

    with ExitStack() as stack:
        try:
            stack.enter_context(sole_worker(app.settings.store.casebook_url))
        except RefusedError:
            return _until(settled, None, progress)
        return _until(settled, executor_of(app, casebook, worker_name()), progress)


def _until(
    settled: Callable[[], ProposalView | None], executor: Executor | None, progress: ProgressBar
) -> ProposalView | None:
    for number in range(int(PATIENCE.total_seconds() / _POLL_S)):
        if executor is not None:
            executor.run_one()
        if view := settled():
            return view
        progress.update(number, int(PATIENCE.total_seconds() / _POLL_S), "being done")
        Event().wait(_POLL_S)
    return None


def _settled(casebook: Casebook, answer: Answer) -> ProposalView | None:
    """The proposal once nothing of it is under way any more."""
    view = _view(casebook, answer, utc_now())
    if view is None or view.state in ("approved", "executing"):
        return None
    return None if view.undo is not None and view.undo.state == "executing" else view


def _view(casebook: Casebook, answer: Answer, now: datetime) -> ProposalView | None:
    if answer.incident_id is None:
        return None
    with casebook.reading() as connection:
        incident = read_view(connection, answer.incident_id, now=now)
    found = incident.proposals if incident else ()
    return next((p for p in found if p.id == answer.proposal_id), None)


def _outcome(casebook: Casebook, answer: Answer, done: ProposalView | None) -> Outcome:
    view = done or _view(casebook, answer, utc_now())
    document = (view.as_json() if view else {}) | {"answer": answer.as_json()}
    return Outcome(document, list(_shown(answer, view)), _code(answer, done))


def _shown(answer: Answer, view: ProposalView | None) -> Iterator[Text]:
    yield answer_text(answer)
    if view is not None and answer.outcome != "refused":
        yield proposal_text(view)


def _code(answer: Answer, done: ProposalView | None) -> ExitCode:
    """Refused where it was refused, in part where what was approved did not come to be."""
    if answer.outcome == "refused":
        return ExitCode.REFUSED
    last = (done.undo or done.execution) if done else None
    return ExitCode.PART if last is not None and last.state != "done" else ExitCode.DONE
