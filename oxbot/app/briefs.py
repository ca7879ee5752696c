"""Positions and verdicts as people and models are shown them."""

from oxbot.domain.market import Quote
from oxbot.domain.money import Notional
from oxbot.domain.portfolio import Portfolio, Position
from oxbot.domain.risk import WHOLE_ACCOUNT, Verdict
from oxbot.messages import PositionBrief


def position_briefs(
    portfolio: Portfolio, quotes: dict[str, Quote], now_ms: int
) -> tuple[PositionBrief, ...]:
    """Describe the positions at what closing them would bring, with the age of that price.

    `now_ms` is venue time. One without a price stands at its cost, and its age is None.
    """
    return tuple(
        _brief(position, quotes.get(symbol), now_ms)
        for symbol, position in sorted(portfolio.positions.items())
    )


def verdict_told(verdict: Verdict) -> str:
    """Say in one line what a rule said of what, why, and by which figures."""
    figures = ", ".join(f"{name} {value}" for name, value in verdict.figures.items())
    whom = "account" if verdict.symbol == WHOLE_ACCOUNT else f"{verdict.symbol} {verdict.purpose}"
    told = f"{whom} {verdict.ruling} by {verdict.rule}: {verdict.reason}"
    return told + (f" ({figures})" if figures else "")


def _brief(position: Position, quote: Quote | None, now_ms: int) -> PositionBrief:
    value = quote.worth(position.quantity) if quote else position.cost
    return PositionBrief(
        symbol=position.symbol,
        quantity=position.quantity,
        average_price=position.average_price,
        stop_price=position.stop_price,
        target_price=position.target_price,
        opened_ms=position.opened_ms,
        unrealised=value - position.cost if quote else Notional(0),
        age_ms=quote.age_ms(now_ms) if quote else None,
        version=position.version,
    )
