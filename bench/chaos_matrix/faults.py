"""What the exchange can do wrong, at each of its methods."""

from collections.abc import Iterator
from typing import Final

from chaos_matrix.injection import Act, Injection
from chaos_matrix.points import AFTER, BEFORE, ENTRY, EXIT, MOMENTS, Deed, Step
from chaos_matrix.trader import DECIDED
from chaos_matrix.ways import DEATH_SENT, EXECUTE, PLACING, RECONCILE, STOPPING, Rule, Way, at
from oxbot.domain.bot import Mode
from oxbot.domain.values import Value
from oxbot.simulator.fault_rules import NEEDS, ON_ORDERS, ON_THE_WAY, ONLY_AT, FaultKind

PARAMETERS: Final = {"code": "50001", "delay_ms": 3000, "hidden_ms": 90_000, "share": "0.4"}
"""What kinds of faults cannot do without; ms of venue time but for the delay."""


class Asking(Value):
    """A method of an exchange: where a run comes to it, and which request it makes."""

    activity: str
    method: str
    kind: str
    endpoint: str
    verb: str = "POST"
    steps: tuple[Step, ...] = ()


PAPER: Final = (
    Asking(activity=EXECUTE, method="place", kind=ENTRY, endpoint="market/books", verb="GET"),
)

LIVE: Final = (
    Asking(activity=EXECUTE, method="place", kind="", endpoint=PLACING),
    Asking(
        activity=EXECUTE,
        method="look_up",
        kind=ENTRY,
        endpoint="trade/order",
        verb="GET",
        steps=(DEATH_SENT,),
    ),
    Asking(activity=EXECUTE, method="place_stop", kind=EXIT, endpoint=STOPPING),
    Asking(activity=EXECUTE, method="see_stop", kind="", endpoint=STOPPING, verb="GET"),
    Asking(activity=EXECUTE, method="amend_stop", kind=ENTRY, endpoint="trade/amend-algos"),
    Asking(activity=EXECUTE, method="cancel_stop", kind=EXIT, endpoint="trade/cancel-algos"),
    Asking(
        activity=RECONCILE,
        method="resting_stops",
        kind="",
        endpoint="trade/orders-algo-pending",
        verb="GET",
    ),
    Asking(
        activity=RECONCILE,
        method="triggered_stops",
        kind="",
        endpoint="trade/orders-algo-history",
        verb="GET",
    ),
    Asking(
        activity=RECONCILE,
        method="recent_fills",
        kind="",
        endpoint="trade/fills-history",
        verb="GET",
    ),
    Asking(activity=RECONCILE, method="balances", kind="", endpoint="account/balance", verb="GET"),
)

TWICE: Final = 2
"""So often a request fails: after a reset the client asks once more by itself."""


def faults_of(mode: Mode) -> Iterator[Injection]:
    """Give every kind of fault, at every method of an exchange that an order passes."""
    for asking in LIVE if mode is Mode.LIVE else PAPER:
        hold = Step(
            deed=Deed.HOLD, point=at(BEFORE, asking.activity, asking.method), kind=asking.kind
        )
        for name, rule in _rules(asking):
            yield Injection(
                name=f"{mode}:fault:{name}:{asking.method}",
                style=DECIDED,
                mode=mode,
                ways=(Way(steps=(*asking.steps, hold)),),
                act=Act.FAULT,
                fault=rule,
            )


def _rules(asking: Asking) -> Iterator[tuple[str, Rule]]:
    of = {"endpoint": asking.endpoint, "method": asking.verb, "count": TWICE}
    for kind in (*ON_THE_WAY, FaultKind.NULLS):
        for when in MOMENTS if kind in ON_THE_WAY else (AFTER,):
            rule = {"kind": kind.value, **of, **_needs(kind)}
            yield f"{kind}:{when}", rule | ({"when": when} if kind in ON_THE_WAY else {})
    for kind in ON_ORDERS:
        if asking.verb == "POST" and asking.endpoint in ONLY_AT[kind]:
            once = {"kind": kind.value, "endpoint": asking.endpoint, "count": 1}
            yield kind.value, {**once, **_needs(kind)}


def _needs(kind: FaultKind) -> Rule:
    return {NEEDS[kind]: PARAMETERS[NEEDS[kind]]} if kind in NEEDS else {}
