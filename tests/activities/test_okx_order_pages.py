"""Orders that OKX does not tell by our id: looked for as far back as they were sent."""

from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from oxbot.adapters.okx.asked import MOST_PAGES, PAGE
from oxbot.adapters.okx.stops import GRACE_MS
from oxbot.adapters.okx.trading import ALL_KEPT_MS, TRADED_KEPT_MS, OkxExchange
from oxbot.domain.errors import NotShown, OutcomeUnknown
from oxbot.domain.money import Quantity
from oxbot.domain.orders import FENCE_MS, OrderState
from oxbot.domain.resting import SIGNED_FOR_MS
from tests.activities.okx_server import NOW_MS, Handler, LocalOkx, Row, envelope, local_okx
from tests.activities.test_okx_trading import ID, NO_ORDER, Standing, entry, filled, opened, row

pytestmark = pytest.mark.critical

MORE = 25 * PAGE
"""More orders than anybody pages through."""

HISTORY, ARCHIVE, PENDING = (
    f"trade/orders-{name}" for name in ("history", "history-archive", "pending")
)
SENT_MS = NOW_MS - SIGNED_FOR_MS
"""Since when OKX can have taken `entry()`: half a minute before its claim."""

LATER_MS = FENCE_MS + GRACE_MS + 1


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    """OKX that tells no order by our id, and has traded ours if anybody finds it."""
    async with local_okx() as server:
        server.answers |= {
            "trade/order": NO_ORDER,
            PENDING: envelope([]),
            HISTORY: envelope([]),
            ARCHIVE: envelope([]),
            "trade/fills-history": envelope([filled("8", "0.01")]),
        }
        yield server


@pytest.fixture
def clock() -> Standing:
    return Standing()


@pytest.fixture
async def exchange(okx: LocalOkx, clock: Standing) -> AsyncIterator[OkxExchange]:
    clock.venue_ms = NOW_MS + LATER_MS
    async with opened(okx, clock) as found:
        yield found


def numbered(number: int, mine: int = 0, since_ms: int = SENT_MS) -> Row:
    """An order of many, each a millisecond younger than the one before; one is ours."""
    client = ID if number == mine else f"b{number:031}"
    return row(ordId=str(number), clOrdId=client, cTime=str(since_ms + number))


def paged(one: Callable[[int], Row]) -> Handler:
    """Pages of the orders of a pair, newest first."""

    async def answer(request: web.Request) -> web.StreamResponse:
        newest = int(request.query.get("after", MORE + 1)) - 1
        return await envelope([one(n) for n in range(newest, max(0, newest - PAGE), -1)])(request)

    return answer


async def test_an_order_that_was_over_before_hundreds_of_others_is_found(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers[HISTORY] = paged(lambda n: numbered(n, mine=MORE - 2 * PAGE))
    fills = await exchange.look_up(entry())
    assert fills is not None
    assert [fill.quantity for fill in fills] == [Quantity("0.01")]
    assert okx.asked(HISTORY) == 3
    assert okx.requests[-1].query["ordId"] == str(MORE - 2 * PAGE)


async def test_an_order_that_lives_behind_hundreds_of_others_is_not_over(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers[PENDING] = paged(lambda n: numbered(n, mine=MORE - PAGE) | {"state": "live"})
    with pytest.raises(OutcomeUnknown, match="live at OKX and not over"):
        await exchange.look_up(entry())
    assert okx.asked(PENDING) == 2


async def test_it_is_looked_for_no_further_than_where_others_were_created_before_it_was_sent(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers[HISTORY] = paged(lambda n: numbered(n, mine=1, since_ms=SENT_MS - MORE + PAGE))
    assert await exchange.look_up(entry()) is None
    assert okx.asked(HISTORY) == 3


async def test_behind_more_than_anybody_pages_through_nobody_knows_of_an_order(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers[HISTORY] = paged(lambda n: numbered(n, mine=1))
    with pytest.raises(NotShown, match="more than 2000 rows"):
        await exchange.look_up(entry())
    assert okx.asked(HISTORY) == MOST_PAGES


async def test_what_its_history_may_have_forgotten_is_found_in_the_archive(
    okx: LocalOkx, clock: Standing, exchange: OkxExchange
) -> None:
    """After a week all that is over has left the history; some of it after two hours."""
    okx.answers[ARCHIVE] = envelope([row(cTime=str(NOW_MS))])
    clock.venue_ms = SENT_MS + ALL_KEPT_MS + 1
    assert await exchange.look_up(entry()) is not None
    clock.venue_ms = SENT_MS + TRADED_KEPT_MS
    assert await exchange.look_up(entry()) is not None


async def test_the_archive_is_not_asked_while_the_history_has_all(
    okx: LocalOkx, clock: Standing, exchange: OkxExchange
) -> None:
    clock.venue_ms = SENT_MS + ALL_KEPT_MS
    assert await exchange.look_up(entry()) is None
    assert okx.asked(ARCHIVE) == 0


async def test_of_an_order_from_before_what_okx_tells_nobody_can_know_any_more(
    okx: LocalOkx, clock: Standing, exchange: OkxExchange
) -> None:
    clock.venue_ms = SENT_MS + TRADED_KEPT_MS
    assert await exchange.look_up(entry()) is None
    clock.venue_ms += 1
    with pytest.raises(NotShown, match=f"{ID} was sent before.*Download the account's"):
        await exchange.look_up(entry())
    assert okx.asked(ARCHIVE) == 2


async def test_an_order_of_its_id_from_before_it_could_be_sent_is_anothers(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    """The record was lost, and a bot made anew under its old id."""
    old = row(cTime=str(SENT_MS - 1))
    okx.answers |= {"trade/order": envelope([old]), HISTORY: envelope([old])}
    assert await exchange.look_up(entry()) is None
    okx.answers[HISTORY] = envelope([row(ordId="9", cTime=str(SENT_MS)), old])
    assert await exchange.look_up(entry()) is not None
    assert okx.requests[-1].query["ordId"] == "9"


async def test_an_order_of_its_id_from_before_is_not_taken_for_the_one_that_was_acknowledged(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers["trade/order"] = envelope([row(cTime=str(SENT_MS - 1))])
    with pytest.raises(NotShown, match="cannot be seen yet"):
        await exchange.look_up(entry(state=OrderState.OPEN))


async def test_an_order_that_was_claimed_to_be_given_up_was_never_sent(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    assert await exchange.look_up(entry(fence_ms=None)) is None
    assert okx.asked("trade/order") == 0


async def test_executions_of_other_programs_are_passed_over_whatever_is_wrong_with_them(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    """A maker's rebate, which no order of ours can have."""
    others = filled("7", "0.01", clOrdId="another1", fee="0.00001")
    okx.answers["trade/fills-history"] = envelope([filled("8", "0.01", clOrdId=ID), others])
    [fill] = await exchange.recent_fills("BTC/USDT", 0)
    assert fill.trade_id == "8"


async def test_an_execution_of_ours_that_cannot_be_read_leaves_it_unknown(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers["trade/fills-history"] = envelope([filled("8", "0.01", clOrdId=ID, fillSz=None)])
    with pytest.raises(OutcomeUnknown):
        await exchange.recent_fills("BTC/USDT", 0)
