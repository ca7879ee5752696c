"""What the record and a market driven again say that was earned."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from oxbot.app.decision_replays import foreknowledge
from oxbot.app.earnings import Compared, Earnings, held_instead, random_instead
from oxbot.app.seen_cycle import Lived, SeenCycle
from oxbot.app.statement import Statement
from oxbot.bootstrap import TAKER_FEE
from oxbot.cli.replay_end import SourceCandles
from oxbot.domain.models import BASELINE, DASHSCOPE, OPENAI
from oxbot.domain.portfolio import Portfolio
from oxbot.settings import Settings

SECOND_MS: Final = 1000


@dataclass(frozen=True)
class Told:
    """What the record says of the cycles that are lived again."""

    bot_id: str
    lived: Lived
    books: Statement
    first: SeenCycle

    @property
    def stretch(self) -> range:
        """From just before the first cycle was due to just after the last one, in venue ms."""
        second = self.lived.first_ms // SECOND_MS * SECOND_MS
        return range(second - SECOND_MS, self.lived.last_ms + SECOND_MS)


@dataclass(frozen=True)
class Driven:
    """What came of driving the market again: one bot's books, what it holds, what it cost.

    `unasked` counts the cycles in which no model was allowed to be asked.
    """

    books: Statement
    portfolio: Portfolio
    lived: Lived
    unasked: int = 0


def compared(
    told: Told, driven: tuple[Driven, Driven], past: SourceCandles, settings: Settings
) -> Compared:
    """Compare what was earned on record, anew, by the baseline, by holding and by chance."""
    mine, plain = driven
    stretch, symbols = told.stretch, mine.lived.settings.symbols
    capital = mine.lived.settings.capital
    earned = _earned("replayed", mine, stretch)
    bot = (mine.books, mine.portfolio.positions, earned)
    recorded = Driven(told.books, Portfolio(cash=capital), told.lived)
    return Compared(
        from_ms=stretch.start,
        to_ms=stretch.stop,
        earnings=(
            _earned("on record", recorded, stretch),
            earned,
            _earned("baseline", plain, stretch),
            held_instead(past, symbols, stretch, (capital, TAKER_FEE)),
        ),
        chance=random_instead(past, symbols, stretch, bot, TAKER_FEE),
        warnings=tuple(_warnings(mine, told, settings)),
    )


def _earned(name: str, driven: Driven, stretch: range) -> Earnings:
    lived = driven.lived
    before = lived.before or lived.settings.capital
    equity = (before, lived.after or before)
    return Earnings.of(name, driven.books, stretch, equity, lived.model_usd)


def _warnings(mine: Driven, told: Told, settings: Settings) -> Iterator[str]:
    """Warn of what makes the comparison worth less."""
    if mine.unasked:
        yield (
            f"{mine.unasked} cycles asked nobody and held, since the budget was spent or a price "
            "is not known. Give more with --budget, which kept replies count against as well, or "
            "say the price with OXBOT_MODEL_CARDS."
        )
    cards = settings.known_cards
    usual = {DASHSCOPE: settings.dashscope_model, OPENAI: settings.openai_model}
    chosen, lived = mine.lived.settings, told.lived
    dues = range(lived.first_ms, lived.last_ms + 1, chosen.interval_s * SECOND_MS)
    for choice in chosen.choices:
        if choice.provider == BASELINE:
            continue
        named = choice.model_copy(update={"model": choice.model or usual[choice.provider]})
        card = cards.get(named.model)
        warning = foreknowledge(named.label, card.cutoff if card else None, dues)
        if warning:
            yield warning
