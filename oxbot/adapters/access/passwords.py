"""Argon2id (RFC 9106) for passwords."""

import asyncio
from typing import Final

from pwdlib import PasswordHash

AT_ONCE: Final = 2
"""So many are hashed at a time: each takes 64 MiB and some 50 ms of a core."""


class Argon2Passwords:
    """Passwords as pwdlib recommends them, hashed beside the event loop."""

    def __init__(self) -> None:
        self._hash = PasswordHash.recommended()
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._nobodys = self._hash.hash("nobody's")

    async def hashed(self, password: str) -> str:
        """Give the hash to keep."""
        async with self._gate:
            return await asyncio.to_thread(self._hash.hash, password)

    async def is_right(self, password: str, kept: str | None) -> bool:
        """Hold a password against a hash; None takes as long, and is wrong."""
        async with self._gate:
            right = await asyncio.to_thread(self._hash.verify, password, kept or self._nobodys)
        return right and kept is not None
