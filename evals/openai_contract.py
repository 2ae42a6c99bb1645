"""OpenAI's own schema of the admin calls that tokensleuth makes, to hold requests and answers against."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jsonschema import Draft202012Validator
from pydantic import JsonValue

from evals.loopback import Request

SCHEMA = Path(__file__).with_name("openai_admin_schema.json")
Object = Mapping[str, JsonValue]


class Route(NamedTuple):
    """A path of the schema with the values in it."""

    template: str
    ids: dict[str, str]


@dataclass(frozen=True, slots=True)
class Contract:
    """The paths and schemas."""

    document: Object

    @classmethod
    def load(cls) -> "Contract":
        return cls(json.loads(SCHEMA.read_text()))

    def route(self, path: str) -> Route | None:
        """The template that a path is of."""
        for template in _object(self.document["paths"]):
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
            if found := re.fullmatch(pattern, path):
                return Route(template, found.groupdict())
        return None

    def wrong_in_request(self, request: Request, template: str) -> str | None:
        """The first thing the schema does not have: a method, a parameter, a field, a value."""
        operation = self._operation(request.method, template)
        if operation is None:
            return f"{request.method} is not served at {template}"
        known = {str(_object(p)["name"]) for p in _list(operation.get("parameters")) if _object(p)}
        if odd := set(request.query) - known:
            return f"unknown parameters {sorted(odd)}"
        asked = operation.get("requestBody")
        if asked is None:
            return "a body where none is taken" if request.body else None
        return self._wrong_in_body(request.body, _json_schema(_object(asked)))

    def wrong_in_answer(self, method: str, template: str, status: int, document: JsonValue) -> str | None:
        """A status the schema does not name must at least be an error of its shape."""
        answers = _object((self._operation(method, template) or {})["responses"])
        named = answers.get(str(status))
        schema: Object = (
            _json_schema(_object(named)) if named else {"$ref": "#/components/schemas/ErrorResponse"}
        )
        return self._fault(document, schema)

    def _operation(self, method: str, template: str) -> Object | None:
        operations = _object(_object(self.document["paths"])[template])
        return _object(operations[method.lower()]) if method.lower() in operations else None

    def _wrong_in_body(self, body: bytes, schema: Object) -> str | None:
        try:
            document = json.loads(body)
        except ValueError:
            return "the body is no JSON"
        fields = _object(self._resolved(schema).get("properties"))
        if odd := set(_object(document)) - set(fields):
            return f"unknown fields {sorted(odd)}"
        return self._fault(document, schema)

    def _resolved(self, schema: Object) -> Object:
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        return _object(_object(_object(self.document["components"])["schemas"])[name]) if name else schema

    def _fault(self, document: JsonValue, schema: Object) -> str | None:
        whole = {**schema, "components": self.document["components"]}
        found = next(Draft202012Validator(whole).iter_errors(document), None)
        return None if found is None else f"{found.json_path}: {found.message}"


def _json_schema(holder: Object) -> Object:
    return _object(_object(_object(holder["content"])["application/json"])["schema"])


def _object(value: JsonValue) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
