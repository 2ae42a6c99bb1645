"""The planner, the runner and the duties on a clock that a test turns, with OpenAI's reports on loopback."""

import math
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from evals.fake_openai_usage import ADMIN_KEY, FakeOpenAiUsage, fake_openai_usage
from tokensleuth.app import App, Overrides
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.notices import open_notices
from tokensleuth.casebook.schema_acts import outbox
from tokensleuth.casebook.schema_runs import runs
from tokensleuth.schedule.duties import SYNC
from tokensleuth.schedule.performing import perform
from tokensleuth.schedule.report import DutyReport

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 20, 15, 10, tzinfo=UTC)
"""In the hour before, OpenAI's reports are complete until 14:00."""
COMPLETE = datetime(2026, 11, 20, 14, tzinfo=UTC)
DAYS = 10


@dataclass(slots=True)
class Watch:
    """One organisation, its provider and the service's duties."""

    fake: FakeOpenAiUsage
    app: App
    casebook: Casebook
    now: datetime = NOW
    slots: dict[str, int] = field(default_factory=dict)

    def usage(self, days: int, until: datetime, key: str = "key_1", tokens: int = 300_000) -> None:
        """A day's rhythm, each hour of so many days."""
        for number in range(days * 24):
            at = until - (number + 1) * HOUR
            requests = round(100 * (1 + 0.5 * math.sin(at.hour / 24 * 2 * math.pi)))
            self.surge(at, requests, tokens * requests // 100, key)

    def surge(self, at: datetime, requests: int, tokens: int, key: str = "key_1") -> None:
        self.fake.add(
            at,
            project_id="proj_1",
            api_key_id=key,
            model="gpt-4o",
            input_uncached=tokens,
            output=tokens // 4,
            requests=requests,
        )

    def do(self, duty: str, *slots: datetime) -> DutyReport:
        return perform(self.app, duty, slots or (self.now.replace(minute=0),), self.now)

    def planned(self, duty: str, state: str | None = None) -> list[datetime]:
        """The slots, of one state or of all."""
        asked = select(runs.c.slot).where(runs.c.duty == duty).order_by(runs.c.slot)
        with self.casebook.reading() as connection:
            return list(connection.scalars(asked if state is None else asked.where(runs.c.state == state)))

    def letters(self, kind: str) -> list[str]:
        with self.casebook.reading() as connection:
            return list(connection.scalars(select(outbox.c.id).where(outbox.c.kind == kind)))

    def notices(self) -> dict[str, str]:
        """Kinds by subject."""
        with self.casebook.reading() as connection:
            return {kept.notice.subject: kept.notice.kind for kept in open_notices(connection)}


def pulled_folder(folder: Path) -> Path:
    """`DAYS` of usage until `COMPLETE` that the first `sync` pulled, and nothing judged: to be copied."""
    with pytest.MonkeyPatch.context() as monkeypatch, watch_in(folder, monkeypatch) as watch:
        watch.usage(DAYS, COMPLETE)
        watch.do(SYNC)
    return folder


@contextmanager
def copied_watch(
    pulled: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, settings: str = ""
) -> Iterator[Watch]:
    """After the first pull, in a folder of its own."""
    shutil.copytree(pulled, folder, dirs_exist_ok=True)
    with watch_in(folder, monkeypatch, settings) as watch:
        watch.usage(DAYS, COMPLETE)
        yield watch


@contextmanager
def watch_in(folder: Path, monkeypatch: pytest.MonkeyPatch, settings: str = "") -> Iterator[Watch]:
    """With Slack configured, where nobody sends the letters."""
    monkeypatch.setenv("OPENAI_ADMIN_KEY", ADMIN_KEY)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-nobody-listens")
    with ExitStack() as stack:
        fake, served = stack.enter_context(fake_openai_usage())
        fake.pages.most = 168
        config = folder / "tokensleuth.toml"
        config.write_text(
            f'{settings}\n[slack]\nchannel = "C0WATCH"\n'
            f'[[source]]\nkind = "openai"\nbase_url = "{served.url}/v1"\n'
            f"first_days = {DAYS}\nlookback_hours = 24\n"
        )
        app = App.configured(Overrides(config, folder / "ledger.duckdb", f"sqlite:///{folder}/c.sqlite"))
        yield Watch(fake, app, stack.enter_context(app.casebook()))
