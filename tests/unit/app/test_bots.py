"""Making a bot: what is refused before anything is written."""

import pytest

from oxbot.app.bots import Desk, create_bot
from oxbot.domain.bot import BotSettings
from oxbot.domain.errors import InputError
from tests.support.fake_breaker import FakeBreaker
from tests.support.fake_store import FakeStore
from tests.support.fakes import FakeBoard, FakeFeed
from tests.unit.cli.test_stepped import SteppedBot


@pytest.mark.parametrize("bot_id", ["", "a b", "Bot1", "-x", "x" * 32, "../x", "x\n"])
async def test_an_id_that_cannot_be_one_is_refused_in_a_sentence(bot_id: str) -> None:
    desk = Desk(FakeStore(), SteppedBot(), "fake", FakeFeed({}), FakeBoard(), FakeBreaker())
    settings = BotSettings(name="Test", provider="fake")
    with pytest.raises(InputError, match="cannot be a bot's id"):
        await create_bot(desk, settings, frozenset({"fake"}), bot_id)
    assert await desk.store.bots() == []
