"""How a run comes to a point that nobody comes to where all goes well."""

from typing import Final

from chaos_matrix.points import AFTER, BEFORE, ENTRY, EXIT, Deed, Point, Step
from oxbot.domain.bot import Mode
from oxbot.domain.values import Value

EXECUTE, PROTECT, RECONCILE = "execute_order", "protect", "reconcile"
"""Activities that are known by name: how a bot has to live to come to them."""

Rule = dict[str, object]
"""A fault rule of the simulator."""

TRIGGERED_S: Final = 2.5
"""Seconds in which a stop that lies near enough is reached."""

AWAY_S: Final = {Mode.PAPER: 13, Mode.LIVE: 63}
"""Seconds that a killed worker is away: so long that its activity is given up, which may take a
minute where it asks the exchange about orders."""


class Way(Value):
    """How a run comes to its point: steps in their order, and how long a killed worker is away.

    Where it holds on the way, `faults` are added and `wait_s` seconds go by. `late`: protections
    of what is gone come while a worker is away.
    """

    steps: tuple[Step, ...] = ()
    down_s: float = 0
    late: bool = False
    wait_s: float = 0
    faults: tuple[Rule, ...] = ()


CLAIMS: Final = {EXECUTE: "claim", PROTECT: "intend_exit"}
"""What makes an order an attempt's own: an attempt that died right after leaves it sent."""

PLACING: Final = "trade/batch-orders"
STOPPING: Final = "trade/order-algo"

REFUSED: Final[dict[Mode, Rule]] = {
    Mode.PAPER: {"kind": "code", "code": "51001", "endpoint": "market/books", "count": 1},
    Mode.LIVE: {"kind": "code", "code": "51008", "endpoint": PLACING, "count": 1},
}
"""What makes an exchange refuse the next order."""

UNFILLED: Final[Rule] = {"kind": "partial", "share": "0", "endpoint": PLACING, "count": 1}
"""What leaves the next order without a fill."""

NO_STOP: Final[Rule] = {"kind": "stop_rejected", "endpoint": PLACING, "count": 1}
"""What leaves the next entry without its stop."""

NEVER_A_STOP: Final[tuple[Rule, ...]] = (
    NO_STOP,
    {"kind": "code", "code": "51000", "endpoint": STOPPING, "method": "POST", "count": 2},
)
"""What leaves it without, whatever is tried, so that the position has to be sold."""

NO_CHANGE: Final[Rule] = {
    "kind": "code",
    "code": "51000",
    "endpoint": "trade/amend-algos",
    "count": 1,
}
"""What makes an exchange refuse to change the next stop."""

SALE: Final = frozenset(
    ("exit_view", "intend_exit", "known_orders", "note_protection", "tell_order", "place")
)
"""What the sale of a position that can have no stop awaits."""

STOPS: Final = frozenset(("intend_stop", "place_stop"))

LIKELY: Final[dict[tuple[str, str], str]] = {
    **{(of, method): "claimed" for of in CLAIMS for method in ("look_up", "release")},
    **{(of, "finish_order"): "refused" for of in CLAIMS},
    (PROTECT, "known_orders"): "claimed",
    (PROTECT, "claim"): "claimed",
    **{(PROTECT, method): "late" for method in ("amend_stop", "bot")},
    **{(PROTECT, method): "refused" for method in STOPS},
    **{(EXECUTE, method): "naked" for method in SALE - {"place"}},
    **{(RECONCILE, method): "naked" for method in SALE - {"known_orders"}},
    **{(RECONCILE, method): "no stop" for method in STOPS},
    **{(RECONCILE, method): "forgotten" for method in ("look_up", "settle", "fills", "amend_stop")},
    (EXECUTE, "adopt"): "triggered",
    (RECONCILE, "release"): "unsent",
    (RECONCILE, "finish_order"): "unfilled",
    (RECONCILE, "cancel_stop"): "unchanged",
}
"""Which way leads to methods that nobody comes to where all goes well; only saves time."""

