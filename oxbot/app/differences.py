"""What differs between two outcomes of one cycle: what was wished for, and what was ruled."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from oxbot.domain.decision import Action, Decision, Proposal
from oxbot.domain.money import plain
from oxbot.domain.risk import WHOLE_ACCOUNT, Ruling, Verdict
from oxbot.domain.values import Value

HOLD: Final = "hold"
NOTHING: Final = "-"


class Outcome(Value):
    """What a model decided in a cycle, None where it held, and what the rules said."""

    decision: Decision | None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def entries(self) -> int:
        """How many entries the rules let pass."""
        return sum(v.ruling.leads_to_an_order and not v.purpose.is_exit for v in self.verdicts)

    @property
    def exits(self) -> int:
        """How many exits follow, the model's and those that rules demand."""
        return sum(v.ruling.leads_to_an_order and v.purpose.is_exit for v in self.verdicts)

    @property
    def refusals(self) -> int:
        """How many wishes were refused."""
        return sum(v.ruling is Ruling.REFUSED for v in self.verdicts)


class Difference(Value):
    """One coin, or `*` for the whole account: what was wished for and ruled, before and after."""

    symbol: str
    wished: str
    wishes: str
    ruled: str
    rules: str


def differences(before: Outcome, after: Outcome) -> tuple[Difference, ...]:
    """Give the coins of which something else was wished for or ruled, the account last.

    Reasons, confidence and expected moves are words about a wish: they count by what the rules
    make of them.
    """
    old, new = _wishes(before.decision), _wishes(after.decision)
    was, now = _rulings(before.verdicts), _rulings(after.verdicts)
    symbols = dict.fromkeys((*old, *new, *was, *now))
    compared = (
        Difference(
            symbol=symbol,
            wished=old.get(symbol, HOLD),
            wishes=new.get(symbol, HOLD),
            ruled=was.get(symbol, NOTHING),
            rules=now.get(symbol, NOTHING),
        )
        for symbol in sorted(symbols, key=lambda symbol: (symbol == WHOLE_ACCOUNT, symbol))
    )
    return tuple(c for c in compared if (c.wished, c.ruled) != (c.wishes, c.rules))


def _wishes(decision: Decision | None) -> Mapping[str, str]:
    """Give what was wished for, by coin; nothing of those that are held as they are."""
    proposals = decision.proposals if decision else ()
    return {p.symbol: _wish(p) for p in proposals if p.action is not Action.HOLD}


def _wish(proposal: Proposal) -> str:
    if proposal.action is Action.CLOSE:
        return str(proposal.action)
    prices = (("stop", proposal.stop_price), ("target", proposal.target_price))
    named = (f", {name} {plain(price)}" for name, price in prices if price is not None)
    return f"{proposal.action} {_percent(proposal.fraction)}{''.join(named)}"


def _rulings(verdicts: Sequence[Verdict]) -> Mapping[str, str]:
    """Give what was ruled, by coin; several rulings on one coin follow each other."""
    ruled: dict[str, list[str]] = {}
    for verdict in verdicts:
        ruled.setdefault(verdict.symbol, []).append(_ruling(verdict))
    return {symbol: "; ".join(each) for symbol, each in ruled.items()}


def _ruling(verdict: Verdict) -> str:
    """Tell a ruling with the figures of the order that follows from it."""
    figures = (
        (" ", verdict.quantity),
        (" at most ", verdict.limit_price),
        (", stop ", verdict.stop),
        (", target ", verdict.target),
    )
    order = "".join(f"{name}{plain(each)}" for name, each in figures if each is not None)
    by = "" if verdict.ruling is Ruling.APPROVED else f" by {verdict.rule}"
    return f"{verdict.ruling}{by}{order}"


def _percent(fraction: Decimal) -> str:
    return f"{plain(fraction * 100)} %"
