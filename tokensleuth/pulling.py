"""Pulls every configured source into the ledger; one that cannot be reached does not keep the others out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from ledger.errors import RefusedError
from tokensleuth.app import App
from tokensleuth.connectors.choosing import source_of
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.settings import SourceSettings
from tokensleuth.connectors.syncing import Into, Reach, StreamOutcome, sync_source

Told = Callable[[int, int, str], None]
"""Sources done, sources in all, and what is being pulled."""


@dataclass(frozen=True, slots=True)
class Pull:
    """How far one pull goes."""

    now: datetime
    since: datetime | None = None
    """Also everything since then."""
    lookback: timedelta | None = None
    """Instead of each source's own, where it is shorter."""
    patience: Patience | None = None


def into_ledger(app: App) -> Into:
    """The ledger of the settings; it is held only while something is written."""
    path = app.settings.store.ledger
    return Into(
        opened=lambda: app.ledger(create=True),
        folder=path.with_name(f"{path.name}.sync"),
        book=app.price_book(),
        attribution=app.attribution(),
        owners=app.settings.owner,
        tags=app.settings.focus_tags.model_dump(),
    )


def pull_sources(
    sources: Sequence[SourceSettings], into: Into, pull: Pull, told: Told = lambda *_: None
) -> list[StreamOutcome]:
    """One after the other, in their order."""
    outcomes: list[StreamOutcome] = []
    for done, settings in enumerate(sources):
        here = partial(told, done, len(sources))
        here(settings.called)
        outcomes += _pulled(settings, into, pull, here)
    return outcomes


def _pulled(
    settings: SourceSettings, into: Into, pull: Pull, told: Callable[[str], None]
) -> list[StreamOutcome]:
    own = timedelta(hours=settings.lookback_hours)
    reach = Reach(
        now=pull.now,
        lookback=min(own, pull.lookback or own),
        first=timedelta(days=settings.first_days),
        since=pull.since,
        except_keys=settings.except_keys,
    )
    try:
        source = source_of(settings, pull.patience)
    except RefusedError as error:
        return [StreamOutcome(settings.called, "", error=str(error))]
    try:
        return sync_source(source, into, reach, told=told)
    finally:
        source.close()
