"""The clock's memory: a small JSON file, replaced as a whole or not at all."""

import json
import os
from decimal import Decimal, InvalidOperation
from pathlib import Path

from oxbot.domain.errors import InputError, SetupError
from oxbot.simulator.clock import ClockState, Mode, check_rate


def load_state(path: Path, market: str, first_ms: int) -> ClockState | None:
    """The state that an earlier run left, or None if there is none.

    Args:
        path: The state file.
        market: The market that this run serves.
        first_ms: Where that market begins, ms UTC.

    Raises:
        InputError: The file is not a clock's state, or belongs to another market.
    """
    if not path.exists():
        return None
    state = _parse(path)
    if state.market != market or state.venue_ms < first_ms:
        raise InputError(
            f"The state in {path} belongs to another market ({state.market}); this one is "
            f"{market}. Start with the old market's options, or begin anew with --fresh."
        )
    return state


def save_state(path: Path, state: ClockState, *, quick: bool = False) -> None:
    """Replace the file; after a crash it holds the old state or the new one.

    Args:
        path: The state file.
        state: What to remember.
        quick: Do not wait for the disk; only a crash of the machine, not of a process, loses it.

    Raises:
        SetupError: The file cannot be written.
    """
    content = {
        "market": state.market,
        "mode": state.mode,
        "rate": str(state.rate),
        "venue_ms": state.venue_ms,
        "wall_ms": state.wall_ms,
    }
    try:
        replace_file(path, json.dumps(content), quick=quick)
    except OSError as error:
        raise SetupError(
            f"The clock's state cannot be written to {path}: {error.strerror}. "
            "Without it a restart would lose the venue's time."
        ) from error


def replace_file(path: Path, content: str, *, quick: bool = False) -> None:
    """Write a file as a whole or not at all, its folder included; `quick` as in `save_state`.

    Raises:
        OSError: It cannot be written.
    """
    draft = path.with_name(f"{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        if not quick:
            os.fsync(file.fileno())
    draft.replace(path)


def _parse(path: Path) -> ClockState:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return ClockState(
            market=str(content["market"]),
            mode=Mode(content["mode"]),
            rate=check_rate(Decimal(content["rate"])),
            venue_ms=int(content["venue_ms"]),
            wall_ms=int(content["wall_ms"]),
        )
    except (OSError, ValueError, KeyError, TypeError, InvalidOperation, InputError) as error:
        raise InputError(
            f"{path} does not hold a clock's state ({error}). Begin anew with --fresh."
        ) from error
