"""What an account has: balances, orders and algo orders, all of it the sum of its events."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from oxbot.simulator.instruments import INSTRUMENTS, Instrument
from oxbot.simulator.private.events import (
    AlgoAmended,
    AlgoArmed,
    AlgoCanceled,
    AlgoFailed,
    AlgoTriggered,
    Canceled,
    Event,
    Filled,
    OrderTaken,
    ProtectionRefused,
)
from oxbot.simulator.private.spec import AccountSpec
from oxbot.simulator.private.terms import (
    Protection,
    Side,
    State,
)

USDT: Final = "USDT"
ZERO: Final = Decimal(0)


@dataclass(slots=True)
class Order:
    """One order.

    Attributes:
        taken: As it was taken.
        state: Where it stands.
        filled: So many coins are filled.
        turnover: What they cost, USDT.
        fee: Its fees, negative.
        fills: How it was filled.
        updated_ms: When something happened to it last, venue time.
        canceled: How it ended, if it was not filled.
        refusal: OKX's code if what was attached to it was refused.
    """

    taken: OrderTaken
    updated_ms: int
    state: State = State.LIVE
    filled: Decimal = ZERO
    turnover: Decimal = ZERO
    fee: Decimal = ZERO
    fills: list[Filled] = field(default_factory=list)
    canceled: Canceled | None = None
    refusal: str = ""

    @property
    def listed(self) -> Instrument:
        """Its spot pair."""
        return INSTRUMENTS[self.taken.inst_id]

    @property
    def left(self) -> Decimal:
        """What is not filled, in coins; only of an order whose size counts coins."""
        return self.taken.sz - self.filled

    @property
    def live(self) -> bool:
        """Whether more may happen to it."""
        return self.state in (State.LIVE, State.PARTIAL)

    @property
    def hold(self) -> tuple[str, Decimal]:
        """What it keeps back while it rests: the currency, and how much."""
        if self.taken.side is Side.SELL:
            return self.listed.coin, self.left
        return USDT, self.left * (self.taken.px or ZERO)

    def shown(self, now_ms: int) -> bool:
        """Whether answers show it."""
        return now_ms >= self.taken.ts + self.taken.hidden_ms


@dataclass(slots=True)
class Algo:
    """One algo order.

    Attributes:
        armed: As it was armed.
        sz: Its size now.
        protection: Its triggers now.
        ended: How it ended, if it has.
    """

    armed: AlgoArmed
    sz: Decimal
    protection: Protection
    updated_ms: int
    state: State = State.LIVE
    ended: AlgoTriggered | AlgoFailed | AlgoCanceled | None = None

    @property
    def listed(self) -> Instrument:
        """Its spot pair."""
        return INSTRUMENTS[self.armed.inst_id]

    @property
    def live(self) -> bool:
        """Whether it waits for its price."""
        return self.state is State.LIVE

    def shown(self, now_ms: int) -> bool:
        """Whether answers show it."""
        return now_ms >= self.armed.ts + self.armed.hidden_ms


class Books:
    """One account.

    Args:
        spec: As it was made.

    Attributes:
        spec: As it was made.
        balances: What it has, by currency, holds included.
        orders: All its orders by ordId, oldest first.
        algos: All its algo orders by algoId, oldest first.
        updated_ms: When a balance changed last, venue time.
    """

    def __init__(self, spec: AccountSpec, now_ms: int) -> None:
        self.spec = spec
        self.balances = dict(spec.balances)
        self.orders: dict[str, Order] = {}
        self.algos: dict[str, Algo] = {}
        self.updated_ms = now_ms
        self._live: dict[str, Order] = {}
        self._armed: dict[str, Algo] = {}
        self._named: dict[str, Order] = {}
        self._algos_named: dict[str, Algo] = {}

    @property
    def live_orders(self) -> list[Order]:
        """What rests, oldest first."""
        return list(self._live.values())

    @property
    def live_algos(self) -> list[Algo]:
        """What waits for its price, oldest first."""
        return list(self._armed.values())

    def held(self, currency: str) -> Decimal:
        """What resting orders keep back."""
        return sum((much for ccy, much in self._holds() if ccy == currency), ZERO)

    def available(self, currency: str) -> Decimal:
        """What a new order may use."""
        return self.balances.get(currency, ZERO) - self.held(currency)

    def order(self, ord_id: str = "", cl_ord_id: str = "") -> Order | None:
        """An order by OKX's number, or the newest one of a client's name."""
        return self.orders.get(ord_id) if ord_id else self._named.get(cl_ord_id)

    def algo(self, algo_id: str = "", cl_ord_id: str = "") -> Algo | None:
        """An algo order by OKX's number, or the newest one of a client's name."""
        return self.algos.get(algo_id) if algo_id else self._algos_named.get(cl_ord_id)

    def apply(self, event: Event) -> None:
        """Let an event of this account count."""
        match event:
            case OrderTaken():
                self._take(event)
            case Filled():
                self._fill(self.orders[event.ord_id], event)
            case Canceled():
                order = self._live.pop(event.ord_id)
                order.state, order.canceled, order.updated_ms = State.CANCELED, event, event.ts
            case ProtectionRefused():
                self.orders[event.ord_id].refusal = event.code
            case AlgoArmed():
                self._arm(event)
            case AlgoAmended():
                algo = self._armed[event.algo_id]
                algo.sz, algo.protection, algo.updated_ms = event.sz, event.protection, event.ts
            case AlgoTriggered() | AlgoFailed() | AlgoCanceled():
                self._end(event)

    def _holds(self) -> Iterator[tuple[str, Decimal]]:
        return (order.hold for order in self._live.values())

    def _take(self, event: OrderTaken) -> None:
        order = Order(event, event.ts)
        self.orders[event.ord_id] = self._live[event.ord_id] = order
        if event.cl_ord_id:
            self._named[event.cl_ord_id] = order

    def _fill(self, order: Order, fill: Filled) -> None:
        coin, value = order.listed.coin, fill.px * fill.sz
        way = 1 if order.taken.side is Side.BUY else -1
        for currency, change in (
            (coin, way * fill.sz),
            (USDT, -way * value),
            (fill.fee_ccy, fill.fee),
        ):
            self.balances[currency] = self.balances.get(currency, ZERO) + change
        order.filled += fill.sz
        order.turnover += value
        order.fee += fill.fee
        order.fills.append(fill)
        order.updated_ms = self.updated_ms = fill.ts
        order.state = fill.state
        if fill.state is State.FILLED:
            del self._live[fill.ord_id]

    def _arm(self, event: AlgoArmed) -> None:
        algo = Algo(event, event.sz, event.protection, event.ts)
        self.algos[event.algo_id] = self._armed[event.algo_id] = algo
        if event.protection.cl_ord_id:
            self._algos_named[event.protection.cl_ord_id] = algo

    def _end(self, event: AlgoTriggered | AlgoFailed | AlgoCanceled) -> None:
        algo = self._armed.pop(event.algo_id)
        states = {AlgoTriggered: State.EFFECTIVE, AlgoFailed: State.FAILED}
        algo.state = states.get(type(event), State.CANCELED)
        algo.ended, algo.updated_ms = event, event.ts
