"""What many latencies come to."""

from collections.abc import Sequence
from typing import Any

PARTS = 5
"""Parts of the run whose figures show how far these spread."""


def percentile(values: Sequence[float], part: float) -> float:
    """Give the value that so large a part of the values does not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, -(-int(len(ranked) * part * 1000) // 1000) - 1)]


def summed_up(asked: Sequence[dict[str, Any]]) -> dict[str, Any]:  # Any: as JSON has it
    """Give percentiles, counts and errors of all requests, and the p99 of each part of the run."""
    found: dict[str, Any] = {}
    for kind in ("lists", "equity"):
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


def _spread(took: Sequence[float]) -> list[float]:
    size = max(1, len(took) // PARTS)
    parts = [took[begin : begin + size] for begin in range(0, size * PARTS, size)]
    return [round(percentile(part, 0.99), 1) for part in parts if part]
