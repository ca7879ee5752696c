"""The gate: whether a model has to be asked, or would be shown what it has answered before.

What stands on record as asked is compared with what would be asked now, never with the cycle
before: many small moves add up to one, and a reason that was not acted on stays a reason.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Final

from oxbot.domain.bot import RiskLimits
from oxbot.domain.market import Bar, Quote, Symbol
from oxbot.domain.models import ModelChoice
from oxbot.domain.money import Price, basis_points, plain
from oxbot.domain.portfolio import Position
from oxbot.domain.risk import WHOLE_ACCOUNT, Ruling, Verdict

BP_OF_ONE: Final = 10_000


@dataclass(frozen=True)
class Shown:
    """What a question shows, as far as the gate looks at it.

    `now_ms` in venue time, `fee_rate` as a fraction. `verdicts`, and the coins of `closed`
    trades, are those since the question before.
    """

    now_ms: int
    symbols: tuple[Symbol, ...]
    limits: RiskLimits
    fee_rate: Decimal | None
    positions: Mapping[Symbol, Position]
    quotes: Mapping[Symbol, Quote]
    verdicts: Sequence[Verdict] = ()
    closed: tuple[Symbol, ...] = ()


@dataclass(frozen=True)
class Question:
    """The last question: in which cycle, what it showed, who answered, in which wording.

    `shown` is None where nobody knows any more. `decided`: a valid decision came of it.
    """

    cycle: int
    shown: Shown | None
    decided: bool
    choice: ModelChoice | None
    wording: str


@dataclass(frozen=True)
class Gate:
    """From how many basis points a move counts, who would be asked, and in which wording."""

    bp: Decimal
    choices: Collection[ModelChoice]
    wording: str

    def reason_to_ask(self, last: Question | None, now: Shown) -> str | None:
        """Say why a model has to be asked; None where nothing has changed."""
        if last is None:
            return "no question was asked before"
        if not last.decided:
            return f"no decision came of the question of cycle {last.cycle}"
        if last.shown is None:
            return f"what cycle {last.cycle} was shown is not on record"
        if last.choice not in self.choices or last.wording != self.wording:
            return "the model or the prompt's wording is another one"
        reasons = chain(_changes(last.shown, now), _moves(last.shown, now, self.bp))
        return next(reasons, None)

    def unchanged(self, cycle: int) -> str:
        """Say that nothing has changed since the question of a cycle."""
        return (
            f"Not asked: nothing has changed since cycle {cycle} (no price by {plain(self.bp)} bp, "
            "same positions and limits)."
        )


def _changes(before: Shown, now: Shown) -> Iterator[str]:
    """Say what differs but for prices."""
    if Bar.H1.closed_by(before.now_ms) != Bar.H1.closed_by(now.now_ms):
        yield "an hour has begun"
    if set(before.symbols) != set(now.symbols):
        yield "other coins are traded"
    if (before.limits, before.fee_rate) != (now.limits, now.fee_rate):
        yield "limits or fee have changed"
    if _standing(before.positions) != _standing(now.positions):
        yield "positions have changed"
    yield from (f"{symbol} was closed" for symbol in now.closed)
    yield from _news(before.verdicts, now.verdicts)


def _standing(positions: Mapping[Symbol, Position]) -> dict[Symbol, tuple[object, ...]]:
    """Give what counts of positions; a trailing stop follows the price, which has its own rule."""
    return {
        symbol: (p.opened_ms, p.version, p.quantity, p.stop, p.target, p.trail)
        for symbol, p in positions.items()
    }


def _news(told: Sequence[Verdict], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Say what the rules said, but for notes that stand and were told with the last question."""
    known = {_gist(verdict) for verdict in told}
    for verdict in verdicts:
        if verdict.ruling is Ruling.NOTED and _gist(verdict) in known:
            continue
        whom = "the account" if verdict.symbol == WHOLE_ACCOUNT else verdict.symbol
        yield f"{whom} was {verdict.ruling} by {verdict.rule}"


def _gist(verdict: Verdict) -> tuple[object, ...]:
    return verdict.symbol, verdict.purpose, verdict.ruling, verdict.rule


def _moves(before: Shown, now: Shown, bp: Decimal) -> Iterator[str]:
    """Say whose price has moved far enough, or cannot be compared."""
    for symbol in now.symbols:
        was, found = before.quotes.get(symbol), now.quotes.get(symbol)
        if was is None or found is None:
            yield f"{symbol} has no price to compare"
            continue
        moved, since = _both(found) - _both(was), _both(was)
        if abs(moved) * BP_OF_ONE >= since * bp:
            yield f"{symbol} has moved by {basis_points(moved, since)} bp"


def _both(quote: Quote) -> Price:
    """Give bid and ask in one, which is twice the middle: the prices that a model is shown."""
    return quote.bid + quote.ask
