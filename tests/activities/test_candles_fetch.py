"""Candles fetched by the real ccxt client: whole, once, in spite of kills and outages."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from oxbot.adapters.okx.archive import OkxArchive
from oxbot.adapters.okx.client import OkxClient
from oxbot.candles.fetch import PAGES_BETWEEN_SAVES, Fetched, fetch
from oxbot.candles.importing import import_files
from oxbot.candles.names import BAR_MS
from oxbot.candles.paging import Wanted
from oxbot.candles.parquet import read_series, sole_writer
from oxbot.candles.rows import Row
from oxbot.candles.spans import Span
from oxbot.domain.errors import Conflict, InputError, NotFound, VenueUnavailable
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.server import create_app
from oxbot.simulator.venue import Venue
from tests.activities.okx_server import envelope, hung_up, serving, text
from tests.unit.candles.texts import T0, write

pytestmark = pytest.mark.critical

M5 = BAR_MS["5m"]
DAY_MS = 288 * M5
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Changed = Callable[[list[list[str]]], list[list[str]]]


@dataclass
class Simulated:
    """The simulator, whose n-th candle answer (from 1) a test can change or replace."""

    url: str
    venue: Venue
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    replaced: dict[int, Handler] = field(default_factory=dict)
    changed: dict[int, Changed] = field(default_factory=dict)
    all_changed: Changed | None = None
    lost: set[int] = field(default_factory=set)

    @property
    def now_ms(self) -> int:
        return self.venue.clock.now()

    def candles(self, bar: str, span: Span, symbol: str = "BTC-USDT") -> list[Row]:
        """What the simulator's market holds, made of its base candles by hand."""
        base = self.venue.market.source.bars(symbol, *span).candles(symbol)
        size = BAR_MS[bar] // M5
        return [
            Row(
                group[0].ts,
                group[0].open,
                max(candle.high for candle in group),
                min(candle.low for candle in group),
                group[-1].close,
                sum((candle.volume for candle in group), start=group[0].volume * 0),
            )
            for group in (base[start : start + size] for start in range(0, len(base), size))
        ]

    @web.middleware
    async def between(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.endswith("candles"):
            return await handler(request)
        query = request.query
        self.asked.append((request.path.split("/")[-1], int(query["after"]), int(query["limit"])))
        number = len(self.asked)
        if number in self.replaced:
            return await self.replaced[number](request)
        if self.lost:
            return await self._with_gaps(request, handler)
        answer = await handler(request)
        change = self.changed.get(number, self.all_changed)
        return (
            answer
            if change is None
            else web.json_response({"code": "0", "data": change(rows_in(answer))})
        )

    async def _with_gaps(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer as an exchange that never had some candles: so many rows, from further back."""
        limit = int(request.query["limit"])
        more = request.clone(rel_url=request.rel_url.update_query(limit=300))
        rows = [row for row in rows_in(await handler(more)) if int(row[0]) not in self.lost]
        return web.json_response({"code": "0", "msg": "", "data": rows[:limit]})


def rows_in(answer: web.StreamResponse) -> list[list[str]]:
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    rows: list[list[str]] = json.loads(answer.body)["data"]
    return rows


@pytest.fixture
async def simulated() -> AsyncIterator[Simulated]:
    venue = open_venue(Options(mode="stepped", start="2025-01-01T00:02:03Z"))
    okx = Simulated("", venue)
    app = create_app(venue)
    app.middlewares.append(okx.between)
    async with serving(app) as okx.url:
        yield okx


@asynccontextmanager
async def opened(okx: Simulated, venue: str = "okx-simulated") -> AsyncIterator[OkxArchive]:
    async with OkxClient(okx.url, throttled=False) as client:
        yield OkxArchive(client, venue, await client.server_time_ms())


async def fetched(
    okx: Simulated, folder: Path, span: Span, bar: str = "5m", venue: str = "okx-simulated"
) -> Fetched:
    async with opened(okx, venue) as archive:
        return await fetch(archive, Wanted("BTC/USDT", bar, span), folder)


def days_before(now_ms: int, days: int, bar: str = "5m") -> Span:
    end_ms = now_ms // BAR_MS[bar] * BAR_MS[bar]
    return Span(end_ms - days * DAY_MS, end_ms)


@pytest.mark.parametrize("bar", ["5m", "1h", "4h"])
async def test_every_candle_arrives_once_and_to_the_last_digit(
    simulated: Simulated, tmp_path: Path, bar: str
) -> None:
    span = days_before(simulated.now_ms, 12, bar)
    done = await fetched(simulated, tmp_path, span, bar)
    assert list(read_series(done.path).rows()) == simulated.candles(bar, span)
    assert (done.added, done.gaps, done.series.covered) == (12 * DAY_MS // BAR_MS[bar], [], (span,))
    assert done.series.venue == "okx-simulated"


async def test_recent_candles_and_the_archive_join(simulated: Simulated, tmp_path: Path) -> None:
    await fetched(simulated, tmp_path, days_before(simulated.now_ms, 7))
    assert {path for path, _, _ in simulated.asked} == {"candles", "history-candles"}


async def test_what_is_there_is_not_asked_for_again(simulated: Simulated, tmp_path: Path) -> None:
    now_ms = simulated.now_ms
    whole = days_before(now_ms, 6)
    middle = Span(whole.from_ms + 2 * DAY_MS, whole.from_ms + 3 * DAY_MS)
    assert (await fetched(simulated, tmp_path, middle)).added == 288
    simulated.asked.clear()
    assert (await fetched(simulated, tmp_path, middle)).added == 0
    assert simulated.asked == []
    done = await fetched(simulated, tmp_path, whole)
    assert (done.added, done.series.covered) == (5 * 288, (whole,))
    assert list(done.series.rows()) == simulated.candles("5m", whole)
    inside = [after for _, after, _ in simulated.asked if middle.from_ms + 1 < after < middle.to_ms]
    assert inside == []


async def test_spans_apart_from_each_other_keep_what_lies_between_unknown(
    simulated: Simulated, tmp_path: Path
) -> None:
    whole = days_before(simulated.now_ms, 3)
    late = Span(whole.to_ms - DAY_MS, whole.to_ms)
    early = Span(whole.from_ms, whole.from_ms + DAY_MS)
    await fetched(simulated, tmp_path, late)
    simulated.asked.clear()
    done = await fetched(simulated, tmp_path, early)
    assert max(after for _, after, _ in simulated.asked) == early.to_ms
    assert done.series.covered == (early, late)
    assert done.gaps == []
    assert [(gap.missing, gap.asked) for gap in done.series.gaps()] == [(288, False)]
    assert list((await fetched(simulated, tmp_path, whole)).series.rows()) == simulated.candles(
        "5m", whole
    )


async def test_a_candle_that_is_not_confirmed_yet_is_left_for_the_next_run(
    simulated: Simulated, tmp_path: Path
) -> None:
    span = days_before(simulated.now_ms, 1)
    newest_ms = span.to_ms - M5

    def unconfirmed(rows: list[list[str]]) -> list[list[str]]:
        return [[*row[:8], "0" if int(row[0]) == newest_ms else "1"] for row in rows]

    simulated.all_changed = unconfirmed
    done = await fetched(simulated, tmp_path, span)
    assert (done.added, done.series.covered) == (287, (Span(span.from_ms, newest_ms),))
    assert (await fetched(simulated, tmp_path, span)).added == 0
    simulated.all_changed = None
    done = await fetched(simulated, tmp_path, span)
    assert (done.added, done.series.covered) == (1, (span,))


async def test_a_kill_costs_a_few_pages_and_the_next_run_goes_on(
    simulated: Simulated, tmp_path: Path
) -> None:
    """The real command in a process of its own, killed while it waits for its 33rd answer."""
    begun = asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    span = days_before(simulated.now_ms, 40)
    simulated.replaced[33] = never
    process = await command(simulated, tmp_path, "--from", "2024-11-22")
    await begun.wait()
    process.kill()
    await process.wait()
    pages = PAGES_BETWEEN_SAVES
    saved = read_series(tmp_path / "BTC-USDT-5m.parquet")
    assert len(saved) == 1 + (pages - 1) * 299
    assert saved.covered == (Span(span.to_ms - len(saved) * M5, span.to_ms),)
    simulated.replaced.clear()
    simulated.asked.clear()
    process = await command(simulated, tmp_path, "--from", "2024-11-22", "--json")
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    [told] = json.loads(out)
    assert (told["rows"], told["added"], told["gaps"]) == (40 * 288, 40 * 288 - len(saved), [])
    assert (told["from"], told["to"]) == ("2024-11-22T00:00:00Z", "2025-01-01T00:00:00Z")
    assert max(after for _, after, _ in simulated.asked) == saved.covered[0].from_ms + 1
    whole = read_series(tmp_path / "BTC-USDT-5m.parquet")
    assert list(whole.rows()) == simulated.candles("5m", span)


async def test_ctrl_c_costs_nothing_that_came(simulated: Simulated, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    simulated.replaced[9] = never
    process = await command(simulated, tmp_path, "--from", "2024-12-01")
    await begun.wait()
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 130
    assert len(read_series(tmp_path / "BTC-USDT-5m.parquet")) == 1 + 6 * 299


async def test_two_fetches_into_one_folder_do_not_get_in_each_others_way(
    simulated: Simulated, tmp_path: Path
) -> None:
    with sole_writer(tmp_path):
        process = await command(simulated, tmp_path, "--from", "2024-12-01")
        _, err = await process.communicate()
    assert (process.returncode, simulated.asked) == (4, [])
    assert b"Another command is writing candles" in err


async def command(okx: Simulated, folder: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "oxbot", "candles", "fetch", "BTC", "--into", str(folder)),
        *options,
        env={**os.environ, "OXBOT_SIMULATOR_URL": okx.url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


OUTAGES = {
    "a page under 200": text("<html>We will be back soon</html>"),
    "no rows": envelope([]),
    "a connection closed": hung_up,
    "maintenance": envelope([], "50001", "Upgrading"),
    "a rate limit": envelope([], "50011", "Too Many Requests"),
}


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES.keys())
async def test_an_outage_says_how_far_it_came_and_the_next_run_goes_on(
    simulated: Simulated, tmp_path: Path, outage: Handler
) -> None:
    span = days_before(simulated.now_ms, 12)
    simulated.replaced = dict.fromkeys(range(8, 12), outage)
    with pytest.raises(VenueUnavailable) as caught:
        await fetched(simulated, tmp_path, span)
    done = 1 + 5 * 299
    assert f"BTC/USDT 5m: {done:,} of {12 * 288:,} candles were fetched" in str(caught.value)
    assert "the same command goes on from there" in str(caught.value)
    assert len(read_series(tmp_path / "BTC-USDT-5m.parquet")) == done
    simulated.replaced.clear()
    again = await fetched(simulated, tmp_path, span)
    assert again.added == 12 * 288 - done
    assert list(again.series.rows()) == simulated.candles("5m", span)


async def test_a_gap_that_the_exchange_has_is_told_and_not_filled(
    simulated: Simulated, tmp_path: Path
) -> None:
    span = days_before(simulated.now_ms, 3)
    simulated.lost = {span.from_ms + number * M5 for number in (100, 500, 501, 502)}
    done = await fetched(simulated, tmp_path, span)
    assert [(gap.from_ms, gap.missing, gap.asked) for gap in done.gaps] == [
        (span.from_ms + 100 * M5, 1, True),
        (span.from_ms + 500 * M5, 3, True),
    ]
    assert done.added == 3 * 288 - 4
    assert done.series.covered == (span,)


async def test_a_gap_that_was_only_in_one_answer_is_not_believed(
    simulated: Simulated, tmp_path: Path
) -> None:
    span = days_before(simulated.now_ms, 12)
    simulated.changed[9] = lambda rows: rows[:50] + rows[60:]
    with pytest.raises(VenueUnavailable, match="came only once"):
        await fetched(simulated, tmp_path, span)
    done = await fetched(simulated, tmp_path, span)
    assert (len(done.series), done.gaps) == (12 * 288, [])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda rows: rows[1:], "known before, is missing"),
        (lambda rows: [*rows, rows[5]], "out of order"),
        (lambda rows: rows[::-1], "out of order"),
        (lambda rows: [[*row[:2], "0", *row[3:]] for row in rows], "high 0 is below low"),
        (lambda rows: [row[:6] for row in rows], "incomplete"),
        (lambda rows: [[str(int(row[0]) + 1), *row[1:]] for row in rows], "out of order"),
    ],
)
async def test_an_answer_that_cannot_be_is_refused(
    simulated: Simulated, tmp_path: Path, change: Changed, what: str
) -> None:
    simulated.changed = {3: change, 4: change}
    with pytest.raises(VenueUnavailable, match=what):
        await fetched(simulated, tmp_path, days_before(simulated.now_ms, 3))


async def test_an_answer_cut_short_costs_only_another_request(
    simulated: Simulated, tmp_path: Path
) -> None:
    simulated.all_changed = lambda rows: rows[:100]
    span = days_before(simulated.now_ms, 3)
    assert list((await fetched(simulated, tmp_path, span)).series.rows()) == simulated.candles(
        "5m", span
    )


async def test_a_lost_answer_is_never_taken_for_the_begin_of_history(
    simulated: Simulated, tmp_path: Path
) -> None:
    simulated.changed[2] = lambda rows: rows[:1]
    simulated.replaced[3] = envelope([])
    span = days_before(simulated.now_ms, 3)
    with pytest.raises(VenueUnavailable, match="known before, is missing"):
        await fetched(simulated, tmp_path, span)
    assert (await fetched(simulated, tmp_path, span)).added == 3 * 288 - 1


async def test_before_a_coin_was_listed_there_is_nothing_and_that_is_remembered(
    simulated: Simulated, tmp_path: Path
) -> None:
    first_ms = simulated.venue.market.source.first_ms
    span = Span(first_ms - 10 * DAY_MS, first_ms + DAY_MS)
    done = await fetched(simulated, tmp_path, span)
    assert (len(done.series), done.series.covered, done.gaps) == (288, (span,), [])
    simulated.asked.clear()
    await fetched(simulated, tmp_path, span)
    assert simulated.asked == []
    with pytest.raises(NotFound, match="gave no 5m candle of BTC/USDT before"):
        await fetched(simulated, tmp_path / "new", Span(first_ms - DAY_MS, first_ms))


async def test_candles_of_two_venues_are_not_mixed(simulated: Simulated, tmp_path: Path) -> None:
    span = days_before(simulated.now_ms, 1)
    await fetched(simulated, tmp_path, span)
    with pytest.raises(Conflict, match="candles of okx-simulated, and these are of okx"):
        await fetched(simulated, tmp_path, span, venue="okx")


async def test_an_unlisted_symbol_is_refused_with_the_nearest_names(simulated: Simulated) -> None:
    async with opened(simulated) as archive:
        with pytest.raises(InputError, match=r"BTX/USDT \(nearest: BTC/USDT"):
            await archive.check_listed(["BTX/USDT"])


async def test_a_market_of_candle_files_comes_back_as_it_was(tmp_path: Path) -> None:
    """Text, Parquet, simulator, ccxt, Parquet: in minutes, and exact."""
    lines = [
        f"{T0 + number * 60_000},{94000 + number}.1,{94010 + number}.5,{93990 + number},"
        f"{94001 + number}.7,{number}.00000001"
        for number in range(3000)
    ]
    [made] = import_files([write(tmp_path, lines, "BTCUSDT-1m-2025-01.zip")], tmp_path / "one")
    venue = open_venue(
        Options(candles=tmp_path / "one", timeframe="1m", mode="stepped", start="2025-01-03")
    )
    async with serving(create_app(venue)) as url:
        okx = Simulated(url, venue)
        span = Span(T0 + 60_000, T0 + DAY_MS * 2)
        with sole_writer(tmp_path / "two"):
            done = await fetched(okx, tmp_path / "two", span, "1m")
    assert list(done.series.rows()) == list(made.series.rows())[1:2880]
    assert (done.gaps, len(done.series)) == ([], 2879)
