"""How long each step may take and how it is retried, derived from the bot's interval."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy

SHORTEST: Final = timedelta(seconds=10)
"""No step is given less in all, however short the interval: a slow step overruns the tick,
which is counted, rather than failing every time."""

SHORTEST_ATTEMPT: Final = timedelta(seconds=4)
LONGEST_ATTEMPT: Final = timedelta(seconds=30)

WITHIN_THE_CYCLE: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=500),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=10),
)
UNTIL_DONE: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=500),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=30),
)

HEARTBEAT_WITHIN: Final = timedelta(seconds=10)
"""A worker that died is noticed after so long, and another goes on."""

NOTICED_WITHIN: Final = timedelta(seconds=6)
"""The same where an order is under way, or a stop: meanwhile a position may have none."""

ENOUGH: Final = timedelta(seconds=60)
"""What asks the exchange about an account is given at least so long, however short the interval."""

PROTECT_ATTEMPT: Final = timedelta(seconds=8)
"""An exit on paper is placed well within."""

PROTECT_LIVE_ATTEMPT: Final = ENOUGH
"""Live a stop at the exchange has to be seen over first: some requests more."""

AT_ONCE: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=5),
)
"""Protection: again until it is done, and soon."""


@dataclass(frozen=True)
class StepLimits:
    """Limits of one activity: of an attempt, and of all attempts together."""

    start_to_close: timedelta
    schedule_to_close: timedelta

    @classmethod
    def share_of(cls, interval: timedelta, share: float) -> "StepLimits":
        """Give a step its share of the wall time between two ticks."""
        whole = max(SHORTEST, interval * share)
        attempt = min(LONGEST_ATTEMPT, max(SHORTEST_ATTEMPT, whole / 3))
        return cls(start_to_close=attempt, schedule_to_close=whole)

    @classmethod
    def whole(cls, interval: timedelta, share: float) -> "StepLimits":
        """Give all of a share to one attempt: of a step that beats, whose death is noticed soon.

        Its requests share the account's rate limit with those of all bots, so that it may take
        long where nothing is wrong; an attempt that is given up begins anew.
        """
        whole = max(ENOUGH, interval * share)
        return cls(start_to_close=whole, schedule_to_close=whole)


DRIVEN: Final = timedelta(minutes=5)
"""A cycle of a driven bot is written down before it is answered, unless this is not enough: no
other tick waits meanwhile, and what is written with the next cycle has no equity of its own."""

TWO_LOOKS: Final = 2 * ENOUGH + timedelta(seconds=30)
A_PERSON_WAITS: Final = StepLimits(TWO_LOOKS, TWO_LOOKS)
"""A person's word is done between two looks at the account, and the person waits for both."""


@dataclass(frozen=True)
class CycleLimits:
    """The steps' limits; together they stay below the interval where it allows."""

    observe: StepLimits
    decide: StepLimits
    validate: StepLimits
    execute: StepLimits
    record: StepLimits
    reconcile: StepLimits

    @classmethod
    def of(cls, interval: timedelta, *, live: bool = False, driven: bool = False) -> "CycleLimits":
        """Derive the limits from the wall time between two ticks.

        Live, orders may take longer; where a driver makes the ticks, the record may.
        """
        share_of_orders = StepLimits.whole if live else StepLimits.share_of
        record = StepLimits.share_of(interval, 0.05)
        return cls(
            observe=StepLimits.share_of(interval, 0.20),
            decide=StepLimits.share_of(interval, 0.40),
            validate=StepLimits.share_of(interval, 0.15),
            execute=share_of_orders(interval, 0.15),
            record=replace(record, schedule_to_close=DRIVEN) if driven else record,
            reconcile=StepLimits.whole(interval, 0.20),
        )
