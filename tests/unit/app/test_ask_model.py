"""Who is asked, in which order, how often, and what is made of it."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from oxbot.app import beating
from oxbot.app.ask_model import LONGEST_S, Patience
from oxbot.domain.circuit import OPENS_AFTER
from oxbot.domain.errors import (
    CircuitOpen,
    ContentRefused,
    ModelRateLimited,
    ModelRefused,
    ModelUnavailable,
    OxbotError,
    RefusalCause,
)
from oxbot.domain.market import ClockReading
from oxbot.domain.models import ModelChoice
from oxbot.messages import DecisionBrief
from oxbot.records import DecisionRecord, ModelReply, ModelRequest
from tests.unit.app.room import BOT, Room
from worker.failures import translated

pytestmark = pytest.mark.critical

GOOD = '{"summary": "calm", "proposals": []}'
AWAY = ModelUnavailable("first gave no answer (HTTP 503)")
REFUSED = ModelRefused("the key is not taken", RefusalCause.KEY)
BLOCKED = ContentRefused("held back for its content")
FALLBACKS = ({"provider": "second", "model": "b"}, {"provider": "third"})


@dataclass
class Scripted:
    """A provider whose next answers are lined up: a text, a whole reply, or an error."""

    answers: deque[str | ModelReply | OxbotError] = field(default_factory=deque)
    asked: list[ModelRequest] = field(default_factory=list)

    def label(self, choice: ModelChoice) -> str:
        return choice.label

    def named(self, choice: ModelChoice) -> ModelChoice:
        """Give the choice as it is."""
        return choice

    def is_priced(self, choice: ModelChoice) -> bool:
        return bool(choice)

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.asked.append(request)
        answer = self.answers.popleft() if self.answers else GOOD
        if isinstance(answer, OxbotError):
            raise answer
        if isinstance(answer, ModelReply):
            return answer
        return reply(answer, request.choice)


class Mute(Scripted):
    """A provider that never answers."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.asked.append(request)
        await asyncio.Event().wait()
        return await super().complete(request)


def reply(text: str, choice: ModelChoice | None = None, finish_reason: str = "stop") -> ModelReply:
    asked = choice or ModelChoice()
    return ModelReply(
        text=text,
        provider=asked.provider,
        model=asked.model,
        request_id="r",
        tokens_in=100,
        tokens_out=10,
        tokens_cached=40,
        cost_usd=Decimal("0.001"),
        finish_reason=finish_reason,
    )


@dataclass
class Three:
    """A bot with three models; each test lines up what they answer."""

    room: Room
    first: Scripted = field(default_factory=Scripted)
    second: Scripted = field(default_factory=Scripted)
    third: Scripted = field(default_factory=Scripted)

    async def ready(self, fallbacks: object = FALLBACKS) -> None:
        self.room.others |= {"first": self.first, "second": self.second, "third": self.third}
        await self.room.bot(provider="first", model="a", fallbacks=fallbacks)
        await self.room.observe()

    async def decide(self, limit_s: float = 10) -> DecisionBrief:
        return await self.room.decide(patience=Patience(limit_s))

    async def stored(self) -> DecisionRecord:
        record = await self.room.store.decision(BOT, 1)
        assert record is not None
        return record

    @property
    def asked(self) -> list[int]:
        return [len(model.asked) for model in (self.first, self.second, self.third)]


@pytest.fixture
def three(room: Room) -> Three:
    return Three(room)


async def test_the_first_choice_is_asked_alone_while_it_answers(three: Three) -> None:
    await three.ready()
    brief = await three.decide()
    assert (brief.failed, brief.model, three.asked) == (None, "first a", [1, 0, 0])
    assert three.first.asked[0].choice == ModelChoice(provider="first", model="a")


@pytest.mark.parametrize("error", [AWAY, REFUSED, ModelRateLimited("wait", 60)])
async def test_who_does_not_answer_is_followed_by_the_next(three: Three, error: OxbotError) -> None:
    await three.ready()
    three.first.answers.append(error)
    brief = await three.decide()
    assert (brief.failed, brief.model, three.asked) == (None, "second b", [1, 1, 0])
    assert (await three.stored()).provider == "second"


