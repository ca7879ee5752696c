"""Situations for the risk rules: sound unless a test says otherwise, or drawn at random."""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any, Final

from oxbot.domain.account import Account, Holding
from oxbot.domain.bot import RiskLimits
from oxbot.domain.decision import Action, Proposal
from oxbot.domain.market import ClockReading, Instrument, Quote
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.portfolio import Portfolio, Position
from oxbot.domain.risk import Context, Marks
from tests.support.trading import BTC, ETH, NOW_MS

INSTRUMENT: Final = Instrument(
    symbol=BTC, tick=Price("0.1"), lot=Quantity("0.0001"), minimum=Quantity("0.001")
)
INSTRUMENTS: Final = {
    symbol: INSTRUMENT.model_copy(update={"symbol": symbol}) for symbol in (BTC, ETH)
}
HALTED: Final = {
    symbol: instrument.model_copy(update={"live": False})
    for symbol, instrument in INSTRUMENTS.items()
}
LIMITS: Final = RiskLimits()
USUAL: Final = 0.9
"""How often chance leaves a part of a situation sound."""


def price(bid: str = "1000", ask: str | None = None, age_ms: int = 0, symbol: str = BTC) -> Quote:
    return Quote(
        symbol=symbol,
        bid=Price(bid),
        ask=Price(ask or bid),
        last=Price(bid),
        volume_24h=Quantity(1_000),
        exchange_ms=NOW_MS - age_ms,
        received_ms=NOW_MS,
        source="test",
    )


def context(**changes: Any) -> Context:  # noqa: ANN401 - any field of a Context
    """A bot with 10,000 USDT and nothing else, at a price of 1,000."""
    sound = Context(
        limits=LIMITS,
        clock=ClockReading(venue_ms=NOW_MS, wall_ms=NOW_MS, rate=Decimal(1)),
        portfolio=Portfolio(cash=Notional(10_000)),
        quotes={BTC: price()},
        seen={BTC: Price(1000)},
        instruments=INSTRUMENTS,
        symbols=(BTC,),
        fee_rate=Decimal("0.001"),
        entries_today=0,
        last_exit_ms={},
        busy=frozenset(),
        marks=Marks(day_start=Notional(10_000)),
    )
    return replace(sound, **changes)


def wish(**changes: Any) -> Proposal:  # noqa: ANN401 - any field of a Proposal
    sound = Proposal(
        symbol=BTC,
        action=Action.BUY,
        confidence=Decimal("0.9"),
        expected_move=Decimal("0.05"),
        reason="a trend",
    )
    return sound.model_copy(update=changes)


def holding(quantity: str = "1", held_s: int = 1000, symbol: str = BTC) -> Position:
    """A position bought at 1,000: stop at 965, target at 1,070."""
    coins, paid = Quantity(quantity), Price(1000) * Quantity(quantity)
    return Position(
        symbol=symbol,
        quantity=coins,
        cost=paid,
        entry_quantity=coins,
        entry_notional=paid,
        paid=paid,
        received=Notional(0),
        fees=Notional(0),
        opened_ms=NOW_MS - held_s * 1000,
        stop=LIMITS.stop,
        target=LIMITS.target,
        version=1,
    )


def owning(position: Position, cash: str = "9000") -> Portfolio:
    return Portfolio(cash=Notional(cash), positions={position.symbol: position})


class Chance:
    """Draws proposals and contexts: each part of them now and then beyond its limit."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - no secret

    def context(self) -> Context:
        """Any account, any market, any limits that could be set."""
        bid = self._between(1, 2_000)
        age_ms = self._mostly(0, 15_000, 15_001)
        quote = price(str(bid), str(self._near(bid, "0.0015")), age_ms=age_ms)
        return context(
            limits=self._limits(),
            portfolio=self._portfolio(),
            quotes={BTC: quote, ETH: self._eth()},
            instruments=self._mostly(INSTRUMENTS, HALTED),
            seen=self._mostly({BTC: Price(bid)}, {BTC: Price(self._near(bid, "0.004"))}, {}),
            symbols=self._mostly((BTC, ETH), (BTC,), (ETH,)),
            entries_today=self._mostly(0, 19, 20),
            last_exit_ms=self._mostly({}, {BTC: NOW_MS - 899_000}, {BTC: NOW_MS - 900_000}),
            busy=self._mostly(frozenset(), frozenset({BTC})),
            marks=self._mostly(
                Marks(day_start=Notional(1), high_water=Notional(1)),
                Marks(day_start=self._usdt(20_000), high_water=self._usdt(20_000)),
            ),
            account=self._account(),
        )

    def proposal(self) -> Proposal:
        """Any wish for one coin."""
        return Proposal(
            symbol=self._mostly(BTC, ETH, "DOGE/USDT"),
            action=self._mostly(Action.BUY, Action.CLOSE, Action.REDUCE, Action.HOLD),
            fraction=self._mostly(self._between("0.01", 1), Decimal("0.0001")),
            confidence=self._mostly(*map(Decimal, ("0.9", "0.6", "0.59", "0"))),
            expected_move=self._mostly(*map(Decimal, ("0.05", "0.004", "0.0039"))),
            stop_price=self._mostly(None, Price(self._between(1, 2_000))),
            target_price=self._mostly(None, Price(self._between(1, 2_000))),
            reason="chance",
        )

    def _eth(self) -> Quote:
        bid = str(self._between(1, 50))
        return price(bid, symbol=ETH, age_ms=self._mostly(0, 15_001))

    def _limits(self) -> RiskLimits:
        exposure = self._between("0.05", 1)
        return RiskLimits(
            max_position=min(exposure, self._between("0.01", 1)),
            max_exposure=exposure,
            max_account_exposure=self._between("0.05", 1),
            stop=self._between("0.001", "0.2"),
            target=self._between("0.1", 1),
            spread_bp=self._mostly(Decimal(40), Decimal(10)),
            minimum_notional=self._mostly(*map(Notional, (10, 0, 500))),
            flatten_at_limit=bool(self._random.randint(0, 1)),
        )

    def _portfolio(self) -> Portfolio:
        cash = self._usdt(20_000)
        coins = self._mostly((), (BTC,), (ETH,))
        held = [self._holding(symbol) for symbol in coins]
        return Portfolio(
            cash=cash,
            reserved=self._mostly(Notional(0), min(cash, self._usdt(9_000))),
            positions={position.symbol: position for position in held},
        )

    def _holding(self, symbol: str) -> Position:
        quantity = self._mostly(self._between("0.001", 5), Decimal("0.0005"))
        return holding(str(quantity), self._mostly(1_000, 599), symbol)

    def _account(self) -> Account:
        held = Holding(quantity=Quantity(self._between(0, 900)), cost=self._usdt(900_000))
        return Account(
            cash=self._usdt(20_000),
            reserved=self._mostly(Notional(0), self._usdt(9_000)),
            holdings=self._mostly({}, {ETH: held}),
        )

    def _between(self, low: str | int, high: str | int) -> Decimal:
        """Draw a number of four decimals, limits included."""
        step = Decimal("0.0001")
        return self._random.randint(int(Decimal(low) / step), int(Decimal(high) / step)) * step

    def _usdt(self, most: int) -> Notional:
        return Notional(self._between(0, most))

    def _near(self, number: Decimal, within: str) -> Decimal:
        off = number * Decimal(within)
        return self._between(str(number - off / 4), str(number + off))

    def _mostly(self, usual: Any, *others: Any) -> Any:  # noqa: ANN401 - one of what is given
        return usual if self._random.random() < USUAL else self._random.choice(others)
