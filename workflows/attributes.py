"""Search attributes of a bot, so that Temporal's own tools can find it by what it is."""

from typing import Any, Final

from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from oxbot.domain.bot import BotStatus
from oxbot.messages import (
    MODE_ATTRIBUTE,
    OWNER_ATTRIBUTE,
    STATUS_ATTRIBUTE,
    SYMBOLS_ATTRIBUTE,
    RunSpec,
)

STATUS: Final = SearchAttributeKey.for_keyword(STATUS_ATTRIBUTE)
MODE: Final = SearchAttributeKey.for_keyword(MODE_ATTRIBUTE)
OWNER: Final = SearchAttributeKey.for_keyword(OWNER_ATTRIBUTE)
SYMBOLS: Final = SearchAttributeKey.for_keyword_list(SYMBOLS_ATTRIBUTE)


def attributes_of(
    spec: RunSpec, status: BotStatus
) -> list[SearchAttributeUpdate[Any]]:  # Any: the updates' value types differ
    """Give the updates that make a bot findable by status, mode, symbols and owner."""
    return [
        STATUS.value_set(status.value),
        MODE.value_set(spec.mode),
        OWNER.value_set(spec.owner),
        SYMBOLS.value_set(list(spec.symbols)),
    ]
