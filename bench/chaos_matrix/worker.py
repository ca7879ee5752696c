"""Workers that are forked from one process that has everything loaded.

`python -m chaos_matrix.worker` reads one spec a line and answers each with the new process's id;
when one ends it says so. All end with it, and it with its input.
"""

import asyncio
import ctypes
import json
import os
import select
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import temporalio.client
from temporalio.worker._worker import load_default_build_id

from chaos_matrix.mutants import mutate
from chaos_matrix.points import Marks, Spec
from chaos_matrix.skew import skew
from chaos_matrix.striking import Striker, armed
from chaos_matrix.trader import Trader
from oxbot.adapters.temporal.client import connect
from oxbot.bootstrap import open_ports, spare_the_collector
from oxbot.domain.models import BASELINE
from oxbot.logs import configure_logs
from oxbot.settings import Settings
from worker.main import make_worker

PR_SET_PDEATHSIG: Final = 1
LOOK_S: Final = 0.02

POOL, WATCH_POOL = 3, 10
"""Connections to the record: of each of the many workers with one bot, and of the watch."""


async def work(spec: Spec) -> None:
    """Work until killed, or until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = Settings()
    mutate(spec.mutant)
    skew(spec.skew_ms)
    async with open_ports(settings, pool_size=POOL if spec.style else WATCH_POOL) as ports:
        striker = Striker(spec.steps, Marks(Path(spec.marks)), ports.store)
        client = await connect(settings.temporal_address or "", settings.temporal_namespace)
        config = client.config()
        config["interceptors"] = [striker]
        watched = temporalio.client.Client(**config)
        models = {BASELINE: Trader(spec.style)} if spec.style else ports.models
        struck = replace(armed(ports, striker), models=models)
        async with make_worker(watched, struck, settings.task_queue):
            if not spec.style:
                await ports.control.watch(ports.feed.venue)
            await stop.wait()


def main() -> None:
    """Fork until the input ends."""
    _load()
    print("ready", flush=True)
    children: set[int] = set()
    left = b""
    while True:
        readable, _, _ = select.select([sys.stdin.fileno()], [], [], LOOK_S)
        if readable:
            said = os.read(sys.stdin.fileno(), 1 << 20)
            if not said:
                break
            *lines, left = (left + said).split(b"\n")
            for line in lines:
                children.add(_forked(Spec.model_validate_json(line)))
        _tell_ended(children)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _load() -> None:
    """Load and work out what a worker does when it begins, so that no child has to."""

    import oxbot.adapters.models.choice  # noqa: PLC0415 - heavy, and wanted here alone
    import oxbot.adapters.okx.clock  # noqa: PLC0415
    import oxbot.adapters.okx.feed  # noqa: PLC0415
    import oxbot.adapters.okx.private  # noqa: PLC0415
    import oxbot.adapters.paper.exchange  # noqa: PLC0415
    import oxbot.adapters.postgres.news  # noqa: PLC0415
    import oxbot.adapters.postgres.store  # noqa: PLC0415
    import oxbot.adapters.redis.board  # noqa: PLC0415
    import oxbot.adapters.redis.flight  # noqa: PLC0415
    import oxbot.adapters.temporal.control  # noqa: PLC0415, F401

    load_default_build_id()
    spare_the_collector()


def _forked(spec: Spec) -> int:
    pid = os.fork()
    if pid:
        print(json.dumps({"name": spec.name, "pid": pid}), flush=True)
        return pid
    _become(spec)
    os._exit(0)


def _become(spec: Spec) -> None:
    """Work as told, in a process of its own that ends with its parent."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    log = os.open(spec.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.setsid()
    os.environ.update(spec.environment)
    configure_logs("json", "warning")
    try:
        asyncio.run(work(spec))
    except BaseException as error:  # noqa: BLE001 - nothing may return into the parent's code
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


def _tell_ended(children: set[int]) -> None:
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            children.discard(pid)
            print(json.dumps({"pid": pid, "code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
