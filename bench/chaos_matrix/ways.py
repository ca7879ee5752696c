"""How a run comes to a point that nobody comes to where all goes well."""

from typing import Final

from pydantic import Field

from chaos_matrix.points import AFTER, BEFORE, ENTRY, Deed, Point, Step
from oxbot.domain.bot import Mode
from oxbot.domain.values import Value

EXECUTE, PROTECT = "execute_order", "protect"
"""Activities that are known by name: how a bot has to live to come to them."""

Rule = dict[str, object]
"""A fault rule of the simulator."""


class Way(Value):
    """How a run comes to its point: steps in their order, and how long a killed worker is away.

    `late`: protections of what is gone come while it is away. `fault` is added where it holds.
    """

    steps: tuple[Step, ...] = ()
    down_s: float = 0
    late: bool = False
    fault: Rule = Field(default_factory=dict)


CLAIMS: Final = {EXECUTE: "claim", PROTECT: "intend_exit"}
"""What makes an order an attempt's own: an attempt that died right after leaves it sent."""

REFUSED: Final[dict[Mode, Rule]] = {
    Mode.PAPER: {"kind": "code", "code": "51001", "endpoint": "market/books", "count": 1},
    Mode.LIVE: {"kind": "code", "code": "51008", "endpoint": "trade/batch-orders", "count": 1},
}
"""What makes an exchange refuse the next order."""

LIKELY: Final = {
    **dict.fromkeys(("look_up", "release", "known_orders"), "claimed"),
    "finish_order": "refused",
}
"""Which way leads to methods that nobody comes to where all goes well; only saves time."""

LATE_CLAIM: Final = Step(
    deed=Deed.KILL, point=Point(moment=AFTER, activity=EXECUTE, method="claim"), kind=ENTRY
)


def ways_to(mode: Mode, step: Step) -> tuple[Way, ...]:
    """Give the ways to a point, the likeliest first: which leads there, the runs find out."""
    activity = step.point.activity
    ways = {"": Way(steps=(step,))}
    if activity in CLAIMS:
        claimed = Point(moment=AFTER, activity=activity, method=CLAIMS[activity])
        death = Step(deed=Deed.KILL, point=claimed, kind=step.kind)
        ways["claimed"] = Way(steps=(death, step))
    if activity in CLAIMS and step.deed is not Deed.HOLD:
        placing = Point(moment=BEFORE, activity=activity, method="place")
        hold = Step(deed=Deed.HOLD, point=placing, kind=step.kind)
        ways["refused"] = Way(steps=(hold, step), fault=REFUSED[mode])
    if activity == PROTECT:
        ways["late"] = Way(steps=(LATE_CLAIM, step), down_s=13, late=True)
    first = LIKELY.get(step.point.method, "")
    return tuple(sorted(ways.values(), key=lambda way: way != ways.get(first)))
