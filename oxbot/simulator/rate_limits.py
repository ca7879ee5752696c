"""How often OKX may be asked: token buckets in wall time.

Each client (an address; of signed requests the key) has a bucket for each endpoint, and one for
all of them together. A bucket holds what OKX publishes for two seconds and fills evenly.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from oxbot.domain.errors import InputError
from oxbot.simulator.defaults import DEFAULT_OVERALL_LIMIT

WINDOW_S = 2
"""OKX states its limits as requests in two seconds."""

PUBLISHED: dict[str, int] = {
    "public/time": 10,
    "public/instruments": 20,
    "public/funding-rate": 20,
    "public/funding-rate-history": 10,
    "public/open-interest": 20,
    "public/mark-price": 10,
    "market/tickers": 20,
    "market/ticker": 20,
    "market/candles": 40,
    "market/history-candles": 20,
    "market/books": 40,
    "account/balance": 10,
    "account/config": 5,
    "account/positions": 10,
    "account/trade-fee": 5,
    "asset/currencies": 12,
    "trade/order": 60,
    "trade/orders-pending": 60,
    "trade/orders-history": 40,
    "trade/orders-history-archive": 20,
    "trade/fills": 60,
    "trade/fills-history": 10,
    "trade/order-algo": 20,
    "trade/orders-algo-pending": 20,
    "trade/orders-algo-history": 20,
    "POST trade/order": 60,
    "POST trade/batch-orders": 300,
    "POST trade/cancel-order": 60,
    "POST trade/cancel-batch-orders": 300,
    "POST trade/order-algo": 20,
    "POST trade/cancel-algos": 20,
    "POST trade/amend-algos": 20,
}
"""Requests in two seconds for each client, by endpoint; of a POST by method and endpoint."""

PER_ENDPOINT_CODE, OVERALL_CODE = "50011", "50061"


@dataclass(slots=True)
class _Bucket:
    """Tokens left at a moment of this machine's monotonic time."""

    tokens: float
    at_s: float

    def take(self, capacity: int, now_s: float) -> bool:
        """Take one token, if there is one."""
        filled = self.tokens + (now_s - self.at_s) * capacity / WINDOW_S
        self.tokens, self.at_s = min(float(capacity), filled), now_s
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class RateLimits:
    """The buckets of all clients.

    Args:
        overall: Requests in two seconds for one address over all endpoints.
        now_s: Monotonic time in seconds; tests bring their own.

    Raises:
        InputError: Nobody could ask anything.
    """

    def __init__(
        self, overall: int = DEFAULT_OVERALL_LIMIT, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        if overall < 1:
            raise InputError(f"A client may ask at least once in two seconds, not {overall} times.")
        self._overall = overall
        self._now_s = now_s
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def refuses(self, client: str, endpoint: str) -> str | None:
        """OKX's code for a request that comes too soon; None for one that may go on.

        Args:
            client: The client's address or key.
            endpoint: Path under /api/v5/, of a POST after its method; one that is not known has
                only the overall limit.
        """
        limit = PUBLISHED.get(endpoint)
        if limit is not None and not self._take(client, endpoint, limit):
            return PER_ENDPOINT_CODE
        return None if self._take(client, "", self._overall) else OVERALL_CODE

    def _take(self, client: str, endpoint: str, capacity: int) -> bool:
        now_s = self._now_s()
        bucket = self._buckets.setdefault((client, endpoint), _Bucket(float(capacity), now_s))
        return bucket.take(capacity, now_s)
