"""Stops of an account that are over, as OKX tells it: the channel `orders-algo`."""

import base64
import hashlib
import hmac
from collections.abc import AsyncGenerator, Mapping
from typing import Final

import structlog

from oxbot.adapters.okx.connection import Connection
from oxbot.adapters.okx.place import Place, account_url_of, open_stream
from oxbot.adapters.okx.private import Keys
from oxbot.adapters.okx.stream import KEEP_ALIVE_MS
from oxbot.adapters.okx.stream_errors import notice, unreadable
from oxbot.domain.errors import VenueUnavailable
from oxbot.ports import Clock

CHANNEL: Final = "orders-algo"

OVER: Final = frozenset({"effective", "partially_effective", "canceled", "order_failed"})
"""States of a stop that is alive no more."""

_log = structlog.get_logger(__name__)


class OkxAccountNews:
    """`AccountNews` of one account at OKX; each listener has a connection of its own.

    Args:
        keys: The API key.
        place: Which OKX, and how long to wait for it.
        clock: The venue's time, which the login is signed with.
        keep_alive_ms: How often to ping; two pongs missing are a loss.
    """

    def __init__(
        self, keys: Keys, place: Place, clock: Clock, *, keep_alive_ms: int = KEEP_ALIVE_MS
    ) -> None:
        self._keys = keys
        self._place = place
        self._clock = clock
        self._keep_alive_ms = keep_alive_ms

    async def ended_stops(self) -> AsyncGenerator[list[str], None]:
        """Log in and listen, and give the ids of stops that are alive no more.

        The first batch is empty. Closing the iterator closes the connection.

        Raises:
            VenueUnavailable: The connection or the login was refused, it was lost, or cannot be
                read.
        """
        channel = StopChannel(self._place, self._keep_alive_ms)
        try:
            await channel.open(self._keys, (await self._clock.reading()).venue_ms)
            _log.info("account stream opened", url=channel.url)
            yield []
            while (ended := await channel.ended()) is not None:
                yield ended
        finally:
            await channel.close()


class StopChannel(Connection):
    """The stops of one account over one connection, which is opened by `open`.

    Args:
        place: Which OKX, and how long to wait for it.
        keep_alive_ms: How often to ping.
    """

    def __init__(self, place: Place, keep_alive_ms: int) -> None:
        exchange = open_stream(place, keep_alive_ms)
        super().__init__(exchange, account_url_of(exchange), place.timeout_ms)
        self._logged_in = self._subscribed = False
        self._ended: list[str] = []

    async def open(self, keys: Keys, venue_ms: int) -> None:
        """Connect, log in and subscribe.

        Raises:
            VenueUnavailable: It could not be done.
        """
        self.begin({"op": "login", "args": [_login(keys, venue_ms)]}, "login")
        await self.until(lambda: self._logged_in, "did not answer the login")
        await self.send({"op": "subscribe", "args": [{"channel": CHANNEL, "instType": "SPOT"}]})
        await self.until(lambda: self._subscribed, f"did not confirm {CHANNEL}")

    async def ended(self) -> list[str] | None:
        """Give the ids of stops that have ended since the last call; waits for the first.

        None means that this side has closed the connection.

        Raises:
            VenueUnavailable: The connection has failed, and everything before that was read.
        """
        while not self._ended and not self.closed:
            self.raise_failure()
            await self.next_news()
        taken, self._ended = self._ended, []
        return taken or None

    def take(self, message: object, text: str) -> None:
        """Take rows, confirmations and what ends the stream."""
        if not isinstance(message, dict):
            return self.fail(unreadable(self.url, text))
        event = message.get("event")
        if event is None:
            return self._take_rows(message.get("data"), text)
        if event in ("error", "channel-conn-count-error"):
            return self.fail(_refused(message))
        if event == "notice":
            return self.fail(notice(message))
        self._logged_in |= event == "login"
        self._subscribed |= event == "subscribe"
        return self.has_news()

    def _take_rows(self, rows: object, text: str) -> None:
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return self.fail(unreadable(self.url, text))
        over = (row for row in rows if row.get("state") in OVER)
        self._ended += [str(row["algoClOrdId"]) for row in over if row.get("algoClOrdId")]
        return self.has_news()


def _login(keys: Keys, venue_ms: int) -> Mapping[str, str]:
    """Sign a login: OKX wants the time in seconds here."""
    timestamp = str(venue_ms // 1_000)
    secret = keys.secret.get_secret_value().encode()
    digest = hmac.digest(secret, f"{timestamp}GET/users/self/verify".encode(), hashlib.sha256)
    return {
        "apiKey": keys.key.get_secret_value(),
        "passphrase": keys.passphrase.get_secret_value(),
        "timestamp": timestamp,
        "sign": base64.b64encode(digest).decode(),
    }


def _refused(message: Mapping[str, object]) -> VenueUnavailable:
    """Tell OKX's code alone: what it says may quote the login, passphrase included."""
    return VenueUnavailable(f"OKX refused to stream the account ({message.get('code')}).")
