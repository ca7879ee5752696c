"""What goes to stdout: one JSON document, or tables and lines for people."""

import json
import sys
from collections.abc import Iterable, Sequence

from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.table import Table
from rich.text import Text


def write_json(document: object) -> None:
    """Write one JSON document; Decimals become strings, so that no digit is lost."""
    text = json.dumps(to_jsonable_python(document), ensure_ascii=False, indent=2)
    sys.stdout.write(f"{text}\n")


def console() -> Console:
    """Make the console for people, without colours and codes where stdout is no terminal."""
    return Console(highlight=False, markup=False)


def is_dialogue() -> bool:
    """Tell whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def table(
    title: str,
    columns: Sequence[str],
    lines: Iterable[Sequence[str | Text]] = (),
    *,
    tight: bool = False,
) -> Table:
    """Make a table; a column whose name ends in `>` is set flush right and never broken.

    A tight one has one space between columns instead of two.
    """
    made = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0) if tight else (0, 1),
    )
    for column in columns:
        flush_right = column.endswith(">")
        made.add_column(
            column.removesuffix(">"),
            justify="right" if flush_right else "left",
            header_style="dim",
            no_wrap=flush_right,
        )
    for line in lines:
        made.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in line))
    return made
