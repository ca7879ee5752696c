"""The record in memory: what is gone from an account and taken off a bot's books."""

from collections.abc import Collection
from decimal import Decimal

from oxbot.domain.errors import Conflict
from oxbot.domain.ledger import must_balance
from oxbot.domain.losses import (
    AGREES,
    DIFFERS,
    CoinBooks,
    lacks_of,
    lose_coins,
    losses_of,
)
from oxbot.domain.market import QUOTE_CURRENCY
from oxbot.domain.money import Notional, Quantity
from oxbot.domain.orders import Order, OrderState
from oxbot.records import SeenAccount, WriteOff
from tests.support.fake_live import FakeLive
from tests.support.fakes import INSTRUMENT


class FakeLosses(FakeLive):
    """The part of the record that write-offs need.

    `wishes` are those that were fulfilled, `differences` what was told of them, by kind.
    """

    def __init__(self) -> None:
        super().__init__()
        self.wishes: dict[tuple[str, str], WriteOff] = {}
        self.differences: list[tuple[str, str]] = []
        self._differ: dict[str, list[str]] = {}

    async def written_off(self, bot_id: str, wish_id: str) -> dict[str, Decimal]:
        """Give what a wish has taken off."""
        known = self.wishes.get((bot_id, wish_id))
        return dict(known.losses) if known else {}

    async def write_off(self, wish: WriteOff, seen: SeenAccount) -> None:
        """Take what is missing off a bot's books, once, as the port says."""
        if (wish.bot_id, wish.id) in self.wishes:
            return
        if await self.unfinished_orders(wish.bot_id):
            raise Conflict("An order is under way.")
        claims = await self.claims(self.bots_by_id[wish.bot_id].settings.venue)
        if claims != seen.claims:
            raise Conflict("What live bots have changed while it was looked at.")
        owned = (await self.portfolio(wish.bot_id)).owned()
        if losses_of(lacks_of(claims.by_currency(), seen.has), owned) != wish.losses:
            raise Conflict("That is not what is missing.")
        for currency, amount in wish.losses.items():
            self._lose(wish, currency, amount)
        self.wishes[wish.bot_id, wish.id] = wish

    async def tell_differences(
        self, bot_id: str, differs: Collection[str], *, is_all: bool
    ) -> None:
        """Tell what is new, and what is over."""
        differed = self._differ.setdefault(bot_id, [])
        new = [what for what in differs if what not in differed]
        over = [what for what in differed if what not in differs] if is_all else []
        self.differences += [(DIFFERS, what) for what in new] + [(AGREES, what) for what in over]
        self._differ[bot_id] = [what for what in (*differed, *new) if what not in over]

    async def untold_orders(self, bot_id: str, since_ms: int) -> list[Order]:  # noqa: ARG002 - all is of today
        """Give filled orders that are in no event."""
        filled = (o for o in self._orders_of(bot_id) if o.state is OrderState.FILLED)
        return [order for order in filled if order.id not in self.orders_told]

    def _lose(self, wish: WriteOff, currency: str, amount: Decimal) -> None:
        if currency == QUOTE_CURRENCY:
            lost = Notional(amount)
            self.cash[wish.bot_id] -= lost
            before = self._lost_cash.get(wish.bot_id, Notional(0))
            self._lost_cash[wish.bot_id] = before + lost
            return
        key = (wish.bot_id, f"{currency}/{QUOTE_CURRENCY}")
        books = CoinBooks(position=self._positions.pop(key, None), dust=self._dust_of(key))
        change = lose_coins(key[1], books, Quantity(amount), INSTRUMENT, wish.at_ms)
        must_balance(change.entries)
        self._dust[key] = change.left.dust
        if change.left.position:
            self._positions[key] = change.left.position
        if change.trade:
            self._trades.append((wish.bot_id, change.trade))

    def _dust_of(self, key: tuple[str, str]) -> Quantity:
        return self._dust.get(key, Quantity(0))
