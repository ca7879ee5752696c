"""What requests that control bots have in common."""

from typing import Annotated, Final

from pydantic import Field

from oxbot.domain.bot_changes import Word
from oxbot.domain.users import User
from oxbot.domain.values import Storable, Value
from oxbot.messages import ControlRequest

Reason = Annotated[Storable, Field(max_length=200, description="Why, for the record.")]


class Because(Value):
    """Why something is done."""

    reason: Reason = ""


class Stop(Because):
    """How a bot is to end: everything sold first (`flatten`), or kept until it is by itself."""

    flatten: bool = True


NO_REASON: Final = Because()
SELL: Final = Stop()
"""What holds where a request has no body."""


def by(user: User) -> str:
    """Name who asks, for the record."""
    return f"{user.name}, API"


def request_of(user: User, asked: Because) -> ControlRequest:
    """Make what a bot is told."""
    flatten = asked.flatten if isinstance(asked, Stop) else True
    return ControlRequest(by=by(user), reason=asked.reason, flatten=flatten)


def word_of(user: User, asked: Because) -> Word:
    """Make what the record is told."""
    return Word(by=by(user), reason=asked.reason)
