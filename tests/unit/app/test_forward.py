"""Going forward past guards: each exit in the ms that asks for it, whoever dies on the way."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxbot.domain.errors import Unavailable
from oxbot.domain.guards import Guard
from oxbot.domain.money import Price
from oxbot.domain.portfolio import trail_price
from tests.support.examples import examples
from tests.support.fakes import BTC, ETH
from tests.unit.app.guarded_venue import Bids, Venue
from tests.unit.app.replay_house import STEP_MS, Exit, House, Tick

END = 6 * STEP_MS
BOTS = {"r001": 0, "r002": 7_000, "r003": 7_000, "r004": 120_000}


def guard(bot_id: str = "r001", **fields: object) -> Guard:
    """A long position of 100 USDT a coin, opened at the bot's first tick."""
    usual = {
        "bot_id": bot_id,
        "symbol": BTC,
        "opened_ms": STEP_MS,
        "version": 1,
        "stop_price": Price(95),
        "target_price": Price(110),
        "hold_until_ms": 10**9,
    }
    return Guard.model_validate({**usual, **fields})


def bids(*steps: tuple[int, int]) -> dict[int, Price]:
    """Bids from 100 USDT on, each from a moment on."""
    return {0: Price(100), **{ms: Price(price) for ms, price in steps}}


async def house(guards: Mapping[str, Guard], btc: Bids, offsets: dict[str, int]) -> House:
    made = House(offsets, venue=Venue(bids={BTC: btc, ETH: bids()}))
    await made.opened()
    made.opens = {(bot_id, made.due[bot_id]): each for bot_id, each in guards.items()}
    return made


async def exits_of(each: Guard, btc: Bids) -> list[Exit]:
    made = await house({"r001": each}, btc, {"r001": 0})
    await made.driven(END)
    return made.exits


async def test_a_stop_is_met_in_the_ms_in_which_the_bid_reaches_it() -> None:
    assert await exits_of(guard(), bids((400_123, 96), (400_124, 95), (400_125, 99))) == [
        ("r001", "stop", 400_124)
    ]


async def test_a_target_is_met_in_the_ms_in_which_the_bid_reaches_it() -> None:
    assert await exits_of(guard(), bids((400_124, 111), (400_125, 99))) == [
        ("r001", "target", 400_124)
    ]


async def test_a_hold_that_is_over_ends_at_its_ms_and_not_at_the_next_tick() -> None:
    assert await exits_of(guard(hold_until_ms=512_345), bids()) == [("r001", "hold", 512_345)]


async def test_a_trail_follows_the_best_bid_of_the_way_and_its_best_is_on_record_first() -> None:
    """The highest bid lies between two stops of the venue, so that no cycle ever sees it."""
    trailing = guard(trail="0.02", best="100")
    assert await exits_of(trailing, bids((400_000, 108), (400_001, 106), (400_002, 105))) == [
        ("r001", "trail", 400_002)
    ]


async def test_a_younger_position_knows_nothing_of_a_best_bid_before_it() -> None:
    """After the first tick bids rise to 108, so r001 leaves at 105 and r004 stays."""
    old, young = (
        guard(bot_id, opened_ms=opened_ms, trail="0.02", best="100")
        for bot_id, opened_ms in (("r001", STEP_MS), ("r004", STEP_MS + 120_000))
    )
    way = bids((STEP_MS + 10, 108), (STEP_MS + 20, 106), (STEP_MS + 130_000, 105))
    made = await house({"r001": old}, way, {"r001": 0, "r004": 120_000})
    made.opens["r004", STEP_MS + 120_000] = young
    await made.driven(END)
    assert made.exits == [("r001", "trail", STEP_MS + 130_000)]
    assert made.store.by_bot["r004"].best == 106


async def test_where_a_crossing_and_a_tick_are_due_together_the_exit_comes_first() -> None:
    made = await house({"r001": guard()}, bids((2 * STEP_MS, 90)), {"r001": 0})
    await made.driven(2 * STEP_MS)
    assert made.story == [
        ("r001", STEP_MS),
        ("r001", "stop", 2 * STEP_MS),
        ("r001", 2 * STEP_MS),
    ]


async def test_a_position_that_opens_beyond_its_stop_is_examined_before_time_goes_on() -> None:
    assert await exits_of(guard(stop_price=100), bids()) == [("r001", "stop", STEP_MS)]


async def test_a_position_that_cannot_be_sold_is_tried_again_and_holds_up_nobody() -> None:
    """It is tried where its stop is met, at each ten seconds, and where a tick is done."""
    made = await house({"r001": guard()}, bids((585_001, 94)), {"r001": 0})
    made.stuck = {"r001"}
    stops = await made.driven(2 * STEP_MS + 5_000)
    assert [stop.venue_ms for stop in stops if stop.examined] == [
        585_001,
        590_000,
        600_000,
        600_000,
    ]
    assert [at for _, at in made.done] == [STEP_MS, 2 * STEP_MS]
    made.stuck.clear()
    await made.driven(3 * STEP_MS)
    assert made.exits == [("r001", "stop", 605_000)]


async def test_another_stop_is_met_below_one_that_cannot_be_sold() -> None:
    low = guard("r002", stop_price=92)
    way = bids((400_000, 94), (450_000, 91))
    made = await house({"r001": guard(), "r002": low}, way, {"r001": 0, "r002": 7_000})
    made.stuck = {"r001"}
    await made.driven(END)
    assert made.exits == [("r002", "stop", 450_000)]


