"""Bots as one watches them: a table, or lines where the terminal is narrow."""

import io
from datetime import UTC

import pytest
from rich.console import Console

from oxbot.app.overview import HeldCoin
from oxbot.app.watching import Look, WatchedBot
from oxbot.cli.bot_watch_table import WIDE, render
from oxbot.domain.bot import BotStatus
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.records import EventRow

NOW_MS = 1_735_689_600_000


def bot(**others: object) -> WatchedBot:
    held = HeldCoin(
        symbol="BTC/USDT",
        quantity=Quantity("0.015"),
        cost=Notional(900),
        average_price=Price(60_000),
        stop_price=Price(57_900),
        target_price=Price(64_200),
        opened_ms=NOW_MS,
        bid=Price(61_000),
        unrealised=Notional(15),
        price_ms=NOW_MS,
    )
    settings: dict[str, object] = {
        "id": "b1",
        "name": "mine",
        "mode": "paper",
        "venue": "okx",
        "status": BotStatus.RUNNING,
        "equity": Notional("9990.5"),
        "pnl": Notional("-9.5"),
        "positions": (held,),
        "cycle": 7,
        "decision": "Buy nothing; close nothing; hold the rest, as ever, until the market moves.",
        "next_due_ms": NOW_MS + 65_000,
        "event": EventRow(kind="opened", text="Opened BTC/USDT.", at_ms=NOW_MS - 30_000),
        "unanswered": None,
    }
    return WatchedBot.model_validate({**settings, **others})


def shown(width: int, *bots: WatchedBot, trouble: str = "") -> list[str]:
    written = io.StringIO()
    console = Console(file=written, width=width)
    look = Look(at_ms=NOW_MS, venue_ms=NOW_MS, bots=bots)
    console.print(render(look, UTC, width, trouble))
    return written.getvalue().splitlines()


@pytest.mark.parametrize("width", [30, 60, WIDE, 160])
def test_a_bot_is_shown_at_any_width_and_no_line_is_wider(width: int) -> None:
    lines = shown(width, bot())
    assert all(len(line) <= width for line in lines)
    told = " ".join(" ".join(lines).split())
    for words in ("b1", "running", "9,990.50", "-9.50", "BTC 0.015"):
        assert words in told


@pytest.mark.parametrize("width", [80, 160])
def test_positions_have_stops_and_the_rest_of_the_story_is_there(width: int) -> None:
    told = " ".join(" ".join(shown(width, bot())).split())
    for words in ("stop 57,900.00", "+15.00", "Buy nothing", "Opened BTC/USDT.", "00:01:05"):
        assert words in told
    assert "(30 s ago)" in told


def test_a_live_bot_and_a_silent_workflow_stand_out() -> None:
    told = "\n".join(shown(80, bot(mode="live", unanswered="The workflow does not answer.")))
    assert "LIVE" in told
    assert "The workflow does not answer." in told


def test_a_server_that_is_away_is_said_above_the_last_look() -> None:
    told = "\n".join(shown(80, bot(), trouble="PostgreSQL does not answer."))
    assert "PostgreSQL does not answer." in told
    assert "9,990.50" in told


def test_where_nothing_trades_it_says_how_to_begin() -> None:
    assert "oxbot bots create" in "\n".join(shown(80))
