"""The baseline: a plain rule that answers like a model, so that a bot needs no key.

It follows trends of five-minute candles. It buys a coin whose price is above its 20-candle
average and that above its 50-candle average, with momentum but not overheated, and closes when
the averages cross back. It exists to exercise the whole path and as the bar a real model has to
clear.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from oxbot.domain.decision import Action, Decision, Proposal
from oxbot.domain.market import Indicators, base_of
from oxbot.domain.models import BASELINE, ModelChoice
from oxbot.records import MarketBrief, ModelReply, ModelRequest

MODEL: Final = "ema-trend-1"

MOST_ENTRIES: Final = 2
"""New positions proposed in one cycle: the strongest trends."""

RSI_BAND: Final = (50, 72)
"""Above the middle is momentum; beyond the upper end a rise is likely to pause."""

MOVE_IN_ATR: Final = 3
"""A trend is taken to run as far as three average true ranges."""

LEAST_SURE: Final = Decimal("0.6")
MOST_SURE: Final = Decimal("0.9")
SURER_PER_ATR: Final = Decimal("0.1")
"""Confidence grows by this for each ATR between the two averages."""

WIDEST_TREND: Final = 100.0
"""ATR between the averages; beyond it is a market that stands almost still, not a trend."""

LARGEST_MOVE: Final = 1.0


class BaselineModel:
    """The rule behind the `ChatModel` port; asks nobody and costs nothing."""

    def label(self, choice: ModelChoice) -> str:  # noqa: ARG002 - there is but one
        """How it is named wherever its decisions are shown."""
        return "baseline (a plain rule, no AI)"

    def named(self, choice: ModelChoice) -> ModelChoice:
        """Give the choice with its model's name, also where it leaves that to the provider."""
        return choice.model_copy(update={"model": MODEL})

    def is_priced(self, choice: ModelChoice) -> bool:  # noqa: ARG002 - as above
        """It costs nothing, which is known."""
        return True

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer with the rule's decision as JSON; the same facts give the same text."""
        return ModelReply(
            text=decide(request.brief).model_dump_json(),
            provider=BASELINE,
            model=MODEL,
            request_id=f"{MODEL}-{request.brief.now_ms}",
        )


def decide(brief: MarketBrief) -> Decision:
    """Apply the rule to every symbol of a brief, in the brief's order."""
    seen = {symbol: features.m5.indicators for symbol, features in brief.features.items()}
    entries = _strongest(brief, seen)
    proposals = tuple(
        _for_held(symbol, seen.get(symbol))
        if symbol in brief.portfolio.positions
        else _for_flat(symbol, seen.get(symbol), enters=symbol in entries)
        for symbol in brief.symbols
    )
    return Decision(proposals=proposals, summary=_summary(proposals))


def _strongest(brief: MarketBrief, seen: Mapping[str, Indicators]) -> frozenset[str]:
    """Give the symbols to enter: the widest trends in ATR, ties by name."""
    trends = {
        symbol: _trend(seen[symbol])
        for symbol in brief.symbols
        if symbol not in brief.portfolio.positions and symbol in seen and _may_enter(seen[symbol])
    }
    return frozenset(_ranked(trends)[:MOST_ENTRIES])


def _ranked(trends: Mapping[str, float]) -> list[str]:
    return sorted(trends, key=lambda symbol: (-trends[symbol], symbol))


def _may_enter(seen: Indicators) -> bool:
    low, high = RSI_BAND
    return (
        float(seen.close.number) > seen.ema20 > seen.ema50
        and low <= seen.rsi14 <= high
        and seen.return_12 > 0
        and seen.atr14 > 0
    )


def _trend(seen: Indicators) -> float:
    """Distance between the averages in ATR, bounded; below 0 in a falling market."""
    ratio = (seen.ema20 - seen.ema50) / seen.atr14 if seen.atr14 > 0 else 0.0
    return max(-WIDEST_TREND, min(WIDEST_TREND, ratio))


def _for_held(symbol: str, seen: Indicators | None) -> Proposal:
    if seen is None:
        return _hold(symbol, "No indicators for it in this cycle; stop and target protect it.")
    if seen.ema20 < seen.ema50:
        return Proposal(
            symbol=symbol,
            action=Action.CLOSE,
            confidence=_confidence(-_trend(seen)),
            reason=f"The trend broke: {_figures(seen)}.",
        )
    return _hold(symbol, f"The trend holds: {_figures(seen)}.")


def _for_flat(symbol: str, seen: Indicators | None, *, enters: bool) -> Proposal:
    if seen is None:
        return _hold(symbol, "No indicators for it in this cycle.")
    if enters:
        return Proposal(
            symbol=symbol,
            action=Action.BUY,
            confidence=_confidence(_trend(seen)),
            expected_move=_expected_move(seen),
            invalidation=f"EMA20 below EMA50 for {base_of(symbol)}",
            reason=f"Rising with momentum: {_figures(seen)}.",
        )
    if _may_enter(seen):
        return _hold(symbol, f"Rising, but other coins rise more: {_figures(seen)}.")
    return _hold(symbol, f"No rising trend to follow: {_figures(seen)}.")


def _hold(symbol: str, reason: str) -> Proposal:
    return Proposal(symbol=symbol, action=Action.HOLD, confidence=LEAST_SURE, reason=reason)


def _confidence(trend: float) -> Decimal:
    """0.6 at the crossing, 0.1 more for each ATR between the averages, 0.9 at most."""
    surer = SURER_PER_ATR * _decimal(trend, "0.01")
    return min(MOST_SURE, max(LEAST_SURE, LEAST_SURE + surer)).quantize(Decimal("0.01"))


def _expected_move(seen: Indicators) -> Decimal:
    """Three ATR relative to the price, to four places, 100 % at most."""
    relative = MOVE_IN_ATR * seen.atr14 / float(seen.close.number)
    return _decimal(min(LARGEST_MOVE, relative), "0.0001")


def _decimal(number: float, step: str) -> Decimal:
    """Round an indicator through its text; none of them is money."""
    return Decimal(repr(number)).quantize(Decimal(step))


def _figures(seen: Indicators) -> str:
    return (
        f"close {seen.close}, EMA20 {seen.ema20:.6g}, EMA50 {seen.ema50:.6g}, "
        f"RSI {seen.rsi14:.1f}, 1 h {seen.return_12:+.2%}"
    )


def _summary(proposals: tuple[Proposal, ...]) -> str:
    def named(action: Action) -> str:
        symbols = [p.symbol for p in proposals if p.action is action]
        return ", ".join(symbols) or "nothing"

    return f"Buy {named(Action.BUY)}; close {named(Action.CLOSE)}; hold the rest."
