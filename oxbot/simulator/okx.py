"""OKX v5 over HTTP: public time and instruments, tickers, candles and books of spot and swaps.

Every answer is OKX's envelope {"code", "msg", "data"}; an error has OKX's code and the HTTP
status that OKX sends with it.
"""

from collections.abc import Sequence

from aiohttp import web

from oxbot.domain.errors import InputError
from oxbot.simulator.answers import (
    CandlePage,
    book_row,
    candle_rows,
    instrument_row,
    made_up_ticker_row,
    ticker_row,
)
from oxbot.simulator.instruments import SPOT, SWAP, Instrument
from oxbot.simulator.timeframes import TIMEFRAMES, Timeframe
from oxbot.simulator.venue import Venue

API = "/api/v5/"
"""Where OKX's HTTP side begins."""

NOW_MS: web.RequestKey[int] = web.RequestKey("oxbot_now_ms", int)
"""The venue time at which a request is answered, where a fault makes it another than now."""

LARGEST_PAGE, USUAL_PAGE = 300, 100
"""Candles in one answer: at most, and unless told otherwise."""

DEEPEST_BOOK = 400
"""Levels on each side of a book, at most."""

LONGEST_NUMBER = 15
"""Digits of a number in a query, at most: enough for ms since the epoch."""

EMPTY_KINDS = ("MARGIN", "FUTURES", "OPTION")
"""Kinds of instruments that OKX knows and this venue lists none of."""


class OkxError(InputError):
    """A request that OKX refuses.

    Args:
        code: OKX's error code.
        message: OKX's message.
        status: The HTTP status that goes with it.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def envelope(data: Sequence[object]) -> web.Response:
    """A good answer."""
    return web.json_response({"code": "0", "msg": "", "data": data})


def refusal(code: str, message: str, status: int) -> web.Response:
    """A refusal as OKX writes it."""
    return web.json_response({"code": code, "msg": message, "data": []}, status=status)


class OkxApi:
    """The public side of the venue.

    Args:
        venue: What to serve.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        """The paths under /api/v5."""
        return [
            web.get(f"{API}public/time", self.time),
            web.get(f"{API}public/instruments", self.instruments),
            web.get(f"{API}market/tickers", self.tickers),
            web.get(f"{API}market/ticker", self.ticker),
            web.get(f"{API}market/candles", self.candles),
            web.get(f"{API}market/history-candles", self.history_candles),
            web.get(f"{API}market/books", self.books),
        ]

    async def time(self, request: web.Request) -> web.Response:
        """The venue's time."""
        return envelope([{"ts": str(answer_time(self._venue, request))}])

    async def instruments(self, request: web.Request) -> web.Response:
        """What is listed of a kind; `instId` picks one."""
        first_ms = self._venue.market.source.first_ms
        listed = self._venue.listed(wanted_kind(request))
        chosen = request.query.get("instId")
        wanted = [one for one in listed if chosen in (None, one.id)]
        if chosen is not None and not wanted:
            raise unknown_instrument()
        return envelope([instrument_row(one, first_ms) for one in wanted])

    async def tickers(self, request: web.Request) -> web.Response:
        """Every ticker of a kind."""
        listed = self._venue.listed(wanted_kind(request))
        now = answer_time(self._venue, request)
        return envelope([self._ticker(one, now) for one in listed])

    async def ticker(self, request: web.Request) -> web.Response:
        """One ticker."""
        listed = self._venue.find(required(request, "instId"))
        if listed is None:
            raise unknown_instrument()
        return envelope([self._ticker(listed, answer_time(self._venue, request))])

    async def candles(self, request: web.Request) -> web.Response:
        """The newest 1,440 candles in pages, the unfinished one included."""
        return self._candles(request, recent=True)

    async def history_candles(self, request: web.Request) -> web.Response:
        """All candles in pages, the unfinished one included."""
        return self._candles(request, recent=False)

    async def books(self, request: web.Request) -> web.Response:
        """The order book of an instrument, `sz` levels on each side."""
        symbol = traded(self._venue, request).id
        depth = whole(request, "sz", 1)
        if not 1 <= depth <= DEEPEST_BOOK:
            raise OkxError("51000", "Parameter sz error.")
        now = answer_time(self._venue, request)
        return envelope([book_row(self._venue.market, symbol, depth, now)])

    def _ticker(self, listed: Instrument, now_ms: int) -> dict[str, str]:
        market = self._venue.market
        if listed.id in self._venue.made_up:
            return made_up_ticker_row(market, listed, now_ms)
        return ticker_row(market, listed.id, now_ms)

    def _candles(self, request: web.Request, *, recent: bool) -> web.Response:
        symbol = traded(self._venue, request).id
        page = CandlePage(
            frame=self._frame(request),
            before=optional(request, "before"),
            after=optional(request, "after"),
            limit=page_limit(request, LARGEST_PAGE),
            recent=recent,
        )
        now = answer_time(self._venue, request)
        return envelope(candle_rows(self._venue.market, symbol, page, now))

    def _frame(self, request: web.Request) -> Timeframe:
        """The wanted candle length, if it can be made of this market's base candles."""
        frame = TIMEFRAMES.get(request.query.get("bar", "1m"))
        if frame is None or frame.length_ms % self._venue.market.source.step_ms:
            raise OkxError("51000", "Parameter bar error.")
        return frame


def answer_time(venue: Venue, request: web.Request) -> int:
    """The venue time of an answer, ms UTC: now, unless a fault makes it another."""
    shifted = request.get(NOW_MS)
    return venue.clock.now() if shifted is None else shifted


def unknown_instrument() -> OkxError:
    """What OKX says of an instId it does not list."""
    return OkxError("51001", "Instrument ID does not exist.", status=200)


def traded(venue: Venue, request: web.Request) -> Instrument:
    """The spot pair or swap that a request names and that has candles and a book."""
    listed = venue.traded(required(request, "instId"))
    if listed is None:
        raise unknown_instrument()
    return listed


def wanted_kind(request: web.Request) -> str:
    """The kind of instrument that a request names, if OKX knows it."""
    kind = required(request, "instType")
    if kind not in (SPOT, SWAP, *EMPTY_KINDS):
        raise OkxError("51000", "Parameter instType error.")
    return kind


def required(request: web.Request, name: str) -> str:
    """A parameter that must be there."""
    value = request.query.get(name)
    if not value:
        raise OkxError("50014", f"Parameter {name} can not be empty.")
    return value


def page_limit(request: web.Request, largest: int) -> int:
    """How many rows are wanted: as many as asked, and no more than the largest page."""
    limit = min(whole(request, "limit", USUAL_PAGE), largest)
    if limit < 1:
        raise OkxError("51000", "Parameter limit error.")
    return limit


def whole(request: web.Request, name: str, default: int) -> int:
    """A whole number, or what it is where there is no such parameter."""
    value = optional(request, name)
    return default if value is None else value


def optional(request: web.Request, name: str) -> int | None:
    """A whole number of at most 15 digits, or None where there is no such parameter."""
    text = request.query.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise OkxError("51000", f"Parameter {name} error.")
    return int(text)
