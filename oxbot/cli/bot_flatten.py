"""`oxbot bots flatten`: everything sold, and the proof that nothing is left."""

from collections.abc import Sequence

import typer
from rich.console import Console
from rich.prompt import Confirm

from oxbot.app import telling
from oxbot.app.bots import Desk
from oxbot.app.flatten import Flattened, flatten_all, flatten_bot
from oxbot.cli import output
from oxbot.cli.bot_verbs import request_of
from oxbot.cli.counted import tallied
from oxbot.cli.desk import at_desk
from oxbot.domain.errors import InputError
from oxbot.domain.market import base_of
from oxbot.domain.money import plain
from oxbot.messages import ControlRequest, FlattenReport


def flatten(bot_id: str | None, reason: str, *, every: bool, ask: bool, as_json: bool) -> None:
    """Sell everything that one bot holds, or all do; 1 when something is left.

    Raises:
        InputError: Neither a bot nor all is named, or both.
        NotFound: There is no such bot.
    """
    if (bot_id is None) is not every:
        raise InputError("Name one bot, or say --all.")
    if ask and output.is_dialogue():
        _confirm(bot_id)
    request = request_of(reason)
    done = at_desk(lambda desk: _flattened(desk, bot_id, request))
    if as_json:
        output.write_json(document(done))
    else:
        write(output.console(), done)
    if not all(one.is_done for one in done):
        raise typer.Exit(1)


async def _flattened(desk: Desk, bot_id: str | None, request: ControlRequest) -> list[Flattened]:
    if bot_id is None:
        with tallied() as bars:
            return await flatten_all(desk, request, tally=bars)
    return [await flatten_bot(desk, bot_id, request)]


def _confirm(bot_id: str | None) -> None:
    whose = f"that bot {bot_id} holds" if bot_id else "that ALL bots hold"
    if not Confirm.ask(f"Sell everything {whose}, and leave it paused?"):
        raise typer.Exit


def document(done: Sequence[Flattened]) -> dict[str, object]:
    """Give what programs read: each bot, and the sums."""
    return {
        "bots": [
            {"bot_id": one.bot_id, "trouble": one.trouble, **(_report(one) or {"done": False})}
            for one in done
        ],
        "open_orders": sum(report.open_orders for report in _reports(done)),
        "positions": sum(report.positions for report in _reports(done)),
        "done": all(one.is_done for one in done),
    }


def _report(one: Flattened) -> dict[str, object]:
    return one.report.model_dump() if one.report else {}


def _reports(done: Sequence[Flattened]) -> list[FlattenReport]:
    """Give what the record says, of the bots of which it could be read."""
    return [one.report for one in done if one.report]


def write(console: Console, done: Sequence[Flattened]) -> None:
    """Write a line for each bot, and the proof."""
    if not done:
        console.print("There is no bot.")
        return
    columns = ("id", "status", "open orders>", "positions>", "dust", "trouble")
    console.print(output.table("", columns, (_line(one) for one in done)))
    console.print(_proof(done))


def _line(one: Flattened) -> tuple[str, ...]:
    report = one.report
    if report is None:
        return (one.bot_id, *(telling.NOTHING,) * 4, one.trouble)
    return (
        one.bot_id,
        report.status,
        str(report.open_orders),
        str(report.positions),
        _dust(report) or telling.NOTHING,
        one.trouble or telling.NOTHING,
    )


def _dust(report: FlattenReport) -> str:
    """List coins too few to sell to the last digit, with their value where a price is known."""
    worth = {symbol: telling.money(report.dust_value.get(symbol)) for symbol in report.dust}
    return ", ".join(
        f"{plain(quantity)} {base_of(symbol)} ({worth[symbol]} USDT)"
        for symbol, quantity in sorted(report.dust.items())
    )


def _proof(done: Sequence[Flattened]) -> str:
    """Say what the record says."""
    orders = sum(report.open_orders for report in _reports(done))
    positions = sum(report.positions for report in _reports(done))
    counted = f"PostgreSQL: {orders} open orders, {positions} positions."
    if all(one.is_done for one in done):
        return counted
    return f"{counted} NOT FLAT: run it again, or look with `oxbot bots show ID`."
