"""A worker killed with SIGKILL at every step, before and after its side effect.

The venue stands still meanwhile, so that a kill cannot change a price: each bot must come to
exactly what the bot that nobody disturbed came to.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.migrations import upgrade
from oxbot.app.bots import pause_bot, resume_bot
from oxbot.embedded.addresses import Addresses
from oxbot.embedded.servers import embedded_servers
from oxbot.messages import ControlRequest
from oxbot.settings import Settings
from tests.e2e.stepped_bots import Books, SteppedBot, stepped_bot
from tests.support.ports import free_ports

pytestmark = pytest.mark.critical

UNDISTURBED: tuple[str, ...] = ()
KILLS: tuple[tuple[str, ...], ...] = (
    ("before:open_run", "before:write_control", "before:validate_risk"),
    ("after:open_run", "after:write_control", "after:validate_risk"),
    ("before:observe_market", "after:observe_market", "before:record_cycles"),
    ("before:decide", "after:decide", "after:record_cycles"),
    (
        "before:execute_order:entry",
        "after:execute_order:entry",
        *("before:place:exit", "after:place:exit", "after:settle:exit"),
    ),
    (
        *("after:claim:entry", "after:place:entry", "after:settle:entry"),
        *("before:protect", "after:protect", "after:intend_exit:exit"),
    ),
)
"""Where the worker of each bot is killed. Two points never strike the same activity."""

BEFORE_CONTROL, CYCLES = 3, 15
"""Cycles until the bot is paused and resumed, and in all: five entries and three stops."""

AT_ONCE = 3
"""Bots that run at the same time: more workers at once take long to start."""

Run = tuple[frozenset[str], list[int], Books]
"""Points at which the worker died, exit codes of the workers that ended, the books."""


@pytest.fixture(scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Addresses]:
    temporal, web = free_ports(2)
    settings = Settings(
        home=tmp_path_factory.mktemp("servers"),
        temporal_port=temporal,
        temporal_ui_port=web,
        database_url=None,
        redis_url=None,
        temporal_address=None,
    )
    async with embedded_servers(settings, print) as addresses:
        await asyncio.to_thread(upgrade, addresses.database_url)
        yield addresses


@pytest.fixture(scope="module")
async def runs(
    servers: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, ...], Run]:
    """What each bot came to; several run at the same time, since they mostly wait."""
    home = tmp_path_factory.mktemp("bots")
    plans = (UNDISTURBED, *KILLS)
    room = asyncio.Semaphore(AT_ONCE)

    async def run(number: int, points: tuple[str, ...]) -> Run:
        async with room:
            return await _run(servers, home, number, points)

    found = await asyncio.gather(*(run(*plan) for plan in enumerate(plans)))
    return dict(zip(plans, found, strict=True))


async def _run(servers: Addresses, home: Path, number: int, points: tuple[str, ...]) -> Run:
    async with stepped_bot(servers, home, number, points) as bot:
        await bot.run(BEFORE_CONTROL)
        await _pause_and_resume(bot)
        await bot.run(CYCLES - BEFORE_CONTROL)
        return frozenset(bot.died_at), bot.deaths, await bot.books()


async def _pause_and_resume(bot: SteppedBot) -> None:
    """Venue time stands still meanwhile: no tick is lost."""
    for verb in (pause_bot, resume_bot):
        await verb(bot.desk, bot.bot_id, ControlRequest(by="test"))
        await bot.until_recorded()


def test_the_undisturbed_bot_trades(runs: dict[tuple[str, ...], Run]) -> None:
    died, deaths, books = runs[UNDISTURBED]
    assert (died, deaths) == (frozenset(), [])
    assert Counter(order.purpose for order in books.orders) == {"entry": 5, "stop": 3}
    assert books.numbers == list(range(1, CYCLES + 1))
    assert books.agree
    assert books.skipped == []


@pytest.mark.parametrize("points", KILLS, ids=" ".join)
def test_a_bot_whose_worker_was_killed_comes_to_the_same(
    runs: dict[tuple[str, ...], Run], points: tuple[str, ...]
) -> None:
    _, _, undisturbed = runs[UNDISTURBED]
    died, deaths, books = runs[points]
    assert died == set(points)
    assert deaths == [-signal.SIGKILL] * len(points)

    assert books.skipped == []
    assert books.cycles == undisturbed.cycles
    assert books.agree
    assert books.audit.fills == len(books.orders)
    sent = Counter((order.cycle, order.symbol, order.purpose) for order in books.orders)
    assert set(sent.values()) == {1}
    assert books.ordered == undisturbed.ordered
    assert books.trades == undisturbed.trades
    assert books.portfolio == undisturbed.portfolio
