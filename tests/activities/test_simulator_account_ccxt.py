"""The real ccxt client with an account at the simulated OKX: who is let in, and what it sees."""

from collections.abc import AsyncIterator
from dataclasses import replace

import ccxt.async_support as ccxt
import pytest
from aiohttp import ClientSession

from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.rate_limits import RateLimits
from tests.support.simulated_account import (
    SYMBOL,
    Simulated,
    account,
    okx_client,
    simulated,
)


@pytest.fixture(scope="module")
async def simulator() -> AsyncIterator[Simulated]:
    async with simulated() as simulator:
        yield simulator


@pytest.fixture
async def stranger(simulator: Simulated) -> AsyncIterator[ccxt.okx]:
    """A client of its own, to be misconfigured."""
    okx = okx_client(simulator.url)
    await okx.load_time_difference()
    yield okx
    await okx.close()


async def test_a_balance_is_what_the_account_was_made_with(simulator: Simulated) -> None:
    balance = await simulator.okx.fetch_balance()
    assert balance["USDT"] == {"free": 10_000, "used": 0, "total": 10_000}
    assert balance["BTC"] == {"free": 0.5, "used": 0, "total": 0.5}
    total = float(balance["info"]["data"][0]["totalEq"])
    assert total == pytest.approx(10_000 + 0.5 * float(simulator.last))


async def test_one_currency_is_picked(simulator: Simulated) -> None:
    balance = await simulator.okx.private_get_account_balance({"ccy": "BTC"})
    assert [detail["ccy"] for detail in balance["data"][0]["details"]] == ["BTC"]


async def test_the_account_says_its_modes_and_the_keys_rights(simulator: Simulated) -> None:
    config = (await simulator.okx.private_get_account_config())["data"][0]
    assert (config["acctLv"], config["posMode"]) == ("1", "net_mode")
    assert config["perm"] == "read_only,trade"
    assert config["uid"].isdigit()


async def test_fees_are_those_of_the_first_level(simulator: Simulated) -> None:
    fee = await simulator.okx.fetch_trading_fee(SYMBOL)
    assert (fee["maker"], fee["taker"]) == (0.0008, 0.001)


async def test_spot_has_no_positions(simulator: Simulated) -> None:
    assert await simulator.okx.fetch_positions() == []


async def test_currencies_are_listed_so_that_markets_load_with_a_key(simulator: Simulated) -> None:
    assert {"USDT", "BTC", "ETH"} <= (await simulator.okx.fetch_currencies()).keys()


@pytest.mark.parametrize(
    ("field", "value", "code", "error"),
    [
        ("apiKey", "nobody", "50111", ccxt.AuthenticationError),
        ("password", "wrong", "50105", ccxt.AuthenticationError),
        ("secret", "wrong", "50113", ccxt.AuthenticationError),
    ],
)
async def test_bad_credentials_are_refused_as_okx_does(
    stranger: ccxt.okx, field: str, value: str, code: str, error: type[Exception]
) -> None:
    setattr(stranger, field, value)
    with pytest.raises(error, match=code):
        await stranger.fetch_balance()


@pytest.mark.parametrize("off_ms", [-31_000, 31_000])
async def test_a_clock_that_is_off_by_more_than_thirty_seconds_is_refused(
    stranger: ccxt.okx, off_ms: int
) -> None:
    stranger.options["timeDifference"] += off_ms
    with pytest.raises(ccxt.InvalidNonce, match="50102"):
        await stranger.fetch_balance()


async def test_a_signature_belongs_to_one_request(simulator: Simulated) -> None:
    signed = simulator.okx.sign("account/balance", ["private"], "GET", {})
    async with ClientSession() as session:
        other = await session.get(
            f"{simulator.url}/api/v5/account/config", headers=signed["headers"]
        )
        assert (other.status, (await other.json())["code"]) == (401, "50113")
        same = await session.get(signed["url"], headers=signed["headers"])
        assert (same.status, (await same.json())["code"]) == (200, "0")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("OK-ACCESS-KEY", "50103"),
        ("OK-ACCESS-PASSPHRASE", "50104"),
        ("OK-ACCESS-SIGN", "50106"),
        ("OK-ACCESS-TIMESTAMP", "50107"),
    ],
)
async def test_a_missing_header_is_named(simulator: Simulated, header: str, code: str) -> None:
    signed = simulator.okx.sign("account/balance", ["private"], "GET", {})
    headers = {name: value for name, value in signed["headers"].items() if name != header}
    async with ClientSession() as session:
        answer = await session.get(signed["url"], headers=headers)
        assert (answer.status, (await answer.json())["code"]) == (401, code)


