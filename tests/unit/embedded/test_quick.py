"""Servers that do not wait for the disk, and what a SIGKILL may still not cost."""

import psutil

from oxbot.embedded.binaries import postgres_binaries
from oxbot.embedded.paths import DataDirectory
from oxbot.embedded.postgres import Postgres
from oxbot.embedded.servers import embedded_servers
from oxbot.embedded.temporal import Temporal
from oxbot.embedded.temporal_binary import TemporalBinary
from oxbot.settings import Settings
from tests.support.processes import kill_all
from tests.unit.embedded.conftest import Until
from tests.unit.embedded.test_servers import query


async def test_what_was_committed_outlives_the_death_of_every_process_of_a_quick_postgresql(
    settings: Settings, until: Until
) -> None:
    said: list[str] = []
    async with embedded_servers(settings, said.append, ["postgres"], quick=True) as addresses:
        assert await query(addresses, "SHOW fsync") == "off"
        await query(addresses, "CREATE TABLE fills (quantity int)")
        for _ in range(20):
            await query(addresses, "INSERT INTO fills VALUES (1)")
        kill_all(psutil.Process().children(recursive=True))
        await until(lambda: any("restarted" in line for line in said))
        assert await query(addresses, "SELECT count(*) FROM fills") == 20


async def test_a_quick_postgresql_still_hands_over_whole_pages_with_each_commit(
    settings: Settings,
) -> None:
    """A killed process can tear a page that it writes, and loses what it did not hand over."""
    async with embedded_servers(settings, print, ["postgres"], quick=True) as addresses:
        assert await query(addresses, "SHOW full_page_writes") == "on"
        assert await query(addresses, "SHOW synchronous_commit") == "on"


def test_servers_wait_for_the_disk_unless_asked_otherwise(
    data: DataDirectory,
) -> None:
    program = TemporalBinary(data.root / "temporal-server", "test", "1.5.1")
    for quick, waits in ((False, "synchronous=full"), (True, "synchronous=off")):
        server = Temporal(data, program, "default", 1, 2, quick=quick)
        postgres = Postgres(data, data.root, postgres_binaries(), (), quick=quick)
        assert waits in server.program().command
        assert ("fsync=off" in postgres.program().command) is quick
    assert "synchronous=full" in Temporal(data, program, "default", 1, 2).program().command
    assert "fsync=off" not in Postgres(data, data.root, postgres_binaries(), ()).program().command
