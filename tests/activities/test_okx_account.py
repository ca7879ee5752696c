"""What an account and its key must be for live trading, asked of the simulated OKX by ccxt."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from oxbot.adapters.okx.account_rows import balances_of, config_of, must_be_fit
from oxbot.adapters.okx.place import Place
from oxbot.adapters.okx.private import OkxAccount
from oxbot.domain.balances import Balance
from oxbot.domain.errors import SetupError, VenueUnavailable
from tests.support.live_trader import KEYS
from tests.support.simulated_account import VenueClock, simulated

pytestmark = pytest.mark.critical


@asynccontextmanager
async def opened(**account: object) -> AsyncIterator[OkxAccount]:
    async with simulated(None, **account) as simulator:
        place = Place(rest_url=simulator.url, throttled=False)
        async with OkxAccount(KEYS, place, VenueClock(simulator)) as found:
            yield found


async def test_a_cash_account_with_a_key_that_trades_is_fit_and_tells_its_balances() -> None:
    async with opened(permissions=["read_only", "trade"]) as account:
        config = config_of(await account.config())
        must_be_fit(config)
        assert config.permissions == {"read_only", "trade"}
        assert balances_of(await account.balance()) == {
            "USDT": Balance(free=Decimal(10_000), frozen=Decimal(0)),
            "BTC": Balance(free=Decimal("0.5"), frozen=Decimal(0)),
        }


@pytest.mark.parametrize(
    ("account", "told"),
    [
        ({"permissions": ["read_only", "trade", "withdraw"]}, "may withdraw.*could empty"),
        ({"permissions": ["read_only"]}, "may not trade"),
        ({"acct_lv": "2"}, "in mode 2, in which orders can borrow"),
    ],
)
async def test_a_key_or_an_account_that_risks_more_than_it_must_is_refused(
    account: dict[str, object], told: str
) -> None:
    async with opened(**account) as found:
        with pytest.raises(SetupError, match=told):
            must_be_fit(config_of(await found.config()))


@pytest.mark.parametrize(
    "rows", [[], [None], [{}], [{"uid": "1", "acctLv": "", "perm": "trade"}], [{"uid": "1"}]]
)
def test_a_configuration_that_does_not_say_everything_is_none(rows: list[object]) -> None:
    with pytest.raises(VenueUnavailable):
        config_of({"code": "0", "data": rows})


@pytest.mark.parametrize(
    "details", [None, [{}], [{"ccy": "BTC"}], [{"ccy": "BTC", "availBal": "x", "frozenBal": "0"}]]
)
def test_balances_that_cannot_be_read_are_none(details: object) -> None:
    with pytest.raises(VenueUnavailable):
        balances_of({"code": "0", "data": [{"details": details}]})
