"""`oxbot bots ...`: what can be asked for; what is done is in `bot_create` and `bot_verbs`."""

from typing import Annotated

import typer

from oxbot.cli import bot_reads, bots_kept, positions
from oxbot.cli.bot_options import AsJson, Reason, Yes
from oxbot.cli.completing import BotId, BotIds, MaybeBotId

# Each command imports what it needs when it runs: `oxbot --help` must stay fast.
# ruff: noqa: PLC0415

app = typer.Typer(help="Make, show and control bots.", no_args_is_help=True)
bot_reads.add_to(app)


@app.command()
def create(  # noqa: PLR0913 - one parameter for each option of the command
    *,
    name: Annotated[str | None, typer.Option(help="How you call it.")] = None,
    symbols: Annotated[
        str | None, typer.Option(help="Coins, as BTC,ETH or BTC/USDT,ETH/USDT.")
    ] = None,
    capital: Annotated[str | None, typer.Option(help="USDT to trade with.")] = None,
    interval: Annotated[str | None, typer.Option(help="Seconds between two cycles.")] = None,
    provider: Annotated[
        str | None, typer.Option(help="Who decides: baseline, dashscope or openai.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Which of its models, as qwen-plus; else its default.")
    ] = None,
    temperature: Annotated[str | None, typer.Option(help="Of the model, 0 to 2.")] = None,
    json_schema: Annotated[
        bool | None,
        typer.Option(
            "--json-schema/--no-json-schema",
            help="Hold the model to the answer's schema; else as its card says.",
        ),
    ] = None,
    fallback: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROVIDER[:MODEL]", help="Who decides while others are away; repeatable."
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Wording of the questions; the newest unless said."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="USD that its models may cost a UTC day; else no limit.")
    ] = None,
    gate: Annotated[
        str | None,
        typer.Option(
            metavar="BP",
            help="Ask no model while no price has moved by so many bp and nothing else changed.",
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Trade with real money, which can be lost.")
    ] = False,
    bot_id: Annotated[
        str | None,
        typer.Option("--id", help="Small letters, digits, hyphens; else one is made up."),
    ] = None,
    stop: Annotated[str | None, typer.Option(help="Stop below the entry, as 3.5%")] = None,
    target: Annotated[str | None, typer.Option(help="Target above the entry, as 7%")] = None,
    max_position: Annotated[str | None, typer.Option(help="Most in one coin, as 15%")] = None,
    max_exposure: Annotated[str | None, typer.Option(help="Most in all coins, as 85%")] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Any other limit, as cooldown_s=600; repeatable."),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a bot and start it. On a terminal it asks for what is not given."""
    from oxbot.cli import bot_create

    wishes = bot_create.Wishes(
        name=name,
        symbols=symbols,
        capital=capital,
        interval=interval,
        provider=provider,
        model=model,
        temperature=temperature,
        json_schema=json_schema,
        fallbacks=tuple(fallback or ()),
        prompt=prompt,
        budget=budget,
        gate=gate,
        live=live,
        bot_id=bot_id,
        limits=bot_create.limit_wishes(
            {
                "stop": stop,
                "target": target,
                "max_position": max_position,
                "max_exposure": max_exposure,
            },
            limit or [],
        ),
    )
    bot_create.create(wishes, ask=not yes and not as_json, as_json=as_json)


@app.command("list")
def list_(
    *,
    archived: Annotated[
        bool, typer.Option("--archived", help="Those that were archived, instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show all bots but those that were archived."""
    from oxbot.cli import bot_verbs

    bot_verbs.show_list(archived=archived, as_json=as_json)


@app.command()
def show(
    bot_id: BotId,
    *,
    rows: Annotated[int, typer.Option(min=1, max=500, help="Lines of each table.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show one bot: positions, cycles, orders, trades, events."""
    from oxbot.cli import bot_verbs

    bot_verbs.show_one(bot_id, rows, as_json=as_json)


@app.command()
def watch(
    bot_ids: BotIds = None,
    *,
    every: Annotated[float, typer.Option(min=0.2, max=3600, help="Seconds between looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="One look, then end.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A line of JSON for each look, as without a terminal.")
    ] = False,
) -> None:
    """Watch bots until Ctrl-C: status, equity, positions, last decision, next cycle."""
    from oxbot.cli import bot_watch

    bot_watch.watch(bot_ids or (), every, once=once, as_json=as_json)


@app.command()
def pause(bot_id: BotId, *, reason: Reason = "", as_json: AsJson = False) -> None:
    """Pause: no entries from now on; stops and targets go on."""
    from oxbot.cli import bot_verbs

    bot_verbs.pause(bot_id, reason, as_json=as_json)


@app.command()
def resume(bot_id: BotId, *, reason: Reason = "", as_json: AsJson = False) -> None:
    """Let a paused bot trade again."""
    from oxbot.cli import bot_verbs

    bot_verbs.resume(bot_id, reason, as_json=as_json)


@app.command()
def reconcile(
    bot_id: BotId,
    *,
    write_off: Annotated[
        bool,
        typer.Option("--write-off", help="Take what is missing off the bot's books: a loss."),
    ] = False,
    over: Annotated[
        str | None,
        typer.Option(
            "--over",
            metavar="ORDER",
            help="End an order or stop that OKX shows nowhere; it has traded nothing.",
        ),
    ] = None,
    reason: Reason = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Hold a live bot's record against its account; 1 if something differs or is not known."""
    from oxbot.cli import bot_reconcile
    from oxbot.domain.errors import InputError

    if write_off and over:
        raise InputError("Nothing was done: say --over and --write-off one after the other.")
    if over:
        bot_reconcile.say_over(bot_id, over, reason, ask=not yes, as_json=as_json)
    elif write_off:
        bot_reconcile.write_off(bot_id, reason, ask=not yes, as_json=as_json)
    else:
        bot_reconcile.reconcile(bot_id, as_json=as_json)


@app.command()
def flatten(
    bot_id: MaybeBotId = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All bots.")] = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Sell everything now and stay paused; shows that nothing is left, 1 if something is."""
    from oxbot.cli import bot_flatten

    ask = not yes and not as_json
    bot_flatten.flatten(bot_id, reason, every=every, ask=ask, as_json=as_json)


@app.command()
def limits(
    bot_id: BotId,
    *,
    wishes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change it, as stop=2%; repeatable."),
    ] = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Show what the bot is held to, or change it while it runs."""
    from oxbot.cli import bot_limits

    if wishes:
        bot_limits.change(bot_id, wishes, reason, as_json=as_json)
    else:
        bot_limits.show(bot_id, as_json=as_json)


@app.command()
def stop(
    bot_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The bot's id; or say --all.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All bots.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Sell nothing now: close by stop, target and time.")
    ] = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Stop for good: no entries, sell what is held, end. With --all, 1 if one was not told."""
    from oxbot.cli import bot_stop

    ask = not yes and not as_json
    bot_stop.stop(bot_id, reason, every=every, flatten=not keep, ask=ask, as_json=as_json)


bots_kept.add_to(app)
positions.add_to(app)
