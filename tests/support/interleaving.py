"""Attempts at jobs, driven call by call: any may go on, hang, die, or lose an answer, at any call.

Nothing here waits: what calls the ports is a coroutine that stops before each of their methods,
and goes on when a test says so. Time is a number.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass, replace
from enum import StrEnum
from types import coroutine
from typing import cast

from oxbot.app.ports import Ports
from oxbot.domain.errors import NotShown, NotSold, OutcomeUnknown, OxbotError, VenueUnavailable
from oxbot.ports import LiveExchange, Store

Job = Callable[[Ports], Coroutine[object, object, object]]
"""What an attempt does, as an activity would; called again it goes on where it was left."""

WRITES = frozenset({"place", "place_stop", "amend_stop", "cancel_stop"})
"""What may have been done although no answer came."""


class Killed(BaseException):
    """The process is gone: nothing that catches errors sees it."""


class Fate(StrEnum):
    """What becomes of an attempt's next request to the exchange."""

    UNSENT = "unsent"
    LOST_BEFORE = "lost before it arrived"
    LOST_AFTER = "lost after it was done"


@coroutine
def _pause(name: str) -> Generator[str, None, None]:
    yield name


class Attempt:
    """One attempt at a job, which stops before each call of a port.

    `fate` meets its next request to the exchange. `next_call` is the method that it is about to
    call, `result` what its job came to, `error` what it ended with instead.
    """

    def __init__(self, job: Job, ports: Ports) -> None:
        self.job = job
        self.fate: Fate | None = None
        self.is_over = False
        self.next_call = ""
        self.result: object = None
        self.error: BaseException | None = None
        stepwise = replace(
            ports,
            store=cast("Store", _Stepwise(ports.store, self)),
            live=cast("LiveExchange", _Stepwise(ports.account, self)),
        )
        self._steps = job(stepwise)

    def go(self) -> None:
        """Go on until the next call."""
        self._drive(lambda: self._steps.send(None))

    def until(self, name: str) -> "Attempt":
        """Go on until it is about to call this method."""
        while self.next_call != name:
            assert not self.is_over, f"{name} was never called; it ended with {self.error!r}"
            self.go()
        return self

    def finish(self) -> object:
        """Go on to the end; give what the job came to, or raise what it ended with."""
        while not self.is_over:
            self.go()
        if self.error is not None:
            raise self.error
        return self.result

    def die(self) -> None:
        """Be killed where it stands."""
        self._drive(lambda: self._steps.throw(Killed()))

    def _drive(self, step: Callable[[], object]) -> None:
        try:
            self.next_call = str(step())
        except StopIteration as end:
            self.is_over, self.result = True, end.value
        except (Killed, OxbotError) as error:
            self.is_over, self.error = True, error

    def take_fate(self) -> Fate | None:
        """Give what is to become of a request, once."""
        fate, self.fate = self.fate, None
        return fate


@dataclass
class _Stepwise:
    """A store or an exchange whose callers stop before each call."""

    inner: object
    attempt: Attempt

    def __getattr__(self, name: str) -> object:
        method = cast("Callable[..., Awaitable[object]]", getattr(self.inner, name))
        to_exchange = hasattr(self.inner, "see_stop")

        async def stepwise(*given: object, **named: object) -> object:
            await _pause(name)
            fate = self.attempt.take_fate() if to_exchange else None
            if fate is not None and (fate is Fate.UNSENT or name not in WRITES):
                raise _silent(name)
            if fate is Fate.LOST_BEFORE:
                raise OutcomeUnknown(f"The answer to {name} was lost.")
            result = await method(*given, **named)
            if fate is Fate.LOST_AFTER:
                raise OutcomeUnknown(f"The answer to {name} was lost.")
            return result

        return stepwise


def _silent(name: str) -> OxbotError:
    """What an unanswered question is: unknown where somebody has to know."""
    if name in {"look_up", "see_stop", "recent_fills"}:
        return OutcomeUnknown(f"There is no answer to {name}.")
    if name in {"amend_stop", "cancel_stop"}:
        return OutcomeUnknown(f"Nobody knows of {name}.")
    return VenueUnavailable(f"{name} was not sent.")


@dataclass
class Fleet:
    """All attempts that are alive, those that were given up included.

    `crashes` are errors that no attempt may end with; after what is shown nowhere, or
    not sold, somebody looks.
    """

    ports: Ports

    def __post_init__(self) -> None:
        self.alive: list[Attempt] = []
        self.crashes: list[BaseException] = []
        self._given_up: set[Attempt] = set()

    def start(self, job: Job) -> None:
        """Begin a job."""
        self.alive.append(Attempt(job, self.ports))

    def go(self, which: int) -> None:
        """Let one attempt go on; where it fails, the next one begins."""
        if self.alive:
            attempt = self.alive[which % len(self.alive)]
            attempt.go()
            self._see_to(attempt)

    def die(self, which: int) -> None:
        """Kill one; the next attempt at its job begins."""
        if self.alive:
            attempt = self.alive[which % len(self.alive)]
            attempt.die()
            self._see_to(attempt)

    def hang(self, which: int) -> None:
        """Give one up, which goes on all the same; the next attempt at its job begins."""
        if self.alive:
            attempt = self.alive[which % len(self.alive)]
            if attempt not in self._given_up:
                self._given_up.add(attempt)
                self.start(attempt.job)

    def lose(self, which: int, fate: Fate) -> None:
        """Have one lose its next request to the exchange, or the answer."""
        if self.alive:
            self.alive[which % len(self.alive)].fate = fate

    def _see_to(self, attempt: Attempt) -> None:
        if not attempt.is_over:
            return
        self.alive.remove(attempt)
        error = attempt.error
        has_to_be_looked_at = isinstance(error, NotShown | NotSold)
        if isinstance(error, OxbotError) and not (error.retryable or has_to_be_looked_at):
            self.crashes.append(error)
        if error is not None and attempt not in self._given_up:
            self.start(attempt.job)
