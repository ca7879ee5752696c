"""What the use cases need from the world, as Protocols. Adapters implement them.

Every method may raise the errors of `oxbot.domain.errors`; Temporal does the retrying.
"""

from oxbot.ports.keeping import Keeping
from oxbot.ports.market import (
    Breaker,
    Clock,
    Flight,
    Listing,
    MarketFeed,
    PartCache,
    PriceBoard,
    PriceStream,
)
from oxbot.ports.protection import PositionKey, PositionNews
from oxbot.ports.store import Store
from oxbot.ports.trading import AccountNews, BotControl, ChatModel, Exchange, LiveExchange

__all__ = [
    "AccountNews",
    "BotControl",
    "Breaker",
    "ChatModel",
    "Clock",
    "Exchange",
    "Flight",
    "Keeping",
    "Listing",
    "LiveExchange",
    "MarketFeed",
    "PartCache",
    "PositionKey",
    "PositionNews",
    "PriceBoard",
    "PriceStream",
    "Store",
]
