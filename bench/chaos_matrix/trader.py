"""Decisions as a matrix needs them: whoever is flat buys, and who decides sells again."""

import itertools
from typing import Final

from oxbot.domain.bot import DEFAULT_SYMBOLS, BotSettings, Mode, RiskLimits
from oxbot.domain.decision import Action, Decision, Proposal
from oxbot.domain.models import BASELINE, ModelChoice
from oxbot.domain.schedule import next_due, offset_ms
from oxbot.records import MarketBrief, ModelReply, ModelRequest

GUARDED, WATCHED, DECIDED, NARROW = "guarded", "watched", "decided", "narrow"
"""How positions end: by stop, target or hold between rare cycles; by stop or target alone; by
decisions; by a stop that lies so near that it is reached at once."""

SURE, HALF = "0.95", "0.5"

INTERVALS_S: Final = {GUARDED: 150, WATCHED: 1800, DECIDED: 25, NARROW: 30}
"""Seconds of venue time between two cycles of each style."""

_LIMITS: Final = {
    "max_position": "0.15",
    "cooldown_s": 0,
    "shortest_hold_s": 0,
    "reward_risk": "0.01",
    "fee_round_trips": 0,
    "entries_a_day": 100_000,
    "daily_loss": "1",
    "drawdown": "1",
    "move_bp": 1000,
    "slippage_bp": 50,
}
"""Nothing keeps a bot from entering."""

_LIVE: Final[dict[str, dict[str, object]]] = {
    GUARDED: {"slippage_bp": 2, "stop": "0.0004"},
    WATCHED: {"slippage_bp": 2},
    NARROW: {"slippage_bp": 2},
}
"""A live entry's first stop is measured from its limit: that must lie above the stop."""

_OF_STYLE: Final = {
    GUARDED: {"stop": "0.0006", "target": "0.0026", "longest_hold_s": 120},
    WATCHED: {"stop": "0.0012", "target": "0.0026", "longest_hold_s": 1500},
    DECIDED: {"stop": "0.02", "target": "0.05", "longest_hold_s": 600},
    NARROW: {"stop": "0.00022", "target": "0.01", "longest_hold_s": 600},
}


_SYMBOLS: Final = {DECIDED: DEFAULT_SYMBOLS[:2], NARROW: DEFAULT_SYMBOLS[-2:]}
"""The coins of a style that has not all of them; a tick of the last ones is wide."""


def settings_of(name: str, style: str, mode: Mode) -> BotSettings:
    """Give what a bot of a style is made with."""
    live = _LIVE.get(style, {}) if mode is Mode.LIVE else {}
    limits = RiskLimits.model_validate({**_LIMITS, **_OF_STYLE[style], **live})
    return BotSettings(
        name=name,
        owner=name,
        mode=mode,
        symbols=_SYMBOLS.get(style, DEFAULT_SYMBOLS),
        interval_s=INTERVALS_S[style],
        limits=limits,
    )


def due_soon(number: int, interval_ms: int, now_ms: int, soon_ms: range) -> str:
    """Give the id of a bot whose first tick comes soon: from now on in venue ms."""
    soon = range(now_ms + soon_ms.start, now_ms + soon_ms.stop)
    names = (f"c{number}-{n}" for n in itertools.count())
    return next(
        n for n in names if next_due(soon.start, interval_ms, offset_ms(n, interval_ms)) in soon
    )


class Trader:
    """Stands where the models stand; asks nobody.

    Args:
        style: How its bot's positions end.
    """

    def __init__(self, style: str) -> None:
        self._style = style

    def label(self, choice: ModelChoice) -> str:  # noqa: ARG002 - there is but one
        """How it is named."""
        return "trader"

    def named(self, choice: ModelChoice) -> ModelChoice:
        """Give the choice with its model's name."""
        return choice.model_copy(update={"model": "trader"})

    def is_priced(self, choice: ModelChoice) -> bool:  # noqa: ARG002 - as above
        """It costs nothing."""
        return True

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Buy what is not held; where it decides, sell what is, in two parts."""
        proposals = tuple(self._for(symbol, request.brief) for symbol in request.brief.symbols)
        decision = Decision(proposals=proposals, summary="Buy what is not held.")
        return ModelReply(
            text=decision.model_dump_json(exclude_defaults=True),
            provider=BASELINE,
            model="trader",
            request_id=f"trader-{request.brief.now_ms}",
        )

    def _for(self, symbol: str, brief: MarketBrief) -> Proposal:
        wish = {"symbol": symbol, "confidence": SURE, "reason": "as told"}
        held = brief.portfolio.positions.get(symbol)
        if held is None:
            return Proposal.model_validate({**wish, "action": Action.BUY, "expected_move": "0.5"})
        if self._style != DECIDED:
            return Proposal.model_validate({**wish, "action": Action.HOLD})
        if held.exit_quantity:
            return Proposal.model_validate({**wish, "action": Action.CLOSE})
        return Proposal.model_validate({**wish, "action": Action.REDUCE, "fraction": HALF})
