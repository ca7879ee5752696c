"""The doors of live trading: the account as ccxt sees it, and the record that counts the money."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.bootstrap.exchange import free_usdt, venue_of
from oxbot.cli.doctor_live import live_trading
from oxbot.domain.bot import Bot, BotSettings, BotStatus, Mode
from oxbot.domain.errors import InputError, SetupError, VenueUnavailable
from oxbot.domain.money import Notional
from oxbot.messages import WriteControl
from oxbot.settings import Settings
from tests.support.ports import free_port
from tests.support.simulated_account import Simulated, simulated
from tests.support.trading import NOW_MS, bought

pytestmark = pytest.mark.critical

KEY = {
    "live": "accepted",
    "okx_api_key": "mine",
    "okx_secret_key": "secret of mine",
    "okx_passphrase": "passphrase of mine",
}


def settings_of(url: str, **changes: object) -> Settings:
    return Settings.model_validate({"simulator_url": url, **KEY, **changes})


@asynccontextmanager
async def account(**more: object) -> AsyncIterator[Simulated]:
    """The simulated exchange with an account of 1,234.5 USDT."""
    async with simulated() as venue:
        await venue.make(**{"key": "mine", "balances": {"USDT": "1234.5"}, **more})
        yield venue


async def test_a_fit_account_tells_what_is_free_and_doctor_says_so() -> None:
    async with account() as venue:
        settings = settings_of(venue.url)
        assert venue_of(settings) == "okx-simulated"
        assert await free_usdt(settings) == Decimal("1234.5")
        found = await live_trading(settings)
        assert (found.ok, found.needed) == (True, False)
        assert found.detail == "on: the key is fit for okx-simulated, 1234.5 USDT are free"
        off = await live_trading(settings_of(venue.url, live=None))
        assert off.ok
        assert "off: bots trade on paper, since OXBOT_LIVE is not set; the key is fit" in off.detail


async def test_an_account_without_usdt_has_none_free() -> None:
    async with account(balances={"BTC": "1"}) as venue:
        assert await free_usdt(settings_of(venue.url)) == 0


@pytest.mark.parametrize(
    ("of_account", "changes", "told"),
    [
        ({"permissions": ["read_only", "trade", "withdraw"]}, {}, "may withdraw.*never withdraws"),
        ({"permissions": ["read_only"]}, {}, "may not trade"),
        ({"acct_lv": "3"}, {}, "in mode 3, in which orders can borrow.*sub-account"),
        ({"demo": True}, {}, "belongs to demo trading.*OXBOT_OKX_DEMO"),
        ({}, {"okx_demo": True}, "belongs to real trading.*OXBOT_OKX_DEMO"),
        ({}, {"okx_api_key": "nobody's"}, "does not accept the API key.*check OKX_API_KEY"),
        ({}, {"okx_secret_key": "x"}, "does not accept the API key.*check OKX_API_KEY"),
        ({}, {"okx_passphrase": "x"}, "does not accept the API key.*check OKX_API_KEY"),
        ({}, {"live": None}, "Live trading is off.*Set OXBOT_LIVE=accepted"),
        ({}, {"okx_secret_key": None}, "set OKX_SECRET_KEY. The key may"),
    ],
)
async def test_what_is_not_fit_is_refused_with_what_to_do(
    of_account: dict[str, object], changes: dict[str, object], told: str
) -> None:
    async with account(**of_account) as venue:
        settings = settings_of(venue.url, **changes)
        with pytest.raises(SetupError, match=told) as refused:
            await free_usdt(settings)
        for secret in ("secret of mine", "passphrase of mine"):
            assert secret not in str(refused.value)
        if settings.live is not None:
            found = await live_trading(settings)
            assert (found.ok, found.detail) == (False, str(refused.value))


async def test_an_account_of_demo_trading_is_asked_as_such() -> None:
    async with account(demo=True) as venue:
        assert await free_usdt(settings_of(venue.url, okx_demo=True)) == Decimal("1234.5")


async def test_an_exchange_that_does_not_answer_is_a_warning_of_doctor() -> None:
    nowhere = settings_of(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(VenueUnavailable):
        await free_usdt(nowhere)
    found = await live_trading(nowhere)
    assert (found.ok, found.needed) == (False, False)
    assert "cannot be looked at now" in found.detail


async def test_doctor_asks_nobody_where_live_trading_is_off() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    found = await live_trading(settings_of(nowhere, live=None, okx_api_key=None))
    assert (found.ok, found.detail) == (
        True,
        "off: bots trade on paper (docs/live.md says how to go live)",
    )
    half = await live_trading(settings_of(nowhere, live=None, okx_passphrase=None))
    assert not half.ok
    assert "set OKX_PASSPHRASE" in half.detail


async def live_bot(store: PostgresStore, bot_id: str, capital: str, free: str) -> Bot:
    settings = BotSettings(name="Test", mode=Mode.LIVE, capital=Notional(capital))
    return await store.create_bot(bot_id, settings, NOW_MS, Decimal(free))


async def test_of_many_live_bots_made_at_once_only_those_that_are_paid_for_are_on_record(
    store: PostgresStore,
) -> None:
    ended = await asyncio.gather(
        *(live_bot(store, f"b{number}", "300", "1000") for number in range(8)),
        return_exceptions=True,
    )
    refused = [found for found in ended if isinstance(found, BaseException)]
    assert len(refused) == 5
    assert all(isinstance(found, InputError) for found in refused)
    assert len(await store.bots()) == 3
    assert (await store.claims("okx")).cash == Notional(900)


async def test_what_live_bots_have_bought_is_not_claimed_in_usdt_and_a_stopped_one_claims_nothing(
    store: PostgresStore,
) -> None:
    await live_bot(store, "b1", "10000", "10000")
    await bought(store)
    cash = (await store.portfolio("b1")).cash
    assert cash < Notional(10_000)
    with pytest.raises(InputError, match="are missing"):
        await live_bot(store, "b2", "100", str(cash + Notional(99)))
    await live_bot(store, "b2", "100", str(cash + Notional(100)))
    stop = WriteControl(
        bot_id="b1", status=BotStatus.STOPPED, epoch=2, flatten=True, by="ann", reason=""
    )
    await store.write_control(stop)
    await live_bot(store, "b3", "900", "1000")


async def test_bots_on_paper_and_those_of_another_venue_claim_nothing(
    store: PostgresStore,
) -> None:
    await store.create_bot("p1", BotSettings(name="Test", capital=Notional(900)), NOW_MS)
    elsewhere = BotSettings(name="Test", mode=Mode.LIVE, venue="myokx", capital=Notional(900))
    await store.create_bot("e1", elsewhere, NOW_MS, Decimal(900))
    await live_bot(store, "b1", "1000", "1000")
