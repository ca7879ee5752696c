"""`oxbot bots settings`: what a bot was made with, and changing it while it runs."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console

from oxbot.app.keeping import change_settings
from oxbot.cli import inputs, output
from oxbot.cli.config_sources import load_settings
from oxbot.cli.desk import at_desk, user
from oxbot.domain.bot import Bot
from oxbot.domain.bot_changes import (
    CHANGEABLE,
    FIXED,
    ChangedSettings,
    ChangeSettings,
    spoken,
)
from oxbot.domain.errors import InputError
from oxbot.domain.money import decimal_from

FLAGS: Final = {"yes": True, "no": False, "true": True, "false": False}
NUMBERS: Final = ("temperature", "budget_usd", "gate_bp")


def show(bot_id: str, *, as_json: bool) -> None:
    """Write all settings of a bot but its limits. NotFound."""
    bot = at_desk(lambda desk: desk.store.bot(bot_id))
    if as_json:
        chosen = bot.settings.model_dump(exclude={"limits"})
        output.write_json({"bot_id": bot_id, "settings": chosen, "changeable": CHANGEABLE})
    else:
        write(output.console(), bot)


def write(console: Console, bot: Bot) -> None:
    """Write a line for each setting."""
    names = [*CHANGEABLE, *(name for name in FIXED if name != "limits")]
    lines = (
        (name, spoken(getattr(bot.settings, name)), "" if name in CHANGEABLE else "fixed")
        for name in names
    )
    console.print(output.table(f"Settings of bot {bot.id}", ("setting", "value", ""), lines))
    console.print(f"\nChange them with: oxbot bots settings {bot.id} --set name=Ann")


def change(bot_id: str, wishes: Sequence[str], reason: str, *, as_json: bool) -> None:
    """Change settings of a bot that is not stopped. InputError, NotFound, Conflict."""
    wished = dict(read(wish) for wish in wishes)
    request = ChangeSettings(by=f"{user()}, command line", reason=reason, settings=wished)
    providers = load_settings().model_providers
    done = at_desk(lambda desk: change_settings(desk, bot_id, request, providers))
    if as_json:
        output.write_json({"bot_id": bot_id, **done.model_dump()})
    else:
        output.console().print(told(bot_id, done))


def read(wish: str) -> tuple[str, object]:
    """Read NAME=VALUE; `off` where a setting can be off.

    Raises:
        InputError: It is nothing of the kind.
    """
    name, sign, value = wish.partition("=")
    if not sign:
        raise InputError(f"{wish!r} is not NAME=VALUE; the names are {', '.join(CHANGEABLE)}.")
    return name, _value(name, value.strip())


def _value(name: str, value: str) -> object:
    if name == "fallbacks":
        named = () if value in ("", "none", "off") else value.split(",")
        return [inputs.model_choice(text.strip()) for text in named]
    if name == "model":
        return "" if value == "default" else value
    if name == "name":
        return value
    if value == "off":
        return None
    if name.startswith("json_"):
        return FLAGS.get(value.lower(), value)
    return decimal_from(value, name) if name in NUMBERS else value


def told(bot_id: str, done: ChangedSettings) -> str:
    """Say what changed."""
    named = ", ".join(f"{name} {spoken(getattr(done.settings, name))}" for name in done.changed)
    return f"Bot {bot_id}: {named}." if named else f"Bot {bot_id}: the settings are as they were."
