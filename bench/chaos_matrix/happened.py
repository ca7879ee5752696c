"""The simulator's log as one bot's story: which orders were its, what they traded, what rests."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

Event = Mapping[str, Any]  # Any: JSON
ZERO: Final = Decimal(0)


@dataclass
class Sent:
    """An order that the exchange took.

    `name` is ours for it, or that of the stop that it came of; `of_stop` says which.
    """

    name: str
    symbol: str
    buys: bool
    size: Decimal
    seq: int
    ts: int
    of_stop: bool
    fills: list[Event] = field(default_factory=list)
    ended: bool = False

    @property
    def filled(self) -> Decimal:
        """Coins that it traded."""
        return sum((Decimal(fill["sz"]) for fill in self.fills), ZERO)

    @property
    def average(self) -> Decimal:
        """What its coins were traded at, in USDT; only of one that was filled."""
        worth = sum((Decimal(f["sz"]) * Decimal(f["px"]) for f in self.fills), ZERO)
        return worth / self.filled

    @property
    def coins(self) -> Decimal:
        """By how much it changed the coin's balance."""
        fees = sum((Decimal(f["fee"]) for f in self.fills if f["feeCcy"] != "USDT"), ZERO)
        return (self.filled if self.buys else -self.filled) + fees

    @property
    def cash(self) -> Decimal:
        """By how much it changed the balance in USDT."""
        worth = sum((Decimal(f["sz"]) * Decimal(f["px"]) for f in self.fills), ZERO)
        fees = sum((Decimal(f["fee"]) for f in self.fills if f["feeCcy"] == "USDT"), ZERO)
        return (-worth if self.buys else worth) + fees


@dataclass
class Resting:
    """A stop that rests at the exchange, or did."""

    name: str
    symbol: str
    size: Decimal
    stop: Decimal | None
    target: Decimal | None
    alive: bool = True


@dataclass(frozen=True)
class Change:
    """Coins that came or went, or a stop of which so much is guarded now; by whose name."""

    ts: int
    name: str
    symbol: str
    coins: Decimal = ZERO
    stop: str = ""
    size: Decimal = ZERO


class Happened:
    """What the log of one account says, as far as it has been heard."""

    def __init__(self) -> None:
        self.sent: dict[str, Sent] = {}
        self.stops: dict[str, Resting] = {}
        self.changes: list[Change] = []
        self.latest = 0

    def hear(self, events: Iterable[Event]) -> None:
        """Take note of what has happened, oldest first; what was heard before is passed over."""
        for event in events:
            if event["seq"] > self.latest:
                self.latest = event["seq"]
                self._note(event)

    def of(self, names: Iterable[str]) -> list[Sent]:
        """Give the orders of these names, in the order in which they were taken."""
        known = frozenset(names)
        return [sent for sent in self.sent.values() if sent.name in known]

    def resting(self, names: Iterable[str], symbol: str) -> list[Resting]:
        """Give the stops of these names that are alive."""
        known = frozenset(names)
        return [
            stop
            for stop in self.stops.values()
            if stop.alive and stop.name in known and stop.symbol == symbol
        ]

    def _note(self, event: Event) -> None:
        kind = event["event"]
        if kind == "order":
            self._taken(event)
        elif kind == "fill":
            sent = self.sent[event["ordId"]]
            sent.fills.append(event)
            self.changes.append(Change(event["ts"], sent.name, sent.symbol, _coins(sent, event)))
            sent.ended = sent.ended or event["state"] == "filled"
        elif kind == "cancel":
            self.sent[event["ordId"]].ended = True
        elif kind in ("algo", "algo_amended"):
            self._rests(event)
        elif kind in ("algo_triggered", "algo_failed", "algo_canceled"):
            stop = self.stops[event["algoId"]]
            stop.alive = False
            self.changes.append(Change(event["ts"], stop.name, stop.symbol, stop=event["algoId"]))

    def _taken(self, event: Event) -> None:
        stop = self.stops.get(event["algoId"])
        self.sent[event["ordId"]] = Sent(
            name=stop.name if stop else event["clOrdId"],
            symbol=event["instId"].replace("-", "/"),
            buys=event["side"] == "buy",
            size=Decimal(event["sz"]),
            seq=event["seq"],
            ts=event["ts"],
            of_stop=stop is not None,
        )

    def _rests(self, event: Event) -> None:
        known = self.stops.get(event["algoId"])
        stop, target = (event["protection"].get(name) for name in ("stop", "target"))
        rests = self.stops[event["algoId"]] = Resting(
            name=known.name if known else event["protection"]["clOrdId"],
            symbol=known.symbol if known else event["instId"].replace("-", "/"),
            size=Decimal(event["sz"]),
            stop=Decimal(stop["trigger"]) if stop else None,
            target=Decimal(target["trigger"]) if target else None,
        )
        guarded = rests.size if rests.stop is not None else ZERO
        change = Change(event["ts"], rests.name, rests.symbol, stop=event["algoId"], size=guarded)
        self.changes.append(change)


def _coins(sent: Sent, fill: Event) -> Decimal:
    """Give by how many coins a fill changes what is held: its fee may be in the coin."""
    fee = Decimal(fill["fee"]) if fill["feeCcy"] != "USDT" else ZERO
    return (Decimal(fill["sz"]) if sent.buys else -Decimal(fill["sz"])) + fee
