"""Who somebody is, however they came in: one person may have a Slack account, a web token and an OS user."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from playbooks import ActionName

ActionClass = Literal["limit", "block", "revoke", "tell"]
"""What an approver may be trusted with; see CLASS_OF."""

CLASS_OF: dict[ActionName, ActionClass] = {
    "set_rate_limit": "limit",
    "set_budget": "limit",
    "downgrade_model": "limit",
    "block_key": "block",
    "revoke_key": "revoke",
    "fix_price": "tell",
    "notify_owner": "tell",
    "mark_expected": "tell",
}


def class_of(action: str) -> ActionClass | None:
    """The class of a stored action; None for one that is on no list."""
    return next((kind for name, kind in CLASS_OF.items() if name == action), None)


def is_told(action: str) -> bool:
    """Whether an action only tells people or marks something: no gateway executes it."""
    return class_of(action) == "tell"


@dataclass(frozen=True, slots=True)
class Identity:
    """How somebody proved who they are: `slack:T1/U1`, `web:alice`, `os:alice`, `service:schedule`."""

    kind: Literal["slack", "web", "os", "service"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class Approver(BaseModel):
    """A person who may decide; what is not named here may nobody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100, pattern=r"^[\w.@-]+$")
    slack: str | None = Field(default=None, pattern=r"^[UW][A-Z0-9]{2,}$")
    """The Slack user id, of the workspace in `slack.team_id`."""
    os_user: str | None = Field(default=None, min_length=1)
    web_token_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """Of the token that `tokensleuth token NAME` printed; the token itself is nowhere kept."""
    may: tuple[ActionClass, ...] = ()

    def is_known_as(self, identity: Identity, *, slack_team: str | None) -> bool:
        """Whether this is how the person comes in."""
        match identity.kind:
            case "slack":
                return bool(slack_team and self.slack) and identity.name == f"{slack_team}/{self.slack}"
            case "os":
                return self.os_user is not None and identity.name == self.os_user
            case "web":
                return identity.name == self.name and self.web_token_sha256 is not None
            case "service":
                return False


def shared_marks(approvers: Sequence[Approver]) -> Sequence[str]:
    """What names more than one of them, such as a Slack id: nobody could tell who of them decided."""
    names = ("name", "slack", "os_user", "web_token_sha256")
    marks = [(name, getattr(approver, name)) for approver in approvers for name in names]
    given = Counter(mark for mark in marks if mark[1] is not None)
    return [f"{name} {value}" for (name, value), times in given.items() if times > 1]


@dataclass(frozen=True, slots=True)
class People:
    """The approvers of the settings, by how they come in."""

    approvers: Sequence[Approver] = ()
    slack_team: str | None = None

    def person(self, identity: Identity) -> str:
        """The person's name; who is no approver is called by the identity itself."""
        found = self._approver(identity)
        return found.name if found else str(identity)

    def may(self, identity: Identity, action: ActionName) -> bool:
        """Whether they are on the list for this class of actions."""
        found = self._approver(identity)
        return found is not None and CLASS_OF[action] in found.may

    def may_still(self, name: str, action: ActionName) -> bool:
        """Whether the person of that name is on the list today."""
        return any(a.name == name and CLASS_OF[action] in a.may for a in self.approvers)

    def approvers_of(self, action: ActionName) -> tuple[str, ...]:
        """Names of all who may decide it."""
        return tuple(a.name for a in self.approvers if CLASS_OF[action] in a.may)

    def holder_of(self, token: str) -> Identity | None:
        """Whose web token it is; compares in constant time."""
        digest = token_digest(token)
        held = [a for a in self.approvers if a.web_token_sha256]
        found = [a for a in held if hmac.compare_digest(a.web_token_sha256 or "", digest)]
        return Identity("web", found[0].name) if found else None

    def _approver(self, identity: Identity) -> Approver | None:
        known = (a for a in self.approvers if a.is_known_as(identity, slack_team=self.slack_team))
        return next(known, None)


def token_digest(token: str) -> str:
    """What the settings keep of a web token, which has 256 random bits: no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
