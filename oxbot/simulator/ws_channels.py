"""Channels: what can be subscribed to at which address, and how often it is pushed."""

from collections.abc import Callable
from dataclasses import dataclass

from oxbot.simulator.answers import instrument_row, ticker_row
from oxbot.simulator.market import Market
from oxbot.simulator.timeframes import TIMEFRAMES, Timeframe
from oxbot.simulator.venue import Venue
from oxbot.simulator.ws_messages import Arg, unknown_topic
from oxbot.simulator.ws_streams import BookStream, CandleStream, RowStream, Stream, TopStream

PUBLIC, BUSINESS = "public", "business"
"""The addresses /ws/v5/public and /ws/v5/business."""

TICKER_MS, CANDLE_MS, RARE_MS = 100, 500, 1000
"""Shortest wall time between two pushes: prices and books; candles; what rarely changes."""

INSTRUMENT_KINDS = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")


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
        market = self._venue.market

        def tickers(arg: Arg) -> Stream:
            return RowStream(arg, lambda now_ms: [ticker_row(market, arg["instId"], now_ms)])

        def instruments(arg: Arg) -> Stream:
            first_ms = market.source.first_ms
            listed = self._venue.instruments if arg["instType"] == "SPOT" else []
            rows = [instrument_row(one, first_ms) for one in listed]
            return RowStream(arg, lambda _: rows)

        kinds = frozenset(INSTRUMENT_KINDS)
        return {
            "tickers": self._of_symbols(TICKER_MS, tickers),
            "instruments": Channel(PUBLIC, RARE_MS, "instType", kinds, instruments),
        }

    def _books(self) -> dict[str, Channel]:
        market = self._venue.market

        def top(depth: int) -> Channel:
            return self._of_symbols(
                TICKER_MS, lambda arg: TopStream(arg, market, arg["instId"], depth)
            )

        deep = self._of_symbols(TICKER_MS, lambda arg: BookStream(arg, market, arg["instId"]))
        return {"bbo-tbt": top(1), "books5": top(5), "books": deep}

    def _candles(self) -> dict[str, Channel]:
        """A channel for each candle length that this market's base candles make."""
        market = self._venue.market
        frames = (
            frame for frame in TIMEFRAMES.values() if frame.length_ms % market.source.step_ms == 0
        )
        return {
            f"candle{frame.bar}": self._of_symbols(CANDLE_MS, _candles_of(market, frame), BUSINESS)
            for frame in frames
        }

    def _of_symbols(
        self, period_ms: int, make: Callable[[Arg], Stream], address: str = PUBLIC
    ) -> Channel:
        """A channel that is about one instrument."""
        symbols = frozenset(self._venue.market.source.symbols)
        return Channel(address, period_ms, "instId", symbols, make)


def _candles_of(market: Market, frame: Timeframe) -> Callable[[Arg], Stream]:
    return lambda arg: CandleStream(arg, market, arg["instId"], frame)
