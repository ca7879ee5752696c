"""What the demo shows: one look at the bot, and where to look further."""

from dataclasses import dataclass
from typing import Final, Self

from oxbot.adapters.venue_control import VenueTime
from oxbot.app.bots import BotPage
from oxbot.app.market_status import MarketStatus
from oxbot.app.overview import BotLine
from oxbot.embedded.addresses import Addresses
from oxbot.records import AuditFigures
from oxbot.settings import Settings

TRY: Final = "oxbot temporal workflow list --query \"BotStatus='running'\""
"""A line that shows the bots by Temporal's own command line."""


@dataclass(frozen=True)
class Links:
    """Where to look further."""

    api: str
    web_ui: str

    @classmethod
    def of(cls, addresses: Addresses, settings: Settings) -> Self:
        """Take them from a running system."""
        base, namespace = addresses.temporal_ui or "", settings.temporal_namespace
        return cls(addresses.api, f"{base}/namespaces/{namespace}/workflows")


@dataclass(frozen=True)
class Picture:
    """One look.

    `line` is the record's view of the bot at the newest prices known, `page` what its workflow
    and history add, `audit` whether its books agree, `market` how prices come; `missed` is what the
    pause before this start cost.
    """

    line: BotLine
    page: BotPage
    audit: AuditFigures
    market: MarketStatus
    time: VenueTime
    missed: tuple[str, ...]
