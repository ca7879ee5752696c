"""OKX v5 over HTTP: public time and instruments, tickers, candles and books.

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
    ticker_row,
)
from oxbot.simulator.timeframes import TIMEFRAMES, Timeframe
from oxbot.simulator.venue import Venue

LARGEST_PAGE, USUAL_PAGE = 300, 100
"""Candles in one answer: at most, and unless told otherwise."""

DEEPEST_BOOK = 400
"""Levels on each side of a book, at most."""

LONGEST_NUMBER = 15
"""Digits of a number in a query, at most: enough for ms since the epoch."""

EMPTY_KINDS = ("MARGIN", "SWAP", "FUTURES", "OPTION")
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
            web.get("/api/v5/public/time", self.time),
            web.get("/api/v5/public/instruments", self.instruments),
            web.get("/api/v5/market/tickers", self.tickers),
            web.get("/api/v5/market/ticker", self.ticker),
            web.get("/api/v5/market/candles", self.candles),
            web.get("/api/v5/market/history-candles", self.history_candles),
            web.get("/api/v5/market/books", self.books),
        ]

    async def time(self, _: web.Request) -> web.Response:
        """The venue's time."""
        return envelope([{"ts": str(self._venue.clock.now())}])

    async def instruments(self, request: web.Request) -> web.Response:
        """What is listed of a kind; `instId` picks one."""
        first_ms = self._venue.market.source.first_ms
        chosen = request.query.get("instId")
        if not _has_spot(request):
            return envelope([])
        if chosen is not None:
            self._symbol(request)
        wanted = [one for one in self._venue.instruments if chosen in (None, one.id)]
        return envelope([instrument_row(one, first_ms) for one in wanted])

    async def tickers(self, request: web.Request) -> web.Response:
        """Every ticker of a kind."""
        if not _has_spot(request):
            return envelope([])
        market, now = self._venue.market, self._venue.clock.now()
        return envelope([ticker_row(market, one.id, now) for one in self._venue.instruments])

    async def ticker(self, request: web.Request) -> web.Response:
        """One ticker."""
        symbol = self._symbol(request)
        return envelope([ticker_row(self._venue.market, symbol, self._venue.clock.now())])

    async def candles(self, request: web.Request) -> web.Response:
        """The newest 1,440 candles in pages, the unfinished one included."""
        return self._candles(request, recent=True)

    async def history_candles(self, request: web.Request) -> web.Response:
        """All candles in pages, the unfinished one included."""
        return self._candles(request, recent=False)

    async def books(self, request: web.Request) -> web.Response:
        """The order book of an instrument, `sz` levels on each side."""
        symbol = self._symbol(request)
        depth = _whole(request, "sz", 1)
        if not 1 <= depth <= DEEPEST_BOOK:
            raise OkxError("51000", "Parameter sz error.")
        market, now = self._venue.market, self._venue.clock.now()
        return envelope([book_row(market, symbol, depth, now)])

    def _candles(self, request: web.Request, *, recent: bool) -> web.Response:
        symbol = self._symbol(request)
        page = CandlePage(
            frame=self._frame(request),
            before=_optional(request, "before"),
            after=_optional(request, "after"),
            limit=min(_whole(request, "limit", USUAL_PAGE), LARGEST_PAGE),
            recent=recent,
        )
        if page.limit < 1:
            raise OkxError("51000", "Parameter limit error.")
        now = self._venue.clock.now()
        return envelope(candle_rows(self._venue.market, symbol, page, now))

    def _symbol(self, request: web.Request) -> str:
        symbol = _required(request, "instId")
        if symbol not in self._venue.market.source.symbols:
            raise OkxError("51001", "Instrument ID does not exist.", status=200)
        return symbol

    def _frame(self, request: web.Request) -> Timeframe:
        """The wanted candle length, if it can be made of this market's base candles."""
        frame = TIMEFRAMES.get(request.query.get("bar", "1m"))
        if frame is None or frame.length_ms % self._venue.market.source.step_ms:
            raise OkxError("51000", "Parameter bar error.")
        return frame


def _has_spot(request: web.Request) -> bool:
    """Whether the wanted kind of instrument is the one that is listed here."""
    kind = _required(request, "instType")
    if kind != "SPOT" and kind not in EMPTY_KINDS:
        raise OkxError("51000", "Parameter instType error.")
    return kind == "SPOT"


def _required(request: web.Request, name: str) -> str:
    value = request.query.get(name)
    if not value:
        raise OkxError("50014", f"Parameter {name} can not be empty.")
    return value


def _whole(request: web.Request, name: str, default: int) -> int:
    value = _optional(request, name)
    return default if value is None else value


def _optional(request: web.Request, name: str) -> int | None:
    """A whole number of at most 15 digits, or None where there is no such parameter."""
    text = request.query.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise OkxError("51000", f"Parameter {name} error.")
    return int(text)
