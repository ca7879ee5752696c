"""Where the servers are: as the settings say, or as the embedded system that is running."""

from oxbot.domain.errors import SetupError
from oxbot.embedded.addresses import find_running
from oxbot.settings import Settings


def resolve(settings: Settings) -> Settings:
    """Fill in addresses that are not set from the embedded system that is running.

    Raises:
        SetupError: Something is not set and no system is running.
    """
    named = (settings.database_url, settings.redis_url, settings.temporal_address)
    if all(named):
        return settings
    running = find_running(settings.home)
    if running is None:
        raise SetupError(
            f"No running system in {settings.home}: start one with `oxbot up` or `make demo`, or "
            f"set DATABASE_URL, REDIS_URL and TEMPORAL_ADDRESS."
        )
    found = running.addresses
    return settings.model_copy(
        update={
            "database_url": settings.database_url or found.database_url,
            "redis_url": settings.redis_url or found.redis_url,
            "temporal_address": settings.temporal_address or found.temporal,
            "temporal_ui_url": settings.temporal_ui_url or found.temporal_ui,
            "simulator_url": settings.simulator_url or found.simulator,
        }
    )


def record_of(settings: Settings) -> str:
    """Give the address of the record, which may be named without the other servers.

    Raises:
        SetupError: No system is running, and none is named.
    """
    return settings.database_url or resolve(settings).database_url or ""
