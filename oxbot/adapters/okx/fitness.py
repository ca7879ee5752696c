"""Whether an account and its key are still what live trading needs."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from oxbot.adapters.okx.account_rows import AccountConfig, config_of, why_unfit
from oxbot.adapters.okx.client import UNREADABLE
from oxbot.adapters.okx.errors import read_failure
from oxbot.adapters.okx.private import OkxAccount

KEPT_MS: Final = 600_000
"""Milliseconds for which OKX's answer is believed."""


def monotonic_ms() -> int:
    """Give the ms of a clock that is never set."""
    return time.monotonic_ns() // 1_000_000


class Fitness:
    """Asks OKX what an account is and what its key may do, every ten minutes and no oftener.

    Args:
        account: The account.
        now_ms: Ms of a clock that is never set.
    """

    def __init__(self, account: OkxAccount, now_ms: Callable[[], int]) -> None:
        self._account = account
        self._now_ms = now_ms
        self._known: AccountConfig | None = None
        self._due_ms = 0
        self._asking = asyncio.Lock()

    async def unfit(self) -> str | None:
        """Say why nobody should trade in the account; None where it is fit.

        Raises:
            VenueUnavailable: OKX has to be asked, and does not say now.
        """
        async with self._asking:  # bots of one account need one answer
            known = self._known
            if known is None or self._now_ms() >= self._due_ms:
                known = self._known = await self._asked()
                self._due_ms = self._now_ms() + KEPT_MS
        return why_unfit(known)

    async def _asked(self) -> AccountConfig:
        try:
            return config_of(await self._account.config())
        except UNREADABLE as error:
            asked = "the account's configuration"
            raise read_failure(error, asked, self._account.timeout_ms) from error
