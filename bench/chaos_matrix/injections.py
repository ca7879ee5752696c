"""What can go wrong in a run: the whole list, made from the code."""

from collections.abc import Iterator
from typing import Final

from chaos_matrix.awaits import activities_found, executing
from chaos_matrix.faults import faults_of
from chaos_matrix.injection import CONTROL_POINTS, Act, Injection
from chaos_matrix.points import AFTER, BEFORE, ENTRY, EXIT, MOMENTS, Deed, Point, Step
from chaos_matrix.system import SERVERS
from chaos_matrix.trader import DECIDED, GUARDED, NARROW, WATCHED
from chaos_matrix.ways import (
    BY_A_PERSON,
    CLAIMS,
    EXECUTE,
    NOT_LED_TO,
    PROTECT,
    RECONCILE,
    Way,
    at,
    ways_to,
)
from oxbot.domain.bot import Mode

WATCH, EXAMINE = "watch_prices", "examine"
"""Activities of the market watch."""

OF_AN_ORDER: Final = frozenset(
    ("claim", "place", "settle", "look_up", "release", "finish_order", "")
)
"""Methods at which an entry is something else than an exit; and the activity as a whole."""

READS: Final = frozenset(
    (
        "order",
        "bot",
        "fills",
        "exit_view",
        "known_orders",
        "stop_view",
        "portfolio",
        "known_stops",
        "stops_of_coin",
        "claims",
        "booked_trades",
        "sent_symbols",
        "unfinished_orders",
        "untold_orders",
        "look_up",
        "see_stop",
        "balances",
        "recent_fills",
        "resting_stops",
        "triggered_stops",
        "unfit",
    )
)
"""Methods that change nothing: what was read before a halt is acted on after the next one."""

SKEWS_MS: Final = (-4000, 4000)
"""By how much a clock is off, in venue ms."""

SHORT: Final = {
    Mode.PAPER: (
        "kill:after:execute_order.place:entry",
        "kill:before:execute_order.settle:exit",
        "kill:after:protect.intend_exit",
        "suspend:before:execute_order.place:entry",
        "pause:before:execute_order.place",
        "protect stale",
    ),
    Mode.LIVE: (
        "kill:after:execute_order.claim:entry",
        "kill:after:execute_order.place:entry",
        "kill:before:execute_order.look_up:entry",
        "kill:before:execute_order.amend_stop",
        "kill:after:execute_order.cancel_stop",
        "kill:after:protect.cancel_stop",
        "kill:before:reconcile.look_up",
        "suspend:before:execute_order.place:entry",
        "suspend:before:execute_order.place:entry:soon",
        "suspend:before:execute_order.settle:entry",
        "stop:before:execute_order.claim",
        "protect again",
        "fault:timeout:after:place",
        "fault:stop_rejected:place",
    ),
}
"""Some of each sort, for a look that takes a minute."""


def short(mode: Mode) -> list[Injection]:
    """Give some injections of each sort.

    Raises:
        ValueError: There is none of such a name any more.
    """
    every = {each.name.removeprefix(f"{mode}:"): each for each in catalogue(mode)}
    if gone := [name for name in SHORT[mode] if name not in every]:
        raise ValueError(f"the short form names what there is no more: {', '.join(gone)}")
    return [every[name] for name in SHORT[mode]]


def catalogue(mode: Mode) -> list[Injection]:
    """Give all of a mode."""
    return [
        *_deaths(mode),
        *_zombies(mode),
        *_control(mode),
        *_signals(mode),
        *faults_of(mode),
        *_skews(mode),
        *_shared(mode),
    ]


def points(mode: Mode) -> Iterator[Point]:
    """Give every point that the worker of a bot has; on paper there is no account to look at."""
    left_out = (WATCH, EXAMINE, *BY_A_PERSON, *((RECONCILE,) if mode is Mode.PAPER else ()))
    for name in activities_found(mode):
        if name not in left_out:
            yield from (at(moment, name) for moment in MOMENTS)
    yield from awaited(mode)


def awaited(mode: Mode) -> Iterator[Point]:
    """Give every point inside the activities on whose way an order can be sent."""
    for name, methods in executing(mode).items():
        for method in methods:
            if name not in BY_A_PERSON and (name, method) not in NOT_LED_TO:
                yield from (at(moment, name, method) for moment in MOMENTS)


