"""Tells people of what the service itself cannot do: health shows it at once, a notice when it lasts."""

from collections.abc import Mapping
from datetime import datetime

from tokensleuth.announcing.notices import tell_notices
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.notices import Notice, keep_notices, open_notices
from tokensleuth.settings import Settings


def tell_of_failures(
    casebook: Casebook, failing: Mapping[str, str], settings: Settings, now: datetime
) -> None:
    """A notice for each duty that fails; writes only where there is or was one."""
    with casebook.reading() as connection:
        known = any(kept.notice.kind == "service" for kept in open_notices(connection))
    if not failing and not known:
        return
    holding = [
        Notice(
            kind="service",
            subject=duty,
            severity="high",
            title=f"The service cannot do its {duty}",
            lines=(f"Last reason: {why}", "docs/operations.md says what to do when it is red."),
        )
        for duty, why in failing.items()
    ]
    with casebook.writing() as connection:
        keep_notices(connection, ["service"], holding, now)
        tell_notices(connection, settings, now)
