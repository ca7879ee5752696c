"""A bot's page: how often its model was asked."""

import io
from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest
from rich.console import Console

from oxbot.app.overview import BotLine
from oxbot.app.telling import where
from oxbot.cli import bot_pages, demo_table
from oxbot.domain.bot import BotSettings, Mode
from oxbot.domain.decision import DecisionCounts
from oxbot.domain.models import ModelChoice
from tests.unit.cli.test_demo import BOT, LINKS, picture
from tests.unit.cli.test_limits import written


def shown(counts: DecisionCounts, **settings: object) -> str:
    """A page's text on one line."""
    chosen = BotSettings.model_validate({"name": "Demo", **settings})
    bot = BOT.model_copy(update={"settings": chosen})
    page = picture().page.model_copy(update={"bot": bot, "decisions": counts})
    line: BotLine = picture().line
    told = written(lambda console: bot_pages.write_page(console, page, line, None, UTC))
    return " ".join(told.split())


def test_a_page_says_how_often_the_model_was_asked_and_how_often_not_and_why() -> None:
    counts = DecisionCounts(
        decided=9, repaired=2, failed=1, gated=30, unasked=4, cost_usd=Decimal("0.0340")
    )
    told = shown(counts)
    assert (
        "model asked 12 times, skipped 30 (nothing changed), not allowed 4 (budget); 0.034 USD "
        "today (UTC)" in told
    )


def test_what_did_not_happen_is_not_told_of() -> None:
    told = shown(DecisionCounts(decided=3))
    assert "model asked 3 times; 0 USD today (UTC)" in told
    assert "skipped" not in told


def test_a_gate_stands_where_the_models_do() -> None:
    fallbacks = (ModelChoice(),)
    told = shown(DecisionCounts(), provider="dashscope", fallbacks=fallbacks, gate_bp="15.0")
    assert (
        "decided by dashscope, else baseline, asked when something has changed (gate 15 bp)" in told
    )
    assert "asked when" not in shown(DecisionCounts())


@pytest.mark.parametrize(
    ("mode", "venue", "told"),
    [
        (Mode.PAPER, "okx", "paper on okx"),
        (Mode.LIVE, "okx", "LIVE on okx, REAL MONEY"),
        (Mode.LIVE, "myokx", "LIVE on myokx, REAL MONEY"),
        (Mode.LIVE, "myokx-demo", "LIVE on myokx-demo, play money"),
        (Mode.LIVE, "okx-simulated", "LIVE on okx-simulated, play money"),
    ],
)
def test_it_is_said_where_orders_go_and_whether_it_is_real_money(
    mode: Mode, venue: str, told: str
) -> None:
    assert where(BotSettings(name="x", mode=mode, venue=venue)) == told
    page = shown(DecisionCounts(), mode=mode, venue=venue, symbols=("BTC/USDT",))
    assert f"BTC: {told}" in page


def coloured(what: object) -> str:
    """What a terminal with colours is sent."""
    stream = io.StringIO()
    Console(file=stream, width=80, force_terminal=True, color_system="standard").print(what)
    return stream.getvalue()


def test_a_live_bot_stands_out_in_lists_and_tables_of_80_columns() -> None:
    live = BOT.model_copy(update={"settings": BotSettings(name="Demo", mode=Mode.LIVE)})
    line = picture().line
    lines = [line, line.model_copy(update={"bot": live})]
    told = written(lambda console: bot_pages.write_list(console, lines, UTC))
    assert max(map(len, told.splitlines())) <= 80
    head, paper, real = told.splitlines()
    assert head.split()[2] == "mode"
    assert (paper.split()[2], real.split()[2]) == ("paper", "LIVE")
    assert "\x1b[1;31mLIVE\x1b[0m" in coloured(bot_pages.mode_told(Mode.LIVE))
    assert "\x1b[1;31m" in coloured(bot_pages.where_told(live.settings))

    seen = picture()
    page = seen.page.model_copy(update={"bot": live})
    for shown_page, mode in ((seen.page, "paper"), (page, "LIVE")):
        drawn = replace(seen, page=shown_page)
        assert f"bot demo ({mode})" in written(
            lambda console, drawn=drawn: console.print(demo_table.render(drawn, LINKS, ""))
        )
