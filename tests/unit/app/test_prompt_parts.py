"""The parts of the prompt, one by one: each tells its facts, in one form."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.app.prompt import build_request, parts_of
from oxbot.app.prompt.account import account_told, costs_told, position_told
from oxbot.app.prompt.constant import CONSTANT
from oxbot.app.prompt.limits import limits_told
from oxbot.app.prompt.market import market_told
from oxbot.app.prompt.memory import memory_told
from oxbot.app.prompt.words import cut, quoted, short
from oxbot.domain.bot import RiskLimits
from oxbot.domain.decision import Action, Decision, Proposal
from oxbot.domain.memory import Costs, Memory, Thesis
from oxbot.domain.money import Notional, Price
from tests.support.prompts import INVALIDATION, NOW_MS, REASON, busy_brief

BTC = "BTC/USDT"


def test_the_constant_part_comes_first_and_is_the_same_for_all() -> None:
    busy = busy_brief()
    quiet = busy.model_copy(update={"memory": Memory(), "lately": None, "limits": RiskLimits()})
    messages = [build_request(brief).messages for brief in (busy, quiet)]
    assert [roles[0] for roles in messages] == [("system", CONSTANT)] * 2
    assert [role for role, _ in messages[0]] == ["system", "user"]


def test_the_constant_part_names_every_field_and_every_action_that_can_be_answered() -> None:
    words = [*Proposal.model_fields, *Decision.model_fields, *Action]
    assert [word for word in words if f'"{word}"' not in CONSTANT] == []
    assert "JSON" in CONSTANT


def test_every_figure_of_the_market_is_explained() -> None:
    brief = busy_brief()
    told = market_told(brief.features[BTC], brief.quotes[BTC], brief.now_ms)
    names = {word for word in told.replace(";", " ").split() if word[0].isalpha()}
    plain = {"BTC/USDT:", "bid", "ask", "s", "old", "bp,"}
    assert [name for name in names - plain if f"{name}" not in CONSTANT] == []


def test_what_changes_least_comes_first_and_the_market_last() -> None:
    names = ["limits", "memory", "account", "positions", "lately", "market"]
    assert list(parts_of(busy_brief())) == names


def test_a_coin_is_told_with_its_age_and_three_lengths_of_candles() -> None:
    brief = busy_brief()
    told = market_told(brief.features[BTC], brief.quotes[BTC], brief.now_ms)
    price, five, hour, four = told.splitlines()
    assert price == (
        "BTC/USDT: bid 112345.6, ask 112345.7, 0.4 s old; funding 0.82 bp, interest 31200."
    )
    assert five == (
        "  5m close 112345.6; closes -90 +80 -70 +60 -50 +40 -30 +20; EMA20 112136 EMA50 111532 "
        "MACD 14.3 RSI7 68 RSI14 61 ATR14 239 band 0.64 volume 1.4"
    )
    row = "closes -50 +40 -30 +20 +0; EMA20 -19 EMA50 -72 MACD 1.3 RSI14 61 ATR14 21 band 0.64"
    assert (hour, four) == (f"  1h {row}", f"  4h {row}")
    assert "OLDEST → NEWEST" in parts_of(brief)["market"][0]


def test_a_coin_without_a_perpetual_and_without_a_past_is_told_as_such() -> None:
    brief = busy_brief()
    features = brief.features[BTC]
    bare = features.model_copy(
        update={"m5": features.m5.model_copy(update={"perpetual": None, "candles": ()})}
    )
    told = market_told(bare, brief.quotes[BTC], brief.now_ms)
    assert "; no perpetual." in told
    assert "; closes none; EMA20" in told


def test_a_position_is_told_with_its_exit_plan_and_why_it_was_entered() -> None:
    brief = busy_brief()
    held = brief.portfolio.positions[BTC]
    thesis = Thesis(reason="it rises", invalidation='a close below "110000"')
    told = position_told(held, thesis, brief.quotes[BTC], brief.limits, NOW_MS)
    assert told == (
        "Position BTC/USDT: 1489 USDT at 111638, PnL +9.44; stop 107730, target 119452, trail "
        '109537; held 90 min, 140 min left; entered for "it rises"; wrong if "a close below '
        "'110000'\"."
    )


def test_of_a_position_without_price_trail_and_reason_none_is_told() -> None:
    brief = busy_brief()
    held = brief.portfolio.positions[BTC].model_copy(update={"trail": None})
    told = position_told(held, Thesis(), None, brief.limits, NOW_MS + 10**9)
    assert told == (
        "Position BTC/USDT: 1489 USDT at 111638, no price; stop 107730, target 119452; held "
        "16756 min, 0 min left."
    )


def test_the_account_is_told_by_the_prices_that_the_model_sees() -> None:
    brief = busy_brief()
    equity = brief.portfolio.equity(brief.quotes)
    assert account_told(brief.portfolio, brief.quotes) == (
        f"Account: 2514.34 USDT cash, {equity:.2f} equity, "
        f"{brief.portfolio.exposure(brief.quotes):.2f} in 5 positions."
    )


def test_costs_are_told_in_the_currency_that_they_are_paid_in() -> None:
    costs = Costs(model_usd=Decimal("0.01234"), decisions=7, fees_usdt=Notional("3.456"))
    told = "Costs so far: 3.46 USDT of fees; 0.0123 USD for 7 decisions."
    assert costs_told(costs) == told


def test_the_memory_tells_figures_and_the_last_trades_with_their_reasons() -> None:
    figures, first, *rest = memory_told(busy_brief().memory)
    assert figures == (
        "Your last 5 trades: net PnL -25.00 USDT, win rate 0.40, profit factor 0.44, Sharpe "
        "-0.45, drawdown 45.00 USDT. The newest of them:"
    )
    assert first == (
        "  Trade SOL/USDT: +123 bp, net PnL -5.00, fees 2.99, 148 min, left by decision for "
        f"{quoted(REASON, 48)}, entered for {quoted(REASON, 48)}."
    )
    assert len(rest) == 2


def test_before_the_first_trade_there_is_no_memory_to_tell() -> None:
    assert memory_told(Memory()) == []


def test_the_needed_move_is_told_as_the_rule_computes_it() -> None:
    told = limits_told(RiskLimits(fee_round_trips=Decimal(3)), Decimal("0.0008"))
    assert "at least 3 round trips of fees, which is 0.0048 at a fee of 0.0008;" in told
    assert "round trips of fees; reward" in limits_told(RiskLimits())


@given(st.text(max_size=300), st.integers(3, 80))
def test_a_text_of_a_model_stays_one_short_line_that_cannot_end_its_own_quotes(
    text: str, most: int
) -> None:
    shown = quoted(text, most)
    assert shown[0] == shown[-1] == '"'
    assert '"' not in shown[1:-1]
    assert shown.isprintable()
    assert len(shown.encode()) <= most + 2


def test_a_short_text_is_told_whole_and_a_long_one_says_that_there_was_more() -> None:
    assert cut("a\n b\t c", 99) == "a b c"
    assert cut(INVALIDATION, 20) == "A close of an hou…"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (Decimal("108414.384000000000"), "108414"),
        (Decimal("0.000012345678"), "0.0000123457"),
        (Price("60006.000000"), "60006"),
        (Decimal(123456789), "123457000"),
    ],
)
def test_a_number_has_six_digits_that_tell(number: Decimal | Price, told: str) -> None:
    assert short(number) == told
