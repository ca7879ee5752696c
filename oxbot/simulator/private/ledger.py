"""Writing down: each event counts as soon as it is recorded, and is kept before it is answered."""

from collections.abc import Callable
from typing import Final

from oxbot.domain.errors import InputError
from oxbot.simulator.private.books import Books
from oxbot.simulator.private.events import (
    AccountMade,
    Event,
    shown,
)
from oxbot.simulator.private.journal import Journal
from oxbot.simulator.private.spec import AccountSpec

ORDERS, ATTACHED, ALGOS = 2 * 10**18, 3 * 10**18, 4 * 10**18
"""Where OKX's numbers begin: of orders, of what is attached to them, of algo orders."""

TRADES: Final = 10**8
"""Where the numbers of trades begin."""


class Ledger:
    """The accounts of a venue, and what happened to them.

    Args:
        journal: Where it is written.

    Attributes:
        accounts: Every account by its first key.
        signers: Every account by each of its keys.
        watchers: Called with each event as soon as it counts.
        kept: Called when all that was recorded is kept.
    """

    def __init__(self, journal: Journal) -> None:
        self.accounts: dict[str, Books] = {}
        self.signers: dict[str, Books] = {}
        self.watchers: list[Callable[[Event], None]] = []
        self.kept: list[Callable[[], None]] = []
        self._journal = journal
        self._fresh: list[Event] = []
        for event in journal.events:
            self._count(event)

    @property
    def next_seq(self) -> int:
        """The number of the next event."""
        return len(self._journal.events) + len(self._fresh) + 1

    @property
    def latest_ms(self) -> int:
        """The venue time of the last event, ms UTC; 0 without any."""
        events = self._fresh or self._journal.events
        return events[-1].ts if events else 0

    def record(self, event: Event) -> None:
        """Let an event count; it is kept with the next `commit`."""
        self._fresh.append(event)
        self._count(event)
        for watch in self.watchers:
            watch(event)

    def commit(self) -> None:
        """Keep what was recorded, as one line.

        Raises:
            SetupError: It cannot be written.
        """
        if not self._fresh:
            return
        self._journal.append(self._fresh)
        self._fresh = []
        for tell in self.kept:
            tell()

    def make_account(self, spec: AccountSpec, now_ms: int) -> Books:
        """Make an account; the same one again is that one.

        Raises:
            InputError: A key has another account.
        """
        known = self.accounts.get(spec.key)
        if known is None:
            if taken := sorted(self.signers.keys() & set(spec.keys)):
                raise InputError(f"The key {taken[0]} has an account already.")
            made = AccountMade(seq=self.next_seq, ts=now_ms, account=spec.key, spec=spec)
            self.record(made)
        elif known.spec != spec:
            raise InputError(f"The key {spec.key} has an account already, with other content.")
        return self.accounts[spec.key]

    def log(self, account: str | None, since: int) -> list[dict[str, object]]:
        """What happened after an event, of one account or of all."""
        return [
            shown(event)
            for event in self._journal.events[since:]
            if account in (None, event.account)
        ]

    def _count(self, event: Event) -> None:
        if isinstance(event, AccountMade):
            books = self.accounts[event.account] = Books(event.spec, event.ts)
            self.signers.update(dict.fromkeys(event.spec.keys, books))
        else:
            self.accounts[event.account].apply(event)
