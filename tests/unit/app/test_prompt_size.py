"""The prompt's size, counted by Qwen's own tokenizer, and its version."""

import hashlib
from collections.abc import Callable

import pytest
from dashscope import get_tokenizer

from oxbot.app.prompt import PROMPT_VERSION, build_request, parts_of
from oxbot.app.prompt.constant import CONSTANT
from oxbot.app.prompt.lately import lately_told
from oxbot.domain.bot import DEFAULT_SYMBOLS
from oxbot.domain.risk import Ruling
from oxbot.records import MarketBrief
from tests.support.prompts import (
    REASON,
    ROOMS,
    STOP_WIDTH,
    busy_brief,
    told_brief,
    unfilled_brief,
)

MOST_TOKENS = 3_500
"""For five coins."""

PARTS = {
    "constant": 640,
    "limits": 260,
    "memory": 300,
    "account": 90,
    "positions": 660,
    "lately": 330,
    "market": 1_450,
}
"""What each part may take, so that whoever lets one grow sees which."""

WORDINGS = {
    "1": ("13e5a49d24c33b8c", "0eee662d96c58c13"),
    "2": ("f7d05b853030fca2", "f04effff6ae3b32a"),
}
"""The digests of the constant part and of the busy prompt, for each version there was."""

Count = Callable[[str], int]


@pytest.fixture(scope="module")
def count() -> Count:
    tokenizer = get_tokenizer("qwen-max")
    return lambda text: len(tokenizer.encode(text))


def test_a_prompt_on_five_coins_with_much_to_tell_stays_below_its_limit(count: Count) -> None:
    total = sum(count(text) for _, text in build_request(busy_brief()).messages)
    assert total <= MOST_TOKENS


STALE = {"stale": ", ".join(DEFAULT_SYMBOLS)}
TOLD = (
    ("account exposure", "cut to what the limits leave", ROOMS, Ruling.REDUCED),
    ("all rules", REASON, ROOMS, Ruling.APPROVED),
    ("stop width", "the target is further away than allowed", STOP_WIDTH, Ruling.REFUSED),
    (
        *("price band", "the stop or the target is far from this coin's price"),
        {"stop": "1234.5678", "target": "654321.1", "lowest": "56123.12", "highest": "224691.4"},
        Ruling.REFUSED,
    ),
    (
        *("size", "what the limits leave is, after the fee, below the minimum that can be sold"),
        {**ROOMS, "quantity": "0.00012345", "kept": "0.00012333", "minimum": "0.00020000"},
        Ruling.REFUSED,
    ),
    (
        *("drawdown", "equity has fallen from its high-water mark by the limit"),
        {"drawdown": "0.1534", "limit": "0.15", "equity": "8512.12", "high_water": "10054.12"},
        Ruling.REFUSED,
    ),
    (
        *("known equity", "a coin that is held has no price young enough to know the equity by"),
        STALE,
        Ruling.REFUSED,
    ),
)
"""Five times each, besides five closed trades."""

UNFILLED = (
    "paused, stopped, changed or expired before it was sent",
    "The order for BTC/USDT expired 123456 ms before it arrived; it did not trade.",
    "界" * 99,
)


@pytest.mark.parametrize(("rule", "reason", "figures", "ruling"), TOLD)
def test_whatever_the_rules_said_five_times_it_stays_below_its_limit(
    count: Count, rule: str, reason: str, figures: dict[str, str], ruling: Ruling
) -> None:
    must_be_short(count, told_brief(rule, reason, figures, ruling))


@pytest.mark.parametrize("reason", UNFILLED)
def test_why_five_entries_were_not_filled_stays_below_its_limit(count: Count, reason: str) -> None:
    must_be_short(count, unfilled_brief(reason))


def must_be_short(count: Count, brief: MarketBrief) -> None:
    assert brief.lately
    assert len(lately_told(brief.lately)) == 1 + 5 + 5
    assert sum(count(text) for _, text in build_request(brief).messages) <= MOST_TOKENS
    assert count("\n".join(parts_of(brief)["lately"])) <= PARTS["lately"]


def test_no_part_takes_more_than_its_share(count: Count) -> None:
    told = {"constant": [CONSTANT], **parts_of(busy_brief())}
    taken = {name: count("\n".join(lines)) for name, lines in told.items()}
    assert taken.keys() == PARTS.keys()
    assert {name: tokens for name, tokens in taken.items() if tokens > PARTS[name]} == {}


def test_a_changed_wording_has_a_new_version() -> None:
    """Whoever changes the prompt raises PROMPT_VERSION and adds its digests here."""
    digests = tuple(
        hashlib.sha256(text.encode()).hexdigest()[:16]
        for text in (CONSTANT, build_request(busy_brief()).messages[1][1])
    )
    assert list(WORDINGS)[-1] == PROMPT_VERSION
    assert WORDINGS[PROMPT_VERSION] == digests
