"""JSON Schemas of pydantic models, in the plain form that every server understands."""

from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel, JsonValue

LEFT_OUT = frozenset({
    "title", "default", "$defs", "propertyNames", "minLength", "maxLength", "minProperties", "maxProperties",
    "format",
})  # fmt: skip
"""What costs tokens in every call and tells a model nothing it needs; pydantic checks it all the same."""


def json_schema(model: type[BaseModel]) -> dict[str, JsonValue]:
    """The schema with every definition where it is used; of what may be null the other type alone."""
    schema = cast("dict[str, JsonValue]", model.model_json_schema())
    definitions = cast("dict[str, JsonValue]", schema.get("$defs", {}))
    return cast("dict[str, JsonValue]", _inlined(schema, definitions))


def _inlined(node: JsonValue, definitions: Mapping[str, JsonValue]) -> JsonValue:
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(reference := node.get("$ref"), str):
        named = definitions[reference.rsplit("/", 1)[-1]]
        merged = {**cast("dict[str, JsonValue]", named), **{k: v for k, v in node.items() if k != "$ref"}}
        return _inlined(merged, definitions)
    if (alone := _without_null(node)) is not None:
        return _inlined(alone, definitions)
    if "properties" in node:
        inner = cast("dict[str, JsonValue]", node["properties"])
        node = {**node, "properties": {k: _inlined(v, definitions) for k, v in inner.items()}}
        return {k: v if k == "properties" else _inlined(v, definitions) for k, v in _kept(node).items()}
    return {k: _inlined(v, definitions) for k, v in _kept(node).items()}


def _without_null(node: Mapping[str, JsonValue]) -> JsonValue | None:
    """The one type beside null; None where there is no such choice. Optional is what is not required."""
    options = node.get("anyOf")
    if not isinstance(options, list) or {"type": "null"} not in options or len(options) != 2:
        return None
    (alone,) = (option for option in options if option != {"type": "null"})
    return alone


def _kept(node: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {k: v for k, v in node.items() if k not in LEFT_OUT}
