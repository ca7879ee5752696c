"""The hand on the venue's clock, at a real simulator."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from aiohttp.test_utils import TestServer

from oxbot.adapters.venue_control import VenueControl
from oxbot.app.halts import Halt, HaltKind
from oxbot.domain.errors import InputError
from oxbot.domain.money import Price
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.server import create_app
from oxbot.simulator.venue import Venue
from oxbot.simulator.venue_time import parse_iso

START = "2025-04-08T00:00:00Z"
START_MS = parse_iso(START)
DAY_MS = 86_400_000


@pytest.fixture
async def simulated() -> AsyncIterator[tuple[Venue, VenueControl]]:
    venue = open_venue(Options(start=START, mode="stepped"))
    async with (
        TestServer(create_app(venue)) as server,
        VenueControl(str(server.make_url(""))) as hand,
    ):
        yield venue, hand


def below(bid: Decimal) -> Halt:
    return Halt(symbol="BTC/USDT", kind=HaltKind.BID_AT_OR_BELOW, number=bid)


def bid_of(venue: Venue, ms: int) -> Decimal:
    return venue.market.book("BTC-USDT", 1, ms).bids[0].price


async def test_without_halts_it_goes_where_it_is_told_and_never_back(
    simulated: tuple[Venue, VenueControl],
) -> None:
    _, hand = simulated
    assert (await hand.advance_to(START_MS + 1000)).venue_ms == START_MS + 1000
    assert (await hand.advance_to(START_MS)).venue_ms == START_MS + 1000


async def test_it_halts_where_the_bid_is_met_and_again_when_its_answer_was_lost(
    simulated: tuple[Venue, VenueControl],
) -> None:
    venue, hand = simulated
    halt = below(bid_of(venue, START_MS) * Decimal("0.995"))
    reached = await hand.advance_to(START_MS + DAY_MS, [halt])
    assert reached.halted
    assert bid_of(venue, reached.venue_ms) <= halt.number < bid_of(venue, reached.venue_ms - 1)
    assert await hand.advance_to(START_MS + DAY_MS, [halt]) == reached
    assert await hand.advance_to(START_MS, [halt]) == reached
    later = await hand.advance_to(START_MS + DAY_MS, [halt], examined_ms=reached.venue_ms)
    assert later.venue_ms > reached.venue_ms


async def test_a_trail_tells_the_highest_bid_since_it_began(
    simulated: tuple[Venue, VenueControl],
) -> None:
    venue, hand = simulated
    trail = Halt(
        symbol="BTC/USDT",
        kind=HaltKind.BID_TRAILS,
        number=Decimal("0.01"),
        best=Price(bid_of(venue, START_MS)),
        since_ms=START_MS,
    )
    reached = await hand.advance_to(START_MS + DAY_MS, [trail])
    [best] = reached.bests
    assert (reached.halted, best.symbol, best.since_ms) == (True, "BTC/USDT", START_MS)
    assert bid_of(venue, reached.venue_ms) <= best.best.number * Decimal("0.99")
    assert bid_of(venue, reached.venue_ms - 1) > best.best.number * Decimal("0.99")


async def test_a_halt_that_cannot_be_is_refused_with_the_simulators_sentence(
    simulated: tuple[Venue, VenueControl],
) -> None:
    _, hand = simulated
    unlisted = below(Decimal(1)).model_copy(update={"symbol": "DOGE/USDT"})
    with pytest.raises(InputError, match="names a spot pair"):
        await hand.advance_to(START_MS + 1, [unlisted])
