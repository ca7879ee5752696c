"""Events in the order in which they came to light, for whoever follows them."""

from functools import cached_property
from typing import Final, NamedTuple

from pydantic import Field

from oxbot.domain.values import Value

LAST_OF_ALL: Final = 2**63 - 1
"""The highest number that an event can have."""

PLACE: Final = r"^[0-9]{1,18}-[0-9]{1,19}$"
"""How a place is written."""


class EventCursor(NamedTuple):
    """A place in the order of events: the transaction that told of one, and its number."""

    transaction: int
    number: int

    def __str__(self) -> str:
        return f"{self.transaction}-{self.number}"

    @classmethod
    def of(cls, place: str) -> "EventCursor":
        """Read a place that is written like `PLACE`."""
        transaction, number = map(int, place.split("-"))
        return cls(transaction, min(number, LAST_OF_ALL))


class FollowedEvent(Value):
    """An event as its followers hear of it; `at_ms` is wall time."""

    bot_id: str
    kind: str
    text: str
    figures: dict[str, str] = Field(default_factory=dict)
    at_ms: int


class ToldEvent(Value):
    """An event, where it stands, and whose bot it is of."""

    cursor: EventCursor
    owner: str
    event: FollowedEvent

    @cached_property
    def text(self) -> str:
        """The event as JSON, made once for all who hear of it."""
        return self.event.model_dump_json()


class Told(Value):
    """What came to light behind a place, and up to which place that is all."""

    events: tuple[ToldEvent, ...]
    until: EventCursor
