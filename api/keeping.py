"""One bot kept in order: its settings, one of its positions, its workflow, its place in lists."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from pydantic import Field, model_validator

from api.allowances import allowance_of
from api.asked import NO_REASON, Because, by, word_of
from api.control import REFUSALS
from api.desk import TheDesk, TheSettings
from api.problems import PROBLEM, Responses
from api.signed_in import TheBot, TheBotToTrade, TheUser
from oxbot.app import keeping
from oxbot.app.keeping import Started
from oxbot.domain.bot import Bot, BotName, Budget, PromptVersion
from oxbot.domain.bot_changes import FIXED, ChangedSettings, ChangeSettings
from oxbot.domain.limit_numbers import LimitBasisPoints
from oxbot.domain.models import ModelChoice, ModelName, Provider, Temperature
from oxbot.domain.values import Value
from oxbot.messages import ClosePosition, CloseReport

router = APIRouter(prefix="/bots/{bot_id}", tags=["control"], responses=REFUSALS | {404: PROBLEM})

PAIR: Final = r"^[A-Z0-9]{1,15}-[A-Z0-9]{1,15}$"
Pair = Annotated[str, Path(pattern=PAIR, description="The coin's symbol, as BTC-USDT.")]

SELLING: Final[Responses] = {
    202: {"model": CloseReport, "description": "Not sold yet; the bot goes on until it is."}
}


class NewSettings(Value):
    """What is to change; what is not named stays. Null is off, or the provider's own default."""

    name: BotName | None = None
    provider: Provider | None = None
    model: ModelName | None = None
    temperature: Temperature | None = None
    json_object: bool | None = None
    json_schema: bool | None = None
    fallbacks: Annotated[tuple[ModelChoice, ...], Field(max_length=5)] | None = None
    prompt_version: PromptVersion | None = None
    budget_usd: Budget | None = None
    gate_bp: LimitBasisPoints | None = None

    @model_validator(mode="before")
    @classmethod
    def _must_be_changeable(cls, given: object) -> object:
        for name in given if isinstance(given, dict) else ():
            if name in FIXED:
                raise ValueError(f"{name} cannot change: {FIXED[name]}.")
        return given

    @property
    def named(self) -> dict[str, object]:
        """What is to change, by name."""
        return self.model_dump(exclude_unset=True)


class SettingsChange(Because):
    """Settings that are to change, and why."""

    settings: NewSettings


@router.patch("/settings", responses={403: PROBLEM})
async def change_settings(
    desk: TheDesk, settings: TheSettings, user: TheUser, bot: TheBotToTrade, asked: SettingsChange
) -> ChangedSettings:
    """Change a bot's name, who decides, by which wording, for how much, and when it is asked.

    It goes by them from its next step on. Asking again changes nothing. Another provider decides
    with its own default model, unless one is named as well.
    """
    change = ChangeSettings(by=by(user), reason=asked.reason, settings=asked.settings.named)
    held_to, providers = allowance_of(user, settings), settings.model_providers
    return await keeping.change_settings(desk, bot.id, change, providers, held_to)


@router.post("/positions/{symbol}/close", responses=SELLING)
async def close_position(
    desk: TheDesk,
    user: TheUser,
    bot: TheBot,
    symbol: Pair,
    response: Response,
    asked: Because = NO_REASON,
) -> CloseReport:
    """Sell one position, and let the bot go on: 200 with the proof that it is gone, else 202.

    404: nothing is held in that coin. 409: it could not be sold, and `detail` says why.
    """
    request = ClosePosition(symbol=symbol.replace("-", "/"), by=by(user), reason=asked.reason)
    report = await keeping.close_position(desk, bot.id, request)
    response.status_code = 200 if report.done else 202
    return report


@router.post("/start")
async def start(desk: TheDesk, bot: TheBotToTrade) -> Started:
    """Start a bot whose workflow is gone, as a worker does within seconds; else do nothing.

    One that was ended by force while it held something starts paused.
    """
    return await keeping.start_bot(desk, bot.id)


@router.post("/archive")
async def archive(desk: TheDesk, user: TheUser, bot: TheBot, asked: Because = NO_REASON) -> Bot:
    """Have lists leave a stopped bot out, which has nothing left; archived once more it stays."""
    return await keeping.archive_bot(desk, bot.id, word_of(user, asked))


@router.post("/unarchive")
async def unarchive(
    desk: TheDesk, settings: TheSettings, user: TheUser, bot: TheBot, asked: Because = NO_REASON
) -> Bot:
    """Have lists show a bot again; 409 where you have as many as you may have."""
    held_to = allowance_of(user, settings)
    return await keeping.unarchive_bot(desk, bot.id, word_of(user, asked), held_to)
