"""What differs between two outcomes of a cycle."""

from decimal import Decimal

from oxbot.app.differences import Difference, Outcome, differences
from oxbot.domain.decision import Action, Decision, Proposal
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.domain.risk import WHOLE_ACCOUNT, Ruling, Verdict
from tests.support.fakes import BTC, ETH


def wish(symbol: str, action: Action, **fields: object) -> Proposal:
    given = {"symbol": symbol, "action": action, "confidence": "0.7", "reason": "so", **fields}
    return Proposal.model_validate(given)


def outcome(*proposals: Proposal, verdicts: tuple[Verdict, ...] = ()) -> Outcome:
    return Outcome(decision=Decision(proposals=proposals, summary="s"), verdicts=verdicts)


def verdict(symbol: str, ruling: Ruling, rule: str = "all rules", /, **fields: object) -> Verdict:
    given = {"symbol": symbol, "purpose": Purpose.ENTRY, "reason": "so", **fields}
    return Verdict.model_validate({**given, "ruling": ruling, "rule": rule})


def test_words_about_a_wish_make_no_difference() -> None:
    before = outcome(wish(BTC, Action.BUY), wish(ETH, Action.HOLD))
    after = outcome(wish(BTC, Action.BUY, confidence="0.9", reason="else", invalidation="x"))
    assert differences(before, after) == ()


def test_what_is_wished_for_is_told_with_its_size_and_prices() -> None:
    before = Outcome(decision=None)
    bought = wish(BTC, Action.BUY, fraction="0.50", stop_price="59000.0", target_price="70000")
    after = outcome(wish(ETH, Action.CLOSE), bought)
    assert differences(before, after) == (
        Difference(
            symbol=BTC, wished="hold", wishes="buy 50 %, stop 59000, target 70000",
            ruled="-", rules="-",
        ),
        Difference(symbol=ETH, wished="hold", wishes="close", ruled="-", rules="-"),
    )  # fmt: skip


def test_a_ruling_differs_by_its_figures_not_by_their_zeros_and_the_account_comes_last() -> None:
    bought = wish(BTC, Action.BUY)
    order = {"quantity": Quantity("0.10"), "limit_price": Price("60000")}
    approved = verdict(BTC, Ruling.APPROVED, **order, stop=Decimal("0.030"))
    halted = verdict(WHOLE_ACCOUNT, Ruling.HALTED, "drawdown")
    before = outcome(bought, verdicts=(approved,))
    same = verdict(BTC, Ruling.APPROVED, **order | {"quantity": Quantity("0.1")}, stop="0.03")
    assert differences(before, outcome(bought, verdicts=(same,))) == ()
    refused = verdict(BTC, Ruling.REFUSED, "confidence")
    found = differences(before, outcome(bought, verdicts=(halted, refused)))
    assert [(one.symbol, one.ruled, one.rules) for one in found] == [
        (BTC, "approved 0.1 at most 60000, stop 0.03", "refused by confidence"),
        (WHOLE_ACCOUNT, "-", "halted by drawdown"),
    ]


def test_entries_exits_and_refusals_are_counted() -> None:
    left = verdict(ETH, Ruling.DEMANDED, "stop", purpose=Purpose.STOP, quantity=Quantity(1))
    bought = verdict(BTC, Ruling.REDUCED, quantity=Quantity(1))
    refused = verdict(BTC, Ruling.REFUSED, "confidence")
    found = outcome(verdicts=(left, bought, refused))
    assert (found.entries, found.exits, found.refusals) == (1, 1, 1)
