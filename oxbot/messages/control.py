"""What people ask of a bot, and what it answers."""

from pydantic import BaseModel, ConfigDict

from oxbot.domain.bot import BotStatus, RiskLimits
from oxbot.domain.money import Notional
from oxbot.domain.values import Storable
from oxbot.messages.base import Message
from oxbot.messages.cycles import CycleOutcome
from oxbot.messages.runs import PositionBrief


class WriteControl(Message):
    """Put the bot's status and epoch on record; an older epoch changes nothing."""

    bot_id: str
    status: BotStatus
    epoch: int
    flatten: bool
    by: str
    reason: str


class ControlRequest(BaseModel):
    """What a pause, resume or stop may carry. `flatten` only counts for stop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Storable = "temporal"
    reason: Storable = ""
    flatten: bool = True


class ChangeLimits(BaseModel):
    """What a person wishes of a bot's limits: only those named change; None is off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Storable = "temporal"
    reason: Storable = ""
    limits: dict[str, str | int | None]


class WriteLimits(Message):
    """Put changed limits on record under a raised epoch; the same epoch changes them once."""

    bot_id: str
    epoch: int
    by: str
    reason: str
    limits: dict[str, str | int | None]


class LimitsAnswer(Message):
    """The limits that hold from now on, and which of them changed.

    `recorded` says whether PostgreSQL has them; until it has, no entry of the older epoch is
    sent either.
    """

    epoch: int
    limits: RiskLimits
    changed: tuple[str, ...]
    recorded: bool = True


class ControlAnswer(Message):
    """The status that holds from now on.

    `in_flight` are the ids of orders that can still be sent or filled; empty means that
    nothing can. `recorded` says whether PostgreSQL has it too.
    """

    status: str
    epoch: int
    in_flight: tuple[str, ...] = ()
    recorded: bool = True


class BotView(Message):
    """A bot's state as its workflow knows it. Times in venue ms, amounts in USDT."""

    bot_id: str
    status: BotStatus
    incarnation: int
    epoch: int
    cycle: int
    next_due_ms: int | None
    last_outcome: CycleOutcome | None
    equity: Notional | None
    positions: tuple[PositionBrief, ...]
    in_flight: tuple[str, ...]
    unwritten: int
    stepped: bool
