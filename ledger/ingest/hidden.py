"""Puts pseudonyms for users into what is being loaded, after the owner map has seen who they are."""

from dataclasses import replace

import duckdb
import pandas as pd

from ledger.ingest.scopes import Attribution, Owned
from ledger.scope import UNALLOCATED

_LEAST_IN_TEXT = 5
"""A shorter name may be a part of any word of a description."""


def hide_charge_users(connection: duckdb.DuckDBPyConnection, attribution: Attribution) -> Attribution:
    """Hide them in `staged_charges`; the attribution that goes with it still knows who they are."""
    pseudonym = attribution.pseudonym
    if pseudonym is None:
        return attribution
    found = connection.execute('select distinct "user" from staged_charges').fetchall()
    users = {str(user): pseudonym(str(user)) for (user,) in found if user not in (None, "", UNALLOCATED)}
    if not users:
        return attribution
    connection.register("hidden_users", pd.DataFrame(list(users.items()), columns=["raw", "hidden"]))
    connection.execute(
        f"""update staged_charges t set "user" = h.hidden,
            resource_id = case when t.resource_id = h.raw then h.hidden else t.resource_id end,
            resource_name = case when t.resource_name = h.raw then h.hidden else t.resource_name end,
            description = case when length(h.raw) < {_LEAST_IN_TEXT} then t.description
                else replace(t.description, h.raw, h.hidden) end
        from hidden_users h where t."user" = h.raw"""
    )
    connection.unregister("hidden_users")
    raw_of = {hidden: raw for raw, hidden in users.items()}

    def team_of(owned: Owned) -> str:
        return attribution.team_of(replace(owned, user=raw_of.get(owned.user, owned.user)))

    return replace(attribution, team_of=team_of)
