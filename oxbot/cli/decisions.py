"""`oxbot decisions ...`: what models were shown, what they said, and what came of it."""

from pathlib import Path
from typing import Annotated

import typer

# As in `bots`: each command imports what it needs when it runs.
# ruff: noqa: PLC0415

app = typer.Typer(help="Look at what models decided.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("list")
def list_(
    *,
    bot: Annotated[
        str | None, typer.Option(metavar="ID", help="One bot; else all of them.")
    ] = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the last decisions with their tokens and cost."""
    from oxbot.cli import decisions_run

    decisions_run.list_(bot, last, as_json=as_json)


@app.command()
def show(
    decision_id: Annotated[
        str, typer.Argument(metavar="ID", help="The decision's id; see `oxbot decisions list`.")
    ],
    *,
    prompt: Annotated[
        bool, typer.Option("--prompt/--no-prompt", help="Also what the model was shown.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Show one decision: seen, said, judged, done, and what came of it."""
    from oxbot.cli import decisions_run

    decisions_run.show(decision_id, prompt=prompt, as_json=as_json)


@app.command()
def replay(  # noqa: PLR0913 - one parameter for each option of the command
    bot_id: Annotated[
        str, typer.Argument(metavar="BOT", help="Whose cycles; see `oxbot bots list`.")
    ],
    *,
    cycles: Annotated[
        str | None, typer.Option(metavar="FIRST:LAST", help="These cycles; else the newest.")
    ] = None,
    last: Annotated[
        int | None,
        typer.Option(min=1, help="How many, the newest; 50 unless --cycles says which."),
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Ask this provider instead.")] = None,
    model: Annotated[str | None, typer.Option(help="Ask this model instead.")] = None,
    temperature: Annotated[str | None, typer.Option(help="Of the model, 0 to 2.")] = None,
    json_schema: Annotated[
        bool | None, typer.Option(help="Whether the model is held to a schema.")
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Word the questions so instead.")
    ] = None,
    limits: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another limit; may be repeated."),
    ] = None,
    keep: Annotated[
        bool,
        typer.Option("--keep-decisions", help="Ask nobody; only the rules judge anew."),
    ] = False,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Ask nobody; only use replies on record or kept.")
    ] = False,
    budget: Annotated[
        str, typer.Option(metavar="USD", help="What models may cost in this replay.")
    ] = "1",
    stepped: Annotated[
        bool,
        typer.Option("--stepped", help="Drive the market again, and compare what is earned."),
    ] = False,
    candles: Annotated[
        Path | None, typer.Option(help="With --stepped: candle files of that market.")
    ] = None,
    timeframe: Annotated[
        str | None, typer.Option(help="With --stepped: their candle length, 1m or 5m.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="With --stepped: seed of the market.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="With --stepped: name of the replay's directory.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="With --stepped: start over instead of going on.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Decide recorded cycles anew, and show what differs.

    By another model, another wording of the prompt, under other limits. Answers are kept: the
    same question is never paid for twice, and an interrupted replay goes on from there.
    """
    from oxbot.cli import decision_replay
    from oxbot.domain.money import decimal_from

    wishes = decision_replay.Wishes(
        bot_id=bot_id,
        cycles=cycles,
        last=last,
        model=decision_replay.model_change(provider, model, temperature, json_schema=json_schema),
        prompt_version=prompt,
        limits=tuple(limits or ()),
        keep=keep,
        recorded=recorded,
        budget=decimal_from(budget, "budget"),
    )
    from oxbot.cli import decision_stepped

    market = decision_stepped.MarketWishes(candles, timeframe, seed, name, fresh)
    if not stepped:
        decision_replay.run(wishes, market, as_json=as_json)
        return
    decision_replay.run_stepped(wishes, market, as_json=as_json)
