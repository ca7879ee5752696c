"""What the use cases hand to the record and read back from it."""

from oxbot.records.books import (
    AuditFigures,
    Difference,
    EventRow,
    OrderRow,
    TradeRow,
)
from oxbot.records.cycles import (
    CycleRow,
    CycleStart,
    Judge,
    Judgement,
    RunReservation,
)
from oxbot.records.losses import SeenAccount, WriteOff
from oxbot.records.protection import (
    Claims,
    ExitIntent,
    ExitView,
    Protection,
    ProtectionTimes,
    StopView,
    WatchBeat,
)
from oxbot.records.questions import (
    UNVERSIONED,
    DecisionRecord,
    Facts,
    LastQuestion,
    Lately,
    MarketBrief,
    ModelReply,
    ModelRequest,
    Spent,
)

__all__ = [
    "UNVERSIONED",
    "AuditFigures",
    "Claims",
    "CycleRow",
    "CycleStart",
    "DecisionRecord",
    "Difference",
    "EventRow",
    "ExitIntent",
    "ExitView",
    "Facts",
    "Judge",
    "Judgement",
    "LastQuestion",
    "Lately",
    "MarketBrief",
    "ModelReply",
    "ModelRequest",
    "OrderRow",
    "Protection",
    "ProtectionTimes",
    "RunReservation",
    "SeenAccount",
    "Spent",
    "StopView",
    "TradeRow",
    "WatchBeat",
    "WriteOff",
]
