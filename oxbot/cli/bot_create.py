"""`oxbot bots create`: from wishes, and answers on a terminal, to a running bot."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import typer
from rich.prompt import Confirm
from rich.text import Text

from oxbot.app import telling
from oxbot.app.making import make_bot
from oxbot.bootstrap import open_desk
from oxbot.bootstrap.addresses import resolve
from oxbot.bootstrap.exchange import venue_of
from oxbot.cli import inputs, output
from oxbot.cli.bot_pages import where_told
from oxbot.cli.config_sources import load_settings
from oxbot.cli.questions import ask_for
from oxbot.domain.bot import BotSettings, Mode, has_real_money
from oxbot.domain.errors import InputError, SetupError
from oxbot.domain.limits import read_limit
from oxbot.domain.market import base_of
from oxbot.domain.money import decimal_from
from oxbot.logs import configure_logs
from oxbot.settings import Settings


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for; None where nothing was said."""

    name: str | None = None
    symbols: str | None = None
    capital: str | None = None
    interval: str | None = None
    provider: str | None = None
    model: str | None = None
    temperature: str | None = None
    json_schema: bool | None = None
    fallbacks: tuple[str, ...] = ()
    prompt: str | None = None
    budget: str | None = None
    gate: str | None = None
    live: bool = False
    bot_id: str | None = None
    limits: Mapping[str, object] | None = None

    def having(self, field: str, answer: str) -> "Wishes":
        """Give the wishes with one answer more."""
        return replace(self, **cast("dict[str, Any]", {field: answer}))  # Any: as replace has it

    def settings(self) -> BotSettings:
        """Make the bot's settings; what was not said is the default.

        Raises:
            InputError: Something that cannot be.
        """
        chosen: dict[str, object] = {
            "symbols": inputs.parse_symbols(self.symbols) if self.symbols is not None else None,
            "capital": decimal_from(self.capital, "capital") if self.capital is not None else None,
            "interval_s": self.interval,
            "provider": self.provider,
            "model": self.model,
            "temperature": self.temperature,
            "json_schema": self.json_schema,
            "prompt_version": self.prompt,
            "budget_usd": decimal_from(self.budget, "budget") if self.budget is not None else None,
            "gate_bp": decimal_from(self.gate, "gate") if self.gate is not None else None,
            "mode": Mode.LIVE if self.live else None,
            "fallbacks": [inputs.model_choice(text) for text in self.fallbacks],
        }
        given = {name: value for name, value in chosen.items() if value is not None}
        name = self.name if self.name is not None else _name(given.get("symbols"))
        return inputs.bot_settings({"name": name, **given}, self.limits or {})


def limit_wishes(named: Mapping[str, str | None], others: Sequence[str]) -> dict[str, object]:
    """Read the limits: those with an option of their own, then NAME=VALUE pairs.

    Raises:
        InputError: No such limit, or a value that it cannot have.
    """
    pairs = [(name, value) for name, value in named.items() if value is not None]
    pairs += [inputs.limit_pair(other) for other in others]
    return {name: read_limit(name, value) for name, value in pairs}


def _name(symbols: object) -> str:
    """Make a name of the coins that are traded."""
    named = symbols if isinstance(symbols, tuple) else BotSettings(name="-").symbols
    return " ".join(base_of(symbol) for symbol in named)[:60]


def create(wishes: Wishes, *, ask: bool, as_json: bool) -> None:
    """Make a bot of the wishes, start it, and say so.

    Raises:
        SetupError: It is to trade live, and that is not set up; nothing was asked.
        InputError: It is to trade live, and nobody said with how much.
        As `make_bot` does.
    """
    settings = resolve(load_settings())
    configure_logs(settings.log_format, "error")  # what is said here is the answer, or why not
    if wishes.live and settings.live_problem:
        raise SetupError(settings.live_problem)
    if ask and output.is_dialogue():
        wishes = _asked(wishes)
        chosen = wishes.settings().model_copy(update={"venue": venue_of(settings)})
        output.console().print(_summary(chosen))
        if not _confirmed(chosen):
            raise typer.Exit
    if wishes.live and wishes.capital is None:
        raise InputError("A live bot trades with as much as you say: give --capital, in USDT.")
    asyncio.run(_create(settings, wishes, as_json=as_json))


async def _create(settings: Settings, wishes: Wishes, *, as_json: bool) -> None:
    chosen = wishes.settings()
    async with open_desk(settings) as desk:
        made = await make_bot(desk, chosen, settings.model_providers, wishes.bot_id)
    bot = made.bot
    if as_json:
        output.write_json(bot)
        return
    output.console().print(
        Text.assemble(
            f"Bot {bot.id} ({bot.settings.name}) trades {', '.join(bot.settings.symbols)}, ",
            where_told(bot.settings),
            ".",
        )
    )
    if not made.begun:
        output.console().print(
            "It is on record, and starts when Temporal answers: make no second one."
        )
    output.console().print(
        f"  oxbot bots show {bot.id}      how it is doing\n"
        f"  oxbot bots pause {bot.id}     no entries, protection goes on\n"
        f"  oxbot bots stop {bot.id}      sell and end"
    )


def _asked(wishes: Wishes) -> Wishes:
    """Ask for what was not said, in the order in which people think of it."""
    for field, question in _QUESTIONS.items():
        if getattr(wishes, field) is None:
            answer = ask_for(question, _default(wishes, field), _check(wishes, field))
            wishes = wishes.having(field, answer)
    return wishes


_QUESTIONS: Final = {
    "symbols": "Coins",
    "capital": "Capital in USDT",
    "interval": "Seconds between two cycles",
    "name": "Name",
}


def _default(wishes: Wishes, field: str) -> str:
    settings = wishes.settings()
    if field == "symbols":
        return ",".join(base_of(symbol) for symbol in settings.symbols)
    return str({"interval": settings.interval_s}.get(field) or getattr(settings, field))


def _check(wishes: Wishes, field: str) -> Callable[[str], object]:
    return lambda answer: wishes.having(field, answer).settings()


def _confirmed(settings: BotSettings) -> bool:
    """Have a person say yes, and where it is for real say so twice."""
    live = settings.mode is Mode.LIVE
    if not Confirm.ask("Make and start this bot?", default=not live):
        return False
    if not live:
        return True
    money = "REAL MONEY" if has_real_money(settings.venue) else "play money"
    question = (
        f"LIVE: it trades {telling.money(settings.capital)} USDT of {money}, which can be lost"
    )
    return Confirm.ask(f"{question}. Are you sure?", default=False)


def _summary(settings: BotSettings) -> Text:
    limits = settings.limits
    return Text.assemble(
        f"\n  {settings.name}: {', '.join(settings.symbols)}, ",
        where_told(settings),
        f"\n  {telling.money(settings.capital)} USDT, a cycle every {settings.interval_s} s, "
        f"decided by {settings.deciders}\n"
        f"  stop {telling.percent(limits.stop)}, target {telling.percent(limits.target)}, "
        f"at most {telling.percent(limits.max_position)} in one coin and "
        f"{telling.percent(limits.max_exposure)} in all, "
        f"held at most {limits.longest_hold_s // 60} min\n",
    )
