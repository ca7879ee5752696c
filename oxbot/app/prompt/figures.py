"""The figures of a verdict that a model is told: each digit is a token, so no more than two."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from oxbot.app.prompt.words import FIGURE, cut, short
from oxbot.domain.risk import Ruling, Verdict
from oxbot.domain.rules import SIZE_RULES

MOST: Final = 2
"""Figures of a verdict."""

MATTERING: Final[Mapping[str, Sequence[str]]] = {
    "symbol": (),
    "duplicate": (),
    "reward:risk": ("reward_risk", "limit"),
    "drawdown": ("drawdown", "limit"),
    "daily loss": ("loss", "limit"),
    "size": ("minimum",),
    "minimum notional": ("notional_usdt", "limit_usdt"),
    "sellable": ("quantity", "minimum"),
    "part": ("part", "minimum"),
    "stop": ("bid", "stop"),
    "target": ("bid", "target"),
    "trailing stop": ("bid", "trail"),
}
"""What matters of the rules that have more figures; none where the reason says it."""

Pair = tuple[str, str]
"""Two figures by name; they break a rule where the first is more than the second."""

BOUNDS: Final[Mapping[str, Sequence[Pair]]] = {
    "price band": (
        ("lowest", "stop"),
        ("stop", "highest"),
        ("lowest", "target"),
        ("target", "highest"),
    ),
    "stop side": (("stop", "bid"), ("ask", "target")),
    "stop width": (("lowest_stop", "stop"), ("target", "highest_target")),
}
"""The pairs of the rules that have several: what matters is the one that is broken most."""

OWN: Final = {rule.name: rule.figures for rule in SIZE_RULES}
"""The figures by which a rule of size cuts an entry."""


def figures_told(verdict: Verdict) -> dict[str, str]:
    """Give the figures that say more than the verdict's own words, shortened."""
    names = _names(verdict)
    return {name: _short(verdict.figures[name]) for name in names if name in verdict.figures}


def _names(verdict: Verdict) -> Sequence[str]:
    if verdict.ruling is Ruling.APPROVED:
        return ()
    if verdict.ruling is Ruling.REDUCED:
        return OWN.get(verdict.rule, ())
    if verdict.rule in BOUNDS:
        return max(BOUNDS[verdict.rule], key=lambda pair: _excess(pair, verdict.figures))
    return MATTERING.get(verdict.rule, list(verdict.figures)[:MOST])


def _excess(pair: Pair, figures: Mapping[str, str]) -> Decimal:
    """Give by how much the first figure is more than the second; of words nobody can say."""
    more, less = (_number(figures.get(name, "")) for name in pair)
    return Decimal("-Infinity") if more is None or less is None else more - less


def _short(figure: str) -> str:
    """Shorten a figure: a number, or words such as the names of coins."""
    number = _number(figure)
    return cut(figure, FIGURE) if number is None else short(number)


def _number(figure: str) -> Decimal | None:
    try:
        number = Decimal(figure)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
