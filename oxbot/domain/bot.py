"""A bot: what it trades, how often, within which limits, and what state it is in."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from oxbot.domain.errors import NotFound
from oxbot.domain.limit_numbers import (
    Keepable,
    LimitBasisPoints,
    LimitFraction,
    LimitNotional,
)
from oxbot.domain.market import Symbol
from oxbot.domain.models import BASELINE, ModelChoice, ModelName, Provider, Temperature
from oxbot.domain.money import Notional, plain
from oxbot.domain.units import Bounded
from oxbot.domain.values import Storable, Value

DEFAULT_SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT", "XRP/USDT")
REAL_VENUE: Final = "okx"
SIMULATED_VENUE: Final = "okx-simulated"
"""A bot stays on the venue it was made for: prices of two worlds do not mix in one ledger."""

DEMO_SUFFIX: Final = "-demo"
"""Ends the names of the venues that are OKX's demo trading."""

ID_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,30}$"
BotId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Fraction = Annotated[Decimal, Field(gt=0, le=1)]
"""A part of a whole: 0.15 is 15 %."""

BotName = Annotated[Storable, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
PromptVersion = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,30}$")]
Budget = Keepable[Annotated[Decimal, Field(gt=0, le=10**6)]]
LONGEST_S: Final = 31 * 86_400


class BotStatus(StrEnum):
    """The four states of control."""

    RUNNING = "running"
    PAUSED = "paused"
    CLOSING = "closing"
    STOPPED = "stopped"


class Mode(StrEnum):
    """Where orders go; fixed when the bot is made."""

    PAPER = "paper"
    LIVE = "live"


def has_real_money(venue: str) -> bool:
    """Whether money is at stake at a venue: not in demo trading, nor where it is simulated."""
    return venue != SIMULATED_VENUE and not venue.endswith(DEMO_SUFFIX)


class RiskLimits(Value):
    """The limits the code enforces, whatever a model proposes; `docs/risk.md` has the formulas.

    Fractions are of equity (`max_position`, `max_exposure`), of the account's equity
    (`max_account_exposure`), of the average entry price (`stop`, `target`), of the best bid
    since the entry (`trailing`, None: off), of the equity at the day's beginning (`daily_loss`)
    or of the high-water mark (`drawdown`). Times are seconds of venue time, `minimum_notional`
    is in USDT. `flatten_at_limit`: whether a loss at its limit also sells everything.
    """

    max_position: LimitFraction = Decimal("0.15")
    max_exposure: LimitFraction = Decimal("0.85")
    max_account_exposure: LimitFraction = Decimal("0.85")
    stop: LimitFraction = Decimal("0.035")
    target: Keepable[Annotated[Decimal, Field(gt=0, le=10)]] = Decimal("0.07")
    trailing: LimitFraction | None = None
    reward_risk: Keepable[Annotated[Decimal, Field(gt=0, le=100)]] = Decimal("1.5")
    longest_hold_s: int = Field(default=13_800, ge=60, lt=14_400)
    shortest_hold_s: int = Field(default=600, ge=0)
    cooldown_s: int = Field(default=900, ge=0, le=LONGEST_S)
    price_age_s: int = Field(default=15, ge=1, le=LONGEST_S)
    move_bp: LimitBasisPoints = Decimal(30)
    spread_bp: LimitBasisPoints = Decimal(20)
    slippage_bp: LimitBasisPoints = Decimal(20)
    confidence: LimitFraction = Decimal("0.6")
    fee_round_trips: Keepable[Annotated[Decimal, Field(ge=0, le=100)]] = Decimal(2)
    entries_a_day: int = Field(default=20, ge=0, le=100_000)
    minimum_notional: LimitNotional = Notional(10)
    daily_loss: LimitFraction = Decimal("0.03")
    drawdown: LimitFraction = Decimal("0.1")
    flatten_at_limit: bool = False

    @model_validator(mode="after")
    def _must_not_contradict(self) -> Self:
        if self.shortest_hold_s >= self.longest_hold_s:
            raise ValueError("shortest_hold_s must be below longest_hold_s")
        if self.max_position > self.max_exposure:
            raise ValueError("max_position must not exceed max_exposure")
        return self


class BotSettings(Value):
    """What a person chooses when making a bot; `capital` in USDT, `interval_s` of venue time.

    `provider` to `json_schema` are the model that decides, `fallbacks` those asked in its stead,
    in order, while it does not answer; see `ModelChoice`. `budget_usd` is what they may cost a
    UTC day of wall time; None: no limit. `prompt_version` is the wording of its questions;
    None: the newest there is. `gate_bp`: no model is asked while no price has moved by so many
    basis points since the last question and nothing else has changed; None: always.
    """

    name: BotName
    owner: Annotated[str, StringConstraints(min_length=1, max_length=60)] = "local"
    mode: Mode = Mode.PAPER
    venue: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,30}$")] = REAL_VENUE
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=20)] = DEFAULT_SYMBOLS
    interval_s: int = Field(default=300, ge=1, le=86_400)
    capital: Annotated[Notional, Bounded(gt=Decimal(0), le=Decimal(10**12))] = Notional(10_000)
    provider: Provider = BASELINE
    model: ModelName = ""
    temperature: Temperature = Decimal(0)
    json_object: bool | None = None
    json_schema: bool | None = None
    fallbacks: Annotated[tuple[ModelChoice, ...], Field(max_length=5)] = ()
    limits: RiskLimits = RiskLimits()

    @property
    def choices(self) -> tuple[ModelChoice, ...]:
        """The models that may decide, in the order in which they are asked."""
        first = ModelChoice(
            provider=self.provider,
            model=self.model,
            temperature=self.temperature,
            json_object=self.json_object,
            json_schema=self.json_schema,
        )
        return (first, *self.fallbacks)

    @property
    def deciders(self) -> str:
        """How those models are named to people: dashscope qwen-max, else baseline."""
        named = ", else ".join(choice.label for choice in self.choices)
        if self.gate_bp is None:
            return named
        return f"{named}, asked when something has changed (gate {plain(self.gate_bp)} bp)"

    prompt_version: PromptVersion | None = None
    budget_usd: Budget | None = None
    gate_bp: LimitBasisPoints | None = None

    @model_validator(mode="after")
    def _symbols_must_be_distinct_and_in_usdt(self) -> Self:
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError("a symbol is named twice")
        foreign = [symbol for symbol in self.symbols if not symbol.endswith("/USDT")]
        if foreign:
            raise ValueError(f"only symbols quoted in USDT can be traded, not {', '.join(foreign)}")
        return self


class Bot(Value):
    """A bot on record; `flatten` is what a stop asked for.

    `created_ms` is wall time, as is `archived_ms`: since when lists leave it out, None if not.
    """

    id: BotId
    settings: BotSettings
    status: BotStatus
    epoch: int
    flatten: bool = True
    incarnation: int
    created_ms: int
    archived_ms: int | None = None

    def is_live_on(self, venue: str) -> bool:
        """Whether it trades live on a venue and is not stopped."""
        is_there = self.settings.mode is Mode.LIVE and self.settings.venue == venue
        return is_there and self.status is not BotStatus.STOPPED


def no_bot(bot_id: str) -> NotFound:
    """Say that a bot does not exist; of one that is somebody else's the same is said."""
    return NotFound(f"There is no bot {bot_id}. `oxbot bots list` shows those there are.")
