"""What many latencies come to."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

PARTS: Final = 5
"""Parts of the run whose figures show how far these spread."""

GOALS: Final = {"lists_p99_ms": 50, "equity_p99_ms": 50, "event_p99_ms": 100}
"""Below which each figure should be."""


def percentile(values: Sequence[float], part: float) -> float:
    """Give the value that so large a part of the values does not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, -(-int(len(ranked) * part * 1000) // 1000) - 1)]


def summed_up(asked: Sequence[dict[str, Any]]) -> dict[str, Any]:  # Any: as JSON has it
    """Give percentiles, counts and errors of all requests, and the p99 of each part of the run."""
    found: dict[str, Any] = {}
    for kind in sorted({each["kind"] for each in asked}):
        of_kind = [each for each in asked if each["kind"] == kind]
        took = [each["ms"] for each in of_kind]
        found[f"{kind}_p99_ms"] = round(percentile(took, 0.99), 1)
        found[f"{kind}_p50_ms"] = round(percentile(took, 0.5), 1)
        found[f"{kind}_max_ms"] = round(max(took), 1)
        found[f"{kind}_requests"] = len(of_kind)
        found[f"{kind}_p99_ms_spread"] = _spread(took)
        found[f"{kind}_bytes"] = sum(each["bytes"] for each in of_kind) // len(of_kind)
    found["errors"] = sum(each["status"] != 200 for each in asked)  # noqa: PLR2004 - OK
    return found


def missed(found: Mapping[str, Any]) -> list[str]:  # Any: as JSON has it
    """Say which goals were not met, a sentence each."""
    return [
        f"{name} is {found.get(name, 'unknown')}, and should be below {goal}."
        for name, goal in GOALS.items()
        if not found.get(name, goal) < goal
    ]


def _spread(took: Sequence[float]) -> list[float]:
    size = max(1, len(took) // PARTS)
    parts = [took[begin : begin + size] for begin in range(0, size * PARTS, size)]
    return [round(percentile(part, 0.99), 1) for part in parts if part]
