"""A cycle with all that its decision and its judgement rested on, read back from the record."""

from decimal import Decimal
from typing import Protocol

from oxbot.app.prompt import hash_of
from oxbot.domain.bot import BotSettings
from oxbot.domain.decision import Decision
from oxbot.domain.market import Quote
from oxbot.domain.models import ModelChoice
from oxbot.domain.money import Notional
from oxbot.domain.risk import Context, Verdict
from oxbot.domain.snapshots import Features
from oxbot.domain.values import Value
from oxbot.records import DecisionRecord, Facts, MarketBrief, ModelReply, ModelRequest, Spent


class SeenCycle(Value):
    """One cycle whose model was asked; `due_ms` is its tick in venue ms.

    `facts` is None where nobody kept them, `context` where the cycle was never judged.
    """

    record: DecisionRecord
    due_ms: int
    features: dict[str, Features]
    quotes: dict[str, Quote]
    facts: Facts | None = None
    context: Context | None = None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def brief(self) -> MarketBrief | None:
        """All that the model was told, in typed form."""
        if self.facts is None:
            return None
        return MarketBrief.of(self.facts, self.features, self.quotes)

    @property
    def choice(self) -> ModelChoice:
        """Who was asked, and how."""
        record = self.record
        return record.choice or ModelChoice(provider=record.provider, model=record.model)

    @property
    def decision(self) -> Decision | None:
        """What was decided; None where the cycle held."""
        text = self.record.decision
        return None if text is None else Decision.model_validate_json(text)

    def asked_the_same(self, question: ModelRequest) -> bool:
        """Whether this question is the one on record, to the letter."""
        return question.choice == self.choice and hash_of(question) == self.record.prompt_hash

    @property
    def spent(self) -> Spent:
        """What its answers cost, those that were held back too."""
        record = self.record
        return Spent(
            tokens_in=record.tokens_in,
            tokens_out=record.tokens_out,
            tokens_cached=record.tokens_cached,
            cost_usd=record.cost_usd,
            priced=record.priced,
        )

    @property
    def replies(self) -> tuple[ModelReply, ...]:
        """What was answered, in order; tokens and cost stand with the first, for all of them."""
        record = self.record
        both = ((record.first_reply, record.first_finish), (record.reply, record.finish_reason))
        repaired = record.first_reply is not None
        texts = [(t, finish or "") for t, finish in both if t or (repaired and t is not None)]
        first = {
            name: getattr(record, name)
            for name in ("tokens_in", "tokens_out", "tokens_cached", "cost_usd")
        }
        return tuple(
            ModelReply(
                text=text,
                provider=record.provider,
                model=record.model,
                request_id=record.request_id,
                priced=record.priced,
                finish_reason=finish,
                **(first if place == 0 else {}),
            )
            for place, (text, finish) in enumerate(texts)
        )


class Lived(Value):
    """What a bot did from one cycle to another, all included. Times in venue ms, USDT.

    `first_ms` and `last_ms` are when the two were due. `before` is the equity as the first one
    found it, `after` as the last one left it; None where it was not recorded. `model_usd` is what
    deciding cost, None where the price of a model is not known.
    """

    settings: BotSettings
    first_ms: int
    last_ms: int
    before: Notional | None
    after: Notional | None
    model_usd: Decimal | None


class SeenCycles(Protocol):
    """Where they are read."""

    async def lived(self, bot_id: str, first: int, last: int) -> Lived:
        """Give what a bot did from one cycle to another, all included.

        Raises:
            NotFound: There is no such bot, or no such cycle.
        """
        ...

    async def asked(self, bot_id: str, cycles: range | None, last: int) -> list[int]:
        """Give the numbers of cycles in which a bot's model was asked, oldest first.

        Args:
            bot_id: Whose.
            cycles: Only these; None: the newest.
            last: How many at most, the newest.

        Raises:
            NotFound: There is no such bot.
        """
        ...

    async def seen(self, bot_id: str, cycle: int) -> SeenCycle:
        """Give one of them.

        Raises:
            NotFound: It has no decision, or what it saw is not on record any more.
        """
        ...
