"""Text files with commas, plain or packed, as numbered lines of cells."""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from oxbot.domain.errors import InputError

TEXTS: Final = (".csv", ".csv.gz", ".zip")
"""How the names of files end that can be read as text."""

_UNREADABLE: Final = (
    OSError,
    EOFError,
    UnicodeDecodeError,
    csv.Error,
    zlib.error,
    zipfile.BadZipFile,
    NotImplementedError,  # a zip packed in a way that Python does not know
    RuntimeError,  # a zip with a password
)


def numbered_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give each line's number (from 1) and cells; empty lines are left out.

    Raises:
        InputError: The file cannot be opened, unpacked or decoded to its end.
    """
    line = 0
    try:
        with _opened(path) as text:
            reader = csv.reader(text)
            for cells in reader:
                line = reader.line_num
                if cells:
                    yield line, cells
    except _UNREADABLE as error:
        after = f" (after line {line})" if line else ""
        raise InputError(f"{path.name} cannot be read: {error}{after}. Fetch it again.") from error


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open the text; a byte order mark in front of it is left out."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_only_member(path, archive)) as packed:
            yield io.TextIOWrapper(packed, encoding="utf-8-sig", newline="")
    else:
        unpack = gzip.open if path.suffix == ".gz" else open
        with unpack(path, "rt", encoding="utf-8-sig", newline="") as text:
            yield text


def _only_member(path: Path, archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    if len(names) != 1:
        raise InputError(f"{path.name} holds {len(names)} .csv files; it must hold one. Unpack it.")
    return names[0]
