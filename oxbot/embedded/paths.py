"""Where things lie below the data directory (OXBOT_HOME)."""

import contextlib
import errno
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from oxbot.domain.errors import SetupError

LONGEST_SOCKET_PATH = 107
"""Bytes of a unix socket's path: sun_path has 108, one of them ends it."""

LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"
"""The longest name that a server puts into the socket directory."""


@dataclass(frozen=True)
class DataDirectory:
    """One running system's files.

    Args:
        root: Absolute path of the directory; made when it is not there, for its owner only.
    """

    root: Path

    @classmethod
    def of(cls, home: Path) -> "DataDirectory":
        """The data directory of a setting, which may be relative or begin with `~`."""
        return cls(Path(os.path.abspath(home.expanduser())))  # noqa: PTH100 - keeps symlinks

    @property
    def lock(self) -> Path:
        """Held by the process that runs the system."""
        return self.root / "lock"

    @property
    def addresses(self) -> Path:
        """Where the running system's servers are."""
        return self.root / "addresses.json"

    @property
    def children(self) -> Path:
        """Processes that were started, for the next start to look after."""
        return self.root / "children.json"

    @property
    def secrets(self) -> Path:
        """What only this system knows, for its owner alone."""
        return self.root / "secrets.json"

    @property
    def replies(self) -> Path:
        """What models said in replays, by what they were asked."""
        return self.root / "replies"

    @property
    def logs(self) -> Path:
        """One file for each program, and the one before it."""
        return self.root / "logs"

    def log(self, name: str) -> Path:
        """The log of the program `name`."""
        return self.logs / f"{name}.log"

    def make(self) -> None:
        """Make the directory and prove that it can be written.

        Raises:
            SetupError: It cannot be made or written.
        """
        with files_in(self.root):
            for directory in (self.root, self.logs):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root) as probe:
                probe.write(b"0xBot can write here")

    def socket_directory(self) -> Path:
        """Make the directory of the unix sockets: below the data directory if paths allow.

        Raises:
            SetupError: Somebody else owns the short directory that a long path asks for.
        """
        near = self.root / "run"
        if len(os.fsencode(near / LONGEST_SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
            return _private_directory(near)
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return _private_directory(Path(tempfile.gettempdir()) / f"oxbot-{digest}")


def _private_directory(path: Path) -> Path:
    """Make `path` for this user alone; refuse one that another user prepared."""
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise SetupError(
            f"{path} belongs to somebody else, so servers cannot listen there safely. "
            f"Remove it, or set OXBOT_HOME to a directory with a shorter path."
        )
    path.chmod(0o700)
    return path


def write_private_json(path: Path, content: Mapping[str, object]) -> None:
    """Replace the file at once, readable by its owner only."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with open(fresh, "x", encoding="utf-8", opener=_owner_only) as file:
        json.dump(content, file, indent=2)
    fresh.replace(path)


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def read_json_object(path: Path) -> dict[str, object]:
    """The object in the file; empty when the file is missing or was cut off by a crash."""
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


@contextlib.contextmanager
def files_in(directory: Path) -> Iterator[None]:
    """Turn an operating system's refusal into a sentence.

    Raises:
        SetupError: For every OSError in the block.
    """
    try:
        yield
    except OSError as error:
        raise SetupError(_sentence(directory, error)) from error


REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)
"""What the system answers when a directory is not for this user."""


def _sentence(directory: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full_disk(directory)
    if error.errno in REFUSALS:
        return (
            f"The data directory {directory} cannot be used ({error}). Give 0xBot a directory "
            f"that you can write, with OXBOT_HOME."
        )
    return f"0xBot cannot go on: the system refused what it needs ({error})."


def full_disk(directory: Path) -> str:
    """What to say when no byte more can be written."""
    return (
        f"The disk that holds {directory} is full. Free some space, or move the "
        f"directory and set OXBOT_HOME to its new place."
    )
