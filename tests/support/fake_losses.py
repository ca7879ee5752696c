"""The record in memory: what is gone from an account and taken off a bot's books."""

from decimal import Decimal

from oxbot.domain.errors import Conflict
from oxbot.domain.ledger import must_balance
from oxbot.domain.losses import CoinBooks, lacks_of, lose_coins, losses_of
from oxbot.domain.market import QUOTE_CURRENCY
from oxbot.domain.money import Notional, Quantity
from oxbot.records import SeenAccount, WriteOff
from tests.support.fake_live import FakeLive
from tests.support.fakes import INSTRUMENT


class FakeLosses(FakeLive):
    """The part of the record that write-offs need. `wishes` are those that were fulfilled."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes: dict[tuple[str, str], WriteOff] = {}

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
