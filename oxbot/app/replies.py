"""Replies of models by what was asked: so that the same question is never paid for twice."""

import hashlib
import json
from typing import Protocol

from oxbot.records import ModelReply, ModelRequest


class Replies(Protocol):
    """Where replies are kept."""

    async def get(self, key: str) -> ModelReply | None:
        """Give the reply of this key; None where there is none."""
        ...

    async def put(self, key: str, reply: ModelReply) -> None:
        """Keep a reply; the first one of a key stays."""
        ...


def reply_key(request: ModelRequest) -> str:
    """Give the key of a question: sha256 of model, parameters and messages."""
    asked = {"choice": request.choice.model_dump(mode="json"), "messages": request.messages}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
