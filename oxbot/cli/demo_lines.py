"""The demo where there is no terminal: a line for each thing that happens."""

from collections.abc import Iterator

from oxbot.app.telling import money, price, when
from oxbot.cli.demo_picture import TRY, Links, Picture
from oxbot.domain.market import base_of
from oxbot.records import CycleRow, EventRow


def links(found: Links) -> str:
    """Say where to look further."""
    return f"API {found.api}  Web UI {found.web_ui}\nTry: {TRY}"


class Teller:
    """Remembers what it told, so that each thing is told once."""

    def __init__(self, began_ms: int) -> None:
        self._cycle: int | None = None
        self._began_ms = began_ms
        self._event_ms = began_ms

    def news(self, picture: Picture) -> list[str]:
        """Give the lines for what is new, oldest first."""
        return [*self._events(picture), *self._cycles(picture)]

    def _events(self, picture: Picture) -> Iterator[str]:
        fresh = [event for event in picture.page.events if event.at_ms > self._event_ms]
        for event in reversed(fresh):
            self._event_ms = event.at_ms
            yield _event(event)

    def _cycles(self, picture: Picture) -> Iterator[str]:
        rows = [row for row in picture.page.cycles if row.state != "begun"]
        if not rows:
            return
        if self._cycle is None:
            self._cycle = self._told_before(rows)
            if self._cycle:
                yield f"Going on after cycle {self._cycle}"
        for row in reversed(rows):
            if row.cycle > self._cycle:
                yield _cycle(row, picture)
        self._cycle = rows[0].cycle

    def _told_before(self, rows: list[CycleRow]) -> int:
        """Give the last cycle recorded before this start; 0 where there is none."""
        earlier = (row.cycle for row in rows if (row.recorded_ms or 0) < self._began_ms)
        return max(earlier, default=0)


def _event(event: EventRow) -> str:
    return f"  {event.text}"


def _cycle(row: CycleRow, picture: Picture) -> str:
    ended = f"skipped: {row.skipped}" if row.skipped else f"decision (baseline): {row.decision}"
    prices = " ".join(f"{base_of(s)} {price(q.last)}" for s, q in picture.line.quotes.items())
    return (
        f"cycle {row.cycle} at {when(row.due_ms)}: equity {money(row.equity)} USDT, "
        f"orders {row.orders}, {ended}; {prices}"
    )
