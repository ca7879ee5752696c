"""Making a bot: only on what its venue lists."""

from typing import cast

import pytest

from oxbot.app.bots import Desk, create_bot
from oxbot.domain.bot import Bot, BotSettings
from oxbot.domain.errors import InputError, VenueUnavailable
from oxbot.domain.market import Instrument
from oxbot.ports import BotControl
from tests.support.fake_breaker import FakeBreaker
from tests.support.fake_store import FakeStore
from tests.support.fakes import BTC, ETH, INSTRUMENT, FakeBoard

PROVIDERS = frozenset({"baseline"})


class Starts:
    """The one part of control that making a bot needs."""

    def __init__(self) -> None:
        self.started: list[str] = []

    async def start(self, bot: Bot) -> bool:
        self.started.append(bot.id)
        return True


class Told:
    """A listing that may be old until it is asked for a fresh one; None is a venue that is away."""

    def __init__(self, known: list[str] | None, fresh: list[str] | None = None) -> None:
        self.known = known
        self.halted: set[str] = set()
        self.fresh = fresh
        self.asked: list[bool] = []

    async def listing(self, *, fresh: bool = False) -> dict[str, Instrument]:
        self.asked.append(fresh)
        symbols = self.fresh if fresh else self.known
        if symbols is None:
            raise VenueUnavailable("OKX does not answer.")
        return {
            symbol: INSTRUMENT.model_copy(
                update={"symbol": symbol, "live": symbol not in self.halted}
            )
            for symbol in symbols
        }


def desk_of(told: Told) -> tuple[Desk, FakeStore, Starts]:
    store, starts = FakeStore(), Starts()
    desk = Desk(store, cast("BotControl", starts), "okx", told, FakeBoard(), FakeBreaker())
    return desk, store, starts


async def made(desk: Desk, *symbols: str) -> Bot:
    return await create_bot(desk, BotSettings(name="Test", symbols=symbols), PROVIDERS, "b1")


async def test_a_bot_on_listed_symbols_is_made_by_the_known_list() -> None:
    told = Told([BTC, ETH])
    desk, store, starts = desk_of(told)
    assert (await made(desk, ETH, BTC)).settings.symbols == (ETH, BTC)
    assert told.asked == [False]
    assert set(store.bots_by_id) == {"b1"}
    assert starts.started == ["b1"]


async def test_a_symbol_that_is_not_listed_is_refused_with_the_nearest_names() -> None:
    told = Told([BTC, ETH], [BTC, ETH])
    desk, store, starts = desk_of(told)
    with pytest.raises(InputError, match=r"OKX does not list BTX/USDT \(nearest: BTC/USDT"):
        await made(desk, BTC, "BTX/USDT")
    assert not store.bots_by_id
    assert not starts.started


@pytest.mark.parametrize(
    "models",
    [
        {"provider": "dashscope"},
        {"provider": "baseline", "fallbacks": [{"provider": "dashscope"}]},
    ],
)
async def test_a_provider_that_is_not_set_up_is_refused_and_the_variable_named(
    models: dict[str, object],
) -> None:
    desk, store, _ = desk_of(Told([BTC]))
    settings = BotSettings.model_validate({"name": "Test", "symbols": [BTC], **models})
    with pytest.raises(InputError, match="set DASHSCOPE_API_KEY"):
        await create_bot(desk, settings, PROVIDERS, "b1")
    assert not store.bots_by_id


async def test_a_halted_symbol_is_refused_by_a_fresh_list() -> None:
    told = Told([BTC, ETH], [BTC, ETH])
    told.halted = {ETH}
    desk, store, _ = desk_of(told)
    with pytest.raises(InputError, match="has halted ETH/USDT: nothing trades there"):
        await made(desk, BTC, ETH)
    assert told.asked == [False, True]
    assert not store.bots_by_id


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"limits": {"target": "0.05"}}, "reward_risk asks for 1.5"),
        ({"capital": "50"}, "minimum_notional asks for 10"),
    ],
)
async def test_limits_under_which_nothing_could_be_bought_are_refused(
    settings: dict[str, object], complaint: str
) -> None:
    desk, store, _ = desk_of(Told([BTC]))
    chosen = BotSettings.model_validate({"name": "Test", "symbols": (BTC,), **settings})
    with pytest.raises(InputError, match=complaint):
        await create_bot(desk, chosen, PROVIDERS, "b1")
    assert not store.bots_by_id


async def test_a_pair_that_was_listed_a_moment_ago_is_found_on_a_fresh_list() -> None:
    told = Told([BTC], [BTC, "NEW/USDT"])
    desk, _, starts = desk_of(told)
    await made(desk, BTC, "NEW/USDT")
    assert told.asked == [False, True]
    assert starts.started == ["b1"]


@pytest.mark.parametrize("known", [None, [BTC]])
async def test_when_nobody_can_say_what_is_listed_no_bot_is_made(known: list[str] | None) -> None:
    desk, store, starts = desk_of(Told(known))
    with pytest.raises(VenueUnavailable, match=r"No bot was made.*OKX does not answer") as caught:
        await made(desk, ETH)
    assert caught.value.http_status == 503
    assert not store.bots_by_id
    assert not starts.started
