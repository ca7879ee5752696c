"""Have a model decide once a cycle, and keep what it was shown and what it said."""

import hashlib
import time

from oxbot.app.ports import Ports
from oxbot.app.prompt import build_request
from oxbot.app.snapshots import snapshot_named
from oxbot.domain.bot import Bot
from oxbot.domain.decision import Action, Decision, parse_decision
from oxbot.domain.errors import BadReply
from oxbot.messages import Decide, DecisionBrief
from oxbot.records import DecisionRecord, MarketBrief, ModelReply, ModelRequest


async def decide(ports: Ports, request: Decide) -> DecisionBrief:
    """Ask the bot's model, unless the cycle has its decision already.

    A reply that is no valid decision is kept with the cause, and the cycle holds.

    Raises:
        ModelUnavailable: The provider does not answer.
    """
    stored = await ports.store.decision(request.bot_id, request.cycle)
    return _brief(stored or await _decide_anew(ports, request))


async def _decide_anew(ports: Ports, request: Decide) -> DecisionRecord:
    bot = await ports.store.bot(request.bot_id)
    choice = bot.settings.choices[0]
    model = ports.model(choice.provider)
    facts = await _facts(ports, request, bot)
    question = build_request(facts).model_copy(update={"choice": choice})
    begun = time.monotonic_ns()
    reply = await model.complete(question)
    duration_ms = (time.monotonic_ns() - begun) // 1_000_000
    record = _record(request, model.label(choice), question, reply).model_copy(
        update={"duration_ms": duration_ms}
    )
    return await ports.store.save_decision(record)


async def _facts(ports: Ports, request: Decide, bot: Bot) -> MarketBrief:
    seen = await ports.store.cycle(request.bot_id, request.cycle)
    snapshot = await snapshot_named(ports, seen.snapshot_id)
    return MarketBrief(
        now_ms=seen.clock.venue_ms,
        symbols=bot.settings.symbols,
        features=snapshot.features,
        quotes=seen.quotes,
        portfolio=await ports.store.portfolio(request.bot_id),
        limits=bot.settings.limits,
        lately=await ports.store.lately(request.bot_id, request.cycle),
    )


def _record(
    request: Decide, label: str, question: ModelRequest, reply: ModelReply
) -> DecisionRecord:
    prompt = "\n\n".join(f"{role}: {text}" for role, text in question.messages)
    decision, failed = _parsed(reply.text, question.brief.symbols)
    return DecisionRecord(
        id=f"{request.bot_id}-{request.cycle}",
        bot_id=request.bot_id,
        cycle=request.cycle,
        provider=reply.provider,
        model=reply.model,
        label=label,
        prompt_hash=hashlib.sha256(prompt.encode()).hexdigest(),
        prompt=prompt,
        reply=reply.text,
        decision=decision,
        failed=failed,
        request_id=reply.request_id,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        cost_usd=reply.cost_usd,
    )


def _parsed(text: str, symbols: tuple[str, ...]) -> tuple[str | None, str | None]:
    try:
        return parse_decision(text, symbols).model_dump_json(), None
    except BadReply as error:
        return None, str(error)


def _brief(record: DecisionRecord) -> DecisionBrief:
    decision = decision_of(record)
    if decision is None:
        summary = f"hold: {record.failed}"
        return DecisionBrief(
            decision_id=record.id,
            model=record.label,
            summary=summary,
            proposals=(),
            failed=record.failed,
        )
    wishes = (p for p in decision.proposals if p.action is not Action.HOLD)
    return DecisionBrief(
        decision_id=record.id,
        model=record.label,
        summary=decision.summary,
        proposals=tuple(f"{p.action} {p.symbol} ({p.confidence}): {p.reason}" for p in wishes),
    )


def decision_of(record: DecisionRecord) -> Decision | None:
    """Give the stored decision; None where the reply could not be used."""
    if record.decision is None:
        return None
    return Decision.model_validate_json(record.decision)