async def test_a_time_stamp_that_is_none_is_refused(simulator: Simulated) -> None:
    signed = simulator.okx.sign("account/balance", ["private"], "GET", {})
    async with ClientSession() as session:
        for stamp in ("now", "1735689600", "2025-13-01T00:00:00Z"):
            headers = signed["headers"] | {"OK-ACCESS-TIMESTAMP": stamp}
            answer = await session.get(signed["url"], headers=headers)
            assert (answer.status, (await answer.json())["code"]) == (401, "50112")


async def test_a_demo_key_needs_demo_trading_and_another_key_refuses_it(
    simulator: Simulated,
) -> None:
    async with ClientSession() as session:
        await session.post(
            f"{simulator.url}/control/accounts", json=account(key="demo1", demo=True)
        )
    for key, headers, refused in (
        ("demo1", {}, True),
        ("demo1", {"x-simulated-trading": "1"}, False),
        ("key1", {"x-simulated-trading": "1"}, True),
    ):
        okx = okx_client(simulator.url, key)
        okx.headers = headers
        await okx.load_time_difference()
        try:
            if refused:
                with pytest.raises(ccxt.AuthenticationError, match="50101"):
                    await okx.private_get_account_config()
            else:
                assert (await okx.private_get_account_config())["code"] == "0"
        finally:
            await okx.close()


async def test_an_account_is_made_once(simulator: Simulated) -> None:
    url = f"{simulator.url}/control/accounts"
    async with ClientSession() as session:
        same = await session.post(url, json=account(balances={"BTC": "0.50", "USDT": "10000"}))
        assert same.status == 200
        other = await session.post(url, json=account(balances={"USDT": "20000"}))
        assert other.status == 400
        assert "has an account already" in (await other.json())["error"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"balances": {"USDT": 10.5}}, "an amount is text"),
        ({"balances": {"USDT": "-1"}}, "an amount is text"),
        ({"balances": {"USDT": "1.0000000000001"}}, "at most 12 places"),
        ({"balances": {"USDT": "1000000000000.1"}}, "an amount is at most"),
        ({"balances": {"usdt": "1"}}, "balances.usdt"),
        ({"permissions": ["everything"]}, "permissions.0"),
        ({"nick": "x"}, "an account has key, secret"),
        ({"key": ""}, "key"),
    ],
)
async def test_what_cannot_be_an_account_is_one_sentence(
    simulator: Simulated, more: dict[str, object], why: str
) -> None:
    async with ClientSession() as session:
        answer = await session.post(
            f"{simulator.url}/control/accounts", json=account(**{"key": "key9", **more})
        )
        assert answer.status == 400
        said = (await answer.json())["error"]
        assert why in said
        assert "secret of" not in said


async def test_no_secret_is_shown(simulator: Simulated) -> None:
    shown = [await simulator.control("accounts/key1"), await simulator.control("log")]
    assert "secret" not in str(shown)
    assert "passphrase" not in str(shown)


async def test_an_unknown_account_is_not_found(simulator: Simulated) -> None:
    assert "no account" in str((await simulator.control("accounts/nobody"))["error"])


async def test_an_account_can_have_several_keys_and_a_fault_meets_one_of_them(
    simulator: Simulated,
) -> None:
    more = {"secret": "secret of second", "passphrase": "passphrase of second"}
    await simulator.make(key="first", more_keys=["second"], balances={"USDT": "77"}, **more)
    okx = okx_client(simulator.url, "second")
    okx.nonce = simulator.venue.clock.now
    simulator.fault(kind="code", code="50026", endpoint="account", key="key1", count=1)
    assert (await okx.private_get_account_balance())["data"][0]["totalEq"] == "77"
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await simulator.okx.private_get_account_balance()
    await okx.close()
    async with ClientSession() as session:
        body = account(key="third", more_keys=["second"])
        answer = await session.post(f"{simulator.url}/control/accounts", json=body)
        assert (await answer.json())["error"] == "The key second has an account already."


async def test_rate_limits_count_a_keys_requests_by_method_and_endpoint() -> None:
    limits = RateLimits(now_s=lambda: 0.0)
    venue = replace(open_venue(Options(mode="stepped")), limits=limits)
    async with simulated(venue) as simulator:
        await simulator.make(key="key2")
        okx, other = simulator.okx, okx_client(simulator.url, "key2")
        other.nonce = venue.clock.now
        for _ in range(5):
            await okx.private_get_account_config()
        with pytest.raises(ccxt.RateLimitExceeded, match="50011"):
            await okx.private_get_account_config()
        assert (await other.private_get_account_config())["code"] == "0"
        for _ in range(60):
            with pytest.raises(ccxt.OrderNotFound):
                await okx.fetch_order("1", SYMBOL)
        with pytest.raises(ccxt.RateLimitExceeded, match="50011"):
            await okx.fetch_order("1", SYMBOL)
        raw = {"instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "market"}
        assert (await okx.private_post_trade_order({**raw, "sz": "100"}))["code"] == "0"
        await other.close()
