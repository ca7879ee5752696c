"""The bot's page in the Web UI: a value says how old its price is, or that there is none."""

from oxbot.domain.bot import BotStatus
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.messages import PositionBrief
from workflows.details import details
from workflows.state import BotState


def held(symbol: str, age_ms: int | None) -> PositionBrief:
    one = Price(1)
    return PositionBrief(
        symbol=symbol,
        quantity=Quantity(1),
        average_price=one,
        stop_price=one,
        target_price=one,
        opened_ms=0,
        unrealised=Notional("1.5") if age_ms is not None else Notional(0),
        age_ms=age_ms,
    )


def test_who_changed_the_status_is_said_and_why_only_if_they_said_it() -> None:
    state = BotState(bot_id="b1", status=BotStatus.PAUSED, control_by="temporal")
    assert "**Status** paused by temporal  \n" in details(state)
    because = state.model_copy(update={"control_reason": "lunch"})
    assert "**Status** paused by temporal: lunch  \n" in details(because)


def test_what_was_refused_last_stays_on_the_page_and_is_said_once() -> None:
    refused = "ETH/USDT buy refused by spread: too wide"
    state = BotState(bot_id="b1", last_verdicts=(refused,), last_refusals=(refused,), refused_in=7)
    assert details(state).count(refused) == 1
    assert "Last refusals" not in details(state)
    later = details(state.model_copy(update={"last_verdicts": ()}))
    assert f"**Last refusals, in cycle 7**\n\n- {refused}" in later


def test_a_gain_says_how_old_its_price_is_and_a_missing_price_is_no_gain_of_nothing() -> None:
    state = BotState(
        bot_id="b1",
        equity=Notional(10_000),
        positions=(held("BTC/USDT", 4_000), held("ETH/USDT", None)),
        unpriced=("ETH/USDT", "XRP/USDT"),
    )
    told = details(state)
    assert "+1.50 (4 s old)" in told
    assert "no price, at cost" in told
    assert "(no price of ETH/USDT, XRP/USDT: positions at cost, dust at nothing)" in told
    assert "no price" not in details(BotState(bot_id="b1", equity=Notional(1)))
