"""Postings of the ledger: checked, then written."""

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.schema import ledger_entries
from oxbot.domain.ledger import Entry, must_balance


async def post(
    connection: AsyncConnection, bot_id: str, posting: str, entries: Sequence[Entry]
) -> None:
    """Write one posting.

    Raises:
        LedgerBroken: It does not sum to zero in each currency.
    """
    must_balance(entries)
    lines = [
        {"bot_id": bot_id, "posting": posting, "line": line, **entry.model_dump()}
        for line, entry in enumerate(entries, start=1)
    ]
    await connection.execute(insert(ledger_entries), lines)
