"""The hand on the venue's clock: GET and POST /control/clock, GET /healthz.

This side is the simulator's own; OKX has nothing like it.
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from aiohttp import web

from oxbot.domain.errors import InputError
from oxbot.simulator.clock import ClockChange, ClockReading, Mode
from oxbot.simulator.halting import Halting
from oxbot.simulator.halts import parse_conditions
from oxbot.simulator.instruments import plain
from oxbot.simulator.venue import Venue

FIELDS = ("mode", "rate", "advance_ms", "to_ms", "halt_at", "examined_ms")

LARGEST_MS = 10**15
"""Times and steps beyond this many ms are no times."""


class Control:
    """The control side of the venue.

    Args:
        venue: Whose clock.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        """The paths under /control, and /healthz."""
        return [
            web.get("/control/clock", self.read),
            web.post("/control/clock", self.change),
            web.get("/healthz", self.health),
        ]

    async def read(self, _: web.Request) -> web.Response:
        """The clock as it is."""
        return _answer(self._venue.clock.read())

    async def change(self, request: web.Request) -> web.Response:
        """Change the clock; a bad wish is answered with 400 and changes nothing."""
        try:
            content = parse_object(await request.read())
            halting = parse_halting(self._venue, content)
            until = None if halting is None else halting.until
            reading = self._venue.clock.change(parse_change(content), until)
        except InputError as error:
            return refused(error)
        return _answer(reading, halting)

    async def health(self, _: web.Request) -> web.Response:
        """That the server answers."""
        return web.json_response({"status": "ok"})


def refused(error: InputError, status: int = 400) -> web.Response:
    """The answer to a wish that cannot be."""
    return web.json_response({"error": str(error)}, status=status)


def parse_json(body: bytes, parse_float: Callable[[str], object] = float) -> object:
    """A body as JSON.

    Raises:
        InputError: It is none.
    """
    try:
        content: object = json.loads(body, parse_float=parse_float)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The body is not JSON: {error}.") from error
    return content


def parse_object(body: bytes) -> dict[str, object]:
    """A body as the fields of a wish.

    Raises:
        InputError: No JSON object, or a field that is not known.
    """
    content = parse_json(body, parse_float=Decimal)
    if not isinstance(content, dict):
        raise InputError("The body must be a JSON object.")
    unknown = sorted(set(content) - set(FIELDS))
    if unknown:
        raise InputError(f"{unknown[0]!r} is not known here; use {', '.join(FIELDS)}.")
    return content


def parse_change(content: Mapping[str, object]) -> ClockChange:
    """What is wanted of the clock.

    Raises:
        InputError: A value that cannot be.
    """
    return ClockChange(
        mode=_mode(content.get("mode")),
        rate=_rate(content.get("rate")),
        advance_ms=_ms(content, "advance_ms"),
        to_ms=_ms(content, "to_ms"),
    )


def parse_halting(venue: Venue, content: Mapping[str, object]) -> Halting | None:
    """How the way halts; None where nothing is said of it.

    Raises:
        InputError: A condition that cannot be, or no way on which to halt.
    """
    wished, examined_ms = content.get("halt_at"), _ms(content, "examined_ms")
    if wished is None:
        if examined_ms is not None:
            raise InputError("examined_ms belongs to halt_at.")
        return None
    if content.get("advance_ms") is None and content.get("to_ms") is None:
        raise InputError("halt_at needs to_ms or advance_ms: where time goes if nothing halts it.")
    return Halting(venue.market, parse_conditions(venue, wished), examined_ms)


def _mode(value: object) -> Mode | None:
    if value is None:
        return None
    if value not in tuple(Mode):
        raise InputError(f"The mode is speed or stepped, not {value!r}.")
    return Mode(str(value))


def _rate(value: object) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InputError(f"The rate is a number, not {value!r}.")
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise InputError(f"The rate is a number, not {value!r}.") from error


def _ms(content: Mapping[str, object], name: str) -> int | None:
    value = content.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_MS:
        raise InputError(f"{name} is a whole number of ms, not {value!r}.")
    return value


def _answer(reading: ClockReading, halting: Halting | None = None) -> web.Response:
    return web.json_response(
        {
            "venue_ms": reading.venue_ms,
            "wall_ms": reading.wall_ms,
            "rate": plain(reading.rate),
            "mode": reading.mode,
            "ended": reading.ended,
            "market": reading.market,
            **({} if halting is None else halting.as_json()),
        }
    )
