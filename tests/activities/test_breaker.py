"""The circuit breaker of the fleet, on a real Redis, against a plain model of it."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from structlog.testing import capture_logs

from oxbot.adapters.redis.board import open_redis
from oxbot.adapters.redis.breaker import KEY, RedisBreaker
from oxbot.domain.circuit import COOLS_MS, OPENS_AFTER, Phase
from oxbot.domain.errors import StoreUnavailable
from oxbot.domain.market import ClockReading
from tests.support.fake_breaker import FakeBreaker

WALL_MS = 1_760_000_000_123
VENUE_MS = 1_735_700_000_456
AWAY = "redis://127.0.0.1:1"


def at(wall_s: float = 0, venue_s: float = 0, *, stepped: bool = False) -> ClockReading:
    """A reading so many seconds later."""
    return ClockReading(
        wall_ms=WALL_MS + round(wall_s * 1000),
        venue_ms=VENUE_MS + round(venue_s * 1000),
        rate=Decimal(0 if stepped else 1),
        stepped=stepped,
    )


@pytest.fixture
async def breaker(redis_url: str) -> RedisBreaker:
    return RedisBreaker(open_redis(redis_url))


async def fail(breaker: RedisBreaker, times: int = OPENS_AFTER, *, stepped: bool = False) -> None:
    for _ in range(times):
        await breaker.failed("okx", at(stepped=stepped), "no answer", WALL_MS)


async def is_admitted(breaker: RedisBreaker, now: ClockReading) -> bool:
    return (await breaker.admit("okx", now)).admitted


@pytest.mark.critical
async def test_five_failures_in_a_row_open_it_and_a_success_between_them_does_not(
    breaker: RedisBreaker,
) -> None:
    await fail(breaker, OPENS_AFTER - 1)
    await breaker.succeeded("okx")
    await fail(breaker, OPENS_AFTER - 1)
    assert await is_admitted(breaker, at())
    await fail(breaker, 1)
    refused = await breaker.admit("okx", at(29.9, 29.9))
    assert not refused.admitted
    assert refused.circuit.phase is Phase.OPEN
    assert refused.circuit.reason == "no answer"
    assert refused.circuit.retry_ms == WALL_MS + COOLS_MS
    assert (await breaker.admit("other", at())).admitted


@pytest.mark.critical
async def test_calls_that_were_under_way_together_fail_as_one(breaker: RedisBreaker) -> None:
    for ended_s in (3.0, 3.1, 3.2, 6.0, 6.0, 6.0, 6.0):
        await breaker.failed("okx", at(ended_s), "no answer", at(0).wall_ms)
    assert await is_admitted(breaker, at(6))
    [circuit] = await breaker.states()
    assert circuit.failures == 1
    for began_s in (6, 7, 8, 9):
        await breaker.failed("okx", at(began_s + 0.5), "no answer", at(began_s).wall_ms)
    assert not await is_admitted(breaker, at(10))


@pytest.mark.critical
async def test_after_thirty_seconds_exactly_one_probe_of_the_fleet_passes(
    breaker: RedisBreaker, redis_url: str
) -> None:
    await fail(breaker)
    fleet = [RedisBreaker(open_redis(redis_url)) for _ in range(50)]
    answers = await asyncio.gather(*(is_admitted(one, at(30)) for one in fleet))
    assert answers.count(True) == 1
    [circuit] = await breaker.states()
    assert circuit.phase is Phase.HALF_OPEN
    for one in fleet:
        await one._client.aclose()


async def test_a_probe_that_succeeds_closes_it_and_one_that_fails_opens_it_anew(
    breaker: RedisBreaker,
) -> None:
    await fail(breaker)
    assert await is_admitted(breaker, at(30))
    await breaker.failed("okx", at(31), "still no answer", at(30).wall_ms)
    assert not await is_admitted(breaker, at(60.9))
    assert await is_admitted(breaker, at(61))
    await breaker.succeeded("okx")
    assert await breaker.states() == []
    assert await is_admitted(breaker, at(61))


async def test_a_probe_that_never_reports_back_frees_its_place(breaker: RedisBreaker) -> None:
    await fail(breaker)
    assert await is_admitted(breaker, at(30))
    assert not await is_admitted(breaker, at(59.9))
    assert await is_admitted(breaker, at(60))


@pytest.mark.critical
async def test_a_venue_that_stands_still_cools_in_its_own_time_alone(
    breaker: RedisBreaker,
) -> None:
    await fail(breaker, stepped=True)
    assert not await is_admitted(breaker, at(3_600, 29.9, stepped=True))
    assert await is_admitted(breaker, at(0, 30, stepped=True))


async def test_a_venue_that_runs_fast_cools_in_its_own_time_too(breaker: RedisBreaker) -> None:
    await fail(breaker)
    assert not await is_admitted(breaker, at(0.9, 27))
    assert await is_admitted(breaker, at(1, 30))


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_was_set_does_not_keep_it_open(
    breaker: RedisBreaker, hours: int
) -> None:
    await fail(breaker)
    assert await is_admitted(breaker, at(hours * 3600))


@pytest.mark.critical
async def test_without_redis_it_is_closed_which_is_said_once() -> None:
    breaker = RedisBreaker(open_redis(AWAY))
    with capture_logs() as logs:
        await fail(breaker, 2 * OPENS_AFTER)
        assert await is_admitted(breaker, at())
        await breaker.succeeded("okx")
    assert len([line for line in logs if line["log_level"] == "warning"]) == 1
    with pytest.raises(StoreUnavailable, match="Redis does not answer"):
        await breaker.states()


class Fleet(RuleBasedStateMachine):
    """Any order of calls, answers and leaps of both clocks: Redis and the model agree."""

    url = ""
    runner: asyncio.Runner

    @initialize(stepped=st.booleans())
    def begin(self, *, stepped: bool) -> None:
        self.stepped = stepped
        self.wall_s = self.venue_s = 0.0
        self.real, self.model = RedisBreaker(open_redis(self.url)), FakeBreaker()
        self.runner.run(self._forget())

    async def _forget(self) -> None:
        await self.real._client.delete(KEY)

    @property
    def now(self) -> ClockReading:
        return at(self.wall_s, self.venue_s, stepped=self.stepped)

    @rule(seconds=st.sampled_from([0.1, 1, 29, 30, 31, -40]), venue=st.booleans())
    def pass_time(self, seconds: float, *, venue: bool) -> None:
        if venue:
            self.venue_s += seconds
        else:
            self.wall_s += seconds

    @rule(whom=st.sampled_from(["okx", "qwen"]))
    def call(self, whom: str) -> None:
        real = self.runner.run(self.real.admit(whom, self.now))
        assert real == self.runner.run(self.model.admit(whom, self.now))

    @rule(
        whom=st.sampled_from(["okx", "qwen"]),
        times=st.sampled_from([1, 4, 5]),
        took_s=st.sampled_from([0, 0.1, 30]),
    )
    def fail(self, whom: str, times: int, took_s: float) -> None:
        began_ms = at(self.wall_s - took_s).wall_ms
        for number in range(times):
            reason = f"attempt {number} \N{SNOWMAN} \"'{{"
            self.runner.run(self.real.failed(whom, self.now, reason, began_ms))
            self.runner.run(self.model.failed(whom, self.now, reason, began_ms))

    @rule(whom=st.sampled_from(["okx", "qwen"]))
    def succeed(self, whom: str) -> None:
        self.runner.run(self.real.succeeded(whom))
        self.runner.run(self.model.succeeded(whom))

    @invariant()
    def agree(self) -> None:
        if hasattr(self, "real"):
            assert self.runner.run(self.real.states()) == self.runner.run(self.model.states())

    def teardown(self) -> None:
        if hasattr(self, "real"):
            self.runner.run(self.real._client.aclose())


@pytest.fixture
def fleet(redis_url: str) -> Iterator[type[Fleet]]:
    with asyncio.Runner() as runner:
        Fleet.url, Fleet.runner = redis_url, runner
        yield Fleet


@pytest.mark.critical
def test_redis_and_a_plain_model_agree_whatever_happens(fleet: type[Fleet]) -> None:
    fleet.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
    fleet.TestCase("runTest").debug()
