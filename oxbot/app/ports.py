"""The ports that the use cases of a cycle share, joined by `oxbot.bootstrap`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from oxbot.app.shared import Shared
from oxbot.domain.errors import VenueUnavailable
from oxbot.domain.models import check_provider
from oxbot.ports import (
    AccountNews,
    BotControl,
    Breaker,
    ChatModel,
    Clock,
    Exchange,
    Flight,
    LiveExchange,
    MarketFeed,
    PartCache,
    PositionNews,
    PriceBoard,
    PriceStream,
    Store,
)


@dataclass(frozen=True)
class Ports:
    """Everything a cycle and the price watch need from the world.

    `exchange` is where paper orders go, `live` the account of live ones, and `account_news` what
    it tells of itself; none where no account is set up. `fee_rate` is the taker fee as a fraction;
    `budget_usd` is what all models together may cost a day, None without a limit; `session` names
    the run of the whole system; `shared` is what the tasks of this process share.
    """

    store: Store
    news: PositionNews
    control: BotControl
    clock: Clock
    feed: MarketFeed
    stream: PriceStream
    board: PriceBoard
    breaker: Breaker
    parts: PartCache
    flight: Flight
    exchange: Exchange
    models: Mapping[str, ChatModel]
    installation: str
    fee_rate: Decimal
    budget_usd: Decimal | None = None
    live: LiveExchange | None = None
    account_news: Sequence[AccountNews] = ()
    session: str | None = None
    shared: Shared = field(default_factory=Shared)

    @property
    def account(self) -> LiveExchange:
        """Give the account of live orders.

        Raises:
            VenueUnavailable: This process has none, and another may.
        """
        if self.live is None:
            raise VenueUnavailable(
                "This worker has no account for live orders: set OXBOT_LIVE, OKX_API_KEY, "
                "OKX_SECRET_KEY and OKX_PASSPHRASE, and start it again."
            )
        return self.live

    def model(self, provider: str) -> ChatModel:
        """Give the models of a provider.

        Raises:
            InputError: No such provider, or it is not set up.
        """
        check_provider(provider, self.models)
        return self.models[provider]