async def test_a_retried_decision_asks_nobody_again(three: Three) -> None:
    await three.ready()
    three.first.answers.append(AWAY)
    brief = await three.decide()
    assert await three.decide() == brief
    assert three.asked == [1, 1, 0]


async def test_a_provider_that_is_not_set_up_is_passed_over(three: Three) -> None:
    await three.ready([{"provider": "dashscope"}, {"provider": "third"}])
    three.first.answers.append(AWAY)
    assert (await three.decide()).model == "third"


async def test_when_all_are_away_nothing_is_kept_and_temporal_tries_again(three: Three) -> None:
    await three.ready()
    for model in (three.first, three.second, three.third):
        model.answers.append(AWAY)
    with pytest.raises(ModelUnavailable) as caught:
        await three.decide()
    assert str(caught.value).count("HTTP 503") == 3
    assert not translated(caught.value).non_retryable
    assert await three.room.store.decision(BOT, 1) is None
    assert (await three.decide()).failed is None


async def test_when_all_ask_to_wait_the_shortest_wait_counts(three: Three) -> None:
    await three.ready()
    three.first.answers.append(ModelRateLimited("wait", 60))
    three.second.answers.append(ModelRateLimited("wait", 20))
    three.third.answers.append(REFUSED)
    with pytest.raises(ModelRateLimited) as caught:
        await three.decide()
    assert translated(caught.value).next_retry_delay == timedelta(seconds=20)


@pytest.mark.parametrize("others", [0, 2])
async def test_where_all_refuse_that_is_kept_and_the_cycle_holds(three: Three, others: int) -> None:
    await three.ready([{"provider": name} for name in ("second", "third")[:others]])
    for model in (three.first, three.second, three.third):
        model.answers.append(REFUSED)
    brief = await three.decide()
    told = " Then: ".join(["the key is not taken"] * (1 + others))
    assert (brief.failed, brief.proposals) == (told, ())
    stored = await three.stored()
    assert (stored.reply, stored.decision) == ("", None)
    assert (await three.room.validate()).orders == ()
    assert await three.decide() == brief
    assert sum(three.asked) == 1 + others


async def test_while_one_may_be_back_nothing_is_kept_whatever_the_others_say(three: Three) -> None:
    await three.ready()
    three.first.answers.append(AWAY)
    for model in (three.second, three.third):
        model.answers.append(REFUSED)
    with pytest.raises(ModelUnavailable):
        await three.decide()
    assert await three.room.store.decision(BOT, 1) is None


async def test_content_that_is_held_back_is_not_taken_to_another_provider(three: Three) -> None:
    await three.ready()
    three.first.answers.append(BLOCKED)
    assert (await three.decide()).failed == "held back for its content"
    assert three.asked == [1, 0, 0]


async def test_a_bad_reply_is_repaired_by_its_errors_without_its_text(three: Three) -> None:
    await three.ready()
    three.first.answers.extend(['{"summary": "calm", "proposals": [], "wild": "idea"}', GOOD])
    assert (await three.decide()).failed is None
    first, second = three.first.asked
    assert second.messages[:-1] == first.messages
    role, again = second.messages[-1]
    assert role == "user"
    assert "wild: Extra inputs are not permitted" in again
    assert "idea" not in again
    assert "JSON" in again
    stored = await three.stored()
    assert (stored.repaired, stored.reply, three.asked) == (True, GOOD, [2, 0, 0])
    assert (stored.tokens_in, stored.tokens_out, stored.tokens_cached) == (200, 20, 80)
    assert stored.cost_usd == Decimal("0.002")


async def test_a_reply_that_stays_bad_holds_with_its_cause(three: Three) -> None:
    await three.ready()
    three.first.answers.extend(["buy!", "sell!", GOOD])
    failed = (await three.decide()).failed
    assert failed is not None
    assert failed.endswith("That was after a repair request.")
    stored = await three.stored()
    assert (stored.repaired, stored.reply, three.asked) == (False, "sell!", [2, 0, 0])
    assert stored.tokens_in == 200


