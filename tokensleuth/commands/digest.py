"""`tokensleuth digest`: the week on a page, for the organisation or a team, in the form that is asked for."""

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import RenderableType
from rich.markdown import Markdown
from rich.text import Text

from ledger.errors import RefusedError
from ledger.reader import Reader
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.opening import is_there
from tokensleuth.clock import utc_now
from tokensleuth.digest.audiences import Audience
from tokensleuth.digest.building import WeekBook
from tokensleuth.digest.document import digest_document
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.markdown import markdown
from tokensleuth.digest.page import ChartName, Page
from tokensleuth.digest.posting import Posted, how_to_read, post_audiences
from tokensleuth.digest.showback_csv import write_showback
from tokensleuth.digest.week import Week, week_to_tell
from tokensleuth.digest.words import page_of
from tokensleuth.digesting import audiences_of, message_of, read_book, refuse_open_week
from tokensleuth.output import Outcome
from tokensleuth.ranges import usage_extent

Format = Literal["markdown", "html", "slack"]
_BY_SUFFIX: Mapping[str, Format] = {".html": "html", ".htm": "html", ".json": "slack"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    week: str | None = None
    team: str | None = None
    form: Format | None = None
    """None: by the name of the file, else Markdown."""
    output: Path | None = None
    csv: Path | None = None
    charts: Path | None = None
    post: bool = False


def run(app: App, wanted: Wanted) -> Outcome:
    """Read the week, write what is asked for, post where asked; else it saves nothing."""
    form = _form(wanted)
    if wanted.post and not app.settings.slack.is_configured:
        raise RefusedError("--post needs Slack: set slack.channel, and SLACK_BOT_TOKEN in the environment")
    if wanted.charts:
        wanted.charts.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        casebook = _casebook(app, stack, create=wanted.post)
        reader = stack.enter_context(app.ledger()).reader
        book = _book(app, casebook, reader, wanted)
        digest = book.digest(wanted.team)
        posted = _posted(app, casebook, book, wanted) if wanted.post and casebook else []
    return _outcome(digest, wanted, form, posted)


def _form(wanted: Wanted) -> Format:
    if wanted.form is None:
        return _BY_SUFFIX.get(wanted.output.suffix.lower(), "markdown") if wanted.output else "markdown"
    if wanted.form != "markdown" and wanted.output is None:
        right = "-o digest.html" if wanted.form == "html" else "-o digest.json"
        raise RefusedError(f"--format {wanted.form} needs a file to write to: {right}")
    return wanted.form


def _casebook(app: App, stack: ExitStack, *, create: bool) -> Casebook | None:
    """One that does not exist yet knows nothing, and is made only to keep what is posted."""
    if not create and not is_there(app.settings.store.casebook_url):
        return None
    return stack.enter_context(app.casebook())


def _book(app: App, casebook: Casebook | None, reader: Reader, wanted: Wanted) -> WeekBook:
    now = utc_now()
    week = Week.parse(wanted.week) if wanted.week else week_to_tell(usage_extent(reader), now)
    if wanted.post:
        refuse_open_week(week, now)
    by_team = wanted.team is not None or wanted.post
    return read_book(app, casebook, reader, week, now, by_team=by_team)


def _posted(app: App, casebook: Casebook, book: WeekBook, wanted: Wanted) -> list[Posted]:
    """What the service would post; of one team only that team's."""
    audiences = audiences_of(app, book)
    if wanted.team is not None:
        audiences = tuple(audience for audience in audiences if audience.team == wanted.team)
        if not audiences:
            raise RefusedError(
                f"no route names team {wanted.team}: add a [[route]] with its channel and "
                f'where = {{ team = "{wanted.team}" }}'
            )
    return post_audiences(casebook, book, _reachable(audiences), message_of, book.now)


def _reachable(audiences: tuple[Audience, ...]) -> tuple[Audience, ...]:
    return tuple(audience for audience in audiences if audience.channels)


def _outcome(digest: Digest, wanted: Wanted, form: Format, posted: list[Posted]) -> Outcome:
    page = page_of(digest)
    charts = _charts(digest, page, wanted)
    if wanted.csv:
        write_showback(digest, wanted.csv)
    written = {"csv": wanted.csv, **{f"chart_{name}": path for name, path in charts.items()}}
    text = _text(digest, page, form, charts, wanted)
    if wanted.output:
        wanted.output.write_text(text, "utf-8")
        written["output"] = wanted.output
    files = {name: str(path) for name, path in written.items() if path}
    document = digest_document(digest) | {
        "markdown": markdown(page),
        "files": files,
        "posted": [one.as_json() for one in posted],
    }
    shown: list[RenderableType] = [] if wanted.output else [Markdown(text)]
    shown += [Text(f"{name.replace('_', ' ')}: {path}", style="dim") for name, path in files.items()]
    shown += [Text(_told(one)) for one in posted]
    return Outcome(document, shown)


def _charts(digest: Digest, page: Page, wanted: Wanted) -> Mapping[ChartName, Path]:
    if wanted.charts is None:
        return {}
    # Imported here: the renderer loads an engine that runs without charts need not pay for.
    from tokensleuth.charts import drawn_png
    from tokensleuth.digest.pictures import write_charts

    return write_charts(digest, page, wanted.charts, drawn_png)


def _text(digest: Digest, page: Page, form: Format, charts: Mapping[ChartName, Path], wanted: Wanted) -> str:
    match form:
        case "markdown":
            folder = wanted.output.parent if wanted.output else Path()
            return markdown(page, {name: _from(folder, path) for name, path in charts.items()})
        case "html":
            return _html(digest, page)
        case "slack":
            return json.dumps(message_of(page, how_to_read(digest)), indent=2) + "\n"


def _html(digest: Digest, page: Page) -> str:
    from tokensleuth.charts import drawn_svg
    from tokensleuth.digest.pictures import page_pictures
    from tokensleuth.digest.web_page import web_page

    return web_page(page, page_pictures(digest, page, drawn_svg))


def _from(folder: Path, path: Path) -> str:
    """As a link in a file of the folder."""
    return Path(os.path.relpath(path, folder)).as_posix()


def _told(posted: Posted) -> str:
    if posted.channels:
        return f"{posted.week}, {posted.audience}: goes to {', '.join(posted.channels)}"
    return f"{posted.week}, {posted.audience}: was told before, and is not told twice"
