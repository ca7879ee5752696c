"""Orders and stops of an account that are over, as OKX tells it on its private channels."""

import base64
import hashlib
import hmac
from collections.abc import AsyncGenerator, Mapping
from typing import Final

import structlog

from oxbot.adapters.okx.connection import Connection
from oxbot.adapters.okx.place import ORDERS, STOPS, Place, account_url_of, open_stream
from oxbot.adapters.okx.private import Keys
from oxbot.adapters.okx.stream import KEEP_ALIVE_MS
from oxbot.adapters.okx.stream_errors import notice, unreadable
from oxbot.domain.errors import VenueUnavailable
from oxbot.ports import Clock

NAMED: Final = {ORDERS: "clOrdId", STOPS: "algoClOrdId"}
"""What our id is called, by the channel."""

OVER: Final = {
    ORDERS: frozenset({"filled", "canceled", "mmp_canceled"}),
    STOPS: frozenset({"effective", "partially_effective", "canceled", "order_failed"}),
}
"""States of what is alive no more."""

_log = structlog.get_logger(__name__)


class OkxAccountNews:
    """`AccountNews` of one account at OKX; each listener has a connection of its own.

    Args:
        channel: Of its orders, or of its stops: at OKX they have different addresses.
        keys: The API key.
        place: Which OKX, and how long to wait for it.
        clock: The venue's time, which the login is signed with.
        keep_alive_ms: How often to ping; two pongs missing are a loss.
    """

    def __init__(
        self,
        channel: str,
        keys: Keys,
        place: Place,
        clock: Clock,
        *,
        keep_alive_ms: int = KEEP_ALIVE_MS,
    ) -> None:
        self._channel = channel
        self._keys = keys
        self._place = place
        self._clock = clock
        self._keep_alive_ms = keep_alive_ms

    async def ended(self) -> AsyncGenerator[list[str], None]:
        """Log in and listen, and give the ids of what is alive no more.

        The first batch is empty. Closing the iterator closes the connection.

        Raises:
            VenueUnavailable: The connection or the login was refused, it was lost, or cannot be
                read.
        """
        channel = AccountChannel(self._channel, self._place, self._keep_alive_ms)
        try:
            await channel.open(self._keys, (await self._clock.reading()).venue_ms)
            _log.info("account stream opened", url=channel.url, channel=self._channel)
            yield []
            while (ended := await channel.ended()) is not None:
                yield ended
        finally:
            await channel.close()


def account_news_of(keys: Keys, place: Place, clock: Clock) -> tuple[OkxAccountNews, ...]:
    """Give what tells of an account's orders, and what tells of its stops."""
    return tuple(OkxAccountNews(channel, keys, place, clock) for channel in NAMED)


class AccountChannel(Connection):
    """Orders or stops of one account over one connection, which is opened by `open`.

    Args:
        name: The channel.
        place: Which OKX, and how long to wait for it.
        keep_alive_ms: How often to ping.
    """

    def __init__(self, name: str, place: Place, keep_alive_ms: int) -> None:
        exchange = open_stream(place, keep_alive_ms)
        super().__init__(exchange, account_url_of(exchange, name), place.timeout_ms)
        self._name = name
        self._logged_in = self._subscribed = False
        self._ended: list[str] = []

    async def open(self, keys: Keys, venue_ms: int) -> None:
        """Connect, log in and subscribe.

        Raises:
            VenueUnavailable: It could not be done.
        """
        self.begin({"op": "login", "args": [_login(keys, venue_ms)]}, "login")
        await self.until(lambda: self._logged_in, "did not answer the login")
        wanted = {"channel": self._name, "instType": "SPOT"}
        await self.send({"op": "subscribe", "args": [wanted]})
        await self.until(lambda: self._subscribed, f"did not confirm {self._name}")

    async def ended(self) -> list[str] | None:
        """Give the ids of what has ended since the last call; waits for the first.

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
        over = (row for row in rows if row.get("state") in OVER[self._name])
        self._ended += [str(name) for row in over if (name := row.get(NAMED[self._name]))]
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
