"""Syncs of invocation logs, from a folder or from a bucket of moto's server, into a real ledger."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from tests.bedrock_logs import object_name, packed
from tests.sync_cases import DAY, HOUR, NOW, Syncs
from tokensleuth.connectors.choosing import source_of
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.settings import SourceSettings
from tokensleuth.connectors.syncing import Reach, StreamOutcome, sync_source


class Place(Protocol):
    """Where a test puts logs."""

    @property
    def settings(self) -> SourceSettings: ...

    def put(self, name: str, data: bytes, arrived_at: datetime) -> None: ...


@dataclass(slots=True)
class Folder:
    """A folder, in which a file arrives when its time of change says."""

    root: Path
    lookback_hours: int = 48
    page_hours: int = 24
    except_keys: tuple[str, ...] = ()

    @property
    def settings(self) -> SourceSettings:
        return SourceSettings(
            kind="bedrock", location=str(self.root), lookback_hours=self.lookback_hours,
            page_hours=self.page_hours, except_keys=self.except_keys,
        )  # fmt: skip

    def put(self, name: str, data: bytes, arrived_at: datetime) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (arrived_at.timestamp(), arrived_at.timestamp()))


@dataclass(slots=True)
class LogSyncs:
    """One place of logs and one ledger."""

    place: Place
    syncs: Syncs
    waited: list[float] = field(default_factory=list)

    def put(
        self, at: datetime, name: str, records: Iterable[object], *, arrived_at: datetime | None = None
    ) -> None:
        """An object of an hour; it arrives 5 minutes after the hour begins."""
        usual = at.replace(minute=0) + timedelta(minutes=5)
        self.place.put(object_name(at, name), packed(records), arrived_at or usual)

    def __call__(
        self,
        *,
        now: datetime = NOW,
        since: datetime | None = None,
        days: int = 2,
        lookback: int | None = None,
    ) -> StreamOutcome:
        settings = self.place.settings
        source = source_of(settings, Patience(wait=self.waited.append))
        reach = Reach(now, (lookback or settings.lookback_hours) * HOUR, days * DAY, since)
        try:
            (outcome,) = sync_source(source, self.syncs.into(), reach)
        finally:
            source.close()
        return outcome

    def counted(self) -> list[tuple[object, ...]]:
        return self.syncs.rows(
            """select sum(requests)::bigint, sum(failed_requests)::bigint, sum(input_tokens)::bigint,
                sum(cache_read_tokens)::bigint, sum(cache_write_5m_tokens)::bigint, sum(output_tokens)::bigint
            from spend"""
        )
