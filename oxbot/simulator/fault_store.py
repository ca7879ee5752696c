"""Where fault rules come from and where they are kept: files of JSON."""

import json
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from oxbot.domain.errors import InputError, SetupError
from oxbot.simulator.fault_rules import FaultRule, parse_rules
from oxbot.simulator.faults import ActiveRule, Faults
from oxbot.simulator.state import replace_file

_KEPT = TypeAdapter(list[ActiveRule])


def open_faults(
    given: Path | None, clock_state: Path | None, now_ms: int, *, fresh: bool
) -> Faults:
    """The faults at a start: those of an earlier run, and those of a file.

    A rule of the file that the earlier run has already had goes on as it was, with its
    beginning and its count, so that a restart in the middle of a replay changes nothing.
    Nothing is written before the first change.

    Args:
        given: A file of rules; None for none.
        clock_state: The clock's state file; the rules are kept beside it. None: nowhere.
        now_ms: The venue's time, ms UTC.
        fresh: Forget the earlier run.

    Raises:
        InputError: A file that holds no fault rules.
    """
    kept_in = None if clock_state is None else clock_state.with_suffix(".faults.json")
    kept = [] if kept_in is None or fresh else _load(kept_in)
    known = [active.rule for active in kept]
    wanted = [] if given is None else _read(given)
    faults = Faults(kept)
    faults.add([rule for rule in wanted if rule not in known], now_ms)
    return Faults(faults.active(), _keeper(kept_in))


def _read(path: Path) -> list[FaultRule]:
    """The rules of a file; one without an id is named after its place (file-1)."""
    try:
        rules = parse_rules(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"The fault rules {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}.") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return [
        rule if rule.id else rule.model_copy(update={"id": f"file-{place}"})
        for place, rule in enumerate(rules, 1)
    ]


def _load(path: Path) -> list[ActiveRule]:
    if not path.exists():
        return []
    try:
        return _KEPT.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            f"{path} does not hold the fault rules of an earlier run. Begin anew with --fresh."
        ) from error


def _keeper(path: Path | None) -> Callable[[list[ActiveRule]], None]:
    """What is called to remember the rules."""

    def keep(active: list[ActiveRule]) -> None:
        if path is None:
            return
        try:
            replace_file(path, _KEPT.dump_json(active, exclude_none=True).decode())
        except OSError as error:
            raise SetupError(
                f"The fault rules cannot be written to {path}: {error.strerror}. "
                "Without them a restart would bring other faults."
            ) from error

    return keep
