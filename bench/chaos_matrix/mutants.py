"""Safeguards taken away, one at a time, inside a worker's process: an oracle must see each."""

import inspect
import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from chaos_matrix.verdict import DRIFT, Outcome, Wrong
from oxbot.adapters.okx import private
from oxbot.adapters.okx.trading import OkxExchange
from oxbot.adapters.postgres import settlement
from oxbot.app import protect
from oxbot.app.guard_news import GuardNews
from oxbot.domain.bot import Mode
from oxbot.domain.market import Instrument
from oxbot.domain.orders import Fill, Order, OrderState
from oxbot.domain.portfolio import Position
from oxbot.domain.values import Value
from oxbot.messages import ProtectPosition
from oxbot.records import ExitView


class Mutant(Value):
    """One safeguard: where its loss shows, and as what.

    `only` is in the names of the injections that show it; `runs` are enough of them; `shows` is
    one of `Wrong`, or money adrift.
    """

    name: str
    mode: Mode
    only: str
    runs: int
    shows: str

    def is_caught(self, outcomes: Iterable[Outcome]) -> bool:
        """Whether what its loss brings about was seen."""
        return any(self.shows in outcome.wrongs for outcome in outcomes)


MUTANTS: Final = (
    Mutant(
        name="look-up",
        mode=Mode.LIVE,
        only="kill:after:execute_order.place:exit",
        runs=4,
        shows=Wrong.DOUBLED,
    ),
    Mutant(
        name="fence",
        mode=Mode.LIVE,
        only="suspend:before:execute_order.place:",
        runs=8,
        shows=Wrong.DOUBLED,
    ),
    Mutant(
        name="unique-key",
        mode=Mode.LIVE,
        only="suspend:before:execute_order.settle:entry",
        runs=6,
        shows=DRIFT,
    ),
    Mutant(
        name="index-rebuild",
        mode=Mode.PAPER,
        only="kill:before:watch_prices",
        runs=12,
        shows=Wrong.NAKED,
    ),
    Mutant(name="stale-check", mode=Mode.PAPER, only="protect stale", runs=4, shows=Wrong.EXIT),
)
"""All of them."""


def mutate(name: str) -> None:
    """Take a safeguard away; an empty name leaves everything as it is."""
    if name:
        _BREAKS[name]()


def _put(owner: object, name: str, made: Callable[..., object]) -> None:
    """Put something in the place of a safeguard.

    Raises:
        TypeError: It is called otherwise by now, so that more would break than the safeguard.
    """
    whole = getattr(owner, name)
    taken, given = (len(inspect.signature(each).parameters) for each in (whole, made))
    if taken != given:
        raise TypeError(f"{name} takes {taken} arguments by now, and its mutant {given}")
    setattr(owner, name, made)


def _no_look_up() -> None:
    """Whatever was sent, and has no acknowledgement on record, counts as never sent."""
    right = OkxExchange.look_up

    async def look_up(self: OkxExchange, order: Order) -> list[Fill] | None:
        return await right(self, order) if order.state is OrderState.OPEN else None

    _put(OkxExchange, "look_up", look_up)


def _no_fence() -> None:
    """Requests do not expire, so that they can arrive at any time."""
    _put(private, "_fence", lambda _: None)


def anew(fills: Sequence[Fill], booked: Collection[str]) -> list[Fill]:
    """Give another name to each trade that is booked already, so that it is booked once more.

    One that is not keeps its own: nothing is wrong unless something is booked twice.
    """
    return [
        fill.model_copy(update={"trade_id": f"{fill.trade_id}-{secrets.token_hex(4)}"})
        if fill.trade_id in booked
        else fill
        for fill in fills
    ]


def _no_unique_key() -> None:
    """A trade has no name by which it is known to be booked."""
    settle, known = settlement.settle_order, settlement._known  # noqa: SLF001 - broken on purpose

    async def again(
        connection: AsyncConnection,
        bot: RowMapping,
        order_id: str,
        news: tuple[Sequence[Fill], Instrument],
        claim: Order | None = None,
    ) -> Order:
        fills, instrument = news
        _, _, booked = await known(connection, order_id)
        return await settle(connection, bot, order_id, (anew(fills, booked), instrument), claim)

    async def forgetful(
        connection: AsyncConnection, order_id: str
    ) -> tuple[Order, Position | None, dict[str, Fill]]:
        order, position, _ = await known(connection, order_id)
        return order, position, {}

    _put(settlement, "settle_order", again)
    _put(settlement, "_known", forgetful)


def _no_rebuild() -> None:
    """A watch that begins does not learn what is open."""

    async def compare(self: GuardNews) -> None:
        self.compared_ms = self._timer.wall_ms()

    _put(GuardNews, "compare", compare)


def _no_stale_check() -> None:
    """A protection closes whatever is held of its coin, whichever position it was meant for."""

    def meant(
        _request: ProtectPosition, seen: ExitView, _ended: Sequence[Order]
    ) -> Position | None:
        return seen.position

    _put(protect, "_meant", meant)


_BREAKS: Final[dict[str, Callable[[], None]]] = {
    "look-up": _no_look_up,
    "fence": _no_fence,
    "unique-key": _no_unique_key,
    "index-rebuild": _no_rebuild,
    "stale-check": _no_stale_check,
}
