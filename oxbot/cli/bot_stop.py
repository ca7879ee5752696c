"""`oxbot bots stop`: one bot or all of them, for good."""

from collections.abc import Sequence

import typer
from rich.console import Console
from rich.prompt import Confirm

from oxbot.app import telling
from oxbot.app.bots import Desk
from oxbot.app.stop_all import Stopped, stop_all, stop_told
from oxbot.cli import output
from oxbot.cli.bot_verbs import answer, request_of
from oxbot.cli.counted import tallied
from oxbot.cli.desk import at_desk
from oxbot.domain.errors import InputError
from oxbot.domain.market import base_of
from oxbot.messages import ControlAnswer, ControlRequest


def stop(
    bot_id: str | None, reason: str, *, every: bool, flatten: bool, ask: bool, as_json: bool
) -> None:
    """Stop one bot or all; on a terminal asks before positions are sold. One that has stays so.

    Raises:
        InputError: Neither a bot nor all is named, or both.
        NotFound: There is no such bot.
        Unavailable: It does not answer.
    """
    if (bot_id is None) is not every:
        raise InputError("Name one bot, or say --all.")
    request = request_of(reason, flatten=flatten)
    if bot_id is None:
        _stop_all(request, ask=ask, as_json=as_json)
        return
    if ask and flatten and output.is_dialogue():
        _confirm_sale(bot_id)
    answer(at_desk(lambda desk: _told(desk, bot_id, request)), bot_id, as_json)


async def _told(desk: Desk, bot_id: str, request: ControlRequest) -> ControlAnswer:
    return await stop_told(desk, await desk.store.bot(bot_id), request)


def _stop_all(request: ControlRequest, *, ask: bool, as_json: bool) -> None:
    """Stop all; 1 when one of them was not told, or has not taken it up."""
    if ask and output.is_dialogue():
        _confirm_end_of_all(flatten=request.flatten)
    with tallied() as bars:
        done = at_desk(lambda desk: stop_all(desk, request, tally=bars))
    if as_json:
        output.write_json({"bots": done, "done": all(one.is_done for one in done)})
    else:
        write(output.console(), done)
    if any(one.trouble for one in done):
        raise typer.Exit(1)


def write(console: Console, done: Sequence[Stopped]) -> None:
    """Write a line for each bot."""
    if not done:
        console.print("There is no bot.")
        return
    lines = (
        (
            one.bot_id,
            one.answer.status if one.answer else telling.NOTHING,
            one.trouble or telling.NOTHING,
        )
        for one in done
    )
    console.print(output.table("", ("id", "status", "trouble"), lines))


def _confirm_end_of_all(*, flatten: bool) -> None:
    how = "Sell everything that ALL bots hold" if flatten else "Sell nothing now"
    if not Confirm.ask(f"{how}, and end all of them for good?"):
        raise typer.Exit


def _confirm_sale(bot_id: str) -> None:
    """Ask before a stop that sells; a bot that holds nothing needs no question."""
    positions = at_desk(lambda desk: desk.store.portfolio(bot_id)).positions
    if not positions:
        return
    held = ", ".join(f"{telling.coins(p.quantity)} {base_of(s)}" for s, p in positions.items())
    if not Confirm.ask(f"Bot {bot_id} holds {held}. Sell all of it and end the bot?"):
        raise typer.Exit
