"""Names under which workflows and their attributes are known, and what all messages share."""

from typing import Final

from pydantic import ConfigDict

from oxbot.domain.values import Value

BOT_WORKFLOW: Final = "BotWorkflow"
"""Name under which the bot's workflow type is registered."""

WATCH_WORKFLOW: Final = "MarketWatchWorkflow"
"""Name under which the price watch's workflow type is registered."""

STATUS_ATTRIBUTE: Final = "BotStatus"
MODE_ATTRIBUTE: Final = "BotMode"
SYMBOLS_ATTRIBUTE: Final = "BotSymbols"
OWNER_ATTRIBUTE: Final = "BotOwner"


class Message(Value):
    """A value in a history; fields that this version does not know are passed over."""

    model_config = ConfigDict(extra="ignore")


def workflow_id(bot_id: str) -> str:
    """Give the workflow id of a bot."""
    return f"bot-{bot_id}"


def watch_id(venue: str) -> str:
    """Give the workflow id of a venue's price watch."""
    return f"watch-{venue}"
