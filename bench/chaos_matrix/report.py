"""What all runs came to: a file that grows with each, a table, and one line of JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import cast

from finished import Finished, Head

from chaos_matrix.injection import Injection
from chaos_matrix.system import RATE
from chaos_matrix.verdict import DRIFT, Outcome, Wrong
from chaos_matrix.ways import BY_A_PERSON, NOT_LED_TO
from oxbot.domain.money import plain


class State(Finished[Outcome]):
    """Finished runs of the matrix, and what was judged of the account as a whole."""

    def __init__(self, head: Head, file: Path | None = None) -> None:
        super().__init__(head, Outcome, file)

    @property
    def runs(self) -> list[Outcome]:
        """Give the runs among them: the account as a whole is none."""
        return [outcome for outcome in self.done if outcome.number]


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
