"""`tokensleuth schedule`: the last run of each duty, and the notices that are open."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from ledger.window import instant_text, short_text
from tokensleuth.app import App
from tokensleuth.casebook.leaders import leader
from tokensleuth.casebook.notices import KeptNotice, open_notices
from tokensleuth.casebook.runs import Run, latest_runs
from tokensleuth.clock import utc_now
from tokensleuth.output import Outcome
from tokensleuth.schedule.duties import duties_of
from tokensleuth.terminal import plain_table

NEVER = "-"
_OF_A_RUN = ("slot", "state", "tries", "started_at", "finished_at", "seconds", "note", "document")


def run(app: App) -> Outcome:
    """Every duty of the settings, also those that never ran."""
    now = utc_now()
    with app.casebook() as casebook, casebook.reading() as connection:
        runs = {run.duty: run for run in latest_runs(connection)}
        notices, leads = open_notices(connection), leader(connection, now)
    names = list(dict.fromkeys([*(duty.name for duty in duties_of(app.settings)), *runs]))
    document = {
        "items": [_item(name, runs.get(name)) for name in names],
        "notices": [notice.as_json() for notice in notices],
        "leader": leads,
    }
    return Outcome(document, [*_shown(names, runs), *notice_lines(notices)])


def notice_lines(notices: Sequence[KeptNotice]) -> list[RenderableType]:
    """One line each, with its severity and since when."""
    return [
        Text(f"{kept.notice.severity}: {kept.notice.title} (since {short_text(kept.opened_at)} UTC)")
        for kept in notices
    ]


def _item(name: str, run: Run | None) -> dict[str, object]:
    """One that never ran has nothing but its name."""
    if run is None:
        return {"duty": name, **dict.fromkeys(_OF_A_RUN)}
    return {
        "duty": name,
        "slot": instant_text(run.slot),
        "state": run.state,
        "tries": run.tries,
        "started_at": _text(run.started_at),
        "finished_at": _text(run.finished_at),
        "seconds": run.seconds,
        "note": run.note,
        "document": dict(run.document) if run.document is not None else None,
    }


def _shown(names: Sequence[str], runs: Mapping[str, Run]) -> list[RenderableType]:
    if not runs:
        return [Text("Nothing was done yet: start `tokensleuth serve`.")]
    header = ("duty", "for (UTC)", "state", "tries", "seconds", "what came of it")
    return [plain_table(header, [_row(name, runs.get(name)) for name in names])]


def _row(name: str, run: Run | None) -> tuple[str, ...]:
    if run is None:
        return (name, NEVER, NEVER, NEVER, NEVER, NEVER)
    seconds = NEVER if run.seconds is None else f"{run.seconds:.1f}"
    return (name, short_text(run.slot), run.state, str(run.tries), seconds, run.note or NEVER)


def _text(instant: datetime | None) -> str | None:
    return instant_text(instant) if instant else None
