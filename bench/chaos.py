"""Kills and faults at every step of an order, and the count of what must never come of them.

A system of real servers, a simulated OKX and workers runs in a scratch directory; many bots live
there side by side, each with a worker of its own and one thing that goes wrong: SIGKILL at an
await, a worker that is suspended while another one does its work, a server that dies, a fault of
the exchange, a late or doubled signal, a pause in the moment of an entry. The list of them is made
from the code. Each bot is judged at rest, and again when it has stopped, by its fills and by where
the simulator's prices went.

Exit code 1: something was wrong, or a point was never hit.
"""

import argparse
import asyncio
import json
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from chaos_matrix.injection import Injection
from chaos_matrix.injections import catalogue, short
from chaos_matrix.matrix import Matrix
from chaos_matrix.mutants import MUTANTS
from chaos_matrix.plan import Plan
from chaos_matrix.prices import Prices
from chaos_matrix.report import State, is_clean, line, summed_up, table
from chaos_matrix.system import open_system
from chaos_matrix.verdict import Outcome
from finished import head_of

from oxbot.domain.bot import Mode
from oxbot.logs import configure_logs
from oxbot.settings import Settings

MODES = {"both": (Mode.LIVE, Mode.PAPER), "live": (Mode.LIVE,), "paper": (Mode.PAPER,)}
INTERRUPTED = 130


def main() -> None:
    asked = _asked()
    configure_logs("json", "error")
    injections = _injections(asked)
    if not injections:
        sys.exit(f"nothing is named like {asked.only!r}; see --list")
    if asked.list:
        print("\n".join(each.name for each in injections))
        return
    if asked.mutants:
        sys.exit(0 if asyncio.run(_mutants(asked)) else 1)
    state, begun = _state(asked), time.monotonic()
    interrupted = asyncio.run(_run(asked, injections, state))
    found = summed_up(state, injections, time.monotonic() - begun)
    if not asked.json:
        print(table(found, state.done), file=sys.stderr)
    print(line(found))
    sys.exit(INTERRUPTED if interrupted else 0 if is_clean(found) else 1)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7, help="of the market")
    parser.add_argument("--mode", choices=MODES, default="both")
    parser.add_argument("--only", default="", help="injections whose name has this in it")
    parser.add_argument("--width", type=int, default=10, help="bots side by side")
    parser.add_argument("--state", type=Path, help="finished runs; a run goes on after them")
    parser.add_argument("--keep", type=Path, help="keep the system's directory here")
    parser.add_argument("--mutant", default="", help="a safeguard to take away")
    parser.add_argument("--mutants", action="store_true", help="whether each mutant is caught")
    parser.add_argument("--short", action="store_true", help="one injection of each sort")
    parser.add_argument("--list", action="store_true", help="only name the injections")
    parser.add_argument("--json", action="store_true", help="no table")
    return parser.parse_args()


def _state(asked: argparse.Namespace) -> State:
    """Open the file of finished runs; what is wrong with it, a sentence says."""
    try:
        return State(head_of(asked.seed, asked.mutant), asked.state)
    except ValueError as error:
        sys.exit(str(error))


def _injections(asked: argparse.Namespace) -> list[Injection]:
    of_mode = short if asked.short else catalogue
    every = [each for mode in MODES[asked.mode] for each in of_mode(mode)]
    return [each for each in every if asked.only in each.name]


async def _run(asked: argparse.Namespace, injections: Sequence[Injection], state: State) -> bool:
    """Run what is left to be run; whether Ctrl-C ended it."""
    if task := asyncio.current_task():
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    plan = Plan(injections, asked.runs, state.runs, asked.width, asked.short)

    def keep(outcome: Outcome) -> None:
        state.keep(outcome)
        plan.note(outcome)
        _tell(outcome, len(state.runs), asked.runs)

    with ExitStack() as stack:
        home = asked.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="oxbot-chaos-"))
        )
        try:
            async with open_system(_settings(home), asked.seed, asked.mutant) as system:
                await Matrix(system, Prices(asked.seed), keep).run(plan)
        except asyncio.CancelledError:
            return True
    return False


async def _mutants(asked: argparse.Namespace) -> bool:
    """Take each safeguard away in turn, and say whether an oracle has seen it."""
    caught: dict[str, bool | None] = {}
    for mutant in MUTANTS:
        if mutant.mode not in MODES[asked.mode]:
            caught[mutant.name] = None
            continue
        injections = [each for each in catalogue(mutant.mode) if mutant.only in each.name]
        its = argparse.Namespace(**{**vars(asked), "runs": mutant.runs, "mutant": mutant.name})
        state = State(head_of(asked.seed, mutant.name))
        if await _run(its, injections, state):
            break
        caught[mutant.name] = mutant.is_caught(state.done)
    print(json.dumps({"benchmark": "chaos mutants", "caught": caught}))
    return all(found is not False for found in caught.values()) and len(caught) == len(MUTANTS)


def _tell(outcome: Outcome, done: int, runs: int) -> None:
    hit = "hit" if outcome.hit else "missed"
    head = f"{done}/{runs} {outcome.injection} ({hit}, {outcome.bot_id}, {outcome.seconds} s)"
    print("\n  ".join((head, *outcome.doubts)), file=sys.stderr, flush=True)


def _settings(home: Path) -> Settings:
    with ExitStack() as held:
        probes = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(4)]
        temporal, web, api, simulator = (probe.getsockname()[1] for probe in probes)
    return Settings(
        home=home,
        database_url=None,
        redis_url=None,
        temporal_address=None,
        simulator_url=None,
        log_level="error",
        temporal_port=temporal,
        temporal_ui_port=web,
        api_port=api,
        simulator_port=simulator,
    )


if __name__ == "__main__":
    main()
