"""Whether an account is still fit for live bots: asked seldom, and never taken for granted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.adapters.okx.fitness import KEPT_MS
from oxbot.adapters.okx.place import Place
from oxbot.adapters.okx.private import OkxAccount
from oxbot.adapters.okx.trading import OkxExchange
from oxbot.domain.errors import VenueUnavailable
from oxbot.ports import LiveExchange
from tests.activities.okx_server import (
    Handler,
    LocalOkx,
    connected,
    envelope,
    hung_up,
    local_okx,
    text,
)
from tests.activities.test_okx_trading import Standing
from tests.support.live_trader import KEYS
from tests.support.simulated_account import VenueClock, simulated

pytestmark = pytest.mark.critical

CONFIG = "account/config"
WITHDRAWS = "read_only,trade,withdraw"


@dataclass
class Machine:
    """A machine's monotonic clock that a test sets."""

    now_ms: int = 1_000

    def reading(self) -> int:
        return self.now_ms


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    async with local_okx() as server:
        yield server


@pytest.fixture
async def exchange(okx: LocalOkx, machine: Machine) -> AsyncIterator[LiveExchange]:
    place, clock = Place(rest_url=okx.url, throttled=False), Standing()
    async with connected(okx) as client, OkxAccount(KEYS, place, clock) as account:
        yield OkxExchange(account, OkxFeed(client), clock, now_ms=machine.reading)


def config(permissions: str = "read_only,trade", level: str = "1") -> Handler:
    return envelope([{"uid": "1", "acctLv": level, "perm": permissions}])


@asynccontextmanager
async def at_simulator(**account: object) -> AsyncIterator[LiveExchange]:
    async with simulated(None, **account) as simulator:
        place, clock = Place(rest_url=simulator.url, throttled=False), VenueClock(simulator)
        async with (
            OkxClient(simulator.url, throttled=False) as client,
            OkxAccount(KEYS, place, clock) as found,
        ):
            yield OkxExchange(found, OkxFeed(client), clock)


@pytest.mark.parametrize(
    ("account", "told"),
    [
        ({"permissions": ["read_only", "trade", "withdraw"]}, "The OKX API key may withdraw."),
        ({"permissions": ["read_only"]}, "The OKX API key may not trade."),
        ({"acct_lv": "2"}, "The OKX account is in mode 2, in which orders can borrow."),
    ],
)
async def test_a_live_exchange_tells_what_is_wrong_with_its_account_or_key(
    account: dict[str, object], told: str
) -> None:
    async with at_simulator(**account) as exchange:
        assert str(await exchange.unfit()).startswith(told)
    async with at_simulator() as exchange:
        assert await exchange.unfit() is None


async def test_okx_is_asked_every_ten_minutes_and_no_oftener(
    okx: LocalOkx, machine: Machine, exchange: LiveExchange
) -> None:
    okx.answers[CONFIG] = config()
    assert await asyncio.gather(*(exchange.unfit() for _ in range(5))) == [None] * 5
    okx.answers[CONFIG] = config(WITHDRAWS)
    machine.now_ms += KEPT_MS - 1
    assert await exchange.unfit() is None
    assert okx.asked(CONFIG) == 1
    machine.now_ms += 1
    for _ in range(2):
        assert "may withdraw" in str(await exchange.unfit())
    assert okx.asked(CONFIG) == 2
    okx.answers[CONFIG] = config()
    machine.now_ms += KEPT_MS
    assert await exchange.unfit() is None
    assert okx.asked(CONFIG) == 3


@pytest.mark.parametrize("answer", [hung_up, text("<html>"), envelope([]), config(permissions="")])
async def test_an_answer_that_does_not_say_is_none_and_an_old_one_is_not_made_do_with(
    okx: LocalOkx, machine: Machine, exchange: LiveExchange, answer: Handler
) -> None:
    okx.answers[CONFIG] = config()
    assert await exchange.unfit() is None
    machine.now_ms += KEPT_MS
    okx.answers[CONFIG] = answer
    with pytest.raises(VenueUnavailable):
        await exchange.unfit()
    okx.answers[CONFIG] = config(WITHDRAWS)
    assert "may withdraw" in str(await exchange.unfit())
