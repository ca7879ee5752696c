"""`oxbot bots limits`: what a bot is held to, and changing it while it runs."""

from collections.abc import Sequence

from rich.console import Console

from oxbot.app.limits import ask_for_limits
from oxbot.cli import inputs, output
from oxbot.cli.desk import at_desk, user
from oxbot.domain.bot import Bot, RiskLimits
from oxbot.domain.limits import MEANINGS, shown
from oxbot.domain.rules import ALL_RULES
from oxbot.messages import ChangeLimits, LimitsAnswer

DEFAULTS = RiskLimits()


def show(bot_id: str, *, as_json: bool) -> None:
    """Write all limits of a bot beside their defaults. NotFound."""
    bot = at_desk(lambda desk: desk.store.bot(bot_id))
    if as_json:
        output.write_json({"bot_id": bot_id, "epoch": bot.epoch, "limits": _documents(bot)})
    else:
        write(output.console(), bot)


def _documents(bot: Bot) -> dict[str, dict[str, object]]:
    return {
        name: {
            "value": getattr(bot.settings.limits, name),
            "default": getattr(DEFAULTS, name),
            "meaning": meaning,
            "rules": {rule.name: rule.formula for rule in ALL_RULES if name in rule.limits},
        }
        for name, meaning in MEANINGS.items()
    }


def write(console: Console, bot: Bot) -> None:
    """Write a line for each limit, and the rules with their formulas."""
    limits = bot.settings.limits
    lines = (
        (
            name,
            shown(name, getattr(limits, name)),
            shown(name, getattr(DEFAULTS, name)),
            meaning,
        )
        for name, meaning in MEANINGS.items()
    )
    columns = ("limit", "in effect>", "default>", "what")
    console.print(output.table(f"Limits, epoch {bot.epoch}", columns, lines, tight=True))
    formulas = {rule.name: rule.formula for rule in reversed(ALL_RULES)}  # that of entries stands
    rules = ((name, formulas[name]) for name in dict.fromkeys(rule.name for rule in ALL_RULES))
    console.print("", output.table("Rules", ("rule", "acts when"), rules, tight=True))
    console.print(f"\nChange them with: oxbot bots limits {bot.id} --set stop=2% --set target=5%")


def change(bot_id: str, wishes: Sequence[str], reason: str, *, as_json: bool) -> None:
    """Change limits of a running bot, and say what holds now. InputError, NotFound, Conflict."""
    wished = dict(inputs.limit_pair(wish) for wish in wishes)
    request = ChangeLimits(by=f"{user()}, command line", reason=reason, limits=dict(wished))
    answer = at_desk(lambda desk: ask_for_limits(desk, bot_id, request))
    if as_json:
        output.write_json({"bot_id": bot_id, **answer.model_dump()})
    else:
        output.console().print(told(bot_id, answer))


def told(bot_id: str, answer: LimitsAnswer) -> str:
    """Say what changed and since when."""
    named = ", ".join(
        f"{name} {shown(name, getattr(answer.limits, name))}" for name in answer.changed
    )
    lines = [
        f"Bot {bot_id}, epoch {answer.epoch}: {named}."
        if named
        else f"Bot {bot_id}: the limits are as they were."
    ]
    if not answer.recorded:
        lines.append("PostgreSQL does not have it yet; the bot writes it as soon as it can.")
    return "\n".join(lines)