async def test_a_reply_cut_at_the_models_limit_is_bad_however_it_reads(three: Three) -> None:
    await three.ready()
    three.first.answers.extend([reply(GOOD, finish_reason="length"), reply(GOOD)])
    assert (await three.decide()).failed is None
    assert "cut off" in three.first.asked[1].messages[-1][1]


@pytest.mark.parametrize("error", [AWAY, REFUSED, BLOCKED])
async def test_a_repair_that_is_not_answered_holds_rather_than_asking_all_again(
    three: Three, error: OxbotError
) -> None:
    await three.ready()
    three.first.answers.extend(["buy!", error])
    failed = (await three.decide()).failed
    assert failed is not None
    assert "not a valid decision" in failed
    assert failed.endswith(f"Asked again: {error}")
    assert three.asked == [2, 0, 0]


async def test_a_mute_model_leaves_the_others_their_share_of_the_time(three: Three) -> None:
    three.first, three.second = Mute(), Mute()
    await three.ready()
    brief = await three.decide(limit_s=0.3)
    assert (brief.model, three.asked) == ("third", [1, 1, 1])


async def test_a_mute_model_is_given_up_below_the_limit_of_the_attempt(three: Three) -> None:
    three.first = Mute()
    await three.ready([])
    with pytest.raises(ModelUnavailable, match=r"first a gave no answer within 0\.[01] s"):
        await three.decide(limit_s=0.1)


async def test_the_models_time_is_less_than_the_attempts() -> None:
    for attempt_s in (4, 30):
        attempt = timedelta(seconds=attempt_s)
        assert Patience.within(attempt, lambda: None).limit_s < attempt_s
    assert Patience.within(None, lambda: None).limit_s == LONGEST_S


async def test_the_heart_beats_while_a_model_is_waited_for(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beating, "BEAT_EVERY_S", 0)
    beats: list[str] = []
    three.first = Mute()
    await three.ready([])
    with pytest.raises(ModelUnavailable):
        await three.room.decide(patience=Patience(0.05, lambda: beats.append("beat")))
    assert "beat" in beats


async def opened(three: Three, ago_s: int) -> None:
    """Open the circuit of the first provider some time ago."""
    wall_ms = time.time_ns() // 1_000_000 - ago_s * 1000
    then = ClockReading(venue_ms=wall_ms, wall_ms=wall_ms, rate=Decimal(1))
    for _ in range(OPENS_AFTER):
        await three.room.breaker.failed("model:first", then, "HTTP 503", wall_ms)


async def test_outages_in_a_row_open_the_circuit_of_that_provider_alone(three: Three) -> None:
    await three.ready([])
    three.first.answers.extend([AWAY] * OPENS_AFTER)
    for _ in range(OPENS_AFTER):
        with pytest.raises(ModelUnavailable):
            await three.decide()
    with pytest.raises(CircuitOpen) as caught:
        await three.decide()
    assert str(caught.value).startswith("model:first is not asked: it has not answered 5 times")
    assert translated(caught.value).non_retryable
    assert three.asked == [OPENS_AFTER, 0, 0]
    assert [c.target for c in await three.room.breaker.states()] == ["model:first"]


async def test_a_provider_behind_an_open_circuit_is_passed_over(three: Three) -> None:
    await three.ready()
    await opened(three, ago_s=1)
    assert (await three.decide()).model == "second b"
    assert three.asked == [0, 1, 0]


async def test_a_provider_is_tried_again_when_it_has_cooled_by_the_wall(three: Three) -> None:
    """The venue of this test stands still; a provider recovers in wall time all the same."""
    await three.ready()
    await opened(three, ago_s=31)
    assert (await three.decide()).model == "first a"
    assert await three.room.breaker.states() == []


@pytest.mark.parametrize("error", [REFUSED, BLOCKED, ModelRateLimited("wait", 60)])
async def test_a_refusal_and_a_wish_to_wait_are_answers_to_the_breaker(
    three: Three, error: OxbotError
) -> None:
    await three.ready()
    three.first.answers.append(error)
    await three.decide()
    assert await three.room.breaker.states() == []
