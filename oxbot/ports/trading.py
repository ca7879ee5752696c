"""Who decides, where orders go, and the running bots."""

from collections.abc import AsyncGenerator
from typing import Protocol

from oxbot.domain.balances import Balance
from oxbot.domain.bot import Bot
from oxbot.domain.market import (
    ClockReading,
)
from oxbot.domain.models import ModelChoice
from oxbot.domain.orders import Fill, Order
from oxbot.domain.resting import RestingStop, SeenStop
from oxbot.messages import (
    BotView,
    ChangeLimits,
    ClosePosition,
    CloseReport,
    ControlAnswer,
    ControlRequest,
    ExamineReport,
    FlattenReport,
    LimitsAnswer,
    Protect,
    ProtectReport,
    Reconciliation,
    SayOverRequest,
    TickReport,
    WriteOffRequest,
)
from oxbot.records import (
    ModelReply,
    ModelRequest,
)


class ChatModel(Protocol):
    """The language models of one provider, or something that answers like one."""

    def label(self, choice: ModelChoice) -> str:
        """How the chosen model is named wherever its decisions are shown."""
        ...

    def named(self, choice: ModelChoice) -> ModelChoice:
        """Give the choice with its model's name, also where it leaves that to the provider."""
        ...

    def is_priced(self, choice: ModelChoice) -> bool:
        """Whether it is known what the chosen model costs."""
        ...

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Have the model that the request chooses answer.

        Raises:
            ModelUnavailable: The provider does not answer now.
            ModelRateLimited: It asks to wait.
            ModelRefused: It says no, for the key, the account, the model or the request.
            ContentRefused: It will not have this prompt, or its answer.
        """
        ...


class Exchange(Protocol):
    """Where orders go. Placing is at most once per claim; what is unknown is looked up."""

    async def place(self, order: Order, now: ClockReading) -> list[Fill] | None:
        """Execute a claimed order at once or cancel it; an empty list means cancelled.

        None: the exchange has acknowledged it, and what it has traded is to be looked up.

        Raises:
            VenueRefused: Final; the order did not and will not trade.
            OutcomeUnknown: It may have traded; only `look_up` may follow.
            VenueUnavailable: It was certainly not sent.
        """
        ...

    async def look_up(self, order: Order) -> list[Fill] | None:
        """Give the fills of an order that was sent; None when the venue never had it."""
        ...


class LiveExchange(Exchange, Protocol):
    """An account at a real exchange: its orders, the stops that rest there, and what it has."""

    async def place_stop(self, stop: RestingStop) -> None:
        """Have a stop and target rest until `fence_ms` at the latest; both sell at market.

        One of this id that is alive already is as good as an answer.

        Raises:
            VenueRefused: Final; nothing rests.
            OutcomeUnknown: It may rest; only `see_stop` may follow.
            VenueUnavailable: It was certainly not sent.
        """
        ...

    async def see_stop(self, stop: RestingStop) -> SeenStop:
        """Look a stop up, with all that it has traded.

        Raises:
            OutcomeUnknown: Nobody can know yet: it may still be taken, its order is not over, or
                not all of its fills can be seen.
        """
        ...

    async def amend_stop(self, stop: RestingStop) -> None:
        """Give a stop that rests the size and the prices that it has here; repeatable.

        Raises:
            VenueRefused: It stays as it was, or is over.
            OutcomeUnknown: It may have been done.
        """
        ...

    async def cancel_stop(self, stop: RestingStop) -> None:
        """Cancel a stop; repeatable. Only `see_stop` tells whether it is over.

        Raises:
            OutcomeUnknown: It may have been done.
        """
        ...

    async def resting_stops(self) -> frozenset[str]:
        """Give the ids of all stops and targets of the account that are alive.

        Raises:
            VenueUnavailable: It does not say now.
        """
        ...

    async def triggered_stops(self, since_ms: int) -> frozenset[str]:
        """Give the ids of the stops and targets that were triggered since a venue time.

        Raises:
            VenueUnavailable: It does not say now.
        """
        ...

    async def recent_fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """Give what orders with an id such as ours have traded of a coin since a venue time.

        Oldest first; `order_id` is that id. What came of stops has none and is left out.

        Raises:
            OutcomeUnknown: It does not say now, or not all of it.
        """
        ...

    async def unfit(self) -> str | None:
        """Say why nobody should trade in the account, as of ten minutes ago at most.

        None where it is fit: the key trades and cannot withdraw, and nothing can be borrowed.

        Raises:
            VenueUnavailable: It does not say now.
        """
        ...

    async def balances(self) -> dict[str, Balance]:
        """Give what the account has of each currency.

        Raises:
            VenueUnavailable: It does not say now.
        """
        ...


class AccountNews(Protocol):
    """Tells of orders or stops that are over, as it happens. What it loses is seen later."""

    def ended(self) -> AsyncGenerator[list[str], None]:
        """Log in and listen, and give the ids of what is alive no more.

        The first batch is empty and says that from now on it is heard; closing the iterator ends
        the connection.

        Raises:
            VenueUnavailable: The connection is lost, refused, or cannot be read.
        """
        ...


class BotControl(Protocol):
    """The running bots."""

    async def start(self, bot: Bot, because: str = "") -> bool:
        """Start a bot's workflow, told why if not for a person; False when one is running."""
        ...

    async def is_running(self, bot_id: str) -> bool:
        """Tell whether a bot has a running workflow."""
        ...

    async def running(self) -> frozenset[str]:
        """Give the bots known to be running; one that has just begun may be missing."""
        ...

    async def last_end(self, bot_id: str) -> str | None:
        """Tell how a bot's last workflow ended; None where it has not, or there is none.

        That is completed, failed, canceled, terminated or timed_out.
        """
        ...

    async def pause(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Pause: no entries from now on, protection goes on."""
        ...

    async def resume(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Resume a paused bot."""
        ...

    async def stop(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Stop: flatten and complete, or stay closing until flat."""
        ...

    async def flatten(self, bot_id: str, request: ControlRequest) -> FlattenReport:
        """Pause a bot and sell everything; answers when it is flat, or says how far it came."""
        ...

    async def flatten_soon(self, bot_id: str, request: ControlRequest) -> None:
        """Have a bot sell everything; returns once it is certain to learn of it, also later.

        Raises:
            Unanswered: It may learn of it.
            OxbotError: It does not.
        """
        ...

    async def stop_soon(self, bot_id: str, request: ControlRequest) -> None:
        """Have a bot stop; returns and raises as `flatten_soon`."""
        ...

    async def close_position(self, bot_id: str, request: ClosePosition) -> CloseReport:
        """Close one position of a bot that goes on; NotFound where it holds nothing of the coin."""
        ...

    async def change_limits(self, bot_id: str, change: ChangeLimits) -> LimitsAnswer:
        """Change a bot's limits; InputError where they cannot be, and nothing changed."""
        ...

    async def view(self, bot_id: str) -> BotView:
        """Ask the workflow for its state."""
        ...

    async def tick(self, bot_id: str, due_ms: int) -> TickReport:
        """Tell a bot of a stepped venue that its tick is due; answers when it is done."""
        ...

    async def wake(self, bot_id: str) -> None:
        """Have a bot look at the venue's clock now, because its mode or rate has changed."""
        ...

    async def protect(self, bot_id: str, request: Protect) -> None:
        """Have a position closed; returns once the bot is certain to learn of it, also later."""
        ...

    async def protect_now(self, bot_id: str, request: Protect) -> ProtectReport:
        """Have a position closed, and say what came of it."""
        ...

    async def reconcile_soon(self, bot_id: str) -> None:
        """Have a live bot's record held against its account; returns once it will learn of it."""
        ...

    async def reconcile(self, bot_id: str) -> Reconciliation:
        """Have a live bot's record held against its account, and say what was found."""
        ...

    async def write_off(self, bot_id: str, request: WriteOffRequest) -> Reconciliation:
        """Have what is gone from a live bot's account taken off its books, and say what was found.

        Conflict where it is not what is missing, or nobody can say what is.
        """
        ...

    async def say_over(self, bot_id: str, request: SayOverRequest) -> Reconciliation:
        """Have an order or stop ended that the exchange shows nowhere, and say what was found.

        Conflict where it is known what became of it, or may yet become known.
        """
        ...

    async def examine(self, venue: str, at_ms: int) -> ExamineReport:
        """Have a stepped venue's guards examined at this moment; answers when all is done."""
        ...

    async def watch(self, venue: str) -> bool:
        """Start the price watch of a venue; False when it is running already."""
        ...

    async def watch_end(self, venue: str) -> str | None:
        """Tell how a venue's price watch ended, as `last_end`."""
        ...
