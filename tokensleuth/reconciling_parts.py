"""What reconciling needs, put together from the settings."""

from ledger.prices.book import PriceBook
from tokensleuth.app import App
from tokensleuth.connectors.choosing import configured_sources
from tokensleuth.reconciling.reconciled import Parts
from tokensleuth.reconciling.settings import ReconciliationSettings


def reconciling_parts(app: App, settings: ReconciliationSettings) -> Parts:
    """From the settings in force."""
    return Parts(
        feeds=configured_sources(app.settings.source, app.settings.gateways),
        book=app.price_book(),
        listed=PriceBook(aliases=app.settings.model_alias),
        settings=settings,
        expire_hours=app.settings.proposals.expire_hours,
    )
