"""What a venue's time can be told to halt at: a best price that reaches a level.

Time then halts in the ms in which that becomes true. Nothing of what would have come later is
said.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from oxbot.domain.errors import InputError
from oxbot.domain.money import decimal_from
from oxbot.simulator.instruments import Instrument, plain
from oxbot.simulator.levels import FALLING, RISING, Trail, ceil_ticks, floor_ticks
from oxbot.simulator.venue import Venue

MOST: Final = 100_000
"""Conditions in one request."""

HIGHEST_PRICE: Final = Decimal(10**12)
"""Prices beyond this are none."""

NARROWEST_TRAIL: Final = Decimal("0.000001")
"""A trail that is narrower may be less than a tick of any price."""


class Kind(StrEnum):
    """What has to become true; the names of the conditions' fields."""

    BID_AT_OR_BELOW = "bid_at_or_below"
    BID_AT_OR_ABOVE = "bid_at_or_above"
    ASK_AT_OR_BELOW = "ask_at_or_below"
    ASK_AT_OR_ABOVE = "ask_at_or_above"
    BID_TRAILS = "bid_trails"

    @property
    def way(self) -> int:
        """The way in which the price has to move."""
        return RISING if self in (Kind.BID_AT_OR_ABOVE, Kind.ASK_AT_OR_ABOVE) else FALLING

    @property
    def of_ask(self) -> bool:
        """Whether the best ask is meant."""
        return self in (Kind.ASK_AT_OR_BELOW, Kind.ASK_AT_OR_ABOVE)


KINDS: Final = frozenset(Kind)
FIELDS: Final = frozenset(("instId", *Kind, "best", "since_ms"))


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Attributes:
        listed: The spot pair that is watched.
        kind: What has to become true.
        number: The price in USDT; of a trail the fraction.
        best: Of a trail, the best bid so far in USDT.
        since_ms: Of a trail, bids from here on count for the best one too, ms UTC; None: from
            the moment at which the way begins.
    """

    listed: Instrument
    kind: Kind
    number: Decimal
    best: Decimal | None = None
    since_ms: int | None = None

    @property
    def trail(self) -> Trail | None:
        """How it trails, if it does."""
        return Trail(self.number, self.listed.tick) if self.kind is Kind.BID_TRAILS else None

    def best_with(self, highest: int) -> Decimal:
        """The best bid in USDT, where the highest since it is watched was so many ticks."""
        return max(self.best or Decimal(0), self.listed.price(highest))

    def level(self, spread: int, highest: int) -> int:
        """The last price, in ticks, at which it is true; the bid is the last price.

        Args:
            spread: From bid to ask, in ticks.
            highest: The highest bid since it is watched, in ticks.
        """
        if trail := self.trail:
            return trail.level(self.best_with(highest))
        whole = floor_ticks if self.kind.way == FALLING else ceil_ticks
        ticks = whole(self.number, self.listed.tick)
        return ticks - spread if self.kind.of_ask else ticks

    def holds(self, price: int, level: int) -> bool:
        """Whether it is true at a last price, where `level` is its level; in ticks."""
        return price <= level if self.kind.way == FALLING else price >= level

    def as_json(self) -> dict[str, str | int]:
        """The condition as it is written in a request."""
        fields: dict[str, str | int] = {"instId": self.listed.id, self.kind: plain(self.number)}
        if self.best is not None:
            fields["best"] = plain(self.best)
        if self.since_ms is not None:
            fields["since_ms"] = self.since_ms
        return fields


def parse_conditions(venue: Venue, content: object) -> list[Condition]:
    """The conditions of a request.

    Raises:
        InputError: They are no list of conditions, or which of them cannot be.
    """
    if not isinstance(content, list) or len(content) > MOST:
        raise InputError(f"halt_at is a list of at most {MOST} conditions.")
    conditions: list[Condition] = []
    for place, item in enumerate(content, start=1):
        try:
            conditions.append(_condition(venue, item))
        except InputError as error:
            raise InputError(f"halt_at, condition {place}: {error}") from error
    return conditions


def _condition(venue: Venue, item: object) -> Condition:
    if not isinstance(item, dict):
        raise InputError("a condition is an object.")
    if unknown := sorted(item.keys() - FIELDS):
        raise InputError(f"{unknown[0]!r} is not known here; use {', '.join(sorted(FIELDS))}.")
    kinds = KINDS & item.keys()
    if len(kinds) != 1:
        raise InputError(f"it names exactly one of {', '.join(Kind)}.")
    [kind] = kinds
    if kind is not Kind.BID_TRAILS and ("best" in item or "since_ms" in item):
        raise InputError("best and since_ms belong to bid_trails.")
    trails = kind is Kind.BID_TRAILS
    return Condition(
        listed=_pair(venue, item.get("instId")),
        kind=kind,
        number=_fraction(item[kind]) if trails else _price(item[kind], kind),
        best=_price(item.get("best"), "best") if trails else None,
        since_ms=_since_ms(item.get("since_ms")),
    )


def _pair(venue: Venue, inst_id: object) -> Instrument:
    listed = venue.traded(inst_id) if isinstance(inst_id, str) else None
    if listed is None or listed.contract is not None:
        pairs = ", ".join(venue.market.source.symbols)
        raise InputError(f"instId names a spot pair with candles ({pairs}), not {inst_id!r}.")
    return listed


def _price(value: object, what: str) -> Decimal:
    price = _number(value, what)
    if not 0 < price <= HIGHEST_PRICE:
        raise InputError(f"{what} is a price above 0, at most {HIGHEST_PRICE}, not {value!r}.")
    return price


def _fraction(value: object) -> Decimal:
    fraction = _number(value, Kind.BID_TRAILS)
    if not NARROWEST_TRAIL <= fraction <= 1:
        raise InputError(f"bid_trails is a fraction from {NARROWEST_TRAIL} to 1, not {value!r}.")
    return fraction


def _number(value: object, what: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InputError(f"{what} is a number, not {value!r}.")
    return decimal_from(value, what)


def _since_ms(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"since_ms is a whole number of ms, not {value!r}.")
    return value
