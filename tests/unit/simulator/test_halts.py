"""Time that halts in the very ms in which a best price reaches a level, as a scan of every ms."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate

import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from hypothesis import given, settings
from hypothesis import strategies as st

from oxbot.domain.money import Price, plain, to_scale
from oxbot.simulator.book import BookShape
from oxbot.simulator.candles import HIGH, LOW, Rows
from oxbot.simulator.control import parse_change, parse_halting
from oxbot.simulator.generator import GeneratedMarket
from oxbot.simulator.halts import Kind
from oxbot.simulator.market import Market
from oxbot.simulator.server import create_app
from oxbot.simulator.venue import Venue
from tests.support.examples import examples
from tests.unit.simulator.markets import (
    DAY_START_MS,
    STEP_MS,
    SYMBOL,
    random_rows,
    source_of,
    stepped_venue,
)

SHORT_MS = 100
"""Length of a candle that is short enough to look at every ms of it."""

COUNT = 5
END = COUNT * SHORT_MS
TICK = Decimal("0.1")

Client = TestClient[Request, Application]
Wish = dict[str, object]


def narrow_rows(seed: int) -> Rows:
    """Candles of few ticks that jump from one to the next and come back to the same prices."""
    rng = np.random.default_rng(seed)
    opens, closes = (1000 + rng.integers(-20, 20, COUNT) for _ in range(2))
    highs = np.maximum(opens, closes) + rng.integers(0, 15, COUNT)
    lows = np.minimum(opens, closes) - rng.integers(0, 15, COUNT)
    return np.column_stack([opens, highs, lows, closes, np.ones(COUNT, dtype=np.int64)])


def venue_of(rows: Rows, offset: int, step_ms: int = SHORT_MS, spread: int = 1) -> Venue:
    """A venue that stands still so many ms after its first candle opened."""
    source = source_of(rows, step_ms=step_ms)
    venue = stepped_venue(source, DAY_START_MS + offset)
    return replace(venue, market=Market(source, 7, BookShape(spread_ticks=spread)))


def forward(venue: Venue, offset: int, wishes: list[Wish], **more: int) -> Wish:
    """Send the venue forward to so many ms after its first candle opened; its answer."""
    content: Wish = {"to_ms": DAY_START_MS + offset, "halt_at": wishes, **more}
    halting = parse_halting(venue, content)
    assert halting is not None
    reading = venue.clock.change(parse_change(content), halting.until)
    return {"at": reading.venue_ms - DAY_START_MS, **halting.as_json()}


@dataclass
class Scan:
    """Every ms of a way, held against conditions by their words alone."""

    market: Market
    begin: int
    end: int

    def __post_init__(self) -> None:
        moments = range(DAY_START_MS, DAY_START_MS + self.end + 1)
        ticks = [self.market.price(SYMBOL, ms) for ms in moments]
        self.bids = [price * TICK for price in ticks]
        self.asks = [(price + self.market.shape.spread_ticks) * TICK for price in ticks]

    def holds(self, wish: Wish) -> list[bool]:
        """Whether it holds at each ms from the begin on."""
        kind = next(kind for kind in Kind if kind in wish)
        number = Decimal(str(wish[kind]))
        if kind is Kind.BID_TRAILS:
            levels = [to_scale(Price(best) * (1 - number)).number for best in self.bests(wish)]
            return [
                bid <= level for bid, level in zip(self.bids[self.begin :], levels, strict=True)
            ]
        prices = (self.bids if kind.startswith("bid") else self.asks)[self.begin :]
        return [price <= number if kind.endswith("below") else price >= number for price in prices]

    def bests(self, wish: Wish) -> list[Decimal]:
        """The best bid so far at each ms from the begin on."""
        since = int(str(wish.get("since_ms", DAY_START_MS + self.begin))) - DAY_START_MS
        best = max([Decimal(str(wish["best"])), *self.bids[since : self.begin]])
        return list(accumulate(self.bids[self.begin :], max, initial=best))[1:]

    def first(self, wishes: list[Wish]) -> tuple[int, list[Wish]]:
        """Where the first of them becomes true, and which do there; else the end and none."""
        held = [self.holds(wish) for wish in wishes]
        for ms in range(1, self.end - self.begin + 1):
            if met := [w for w, h in zip(wishes, held, strict=True) if h[ms] and not h[ms - 1]]:
                return self.begin + ms, met
        return self.end, []


def bare(crossed: object) -> list[Wish]:
    """The conditions without what they met."""
    assert isinstance(crossed, list)
    return [{name: item[name] for name in item if name not in {"bid", "ask"}} for item in crossed]


prices = st.integers(960_001, 1_040_001).map(lambda parts: plain(Decimal(parts).scaleb(-4)))
ticks = st.integers(960, 1040).map(lambda number: plain(number * TICK))
standing = st.builds(
    lambda kind, price: {"instId": SYMBOL, kind: price},
    st.sampled_from([kind.value for kind in Kind if kind is not Kind.BID_TRAILS]),
    ticks | prices,
)
ways = st.tuples(st.integers(0, END), st.integers(0, END)).map(sorted)
seeds = st.integers(0, 2**32)


@st.composite
def wishes_from(draw: st.DrawFn, begin: int) -> list[Wish]:
    """Conditions of a way, trails among them that are watched since before it or not."""
    trails = st.fixed_dictionaries(
        {
            "instId": st.just(SYMBOL),
            "bid_trails": st.sampled_from(["0.001", "0.005", "0.0123", "0.03", "0.1", "1"]),
            "best": st.sampled_from(["97.9", "100", "100.0512", "103.5"]),
        },
        optional={"since_ms": st.integers(DAY_START_MS, DAY_START_MS + begin)},
    )
    return draw(st.lists(st.one_of(standing, trails), min_size=1, max_size=6))


@pytest.mark.critical
@settings(max_examples=examples(150))
@given(seeds, ways, st.integers(1, 4), st.data())
def test_it_halts_where_a_scan_of_every_ms_does_and_at_the_same(
    seed: int, way: list[int], spread: int, data: st.DataObject
) -> None:
    begin, end = way
    wishes = data.draw(wishes_from(begin))
    venue = venue_of(narrow_rows(seed), begin, spread=spread)
    answer = forward(venue, end, wishes)
    at, met = Scan(venue.market, begin, end).first(wishes)
    assert (answer["at"], bare(answer["crossed"])) == (at, met)
    assert answer["halted"] is bool(met)


@settings(max_examples=examples(30))
@given(seeds, ways, st.data())
def test_halt_by_halt_every_ms_in_which_something_becomes_true_is_met(
    seed: int, way: list[int], data: st.DataObject
) -> None:
    """Trails here are watched since before the way, so that each part of it knows of the rest."""
    begin, end = way
    wishes = data.draw(wishes_from(begin))
    wishes = [w | {"since_ms": DAY_START_MS} if "bid_trails" in w else w for w in wishes]
    venue = venue_of(narrow_rows(seed), begin)
    held = [Scan(venue.market, begin, end).holds(wish) for wish in wishes]
    expected = [
        begin + ms
        for ms in range(1, end - begin + 1)
        if any(each[ms] and not each[ms - 1] for each in held)
    ]
    halts = []
    while (answer := forward(venue, end, wishes))["halted"]:
        halts.append(answer["at"])
    assert halts == expected


@given(seeds, ways, st.data())
def test_what_holds_already_halts_at_once_unless_it_was_examined_there(
    seed: int, way: list[int], data: st.DataObject
) -> None:
    begin, end = way
    wishes = data.draw(wishes_from(begin))
    scan = Scan(venue_of(narrow_rows(seed), begin).market, begin, end)
    held = [wish for wish in wishes if scan.holds(wish)[0]]
    at_once = forward(venue_of(narrow_rows(seed), begin), end, wishes, examined_ms=0)
    first, met = scan.first(wishes)
    assert (at_once["at"], bare(at_once["crossed"])) == ((begin, held) if held else (first, met))
    examined = {"examined_ms": DAY_START_MS + begin}
    later = forward(venue_of(narrow_rows(seed), begin), end, wishes, **examined)
    assert (later["at"], bare(later["crossed"])) == (first, met)


@given(seeds, ways, st.lists(st.integers(0, END), min_size=1, max_size=4))
def test_the_best_bids_that_trails_have_seen_are_told(
    seed: int, way: list[int], begins: list[int]
) -> None:
    begin, end = way
    venue = venue_of(narrow_rows(seed), begin)
    wish: Wish = {"instId": SYMBOL, "bid_trails": "1", "best": "1"}
    since = {DAY_START_MS + min(at, begin): min(at, begin) for at in begins}
    answer = forward(venue, end, [wish, *({**wish, "since_ms": at} for at in since)])
    bids = Scan(venue.market, begin, end).bids
    since[DAY_START_MS + begin] = begin
    told = answer["bests"]
    assert isinstance(told, list)
    assert {row["since_ms"]: Decimal(row["best"]) for row in told} == {
        at: max(bids[offset : end + 1]) for at, offset in since.items()
    }


@given(seeds, ways, st.data())
def test_nothing_that_comes_after_a_halt_is_in_its_answer(
    seed: int, way: list[int], data: st.DataObject
) -> None:
    begin, end = way
    rows = narrow_rows(seed)
    wishes = data.draw(wishes_from(begin))
    answer = forward(venue_of(rows, begin), end, wishes)
    at = answer["at"]
    assert isinstance(at, int)
    rows[at // SHORT_MS + 1 :] = narrow_rows(seed + 1)[at // SHORT_MS + 1 :]
    if answer["halted"]:
        assert forward(venue_of(rows, begin), end, wishes) == answer


@pytest.mark.parametrize("timeframe_ms", [60_000, STEP_MS])
@pytest.mark.parametrize("seed", range(3))
def test_over_thousands_of_candles_it_halts_in_the_first_that_reaches_a_level(
    seed: int, timeframe_ms: int
) -> None:
    """The stop lies where only the lowest tenth of the candles come, thousands of others deeper."""
    count = 9_000
    rows = random_rows(seed, count)
    stop = int(np.quantile(rows[:, LOW], 0.1))
    first = int(np.argmax(rows[:, LOW] <= stop))
    wishes: list[Wish] = [
        {"instId": SYMBOL, "bid_at_or_below": f"{(stop - below) * TICK}"} for below in range(3_000)
    ]
    venue = venue_of(rows, 0, timeframe_ms)
    answer = forward(venue, count * timeframe_ms, wishes)
    at = answer["at"]
    assert isinstance(at, int)
    assert at // timeframe_ms == first
    assert venue.market.price(SYMBOL, DAY_START_MS + at) <= stop
    assert venue.market.price(SYMBOL, DAY_START_MS + at - 1) > stop


def test_a_price_that_a_candle_opens_beyond_is_met_in_its_first_ms() -> None:
    rows = np.array([[1000, 1000, 1000, 1000, 1], [900, 950, 890, 940, 1]] * 2)
    answer = forward(venue_of(rows, 0), END, [{"instId": SYMBOL, "bid_at_or_below": "95"}])
    assert answer["at"] == SHORT_MS
    assert answer["crossed"] == [{"instId": SYMBOL, "bid_at_or_below": "95", "bid": "90"}]


@pytest.mark.parametrize("wish", [{"bid_at_or_below": "97"}, {"bid_trails": "0.03", "best": "100"}])
def test_a_price_that_leaves_a_level_downwards_has_met_it_before(wish: Wish) -> None:
    rows = np.array([[970, 970, 900, 900, 1], [900, 960, 900, 900, 1]])
    answer = forward(venue_of(rows, 0), 2 * SHORT_MS, [{"instId": SYMBOL, **wish}])
    assert answer["halted"] is False


def test_where_the_market_ends_it_ends() -> None:
    venue = venue_of(narrow_rows(1), END)
    never: list[Wish] = [{"instId": SYMBOL, "ask_at_or_above": "1000000"}]
    answer = forward(venue, END + 1000, never)
    assert (answer["at"], answer["halted"]) == (END, False)
    assert venue.clock.read().ended


def test_the_generated_market_halts_too() -> None:
    market = GeneratedMarket(7)
    begin = market.default_start_ms
    venue = replace(stepped_venue(source_of(narrow_rows(1)), begin), market=Market(market, 7))
    month = market.bars("ETH-USDT", begin, begin + 30 * 288 * STEP_MS)
    level = int(month.rows[:, HIGH].max()) * Decimal("0.01")
    content: Wish = {"halt_at": [{"instId": "ETH-USDT", "bid_at_or_above": str(level)}], "to_ms": 0}
    halting = parse_halting(venue, content)
    assert halting is not None
    at = halting.until(begin, month.ts(len(month)))
    assert halting.as_json()["halted"] is True
    assert (at - begin) // STEP_MS == int(month.rows[:, HIGH].argmax())


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of a venue that stands still in the middle of its second candle."""
    venue = venue_of(np.array([[1000, 1000, 1000, 1000, 1]] * 3), 150)
    async with TestClient(TestServer(create_app(venue))) as client:
        yield client


