"""What has to hold before a bot is put out of sight or changed, and what bots say too late."""

from typing import cast

import pytest
from temporalio.client import (
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError

from oxbot.adapters.temporal.failures import failed
from oxbot.app.bots import Desk
from oxbot.app.keeping import archive_bot, change_settings
from oxbot.cli.bot_settings import read
from oxbot.domain.allowance import Allowance
from oxbot.domain.bot import Bot, BotSettings, BotStatus
from oxbot.domain.bot_changes import (
    CHANGEABLE,
    FIXED,
    ChangedSettings,
    ChangeSettings,
    Word,
    settings_after,
)
from oxbot.domain.errors import Conflict, InputError, OxbotError, Unanswered, Unavailable
from oxbot.domain.models import ModelChoice
from oxbot.domain.money import Quantity
from oxbot.domain.portfolio import Portfolio
from oxbot.ports import BotControl, Keeping
from tests.support.fake_breaker import FakeBreaker
from tests.support.fake_store import FakeStore
from tests.support.fakes import BTC, FakeBoard
from tests.support.no_bots import NoBots
from tests.unit.app.test_create import PROVIDERS, Told

ANN = Word(by="Ann")
QWEN = BotSettings.model_validate(
    {"name": "Test", "provider": "dashscope", "model": "qwen-max", "json_schema": True}
)


class Shelf(FakeStore):
    """A record of bots that have these coins left as dust."""

    def __init__(self, **dust: str) -> None:
        super().__init__()
        self.dust = {symbol.replace("_", "/"): Quantity(left) for symbol, left in dust.items()}

    async def portfolio(self, bot_id: str) -> Portfolio:
        """Give what is left."""
        return (await super().portfolio(bot_id)).model_copy(update={"dust": self.dust})

    async def archive(self, bot_id: str, word: Word, now_ms: int) -> Bot:  # noqa: ARG002 - the port's
        """Put a bot away."""
        bot = self.bots_by_id[bot_id].model_copy(update={"archived_ms": now_ms})
        self.bots_by_id[bot_id] = bot
        return bot

    async def change_settings(
        self,
        bot_id: str,
        change: ChangeSettings,
        allowance: Allowance | None = None,  # noqa: ARG002 - as above
    ) -> ChangedSettings:
        """Change settings."""
        after = settings_after((await self.bot(bot_id)).settings, change.settings)
        return ChangedSettings(settings=after, changed=tuple(change.settings))


async def office(
    store: Shelf, status: BotStatus = BotStatus.STOPPED, settings: BotSettings | None = None
) -> Desk:
    chosen = settings or BotSettings(name="Test", symbols=(BTC,))
    made = await store.create_bot("b1", chosen, 1)
    store.bots_by_id["b1"] = made.model_copy(update={"status": status})
    control, keeping = cast("BotControl", NoBots()), cast("Keeping", store)
    told = Told([BTC])
    return Desk(store, control, "okx", told, FakeBoard(), FakeBreaker(), keeping=keeping)


async def test_a_bot_with_dust_that_could_be_sold_is_not_archived_and_the_amount_is_said() -> None:
    desk = await office(Shelf(BTC_USDT="0.5"))
    with pytest.raises(Conflict, match=r"it has 0\.5 BTC/USDT, which is enough to be sold"):
        await archive_bot(desk, "b1", ANN)


@pytest.mark.parametrize("dust", [{"BTC_USDT": "0.00000001"}, {"GONE_USDT": "5"}, {}])
async def test_dust_that_nobody_would_buy_is_in_nobodys_way(dust: dict[str, str]) -> None:
    desk = await office(Shelf(**dust))
    first = await archive_bot(desk, "b1", ANN)
    assert first.archived_ms
    assert await archive_bot(desk, "b1", ANN) == first


async def test_a_bot_is_renamed_while_its_provider_is_not_set_up() -> None:
    desk = await office(Shelf(), BotStatus.RUNNING, QWEN)
    rename = ChangeSettings(by="Ann", settings={"name": "Calm"})
    assert (await change_settings(desk, "b1", rename, PROVIDERS)).settings.name == "Calm"
    wishes: tuple[dict[str, object], ...] = ({"model": "qwen-plus"}, {"prompt_version": "none"})
    for wish in wishes:
        with pytest.raises(InputError):
            await change_settings(desk, "b1", ChangeSettings(by="A", settings=wish), PROVIDERS)


def test_every_setting_can_change_or_says_why_it_cannot() -> None:
    assert set(CHANGEABLE).isdisjoint(FIXED)
    assert set(CHANGEABLE) | set(FIXED) == set(BotSettings.model_fields)


def test_another_provider_decides_with_its_own_default_model() -> None:
    after = settings_after(QWEN, {"provider": "openai"})
    assert (after.provider, after.model, after.json_schema) == ("openai", "", None)
    assert settings_after(QWEN, {"provider": "dashscope"}).model == "qwen-max"
    named = settings_after(QWEN, {"provider": "openai", "model": "gpt-5-mini"})
    assert named.model == "gpt-5-mini"


def test_a_terminal_says_settings_as_text() -> None:
    wishes = (
        "name=off",
        "temperature=0.5",
        "budget_usd=off",
        "gate_bp=5",
        "json_schema=no",
        "fallbacks=openai:gpt-5-mini, baseline",
        "model=default",
        "prompt_version=off",
    )
    after = settings_after(QWEN, dict(read(wish) for wish in wishes))
    assert (after.name, str(after.temperature), after.budget_usd) == ("off", "0.5", None)
    assert (str(after.gate_bp), after.json_schema, after.model) == ("5", False, "")
    second = ModelChoice(provider="openai", model="gpt-5-mini")
    assert after.fallbacks == (second, ModelChoice(provider="baseline"))
    assert settings_after(after, dict([read("fallbacks=none")])).fallbacks == ()
    with pytest.raises(InputError, match="NAME=VALUE"):
        read("name")


@pytest.mark.parametrize(
    ("kind", "becomes"),
    [
        ("InputError", InputError),
        ("Unavailable", Unavailable),
        ("Unanswered", Unanswered),
        ("Conflict", Conflict),
        (None, Conflict),
    ],
)
def test_what_an_update_failed_with_is_told_as_what_it_is(
    kind: str | None, becomes: type[OxbotError]
) -> None:
    error = failed(WorkflowUpdateFailedError(ApplicationError("why", type=kind)), "b1")
    assert (type(error), str(error)) == (becomes, "why")


def test_an_update_that_was_not_answered_may_still_take_effect() -> None:
    error = failed(WorkflowUpdateRPCTimeoutOrCancelledError(), "b1")
    assert isinstance(error, Unanswered)
    assert "may still take effect: look" in str(error)
    assert error.http_status == 503
