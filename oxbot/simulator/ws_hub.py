"""The hub: who follows which stream, and what is pushed when.

Where time flows, a beat every 100 ms of wall time pushes what is due. Where the venue is
stepped, everything that has changed is pushed once, in the moment the clock is moved, and
nothing while it stands still. A message is made once for everybody, and at the venue time of its
making, so that its time stamp is not older than itself.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from oxbot.simulator.clock import Mode
from oxbot.simulator.fault_rules import FaultKind
from oxbot.simulator.venue import Venue
from oxbot.simulator.ws_channels import Channels, Topic
from oxbot.simulator.ws_client import Client
from oxbot.simulator.ws_messages import upgrade_notice
from oxbot.simulator.ws_streams import Stream

BEAT_S = 0.1
"""Wall time between two beats, in seconds."""

SILENCE_MS = 30_000
"""A connection on which nothing was said for so long is closed."""

REPEAT_MS = 60_000
"""After so much wall time without a change, `books` says that nothing has changed."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Feed:
    """A stream and who hears it.

    Attributes:
        stream: Where the data comes from.
        due_ms: Not to be pushed before this wall time.
        pushed_ms: When something was pushed last, wall time.
        followers: Who has the current state and hears the changes.
        newcomers: Who has subscribed while nothing could be pushed.
    """

    stream: Stream
    due_ms: int
    pushed_ms: int
    followers: set[Client] = field(default_factory=set)
    newcomers: set[Client] = field(default_factory=set)


class Hub:
    """Everything that is pushed.

    Args:
        venue: Whose data.
        wall: This machine's time in ms.
        look: Called before anything is pushed, to let happen what has become due.

    Attributes:
        channels: What can be subscribed to.
        clients: Who is connected.
        failed: It pushes no longer, for a fault of its own; nobody may connect.
    """

    def __init__(
        self, venue: Venue, wall: Callable[[], int], look: Callable[[], None] = lambda: None
    ) -> None:
        self.channels = Channels(venue)
        self.clients: set[Client] = set()
        self.failed = False
        self._clock = venue.clock
        self._faults = venue.faults
        self._wall = wall
        self._look = look
        self._feeds: dict[Topic, Feed] = {}
        self._behind = False

    def subscribe(self, client: Client, topic: Topic) -> None:
        """Let a client follow a topic; it hears at once where it stands. Twice is once."""
        feed = self._feeds.get(topic) or self._open(topic)
        if client in feed.followers | feed.newcomers:
            return
        if self._stalled(self._clock.now()):
            self._behind = True
            feed.newcomers.add(client)
            return
        _welcome(feed, client, self._wall())

    def unsubscribe(self, client: Client, topic: Topic) -> None:
        """Let a client follow a topic no longer."""
        feed = self._feeds.get(topic)
        if feed is None:
            return
        feed.followers.discard(client)
        feed.newcomers.discard(client)
        if not (feed.followers or feed.newcomers):
            del self._feeds[topic]

    def leave(self, client: Client) -> None:
        """Forget a client that is gone."""
        self.clients.discard(client)
        for topic in list(self._feeds):
            self.unsubscribe(client, topic)

    async def run(self) -> None:
        """Beat until cancelled."""
        try:
            while True:
                await asyncio.sleep(BEAT_S)
                self.beat()
        except Exception:
            self.failed = True
            logger.exception("The WebSocket side has failed; its connections are closed.")
            raise
        finally:
            for client in self.clients:
                client.cut()

    def stepped(self) -> None:
        """Push what has changed if the clock stands still now; called when it was changed."""
        self._look()
        if self._clock.read().mode is Mode.STEPPED:
            self._push(everything=True)

    def beat(self) -> None:
        """Push what is due, and close who has been silent."""
        self._look()
        self._close_the_silent()
        self._push(everything=self._behind)

    def _push(self, *, everything: bool) -> None:
        """One beat: faults first, then each feed whose time has come."""
        now, wall = self._clock.now(), self._wall()
        self._interrupt(now)
        if self._stalled(now):
            self._behind = self._behind or everything
            return
        self._behind = False
        flows = self._clock.read().mode is Mode.SPEED
        for topic, feed in self._feeds.items():
            if everything or (flows and wall >= feed.due_ms):
                feed.due_ms = wall + self.channels.period_ms(topic)
                _push_feed(feed, self._clock.now(), wall, repeat=flows)

    def _open(self, topic: Topic) -> Feed:
        wall = self._wall()
        stream = self.channels.open(topic)
        stream.advance(self._clock.now())
        feed = Feed(stream, due_ms=wall + self.channels.period_ms(topic), pushed_ms=wall)
        self._feeds[topic] = feed
        return feed

    def _interrupt(self, now_ms: int) -> None:
        """Cut or close whom a fault meets."""
        rule, drops = self._faults.ws(now_ms), self._faults.ws_drops_until(now_ms)
        kind = None if rule is None else rule.kind
        for client in list(self.clients):
            if kind is FaultKind.WS_DROP or drops > client.drops:
                client.cut()
                self.leave(client)
            elif kind is FaultKind.MAINTENANCE:
                client.send(upgrade_notice(client.id))
                client.close(1001, "Service upgrade")
                self.leave(client)

    def _stalled(self, now_ms: int) -> bool:
        rule = self._faults.ws(now_ms)
        return rule is not None and rule.kind is FaultKind.WS_STALL

    def _close_the_silent(self) -> None:
        wall = self._wall()
        for client in list(self.clients):
            if wall - client.active_ms >= SILENCE_MS:
                client.close(4004, "No data received in 30s.")
                self.leave(client)


def _push_feed(feed: Feed, now_ms: int, wall_ms: int, *, repeat: bool) -> None:
    """Tell followers what has changed, and newcomers where the stream stands."""
    message = feed.stream.advance(now_ms)
    if message is None and repeat and wall_ms - feed.pushed_ms >= REPEAT_MS:
        message = feed.stream.unchanged(now_ms)
    if message is not None:
        feed.pushed_ms = wall_ms
        for client in feed.followers:
            client.active_ms = wall_ms
            client.send(message)
    for client in list(feed.newcomers):
        _welcome(feed, client, wall_ms)


def _welcome(feed: Feed, client: Client, wall_ms: int) -> None:
    """Make a follower of a client: it hears where the stream stands."""
    feed.newcomers.discard(client)
    feed.followers.add(client)
    message = feed.stream.current()
    if message is not None:
        client.active_ms = wall_ms
        client.send(message)
