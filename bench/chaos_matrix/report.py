"""What all runs came to: a file that grows with each, a table, and one line of JSON."""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, cast

from chaos_matrix.injection import Injection
from chaos_matrix.system import RATE
from chaos_matrix.verdict import DRIFT, Outcome, Wrong
from chaos_matrix.ways import BY_A_PERSON, NOT_LED_TO
from oxbot.domain.money import plain
from oxbot.domain.values import Value

HERE: Final = Path(__file__).parent
UNKNOWN: Final = "unknown"
"""The commit of a tree that is none of git's."""


class Head(Value):
    """What runs are of: the code's commit, the market's seed, and what was broken in it."""

    commit: str
    seed: int
    mutant: str = ""


class State:
    """Finished runs, one a line after what they are of; an unfinished line is left out.

    Args:
        head: What its runs are of.
        file: Where; None keeps nothing.

    Raises:
        ValueError: The runs in the file are of something else.
    """

    def __init__(self, head: Head, file: Path | None = None) -> None:
        self.head = head
        self._file = file
        lines = _lines(file) if file and file.exists() else []
        if lines and lines[0] != head.model_dump_json():
            raise ValueError(
                f"The runs in {file} are of {lines[0]}, and these would be of "
                f"{head.model_dump_json()}. Give another file, or go back to that."
            )
        self.done = [Outcome.model_validate_json(line) for line in lines[1:]]
        if not lines:
            self._write(head)

    @property
    def runs(self) -> list[Outcome]:
        """Give the runs among them: the account as a whole is none."""
        return [outcome for outcome in self.done if outcome.number]

    def keep(self, outcome: Outcome) -> None:
        """Add a run that is over."""
        self.done.append(outcome)
        self._write(outcome)

    def _write(self, value: Value) -> None:
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(value.model_dump_json() + "\n")


def _lines(file: Path) -> list[str]:
    """Read what was finished, and take what was not out of the file."""
    whole = file.read_text(encoding="utf-8").rpartition("\n")[0]
    file.write_text(whole + "\n" if whole else "", encoding="utf-8")
    return whole.splitlines()


def head_of(seed: int, mutant: str) -> Head:
    """Say what runs are of that begin now; a tree that differs from its commit is told as dirty."""
    said = ""
    if git := shutil.which("git"):
        command = [git, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=HERE, check=False)
        said = done.stdout.strip()
    return Head(commit=said or UNKNOWN, seed=seed, mutant=mutant)


def summed_up(state: State, injections: Sequence[Injection], seconds: float) -> dict[str, object]:
    """Give what the JSON line says."""
    done = state.done
    hits = Counter(outcome.injection for outcome in done if outcome.hit)
    counts = {
        wrong.value: sum(outcome.counts.get(wrong.value, 0) for outcome in done) for wrong in Wrong
    }
    drift = sum((outcome.drift_usdt for outcome in done), Decimal(0))
    return {
        "benchmark": "chaos",
        **state.head.model_dump(),
        "runs": sum(outcome.number > 0 for outcome in done),
        "injections": {each.name: hits[each.name] for each in injections},
        **counts,
        DRIFT: str(plain(drift)),
        "longest_without_stop_s": max((each.bare_ms for each in done), default=0) / 1000 / RATE,
        "never_hit": [each.name for each in injections if not hits[each.name]],
        "not_led_to": sorted(f"{activity}.{method}" for activity, method in NOT_LED_TO),
        "not_killed": sorted(BY_A_PERSON),
        "seconds": round(seconds, 1),
    }


def is_clean(found: dict[str, object]) -> bool:
    """Whether nothing was wrong, and every point was hit."""
    zeros = [found[wrong.value] for wrong in Wrong]
    return not any(zeros) and found[DRIFT] == "0" and not found["never_hit"]


def table(found: dict[str, object], done: Sequence[Outcome]) -> str:
    """Write it for people."""
    runs = Counter(outcome.injection for outcome in done)
    hits: dict[str, int] = cast("dict[str, int]", found["injections"])
    width = max(map(len, hits), default=0)
    lines = [f"{name:<{width}}  {runs[name]:>4} runs  {n:>4} hits" for name, n in hits.items()]
    said = (*Wrong, DRIFT, "longest_without_stop_s", "runs", "seconds")
    lines += [f"{name}: {found[name]}" for name in said]
    lines += [f"never hit: {name}" for name, n in hits.items() if not n]
    return "\n".join(lines)


def line(found: dict[str, object]) -> str:
    """Write it for programs."""
    return json.dumps(found)
