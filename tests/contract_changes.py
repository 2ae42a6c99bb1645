"""The documents of the contract, its schemas, and changes that break them."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

CONTRACT = Path(__file__).parents[1] / "docs" / "contract"
NAMES = (
    *("accept-baseline", "audit-list", "audit-verify", "baselines", "billing", "budgets", "completeness"),
    *("decision", "detect", "detect-live", "digest", "doctor", "export-focus", "feedback", "forecast"),
    *("incidents", "ingest", "investigate", "proposals", "pseudonym", "pseudonymise", "reconcile", "refit"),
    *("reprice", "retention", "schedule", "simulate", "sync", "token", "tuning", "tunings"),
)


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CONTRACT / f"{name}.schema.json").read_text("utf-8"))
    return loaded


def example(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CONTRACT / "examples" / f"{name}.json").read_text("utf-8"))
    return loaded


def accepts(name: str, document: object) -> bool:
    return Draft202012Validator(schema(name)).is_valid(document)


Steps = Sequence[str | int]


class Missing:
    """Takes the place of a value to say that the field is left out."""


class Change(NamedTuple):
    schema: str
    path: Steps
    value: object

    def applied(self) -> dict[str, Any]:
        document = copy.deepcopy(example(self.schema))
        parent: Any = document
        for step in self.path[:-1]:
            parent = parent[step]
        if self.value is Missing:
            del parent[self.path[-1]]
        else:
            parent[self.path[-1]] = self.value
        return document
