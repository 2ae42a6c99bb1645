"""The sources that the settings or the environment name."""

from collections.abc import Sequence

from ledger.errors import RefusedError
from tokensleuth.app import App
from tokensleuth.connectors.choosing import configured_sources
from tokensleuth.connectors.settings import SourceSettings


def sources_of(app: App) -> Sequence[SourceSettings]:
    """None where usage comes as files only."""
    try:
        return configured_sources(app.settings.source, app.settings.gateways)
    except RefusedError:
        return ()
