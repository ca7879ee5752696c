"""Making a bot that trades live: only with money that is free, and nothing is kept of a refusal."""

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import cast

import pytest

from oxbot.app.bots import Desk, create_bot
from oxbot.app.live import live_status, live_trouble
from oxbot.domain.bot import Bot, BotSettings, BotStatus, Mode, RiskLimits
from oxbot.domain.errors import (
    Conflict,
    InputError,
    SetupError,
    VenueRefused,
    VenueUnavailable,
)
from oxbot.domain.money import Notional
from oxbot.domain.orders import OrderState
from oxbot.messages import WriteControl
from oxbot.ports import BotControl
from tests.support.fake_breaker import FakeBreaker
from tests.support.fake_store import FakeStore
from tests.support.fakes import BTC, FakeBoard
from tests.support.trading import entry
from tests.unit.app.test_create import PROVIDERS, Starts, Told

pytestmark = pytest.mark.critical

LIMITS = RiskLimits()
OFF = "Live trading is off."


@dataclass
class Account:
    """What an account says when it is asked."""

    free: Decimal
    refuses: Exception | None = None
    asked: int = 0

    async def free_usdt(self) -> Decimal:
        self.asked += 1
        await asyncio.sleep(0)
        if self.refuses is not None:
            raise self.refuses
        return self.free


@dataclass
class Place:
    """A desk, and what stands behind it."""

    desk: Desk
    store: FakeStore
    starts: Starts
    account: Account

    async def make(
        self, bot_id: str, capital: str, mode: Mode = Mode.LIVE, limits: RiskLimits = LIMITS
    ) -> Bot:
        settings = BotSettings(
            name="Test",
            symbols=(BTC,),
            capital=Notional(capital),
            mode=mode,
            limits=limits,
        )
        return await create_bot(self.desk, settings, PROVIDERS, bot_id)

    async def stop(self, bot_id: str) -> None:
        change = WriteControl(
            bot_id=bot_id, status=BotStatus.STOPPED, epoch=2, flatten=True, by="ann", reason=""
        )
        await self.store.write_control(change)

    @property
    def made(self) -> list[str]:
        """What is on record, which is what was started."""
        assert list(self.store.bots_by_id) == self.starts.started
        return self.starts.started


@pytest.fixture
def place() -> Place:
    store, starts, account = FakeStore(), Starts(), Account(Decimal(1_000))
    control = cast("BotControl", starts)
    desk = Desk(store, control, "okx", Told([BTC]), FakeBoard(), FakeBreaker(), account.free_usdt)
    return Place(desk, store, starts, account)


async def test_a_live_bot_whose_capital_is_free_is_made_as_such(place: Place) -> None:
    made = await place.make("b1", "1000")
    assert (made.settings.mode, made.settings.venue) == (Mode.LIVE, "okx")
    assert place.made == ["b1"]


async def test_what_other_live_bots_have_is_not_free(place: Place) -> None:
    await place.make("b1", "700")
    with pytest.raises(
        InputError,
        match=r"has 1000 USDT free, other live bots have 700 of it, and this one wants 400; 100 are"
        r" missing",
    ):
        await place.make("b2", "400")
    assert place.made == ["b1"]
    await place.make("b3", "300")
    await place.stop("b1")
    await place.make("b4", "700")
    assert place.made == ["b1", "b3", "b4"]


async def test_a_live_bot_that_would_sell_at_once_what_it_buys_is_not_made(place: Place) -> None:
    near = LIMITS.model_copy(update={"stop": Decimal("0.001"), "slippage_bp": Decimal(10)})
    await place.make("near", "1000", limits=near)
    nearer = near.model_copy(update={"slippage_bp": Decimal(11)})
    with pytest.raises(InputError, match="sold at once"):
        await place.make("nearer", "1000", limits=nearer)
    await place.make("paper", "1000", Mode.PAPER, nearer)


async def test_bots_on_paper_take_no_part_in_it(place: Place) -> None:
    await place.make("p1", "100000", Mode.PAPER)
    assert place.account.asked == 0
    await place.make("b1", "1000")
    await place.make("p2", "100000", Mode.PAPER)
    assert (place.made, place.account.asked) == (["p1", "b1", "p2"], 1)


async def test_of_two_that_are_made_at_once_on_the_same_money_one_is_refused(place: Place) -> None:
    ended = await asyncio.gather(
        place.make("b1", "600"), place.make("b2", "600"), return_exceptions=True
    )
    (refused,) = [found for found in ended if isinstance(found, BaseException)]
    assert isinstance(refused, InputError)
    assert "200 are missing" in str(refused)
    assert len(place.made) == 1


@pytest.mark.parametrize(
    "refuses", [SetupError("the key may withdraw"), VenueUnavailable("OKX does not answer")]
)
async def test_an_account_that_is_not_fit_or_does_not_answer_makes_no_bot(
    place: Place, refuses: Exception
) -> None:
    place.account.refuses = refuses
    with pytest.raises(type(refuses), match=str(refuses)):
        await place.make("b1", "100")
    assert place.made == []


async def test_while_an_order_of_a_live_bot_is_at_the_exchange_nobody_knows_what_is_free(
    place: Place,
) -> None:
    await place.make("b1", "500")
    order = entry("b1", 1).model_copy(update={"state": OrderState.SENT})
    place.store.orders_by_id[order.id] = order
    with pytest.raises(Conflict, match=r"just sent an order for BTC/USDT.*Try again"):
        await place.make("b2", "100")
    assert place.made == ["b1"]


async def test_where_there_is_no_account_no_live_bot_is_made(place: Place) -> None:
    place.desk = replace(place.desk, free_usdt=None)
    with pytest.raises(SetupError, match="not made here"):
        await place.make("b1", "100")
    assert place.made == []


async def test_live_bots_of_settings_that_lack_something_are_told_to_have_their_stops_alone(
    place: Place,
) -> None:
    await place.make("p1", "100", Mode.PAPER)
    assert await live_trouble(place.desk, OFF) is None
    assert (await live_status(place.desk, OFF)).trouble is None

    await place.make("b1", "100")
    await place.make("b2", "100")
    await place.stop("b2")
    asked = place.account.asked
    told = await live_trouble(place.desk, OFF)
    assert told is not None
    assert f"LIVE BOTS WITHOUT A FIT ACCOUNT: b1. {OFF} Until it is set" in told
    assert "nothing is bought or sold for them: only the stops that rest" in told
    found = await live_status(place.desk, OFF)
    assert (found.bots, found.trouble) == (("b1",), told)
    assert (await live_status(place.desk, None)).trouble is None
    assert place.account.asked == asked


@pytest.mark.parametrize(
    "refuses", [SetupError("The key may withdraw."), VenueRefused("OKX refused the request.")]
)
async def test_live_bots_of_an_account_that_is_not_fit_are_told_to_exit_and_enter_nothing(
    place: Place, refuses: Exception
) -> None:
    await place.make("p1", "100", Mode.PAPER)
    place.account.refuses = refuses
    assert await live_trouble(place.desk, None) is None
    assert place.account.asked == 0

    place.account.refuses = None
    await place.make("b1", "100")
    assert await live_trouble(place.desk, None) is None
    place.account.refuses = refuses
    told = await live_trouble(place.desk, None)
    assert told is not None
    assert f"LIVE BOTS WITHOUT A FIT ACCOUNT: b1. {refuses} Until it is mended they enter" in told
    assert "Exits and stops are still sent" in told
    assert "nothing is bought or sold" not in told
