"""`oxbot bots reconcile`: a live bot's record held against its account."""

from collections.abc import Iterator

import typer
from rich.console import Console

from oxbot.app.bots import reconcile_bot
from oxbot.cli import output
from oxbot.cli.desk import at_desk
from oxbot.domain.money import plain
from oxbot.messages import OrderOutcome, Reconciliation


def reconcile(bot_id: str, *, as_json: bool) -> None:
    """Look up, book, prove and compare; 1 when something differs or nobody can say yet.

    Raises:
        InputError: The bot trades on paper.
        NotFound: There is no such bot.
    """
    found = at_desk(lambda desk: reconcile_bot(desk, bot_id))
    if as_json:
        output.write_json(found)
    else:
        write(output.console(), found)
    if found.blocks:
        raise typer.Exit(1)


def write(console: Console, found: Reconciliation) -> None:
    """Write a line for each thing that was found."""
    for line in _lines(found):
        console.print(line)
    if found.blocks:
        console.print("Nothing is entered until record and account agree.")
    else:
        console.print("Record and account agree.")


def _lines(found: Reconciliation) -> Iterator[str]:
    yield from (f"booked: {_told(order)}" for order in found.booked)
    yield from (f"closed: {_told(order)}" for order in found.exits)
    yield from (f"stop proven: {symbol}" for symbol in found.proven)
    yield from (f"cancelled, a stop without a position: {stop}" for stop in found.ghosts)
    yield from (f"not known yet: {unknown}" for unknown in found.unknown)
    yield from (f"DIFFERS: {differs}" for differs in found.differs)


def _told(order: OrderOutcome) -> str:
    price = f" at {plain(order.price)} USDT" if order.price else ""
    return f"{order.purpose} of {order.symbol}, {plain(order.filled)}{price} ({order.order_id})"
