"""The risk rules, one small object each; `docs/risk.md` tells them all.

What they make of proposals and positions is in `oxbot.domain.entries` and `exits`.
"""

from typing import Final

from oxbot.domain.rules.base import ExitRule, LeastRule, ProposalRule, Rule, SizeRule
from oxbot.domain.rules.closing import Held, NotInFlight, Part, Sellable, ShortestHold
from oxbot.domain.rules.leaving import (
    Flatten,
    LeaveByDailyLoss,
    LeaveByDrawdown,
    LongestHold,
    Stop,
    Target,
    TrailingStop,
)
from oxbot.domain.rules.losses import DailyLoss, Drawdown, KnownEquity, LossRule
from oxbot.domain.rules.pace import Cooldown, EntriesADay
from oxbot.domain.rules.plan import PriceBand, RewardRisk, StopSide, StopWidth
from oxbot.domain.rules.prices import Book, PriceAge, PriceMoved, Spread
from oxbot.domain.rules.proposals import Confidence, Duplicate, FeeGate, Listed, Live
from oxbot.domain.rules.sizes import (
    FreeCash,
    MaxAccountExposure,
    MaxExposure,
    MaxPosition,
    Minimum,
    MinimumNotional,
)

ENTRY_RULES: Final[tuple[ProposalRule, ...]] = (
    Listed(),
    Live(),
    Duplicate(),
    Confidence(),
    FeeGate(),
    Book(),
    PriceAge(),
    Spread(),
    PriceMoved(),
    PriceBand(),
    StopSide(),
    StopWidth(),
    RewardRisk(),
    KnownEquity(),
    Drawdown(),
    DailyLoss(),
    Cooldown(),
    EntriesADay(),
)
"""In the order in which they are asked of an entry; the first refusal stands."""

SIZE_RULES: Final[tuple[SizeRule, ...]] = (
    MaxPosition(),
    MaxExposure(),
    MaxAccountExposure(),
    FreeCash(),
)
"""The least of what they leave is the size; the first is the whole, and a later one reduces it."""

LEAST_RULES: Final[tuple[LeastRule, ...]] = (Minimum(), MinimumNotional())
"""Asked of the size that is left."""

CLOSE_RULES: Final[tuple[ProposalRule, ...]] = (Held(), NotInFlight(), ShortestHold(), Sellable())
"""Asked of a model's wish to close."""

REDUCE_RULES: Final[tuple[ProposalRule, ...]] = (*CLOSE_RULES, Part())
"""Asked of a model's wish to sell a part."""

LOSS_RULES: Final[tuple[LossRule, ...]] = (Drawdown(), DailyLoss())
"""Asked in each cycle, whether or not anything is proposed."""

EXIT_RULES: Final[tuple[ExitRule, ...]] = (
    Flatten(),
    Stop(),
    TrailingStop(),
    Target(),
    LeaveByDrawdown(),
    LeaveByDailyLoss(),
    LongestHold(),
)
"""In the order in which they are asked of a position; the first demand stands."""

ALL_RULES: Final[tuple[Rule, ...]] = (
    *ENTRY_RULES,
    *SIZE_RULES,
    *LEAST_RULES,
    *REDUCE_RULES,
    *EXIT_RULES,
)

__all__ = [
    "ALL_RULES",
    "CLOSE_RULES",
    "ENTRY_RULES",
    "EXIT_RULES",
    "LEAST_RULES",
    "LOSS_RULES",
    "REDUCE_RULES",
    "SIZE_RULES",
]
