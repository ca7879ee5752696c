"""The simulated OKX with one account, and the real ccxt client that holds its key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt
from aiohttp import ClientSession, web

from oxbot.domain.errors import VenueUnavailable
from oxbot.domain.market import ClockReading
from oxbot.loopback import HOST
from oxbot.simulator.clock import ClockChange
from oxbot.simulator.fault_rules import parse_rules
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.private.pushes import PrivateHub
from oxbot.simulator.private.spec import AccountSpec
from oxbot.simulator.server import create_app
from oxbot.simulator.venue import Venue
from oxbot.simulator.ws import WEB_SOCKETS

PAIR, SYMBOL = "BTC-USDT", "BTC/USDT"
TICK = Decimal("0.1")

Json = dict[str, Any]


def account(**more: object) -> Json:
    """An account as /control/accounts takes it."""
    key = more.get("key", "key1")
    return {
        "key": key,
        "secret": f"secret of {key}",
        "passphrase": f"passphrase of {key}",
        "balances": {"USDT": "10000", "BTC": "0.5"},
        **more,
    }


def okx_client(url: str, key: str = "key1") -> ccxt.okx:
    """ccxt with the key of an account."""
    return ccxt.okx(
        {
            "apiKey": key,
            "secret": f"secret of {key}",
            "password": f"passphrase of {key}",
            "urls": {"api": {"rest": url}},
            "options": {"fetchMarkets": {"types": ["spot"]}},
            "enableRateLimit": False,
            "timeout": 2000,
        }
    )


@dataclass
class Simulated:
    """A stepped venue, its server, and a client of it."""

    okx: ccxt.okx
    venue: Venue
    url: str
    hub: PrivateHub

    @property
    def last(self) -> Decimal:
        """The last price of BTC, USDT."""
        return self.venue.market.price(PAIR, self.venue.clock.now()) * TICK

    def advance(self, ms: int) -> int:
        """Step the venue; gives its time, ms UTC."""
        return self.venue.clock.change(ClockChange(advance_ms=ms)).venue_ms

    def fault(self, **rule: object) -> None:
        self.venue.faults.add(parse_rules(rule), self.venue.clock.now())

    async def control(self, path: str) -> Json:
        """What the control side answers."""
        async with ClientSession() as session, session.get(f"{self.url}/control/{path}") as answer:
            content: Json = await answer.json()
        return content

    async def make(self, **more: object) -> None:
        """Make another account."""
        await make(self.url, **more)

    async def happened(self, since: int = 0) -> list[Json]:
        """The log."""
        events = (await self.control(f"log?since={since}"))["events"]
        assert isinstance(events, list)
        return events

    async def balances(self) -> dict[str, Decimal]:
        """What the account has, to the last digit."""
        balances = (await self.control("accounts/key1"))["balances"]
        assert isinstance(balances, dict)
        return {currency: Decimal(amount) for currency, amount in balances.items()}


@dataclass
class VenueClock:
    """The stepped venue's clock, read without asking.

    With `readings_left` it fails once, after so many.
    """

    simulator: Simulated
    readings_left: int | None = None

    async def reading(self) -> ClockReading:
        if self.readings_left is not None:
            self.readings_left -= 1
            if self.readings_left < 0:
                self.readings_left = None
                raise VenueUnavailable("nobody knows the venue's time")
        now_ms = self.simulator.venue.clock.now()
        return ClockReading(venue_ms=now_ms, wall_ms=now_ms, rate=Decimal(0), stepped=True)


async def make(url: str, **more: object) -> None:
    async with ClientSession() as session:
        answer = await session.post(f"{url}/control/accounts", json=account(**more))
        assert answer.status == 200


@asynccontextmanager
async def simulated(venue: Venue | None = None, **more: object) -> AsyncIterator[Simulated]:
    """The venue on a free port, with an account that ccxt has the key of."""
    venue = venue or open_venue(Options(mode="stepped"))
    app = create_app(venue)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    url = f"http://{HOST}:{runner.addresses[0][1]}"
    await make(url, **more)
    okx = okx_client(url)
    okx.nonce = venue.clock.now
    await okx.load_markets()
    yield Simulated(okx, venue, url, app[WEB_SOCKETS].private)
    await okx.close()
    await runner.cleanup()


def spec_of(**more: object) -> AccountSpec:
    return AccountSpec.model_validate(account(**more))
