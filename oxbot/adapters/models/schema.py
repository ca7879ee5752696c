"""A pydantic model as the strict JSON schema that providers hold an answer to."""

from collections.abc import Mapping
from typing import Any, Final  # Any: JSON, as pydantic gives it

from pydantic import BaseModel

KEPT: Final = frozenset({"$defs", "$ref", "anyOf", "const", "enum", "items", "type"})
"""What every strict mode understands; bounds and patterns are checked when the reply is read."""


def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Give the schema: decimals as strings, every field required, no others allowed."""
    return _strict(model.model_json_schema(mode="serialization"))


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: _inner(name, value) for name, value in schema.items() if name in KEPT}
    if "properties" not in schema:
        return kept
    properties = {name: _strict(field) for name, field in schema["properties"].items()}
    return {
        **kept,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _inner(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    if name == "$defs":
        return {named: _strict(schema) for named, schema in value.items()}
    if name == "anyOf":
        return [_strict(schema) for schema in value]
    return _strict(value) if name == "items" else value
