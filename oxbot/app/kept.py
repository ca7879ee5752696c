"""A model whose replies are kept: whoever asks the same again gets the same, and pays nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from oxbot.app.answering import held_back
from oxbot.app.replies import Replies, reply_key
from oxbot.domain.errors import ContentRefused
from oxbot.domain.models import ModelChoice
from oxbot.ports import ChatModel
from oxbot.records import ModelReply, ModelRequest, Spent

HELD_BACK: Final = "content_filter"
"""Why a reply ends that was held back; no reply that was given ends so."""


def _nothing(_: ModelChoice) -> None:
    """Let everything be asked."""


@dataclass
class KeptModel:
    """`ChatModel` that looks among kept replies first.

    Args:
        inner: Is asked what nobody asked before.
        replies: Where replies are kept.
        asked: How often it was.
        spent: What that cost.
        before: Is called before it is; what it raises keeps it from being asked.
    """

    inner: ChatModel
    replies: Replies
    asked: int = field(default=0, init=False)
    spent: Spent = field(default=Spent(), init=False)
    before: Callable[[ModelChoice], None] = field(default_factory=lambda: _nothing, init=False)

    def label(self, choice: ModelChoice) -> str:
        """How the chosen model is named wherever its decisions are shown."""
        return self.inner.label(choice)

    def named(self, choice: ModelChoice) -> ModelChoice:
        """Give the choice with its model's name."""
        return self.inner.named(choice)

    def is_priced(self, choice: ModelChoice) -> bool:
        """Whether it is known what the chosen model costs."""
        return self.inner.is_priced(choice)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Give the kept reply, with what it once cost, or have the model answer.

        Raises:
            ContentRefused: It held back the prompt or the answer, now or when it was asked.
            As the model does; other refusals are not kept.
        """
        named = request.model_copy(update={"choice": self.named(request.choice)})
        key = reply_key(named)
        known = await self.replies.get(key)
        if known is not None:
            return as_it_was(known)
        self.before(named.choice)
        self.asked += 1
        try:
            reply = await self.inner.complete(request)
        except ContentRefused as error:
            await self._keep(key, _refusal(named.choice, error))
            raise
        return await self._keep(key, reply)

    async def _keep(self, key: str, reply: ModelReply) -> ModelReply:
        self.spent = Spent.on([self.spent, reply])
        await self.replies.put(key, reply)
        return reply


def _refusal(choice: ModelChoice, error: ContentRefused) -> ModelReply:
    """Give what is kept of an answer that was held back: why, and what it cost all the same."""
    nothing = held_back(ModelReply.nothing_of(choice), error)
    return nothing.model_copy(update={"text": str(error), "finish_reason": HELD_BACK})


def as_it_was(kept: ModelReply) -> ModelReply:
    """Give a kept reply, or refuse as it was refused.

    Raises:
        ContentRefused: What is kept was held back.
    """
    if kept.finish_reason != HELD_BACK:
        return kept
    tokens = kept.tokens_in, kept.tokens_out
    raise ContentRefused(kept.text, tokens, kept.cost_usd, priced=kept.priced)
