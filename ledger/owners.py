"""The owner map: which team a key belongs to when the source does not say, by globs over what it does say."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field

from ledger.scope import UNALLOCATED


class OwnerRule(BaseModel):
    """One `[[owner]]` of the settings; every glob given must match, case counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    team: str = Field(min_length=1)
    provider: str = "*"
    project: str = "*"
    key_id: str = "*"
    user: str = "*"

    def matches(self, provider: str, project: str, key_id: str, user: str) -> bool:
        pairs = ((provider, self.provider), (project, self.project), (key_id, self.key_id), (user, self.user))
        return all(fnmatchcase(value, glob) for value, glob in pairs)


def owner_of(rules: Sequence[OwnerRule], *, provider: str, project: str, key_id: str, user: str) -> str:
    """The team of the first rule that matches, else UNALLOCATED."""
    for rule in rules:
        if rule.matches(provider, project, key_id, user):
            return rule.team
    return UNALLOCATED
