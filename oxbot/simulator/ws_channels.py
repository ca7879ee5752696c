"""Channels: what can be subscribed to at which address, and how often it is pushed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from oxbot.simulator.answers import Row, instrument_row, made_up_ticker_row, ticker_row
from oxbot.simulator.instruments import SPOT, SWAP, Instrument
from oxbot.simulator.market import Market
from oxbot.simulator.okx import EMPTY_KINDS
from oxbot.simulator.swap_answers import funding_row, mark_price_row, open_interest_row
from oxbot.simulator.timeframes import TIMEFRAMES, Timeframe
from oxbot.simulator.venue import Venue
from oxbot.simulator.ws_messages import Arg, unknown_topic
from oxbot.simulator.ws_streams import BookStream, CandleStream, RowStream, Stream, TopStream

PUBLIC, BUSINESS = "public", "business"
"""The addresses /ws/v5/public and /ws/v5/business."""

TICKER_MS, MARK_MS, CANDLE_MS, RARE_MS = 100, 200, 500, 3000
"""Shortest wall time between two pushes: prices and books; mark prices; candles; the rest."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel.

    Attributes:
        address: Where it is, public or business.
        period_ms: Shortest wall time between two pushes, in ms.
        key: The field of the subscription that names what it is about.
        keys: What that field may be.
        open: Makes the stream of one subscription.
    """

    address: str
    period_ms: int
    key: str
    keys: frozenset[str]
    open: Callable[[Arg], Stream]


@dataclass(frozen=True, slots=True)
class Topic:
    """One subscription, whoever has it.

    Attributes:
        channel: The channel's name.
        key: The instrument, or the kind of instruments.
    """

    channel: str
    key: str


class Channels:
    """The channels of a venue.

    Args:
        venue: Whose data.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._channels = self._rows() | self._books() | self._candles()

    def topic(self, address: str, arg: Arg) -> Topic:
        """What an arg means.

        Raises:
            WsError: 60018, there is no such channel at this address, or nothing of that name.
        """
        channel = self._channels.get(arg.get("channel", ""))
        if channel is None or channel.address != address:
            raise unknown_topic(arg)
        key = arg.get(channel.key, "")
        if key not in channel.keys:
            raise unknown_topic(arg)
        return Topic(arg["channel"], key)

    def open(self, topic: Topic) -> Stream:
        """A stream of the topic, from now on."""
        channel = self._channels[topic.channel]
        return channel.open({"channel": topic.channel, channel.key: topic.key})

    def period_ms(self, topic: Topic) -> int:
        """Shortest wall time between two pushes of the topic, in ms."""
        return self._channels[topic.channel].period_ms

    def _rows(self) -> dict[str, Channel]:
        """Channels of whole rows."""
        venue = self._venue
        swaps, listed = venue.swaps, [*venue.listed(SPOT), *venue.swaps]

        def instruments(arg: Arg) -> Stream:
            first_ms = venue.market.source.first_ms
            rows = [instrument_row(one, first_ms) for one in venue.listed(arg["instType"])]
            return RowStream(arg, lambda _: rows)

        kinds = frozenset((SPOT, SWAP, *EMPTY_KINDS))
        return {
            "tickers": self._of(listed, TICKER_MS, self._row_stream(self._ticker, repeats=False)),
            "mark-price": self._of(
                self._traded, MARK_MS, self._row_stream(mark_price_row, repeats=True)
            ),
            "open-interest": self._of(
                swaps, RARE_MS, self._row_stream(open_interest_row, repeats=True)
            ),
            "funding-rate": self._of(swaps, RARE_MS, self._row_stream(funding_row, repeats=True)),
            "instruments": Channel(PUBLIC, RARE_MS, "instType", kinds, instruments),
        }

    def _books(self) -> dict[str, Channel]:
        market = self._venue.market

        def top(depth: int) -> Channel:
            return self._of(
                self._traded,
                TICKER_MS,
                lambda arg: TopStream(arg, market, arg["instId"], depth),
            )

        deep = self._of(self._traded, TICKER_MS, lambda arg: BookStream(arg, market, arg["instId"]))
        return {"bbo-tbt": top(1), "books5": top(5), "books": deep}

    def _candles(self) -> dict[str, Channel]:
        """A channel for each candle length that this market's base candles make."""
        market = self._venue.market
        frames = (
            frame for frame in TIMEFRAMES.values() if frame.length_ms % market.source.step_ms == 0
        )
        return {
            f"candle{frame.bar}": self._of(
                self._traded, CANDLE_MS, _candles_of(market, frame), BUSINESS
            )
            for frame in frames
        }

    @property
    def _traded(self) -> list[Instrument]:
        """What has candles and a book."""
        return [*self._venue.instruments, *self._venue.swaps]

    def _of(
        self,
        listed: Iterable[Instrument],
        period_ms: int,
        make: Callable[[Arg], Stream],
        address: str = PUBLIC,
    ) -> Channel:
        """A channel that is about one instrument."""
        return Channel(address, period_ms, "instId", frozenset(one.id for one in listed), make)

    def _row_stream(
        self, make: Callable[[Market, Instrument, int], Row], *, repeats: bool
    ) -> Callable[[Arg], Stream]:
        """Streams of one row about one instrument."""

        def opened(arg: Arg) -> Stream:
            listed = self._venue.find(arg["instId"])
            if listed is None:
                raise unknown_topic(arg)
            market = self._venue.market
            return RowStream(arg, lambda now_ms: [make(market, listed, now_ms)], repeats=repeats)

        return opened

    def _ticker(self, market: Market, listed: Instrument, now_ms: int) -> Row:
        """A ticker, also of a made-up pair."""
        if listed.id in self._venue.made_up:
            return made_up_ticker_row(market, listed, now_ms)
        return ticker_row(market, listed.id, now_ms)


def _candles_of(market: Market, frame: Timeframe) -> Callable[[Arg], Stream]:
    return lambda arg: CandleStream(arg, market, arg["instId"], frame)
