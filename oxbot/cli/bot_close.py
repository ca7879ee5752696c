"""`oxbot bots close`: one position sold, and the proof that it is gone."""

import typer
from rich.prompt import Confirm

from oxbot.app import keeping, telling
from oxbot.cli import inputs, output
from oxbot.cli.desk import at_desk, user
from oxbot.domain.errors import InputError
from oxbot.domain.money import plain
from oxbot.messages import ClosePosition, CloseReport


def close(bot_id: str, coin: str, reason: str, *, ask: bool, as_json: bool) -> None:
    """Sell one position of a bot that goes on; 1 while it is not sold.

    Raises:
        InputError: It is no coin, or more than one.
        NotFound: There is no such bot, or it holds nothing of that coin.
        Conflict: It is stopped, or the position could not be sold.
    """
    symbol = _symbol(coin)
    if ask and output.is_dialogue():
        _confirm(bot_id, symbol)
    request = ClosePosition(symbol=symbol, by=f"{user()}, command line", reason=reason)
    report = at_desk(lambda desk: keeping.close_position(desk, bot_id, request))
    if as_json:
        output.write_json({"bot_id": bot_id, **report.model_dump()})
    else:
        output.console().print(told(bot_id, report))
    if not report.done:
        raise typer.Exit(1)


def _symbol(coin: str) -> str:
    symbols = inputs.parse_symbols(coin)
    if len(symbols) > 1:
        raise InputError(f"{', '.join(symbols)}: close one after the other.")
    return symbols[0]


def _confirm(bot_id: str, symbol: str) -> None:
    if not Confirm.ask(f"Sell all {symbol} of bot {bot_id}, and let it go on?"):
        raise typer.Exit


def told(bot_id: str, report: CloseReport) -> str:
    """Say what became of the position."""
    if not report.done:
        return f"Bot {bot_id}: {report.symbol} is not sold yet: {report.reason}."
    price = f" at {telling.price(report.price)} USDT" if report.price else ""
    dust = f", and {plain(report.dust)} are left as dust" if report.dust else ""
    return (
        f"Bot {bot_id} holds no {report.symbol} any more: sold{price}{dust}. It is {report.status}."
    )
