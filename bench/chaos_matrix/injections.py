"""What can go wrong in a run: the whole list, made from the code."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pydantic import Field

from chaos_matrix.awaits import EXCHANGE, activities_found, executing
from chaos_matrix.points import AFTER, BEFORE, ENTRY, EXIT, MOMENTS, Deed, Point, Step
from chaos_matrix.system import SERVERS
from chaos_matrix.trader import DECIDED, GUARDED, WATCHED
from chaos_matrix.ways import CLAIMS, EXECUTE, PROTECT, Rule, Way, ways_to
from oxbot.domain.bot import Mode
from oxbot.domain.values import Value
from oxbot.simulator.fault_rules import NEEDS, ON_ORDERS, ON_THE_WAY, FaultKind

WATCH, EXAMINE = "watch_prices", "examine"
"""Activities of the market watch, not of a bot."""


class Act(StrEnum):
    """What is done around a worker that holds at a point, or to the whole system."""

    NOTHING = ""
    PAUSE = "pause"
    STOP = "stop"
    AGAIN = "protect again"
    STALE = "protect stale"
    LATE = "protect late"
    FAULT = "fault"
    SERVER = "server"
    WATCH = "watch"
    EXAMINE = "examine"


class Injection(Value):
    """One thing that goes wrong, of which a run has one.

    `ways` are tried in turn until one has led there. `kinds` alternate. `fault` is a rule of the
    simulator. `shared` ones strike all bots that run.
    """

    name: str
    style: str
    mode: Mode
    ways: tuple[Way, ...] = (Way(),)
    act: Act = Act.NOTHING
    fault: Rule = Field(default_factory=dict)
    target: str = ""
    skew_ms: int = 0
    shared: bool = False


CONTROL_POINTS: Final = (
    Point(moment=AFTER, activity="validate_risk"),
    *(Point(moment=BEFORE, activity=EXECUTE, method=name) for name in ("claim", "place", "settle")),
)
"""The moments of an entry at which somebody may call it off."""

PARAMETERS: Final = {
    "code": "50001",
    "delay_ms": 3000,
    "skew_ms": 0,
    "hidden_ms": 20_000,
    "share": "0.4",
}
"""What kinds of faults cannot do without; ms of venue time but for the delay."""

SKEWS_MS: Final = (-4000, 4000)
"""By how much a clock is off, in venue ms."""


SHORT: Final = (
    "kill:after:validate_risk",
    "kill:after:execute_order.claim:entry",
    "kill:after:execute_order.place:entry",
    "kill:before:execute_order.settle:exit",
    "kill:before:execute_order.look_up:entry",
    "kill:after:protect.intend_exit",
    "kill:after:protect.place",
    "kill:before:protect.look_up",
    "suspend:before:execute_order.place:entry",
    "suspend:before:execute_order.settle:exit",
    "suspend:before:protect.place",
    "pause:before:execute_order.place",
    "stop:before:execute_order.claim",
    "protect again",
    "protect stale",
    "fault:timeout:before:execute_order.place",
)
"""One of each sort, for a look that takes a minute."""


def short(mode: Mode) -> list[Injection]:
    """Give one injection of each sort.

    Raises:
        ValueError: There is none of such a name any more.
    """
    every = {each.name.removeprefix(f"{mode}:"): each for each in catalogue(mode)}
    if gone := [name for name in SHORT if name not in every]:
        raise ValueError(f"the short form names what there is no more: {', '.join(gone)}")
    return [every[name] for name in SHORT]


def catalogue(mode: Mode) -> list[Injection]:
    """Give all of a mode."""
    return [
        *_deaths(mode),
        *_zombies(mode),
        *_control(mode),
        *_signals(mode),
        *_faults(mode),
        *_skews(mode),
        *_shared(mode),
    ]


def points() -> Iterator[Point]:
    """Give every point that a bot's worker has."""
    for name in activities_found():
        if name not in (WATCH, EXAMINE):
            yield from (Point(moment=moment, activity=name) for moment in MOMENTS)
    yield from awaited()


def awaited() -> Iterator[Point]:
    """Give every point inside the activities on whose way an order can be sent."""
    for name, methods in executing().items():
        for method in methods:
            yield from (Point(moment=moment, activity=name, method=method) for moment in MOMENTS)


def _deaths(mode: Mode) -> Iterator[Injection]:
    for point in points():
        for kind in _kinds(point):
            yield _at(mode, Deed.KILL, point, kind)


