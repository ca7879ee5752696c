"""Have a model decide once a cycle, and keep what it was shown and what it said."""

import asyncio
import time

from oxbot.app.answering import Answer
from oxbot.app.ask_model import Patience, ask_models
from oxbot.app.beating import beating
from oxbot.app.budget import askable
from oxbot.app.gating import held_back
from oxbot.app.ports import Ports
from oxbot.app.prompt import PROMPT_VERSION, build_request, hash_of, text_of
from oxbot.app.snapshots import snapshot_named
from oxbot.domain.bot import Bot
from oxbot.domain.decision import Action, Decision
from oxbot.messages import Decide, DecisionBrief
from oxbot.records import DecisionRecord, MarketBrief, ModelRequest


async def decide(
    ports: Ports,
    request: Decide,
    patience: Patience = Patience(),  # noqa: B008 - immutable
) -> DecisionBrief:
    """Ask the bot's models, unless the cycle has its decision already.

    A reply that is no valid decision, even after a repair request, and a refusal by the last
    model are kept with the cause, and the cycle holds.

    Raises:
        ModelUnavailable: No provider answers.
        CircuitOpen: None is asked now.
    """
    async with beating(patience.heartbeat):
        stored, bot = await asyncio.gather(
            ports.store.decision(request.bot_id, request.cycle), ports.store.bot(request.bot_id)
        )
        return _brief(stored or await _decide_anew(ports, request, bot, patience))


async def _decide_anew(
    ports: Ports, request: Decide, bot: Bot, patience: Patience
) -> DecisionRecord:
    allowed = await askable(ports, bot)
    if allowed.because:
        return await ports.store.save_decision(_unasked(request, bot, allowed.because))
    brief = await _facts(ports, request, bot)
    version = bot.settings.prompt_version or PROMPT_VERSION
    unchanged = await held_back(ports, bot, request.cycle, brief)
    if unchanged is not None:
        return await ports.store.save_decision(_gated(request, bot, unchanged))
    question = build_request(brief, version)
    begun = time.monotonic_ns()
    answer = await ask_models(ports, question, allowed.choices, patience.limit_s)
    duration_ms = (time.monotonic_ns() - begun) // 1_000_000
    passed_over = " ".join(filter(None, (allowed.left_out, answer.passed_over)))
    record = _record(request, question, answer).model_copy(
        update={
            "duration_ms": duration_ms,
            "prompt_version": version,
            "passed_over": passed_over or None,
        }
    )
    return await ports.store.save_decision(record, brief.facts)


def _gated(request: Decide, bot: Bot, unchanged: str) -> DecisionRecord:
    """Hold without a question, which is no failure: the last answer still stands."""
    decision = Decision(proposals=(), summary=unchanged).model_dump_json()
    held = {"decision": decision, "gated": True}
    return _unasked(request, bot, None).model_copy(update=held)


def _unasked(request: Decide, bot: Bot, because: str | None) -> DecisionRecord:
    """Say on record that nobody was asked, and so shown nothing."""
    first = bot.settings.choices[0]
    return DecisionRecord(
        id=f"{request.bot_id}-{request.cycle}",
        bot_id=request.bot_id,
        cycle=request.cycle,
        provider=first.provider,
        model=first.model,
        label=first.label,
        prompt_hash="",
        prompt="",
        reply="",
        decision=None,
        failed=because,
    )


async def _facts(ports: Ports, request: Decide, bot: Bot) -> MarketBrief:
    """Read what the model is told, all at the same time: each is a round trip or several."""
    bot_id, cycle = request.bot_id, request.cycle
    seen, portfolio, lately, memory = await asyncio.gather(
        ports.store.cycle(bot_id, cycle),
        ports.store.portfolio(bot_id),
        ports.store.lately(bot_id, cycle),
        ports.store.memory(bot_id, cycle),
    )
    snapshot = await snapshot_named(ports, seen.snapshot_id)
    return MarketBrief(
        now_ms=seen.clock.venue_ms,
        symbols=bot.settings.symbols,
        features=snapshot.features,
        quotes=seen.quotes,
        portfolio=portfolio,
        limits=bot.settings.limits,
        lately=lately,
        memory=memory,
        fee_rate=ports.fee_rate,
    )


def _record(request: Decide, question: ModelRequest, answer: Answer) -> DecisionRecord:
    reply = answer.reply
    return DecisionRecord(
        id=f"{request.bot_id}-{request.cycle}",
        bot_id=request.bot_id,
        cycle=request.cycle,
        provider=reply.provider,
        model=reply.model,
        label=answer.label,
        prompt_hash=hash_of(question),
        prompt=text_of(question),
        reply=reply.text,
        decision=answer.decision,
        failed=answer.failed,
        request_id=reply.request_id,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        tokens_cached=reply.tokens_cached,
        cost_usd=reply.cost_usd,
        repaired=answer.repaired,
        finish_reason=reply.finish_reason,
        first_reply=answer.first_reply,
        first_finish=answer.first_finish,
        priced=reply.priced,
        choice=answer.choice,
    )


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
            passed_over=record.passed_over,
        )
    wishes = (p for p in decision.proposals if p.action is not Action.HOLD)
    return DecisionBrief(
        decision_id=record.id,
        model=record.label,
        summary=decision.summary,
        passed_over=record.passed_over,
        proposals=tuple(f"{p.action} {p.symbol} ({p.confidence}): {p.reason}" for p in wishes),
    )


def decision_of(record: DecisionRecord) -> Decision | None:
    """Give the stored decision; None where the reply could not be used."""
    if record.decision is None:
        return None
    return Decision.model_validate_json(record.decision)
