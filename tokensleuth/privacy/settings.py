"""The `[privacy]` table of the settings."""

from pydantic import BaseModel, ConfigDict


class PrivacySettings(BaseModel):
    """Who is named in the ledger."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pseudonymous_users: bool = False
    """Store a pseudonym for each user; what is stored by then `tokensleuth pseudonymise` rewrites."""
