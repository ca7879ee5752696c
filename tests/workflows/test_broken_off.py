"""Connections to Temporal that break: what it may have taken is never told as not told."""

from collections.abc import Awaitable, Callable

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import GrpcCompression, RetryConfig

from oxbot.adapters.temporal.client import connect
from oxbot.adapters.temporal.control import TemporalBotControl
from oxbot.domain.bot import BotStatus
from oxbot.domain.errors import Unanswered, Unavailable
from oxbot.messages import ChangeLimits, ClosePosition, ControlRequest
from tests.support.cutting_proxy import cutting
from tests.support.fakes import BTC
from tests.support.house import House
from tests.support.ports import free_port

pytestmark = pytest.mark.critical

MARK = "here the line is cut"
ASKED = ControlRequest(by="a person", reason=MARK)
CLOSE = ClosePosition(symbol=BTC, by="a person", reason=MARK)
LIMITS = ChangeLimits(by="a person", reason=MARK, limits={"stop": "2%"})

QUICKLY = RetryConfig(
    initial_interval_millis=10, max_interval_millis=10, max_elapsed_time_millis=200, max_retries=2
)
"""Tries of a client whose server is gone for good."""

Verb = Callable[[TemporalBotControl, str], Awaitable[object]]

VERBS: dict[str, Verb] = {
    "pause": lambda control, bot_id: control.pause(bot_id, ASKED),
    "resume": lambda control, bot_id: control.resume(bot_id, ASKED),
    "change_limits": lambda control, bot_id: control.change_limits(bot_id, LIMITS),
    "close": lambda control, bot_id: control.close_position(bot_id, CLOSE),
    "flatten": lambda control, bot_id: control.flatten(bot_id, ASKED),
    "flatten_soon": lambda control, bot_id: control.flatten_soon(bot_id, ASKED),
    "stop_soon": lambda control, bot_id: control.stop_soon(bot_id, ASKED),
    "stop": lambda control, bot_id: control.stop(bot_id, ASKED),
}


def server_of(house: House) -> str:
    return house.client.service_client.config.target_host


async def control_through(address: str, house: House) -> TemporalBotControl:
    """Control by a client that is connected there, and gives up soon."""
    client = await Client.connect(
        address,
        namespace=house.client.namespace,
        data_converter=pydantic_data_converter,
        retry_config=QUICKLY,
        grpc_compression=GrpcCompression.NONE,
    )
    return TemporalBotControl(client, house.queue)


async def check_cut(house: House, bot_id: str, verb: str) -> None:
    async with cutting(server_of(house), MARK.encode()) as (proxy, address):
        control = await control_through(address, house)
        with pytest.raises(Unanswered, match="may still take effect: look at the bot"):
            await VERBS[verb](control, bot_id)
        assert proxy.passed, "it broke before the request was passed on"


@pytest.mark.parametrize("verb", VERBS)
async def test_what_was_passed_on_before_the_line_broke_may_still_take_effect(
    real_house: House, verb: str
) -> None:
    bot, _ = await real_house.started()
    await check_cut(real_house, bot.id, verb)


async def test_a_pause_whose_line_broke_takes_effect(real_house: House) -> None:
    bot, _ = await real_house.started()
    async with cutting(server_of(real_house), MARK.encode()) as (_, address):
        control = await control_through(address, real_house)
        with pytest.raises(Unanswered):
            await control.pause(bot.id, ASKED)
        await real_house.until(lambda: bool(real_house.store.control))
    assert (await real_house.store.bot(bot.id)).status is BotStatus.PAUSED


@pytest.mark.parametrize("verb", VERBS)
async def test_where_nobody_ever_listened_nothing_was_told(verb: str) -> None:
    client = await connect(f"127.0.0.1:{free_port()}", "default", lazy=True)
    with pytest.raises(Unavailable) as told:
        await VERBS[verb](TemporalBotControl(client, "nobody"), "b1")
    assert not isinstance(told.value, Unanswered)
    assert "oxbot doctor" in str(told.value)


async def test_a_refused_connection_may_be_the_second_try_of_what_was_taken(
    real_house: House,
) -> None:
    """A client that tries again says only how its last try went."""
    bot, handle = await real_house.started()
    async with cutting(server_of(real_house), b"never sent") as (proxy, address):
        control = await control_through(address, real_house)
        await control.pause(bot.id, ASKED)
        proxy.cut()
        with pytest.raises(Unanswered):
            await control.resume(bot.id, ASKED)
        with pytest.raises(Unavailable) as told:
            await control.view(bot.id)
        assert not isinstance(told.value, Unanswered), "a look tells nobody anything"
    await real_house.until_status(handle, BotStatus.PAUSED)
