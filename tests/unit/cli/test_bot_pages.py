"""A bot's page: how often its model was asked."""

from datetime import UTC
from decimal import Decimal

from oxbot.app.overview import BotLine
from oxbot.cli import bot_pages
from oxbot.domain.bot import BotSettings
from oxbot.domain.decision import DecisionCounts
from oxbot.domain.models import ModelChoice
from tests.unit.cli.test_demo import BOT, picture
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
