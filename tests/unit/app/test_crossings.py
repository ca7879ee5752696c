"""The positions of a replay, held against the candles that its market was made of."""

from collections.abc import Sequence
from decimal import Decimal

from oxbot.app.crossings import crossings, rounds_of
from oxbot.app.statement import FillLine, Statement, TradeLine
from oxbot.domain.bot import Mode
from oxbot.domain.market import Candle
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.oracle import Judgement, Round
from oxbot.domain.portfolio import Position
from tests.support.fakes import BTC, ETH

LENGTH_MS = 60_000


class Past:
    """Candles at 100 USDT, but for those that a test sets by their open time."""

    length_ms = LENGTH_MS

    def __init__(self, **lows: int) -> None:
        self.lows = {int(minute.removeprefix("m")) * LENGTH_MS: low for minute, low in lows.items()}

    def candles(self, symbol: str, from_ms: int, to_ms: int) -> Sequence[Candle]:  # noqa: ARG002
        assert from_ms % LENGTH_MS == 0
        hundred = Price(100)
        return [
            Candle(
                open_ms=ms,
                open=hundred,
                high=hundred,
                low=Price(self.lows.get(ms, 100)),
                close=hundred,
                volume=Quantity(1),
            )
            for ms in range(from_ms, to_ms, LENGTH_MS)
        ]


def fill(symbol: str, purpose: str, at_ms: int, stop: str | None = None) -> FillLine:
    return FillLine(
        symbol=symbol,
        side="buy" if purpose == "entry" else "sell",
        purpose=purpose,
        quantity=Quantity(1),
        price=Price(100),
        fee=Decimal(0),
        fee_currency="USDT",
        at_ms=at_ms,
        seen_ms=None,
        stop=Decimal(stop) if stop else None,
        target=Decimal("0.1") if stop else None,
        limit_price=Price(101) if stop else None,
    )


def trade(number: int, symbol: str, opened_ms: int, closed_ms: int, end: str) -> TradeLine:
    return TradeLine(
        fill=number,
        symbol=symbol,
        quantity=Quantity(1),
        entry_price=Price(100),
        exit_price=Price(95),
        fees=Notional(0),
        net_pnl=Notional(-5),
        opened_ms=opened_ms,
        closed_ms=closed_ms,
        exit=end,
    )


STATEMENT = Statement(
    bot_id="r001",
    fills=(
        fill(BTC, "entry", 1_000, "0.05"),
        fill(ETH, "entry", 2_000, "0.02"),
        fill(BTC, "stop", 130_000),
        fill(BTC, "entry", 200_000, "0.03"),
        fill(ETH, "decision", 250_000),
        fill(BTC, "stop", 300_000),
    ),
    trades=(
        trade(3, BTC, 1_000, 130_000, "stop"),
        trade(5, ETH, 2_000, 250_000, "decision"),
        trade(6, BTC, 200_000, 300_000, "stop"),
    ),
    postings=(),
)

HELD = Position(
    symbol=ETH,
    quantity=Quantity(1),
    cost=Notional(100),
    entry_quantity=Quantity(1),
    entry_notional=Notional(100),
    paid=Notional(100),
    received=Notional(0),
    fees=Notional(0),
    opened_ms=260_000,
    stop=Decimal("0.04"),
    target=Decimal("0.1"),
    version=1,
)


def rounds(mode: Mode = Mode.PAPER) -> list[Round]:
    return list(rounds_of(STATEMENT, {ETH: HELD}, mode))


def test_the_limit_of_an_entry_counts_where_its_stop_was_at_the_exchange() -> None:
    assert [held.limit_price for held in rounds()] == [None] * 4
    assert [held.limit_price for held in rounds(Mode.LIVE)] == [Price(101)] * 3 + [None]


def test_each_trade_has_the_guards_of_its_own_entry_and_what_is_open_is_there_too() -> None:
    assert [(r.symbol, str(r.stop), r.opened_ms, r.closed_ms, r.exit) for r in rounds()] == [
        (BTC, "0.05", 1_000, 130_000, "stop"),
        (ETH, "0.02", 2_000, 250_000, "decision"),
        (BTC, "0.03", 200_000, 300_000, "stop"),
        (ETH, "0.04", 260_000, None, None),
    ]


def test_all_is_well_where_each_stop_came_in_the_candle_that_met_it() -> None:
    seen = crossings([rounds()[0], rounds()[2]], Past(m2=95, m5=96), 600_000)
    assert (seen.expected, seen.filled_in_their_candle, seen.others) == (2, 2, 0)
    assert seen.doubts == ()
    assert seen.agree(late=False)


def test_a_stop_missed_one_too_late_and_one_without_a_candle_are_told_apart() -> None:
    seen = crossings(rounds(), Past(m1=95, m7=96), 600_000)
    assert (seen.expected, seen.filled_in_their_candle, seen.late, seen.others) == (3, 0, 1, 1)
    assert [finding.judgement for finding in seen.doubts] == [
        Judgement.LATE,
        Judgement.MISSED,
        Judgement.UNFOUNDED,
        Judgement.MISSED,
    ]
    assert not seen.agree(late=True)


def test_a_late_stop_is_forgiven_where_it_may_be_late() -> None:
    seen = crossings(rounds()[:1], Past(m1=95), 600_000)
    assert seen.agree(late=True)
    assert not seen.agree(late=False)
