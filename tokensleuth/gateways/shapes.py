"""The shape of providers' answers: strict about what is read, indifferent to what they add."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from tokensleuth.gateways.port import NotSentError, UnsureError


class ProviderAnswer(BaseModel):
    """Base of what is read of an answer."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


_A = TypeVar("_A", bound=ProviderAnswer)


def taken(kind: type[_A], document: JsonValue, where: str, *, written: bool = False) -> _A:
    """The document as that kind; of another shape it tells nothing, and after a write only reading does."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        named = ".".join(str(part) for part in first["loc"]) or "the answer"
        told = f"{where}: the answer has another shape, {named}: {first['msg']}"
        raise (UnsureError(told) if written else NotSentError(told)) from None
