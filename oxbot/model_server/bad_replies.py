"""Answers that come with status 200 and are no good: made of the good one."""

import json
from collections.abc import Callable
from typing import Any, Final  # Any: JSON

from oxbot.model_server.fault_rules import FaultKind

Decision = dict[str, Any]

INVENTED: Final = "GHOST/USDT"


def spoiled(kind: FaultKind, text: str) -> str:
    """Give the text that a model gives instead; the same one for kinds that spoil none."""
    if kind in _TEXTS:
        return _TEXTS[kind](text)
    if kind in _WISHES:
        decision: Decision = json.loads(text)
        return json.dumps({**decision, "proposals": [_wish(decision) | _WISHES[kind]]})
    return text


def _wish(decision: Decision) -> Decision:
    """Give a wish to spoil: the first one, as if it were to buy."""
    plain = {"symbol": "BTC/USDT", "confidence": "0.7", "reason": "a trend"}
    first: Decision = next(iter(decision["proposals"]), plain)
    return {**first, "action": "buy"}


_TEXTS: Final[dict[FaultKind, Callable[[str], str]]] = {
    FaultKind.BAD_JSON: lambda text: text.replace(":", " =", 3),
    FaultKind.PROSE: lambda text: f"Here is my decision:\n```json\n{text}\n```\nGood luck!",
    FaultKind.EMPTY: lambda _: "",
    FaultKind.CUT: lambda text: text[: len(text) // 2],
    FaultKind.FILTERED: lambda _: "",
}

_WISHES: Final[dict[FaultKind, Decision]] = {
    FaultKind.EXTRA_FIELD: {"leverage": "20"},
    FaultKind.INVENTED_SYMBOL: {"symbol": INVENTED},
    FaultKind.NOT_A_NUMBER: {"confidence": float("nan")},
    FaultKind.NEGATIVE: {"fraction": "-1"},
    FaultKind.WORD: {"confidence": "very high"},
}
