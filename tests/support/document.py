"""The OpenAPI document of a running API, held against what it answers."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, repeat
from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES: Final = 8
"""Requests to each operation of either kind: those that fit the document, and those that do not."""

CHECKS: Final[list[CheckFunction]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

STREAM: Final = "text/event-stream"

ENDS: Final = ("/logout",)
"""What ends the login that all the others need: each request has one of its own."""

AnyCase = Case[Any]  # Any: as below
Operation = APIOperation[Any, Any, Any, Any]  # Any: as the library has it


def operations(url: str) -> list[Operation]:
    """All operations of the document but those whose answers have no end."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    results = list(schema.get_all_operations())
    assert all(isinstance(result, Ok) for result in results), "the document is no OpenAPI"
    found = (result.ok() for result in results if isinstance(result, Ok))
    return [each for each in found if not _goes_on(each)]


def troubles(url: str, token: str, bots: list[str], spare: Sequence[str] = ()) -> Iterator[str]:
    """What is answered otherwise than the document says, each with how to ask it again.

    `spare` are tokens of logins that may end.
    """
    tokens = cycle(spare or (token,))
    for number, operation in enumerate(operations(url)):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            path = {"bot_id": bots[number % len(bots)]} if "{bot_id}" in operation.path else None
            shown = tokens if operation.path in ENDS else repeat(token)
            try:
                _asked(operation, mode, path, shown)()
            except Unsatisfiable:
                continue  # where nothing is asked for, nothing can be wrong
            except FailureGroup as failures:
                yield f"{operation.label} ({mode}): {'; '.join(map(str, failures.exceptions))}"


def _goes_on(operation: Operation) -> bool:
    answers = operation.definition.raw.get("responses", {}).values()
    return any(STREAM in answer.get("content", {}) for answer in answers)


def _asked(
    operation: Operation,
    mode: GenerationMode,
    path: dict[str, str] | None,
    shown: Iterator[str],
) -> Callable[[], None]:
    @seed(8)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=path))
    def asked(case: AnyCase) -> None:
        headers = {"Authorization": f"Bearer {next(shown)}"}
        case.call_and_validate(headers=headers, checks=CHECKS, timeout=60)

    return asked
