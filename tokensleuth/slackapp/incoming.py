"""What Slack sends us, as little of it as is needed: clicks and slash commands, without tokens and addresses.

A `response_url` lets anybody who reads it write to the channel, so it is not kept: answers go through the
bot. What does not have the expected form is kept as its reason only, and refused by the worker.
"""

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tokensleuth.terminal.text import printable

MAX_FIELDS = 60
USUAL_RANGE = "last-7d"
"""What the slash command looks at when no range is written."""

_Team = Annotated[str, Field(pattern=r"^[TE][A-Z0-9]{1,20}$")]
_User = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{1,20}$")]
_Channel = Annotated[str, Field(pattern=r"^[CGD][A-Z0-9]{1,20}$")]
_Ts = Annotated[str, Field(pattern=r"^[0-9]{1,12}\.[0-9]{1,12}$")]
_Printed = Annotated[str, Field(pattern=r"^[ -~]*$")]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Click(_Kept):
    """Somebody pressed a button."""

    kind: Literal["click"] = "click"
    team: _Team
    """The workspace where it was pressed."""
    user_team: _Team
    """The workspace of the person, which is another for guests of a shared channel."""
    user: _User
    is_bot: bool = False
    channel: _Channel
    message_ts: _Ts
    value: Annotated[_Printed, Field(max_length=2000)]


class Slash(_Kept):
    """Somebody typed the slash command."""

    kind: Literal["slash"] = "slash"
    team: _Team
    user: _User
    channel: _Channel
    text: str = Field(max_length=200)
    """One line of printable characters."""


class Odd(_Kept):
    """Something else, or of a form we do not know."""

    kind: Literal["odd"] = "odd"
    why: str = Field(max_length=300)


Incoming = Click | Slash | Odd
_KEPT: TypeAdapter[Incoming] = TypeAdapter(Annotated[Incoming, Field(discriminator="kind")])


class _Sent(BaseModel):
    """Slack adds fields when it likes; those we do not know are dropped here."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Id(_Sent):
    id: str


class _Person(_Sent):
    id: str
    team_id: str
    is_bot: bool = False


class _Container(_Sent):
    message_ts: str


class _Action(_Sent):
    type: Literal["button"]
    value: str


class _BlockActions(_Sent):
    type: Literal["block_actions"]
    team: _Id
    user: _Person
    channel: _Id
    container: _Container
    actions: list[_Action] = Field(min_length=1, max_length=1)

    def click(self) -> Click:
        return Click(
            team=self.team.id,
            user_team=self.user.team_id,
            user=self.user.id,
            is_bot=self.user.is_bot,
            channel=self.channel.id,
            message_ts=self.container.message_ts,
            value=self.actions[0].value,
        )


class _Command(_Sent):
    command: Literal["/investigate"]
    team_id: str
    user_id: str
    channel_id: str
    text: str = ""

    def slash(self) -> Slash:
        text = printable(self.text)[:200]
        return Slash(team=self.team_id, user=self.user_id, channel=self.channel_id, text=text)


def fields_of(text: str) -> Mapping[str, str]:
    """The fields of a form; raises ValueError where one is given twice or there are too many."""
    fields = parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    if any(len(values) > 1 for values in fields.values()):
        raise ValueError("a field is given twice")
    return {name: values[0] for name, values in fields.items()}


def read_interaction(payload: str | Mapping[str, object]) -> Incoming:
    """From what Slack sends when somebody presses a button, as JSON or parsed."""
    try:
        if isinstance(payload, str):
            return _BlockActions.model_validate_json(payload).click()
        return _BlockActions.model_validate(dict(payload)).click()
    except ValidationError as error:
        return Odd(why=_reason(error))


def read_command(fields: Mapping[str, object]) -> Incoming:
    """From the fields that Slack sends when somebody types a slash command."""
    try:
        return _Command.model_validate(dict(fields)).slash()
    except ValidationError as error:
        return Odd(why=_reason(error))


def read_kept(body: Mapping[str, object]) -> Incoming:
    """From the inbox; what does not have the form any more is odd."""
    try:
        return _KEPT.validate_python(dict(body))
    except ValidationError as error:
        return Odd(why=_reason(error))


def _reason(error: ValidationError) -> str:
    """Where and what, without the input itself; the names of fields are ours or Slack's."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or part.isidentifier())
    return f"{error.error_count()} faults, the first at {where or 'the top'}: {first['type']}"[:300]
