"""The hand on a simulated venue's clock; see `oxbot.simulator.control`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from pydantic import BaseModel, Field, ValidationError

from oxbot.app.halts import BestBid, Halt, Reached
from oxbot.domain.errors import InputError, VenueUnavailable
from oxbot.domain.money import PositivePrice, plain

TIMEOUT_S: Final = 30
"""Seconds for an answer; growing the market over a long step takes a moment."""


class Best(BaseModel):
    """The highest bid that a trail has seen since a venue time (ms), in USDT."""

    inst_id: str = Field(alias="instId")
    since_ms: int
    best: PositivePrice


class VenueTime(BaseModel):
    """The venue's clock: its time in ms, and venue seconds in a second (0: it stands still).

    `halted` and `bests` are of the way that led there, where it could halt.
    """

    venue_ms: int
    rate: Decimal
    mode: str
    ended: bool
    market: str
    halted: bool = False
    bests: tuple[Best, ...] = ()

    def reached(self) -> Reached:
        """Give where the venue stands after a way."""
        bests = tuple(
            BestBid(symbol=_symbol(best.inst_id), since_ms=best.since_ms, best=best.best)
            for best in self.bests
        )
        return Reached(venue_ms=self.venue_ms, halted=self.halted, bests=bests)


@dataclass(frozen=True)
class AccountKeys:
    """The key of an account at a simulated venue; it guards no real money."""

    key: str
    secret: str
    passphrase: str


class VenueControl:
    """Sets a simulated venue's clock. Use it as an async context manager.

    Every method raises VenueUnavailable when the simulator does not answer, and InputError
    when it refuses.

    Args:
        simulator_url: Where it listens, such as http://127.0.0.1:8021.
    """

    def __init__(self, simulator_url: str) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self._session = aiohttp.ClientSession(simulator_url, timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def time(self) -> VenueTime:
        """Read the clock."""
        return await self._clock("GET", None)

    async def flow(self, rate: Decimal) -> VenueTime:
        """Let time flow from where it is, so many venue seconds in a second."""
        return await self._clock("POST", {"mode": "speed", "rate": str(rate)})

    async def stand_still(self) -> VenueTime:
        """Hold time where it is."""
        return await self._clock("POST", {"mode": "stepped"})

    async def advance_to(
        self, to_ms: int, halts: Sequence[Halt] = (), examined_ms: int = 0
    ) -> Reached:
        """Go forward to a venue time, never back; less than asked where it halts or ends.

        Args:
            to_ms: Where to, in venue ms.
            halts: It goes no further than to the first ms in which one of these becomes true.
            examined_ms: What is true already halts it at once, except at this venue time.
        """
        wish: dict[str, object] = {"to_ms": to_ms}
        if halts:
            wish |= {"halt_at": [_condition(halt) for halt in halts], "examined_ms": examined_ms}
        try:
            return (await self._clock("POST", wish)).reached()
        except InputError:  # the venue may be there already; it refuses to go back
            now_ms = (await self.time()).venue_ms
            if now_ms < to_ms:
                raise
        if not halts:
            return Reached(venue_ms=now_ms)
        return (await self._clock("POST", wish | {"to_ms": now_ms})).reached()

    async def make_account(self, keys: AccountKeys, balances: Mapping[str, str]) -> None:
        """Make an account with these first balances; one that is there already stays as it is.

        Raises:
            InputError: The key has an account with other content.
        """
        body = {**asdict(keys), "balances": dict(balances)}
        await self._ask("POST", "/control/accounts", body)

    async def account(self, key: str) -> dict[str, Decimal]:
        """Give what an account has of each currency."""
        answer = await self._ask("GET", f"/control/accounts/{key}", None)
        balances = answer.get("balances")
        if not isinstance(balances, dict):
            raise VenueUnavailable("What answers is not the simulator's accounts.")
        return {str(currency): Decimal(str(amount)) for currency, amount in balances.items()}

    async def symbols(self) -> tuple[str, ...]:
        """Give what is listed, as BASE/QUOTE."""
        answer = await self._ask("GET", "/api/v5/public/instruments?instType=SPOT", None)
        listed = answer.get("data")
        if not isinstance(listed, list):
            raise VenueUnavailable("The simulator did not say what it lists.")
        return tuple(_symbol(str(row["instId"])) for row in listed)

    async def _clock(self, method: str, change: dict[str, object] | None) -> VenueTime:
        answer = await self._ask(method, "/control/clock", change)
        try:
            return VenueTime.model_validate(answer)
        except ValidationError as error:
            raise VenueUnavailable("What answers is not the simulator's clock.") from error

    async def _ask(self, method: str, path: str, body: object) -> dict[str, Any]:  # Any: JSON
        try:
            async with self._session.request(method, path, json=body) as response:
                answer = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise VenueUnavailable(
                f"The simulator does not answer ({type(error).__name__})."
            ) from error
        if not isinstance(answer, dict):
            raise VenueUnavailable("The simulator answered with something else than an object.")
        if "error" in answer:
            raise InputError(str(answer["error"]))
        return answer


def _symbol(inst_id: str) -> str:
    return inst_id.replace("-", "/")


def _condition(halt: Halt) -> dict[str, object]:
    """A halt as the simulator has it."""
    condition: dict[str, object] = {
        "instId": halt.symbol.replace("/", "-"),
        halt.kind: plain(halt.number),
    }
    if halt.best is not None:
        condition |= {"best": plain(halt.best)}
    if halt.since_ms is not None:
        condition |= {"since_ms": halt.since_ms}
    return condition
