"""What a bot has behind it: its last trades with their reasons, and what they come to."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Annotated, Final

from pydantic import Field

from oxbot.domain.decision import Decision
from oxbot.domain.entries import REST_TOO_LITTLE
from oxbot.domain.market import Symbol
from oxbot.domain.money import EXACT, Notional
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Trade
from oxbot.domain.units import Bounded, NonNegativeNotional
from oxbot.domain.values import Value

LAST_TRADES: Final = 3
"""Trades that are remembered one by one, with their reasons."""

MOST_RESULTS: Final = 100
"""Trades that the figures are made of: the newest."""

NONE: Final = Notional(0)


class Thesis(Value):
    """Why a position was entered, and what would prove it wrong: the model's own words."""

    reason: str = ""
    invalidation: str = ""

    @classmethod
    def of(cls, decision: Decision | None, symbol: str) -> "Thesis":
        """Give what a decision said of a coin; nothing where there is none, or it did not."""
        proposals = decision.proposals if decision else ()
        said = next((p for p in proposals if p.symbol == symbol), None)
        return cls(reason=said.reason, invalidation=said.invalidation) if said else cls()


def exit_reason(purpose: Purpose, told: str) -> str:
    """Give why a model closed; of other exits their purpose says it.

    `told` is what the closing order says: the rule, a colon, the reason.
    """
    reason = told.partition(": ")[2].removeprefix(f"{REST_TOO_LITTLE}; ")
    return reason if purpose is Purpose.DECISION else ""


class PastTrade(Value):
    """A round trip with why it began; `exit_reason` is the model's where it closed it."""

    trade: Trade
    thesis: Thesis = Thesis()
    exit_reason: str = ""


class Result(Value):
    """What came of one trade, in USDT: the entry's notional, and the net PnL after all fees."""

    invested: Annotated[Notional, Bounded(gt=Decimal(0))]
    net_pnl: Notional

    @property
    def rate(self) -> Decimal:
        """The trade's return: net PnL as a fraction of what was invested."""
        return self.net_pnl / self.invested


class Costs(Value):
    """What deciding and trading have cost a bot so far, open positions included.

    `model_usd` is of all requests to models with a known price, `fees_usdt` of all fills.
    """

    model_usd: Decimal = Decimal(0)
    decisions: int = 0
    fees_usdt: NonNegativeNotional = NONE


class Memory(Value):
    """What a bot remembers.

    `last` are the newest trades and `results` those that the figures are made of, both oldest
    first. `theses` are those of the open positions, by coin.
    """

    last: tuple[PastTrade, ...] = ()
    results: tuple[Result, ...] = ()
    theses: dict[Symbol, Thesis] = Field(default_factory=dict)
    costs: Costs = Costs()


class Performance(Value):
    """What a row of trades comes to; None where a figure does not exist.

    `win_rate` is the share of trades with a net PnL above 0, `profit_factor` the sum of all
    gains over that of all losses (None without a loss), `drawdown` the deepest fall of the
    summed net PnL from its highest so far, which begins at 0 (USDT).
    """

    trades: int
    net_pnl: Notional
    win_rate: Decimal
    profit_factor: Decimal | None
    sharpe: Decimal | None
    drawdown: NonNegativeNotional


def performance(results: Sequence[Result]) -> Performance | None:
    """Sum trades up, oldest first; None where there are none."""
    if not results:
        return None
    nets = [result.net_pnl for result in results]
    won = sum((net for net in nets if net > 0), NONE)
    lost = sum((-net for net in nets if net < 0), NONE)
    return Performance(
        trades=len(nets),
        net_pnl=sum(nets, NONE),
        win_rate=EXACT.divide(Decimal(sum(net > 0 for net in nets)), Decimal(len(nets))),
        profit_factor=won / lost if lost else None,
        sharpe=sharpe_ratio([result.rate for result in results]),
        drawdown=_drawdown(nets),
    )


def sharpe_ratio(rates: Sequence[Decimal]) -> Decimal | None:
    """Give the Sharpe ratio of the returns of single trades.

    The mean over the sample standard deviation (n - 1), as W. F. Sharpe has it ex post in "The
    Sharpe Ratio", Journal of Portfolio Management 21 (1994), with a benchmark of 0. It is per
    trade: it is not annualised, and does not know how long a trade took. None of fewer than two
    trades, and where all returned the same.
    """
    if len(rates) < 2:  # noqa: PLR2004 - a deviation needs two
        return None
    count = Decimal(len(rates))
    mean = EXACT.divide(_sum(rates), count)
    squares = [EXACT.power(EXACT.subtract(rate, mean), 2) for rate in rates]
    deviation = EXACT.sqrt(EXACT.divide(_sum(squares), count - 1))
    return EXACT.divide(mean, deviation) if deviation and min(rates) != max(rates) else None


def _sum(numbers: Sequence[Decimal]) -> Decimal:
    total = Decimal(0)
    for number in numbers:
        total = EXACT.add(total, number)
    return total


def _drawdown(nets: Sequence[Notional]) -> Notional:
    sums = list(accumulate(nets, initial=NONE))
    highs = accumulate(sums, max)
    return max(high - now for high, now in zip(highs, sums, strict=True))
