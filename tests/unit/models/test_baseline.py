from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from oxbot.adapters.models.baseline import BaselineModel, decide
from oxbot.domain.bot import DEFAULT_SYMBOLS, RiskLimits
from oxbot.domain.decision import Action, Decision, Proposal, parse_decision
from oxbot.domain.models import ModelChoice
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.portfolio import Portfolio, Position
from oxbot.domain.snapshots import Features
from oxbot.records import MarketBrief, ModelRequest
from tests.support.trading import features

LIMITS = RiskLimits()


def rising(**changes: object) -> Features:
    """A clear rise: 1 ATR between the averages."""
    fields: dict[str, object] = {
        "close": Price("101.5"),
        "ema20": 101.0,
        "ema50": 100.0,
        "rsi14": 60.0,
        "atr14": 1.0,
        "return_12": 0.01,
    }
    return features(**(fields | changes))


def position(symbol: str) -> Position:
    coin, cost = Quantity(1), Notional(1)
    return Position(
        symbol=symbol,
        quantity=coin,
        cost=cost,
        entry_quantity=coin,
        entry_notional=cost,
        paid=cost,
        received=Notional(0),
        fees=Notional(0),
        opened_ms=0,
        stop=LIMITS.stop,
        target=LIMITS.target,
        version=1,
    )


def brief(seen: dict[str, Features], held: tuple[str, ...] = ()) -> MarketBrief:
    return MarketBrief(
        now_ms=300_000,
        symbols=DEFAULT_SYMBOLS,
        features=seen,
        quotes={},
        portfolio=Portfolio(
            cash=Notional(10_000), positions={symbol: position(symbol) for symbol in held}
        ),
        limits=LIMITS,
    )


def for_btc(decision: Decision) -> Proposal:
    return next(p for p in decision.proposals if p.symbol == "BTC/USDT")


def test_a_clear_rise_is_bought_with_its_figures_given_as_reason() -> None:
    proposal = for_btc(decide(brief({"BTC/USDT": rising()})))
    assert proposal.action is Action.BUY
    assert str(proposal.confidence) == "0.70"
    assert str(proposal.expected_move) == "0.0296"
    assert "EMA20 101, EMA50 100, RSI 60.0, 1 h +1.00%" in proposal.reason


def test_each_condition_alone_keeps_the_rule_out() -> None:
    spoilers: list[dict[str, object]] = [
        {"close": Price(101)},
        {"ema50": 101.0},
        {"rsi14": 49.9},
        {"rsi14": 72.1},
        {"return_12": 0.0},
        {"atr14": 0.0},
    ]
    for spoiler in spoilers:
        proposal = for_btc(decide(brief({"BTC/USDT": rising(**spoiler)})))
        assert proposal.action is Action.HOLD, spoiler


def test_a_held_coin_is_closed_when_its_trend_breaks_and_only_then() -> None:
    broken = rising(ema20=99.0)
    held = ("BTC/USDT",)
    assert for_btc(decide(brief({"BTC/USDT": broken}, held))).action is Action.CLOSE
    assert for_btc(decide(brief({"BTC/USDT": rising()}, held))).action is Action.HOLD
    assert for_btc(decide(brief({}, held))).action is Action.HOLD
    assert for_btc(decide(brief({"BTC/USDT": broken}))).action is Action.HOLD


def test_only_the_two_strongest_trends_are_entered_and_ties_go_by_name() -> None:
    seen = {symbol: rising() for symbol in DEFAULT_SYMBOLS} | {"XRP/USDT": rising(ema50=99)}
    decision = decide(brief(seen))
    bought = [p.symbol for p in decision.proposals if p.action is Action.BUY]
    assert bought == ["BNB/USDT", "XRP/USDT"]
    assert decision.summary == "Buy BNB/USDT, XRP/USDT; close nothing; hold the rest."


FLOATS = st.floats(min_value=0, max_value=1e12, allow_nan=False)
ANY = st.builds(
    features,
    close=st.decimals(min_value=Decimal("1E-8"), max_value=Decimal("1E12"), places=8),
    ema20=FLOATS,
    ema50=FLOATS,
    rsi14=st.floats(min_value=0, max_value=100),
    atr14=FLOATS,
    return_12=st.floats(min_value=-1, max_value=1e6),
)


@given(
    seen=st.dictionaries(st.sampled_from(DEFAULT_SYMBOLS), ANY),
    held=st.sets(st.sampled_from(DEFAULT_SYMBOLS)),
)
def test_whatever_the_market_the_answer_is_a_valid_decision(
    seen: dict[str, Features], held: set[str]
) -> None:
    facts = brief(seen, tuple(sorted(held)))
    decision = decide(facts)
    assert parse_decision(decision.model_dump_json(), facts.symbols) == decision
    assert tuple(p.symbol for p in decision.proposals) == facts.symbols
    bought = [p for p in decision.proposals if p.action is Action.BUY]
    assert len(bought) <= 2
    assert all(p.symbol not in held and LIMITS.confidence <= p.confidence <= 1 for p in bought)
    closed = {p.symbol for p in decision.proposals if p.action is Action.CLOSE}
    assert closed <= held


async def test_the_reply_is_labelled_as_no_ai_costs_nothing_and_repeats() -> None:
    request = ModelRequest(messages=(), brief=brief({"BTC/USDT": rising()}))
    model = BaselineModel()
    reply = await model.complete(request)
    assert model.label(ModelChoice()) == "baseline (a plain rule, no AI)"
    assert (reply.provider, reply.model) == ("baseline", "ema-trend-1")
    assert (reply.tokens_in, reply.tokens_out, reply.cost_usd) == (0, 0, Decimal(0))
    assert parse_decision(reply.text, DEFAULT_SYMBOLS) == decide(request.brief)
    assert await model.complete(request) == reply
