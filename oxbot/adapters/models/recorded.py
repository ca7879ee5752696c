"""Replies that were given before, found again by what was asked."""

from dataclasses import dataclass

from oxbot.app.kept import as_it_was
from oxbot.app.replies import Replies, reply_key
from oxbot.domain.errors import NotFound
from oxbot.domain.models import ModelChoice
from oxbot.records import ModelReply, ModelRequest


@dataclass(frozen=True)
class RecordedModel:
    """`ChatModel` that answers from a record and never asks anybody.

    Args:
        replies: The record.
    """

    replies: Replies

    def label(self, choice: ModelChoice) -> str:
        """How the chosen model is named wherever its decisions are shown."""
        return f"{choice.label} (recorded)"

    def named(self, choice: ModelChoice) -> ModelChoice:
        """Give the choice as it is: what was asked for had a name."""
        return choice

    def is_priced(self, choice: ModelChoice) -> bool:  # noqa: ARG002 - the port's signature
        """What is on record costs nothing."""
        return True

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Give the recorded reply.

        Raises:
            NotFound: None is on record; final.
            ContentRefused: It was held back.
        """
        key = reply_key(request)
        known = await self.replies.get(key)
        if known is None:
            raise NotFound(
                f"No reply of {request.choice.label} to this prompt is on record (key {key[:12]}), "
                "and a recorded model asks nobody. Ask the model itself once, or replay with the "
                "model, the parameters and the prompt that were recorded."
            )
        return as_it_was(known)
