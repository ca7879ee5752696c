"""Qwen by DashScope's own protocol: the SDK's v2 client, which calls itself internal.

This module and `dashscope_errors` alone know it.
"""

from typing import Final, Self

from dashscope import AsyncClient
from dashscope.v2.types.common import Usage
from dashscope.v2.types.completions import ChatCompletion

from oxbot.adapters.models.dashscope_errors import RAISED, checked, failure_of
from oxbot.adapters.models.failures import Failure, error_of
from oxbot.adapters.models.setup import ANSWER_S, Setup
from oxbot.domain.models import ModelChoice
from oxbot.records import ModelReply, ModelRequest

NATIVE: Final = "/api/v1"
"""Where the protocol is below a gateway's address."""


class DashScopeModel:
    """`ChatModel` for DashScope: `async with DashScopeModel(setup) as model`.

    Args:
        setup: Key, address, default model and cards.
        answer_s: Seconds until the first byte of an answer.
    """

    def __init__(self, setup: Setup, answer_s: float = ANSWER_S) -> None:
        self._setup = setup
        self._client = AsyncClient(
            api_key=setup.key.get_secret_value() if setup.key else "",
            base_url=f"{setup.address.rstrip('/')}{NATIVE}",
            protocol="native",
            timeout=answer_s,
            max_retries=0,  # Temporal retries
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    def label(self, choice: ModelChoice) -> str:
        """How the chosen model is named wherever its decisions are shown."""
        return self._setup.label(choice)

    def named(self, choice: ModelChoice) -> ModelChoice:
        """Give the choice with its model's name, also where it leaves that to the provider."""
        return choice.model_copy(update={"model": self._setup.model(choice)})

    def is_priced(self, choice: ModelChoice) -> bool:
        """Whether it is known what the chosen model costs."""
        return self._setup.is_priced(choice)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once; see `ChatModel.complete`."""
        choice = request.choice
        try:
            answer = checked(await self._ask(request))
            if isinstance(answer, Failure):
                raise error_of(answer, self._setup, choice)
            reply = self._reply(answer, choice)
        except RAISED as error:
            # Without what it came from, which may quote the key.
            raise error_of(failure_of(error), self._setup, choice) from None
        return self._setup.priced(choice, reply)

    async def _ask(self, request: ModelRequest) -> object:
        choice = request.choice
        card = self._setup.card(choice)
        return await self._client.chat.completions.create(
            model=self._setup.model(choice),
            messages=[{"role": role, "content": text} for role, text in request.messages],
            temperature=float(choice.temperature) if card.temperature else None,
            enable_thinking=card.enable_thinking,
            response_format=self._setup.response_format(choice),
            stream=False,
        )

    def _reply(self, answer: ChatCompletion, choice: ModelChoice) -> ModelReply:
        usage = answer.usage or Usage()
        return ModelReply(
            text=answer.output_text,
            provider=self._setup.provider,
            model=answer.model or self._setup.model(choice),
            request_id=answer.request_id or "",
            tokens_in=usage.input_tokens,
            tokens_out=usage.output_tokens,
            tokens_cached=_cached(usage),
            finish_reason=answer.choices[0].finish_reason or "",
        )


def _cached(usage: Usage) -> int:
    """Read how many tokens the provider remembered; the SDK passes that on as it came."""
    details = (usage.model_extra or {}).get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return cached if isinstance(cached, int) else 0
