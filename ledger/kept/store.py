"""The kept model as a whole: written in one transaction or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from ledger.kept.hours import KeptHoursStore
from ledger.kept.models import KeptModels
from ledger.kept.series import KeptSeries


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that detection keeps; its parts read what the open transaction has written."""

    connection: duckdb.DuckDBPyConnection

    @property
    def models(self) -> KeptModels:
        return KeptModels(self.connection)

    @property
    def series(self) -> KeptSeries:
        return KeptSeries(self.connection)

    @property
    def hours(self) -> KeptHoursStore:
        return KeptHoursStore(self.connection)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is kept, or nothing of it."""
        self.connection.execute("begin")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")
