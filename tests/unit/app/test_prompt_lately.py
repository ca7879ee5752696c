"""What a model is told of a verdict: the figures that help it, and what became of an entry."""

from collections.abc import Mapping

import pytest

from oxbot.app.prompt.figures import BOUNDS, MATTERING, MOST, figures_told
from oxbot.app.prompt.lately import lately_told
from oxbot.domain.market import Symbol
from oxbot.domain.orders import Purpose
from oxbot.domain.risk import Ruling, Verdict
from oxbot.domain.rules import ALL_RULES, SIZE_RULES
from oxbot.records import Lately
from tests.support.fakes import BTC, ETH
from tests.support.prompts import ROOMS

FIGURES = {rule.name: rule.figures for rule in ALL_RULES}
NEVER_MET = {rule.name for rule in SIZE_RULES}
"""Rules of size refuse nothing: they cut."""


def verdict(
    rule: str,
    figures: Mapping[str, str],
    ruling: Ruling = Ruling.REFUSED,
    *,
    symbol: Symbol = BTC,
    purpose: Purpose = Purpose.ENTRY,
) -> Verdict:
    return Verdict(
        symbol=symbol,
        purpose=purpose,
        ruling=ruling,
        rule=rule,
        reason="so it is",
        figures=dict(figures),
    )


def told(*verdicts: Verdict, unfilled: Mapping[str, str] | None = None) -> list[str]:
    lately = Lately(cycle=1, verdicts=verdicts, unfilled=dict(unfilled or {}))
    return lately_told(lately)[1:]


def test_no_rule_tells_more_figures_than_matter_and_none_that_it_does_not_have() -> None:
    for name in FIGURES.keys() - NEVER_MET:
        figures = {figure: str(place) for place, figure in enumerate(FIGURES[name])}
        some = figures_told(verdict(name, figures))
        assert len(some) <= MOST, name
        assert some.keys() <= figures.keys()
    chosen = {name: set(names) for name, names in MATTERING.items()}
    chosen |= {
        name: {figure for pair in pairs for figure in pair} for name, pairs in BOUNDS.items()
    }
    assert [name for name, names in chosen.items() if not names <= set(FIGURES[name])] == []


def test_whoever_adds_a_rule_with_many_figures_says_which_of_them_matter() -> None:
    many = {name for name, figures in FIGURES.items() if len(figures) > MOST}
    assert many <= MATTERING.keys() | BOUNDS.keys()


@pytest.mark.parametrize(
    ("rule", "changed", "names"),
    [
        ("stop width", {"stop": "97"}, {"stop", "lowest_stop"}),
        ("stop width", {"target": "107"}, {"target", "highest_target"}),
        ("stop side", {"stop": "100", "bid": "100"}, {"stop", "bid"}),
        ("stop side", {"target": "99"}, {"target", "ask"}),
        ("price band", {"stop": "1"}, {"stop", "lowest"}),
        ("price band", {"stop": "999"}, {"stop", "highest"}),
        ("price band", {"target": "1"}, {"target", "lowest"}),
        ("price band", {"target": "999"}, {"target", "highest"}),
    ],
)
def test_of_several_bounds_the_one_that_is_broken_is_told(
    rule: str, changed: Mapping[str, str], names: set[str]
) -> None:
    """Whichever way round they come: the database keeps no order."""
    prices = {"stop": "98", "bid": "100", "ask": "101", "target": "106"}
    bounds = {"lowest_stop": "98", "highest_target": "106", "lowest": "50", "highest": "202"}
    known = {**prices, **bounds, **changed}
    figures = {name: known[name] for name in FIGURES[rule]}
    for order in (figures, dict(reversed(figures.items()))):
        assert figures_told(verdict(rule, order)).keys() == names


def test_an_approval_has_no_figures_and_a_reduction_those_of_its_rule() -> None:
    assert told(verdict("all rules", ROOMS, Ruling.APPROVED)) == [
        "  BTC/USDT entry approved by all rules: as proposed."
    ]
    assert told(verdict("exposure", ROOMS, Ruling.REDUCED)) == [
        "  BTC/USDT entry reduced by exposure: so it is (exposure_usdt 12514.3)."
    ]


def test_words_for_a_figure_are_cut() -> None:
    stale = ", ".join(f"C{number}/USDT" for number in range(9))
    (line,) = told(verdict("known equity", {"stale": stale}))
    assert (
        line == "  BTC/USDT entry refused by known equity: so it is (stale C0/USDT, C1/USDT, C2/…)."
    )


@pytest.mark.parametrize(("rule", "ruling"), [("all rules", "approved"), ("exposure", "reduced")])
def test_an_entry_that_was_not_filled_is_told_as_such_and_cut_short(rule: str, ruling: str) -> None:
    word = verdict(rule, ROOMS, Ruling(ruling))
    (line,) = told(word, unfilled={BTC: "The book was empty."})
    assert line == f"  BTC/USDT entry {ruling} by {rule}: not filled: The book was empty."
    (line,) = told(word, unfilled={BTC: "much\n" * 99})
    assert line.endswith(" much m….")


def test_only_the_entry_itself_is_told_as_not_filled() -> None:
    sold = verdict("decision", {}, Ruling.APPROVED, purpose=Purpose.DECISION)
    other = verdict("all rules", {}, Ruling.APPROVED, symbol=ETH)
    refused = verdict("confidence", {"confidence": "0.1", "limit": "0.6"})
    lines = told(sold, other, refused, unfilled={BTC: "The book was empty."})
    assert not any("not filled" in line for line in lines)
