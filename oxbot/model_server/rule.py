"""The rule that stands in for a model: it follows trends, by what the prompt says."""

import json
from collections.abc import Sequence
from typing import Final

from oxbot.model_server.reading import Coin, coins_in

MOST_ENTRIES: Final = 2
MOVE_IN_ATR: Final = 3
LARGEST_MOVE: Final = 1.0

Wish = dict[str, str]


def answer(prompt: str) -> str:
    """Give a decision on the coins of a prompt as JSON; the same prompt gives the same."""
    coins = coins_in(prompt)
    rising = {coin.symbol for coin in _strongest(coins)}
    proposals = [_wish(coin, rising) for coin in coins]
    bought = ", ".join(sorted(rising)) or "nothing"
    summary = f"A plain rule, no AI, on {len(coins)} coins: buy {bought}."
    return json.dumps({"summary": summary, "proposals": proposals})


def _strongest(coins: Sequence[Coin]) -> list[Coin]:
    """Give the coins to enter: those that rise most against their average, ties by name."""
    rising = [coin for coin in coins if not coin.held and coin.close > coin.ema20 > coin.ema50]
    ranked = sorted(rising, key=lambda coin: (-coin.ema20 / coin.ema50, coin.symbol))
    return ranked[:MOST_ENTRIES]


def _wish(coin: Coin, rising: set[str]) -> Wish:
    figures = f"close {coin.close:g}, EMA20 {coin.ema20:g}, EMA50 {coin.ema50:g}"
    if coin.held and coin.ema20 < coin.ema50:
        return _proposal(coin, "close", f"The trend broke: {figures}.")
    if coin.symbol not in rising:
        return _proposal(coin, "hold", f"Nothing to follow: {figures}.")
    move = min(LARGEST_MOVE, MOVE_IN_ATR * coin.atr14 / coin.close)
    buy = _proposal(coin, "buy", f"The trend rises: {figures}.")
    return buy | {"expected_move": f"{move:.4f}", "invalidation": "EMA20 falls below EMA50"}


def _proposal(coin: Coin, action: str, reason: str) -> Wish:
    return {"symbol": coin.symbol, "action": action, "confidence": "0.7", "reason": reason}
