"""The demo as one watches it: a table that renews itself, or lines where there is no terminal."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.live import Live

from oxbot.adapters.venue_control import VenueControl
from oxbot.app.bots import BotPage, Desk, show_bot
from oxbot.app.market_status import market_status
from oxbot.app.overview import at_market, line_of
from oxbot.cli import demo_lines, demo_table
from oxbot.cli.demo_picture import Links, Picture
from oxbot.domain.errors import Unavailable
from oxbot.records import AuditFigures

EVERY_S: Final = 1.0
"""Between two looks, in seconds."""

ROWS: Final = 8
"""Cycles, orders, events that a look reads."""

MISSED: Final = "ticks_missed"
"""Kind of the event that tells what a pause cost."""


@dataclass
class Eye:
    """Looks at one bot through the desk."""

    desk: Desk
    venue: VenueControl
    bot_id: str
    began_ms: int = field(default_factory=lambda: time.time_ns() // 10**6)
    missed: list[str] = field(default_factory=list)
    _audit: AuditFigures | None = None

    async def look(self) -> Picture:
        """See how the bot is.

        Raises:
            Unavailable: A server is away.
        """
        page = await show_bot(self.desk, self.bot_id, ROWS)
        for event in page.events:
            is_new = event.at_ms >= self.began_ms and event.text not in self.missed
            if event.kind == MISSED and is_new:
                self.missed.append(event.text)
        market = await market_status(self.desk)
        line = await line_of(self.desk.store, page.bot)
        return Picture(
            line=at_market(line, market.prices),
            page=page,
            audit=await self._audited(page),
            market=market,
            time=await self.venue.time(),
            missed=tuple(self.missed),
        )

    async def _audited(self, page: BotPage) -> AuditFigures:
        """Make the books again where cash says that something was booked since."""
        if self._audit is None or self._audit.cash_stored != page.cash:
            self._audit = await self.desk.store.audit(self.bot_id)
        return self._audit


async def watch(console: Console, eye: Eye, links: Links) -> None:
    """Show the bot until cancelled. A server that is away is said, and looked for again."""
    if console.is_terminal:
        await _renew(console, eye, links)
    else:
        await _tell(console, eye, links)


async def _renew(console: Console, eye: Eye, links: Links) -> None:
    """Renew one table."""
    trouble, picture = "", None
    with Live(console=console, auto_refresh=False) as live:
        while True:
            try:
                picture, trouble = await eye.look(), ""
            except Unavailable as error:
                trouble = str(error)
            live.update(demo_table.render(picture, links, trouble), refresh=True)
            await asyncio.sleep(EVERY_S)


async def _tell(console: Console, eye: Eye, links: Links) -> None:
    """Write a line for whatever is new."""
    console.print(demo_lines.links(links), soft_wrap=True)
    teller = demo_lines.Teller(eye.began_ms)
    trouble = ""
    while True:
        try:
            lines = teller.news(await eye.look())
            trouble = ""
        except Unavailable as error:
            lines = [] if str(error) == trouble else [str(error)]
            trouble = str(error)
        for line in lines:
            console.print(line, soft_wrap=True)
        await asyncio.sleep(EVERY_S)
