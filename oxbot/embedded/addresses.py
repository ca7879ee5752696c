"""Where a running system's servers are, for every other command to find."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from oxbot.embedded.paths import DataDirectory, read_json_object, write_private_json
from oxbot.embedded.processes import Identity


@dataclass(frozen=True)
class Addresses:
    """Where the parts of one system listen.

    Args:
        temporal: Frontend, host:port.
        temporal_ui: Web UI; None where it is not known.
        database_url: postgresql://...
        redis_url: redis://... or unix://...
        api: Base URL at which the settings put the API.
        simulator: Base URL of the simulated OKX; None with the real one.
    """

    temporal: str
    temporal_ui: str | None
    database_url: str
    redis_url: str
    api: str
    simulator: str | None

    def as_environment(self) -> dict[str, str]:
        """The settings by which a process joins this system."""
        values = {
            "TEMPORAL_ADDRESS": self.temporal,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "OXBOT_TEMPORAL_UI_URL": self.temporal_ui,
            "OXBOT_SIMULATOR_URL": self.simulator,
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Running:
    """A system that runs now.

    Args:
        addresses: Where its parts listen.
        session: Names this run.
        pid: Its supervisor's process id.
    """

    addresses: Addresses
    session: str
    pid: int


@contextmanager
def published(data: DataDirectory, addresses: Addresses, session: str) -> Iterator[None]:
    """Let other commands find the system while the block runs."""
    supervisor = Identity.of(os.getpid()).record()
    content = {**supervisor, "session": session, "addresses": asdict(addresses)}
    write_private_json(data.addresses, content)
    try:
        yield
    finally:
        data.addresses.unlink(missing_ok=True)


def find_running(home: Path) -> Running | None:
    """The system on a data directory; None when its supervisor has gone."""
    content = read_json_object(DataDirectory.of(home).addresses)
    supervisor, addresses = Identity.read(content), content.get("addresses")
    if supervisor is None or supervisor.process() is None or not isinstance(addresses, dict):
        return None
    try:
        found = Addresses(**addresses)
    except TypeError:  # written by a version with other parts
        return None
    return Running(found, str(content.get("session")), supervisor.pid)


def running(home: Path) -> Addresses | None:
    """Addresses of the system on a data directory; None when none runs."""
    found = find_running(home)
    return found.addresses if found else None
