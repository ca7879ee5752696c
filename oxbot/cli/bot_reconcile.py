"""`oxbot bots reconcile`: a live bot's record held against its account, and settled with it."""

import secrets
from collections.abc import Iterator, Mapping
from decimal import Decimal

import typer
from rich.console import Console
from rich.prompt import Confirm

from oxbot.app import bots
from oxbot.cli import output
from oxbot.cli.desk import at_desk, user
from oxbot.domain.errors import Conflict, InputError
from oxbot.domain.money import plain
from oxbot.messages import OrderOutcome, Reconciliation, SayOverRequest, WriteOffRequest


def reconcile(bot_id: str, *, as_json: bool) -> None:
    """Look up, book, prove and compare; 1 when something differs or nobody can say yet.

    Raises:
        InputError: The bot trades on paper.
        NotFound: There is no such bot.
    """
    _tell(at_desk(lambda desk: bots.reconcile_bot(desk, bot_id)), as_json=as_json)


def write_off(bot_id: str, reason: str, *, ask: bool, as_json: bool) -> None:
    """Take what is missing off the bot's books, once a person has confirmed the figures.

    Raises:
        InputError: The bot trades on paper, or nobody can be asked and `--yes` is not given.
        Conflict: Nothing is missing that the bot has, or nobody can say what is.
        NotFound: There is no such bot.
    """
    if ask and not (output.is_dialogue() and not as_json):
        raise InputError("Nothing was written off: where nobody can be asked, say --yes.")
    found = at_desk(lambda desk: bots.reconcile_bot(desk, bot_id))
    if not found.losses:
        raise Conflict(
            f"Nothing was written off: nothing that bot {bot_id} has is missing from the account. "
            f"{found.blocks or 'Record and account agree.'}"
        )
    if ask:
        write(output.console(), found)
        _confirm(bot_id, found.losses)
    request = WriteOffRequest(
        id=secrets.token_hex(8), by=f"{user()}, command line", reason=reason, losses=found.losses
    )
    _tell(at_desk(lambda desk: bots.write_off(desk, bot_id, request)), as_json=as_json)


def say_over(bot_id: str, order_id: str, reason: str, *, ask: bool, as_json: bool) -> None:
    """End an order or stop that the exchange shows nowhere, once a person has said so.

    Raises:
        InputError: The bot trades on paper, or nobody can be asked and `--yes` is not given.
        Conflict: It is known what became of it, or may yet become known.
        NotFound: There is no such bot, or it has no such order or stop.
    """
    if ask and not (output.is_dialogue() and not as_json):
        raise InputError("Nothing was ended: where nobody can be asked, say --yes.")
    if ask:
        write(output.console(), at_desk(lambda desk: bots.reconcile_bot(desk, bot_id)))
        question = f"Have you seen at OKX that {order_id} is over and has traded nothing?"
        if not Confirm.ask(question, default=False):
            raise typer.Exit
    request = SayOverRequest(order_id=order_id, by=f"{user()}, command line", reason=reason)
    _tell(at_desk(lambda desk: bots.say_over(desk, bot_id, request)), as_json=as_json)


def _confirm(bot_id: str, losses: Mapping[str, Decimal]) -> None:
    """Have a person agree to the exact figures."""
    question = f"Write {listed(losses)} off the books of bot {bot_id}, as a loss, for good?"
    if not Confirm.ask(question, default=False):
        raise typer.Exit


def listed(losses: Mapping[str, Decimal]) -> str:
    """List amounts to the last digit."""
    return " and ".join(f"{plain(amount)} {currency}" for currency, amount in losses.items())


def _tell(found: Reconciliation, *, as_json: bool) -> None:
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
        console.print("Nothing is entered while this is so.")
    else:
        console.print("Record and account agree.")


def _lines(found: Reconciliation) -> Iterator[str]:
    yield from (f"booked: {_told(order)}" for order in found.booked)
    yield from (f"closed: {_told(order)}" for order in found.exits)
    if found.written_off:
        yield f"written off: {listed(found.written_off)}"
    yield from (f"ended, as was said: {order_id}" for order_id in found.said_over)
    yield from (f"stop proven: {symbol}" for symbol in found.proven)
    yield from (f"cancelled, a stop without a position: {stop}" for stop in found.ghosts)
    yield from (f"not known yet: {unknown}" for unknown in found.unknown)
    yield from (f"NO STOP, NOT SOLD: {unsold}" for unsold in found.unsold)
    yield from (f"STUCK: {stuck}" for stuck in found.stuck if stuck not in found.unsold)
    yield from (f"DIFFERS: {differs}" for differs in (*found.broken, *found.differs))
    if found.losses:
        yield f"--write-off would take off this bot's books: {listed(found.losses)}"


def _told(order: OrderOutcome) -> str:
    price = f" at {plain(order.price)} USDT" if order.price else ""
    return f"{order.purpose} of {order.symbol}, {plain(order.filled)}{price} ({order.order_id})"
