"""What is to be different in a replay, and what a model may know beforehand."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from oxbot.app.decision_replay import ModelChange
from oxbot.app.decision_replays import foreknowledge
from oxbot.domain.models import ModelChoice

ASKED = ModelChoice(
    provider="dashscope", model="qwen-max", temperature=Decimal("0.3"), json_schema=False
)


def due(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_what_is_not_to_be_different_is_asked_as_it_was() -> None:
    assert ModelChange().of(ASKED) == ASKED
    other = ModelChange(model="qwen-plus").of(ASKED)
    assert other == ASKED.model_copy(update={"model": "qwen-plus"})


def test_another_provider_brings_its_own_model_and_abilities() -> None:
    other = ModelChange(provider="openai").of(ASKED)
    assert other == ModelChoice(provider="openai", temperature=Decimal("0.3"))
    named = ModelChange(provider="openai", model="gpt-4.1-mini", json_schema=True).of(ASKED)
    assert (named.model, named.json_schema) == ("gpt-4.1-mini", True)
    assert ModelChange(provider="dashscope").of(ASKED) == ASKED


@pytest.mark.parametrize(
    ("cutoff", "told"),
    [
        (date(2024, 6, 1), "has read until 2024-06-01, and 1 of 2 cycles are older"),
        (date(2024, 5, 31), None),
        (date(2025, 1, 1), "2 of 2 cycles are older"),
        (None, "Nobody states until when m has read"),
    ],
)
def test_a_model_that_may_have_read_of_the_cycles_is_warned_of(
    cutoff: date | None, told: str | None
) -> None:
    warning = foreknowledge("m", cutoff, [due("2024-06-01T23:59:59"), due("2024-06-02T00:00:00")])
    if told is None:
        assert warning is None
    else:
        assert warning is not None
        assert told in warning


@pytest.mark.parametrize(
    ("change", "provider", "idle"),
    [
        (ModelChange(model="qwen-plus"), "baseline", True),
        (ModelChange(temperature=Decimal(1)), "baseline", True),
        (ModelChange(model="qwen-plus"), "dashscope", False),
        (ModelChange(provider="dashscope", model="qwen-plus"), "baseline", False),
        (ModelChange(provider="baseline"), "dashscope", False),
        (ModelChange(), "baseline", False),
    ],
)
def test_a_wish_that_a_rule_cannot_follow_is_idle(
    change: ModelChange, provider: str, *, idle: bool
) -> None:
    assert change.is_idle(ModelChoice(provider=provider)) is idle
