"""The OpenAPI document as it has to be: every refusal is a problem, also those of the doors."""

from typing import Any, Final

from api.problems import MEDIA_TYPE, Problem

Document = dict[str, Any]  # Any: as JSON has it

PROBLEM: Final = f"#/components/schemas/{Problem.__name__}"
FRAMEWORKS_OWN: Final = ("HTTPValidationError", "ValidationError")
"""What the framework says of its own answers, which nobody is given here."""

OF_ALL: Final = {
    "400": "The host is none of this API's, or the body cannot be read.",
    "403": "A page of another site asks, or whoever is signed in may not.",
}
OF_BODIES: Final = {
    "413": "The body is too long.",
    "422": "What was sent cannot be; nothing was done.",
}


def mended(document: Document) -> Document:
    """Give the document with each answer that there can be."""
    for path in document["paths"].values():
        for operation in path.values():
            _mend(operation)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in FRAMEWORKS_OWN:
        schemas.pop(name, None)
    schemas[Problem.__name__] = Problem.model_json_schema()
    return document


def _mend(operation: Document) -> None:
    answers = operation["responses"]
    for answer in answers.values():
        if _is_of_a_problem(answer):
            answer["content"] = _problem()
    could_be = {**OF_ALL, **(OF_BODIES if "requestBody" in operation else {})}
    for status, told in could_be.items():
        answers.setdefault(status, {"description": told, "content": _problem()})


def _is_of_a_problem(answer: Document) -> bool:
    named = (f"#/components/schemas/{FRAMEWORKS_OWN[0]}", PROBLEM)
    content = answer.get("content", {}).values()
    return any(each.get("schema", {}).get("$ref") in named for each in content)


def _problem() -> Document:
    return {MEDIA_TYPE: {"schema": {"$ref": PROBLEM}}}
