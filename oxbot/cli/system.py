"""`oxbot up`, `oxbot doctor`, `oxbot temporal`: the system on this machine."""

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from oxbot.embedded.addresses import Addresses
    from oxbot.embedded.doctor import Finding
    from oxbot.settings import Settings

# Each command imports what it needs when it runs: `oxbot --help` must stay fast.
# ruff: noqa: PLC0415


def up(
    *,
    simulator: Annotated[
        bool, typer.Option("--simulator", help="Trade against a simulated OKX.")
    ] = False,
    candles: Annotated[
        Path | None, typer.Option(help="Simulate these candle files (a folder).")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Simulate the generated market of this seed.")
    ] = None,
    speed: Annotated[
        str | None, typer.Option(help="Simulated seconds in a second, up to 3600.")
    ] = None,
) -> None:
    """Run everything on this machine until Ctrl-C: servers, worker, API; paper orders.

    Prices are OKX's, unless a simulator is asked for.
    """
    from oxbot.cli.config_sources import load_settings
    from oxbot.embedded.apps import SimulatorOptions
    from oxbot.embedded.system import run_system

    options = SimulatorOptions(candles=candles, seed=seed, speed=speed)
    simulated = simulator or options != SimulatorOptions()
    asyncio.run(
        run_system(
            load_settings(), _shown, announce=typer.echo, simulator=options if simulated else None
        )
    )


async def _shown(addresses: "Addresses") -> None:
    """Say where everything is, then leave the end to a signal."""
    from oxbot.cli.config_sources import load_settings
    from oxbot.embedded.system import until_stopped

    exchange = f"simulated, {addresses.simulator}" if addresses.simulator else "OKX"
    typer.echo(
        f"0xBot runs. Ctrl-C stops it.\n"
        f"  API       {addresses.api}/docs\n"
        f"  Web UI    {addresses.temporal_ui or 'not known: set OXBOT_TEMPORAL_UI_URL'}\n"
        f"  prices    {exchange}\n"
        f"  bots      oxbot bots list\n"
        f"  workflows oxbot temporal workflow list"
    )
    if trouble := await _live_trouble(load_settings()):
        typer.echo(trouble, err=True)
    await until_stopped(addresses)


async def _live_trouble(settings: "Settings") -> str | None:
    """Give what live bots lack; nothing where the record does not answer."""
    from oxbot.app.live import live_status
    from oxbot.bootstrap import open_desk
    from oxbot.domain.errors import OxbotError

    try:
        async with open_desk(settings) as desk:
            return (await live_status(desk, settings.live_problem)).trouble or None
    except OxbotError:
        return None


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Look at what a start needs: what is found, what is missing and how to get it."""
    from oxbot.cli.config_sources import load_settings
    from oxbot.embedded.doctor import can_start

    findings = asyncio.run(_examined(load_settings()))
    able = can_start(findings)
    if as_json:
        report = {"can_start": able, "findings": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(report, indent=2))
    else:
        _print_findings(findings, able=able)
    raise typer.Exit(0 if able else 1)


async def _examined(settings: "Settings") -> "list[Finding]":
    from oxbot.cli.doctor_live import live_trading
    from oxbot.embedded.doctor import examine

    return [*await examine(settings), await live_trading(settings)]


def _print_findings(findings: "list[Finding]", *, able: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 1))
    for finding in findings:
        bad = "[red]missing" if finding.needed else "[yellow]no"
        table.add_row("[green]ok" if finding.ok else bad, finding.name, finding.detail)
    console = Console()
    console.print(table)
    console.print(_conclusion(findings, able=able))


def _conclusion(findings: "list[Finding]", *, able: bool) -> str:
    if not able:
        return "`oxbot up` cannot start yet."
    if all(finding.ok for finding in findings if finding.name == "OKX"):
        return "`oxbot up` can start."
    return "`oxbot up --simulator` and `oxbot demo` can start; `oxbot up` needs OKX."


def temporal(context: typer.Context) -> None:
    """Run Temporal's own command line on the running system (`oxbot temporal --help`)."""
    from oxbot.cli.config_sources import load_settings
    from oxbot.embedded import temporal_binary

    settings = load_settings()
    binary = asyncio.run(temporal_binary.obtain(lambda line: typer.echo(line, err=True)))
    environment = {
        **os.environ,
        "TEMPORAL_ADDRESS": _temporal_address(settings),
        "TEMPORAL_NAMESPACE": settings.temporal_namespace,
    }
    sys.stdout.flush()
    os.execve(binary.path, [str(binary.path), *context.args], environment)  # noqa: S606 - passed through


def _temporal_address(settings: "Settings") -> str:
    """Of the environment, else of the running system, else where one would be."""
    from oxbot.embedded.addresses import running

    if settings.temporal_address:
        return settings.temporal_address
    if addresses := running(settings.home):
        return addresses.temporal
    typer.echo("(no system runs here now; `oxbot up` starts one)", err=True)
    return f"127.0.0.1:{settings.temporal_port}"
