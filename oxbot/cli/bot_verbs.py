"""`oxbot bots list, show, pause, resume`."""

from functools import partial

from oxbot.app import bots, telling
from oxbot.app.bots import BotPage, Desk
from oxbot.app.market_status import MarketStatus, market_status_if_known
from oxbot.app.overview import BotLine, all_lines, at_market, line_of
from oxbot.cli import bot_pages, output
from oxbot.cli.at_reading import from_record
from oxbot.cli.config_sources import load_settings
from oxbot.cli.desk import at_desk, user
from oxbot.messages import ControlAnswer, ControlRequest


def show_list(*, archived: bool, as_json: bool) -> None:
    """Write all bots in sight, or those out of it."""
    settings = load_settings()
    lines = from_record(partial(all_lines, archived=archived))
    if as_json:
        output.write_json(lines)
    else:
        bot_pages.write_list(output.console(), lines, telling.zone(settings.timezone))


def show_one(bot_id: str, rows: int, *, as_json: bool) -> None:
    """Write one bot in full. NotFound."""
    settings = load_settings()
    page, line, market = at_desk(lambda desk: _seen(desk, bot_id, rows))
    if as_json:
        output.write_json({**page.model_dump(), "positions": line.positions, "market": market})
    else:
        zone = telling.zone(settings.timezone)
        bot_pages.write_page(output.console(), page, line, market, zone)


async def _seen(desk: Desk, bot_id: str, rows: int) -> tuple[BotPage, BotLine, MarketStatus | None]:
    """Look at a bot, its positions at the newest prices known, and how these come."""
    page = await bots.show_bot(desk, bot_id, rows)
    market = await market_status_if_known(desk)
    line = await line_of(desk.store, page.bot)
    is_here = page.bot.settings.venue == desk.venue
    return page, at_market(line, market.prices) if market and is_here else line, market


def pause(bot_id: str, reason: str, *, as_json: bool) -> None:
    """Pause a bot. NotFound, Conflict."""
    answer(at_desk(lambda desk: bots.pause_bot(desk, bot_id, request_of(reason))), bot_id, as_json)


def resume(bot_id: str, reason: str, *, as_json: bool) -> None:
    """Resume a bot. NotFound, Conflict."""
    answer(at_desk(lambda desk: bots.resume_bot(desk, bot_id, request_of(reason))), bot_id, as_json)


def request_of(reason: str, *, flatten: bool = True) -> ControlRequest:
    """Make a request in the name of who sits at this terminal."""
    return ControlRequest(by=f"{user()}, command line", reason=reason, flatten=flatten)


def answer(given: ControlAnswer, bot_id: str, as_json: bool) -> None:  # noqa: FBT001 - internal
    """Write what a bot has answered."""
    if as_json:
        output.write_json({"bot_id": bot_id, **given.model_dump()})
    else:
        output.console().print(bot_pages.answer(bot_id, given))
