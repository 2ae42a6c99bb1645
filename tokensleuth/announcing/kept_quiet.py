"""Which incidents nobody was told of because of a raised threshold: once it is gone they are worth a look."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Connection, select

from tokensleuth.announcing.quieting import BELOW
from tokensleuth.casebook.schema_acts import audit, messages

_LATELY = timedelta(days=4)
"""The hourly path looks back for 3."""


def quiet_below_thresholds(connection: Connection, now: datetime) -> frozenset[str]:
    """The ids of those found lately, also where the threshold is gone since, or they grew over it."""
    told = select(messages.c.incident_id)
    statement = select(audit.c.subject, audit.c.document).where(
        audit.c.what == "kept quiet", audit.c.at >= now - _LATELY, audit.c.subject.not_in(told)
    )
    rows = connection.execute(statement)
    return frozenset(
        row.subject for row in rows if cast(Mapping[str, object], row.document)["because"] == BELOW
    )
