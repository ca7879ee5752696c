"""`oxbot decisions replay --stepped`: which bots are driven."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.app.decision_replay import ModelChange, Variant
from oxbot.cli.decision_stepped import MarketWishes, twin_of, varied
from oxbot.domain.bot import ID_PATTERN, BotSettings
from oxbot.domain.errors import InputError
from oxbot.domain.models import ModelChoice
from oxbot.domain.schedule import offset_ms

QWEN = BotSettings(
    name="q", provider="dashscope", model="qwen-max", fallbacks=(ModelChoice(provider="openai"),)
)


@given(
    bot_id=st.from_regex(ID_PATTERN, fullmatch=True),
    interval_s=st.sampled_from([1, 60, 300, 3600]),
)
def test_the_baseline_ticks_when_the_bot_does(bot_id: str, interval_s: int) -> None:
    twin = twin_of(bot_id, interval_s * 1000)
    assert twin != bot_id
    assert offset_ms(twin, interval_s * 1000) == offset_ms(bot_id, interval_s * 1000)
    assert BotSettings.model_validate({"name": twin}).name == twin


def test_only_what_is_to_be_different_is() -> None:
    assert varied(QWEN, Variant()) == QWEN
    other = varied(QWEN, Variant(model=ModelChange(model="qwen-plus"), limits={"stop": "2%"}))
    assert other.choices == (ModelChoice(provider="dashscope", model="qwen-plus"),)
    assert other.limits.stop == Decimal("0.02")
    assert varied(QWEN, Variant(prompt_version="2-now")).prompt_version == "2-now"
    with pytest.raises(InputError, match="contradict each other"):
        varied(QWEN, Variant(limits={"stop": "20%"}))


def test_a_market_is_that_of_the_record_unless_named() -> None:
    kept = {"timeframe": "1m", "seed": 11}
    assert MarketWishes().among(kept) == MarketWishes(timeframe="1m", seed=11)
    assert MarketWishes(timeframe="5m", seed=0).among(kept) == MarketWishes(timeframe="5m", seed=0)
    assert MarketWishes().among({}) == MarketWishes(timeframe="5m", seed=7)
