"""Whose a bot is, asked by the statement that reads of it: one round trip for both."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    RowMapping,
    Select,
    Subquery,
    Text,
    bindparam,
    select,
    true,
)

from oxbot.adapters.postgres.schema import bots
from oxbot.domain.bot import no_bot

OF_BOT: Final[BindParameter[str]] = bindparam("of_bot", type_=Text)
"""The bot's id."""

OF_OWNER: Final[BindParameter[str]] = bindparam("of_owner", type_=Text)
"""The id of somebody whose the bot has to be; null: anybody's."""

IS_THEIRS: Final[ColumnElement[bool]] = (bots.c.id == OF_BOT) & (
    OF_OWNER.is_(None) | (bots.c.settings["owner"].astext == OF_OWNER)
)


def of_theirs(
    rows: Subquery,
    *columns: ColumnElement[Any],  # Any: as columns have it
) -> Select[*tuple[Any, ...]]:
    """Select columns of rows of `of_bot` if it is `of_owner`'s.

    A bot that has none gives one row of nulls, and no bot gives none.
    """
    return select(*columns).select_from(bots.outerjoin(rows, true())).where(IS_THEIRS)


def if_theirs(found: Sequence[RowMapping], bot_id: str) -> Sequence[RowMapping]:
    """Give the rows that there are, each of which has a `json`; NotFound."""
    if not found:
        raise no_bot(bot_id)
    return found if found[0]["json"] is not None else ()
