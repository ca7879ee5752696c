"""Lists of stops that have several pages."""

from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from oxbot.adapters.okx.asked import MOST_PAGES, PAGE
from oxbot.adapters.okx.trading import OkxExchange
from oxbot.domain.errors import NotShown, OutcomeUnknown, VenueUnavailable
from oxbot.domain.resting import SIGNED_FOR_MS, SeenState, StopState
from tests.activities.okx_server import NOW_MS, Handler, LocalOkx, Row, envelope, local_okx
from tests.activities.test_okx_stop_ids import NONE, STOP, algo
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


def history(row: Callable[[int], Row] = triggered, state: str = "effective") -> Handler:
    """Pages of an account's stops that ended in a state, newest first; all are of one kind."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if (request.query["ordType"], request.query["state"]) != ("oco", state):
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


SEEN = STOP.model_copy(update={"state": StopState.RESTING, "fence_ms": NOW_MS + SIGNED_FOR_MS})
"""Seen at rest, and sent when others had not yet begun to end."""


def ended(number: int, mine: int) -> Row:
    """A stop that was cancelled; the one of this number is ours."""
    if number == mine:
        return algo(str(number), "canceled", uTime=str(NOW_MS + number))
    return triggered(number) | {"state": "canceled"}


@pytest.fixture
def silent(okx: LocalOkx) -> LocalOkx:
    """OKX where it no longer knows by our id a stop that has ended."""
    okx.answers |= {
        "trade/order-algo": NONE,
        "trade/orders-algo-pending": envelope([]),
        "trade/order": NONE,
    }
    return okx


def turned(okx: LocalOkx) -> int:
    """Count the pages of cancelled stops that were asked for."""
    return sum(
        (r.query.get("ordType"), r.query.get("state")) == ("oco", "canceled") for r in okx.requests
    )


async def test_a_stop_that_ended_before_hundreds_of_others_is_over(
    silent: LocalOkx, exchange: OkxExchange
) -> None:
    silent.answers[HISTORY] = history(lambda n: ended(n, mine=MORE - 2 * PAGE), "canceled")
    assert (await exchange.see_stop(SEEN)).state is SeenState.OVER
    assert turned(silent) == 3


async def test_a_stop_that_rests_behind_hundreds_of_others_of_its_pair_is_seen(
    silent: LocalOkx, exchange: OkxExchange
) -> None:
    def resting(number: int) -> Row:
        return ended(number, mine=MORE - PAGE) | {"state": "live"}

    async def answer(request: web.Request) -> web.StreamResponse:
        newest = int(request.query.get("after", MORE + 1)) - 1
        rows = [resting(n) for n in range(newest, newest - PAGE, -1)]
        return await envelope(rows)(request)

    silent.answers["trade/orders-algo-pending"] = answer
    assert (await exchange.see_stop(SEEN)).state is SeenState.RESTING


async def test_a_stop_is_looked_for_no_further_than_where_others_ended_before_it_was_sent(
    silent: LocalOkx, exchange: OkxExchange
) -> None:
    silent.answers[HISTORY] = history(lambda n: ended(n, mine=1), "canceled")
    late = {"fence_ms": NOW_MS + SIGNED_FOR_MS + MORE - PAGE}
    with pytest.raises(OutcomeUnknown, match="to be seen"):
        await exchange.see_stop(SEEN.model_copy(update=late))
    assert turned(silent) == 3


async def test_behind_more_than_anybody_pages_through_nobody_knows_what_became_of_a_stop(
    silent: LocalOkx, exchange: OkxExchange
) -> None:
    """Also of one that was never seen, which else would be taken for absent."""
    silent.answers[HISTORY] = history(lambda n: ended(n, mine=1), "canceled")
    with pytest.raises(NotShown, match="more than 2000 rows"):
        await exchange.see_stop(STOP.model_copy(update={"fence_ms": NOW_MS - 10**6}))
    assert turned(silent) == MOST_PAGES
