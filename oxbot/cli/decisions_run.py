"""What `oxbot decisions ...` does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from oxbot.app.decisions import Decisions
from oxbot.app.telling import zone
from oxbot.bootstrap.record import open_decisions
from oxbot.cli import decision_pages, output
from oxbot.cli.at_rest import on_record
from oxbot.cli.config_sources import load_settings

Result = TypeVar("Result")


def list_(bot_id: str | None, last: int, *, as_json: bool) -> None:
    """List the last decisions of one bot or of all."""
    rows = _looked(lambda decisions: decisions.listed(bot_id, last))
    if as_json:
        output.write_json({"decisions": [row.model_dump() for row in rows]})
        return
    decision_pages.write_list(output.console(), rows, zone(load_settings().timezone))


def show(decision_id: str, *, prompt: bool, as_json: bool) -> None:
    """Show one decision in full."""
    page = _looked(lambda decisions: decisions.page(decision_id))
    if as_json:
        output.write_json(page.model_dump())
        return
    shown_in = zone(load_settings().timezone)
    decision_pages.write_page(output.console(), page, shown_in, prompt=prompt)


def _looked(look: Callable[[Decisions], Awaitable[Result]]) -> Result:
    async def done() -> Result:
        async with (
            on_record(load_settings()) as settings,
            open_decisions(settings) as decisions,
        ):
            return await look(decisions)

    return asyncio.run(done())
