"""What `oxbot positions` and `oxbot bots positions` do."""

import asyncio
from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from rich.table import Table
from rich.text import Text

from oxbot.app.positions import OpenPosition, Prices, open_positions
from oxbot.app.telling import coins, gain, price, when, zone
from oxbot.bootstrap.prices import open_prices
from oxbot.bootstrap.record import open_reading
from oxbot.cli import output
from oxbot.cli.at_rest import on_record
from oxbot.cli.bot_pages import LIVE_STYLE
from oxbot.cli.config_sources import load_settings
from oxbot.domain.bot import Mode
from oxbot.domain.market import base_of
from oxbot.domain.money import Price
from oxbot.ports.reading import Reading
from oxbot.records.reading import Page, Part

AT_ONCE: Final = 500


def show(bot_id: str | None, *, as_json: bool) -> None:
    """Write the positions of one bot, or of all (None). NotFound."""
    held = asyncio.run(_looked_up(bot_id))
    if as_json:
        output.write_json(Page(items=tuple(held)))
        return
    console = output.console()
    if not held:
        whose = "No bot" if bot_id is None else f"Bot {bot_id}"
        console.print(f"{whose} holds {'anything' if bot_id is None else 'nothing'}.")
        return
    console.print(table(held, zone(load_settings().timezone)))
    for told in stops_told(held):
        console.print(told)


async def _looked_up(bot_id: str | None) -> list[OpenPosition]:
    settings = load_settings()
    async with (
        on_record(settings) as found,
        open_reading(found) as reading,
        open_prices(found) as prices,
    ):
        if bot_id is not None:
            await reading.must_exist(bot_id)
        return await _all_pages(reading, prices, bot_id)


async def _all_pages(reading: Reading, prices: Prices, bot_id: str | None) -> list[OpenPosition]:
    found: list[OpenPosition] = []
    cursor: str | None = None
    while True:
        part = Part(limit=AT_ONCE, cursor=cursor)
        page = await open_positions(reading, prices, None, part, bot_id)
        found += page.items
        cursor = page.next
        if cursor is None:
            return found


def table(held: Sequence[OpenPosition], shown_in: tzinfo) -> Table:
    """Make the table of positions; `since` is the venue's time, amounts are in USDT."""
    return output.table(
        "Positions, at the newest prices known; net after all fees, as if closed now",
        ("bot", "coin", "quantity>", "entry>", "stop>", "target>", "price>", "net>", "since"),
        (
            (
                Text(one.bot_id, LIVE_STYLE if one.mode is Mode.LIVE else ""),
                base_of(one.symbol),
                coins(one.quantity),
                price(one.average_price),
                price(_stop(one)),
                price(one.target_price),
                price(one.price),
                gain(one.net_pnl),
                when(one.opened_ms, shown_in),
            )
            for one in held
        ),
        tight=True,
    )


def _stop(one: OpenPosition) -> Price:
    """Give the nearer one of stop and trailing stop; spot positions are long."""
    return one.stop_price if one.trail_price is None else max(one.stop_price, one.trail_price)


def stops_told(held: Sequence[OpenPosition]) -> list[str]:
    """Say which live positions have a stop at the exchange, and which have none."""
    return [
        f"{one.bot_id}, {base_of(one.symbol)}: "
        + (
            f"stop and target rest at the exchange ({one.resting_stop})"
            if one.resting_stop
            else "NO STOP RESTS at the exchange; the bot sets one at once, and watches meanwhile"
        )
        for one in held
        if one.mode is Mode.LIVE
    ]
