"""docs/risk.md says each rule with its formula, and each limit with its default."""

from pathlib import Path

from oxbot.domain.bot import RiskLimits
from oxbot.domain.limits import MEANINGS, shown
from oxbot.domain.rules import ALL_RULES

PAGE = (Path(__file__).parents[3] / "docs" / "risk.md").read_text(encoding="utf-8").splitlines()


def test_each_rule_stands_on_the_page_with_its_formula_and_its_figures() -> None:
    rows = [
        f"| {rule.name} | {rule.formula.replace('|', '&#124;')} | {', '.join(rule.figures)} |"
        for rule in ALL_RULES
    ]
    assert [row for row in rows if row not in PAGE] == []


def test_each_limit_stands_on_the_page_with_its_default() -> None:
    defaults = RiskLimits()
    rows = [
        f"| `{name}` | {shown(name, getattr(defaults, name))} | {meaning} |"
        for name, meaning in MEANINGS.items()
    ]
    assert [row for row in rows if row not in PAGE] == []


def test_the_page_tells_of_no_rule_that_there_is_not() -> None:
    told = {line.split(" | ")[0].removeprefix("| ") for line in PAGE if line.startswith("| ")}
    heads = {"rule", "limit"}
    known = {rule.name for rule in ALL_RULES} | {f"`{name}`" for name in MEANINGS}
    assert told - heads == known