NOT_LED_TO: Final = frozenset(
    (
        (PROTECT, "order"),
        (RECONCILE, "order"),
        (RECONCILE, "claim"),
        (RECONCILE, "stops_of_coin"),
    )
)
"""Methods that no way leads to: another attempt has to claim the order in the same instant, or
the account has to lack what its bots hold."""

BY_A_PERSON: Final = ("say_over", "write_off")
"""Activities of a person who settles something; their own tests end them before each call."""


def at(moment: str, activity: str, method: str = "") -> Point:
    """Give a point."""
    return Point(moment=moment, activity=activity, method=method)


HOLD_ENTRY: Final = Step(deed=Deed.HOLD, point=at(BEFORE, EXECUTE, "place"), kind=ENTRY)
DEATH_UNSENT: Final = Step(deed=Deed.KILL, point=at(AFTER, EXECUTE, "claim"), kind=ENTRY)
DEATH_SENT: Final = Step(deed=Deed.KILL, point=at(AFTER, EXECUTE, "place"), kind=ENTRY)


def ways_to(mode: Mode, step: Step) -> tuple[Way, ...]:
    """Give the ways to a point, the likeliest first: which leads there, the runs find out."""
    ways = {"": Way(steps=(step,)), **_on_the_way(mode, step)}
    if mode is Mode.LIVE:
        ways |= _past_the_stop(step) if step.point.activity == EXECUTE else {}
        ways |= _forgotten(step) if step.point.activity == RECONCILE else {}
    first = LIKELY.get((step.point.activity, step.point.method), "")
    return tuple(sorted(ways.values(), key=lambda way: way != ways.get(first)))


def _on_the_way(mode: Mode, step: Step) -> dict[str, Way]:
    """Give the ways of an order: its attempt died, it is refused, others ask in between."""
    activity, ways = step.point.activity, {}
    if activity in CLAIMS:
        claimed = Step(deed=Deed.KILL, point=at(AFTER, activity, CLAIMS[activity]), kind=step.kind)
        ways["claimed"] = Way(steps=(claimed, step))
    if activity in CLAIMS and step.deed is not Deed.HOLD:
        hold = Step(deed=Deed.HOLD, point=at(BEFORE, activity, "place"), kind=step.kind)
        ways["refused"] = Way(steps=(hold, step), faults=(REFUSED[mode],))
    if activity == PROTECT:
        death = DEATH_SENT if mode is Mode.LIVE else DEATH_UNSENT
        ways["late"] = Way(steps=(death, step), down_s=AWAY_S[mode], late=True)
    return ways


def _past_the_stop(step: Step) -> dict[str, Way]:
    """Give the ways of an entry that can have no stop, and of one whose stop acts at once."""
    if step.deed is Deed.HOLD or step.kind == EXIT:
        return {}
    seeing = Step(deed=Deed.HOLD, point=at(BEFORE, EXECUTE, "see_stop"), kind=ENTRY)
    return {
        "naked": Way(steps=(HOLD_ENTRY, step), faults=NEVER_A_STOP),
        "triggered": Way(steps=(seeing, step), wait_s=TRIGGERED_S),
    }


def _forgotten(step: Step) -> dict[str, Way]:
    """Give the ways of an entry whose attempts were given up: the next cycle looks it up."""
    away_s = AWAY_S[Mode.LIVE]
    found = {
        "forgotten": Way(steps=(DEATH_SENT, step), down_s=away_s),
        "unsent": Way(steps=(DEATH_UNSENT, step), down_s=away_s),
    }
    if step.deed is Deed.HOLD:
        return found
    held = (HOLD_ENTRY, DEATH_SENT, step)
    amending = Step(deed=Deed.HOLD, point=at(BEFORE, RECONCILE, "amend_stop"))
    return found | {
        "unfilled": Way(steps=held, down_s=away_s, faults=(UNFILLED,)),
        "no stop": Way(steps=held, down_s=away_s, faults=(NO_STOP,)),
        "naked": Way(steps=held, down_s=away_s, faults=NEVER_A_STOP),
        "unchanged": Way(steps=(DEATH_SENT, amending, step), down_s=away_s, faults=(NO_CHANGE,)),
    }
