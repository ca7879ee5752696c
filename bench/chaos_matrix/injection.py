"""One thing that goes wrong in a run."""

from enum import StrEnum
from typing import Final

from pydantic import Field

from chaos_matrix.points import AFTER, BEFORE
from chaos_matrix.ways import EXECUTE, Rule, Way, at
from oxbot.domain.bot import Mode
from oxbot.domain.values import Value


class Act(StrEnum):
    """What is done around a worker that holds at a point, or to the whole system."""

    NOTHING = ""
    PAUSE = "pause"
    STOP = "stop"
    AGAIN = "protect again"
    STALE = "protect stale"
    LATE = "protect late"
    FAULT = "fault"
    SERVER = "server"
    WATCH = "watch"
    EXAMINE = "examine"


class Injection(Value):
    """One thing that goes wrong, of which a run has one.

    `ways` are tried in turn until one has led there. `fault` is a rule of the simulator, added
    where the worker holds at the end of its way. `shared` ones strike all bots that run.
    """

    name: str
    style: str
    mode: Mode
    ways: tuple[Way, ...] = (Way(),)
    act: Act = Act.NOTHING
    fault: Rule = Field(default_factory=dict)
    target: str = ""
    skew_ms: int = 0
    shared: bool = False


CONTROL_POINTS: Final = (
    at(AFTER, "validate_risk"),
    *(at(BEFORE, EXECUTE, name) for name in ("claim", "place", "settle")),
)
"""The moments of an entry at which somebody may call it off."""