BELOW = {"instId": SYMBOL, "bid_at_or_below": "99"}
TRAIL = {"instId": SYMBOL, "bid_trails": "0.02", "best": "100"}
NOW_MS = DAY_START_MS + 150


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"halt_at": {}}, "a list"),
        ({"halt_at": [1]}, "condition 1: a condition is an object"),
        ({"halt_at": [BELOW, {}]}, "condition 2: it names exactly one"),
        ({"halt_at": [BELOW | {"bid_at_or_above": "1"}]}, "exactly one"),
        ({"halt_at": [BELOW | {"x": 1}]}, "'x' is not known"),
        ({"halt_at": [BELOW | {"best": "1"}]}, "belong to bid_trails"),
        ({"halt_at": [BELOW | {"instId": "BTC-USDT-SWAP"}]}, "a spot pair"),
        ({"halt_at": [BELOW | {"instId": "ETH-USDT"}]}, "a spot pair"),
        ({"halt_at": [BELOW | {"instId": ["BTC-USDT"]}]}, "a spot pair"),
        ({"halt_at": [BELOW | {"bid_at_or_below": True}]}, "is a number"),
        ({"halt_at": [BELOW | {"bid_at_or_below": "x"}]}, "not a number"),
        ({"halt_at": [BELOW | {"bid_at_or_below": "NaN"}]}, "finite"),
        ({"halt_at": [BELOW | {"bid_at_or_below": 0}]}, "above 0"),
        ({"halt_at": [BELOW | {"bid_at_or_below": "1e13"}]}, "above 0"),
        ({"halt_at": [TRAIL | {"bid_trails": "1.01"}]}, "a fraction"),
        ({"halt_at": [TRAIL | {"bid_trails": "1e-9"}]}, "a fraction"),
        ({"halt_at": [{"instId": SYMBOL, "bid_trails": "0.1"}]}, "best is a number"),
        ({"halt_at": [TRAIL | {"since_ms": "1"}]}, "since_ms is a whole number"),
        ({"halt_at": [TRAIL | {"since_ms": NOW_MS + 1}]}, "between"),
        ({"halt_at": [TRAIL | {"since_ms": DAY_START_MS - 1}]}, "between"),
        ({"halt_at": [BELOW], "to_ms": None}, "needs to_ms"),
        ({"halt_at": [BELOW], "mode": "speed"}, "stepped"),
        ({"halt_at": [BELOW], "to_ms": NOW_MS - 1}, "never goes back"),
        ({"halt_at": [BELOW], "examined_ms": -1}, "whole number"),
        ({"examined_ms": NOW_MS}, "belongs to halt_at"),
    ],
)
async def test_a_wish_that_cannot_be_is_refused_and_changes_nothing(
    client: Client, wish: Wish, why: str
) -> None:
    response = await client.post("/control/clock", json={"to_ms": NOW_MS + 100, **wish})
    told = (await response.json())["error"]
    assert response.status == 400
    assert why in told
    assert told.endswith(".")
    assert (await (await client.get("/control/clock")).json())["venue_ms"] == NOW_MS


async def test_a_venue_that_is_made_to_stand_still_can_halt_in_the_same_request(
    client: Client,
) -> None:
    await client.post("/control/clock", json={"mode": "speed", "rate": "0.001"})
    wish = {"mode": "stepped", "advance_ms": 10, "halt_at": [BELOW]}
    answer = await (await client.post("/control/clock", json=wish)).json()
    assert (answer["mode"], answer["halted"], answer["crossed"]) == ("stepped", False, [])


async def test_without_conditions_the_answer_says_nothing_of_halts(client: Client) -> None:
    answer = await (await client.post("/control/clock", json={"advance_ms": 1})).json()
    assert "halted" not in answer
