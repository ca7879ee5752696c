"""Lists of stops that have several pages."""

from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from oxbot.adapters.okx.asked import MOST_PAGES, PAGE
from oxbot.adapters.okx.trading import OkxExchange
from oxbot.domain.errors import VenueUnavailable
from tests.activities.okx_server import NOW_MS, Handler, LocalOkx, Row, envelope, local_okx
from tests.activities.test_okx_trading import Standing, opened

pytestmark = pytest.mark.critical

HISTORY = "trade/orders-algo-history"
MORE = MOST_PAGES * PAGE + 1
"""Stops of an account that has more than anybody pages through."""


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    async with local_okx() as server:
        yield server


@pytest.fixture
async def exchange(okx: LocalOkx) -> AsyncIterator[OkxExchange]:
    async with opened(okx, Standing()) as found:
        yield found


def triggered(number: int) -> Row:
    """A stop that was triggered so many ms after others began to be."""
    return {
        "algoId": str(number),
        "algoClOrdId": f"g{number}",
        "uTime": str(NOW_MS + number),
    }


def history(row: Callable[[int], Row] = triggered) -> Handler:
    """Pages of an account's triggered stops, newest first; all are of one kind."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.query["ordType"] != "oco":
            return await envelope([])(request)
        newest = int(request.query.get("after", MORE + 1)) - 1
        return await envelope([row(n) for n in range(newest, max(0, newest - PAGE), -1)])(request)

    return answer


async def test_however_many_were_triggered_before_only_what_is_new_is_paged_through(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers[HISTORY] = history()
    found = await exchange.triggered_stops(NOW_MS + MORE - PAGE)
    assert found == {f"g{number}" for number in range(MORE - PAGE, MORE + 1)}
    pages = [r for r in okx.requests if r.query.get("ordType") == "oco"]
    assert [page.query.get("after") for page in pages] == [
        None,
        str(MORE - PAGE + 1),
        str(MORE - 2 * PAGE + 1),
    ]


async def test_a_page_with_one_that_is_new_is_not_the_last(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    """One that rested long is listed among the old, whenever it was triggered."""

    def late(number: int) -> Row:
        is_late = number in {MORE - 10, MORE - PAGE - 10}
        return triggered(number) | ({"uTime": str(NOW_MS + 10**9)} if is_late else {})

    okx.answers[HISTORY] = history(late)
    found = await exchange.triggered_stops(NOW_MS + 10**9)
    assert found == {f"g{MORE - 10}", f"g{MORE - PAGE - 10}"}


async def test_more_that_are_new_than_anybody_pages_through_are_not_told_in_part(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers[HISTORY] = history()
    with pytest.raises(VenueUnavailable, match="more than 2000 rows"):
        await exchange.triggered_stops(NOW_MS)