async def test_without_open_positions_guards_are_read_once_a_stop_and_nothing_is_examined() -> None:
    made = await house({}, bids((400_000, 1)), BOTS)
    stops = await made.driven(END)
    assert made.store.asked == len(stops) + 1  # and once on the way to the end
    assert (made.examined, made.venue.halts) == (0, 0)


async def test_each_halt_is_reported_with_what_was_examined() -> None:
    made = await house({"r001": guard()}, bids((400_000, 90)), {"r001": 0})
    stops = await made.driven(2 * STEP_MS)
    assert [(stop.venue_ms, stop.cycles) for stop in stops] == [
        (STEP_MS, 1),
        (400_000, 0),
        (2 * STEP_MS, 1),
    ]
    assert [stop.examined and stop.examined.closed for stop in stops] == [None, 1, None]


async def test_a_watch_that_does_not_come_back_is_waited_for_and_time_stands_still() -> None:
    made = await house({"r001": guard()}, bids((400_000, 90)), {"r001": 0})
    made.blind_at = {400_000}
    with pytest.raises(Unavailable, match="watch died"):
        await made.driven(END, patience_s=0)
    assert made.venue.now_ms == 400_000
    await made.driven(END)
    assert made.exits == [("r001", "stop", 400_000)]


async def test_an_examination_that_is_not_finished_is_asked_for_again_at_the_same_moment() -> None:
    made = await house({"r001": guard()}, bids((400_000, 90), (400_001, 99)), {"r001": 0})
    made.slow_at = {400_000}
    await made.driven(END)
    assert made.exits == [("r001", "stop", 400_000)]
    assert made.examined == 2


moments = st.integers(1, END)
ways = st.dictionaries(moments, st.integers(88, 115), max_size=25).map(
    lambda steps: bids(*steps.items())
)
guards = st.dictionaries(
    st.sampled_from(sorted(BOTS)),
    st.fixed_dictionaries(
        {
            "stop_price": st.integers(90, 99),
            "target_price": st.integers(101, 112),
            "trail": st.sampled_from([None, "0.01", "0.02", "0.1"]),
            "hold_ms": st.integers(60_000, 2 * END),
        }
    ),
)
deaths = st.sets(st.integers(0, 60), max_size=8)


def expected(each: Guard, btc: Bids) -> Exit | None:
    """What a look at every price since the position was opened says: the first that ends it."""
    venue = Venue(bids={BTC: btc})
    changes = sorted(ms for ms in btc if ms > each.opened_ms)
    for ms in sorted({each.opened_ms, *changes, each.hold_until_ms}):
        bid, best = venue.bid(BTC, ms), max(Price(100), venue.best(BTC, each.opened_ms, ms))
        if ms > min(END, each.hold_until_ms):
            return None
        if bid <= each.stop_price:
            return each.bot_id, "stop", ms
        if each.trail and bid <= trail_price(best, each.trail):
            return each.bot_id, "trail", ms
        if bid >= each.target_price:
            return each.bot_id, "target", ms
        if ms == each.hold_until_ms:
            return each.bot_id, "hold", ms
    return None


@pytest.mark.critical
@settings(max_examples=examples(60))
@given(wished=guards, btc=ways, deaths=deaths, restarts=st.booleans())
def test_whoever_dies_wherever_each_exit_is_met_in_its_ms(
    *, wished: dict[str, dict[str, object]], btc: Bids, deaths: set[int], restarts: bool
) -> None:
    """`deaths` numbers the prices and ends of holds at which venue and watch die, if met there.

    With `restarts` the driver is begun anew after each, and remembers nothing.
    """

    def opened(made: House) -> dict[Tick, Guard]:
        return {
            (bot_id, made.due[bot_id]): guard(
                bot_id,
                opened_ms=made.due[bot_id],
                stop_price=wish["stop_price"],
                target_price=wish["target_price"],
                trail=wish["trail"],
                best=wish["trail"] and "100",
                hold_until_ms=made.due[bot_id] + int(str(wish["hold_ms"])),
            )
            for bot_id, wish in wished.items()
        }

    async def calm() -> House:
        made = await house({}, btc, BOTS)
        made.opens = opened(made)
        await made.driven(END)
        return made

    async def disturbed() -> House:
        made = await house({}, btc, BOTS)
        made.opens = opened(made)
        moments = sorted({*btc, *(each.hold_until_ms for each in made.opens.values())} - {0})
        hit = {ms for number, ms in enumerate(moments) if number in deaths}
        made.venue.loses, made.blind_at = set(hit), set(hit)
        made.mute_at, made.slow_at = set(hit), set(hit)
        made.dies_before, made.dies_after = set(made.opens), set(made.opens)
        made.away = made.store.away = made.venue.away = len(deaths)
        for _ in range(1_000):
            with suppress(Unavailable):
                await made.driven(END, patience_s=0 if restarts else 60)
                break
        return made

    before, after = asyncio.run(calm()), asyncio.run(disturbed())
    found = [expected(each, btc) for each in before.opens.values()]
    assert sorted(before.exits) == sorted(exit_ for exit_ in found if exit_)
    assert sorted(after.exits) == sorted(before.exits)
    assert after.venue_at == before.venue_at
