"""The store: all its parts in one."""

from oxbot.adapters.postgres.accounts import Accounts
from oxbot.adapters.postgres.adoption import Adoptions
from oxbot.adapters.postgres.audit import Audit
from oxbot.adapters.postgres.bots import Bots
from oxbot.adapters.postgres.claims import Claimed
from oxbot.adapters.postgres.cycles import Cycles
from oxbot.adapters.postgres.decisions import Decisions
from oxbot.adapters.postgres.differences import Differences
from oxbot.adapters.postgres.exits import Exits
from oxbot.adapters.postgres.forced_ends import ForcedEnds
from oxbot.adapters.postgres.guards import Guards
from oxbot.adapters.postgres.history import History
from oxbot.adapters.postgres.limits import Limits
from oxbot.adapters.postgres.memory import Memories
from oxbot.adapters.postgres.orders import Orders
from oxbot.adapters.postgres.outages import Outages
from oxbot.adapters.postgres.protections import Protections
from oxbot.adapters.postgres.questions import Questions
from oxbot.adapters.postgres.settlement import Settlements
from oxbot.adapters.postgres.snapshots import Snapshots
from oxbot.adapters.postgres.stops import Stops
from oxbot.adapters.postgres.write_offs import WriteOffs


class PostgresStore(
    Bots,
    ForcedEnds,
    Limits,
    Accounts,
    Snapshots,
    Cycles,
    Decisions,
    Questions,
    Memories,
    Orders,
    Exits,
    Settlements,
    Adoptions,
    Stops,
    Claimed,
    WriteOffs,
    Differences,
    Guards,
    Protections,
    Outages,
    History,
    Audit,
):
    """`oxbot.ports.Store` in PostgreSQL: `PostgresStore(open_engine(database_url))`.

    Any number of stores and processes may work on one database.
    """

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()
