"""Temporal's server as a child process: one program with Web UI, its data in one file."""

import asyncio
import urllib.parse
from collections.abc import Collection
from dataclasses import dataclass

from oxbot.domain.errors import SetupError
from oxbot.embedded import reach
from oxbot.embedded.child import Program, run_to_end
from oxbot.embedded.paths import DataDirectory
from oxbot.embedded.temporal_binary import TemporalBinary

NAME = "temporal"
"""Name of the program and its log."""

HOST = "127.0.0.1"
"""The server has no access control, so that it is for this machine only."""

SEARCH_ATTRIBUTES = {
    "BotStatus": "Keyword",
    "BotMode": "Keyword",
    "BotSymbols": "KeywordList",
    "BotOwner": "Keyword",
}
"""What bots can be searched by, and its type in Temporal's terms."""

PRAGMAS = ("journal_mode=wal", "synchronous=full", "busy_timeout=10000")
"""SQLite's settings: what was acknowledged survives a power cut, at half the usual cost; a
writer that finds the file locked waits (ms) instead of failing."""

QUICK_PRAGMAS = ("journal_mode=wal", "synchronous=off", "busy_timeout=10000")
"""The same without waiting for the disk: a killed process loses nothing, since the system has
what was written; a crash of the machine may cost the file."""

QUICK_DYNAMIC = ("system.enableActivityEagerExecution=true",)
"""An activity begins with the answer to the workflow task that scheduled it, which saves a
round trip through the task queue; its limits and retries are the same."""


@dataclass(frozen=True)
class Temporal:
    """One Temporal server.

    Args:
        home: The system's data directory.
        binary: Its program.
        namespace: Made at the start when it is not there.
        port: TCP port of the frontend.
        ui_port: TCP port of the Web UI.
        quick: As fast as can be; only a crash of the machine, not of a process, loses data.
    """

    home: DataDirectory
    binary: TemporalBinary
    namespace: str
    port: int
    ui_port: int
    quick: bool = False

    @property
    def ui_url(self) -> str:
        """The Web UI."""
        return f"http://{HOST}:{self.ui_port}"

    def program(self) -> Program:
        """How it is run."""
        attributes = [f"{name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]
        pragmas, dynamic = (QUICK_PRAGMAS, QUICK_DYNAMIC) if self.quick else (PRAGMAS, ())
        return Program(
            name=NAME,
            command=(
                *(str(self.binary.path), "server", "start-dev", "--log-level", "warn"),
                *("--db-filename", str(self.home.root / "temporal" / "temporal.db")),
                *("--ip", HOST, "--port", str(self.port), "--ui-port", str(self.ui_port)),
                *("--namespace", self.namespace),
                *(part for pragma in pragmas for part in ("--sqlite-pragma", pragma)),
                *(part for value in dynamic for part in ("--dynamic-config-value", value)),
                *(part for pair in attributes for part in ("--search-attribute", pair)),
            ),
            log=self.home.log(NAME),
            prepare=self._prepare,
            ready=self._is_ready,
            grace_s=4,
        )

    async def _prepare(self) -> None:
        """Refuse data that a newer server wrote, and note who writes it now."""
        directory = self.home.root / "temporal"
        directory.mkdir(mode=0o700, exist_ok=True)
        note, server = directory / "server-version", self.binary.server
        written_by = _parse(note.read_text(encoding="ascii")) if note.exists() else ()
        if server and written_by[:2] > server[:2]:
            raise SetupError(
                f"{directory} was written by Temporal server {_show(written_by)}, and "
                f"{self.binary.path} is the older {_show(server)}. Use the newer program "
                f"(put it first on PATH), or another directory with OXBOT_HOME."
            )
        note.write_text(_show(server), encoding="ascii")

    async def _is_ready(self) -> bool:
        """The Web UI hands a request through to the frontend, and bots can be searched."""
        namespace = urllib.parse.quote(self.namespace, safe="")
        url = f"{self.ui_url}/api/v1/namespaces/{namespace}/search-attributes"
        known = (await asyncio.to_thread(reach.get_object, url)).get("customAttributes")
        missing = SEARCH_ATTRIBUTES.keys() - (known if isinstance(known, dict) else {})
        if missing:
            await self._register(missing)
        return not missing

    async def _register(self, names: Collection[str]) -> None:
        """Add what an older version did not know: the server's own option does so only once.

        It applies `--search-attribute` when it makes a namespace. A refusal, such as a busy
        database, needs no care here: the next look at the readiness tries again.
        """
        new = [("--name", name, "--type", SEARCH_ATTRIBUTES[name]) for name in sorted(names)]
        await run_to_end(
            (
                *(str(self.binary.path), "operator", "search-attribute", "create"),
                *("--address", f"{HOST}:{self.port}", "--namespace", self.namespace),
                *(part for options in new for part in options),
            )
        )


def _parse(version: str) -> tuple[int, ...]:
    parts = version.strip().split(".")
    return tuple(int(part) for part in parts) if all(p.isdecimal() for p in parts) else ()


def _show(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
