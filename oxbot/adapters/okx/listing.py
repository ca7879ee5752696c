"""What OKX lists: loaded once for all processes, and again every hour."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.errors import unusable
from oxbot.adapters.okx.parse import listing_of
from oxbot.domain.errors import StoreUnavailable, VenueUnavailable
from oxbot.domain.listing import check_listed
from oxbot.domain.market import Instrument

REFRESH_AFTER_S: Final = 3600
"""Steps and listings change rarely; an older list is read again."""

RELOAD_AFTER_S: Final = 60
"""A symbol that is not listed makes the list be read again, but not more often than this.
After a refresh that failed it is tried again as late."""

_log = structlog.get_logger(__name__)


class SharedListing(Protocol):
    """Where processes find the list that another of them has loaded."""

    async def get(self, venue: str) -> dict[str, Instrument] | None:
        """Give the list by symbol, or None where nobody has put it; StoreUnavailable."""
        ...

    async def put(self, venue: str, listing: Mapping[str, Instrument]) -> None:
        """Keep the list for the others; StoreUnavailable."""
        ...


class OkxListing:
    """The spot pairs in USDT with their steps, those that are halted now among them.

    Args:
        client: The connection to OKX.
        venue: Under which name the list is shared.
        shared: Where it is looked for first and put afterwards; None for this process alone.
        monotonic_s: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        client: OkxClient,
        venue: str,
        shared: SharedListing | None = None,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._venue = venue
        self._shared = shared
        self._monotonic_s = monotonic_s
        self._listed: dict[str, Instrument] = {}
        self._left_out: dict[str, str] = {}
        self._refresh_s = 0.0
        self._reload_s = 0.0
        self._loading = asyncio.Lock()

    async def all(self, *, fresh: bool = False) -> dict[str, Instrument]:
        """Give everything that is listed, by symbol.

        Args:
            fresh: Ask OKX itself, unless this process did so in the last minute.

        Raises:
            VenueUnavailable: There is no list yet, or a fresh one is wanted, and OKX gives none.
        """
        async with self._loading:
            now_s = self._monotonic_s()
            if fresh and now_s >= self._reload_s:
                await self._load()
            elif not self._listed:
                await self._adopt_or_load()
            elif now_s >= self._refresh_s:
                await self._refresh()
            return dict(self._listed)

    async def of(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Give the steps of these symbols.

        Raises:
            InputError: OKX does not list one, with the nearest names that it does list.
            VenueUnavailable: The list, or the steps of one of them, could not be read.
        """
        listed = await self.all()
        if any(symbol not in listed for symbol in symbols):
            listed = await self.all(fresh=True)
        for symbol in symbols:
            if symbol in self._left_out and symbol not in listed:
                raise VenueUnavailable(self._left_out[symbol])
        check_listed(symbols, listed)
        return {symbol: listed[symbol] for symbol in symbols}

    async def _refresh(self) -> None:
        """Renew the list; the old one serves on where neither Redis nor OKX gives another."""
        try:
            await self._adopt_or_load()
        except VenueUnavailable as error:
            self._refresh_s = self._monotonic_s() + RELOAD_AFTER_S
            _log.warning("an old list of instruments serves on", reason=str(error))

    async def _adopt_or_load(self) -> None:
        shared = await self._look()
        if shared:
            self._take(shared, {})
        else:
            await self._load()

    async def _load(self) -> None:
        """Ask OKX, and tell the others."""
        listed, left_out = listing_of(await self._client.instruments())
        if not listed:
            why = next(iter(left_out.values()), None)
            raise VenueUnavailable(why) if why else unusable("the instruments", "none is in USDT")
        if left_out:
            names = sorted(left_out)[:10]
            _log.info(
                "okx lists pairs whose steps cannot be read", count=len(left_out), first=names
            )
        self._take(listed, left_out)
        self._reload_s = self._monotonic_s() + RELOAD_AFTER_S
        await self._tell(listed)

    def _take(self, listed: dict[str, Instrument], left_out: dict[str, str]) -> None:
        self._listed, self._left_out = listed, left_out
        self._refresh_s = self._monotonic_s() + REFRESH_AFTER_S

    async def _look(self) -> dict[str, Instrument] | None:
        try:
            return await self._shared.get(self._venue) if self._shared else None
        except StoreUnavailable as error:
            _log.warning("the shared list of instruments is away", reason=str(error))
            return None

    async def _tell(self, listed: Mapping[str, Instrument]) -> None:
        try:
            if self._shared:
                await self._shared.put(self._venue, listed)
        except StoreUnavailable as error:
            _log.warning("the list of instruments is not shared", reason=str(error))
