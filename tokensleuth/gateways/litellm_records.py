"""Keys and teams as a LiteLLM proxy tells them, and the state that is read off them."""

from typing import TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from tokensleuth.gateways.port import RefusedCallError, State


class _Told(BaseModel):
    """The proxy tells more with each release; what is not named here is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Metadata(_Told):
    model_tpm_limit: dict[str, int] | None = None
    model_rpm_limit: dict[str, int] | None = None


class _Limited(_Told):
    """What keys and teams share."""

    team_id: str | None = None
    spend: float | None = None
    """USD since the last reset of the budget, or ever; 2 to 7 s late."""
    blocked: bool | None = None
    tpm_limit: int | None = None
    rpm_limit: int | None = None
    max_budget: float | None = None
    budget_duration: str | None = None
    metadata: Metadata | None = None


class KeyRecord(_Limited):
    key_alias: str | None = None
    aliases: dict[str, str] | None = None


class TeamRecord(_Limited):
    team_id: str
    team_alias: str | None = None


Record: TypeAlias = KeyRecord | TeamRecord


class KeyInfo(_Told):
    info: KeyRecord


class TeamInfo(_Told):
    team_info: TeamRecord


class TeamName(_Told):
    team_id: str
    team_alias: str | None = None


class TeamPage(_Told):
    """Of `/v2/team/list`, whose filter by alias is a search within it."""

    teams: tuple[TeamName, ...] = Field(strict=False)
    total_pages: int = 1


class ModelName(_Told):
    id: str


class ModelList(_Told):
    data: tuple[ModelName, ...] = Field(strict=False)


Answered = TypeVar("Answered", bound=_Told)


def answer_as(kind: type[Answered], answer: JsonValue, what: str) -> Answered:
    """The answer, checked; raises RefusedCallError, without the values, which may be secret."""
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RefusedCallError(
            f"litellm's answer on {what} is not understood: {where}, {first['msg']}"
        ) from None


def state_of(record: Record, fields: tuple[str, ...]) -> State:
    """The fields of a place."""
    metadata = record.metadata or Metadata()
    aliases = record.aliases if isinstance(record, KeyRecord) else None
    every: dict[str, JsonValue] = {
        "tpm_limit": record.tpm_limit,
        "rpm_limit": record.rpm_limit,
        "model_tpm_limit": {**(metadata.model_tpm_limit or {})},
        "model_rpm_limit": {**(metadata.model_rpm_limit or {})},
        "max_budget": record.max_budget,
        "budget_duration": record.budget_duration,
        "aliases": {**(aliases or {})},
        "blocked": bool(record.blocked),
        "exists": True,
    }
    return {name: every[name] for name in fields}
