"""docs/operating.md as a script: its commands, what it shows of them, and whether that holds."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "operating.md"
README: Final = PAGE.parents[1] / "README.md"
MARK: Final = "-- end of what the command said --"
ANYTHING: Final = "..."
"""A line of the page that stands for any number of lines."""

BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHANGING: Final = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\b([a-z0-9]{16}|[a-z][a-z0-9]{31})\b"), "ID"),
    (re.compile(r"\b(closing|stopped)\b"), "ENDING"),
    (re.compile(r"\d+ (second|minute|hour)s? ago"), "AGO"),
    (re.compile(r"\d[\d,.:-]*"), "N"),
    (re.compile(r"\s+"), " "),
)
"""What differs each time, and what stands for it."""


@dataclass(frozen=True)
class Example:
    """A command of the page, and what the page shows of its output."""

    command: str
    shown: str


def examples(page: str) -> list[Example]:
    """All commands of a page, in order; lines that begin with `> ` go on with the one before."""
    return [example for block in BLOCK.findall(page) for example in _of_block(block)]


def _of_block(block: str) -> Iterator[Example]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        more = [line.startswith("> ") for line in lines[1:]]
        length = 1 + (more.index(False) if False in more else len(more))
        command = [lines[0], *(line.removeprefix("> ") for line in lines[1:length])]
        yield Example("\n".join(command), "\n".join(lines[length:]))


def run(
    commands: list[str],
    environment: Mapping[str, str],
    folder: Path,
    waits: Mapping[str, str] | None = None,
) -> list[tuple[int, str]]:
    """Run commands in one shell, as a person types them; exit code and output of each.

    `waits` has conditions, by how the command begins that a person would wait for them with.
    """
    script = "".join(_typed(command, waits or {}) for command in commands)
    (folder / "page.sh").write_text(script, encoding="utf-8")
    ran = subprocess.run(
        ["/bin/bash", "page.sh"],
        stdin=subprocess.DEVNULL,
        env=dict(environment),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    said = re.split(rf"\n{MARK} (\d+)\n", ran.stdout)
    return [(int(code), out.strip("\n")) for out, code in zip(said[::2], said[1::2], strict=False)]


def _typed(command: str, waits: Mapping[str, str]) -> str:
    wait = next((until for begin, until in waits.items() if command.startswith(begin)), None)
    patience = f"until {wait}; do sleep 0.2; done > /dev/null 2>&1\n" if wait else ""
    return f'{patience}{command}\nprintf "\\n%s %s\\n" "{MARK}" "$?"\n'


def is_like(shown: str, said: str) -> bool:
    """Whether an output has the shape that the page shows: the same, but for what changes."""
    shown_json, said_json = _json(shown), _json(said)
    if shown_json is not None:
        return said_json is not None and _has_shape(shown_json, said_json)
    pattern = "".join(
        "(.*\n)*?" if line.strip() == ANYTHING else f"{re.escape(_plain(line))} *\n"
        for line in shown.splitlines()
    )
    told = "".join(f"{_plain(line)}\n" for line in said.splitlines())
    return re.fullmatch(pattern, told) is not None


def _plain(line: str) -> str:
    """Put what changes out of sight; a line that is one short number is a status or a code."""
    if re.fullmatch(r"\d{1,3}", line):
        return line
    for changing, stands in CHANGING:
        line = changing.sub(stands, line)
    return line.strip()


def _json(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict | list) else None


def _has_shape(shown: Any, said: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether everything that is shown is there, and of its kind; null may be anything."""
    if shown is None or said is None:
        return True
    if isinstance(shown, dict):
        same = isinstance(said, dict) and shown.keys() <= said.keys()
        return same and all(_has_shape(value, said[key]) for key, value in shown.items())
    if isinstance(shown, list):
        return isinstance(said, list) and all(_has_shape(shown[0], one) for one in said if shown)
    if isinstance(shown, str):
        return isinstance(said, str) and _plain(shown) == _plain(said)
    return type(shown) is type(said)
