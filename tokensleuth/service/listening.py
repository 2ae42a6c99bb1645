"""Listens for clients that push their usage by OTLP/HTTP, where the settings ask for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tokensleuth.app import App
from tokensleuth.clock import utc_now
from tokensleuth.otlp.receiver import create_otlp_app
from tokensleuth.otlp.settings import refuse_open_door
from tokensleuth.otlp.spool import open_spool, spool_path
from tokensleuth.web.serving import served


@contextmanager
def listening(app: App) -> Iterator[str | None]:
    """Gives the address; None where it is off. What comes in is stored, and loaded by the next `sync`."""
    otlp = app.settings.otlp
    if not otlp.enabled:
        yield None
        return
    refuse_open_door(otlp)
    path = spool_path(app.settings.store.ledger)
    with (
        open_spool(path, utc_now(), most_bytes=otlp.max_spool_bytes) as spool,
        served(create_otlp_app(spool, otlp, utc_now), otlp.host, otlp.port, "the OTLP receiver") as address,
    ):
        yield address
