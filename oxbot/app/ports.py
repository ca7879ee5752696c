"""The ports that the use cases of a cycle share, joined by `oxbot.bootstrap`."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from oxbot.domain.errors import InputError
from oxbot.ports import (
    Breaker,
    ChatModel,
    Clock,
    Exchange,
    MarketFeed,
    PriceBoard,
    PriceStream,
    Store,
)


@dataclass(frozen=True)
class Ports:
    """Everything a cycle and the price watch need from the world.

    `fee_rate` is the taker fee as a fraction; `session` names the run of the whole system.
    """

    store: Store
    clock: Clock
    feed: MarketFeed
    stream: PriceStream
    board: PriceBoard
    breaker: Breaker
    exchange: Exchange
    models: Mapping[str, ChatModel]
    installation: str
    fee_rate: Decimal
    session: str | None = None

    def model(self, provider: str) -> ChatModel:
        """Give the model of a provider.

        Raises:
            InputError: No such provider.
        """
        if provider not in self.models:
            known = ", ".join(sorted(self.models))
            raise InputError(f"There is no model provider {provider!r}; there are: {known}.")
        return self.models[provider]
