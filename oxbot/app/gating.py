"""Whether a bot's gate lets a question through."""

import structlog

from oxbot.app.ports import Ports
from oxbot.app.prompt import PROMPT_VERSION
from oxbot.domain.bot import Bot
from oxbot.domain.gate import Gate, Question, Shown
from oxbot.domain.market import Quote
from oxbot.domain.models import ModelChoice
from oxbot.records import Facts, LastQuestion, MarketBrief

log = structlog.get_logger(__name__)


async def held_back(ports: Ports, bot: Bot, cycle: int, brief: MarketBrief) -> str | None:
    """Say why no model is asked in this cycle; None where one is, and always without a gate."""
    if bot.settings.gate_bp is None:
        return None
    choices = [_named(ports, choice) for choice in bot.settings.choices]
    gate = Gate(bot.settings.gate_bp, choices, bot.settings.prompt_version or PROMPT_VERSION)
    last = await ports.store.last_question(bot.id, cycle)
    question = _question(last) if last else None
    because = gate.reason_to_ask(question, _shown(brief, brief.quotes))
    if question is None or because is not None:
        log.info("a model is asked", bot=bot.id, cycle=cycle, because=because)
        return None
    return gate.unchanged(question.cycle)


def _named(ports: Ports, choice: ModelChoice) -> ModelChoice:
    """Give a choice as it is on record: by the name of its provider's model."""
    known = ports.models.get(choice.provider)
    return known.named(choice) if known else choice


def _question(last: LastQuestion) -> Question:
    return Question(
        cycle=last.cycle,
        shown=_shown(last.facts, last.quotes) if last.facts else None,
        decided=last.decided,
        choice=last.choice,
        wording=last.prompt_version,
    )


def _shown(facts: Facts, quotes: dict[str, Quote]) -> Shown:
    lately = facts.lately
    return Shown(
        now_ms=facts.now_ms,
        symbols=facts.symbols,
        limits=facts.limits,
        fee_rate=facts.fee_rate,
        positions=facts.portfolio.positions,
        quotes=quotes,
        verdicts=lately.verdicts if lately else (),
        closed=tuple(trade.symbol for trade in lately.trades) if lately else (),
    )
