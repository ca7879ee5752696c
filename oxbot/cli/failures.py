"""Errors as people and programs meet them: one sentence, and an exit code that says which kind."""

import json
import sys
from typing import Final

from oxbot.domain.errors import (
    Conflict,
    InputError,
    NotFound,
    OxbotError,
    Unanswered,
    Unavailable,
)

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C: 128 plus SIGINT's number, as shells have it."""

USAGE: Final = 2
"""Exit code of a command line that cannot be understood."""

_EXIT_CODES: Final = (
    (NotFound, 3),
    (InputError, USAGE),
    (Conflict, 4),
    (Unanswered, 6),
    (Unavailable, 5),
)

EXPLAINED: Final = (
    "Exit codes: 0 done, 1 failed, 2 the command line or its data is wrong, 3 there is no such "
    "thing, 4 it does not fit the present state, 5 somebody does not answer now (try again), "
    "6 it was told and may still do it (look first), 130 interrupted. With --json an error is one "
    "JSON object on stderr."
)


def exit_code(error: OxbotError) -> int:
    """Give the exit code of an error's class."""
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), 1)


def tell(name: str, message: str, *, as_json: bool) -> None:
    """Write an error to stderr: a sentence, or one JSON object {"error", "message"}."""
    text = json.dumps({"error": name, "message": message}) if as_json else message
    sys.stderr.write(f"{text}\n")
