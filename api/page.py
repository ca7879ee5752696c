"""`/`: all bots on one page that reads itself again every few seconds."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from html import escape
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from api import markup
from api.desk import TheAlarm, TheDesk, TheSettings
from api.reading import Cursor, TheReading
from api.sign_in import TheReader
from api.status import protection_of
from oxbot.app.alarm import ProtectionStatus
from oxbot.app.live import status_of
from oxbot.app.market_status import (
    AgedQuote,
    MarketStatus,
    circuits_told,
    feed_told,
    market_status_if_known,
)
from oxbot.app.overview import BotLine, HeldCoin, lines
from oxbot.app.telling import NOTHING, coins, money, price, span, when, where, zone
from oxbot.domain.bot import Mode
from oxbot.domain.errors import OxbotError
from oxbot.domain.feed import FeedSource
from oxbot.domain.market import base_of
from oxbot.messages import workflow_id
from oxbot.records.reading import Part
from oxbot.settings import Settings

router = APIRouter(include_in_schema=False)

REFRESH_S: Final = 5
SHOWN: Final = 100
"""Bots on a page, the last made first."""

COLUMNS: Final = ("bot", "status", "cycle", "equity, USDT", "positions", "last decision", "")
PRICES: Final = ("coin", "last, USDT", "bid", "ask", "age", "source")


@router.get("/")
async def index(
    desk: TheDesk,
    reading: TheReading,
    settings: TheSettings,
    alarm: TheAlarm,
    reader: TheReader,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Show the reader's bots; when the record does not answer, show why."""
    try:
        bots = await lines(reading, reader.owner, Part(limit=SHOWN, cursor=cursor))
        protection = await protection_of(reader, alarm, reading)
        named = await reading.live_bots(desk.venue, reader.owner)
    except OxbotError as error:
        body = [markup.element("p", str(error), "bad"), _links(settings)]
        return HTMLResponse(_page(body), error.http_status)
    shown_in, live = zone(settings.timezone), status_of(named, settings.live_problem)
    market = _market(await market_status_if_known(desk))
    alarms = [_alarm(protection), markup.element("p", live.trouble, "bad") if live.trouble else ""]
    shown = [*alarms, _bots(bots.items, settings, shown_in), _more(bots.next), *market]
    shown.append(_links(settings))
    return HTMLResponse(_page(shown))


@router.get("/style.css")
async def style() -> Response:
    """Give the pages' style."""
    return Response(markup.STYLE, media_type="text/css")


def workflow_url(settings: Settings, bot_id: str) -> str | None:
    """Give a bot's page in Temporal's Web UI, if there is one."""
    if settings.temporal_ui_url is None:
        return None
    base, namespace = settings.temporal_ui_url.rstrip("/"), settings.temporal_namespace
    return f"{base}/namespaces/{namespace}/workflows/{workflow_id(bot_id)}"


def _page(body: Sequence[str]) -> str:
    return markup.page("0xBot", body, refresh_s=REFRESH_S)


def _alarm(protection: ProtectionStatus) -> str:
    """Say in red what nobody watches."""
    if protection.since_ms is None:
        return ""
    named = "; ".join(f"{bot}: {', '.join(held)}" for bot, held in protection.unprotected.items())
    lasted = span(protection.wall_ms - protection.since_ms)
    return markup.element("p", f"UNPROTECTED for {lasted}, no watch is at work. {named}", "bad")


def _bots(lines: Sequence[BotLine], settings: Settings, shown_in: tzinfo) -> str:
    if not lines:
        return "<p>There is no bot yet. Make one: <code>oxbot bots create</code></p>"
    return markup.table(COLUMNS, (_row(line, settings, shown_in) for line in lines))


def _more(cursor: str | None) -> str:
    return f"<p>{markup.link('older bots', f'/?cursor={cursor}')}</p>" if cursor else ""


def _row(line: BotLine, settings: Settings, shown_in: tzinfo) -> tuple[str, ...]:
    bot, last = line.bot, line.last
    url = workflow_url(settings, bot.id)
    name = markup.link(bot.settings.name, url) if url else escape(bot.settings.name)
    kind = "bad" if bot.settings.mode is Mode.LIVE else "note"
    due = when(last.due_ms, shown_in) if last else "before its first cycle"
    return (
        f"{name}<br>{markup.element('span', f'{bot.id}, {where(bot.settings)}', kind)}",
        escape(bot.status),
        f"{last.cycle if last else NOTHING}<br>{markup.element('span', due, 'note')}",
        money(line.equity),
        "<br>".join(_held(position) for position in line.positions) or NOTHING,
        _decision(line),
        markup.link("workflow", url) if url else "",
    )


def _market(market: MarketStatus | None) -> Iterator[str]:
    """Prices with age and source, and what is wrong with them."""
    yield markup.element("h2", "Prices")
    if market is None:
        yield markup.element("p", "Redis does not answer, so no price is known here.", "bad")
        return
    for told in circuits_told(market):
        yield markup.element("p", told, "bad")
    sound = market.feed is not None and market.feed.source is not FeedSource.NONE
    yield markup.element("p", feed_told(market), "note" if sound else "bad")
    if market.prices:
        yield markup.table(PRICES, (_price(quote) for quote in market.prices.values()))


def _price(quote: AgedQuote) -> tuple[str, ...]:
    cells = (quote.symbol, *map(price, (quote.last, quote.bid, quote.ask)))
    return tuple(map(escape, (*cells, span(quote.venue_age_ms), quote.source)))


def _held(position: HeldCoin) -> str:
    return escape(
        f"{coins(position.quantity)} {base_of(position.symbol)} at "
        f"{price(position.average_price)}, stop {price(position.stop_price)}, "
        f"target {price(position.target_price)}"
    )


def _decision(line: BotLine) -> str:
    if line.last is None:
        return NOTHING
    if line.last.skipped:
        return markup.element("span", f"skipped: {line.last.skipped}", "bad")
    by = markup.element("span", f"by {line.bot.settings.provider}", "note")
    return f"{escape(line.last.decision) or NOTHING}<br>{by}"


def _links(settings: Settings) -> str:
    web_ui = settings.temporal_ui_url
    found = [markup.link("what the API answers", "/docs")]
    if web_ui:
        found.append(markup.link("Temporal's Web UI", web_ui))
    return f'<p class="note">{" · ".join(found)}</p>'