def _zombies(mode: Mode) -> Iterator[Injection]:
    for point in awaited():
        if point.moment == BEFORE:
            for kind in _kinds(point):
                yield _at(mode, Deed.SUSPEND, point, kind)


def _at(mode: Mode, deed: Deed, point: Point, kind: str) -> Injection:
    step = Step(deed=deed, point=point, kind=kind)
    return Injection(
        name=f"{mode}:{deed}:{point}{':' if kind else ''}{kind}",
        style=_style(point),
        mode=mode,
        ways=ways_to(mode, step),
    )


def _kinds(point: Point) -> tuple[str, ...]:
    return (ENTRY, EXIT) if point.activity == EXECUTE else ("",)


def _style(point: Point) -> str:
    return GUARDED if point.activity == PROTECT else DECIDED


def _control(mode: Mode) -> Iterator[Injection]:
    for act in (Act.PAUSE, Act.STOP):
        for point in CONTROL_POINTS:
            kind = ENTRY if point.activity == EXECUTE else ""
            hold = Step(deed=Deed.HOLD, point=point, kind=kind)
            yield Injection(
                name=f"{mode}:{act}:{point}",
                style=DECIDED,
                mode=mode,
                ways=(Way(steps=(hold,)),),
                act=act,
            )


def _signals(mode: Mode) -> Iterator[Injection]:
    intending = Point(moment=BEFORE, activity=PROTECT, method=CLAIMS[PROTECT])
    claiming = Point(moment=BEFORE, activity=EXECUTE, method=CLAIMS[EXECUTE])
    for act, style, point in (
        (Act.AGAIN, GUARDED, intending),
        (Act.STALE, DECIDED, claiming),
        (Act.LATE, DECIDED, claiming),
    ):
        hold = Step(deed=Deed.HOLD, point=point, kind=EXIT if point is claiming else "")
        yield Injection(
            name=f"{mode}:{act}", style=style, mode=mode, ways=(Way(steps=(hold,)),), act=act
        )


def _faults(mode: Mode) -> Iterator[Injection]:
    """Give every kind of fault, at every method of an exchange that an order passes."""
    for activity, methods in executing().items():
        for method in EXCHANGE.intersection(methods):
            if mode is Mode.PAPER and method != "place":
                continue
            for name, rule in _rules(mode, method):
                point = Point(moment=BEFORE, activity=activity, method=method)
                hold = Step(deed=Deed.HOLD, point=point)
                yield Injection(
                    name=f"{mode}:fault:{name}:{activity}.{method}",
                    style=_style(point),
                    mode=mode,
                    ways=ways_to(mode, hold),
                    act=Act.FAULT,
                    fault=rule,
                )


def _rules(mode: Mode, method: str) -> Iterator[tuple[str, Rule]]:
    endpoint = "trade" if mode is Mode.LIVE else "market/books"
    for kind in (*ON_THE_WAY, FaultKind.NULLS):
        for when in MOMENTS if kind in ON_THE_WAY else (AFTER,):
            rule = {"kind": kind.value, "endpoint": endpoint, "count": 2, **_needs(kind)}
            yield f"{kind}:{when}", {**rule, "when": when}
    if mode is Mode.LIVE and method == "place":
        for kind in ON_ORDERS:
            yield (
                kind.value,
                {"kind": kind.value, "endpoint": "trade/batch-orders", "count": 1, **_needs(kind)},
            )


def _needs(kind: FaultKind) -> Rule:
    return {NEEDS[kind]: PARAMETERS[NEEDS[kind]]} if kind in NEEDS else {}


def _skews(mode: Mode) -> Iterator[Injection]:
    for skew_ms in SKEWS_MS:
        for style in (GUARDED, DECIDED):
            yield Injection(
                name=f"{mode}:clock {skew_ms:+d} ms:{style}",
                style=style,
                mode=mode,
                skew_ms=skew_ms,
            )


def _shared(mode: Mode) -> Iterator[Injection]:
    for server in SERVERS:
        yield Injection(
            name=f"{mode}:kill:{server}",
            style=GUARDED,
            mode=mode,
            act=Act.SERVER,
            target=server,
            shared=True,
        )
    for act, activity in ((Act.WATCH, WATCH), (Act.EXAMINE, EXAMINE)):
        for moment in MOMENTS:
            step = Step(deed=Deed.KILL, point=Point(moment=moment, activity=activity))
            yield Injection(
                name=f"{mode}:kill:{step.point}",
                style=WATCHED,
                mode=mode,
                ways=(Way(steps=(step,)),),
                act=act,
                shared=True,
            )
