"""The prompt's size, counted by Qwen's own tokenizer, and its version."""

import hashlib
from collections.abc import Callable

import pytest
from dashscope import get_tokenizer

from oxbot.app.prompt import PROMPT_VERSION, build_request, parts_of
from oxbot.app.prompt.constant import CONSTANT
from tests.support.prompts import busy_brief

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

WORDINGS = {"1": ("13e5a49d24c33b8c", "0eee662d96c58c13")}
"""The digests of the constant part and of the busy prompt, for each version there was."""

Count = Callable[[str], int]


@pytest.fixture(scope="module")
def count() -> Count:
    tokenizer = get_tokenizer("qwen-max")
    return lambda text: len(tokenizer.encode(text))


def test_a_prompt_on_five_coins_with_much_to_tell_stays_below_its_limit(count: Count) -> None:
    total = sum(count(text) for _, text in build_request(busy_brief()).messages)
    assert total <= MOST_TOKENS


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
