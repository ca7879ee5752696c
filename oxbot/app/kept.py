"""A model whose replies are kept: whoever asks the same again gets the same, and pays nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field

from oxbot.app.replies import Replies, reply_key
from oxbot.domain.models import ModelChoice
from oxbot.ports import ChatModel
from oxbot.records import ModelReply, ModelRequest, Spent


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
            As the model does; a refusal is not kept.
        """
        named = request.model_copy(update={"choice": self.named(request.choice)})
        key = reply_key(named)
        known = await self.replies.get(key)
        if known is not None:
            return known
        self.before(named.choice)
        reply = await self.inner.complete(request)
        await self.replies.put(key, reply)
        self.asked, self.spent = self.asked + 1, Spent.on([self.spent, reply])
        return reply