def _deaths(mode: Mode) -> Iterator[Injection]:
    for point in points(mode):
        for kind in _kinds(point):
            yield _at(mode, Deed.KILL, point, kind)


def _zombies(mode: Mode) -> Iterator[Injection]:
    for point in awaited(mode):
        if point.moment == BEFORE and point.method not in READS:
            for kind in _kinds(point):
                yield _at(mode, Deed.SUSPEND, point, kind)
                yield _at(mode, Deed.SUSPEND, point, kind, soon=True)


def _at(mode: Mode, deed: Deed, point: Point, kind: str, *, soon: bool = False) -> Injection:
    step = Step(deed=deed, point=point, kind=kind, soon=soon)
    return Injection(
        name=":".join((mode, deed, str(point), *([kind] if kind else []), *(["soon"] * soon))),
        style=_style(point),
        mode=mode,
        ways=ways_to(mode, step),
    )


def _kinds(point: Point) -> tuple[str, ...]:
    if point.activity == EXECUTE and point.method in OF_AN_ORDER:
        return (ENTRY, EXIT)
    return ("",)


def _style(point: Point) -> str:
    if point.method == "adopt" and point.activity == EXECUTE:
        return NARROW
    if point.activity == PROTECT:
        # A worker is away first for as long as a narrow stop takes to be reached.
        return DECIDED if point.method == "amend_stop" else GUARDED
    return GUARDED if (point.activity, point.method) == (RECONCILE, "adopt") else DECIDED


def _control(mode: Mode) -> Iterator[Injection]:
    for act in (Act.PAUSE, Act.STOP):
        for point in CONTROL_POINTS:
            kind = ENTRY if point.activity == EXECUTE else ""
            yield _held(mode, f"{act}:{point}", DECIDED, point, kind, act)


def _signals(mode: Mode) -> Iterator[Injection]:
    intending = at(BEFORE, PROTECT, CLAIMS[PROTECT])
    claiming = at(BEFORE, EXECUTE, CLAIMS[EXECUTE])
    yield _held(mode, Act.AGAIN, GUARDED, intending, "", Act.AGAIN)
    yield _held(mode, Act.STALE, DECIDED, claiming, EXIT, Act.STALE)
    yield _held(mode, Act.LATE, DECIDED, claiming, EXIT, Act.LATE)


def _held(mode: Mode, name: str, style: str, point: Point, kind: str, act: Act) -> Injection:
    """Make one that does something while the worker holds at a point."""
    hold = Step(deed=Deed.HOLD, point=point, kind=kind)
    ways = (Way(steps=(hold,)),)
    return Injection(name=f"{mode}:{name}", style=style, mode=mode, ways=ways, act=act)


def _skews(mode: Mode) -> Iterator[Injection]:
    for skew_ms in SKEWS_MS:
        for style in (GUARDED, DECIDED):
            name = f"{mode}:clock {skew_ms:+d} ms:{style}"
            yield Injection(name=name, style=style, mode=mode, skew_ms=skew_ms)


def _shared(mode: Mode) -> Iterator[Injection]:
    """Give what strikes all bots; guards are examined where time is stepped, which is on paper."""
    for server in SERVERS:
        name = f"{mode}:kill:{server}"
        act = {"act": Act.SERVER, "target": server, "shared": True}
        yield Injection.model_validate({"name": name, "style": GUARDED, "mode": mode, **act})
    for act_at, activity in ((Act.WATCH, WATCH), (Act.EXAMINE, EXAMINE)):
        for moment in () if mode is Mode.LIVE and activity == EXAMINE else MOMENTS:
            step = Step(deed=Deed.KILL, point=at(moment, activity))
            begins = Step(deed=Deed.HOLD, point=at(BEFORE, activity))
            ends = activity == WATCH and moment == AFTER
            yield Injection(
                name=f"{mode}:kill:{step.point}",
                style=WATCHED,
                mode=mode,
                ways=(Way(steps=(begins, step) if ends else (step,)),),
                act=act_at,
                shared=True,
            )
