"""What is tuned now, for commands that only read."""

from datetime import datetime

from tokensleuth.app import App
from tokensleuth.casebook.opening import is_there
from tokensleuth.casebook.tunings import thresholds_in_force
from tokensleuth.thresholds import Threshold


def thresholds_of(app: App, now: datetime) -> tuple[Threshold, ...]:
    """Those in force; a casebook that does not exist yet holds none, and is not made."""
    if not is_there(app.settings.store.casebook_url):
        return ()
    with app.casebook() as casebook, casebook.reading() as connection:
        return thresholds_in_force(connection, now)
