"""A desk on a small market, and what a test does there."""

from dataclasses import dataclass
from decimal import Decimal

from oxbot.simulator.clock import ClockChange
from oxbot.simulator.private.books import Books
from oxbot.simulator.private.desk import Desk
from oxbot.simulator.private.events import (
    Event,
)
from oxbot.simulator.private.spec import AccountSpec
from oxbot.simulator.private.terms import (
    Exit,
    OrderType,
    Protection,
    Side,
    Target,
)
from oxbot.simulator.private.wishes import AlgoWish, OrderWish
from oxbot.simulator.venue import Venue
from tests.support.simulated_account import account
from tests.unit.simulator.markets import (
    DAY_START_MS,
    STEP_MS,
    SYMBOL,
    random_rows,
    source_of,
    stepped_venue,
)

TICK, LOT = Decimal("0.1"), Decimal("0.00000001")
FIRST = {"USDT": Decimal(5000), "BTC": Decimal("0.1")}
NOW_MS = DAY_START_MS + 2 * STEP_MS


@dataclass
class Trading:
    """A desk, and one account there."""

    desk: Desk
    books: Books

    @property
    def events(self) -> list[Event]:
        return self.desk.venue.journal.events

    @property
    def now_ms(self) -> int:
        return self.desk.venue.clock.now()

    def ticks(self, ms: int | None = None) -> int:
        """The last price at a moment, or now."""
        return self.desk.venue.market.price(SYMBOL, self.now_ms if ms is None else ms)

    def advance(self, ms: int) -> None:
        self.desk.venue.clock.change(ClockChange(advance_ms=ms))
        self.settle()

    def settle(self) -> None:
        self.desk.settle()
        self.desk.ledger.commit()


def open_trading(seed: int = 1, count: int = 40, venue: Venue | None = None) -> Trading:
    """A market of random candles around 50,000 USDT, and an account."""
    desk = Desk(venue or stepped_venue(source_of(random_rows(seed, count)), NOW_MS))
    spec = AccountSpec.model_validate(account(balances=FIRST))
    books = desk.ledger.make_account(spec, desk.settle())
    desk.ledger.commit()
    return Trading(desk, books)


def wish(side: Side, kind: OrderType, sz: Decimal, px: Decimal | None = None) -> OrderWish:
    """An order of BTC."""
    return OrderWish(SYMBOL, side, kind, px, sz, Target.BASE)


def algo(side: Side, sz: Decimal, stop: int | None, target: int | None) -> AlgoWish:
    """An algo order at market, its triggers in ticks."""
    return AlgoWish(SYMBOL, side, sz, protection(stop, target))


def protection(stop: int | None, target: int | None) -> Protection:
    """Triggers in ticks."""
    return Protection(
        stop=None if stop is None else Exit(trigger=stop * TICK),
        target=None if target is None else Exit(trigger=target * TICK),
    )
