"""Price overrides as lines for the settings file."""

import json
from collections.abc import Iterable, Iterator
from datetime import date

from tokensleuth.reconciling.reasons import Override


def toml_lines(overrides: Iterable[Override], reconciled_on: date) -> list[str]:
    """`[[price_override]]` tables, to be completed by where the terms are written down."""
    return [line for override in overrides for line in _table(override, reconciled_on)]


def _table(override: Override, reconciled_on: date) -> Iterator[str]:
    yield "[[price_override]]"
    yield f"provider = {_text(override.provider)}"
    yield f"model = {_text(override.model)}"
    if override.token_class != "*":  # noqa: S105
        yield f"token_class = {_text(override.token_class)}"
    if override.service_tier is not None and override.service_tier != "standard":
        yield f"service_tier = {_text(override.service_tier)}"
    yield f"kind = {_text(override.kind)}"
    yield f"value = {override.value:f}"
    yield f"valid_from = {override.valid_from.isoformat()}"
    yield f"source = {_text(f'implied by the bill, reconciled {reconciled_on}; name the contract here')}"


def _text(value: str) -> str:
    """A basic string: JSON's escapes are TOML's."""
    return json.dumps(value)
