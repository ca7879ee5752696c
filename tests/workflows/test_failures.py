"""A cycle whose step fails is on record with its cause, and the next one comes."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from oxbot.domain.errors import InputError, ModelRefused, RefusalCause
from oxbot.domain.orders import OrderState, Purpose
from oxbot.records import ModelReply, ModelRequest
from tests.support.fakes import BTC
from tests.support.house import PATIENCE_S, House, status_of
from workflows import limits

pytestmark = pytest.mark.critical


STEPS = ["observe_market", "decide", "validate_risk"]


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is given a second and a half, since on a real server it really takes that long."""
    monkeypatch.setattr(limits, "SHORTEST", timedelta(seconds=1.5))
    monkeypatch.setattr(limits, "SHORTEST_ATTEMPT", timedelta(seconds=0.5))


@pytest.mark.parametrize("step", STEPS)
async def test_a_cycle_with_a_failed_step_is_recorded_with_its_cause_and_the_bot_goes_on(
    house: House, step: str
) -> None:
    bot, handle = await house.started()
    with house.faults.failing(step):
        [failed] = (await house.run_cycles(bot, 1))[:1]
    assert failed.skipped == f"{step}: Planted: told to fail"

    cycles = await house.run_cycles(bot, 2)
    assert [c.cycle for c in cycles] == list(range(1, len(cycles) + 1))
    assert cycles[-1].skipped is None
    assert (await status_of(handle)).last_outcome == cycles[-1]


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("step", STEPS)
async def test_a_step_that_fails_at_every_try_is_given_up_with_its_cause(
    real_house: House, step: str
) -> None:
    with real_house.faults.failing(step, final=False):
        bot, _ = await real_house.started(interval_s=1)
        [failed, *_] = await real_house.run_cycles(bot, 1)
    assert failed.skipped == f"{step}: Planted: told to fail"
    assert real_house.faults.begun[step] > 1
    await real_house.pass_until(lambda: real_house.recorded(bot)[-1].skipped is None)


@pytest.mark.usefixtures("short_limits")
async def test_a_step_that_never_answers_is_cut_off_and_named(real_house: House) -> None:
    with real_house.faults.hanging("decide"):
        bot, _ = await real_house.started(interval_s=1)
        [cut, *_] = await real_house.run_cycles(bot, 1)
    assert cut.skipped is not None
    assert cut.skipped.startswith("decide: no answer within its limit")
    await real_house.pass_until(lambda: real_house.recorded(bot)[-1].skipped is None)


async def test_while_the_circuit_is_open_a_cycle_is_skipped_and_says_why(house: House) -> None:
    bot, _ = await house.started()
    await house.run_cycles(bot, 1)
    house.feed.away = True
    skipped = (await house.run_cycles(bot, 1))[-1].skipped
    assert skipped is not None
    assert skipped.startswith("observe_market: CircuitOpen: fake is not asked for prices")
    assert "told not to answer" in skipped
    house.feed.away = False
    assert (await house.run_cycles(bot, 1))[-1].skipped is None
    assert await house.breaker.states() == []


async def test_a_failed_model_leaves_the_rules_at_work(house: House) -> None:
    bot, _ = await house.started()
    house.model.will_buy(BTC)
    await house.run_cycles(bot, 1)
    house.feed.prices[BTC] *= 2
    with house.faults.failing("decide"):
        await house.run_cycles(bot, 1)
    assert [o.symbol for o in house.store.filled(Purpose.TARGET)] == [BTC]


@pytest.mark.parametrize("final", [True, False])
async def test_a_cycle_that_saw_nothing_still_exits_what_is_held(
    house: House, *, final: bool
) -> None:
    bot, _ = await house.started()
    house.model.will_buy(BTC)
    await house.run_cycles(bot, 1)
    house.feed.prices[BTC] *= Decimal("0.9")
    asked = house.model.asked
    with house.faults.failing("observe_market", final=final):
        blind = (await house.run_cycles(bot, 1))[-1]
    assert blind.skipped == "observe_market: Planted: told to fail"
    assert [(o.symbol, o.purpose, o.state) for o in blind.orders] == [
        (BTC, Purpose.STOP, OrderState.FILLED)
    ]
    assert house.model.asked == asked


async def test_a_failure_too_long_for_the_server_is_still_named(
    real_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wordy(request: ModelRequest) -> ModelReply:
        raise InputError("there is no such model, " * 500)

    monkeypatch.setattr(real_house.model, "complete", wordy)
    bot, _ = await real_house.started(interval_s=1)
    [cycle, *_] = await real_house.run_cycles(bot, 1)
    assert cycle.skipped is not None
    assert cycle.skipped.startswith("decide: InputError: there is no such model")


async def test_a_reply_that_is_no_decision_holds_and_is_recorded(house: House) -> None:
    bot, _ = await house.started()
    house.model.replies.extend(["buy everything", "sell everything"])
    [cycle] = await house.run_cycles(bot, 1)
    assert cycle.skipped is not None
    assert cycle.skipped.startswith("The reply is not a valid decision")
    assert house.store.orders_by_id == {}


async def test_a_refusing_provider_leaves_the_rules_at_work_and_the_status_says_why(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    await house.run_cycles(bot, 1)

    async def refuse(request: ModelRequest) -> ModelReply:
        raise ModelRefused("the account owes", RefusalCause.ACCOUNT)

    monkeypatch.setattr(house.model, "complete", refuse)
    house.feed.prices[BTC] *= 2
    refused = (await house.run_cycles(bot, 1))[-1]
    assert refused.skipped == "the account owes"
    assert [o.symbol for o in house.store.filled(Purpose.TARGET)] == [BTC]
    assert (await status_of(handle)).last_outcome == refused


async def test_an_order_whose_execution_failed_is_unknown_until_the_next_cycle_ends_it(
    house: House,
) -> None:
    bot, _ = await house.started()
    house.model.will_buy(BTC)
    with house.faults.failing("execute_order"):
        [cycle] = await house.run_cycles(bot, 1)
    assert [(o.state, o.reason) for o in cycle.orders] == [
        (OrderState.UNKNOWN, "execute_order: Planted: told to fail")
    ]
    await house.run_cycles(bot, 1)
    [order] = house.store.orders_by_id.values()
    assert order.state is OrderState.CANCELLED


async def test_outcomes_that_cannot_be_written_travel_across_runs_and_are_written_next(
    house: House,
) -> None:
    house.store.grant_at_most = 1
    bot = await house.new_bot()
    await house.start(bot, roll_after=2)
    with house.faults.failing("record_cycles"):
        await house.pass_until(lambda: house.faults.begun["record_cycles"] >= 5)
        assert house.recorded(bot) == []
    cycles = await house.run_cycles(bot, 1)
    assert [c.cycle for c in cycles] == list(range(1, len(cycles) + 1))
    assert len(cycles) >= 6
    assert len({block.run_id.partition("/")[0] for block in house.store.blocks}) > 1


async def test_an_outage_of_the_record_itself_loses_no_cycle(house: House) -> None:
    """Everything that needs the record fails; numbers in stock carry the bot through."""
    bot, _ = await house.started()
    async with asyncio.timeout(PATIENCE_S):
        with (
            house.faults.failing("observe_market"),
            house.faults.failing("record_cycles"),
        ):
            await house.pass_until(lambda: house.faults.begun["record_cycles"] >= 3)
    cycles = await house.run_cycles(bot, 1)
    assert [c.cycle for c in cycles] == list(range(1, len(cycles) + 1))
    causes = {c.skipped for c in cycles}
    assert "observe_market: Planted: told to fail" in causes
