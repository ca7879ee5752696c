"""Ten thousand proposals at random: each word of the rules can be accounted for."""

from collections.abc import Iterable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxbot.app.prompt.lately import lately_told
from oxbot.domain.decision import Action, Proposal
from oxbot.domain.entries import judge
from oxbot.domain.market import Quote
from oxbot.domain.money import Notional
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.risk import Context, Ruling, Verdict
from oxbot.domain.rules import ENTRY_RULES, LEAST_RULES, REDUCE_RULES
from oxbot.records import Lately
from tests.support.examples import examples
from tests.support.risk import Chance, context, holding, owning
from tests.support.trading import BTC

pytestmark = pytest.mark.critical

AT_ONCE = 20
EXTREMES = ("1", "0.5", "1E-999999", "1E-400", "0.1234567890123456789012345678901234567890")
FIGURES = {rule.name: rule.figures for rule in (*ENTRY_RULES, *REDUCE_RULES, *LEAST_RULES)}


@given(st.integers(0, 2**32))
@settings(max_examples=examples(500), deadline=None)
def test_of_any_proposal_in_any_situation(seed: int) -> None:
    """Five hundred times twenty proposals; hypothesis names the seed of one that fails."""
    chance = Chance(seed)
    for _ in range(AT_ONCE):
        situation, proposal = chance.context(), chance.proposal()
        verdict = judge(proposal, situation)
        if verdict is None:
            assert proposal.action is Action.HOLD
        elif verdict.ruling is Ruling.REFUSED:
            must_be_accounted_for(verdict)
        elif verdict.purpose.is_exit:
            must_sell_no_more_than_is_held(verdict, situation)
        else:
            must_keep_all_limits(verdict, proposal, situation)


@given(
    st.sampled_from([Action.BUY, Action.REDUCE]),
    st.lists(st.sampled_from(EXTREMES), min_size=5, max_size=5),
)
def test_no_number_that_a_reply_may_carry_breaks_a_rule(action: Action, drawn: list[str]) -> None:
    fraction, confidence, move, stop, target = drawn
    text = {"symbol": BTC, "action": action, "reason": "r", "fraction": fraction}
    more = {"confidence": confidence, "expected_move": move}
    prices = {"stop_price": stop, "target_price": target}
    proposal = Proposal.model_validate({**text, **more, **prices})
    for portfolio in (Portfolio(cash=Notional(10_000)), owning(holding())):
        verdict = judge(proposal, context(portfolio=portfolio))
        assert verdict
        assert len(str(lately_told(Lately(cycle=1, verdicts=(verdict,))))) < 500


def must_be_accounted_for(verdict: Verdict) -> None:
    """A refusal names its rule, says why, has the rule's figures, and orders nothing."""
    assert set(FIGURES[verdict.rule]) <= verdict.figures.keys()
    assert all(verdict.figures.values())
    assert verdict.reason
    assert verdict.quantity is None
    assert not verdict.ruling.leads_to_an_order


def must_sell_no_more_than_is_held(verdict: Verdict, situation: Context) -> None:
    """What is left of a position can be sold later, or is nothing that could be."""
    held = situation.portfolio.positions[verdict.symbol].quantity
    instrument = situation.instruments[verdict.symbol]
    assert verdict.quantity
    assert instrument.minimum <= verdict.quantity <= held
    assert verdict.quantity.number % instrument.lot.number == 0
    rest = held - verdict.quantity
    assert instrument.is_tradable(rest) or rest < instrument.lot + instrument.minimum


def must_keep_all_limits(verdict: Verdict, proposal: Proposal, situation: Context) -> None:
    """Each limit is worked out anew, from the verdict and the situation alone."""
    limits, quote = situation.limits, situation.quotes[verdict.symbol]
    assert verdict.quantity
    assert verdict.limit_price
    assert verdict.stop
    assert verdict.target
    cost = verdict.quantity.number * verdict.limit_price.number
    own, others = own_worth(situation), others_worth(situation)
    slack = Decimal("1E-9")
    assert cost <= (own.equity * limits.max_position * proposal.fraction) + slack
    assert own.exposed + cost <= own.equity * limits.max_exposure + slack
    all_in = (own.equity + others.equity) * limits.max_account_exposure
    assert own.exposed + others.exposed + cost <= all_in + slack
    assert cost <= (situation.portfolio.cash - situation.portfolio.reserved).number
    assert verdict.quantity * quote.ask >= limits.minimum_notional
    lot = situation.instruments[verdict.symbol].lot
    assert verdict.quantity.number % lot.number == 0
    assert verdict.stop <= limits.stop + slack
    assert verdict.target <= limits.target + slack
    must_be_worth_it(verdict, situation, quote)


def must_be_worth_it(verdict: Verdict, situation: Context, quote: Quote) -> None:
    assert verdict.stop
    assert verdict.target
    fee, ask = situation.fee_rate, quote.ask.number
    won = ask * (1 + verdict.target) * (1 - fee) - ask * (1 + fee)
    lost = ask * (1 + fee) - ask * (1 - verdict.stop) * (1 - fee)
    assert won / lost >= situation.limits.reward_risk - Decimal("1E-6")
    assert ask * (1 - verdict.stop) < quote.bid.number + Decimal("1E-6")


class Worth:
    """Equity and exposure in USDT, added up without the code that is tested."""

    def __init__(self, cash: Notional, reserved: Notional, held: Iterable[Decimal]) -> None:
        worth = sum(held, Decimal(0))
        self.equity = cash.number + worth
        self.exposed = reserved.number + worth


def own_worth(situation: Context) -> Worth:
    portfolio = situation.portfolio
    held = (
        p.quantity.number * situation.quotes[s].bid.number for s, p in portfolio.positions.items()
    )
    return Worth(portfolio.cash, portfolio.reserved, held)


def others_worth(situation: Context) -> Worth:
    account = situation.account
    held = (h.quantity.number * situation.quotes[s].bid.number for s, h in account.holdings.items())
    return Worth(account.cash, account.reserved, held)
