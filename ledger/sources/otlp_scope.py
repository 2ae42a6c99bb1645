"""Whose usage a point or a span of GenAI tells: attributes of OpenTelemetry as dimensions of the ledger."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.ingest.contract import MAX_TEXT
from ledger.ingest.secrets import NOT_AN_ID, masked
from ledger.scope import UNALLOCATED
from ledger.sources.otlp_raw import Attributes

PROVIDERS: Mapping[str, str] = {
    "aws.bedrock": "aws",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "mistral_ai": "mistral",
    "vertex_ai": "google",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
"""`gen_ai.provider.name`, and `gen_ai.system` of older emitters, where it is not our name already."""

DEFAULT_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "team": ("team", "team.id", "team.name"),
    "project": ("project", "project.id"),
    "key_id": ("api_key.id",),
    "user": ("user.id", "enduser.id"),
    "feature": ("feature", "gen_ai.agent.name"),
    "region": ("cloud.region",),
    "service_tier": (
        "openai.response.service_tier",
        "gen_ai.openai.response.service_tier",
        "openai.request.service_tier",
        "gen_ai.openai.request.service_tier",
    ),
    "client": ("service.name",),
}
"""The attributes that hold a dimension: the first that is there counts, of a point before its resource's."""

_PROVIDER = ("gen_ai.provider.name", "gen_ai.system")
_MODEL = ("gen_ai.response.model", "gen_ai.request.model")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Naming:
    """Which attribute means what."""

    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: DEFAULT_ATTRIBUTES)
    cache_beside_input: tuple[str, ...] = ()
    """Globs of clients whose input tokens do not count cached ones."""


@dataclass(frozen=True, slots=True)
class OddScope:
    """A dimension that cannot be taken."""

    column: str
    value: str
    reason: str


def scope_of(own: Attributes, resource: Attributes, naming: Naming) -> dict[str, str] | OddScope:
    """The dimensions that are told, by their names in the usage contract."""
    told = dict(reversed(resource)) | dict(reversed(own))
    cells = {"model": _first(told, _MODEL) or UNALLOCATED}
    if provider := _first(told, _PROVIDER).lower():
        cells["provider"] = PROVIDERS.get(provider, provider)
    for dimension, names in naming.attributes.items():
        if value := _first(told, names):
            cells[dimension] = value
    for name, value in cells.items():
        if reason := _problem(name, value):
            shown = masked(value) if reason == NOT_AN_ID else value
            return OddScope(name, shown, reason)
    return cells


def _first(told: Mapping[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        if value := told.get(name, "").strip():
            return value
    return ""


def _problem(name: str, value: str) -> str | None:
    if len(value) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} characters"
    if _CONTROL.search(value):
        return "has control characters"
    # Of what begins like a secret `masked` leaves the beginning, of all else nothing.
    return NOT_AN_ID if name == "key_id" and masked(value) != masked("") else None
