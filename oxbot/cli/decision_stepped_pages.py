"""What a bot would have earned beside others, for people and for programs."""

from rich.console import Console

from oxbot.app.earnings import Compared, Earnings
from oxbot.app.telling import NOTHING, gain, money, percent, when
from oxbot.cli.output import table
from oxbot.domain.money import plain


def document(found: Compared) -> dict[str, object]:
    """Give the whole result."""
    earned = [{**one.model_dump(), "net": one.net} for one in found.earnings]
    return {**found.model_dump(), "earnings": earned}


def write(console: Console, found: Compared) -> None:
    """Write a line for each, then what random trades say."""
    title = f"What was earned from {when(found.from_ms)} to {when(found.to_ms)} UTC, in USDT"
    columns = ("", "trades>", "turnover>", "fees>", "after fees>", "model>", "net>")
    console.print(title, style="bold", soft_wrap=True)
    console.print(table("", columns, map(_line, found.earnings), tight=True))
    chance = found.chance
    if chance is None:
        console.print("\nThe bot did not trade, so there is nothing to compare with chance.")
    else:
        console.print(
            f"\nThe same turnover at random times in random coins ({chance.seeds} times): "
            f"{gain(chance.median)} after fees, nine of ten between {gain(chance.low)} and "
            f"{gain(chance.high)}; {percent(chance.worse)} of them earned less than the bot.",
            soft_wrap=True,
        )
    for warning in found.warnings:
        console.print(f"Mind: {warning}", soft_wrap=True)


def _line(one: Earnings) -> tuple[str, ...]:
    model = NOTHING if one.model_usd is None else plain(one.model_usd)
    figures = (money(one.turnover), money(one.fees), gain(one.pnl), model, gain(one.net))
    return (one.name, str(one.trades), *figures)
